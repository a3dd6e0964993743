//! What a person can say about a workbook.

use std::collections::BTreeMap;

use fenhe_core::{Attachment, Options, Result};
use serde::{Deserialize, Serialize};

/// Options of the format, by the names used on the command line. Whatever is not set is settled by looking at the sheet.
///
/// ```
/// use fenhe_core::Options;
/// use fenhe_excel::ExcelOptions;
/// let options = Options::from_pairs(["sheet=人员", "header=2", "merged=fill"])?;
/// assert_eq!(ExcelOptions::from_options(&options)?.sheet.as_deref(), Some("人员"));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExcelOptions {
    /// Name of the sheet, or its number from 1. Not set: the first visible one. Writing: its name.
    pub sheet: Option<String>,
    /// Only these cells (`B3:F200`, `B:F`, `B3:`).
    pub range: Option<String>,
    /// Only the cells of this table (a list object), found on whichever sheet it lies. xlsx only.
    pub table: Option<String>,
    /// `true`, `false` or the number of header rows, whose names are joined with a dot. Not set: found.
    pub header: Option<String>,
    /// Rows of the sheet (or range) to pass over before the header.
    pub skip_lines: u32,
    /// Hidden rows and columns: kept or left out.
    pub hidden: Hidden,
    /// Merged cells: the value stands in the first cell, or in all of them.
    pub merged: Merged,
    /// Types by looking at the cells, or every column as text.
    pub types: Types,
    /// A schema file (TOML): columns, types and spellings of values stored as text.
    pub schema: Option<Attachment>,
    /// Texts that mean null. Default: the empty cell and the empty text.
    pub nulls: Option<Vec<String>>,
    /// Blanks around texts: `none`, `left`, `right` or `both`. Default: none.
    pub trim: Option<String>,
    /// Patterns of dates stored as text, tried in order, for columns whose type is given.
    pub dates: Option<Vec<String>>,
    /// Error values and texts of the wrong type: reject the row, or make the cell null.
    pub invalid: Invalid,
    /// Writing: texts that a spreadsheet would take for a formula once the sheet is saved as text.
    pub formula_guard: FormulaGuard,
    /// Writing: values a column may have, by column name or by the name of its code table; they become lists to choose from.
    pub codes: BTreeMap<String, Vec<String>>,
}

/// What becomes of hidden rows and columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// They are data like all others.
    #[default]
    Keep,
    /// Rows are counted as skipped, columns left out.
    Skip,
}

/// Where the value of merged cells stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// In the first cell, as in the file; the others are null.
    #[default]
    First,
    /// In every cell.
    Fill,
}

/// Where types come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// The cells and their number formats.
    #[default]
    Infer,
    /// Every column is text.
    Text,
}

/// What becomes of a cell that is no value of its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// The row is a reject.
    #[default]
    Reject,
    /// The cell is null.
    Null,
}

/// What becomes of a text that starts like a formula when written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormulaGuard {
    /// An apostrophe is put before it. It changes the text.
    #[default]
    Escape,
    /// The row is a reject.
    Reject,
    /// It is written as it is. In the workbook it is a text, never a formula.
    Off,
}

impl ExcelOptions {
    /// Reads them from named values.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        options.parse(crate::error::NAME)
    }
}
