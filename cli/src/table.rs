//! Tables that align, with Chinese characters two columns wide.

use unicode_width::UnicodeWidthStr;

/// Rows of cells.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// A table with a heading.
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self {
            rows: vec![heading.iter().map(|cell| (*cell).to_owned()).collect()],
            right: Vec::new(),
        }
    }

    /// Puts the column to the right, for numbers.
    pub(crate) fn right(mut self, column: usize) -> Self {
        self.right.push(column);
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let one_line =
            |cell: String| crate::out::printable(&cell.replace("\r\n", " ").replace('\n', " "));
        self.rows.push(cells.into_iter().map(one_line).collect());
    }

    /// The lines, two blanks between columns, `indent` blanks before each.
    pub(crate) fn text(&self, indent: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width_of = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let fill = " ".repeat(width.saturating_sub(cell.width()));
                match self.right.contains(&column) {
                    true => line.extend([fill.as_str(), cell, "  "]),
                    false => line.extend([cell, fill.as_str(), "  "]),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_latin_cells_align() {
        let mut table = Table::new(&["姓名", "n"]).right(1);
        table.row(["张三".into(), "5".into()]);
        table.row(["Li".into(), "12".into()]);
        assert_eq!(table.text(1), " 姓名   n\n 张三   5\n Li    12\n");
    }
}
