//! Rows of cells as they stand in a sheet, before they have types.

use fenhe_core::Result;

/// Columns a sheet can have (XFD).
pub(crate) const MAX_COLUMNS: u32 = 16_384;
/// Rows a sheet can have.
pub(crate) const MAX_ROWS: u32 = 1_048_576;

/// Merged areas a sheet may have.
pub(crate) const MERGED: u64 = 65_536;

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number as text: a range of [`Block::xml`].
    Number,
    /// A number as the bits of a double, high and low word.
    Float,
    /// A shared string.
    Shared,
    /// A range of [`Block::text`].
    Inline,
    /// 0 or 1.
    Boolean,
    /// An error value: its text is a range of [`Block::text`].
    Error,
    /// An ISO 8601 date: a range of [`Block::text`].
    Iso,
    /// A formula without a stored value.
    Uncached,
}

/// One cell that is not blank. What `a` and `b` are depends on the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) a: u32,
    pub(crate) b: u32,
    /// From 0.
    pub(crate) column: u16,
    pub(crate) style: u16,
    pub(crate) value: Value,
}

/// One row that stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// From 1.
    pub(crate) number: u32,
    pub(crate) hidden: bool,
    pub(crate) first: u32,
    pub(crate) cells: u32,
    /// Place in the part.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Some rows with all that their cells refer to, but for shared strings.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) xml: Vec<u8>,
    pub(crate) text: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) rows: Vec<Row>,
}

/// A sheet being read row by row.
pub(crate) trait Rows: Send {
    /// Fills an empty block with the next rows; `false`: there were no more.
    fn fill(&mut self, block: &mut Block) -> Result<bool>;
}

impl Cell {
    pub(crate) fn float(column: u16, style: u16, number: f64) -> Self {
        let bits = number.to_bits();
        Self { a: high(bits), b: low(bits), column, style, value: Value::Float }
    }

    pub(crate) fn as_float(self) -> f64 {
        f64::from_bits(u64::from(self.a) << 32 | u64::from(self.b))
    }
}

impl Block {
    pub(crate) fn clear(&mut self) {
        self.xml.clear();
        self.text.clear();
        self.cells.clear();
        self.rows.clear();
    }

    /// The cells of a row, ascending by column.
    #[inline]
    pub(crate) fn cells_of(&self, row: &Row) -> &[Cell] {
        let first = row.first as usize;
        self.cells.get(first..first + row.cells as usize).unwrap_or_default()
    }

    /// The cell of a row in a column. In a full table it stands at its own place, otherwise it is searched for.
    #[inline]
    pub(crate) fn cell(&self, row: &Row, column: u16, guess: usize) -> Option<&Cell> {
        let cells = self.cells_of(row);
        match cells.get(guess) {
            Some(cell) if cell.column == column => Some(cell),
            _ => {
                let at = cells.binary_search_by_key(&column, |cell| cell.column).ok()?;
                cells.get(at)
            }
        }
    }

    /// The text a cell of kind number refers to.
    #[inline]
    pub(crate) fn number(&self, cell: &Cell) -> &[u8] {
        self.xml.get(cell.a as usize..cell.b as usize).unwrap_or_default()
    }

    /// The text a cell of kind inline, error or date refers to.
    #[inline]
    pub(crate) fn inline(&self, cell: &Cell) -> &str {
        self.text.get(cell.a as usize..cell.b as usize).unwrap_or_default()
    }

    /// Adds a cell whose text is given; an empty text is a blank cell.
    pub(crate) fn push_text(&mut self, column: u16, style: u16, value: Value, text: &str) {
        if text.is_empty() {
            return;
        }
        let a = offset(self.text.len());
        self.text.push_str(text);
        self.cells.push(Cell { a, b: offset(self.text.len()), column, style, value });
    }
}

/// Offsets into a block: rows are bounded by the record limit, blocks by a few windows more.
#[inline]
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn high(bits: u64) -> u32 {
    u32::try_from(bits >> 32).unwrap_or(0)
}

fn low(bits: u64) -> u32 {
    u32::try_from(bits & 0xffff_ffff).unwrap_or(0)
}

/// Letters of a column, counted from 0: `A`, `Z`, `AA`.
pub(crate) fn letters(column: u16) -> String {
    let mut rest = u32::from(column) + 1;
    let mut out = Vec::new();
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        out.push(b'A' + digit);
        rest = (rest - 1) / 26;
    }
    out.iter().rev().map(|b| char::from(*b)).collect()
}

/// Column (from 0) and row (from 1) of a reference such as `$B$3`; either may be missing.
pub(crate) fn reference(text: &str) -> Option<(Option<u16>, Option<u32>)> {
    let text: String = text.chars().filter(|c| *c != '$').collect();
    let split = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (letters, digits) = text.split_at(split);
    let mut column = 0_u32;
    for letter in letters.bytes() {
        column = column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        if column > MAX_COLUMNS {
            return None;
        }
    }
    let column = column.checked_sub(1).and_then(|c| u16::try_from(c).ok());
    let row = match digits {
        "" => None,
        _ => Some(digits.parse::<u32>().ok().filter(|row| (1..=MAX_ROWS).contains(row))?),
    };
    Some((column, row))
}

/// A rectangle of cells; ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) first_column: u16,
    pub(crate) last_column: u16,
    pub(crate) first_row: u32,
    pub(crate) last_row: u32,
}

impl Area {
    /// The whole sheet.
    pub(crate) const ALL: Self =
        Self { first_column: 0, last_column: 16_383, first_row: 1, last_row: MAX_ROWS };

    /// `B3:F20`, `B:F`, `3:20`, `B3:` or `B3` alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.rsplit('!').next().unwrap_or(text).trim();
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        let (from, to) = (reference(from)?, reference(to)?);
        let area = Self {
            first_column: from.0.unwrap_or(0),
            last_column: to.0.unwrap_or(16_383),
            first_row: from.1.unwrap_or(1),
            last_row: to.1.unwrap_or(MAX_ROWS),
        };
        let right = area.first_column <= area.last_column && area.first_row <= area.last_row;
        (right && !text.is_empty()).then_some(area)
    }

    pub(crate) fn has_column(&self, column: u16) -> bool {
        (self.first_column..=self.last_column).contains(&column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_of_the_grid() {
        assert_eq!(reference("$B$3"), Some((Some(1), Some(3))));
        assert_eq!(reference("XFD1048576"), Some((Some(16_383), Some(1_048_576))));
        assert_eq!(reference("XFE1"), None);
        assert_eq!(reference("A1048577"), None);
        for (column, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (16_383, "XFD")] {
            assert_eq!(letters(column), name);
        }
        assert_eq!(Area::parse("C5:B3"), None);
        assert_eq!(Area::parse("B:F").map(|a| (a.first_row, a.last_column)), Some((1, 5)));
    }
}
