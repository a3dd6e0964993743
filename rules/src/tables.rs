//! Code tables: codes, titles, the days between which they were valid, and what they belong to.

mod builtin;
mod nationality;

use fenhe_core::{Error, Kind, Limits, Result};

use crate::Date;

/// A code table, ready for look-ups. As data it is its name, its source and the list of its codes.
///
/// ```
/// use fenhe_rules::{Code, CodeTable, Date};
/// let table = CodeTable::new("gbt2260", "GB/T 2260", vec![
///     Code::new("510200", "重庆市").valid(None, "1997-06-17".parse().ok()),
///     Code::new("500000", "重庆市").valid("1997-06-18".parse().ok(), None),
/// ])?;
/// let then = Date::from_civil(1990, 1, 1);
/// assert!(table.get("510200", then).is_some());
/// assert!(table.get("510200", Date::from_civil(2026, 1, 1)).is_none());
/// assert!(table.get("510200", None).is_some(), "without a day, history counts");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct CodeTable {
    name: String,
    source: String,
    /// Sorted by code, then by the first day of validity.
    codes: Vec<Code>,
}

/// One code of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code as it is written, leading zeros included.
    pub code: String,
    /// Its title.
    pub title: String,
    /// First day on which it is valid; `None`: since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Last day on which it is valid; `None`: still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    /// The code that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Other spellings of the title that are met: old names, short names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source: String,
    code: Vec<Code>,
}

impl CodeTable {
    /// The most codes of one table. The longest known list, the villages of the country, has about 700,000.
    pub const MAX_CODES: usize = 1 << 20;

    /// A table of these codes, in any order.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `rules.table` for a code without characters, a parent that is not in the table, a validity that ends
    /// before it begins, or two entries of one code that are valid on the same day. [`Kind::Limit`] above
    /// [`MAX_CODES`](Self::MAX_CODES).
    pub fn new(
        name: impl Into<String>,
        source: impl Into<String>,
        mut codes: Vec<Code>,
    ) -> Result<Self> {
        Limits::check("codes", Self::MAX_CODES as u64, codes.len() as u64)?;
        codes.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
        let table = Self { name: name.into(), source: source.into(), codes };
        table.audit()?;
        Ok(table)
    }

    /// The name by which rules refer to it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The standard or document that it is from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// All codes, sorted.
    #[must_use]
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// The entry of `code` that is valid on that day; without a day, the last one that ever was.
    #[must_use]
    pub fn get(&self, code: &str, on: Option<Date>) -> Option<&Code> {
        let end = self.codes.partition_point(|entry| entry.code.as_str() <= code);
        self.codes
            .get(..end)?
            .iter()
            .rev()
            .take_while(|entry| entry.code == code)
            .find(|entry| on.is_none_or(|day| entry.is_valid(day)))
    }

    /// The entry with this title, or with this as another spelling of it, valid on that day.
    #[must_use]
    pub fn titled(&self, title: &str, on: Option<Date>) -> Option<&Code> {
        self.codes.iter().rev().find(|entry| {
            (entry.title == title || entry.also.iter().any(|other| other == title))
                && on.is_none_or(|day| entry.is_valid(day))
        })
    }

    /// The entries that belong to `code`.
    pub fn children<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Code> {
        self.codes.iter().filter(move |entry| entry.parent.as_deref() == Some(code))
    }

    fn audit(&self) -> Result<()> {
        let wrong = |entry: &Code, reason: &str| {
            let message = format!("code {} of table {}: {reason}", entry.code, self.name);
            Err(Error::new(Kind::Config, "rules.table", message))
        };
        for entry in &self.codes {
            if entry.code.is_empty() {
                return wrong(entry, "has no characters");
            }
            if matches!((entry.valid_from, entry.valid_to), (Some(from), Some(to)) if from > to) {
                return wrong(entry, "valid_to lies before valid_from");
            }
            if let Some(parent) = &entry.parent
                && self.get(parent, None).is_none()
            {
                return wrong(entry, "its parent is not in the table");
            }
        }
        for pair in self.codes.windows(2) {
            let [first, second] = pair else { continue };
            let apart = match (first.valid_to, second.valid_from) {
                (Some(to), Some(from)) => to < from,
                _ => false,
            };
            if first.code == second.code && !apart {
                return wrong(second, "two entries are valid on the same day");
            }
        }
        Ok(())
    }
}

impl Code {
    /// A code that is always valid.
    pub fn new(code: impl Into<String>, title: impl Into<String>) -> Self {
        Self { code: code.into(), title: title.into(), ..Self::default() }
    }

    /// The same, valid from and to these days, both included.
    #[must_use]
    pub fn valid(mut self, from: Option<Date>, to: Option<Date>) -> Self {
        self.valid_from = from;
        self.valid_to = to;
        self
    }

    /// Whether it is valid on that day.
    #[must_use]
    pub fn is_valid(&self, on: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_to.is_none_or(|to| on <= to)
    }
}

impl TryFrom<Written> for CodeTable {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        Self::new(written.name, written.source, written.code)
    }
}

impl From<CodeTable> for Written {
    fn from(table: CodeTable) -> Self {
        Self { name: table.name, source: table.source, code: table.codes }
    }
}
