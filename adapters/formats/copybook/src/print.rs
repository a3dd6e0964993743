//! The layout as a table for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::layout::{Field, Layout};

impl Layout {
    /// A table: level and name, picture, usage, offset from 0, length of one occurrence, occurrences.
    ///
    /// ```
    /// use fenhe_copybook::{Copybook, CopybookOptions, Layout};
    /// let book = Copybook::parse("01 R.\n 05 ID PIC 9(4) COMP.\n 05 NAME PIC X(20).")?;
    /// let table = Layout::new(&book, &CopybookOptions::default())?.table();
    /// assert!(table.lines().any(|line| line.split_whitespace().eq(["05", "NAME", "X(20)", "DISPLAY", "2", "20"])));
    /// # Ok::<(), fenhe_core::Error>(())
    /// ```
    pub fn table(&self) -> String {
        let rows: Vec<[String; 6]> = self.all().map(|f| self.row(f)).collect();
        let heads =
            ["level and name", "picture", "usage", "offset", "length", ""].map(str::to_owned);
        let mut widths = [0; 6];
        for row in std::iter::once(&heads).chain(&rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = String::new();
        for row in std::iter::once(&heads).chain(&rows) {
            let [name, picture, usage, offset, length, more] = row;
            let [a, b, c, d, e, _] = widths;
            let line = format!(
                "{name:<a$}  {picture:<b$}  {usage:<c$}  {offset:>d$}  {length:>e$}  {more}"
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        let _ = writeln!(out, "record length {}, at least {}", self.length, self.minimum);
        for note in &self.notes {
            let _ = writeln!(out, "note: {note}");
        }
        out
    }

    /// The same as JSON: an object with `length`, `minimum`, `notes` and `fields`.
    pub fn json(&self) -> Value {
        let fields: Vec<Value> = self
            .all()
            .map(|f| {
                json!({
                    "level": f.level,
                    "name": f.name,
                    "filler": f.filler,
                    "picture": f.picture,
                    "usage": f.usage.name(),
                    "offset": f.offset,
                    "length": f.length,
                    "digits": f.digits,
                    "scale": f.scale,
                    "occurs": f.occurs.map(|t| json!({
                        "min": t.min,
                        "max": t.max,
                        "depending_on": t.counter.and_then(|c| self.fields.get(c)).map(|c| &c.name),
                    })),
                    "redefines": f.redefines.and_then(|r| self.fields.get(r)).map(|r| &r.name),
                    "conditions": f.conditions.iter().map(|c| &c.name).collect::<Vec<_>>(),
                    "line": f.line,
                })
            })
            .collect();
        json!({ "length": self.length, "minimum": self.minimum, "notes": self.notes, "fields": fields })
    }

    /// The items of the records, then their other names.
    fn all(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().chain(self.renames.iter().map(|(_, field)| field))
    }

    fn row(&self, field: &Field) -> [String; 6] {
        let depth =
            std::iter::successors(field.parent, |p| self.fields.get(*p).and_then(|f| f.parent))
                .count();
        let mut more = Vec::new();
        if field.level == 66 {
            more.push("another name".to_owned());
        }
        if let Some(first) = field.redefines.and_then(|r| self.fields.get(r)) {
            more.push(format!("redefines {}", first.name));
        }
        if let Some(table) = field.occurs {
            more.push(match table.counter.and_then(|c| self.fields.get(c)) {
                Some(counter) => {
                    format!("occurs {} to {} by {}", table.min, table.max, counter.name)
                }
                None => format!("occurs {}", table.max),
            });
        }
        if field.slack > 0 {
            more.push(format!("after {} slack bytes", field.slack));
        }
        if !field.conditions.is_empty() {
            more.push(
                field.conditions.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "),
            );
        }
        let usage = if field.children.is_empty() { field.usage.name() } else { "" };
        [
            format!("{}{:02} {}", "  ".repeat(depth), field.level, field.name),
            field.picture.clone(),
            usage.to_owned(),
            field.offset.to_string(),
            field.length.to_string(),
            more.join("; "),
        ]
    }
}
