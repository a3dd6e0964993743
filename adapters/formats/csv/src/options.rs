//! What a person can say about a delimited file.

use fenhe_core::{Attachment, Error, Kind, Options, Result};
use fenhe_text::Invalid;
use serde::{Deserialize, Serialize};

/// Options of the format, by the names used on the command line. Whatever is not set is settled by looking at the
/// first bytes of the stream, and said in the [`Evidence`](fenhe_core::Evidence).
///
/// ```
/// use fenhe_core::Options;
/// use fenhe_csv::CsvOptions;
/// let options = Options::from_pairs(["delimiter=|!", "encoding=gb18030", "header=false"])?;
/// let csv = CsvOptions::from_options(&options)?;
/// assert_eq!(csv.delimiter.as_deref(), Some("|!"));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// Label of the encoding (`gbk`, `utf-8`, `cp932`); not set: detected.
    pub encoding: Option<String>,
    /// Bytes that are no character: reject the record, write U+FFFD, or make the field null.
    pub invalid: Invalid,
    /// Whether the first record holds the names; not set: detected.
    pub header: Option<bool>,
    /// Types by looking at the values, or every column as text.
    pub types: Types,
    /// A schema file (TOML): columns, types and spellings.
    pub schema: Option<Attachment>,
    /// Spellings of null in fields without quotes. Default: the empty field.
    pub nulls: Option<Vec<String>>,
    /// Blanks around texts: `none`, `left`, `right` or `both`. Default: none.
    pub trim: Option<String>,
    /// Physical lines to pass over before the header.
    pub skip_lines: u32,
    /// Physical lines at the end of the stream that are no records.
    pub skip_tail: u32,
    /// Lines that start with this text are no records.
    pub comment: Option<String>,
    /// Records with another number of fields: reject them, or fill short ones up with nulls.
    pub ragged: Ragged,
    /// One or more characters, or `tab`, `none`, `\t`, `\x1f`; not set: detected.
    pub delimiter: Option<String>,
    /// One character, or `none`; not set: detected.
    pub quote: Option<String>,
    /// `doubled`, `none`, `c` (backslash with `\n`, `\t`, `\r`, `\0`), or the character that makes the next one a
    /// plain one; not set: detected.
    pub escape: Option<String>,
    /// Text behind a closing quote: reject the record, or keep it as part of the value.
    pub stray_quotes: Stray,
    /// A quote that is never closed: end with an error, or reject its line and go on with the next one.
    pub unterminated: Unterminated,
    /// Whether blank lines are records. Default: only in files of one column.
    pub blank_lines: Option<BlankLines>,
    /// What ends a record. Reading: any of CR LF, LF and CR unless set. Writing: as read, else LF.
    pub line_end: Option<LineEnd>,
    /// The decimal mark, `.` or `,`. Not set: detected for each column when types are inferred.
    pub decimal: Option<char>,
    /// The mark between groups of three digits.
    pub thousands: Option<char>,
    /// Date and time patterns (`YYYYMMDD`, `YYYY年MM月DD日`), tried in order, for columns typed by inference.
    pub dates: Option<Vec<String>>,
    /// Writing: fields that a spreadsheet would take for a formula.
    pub formula_guard: FormulaGuard,
    /// Writing: byte order mark. Default: as read, else none.
    pub bom: Option<bool>,
    /// Writing: quotes around every field.
    pub always_quote: Option<bool>,
    /// Writing: whether the last record has a line end. Default: as read, else yes.
    pub final_newline: Option<bool>,
}

/// Where types come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// By looking at the first values of each column.
    #[default]
    Infer,
    /// Every column is text.
    Text,
}

/// What becomes of a record with the wrong number of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ragged {
    /// It is a reject.
    #[default]
    Reject,
    /// Fields that are missing at the end are null. Too many fields are a reject all the same, unless the surplus is empty.
    Pad,
}

/// What becomes of text behind a closing quote (`"abc"def`). Blanks there are always kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stray {
    /// The record is a reject.
    #[default]
    Reject,
    /// It belongs to the value, without the quotes around the first part.
    Keep,
}

/// What becomes of a quote that is not closed before the end of the stream or the record limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unterminated {
    /// A fatal error at the opening quote: nobody knows where the next record starts.
    #[default]
    Stop,
    /// The physical line of the opening quote is a reject, and the next line starts a record.
    Resync,
}

/// What a blank line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankLines {
    /// Nothing.
    Skip,
    /// A record of one empty field.
    Record,
}

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// LF, with or without CR before it.
    Lf,
    /// CR LF; reading takes LF alone too.
    Crlf,
    /// CR alone.
    Cr,
    /// CR LF, LF or CR, each time anew (reading only).
    Any,
}

/// What becomes of a field that starts like a formula (`=`, `+`, `-`, `@`, tab, CR and their full-width forms) when written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormulaGuard {
    /// It is written as it is: right for programs.
    #[default]
    Off,
    /// An apostrophe is put before it: for people with spreadsheets. It changes the data.
    Escape,
    /// The record is a reject.
    Reject,
}

impl CsvOptions {
    /// Reads them from named values.
    ///
    /// # Errors
    /// [`Kind::Config`] for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        options.parse("csv")
    }

    /// Whether nothing about the dialect is left to find out.
    pub(crate) fn are_settled(&self) -> bool {
        let words = [&self.encoding, &self.delimiter, &self.quote, &self.escape];
        words.iter().all(|word| word.is_some())
            && self.header.is_some()
            && self.blank_lines.is_some()
    }
}

/// The text of an option that may hold escapes and names: `tab`, `\t`, `\x1f`, `\\`, `none`. `None`: `none`.
pub(crate) fn literal(option: &'static str, text: &str) -> Result<Option<String>> {
    match text {
        "none" => return Ok(None),
        "" => return Err(config(option, "it is empty; for none at all write none")),
        "tab" => return Ok(Some("\t".into())),
        "comma" => return Ok(Some(",".into())),
        "semicolon" => return Ok(Some(";".into())),
        "pipe" => return Ok(Some("|".into())),
        "space" => return Ok(Some(" ".into())),
        "\\" => return Ok(Some("\\".into())),
        _ => {}
    }
    let bad = || config(option, "a backslash starts \\t, \\\\, or \\x with two hexadecimal digits");
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().ok_or_else(bad)? {
            't' => out.push('\t'),
            '\\' => out.push('\\'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                let code = u8::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|code| digits.len() == 2 && *code < 0x80);
                out.push(char::from(code.ok_or_else(bad)?));
            }
            _ => return Err(bad()),
        }
    }
    Ok(Some(out))
}

/// An option that says something impossible.
pub(crate) fn config(option: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Config, "csv.option", format!("option {option}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_names_can_be_written_on_a_command_line() {
        for (text, wanted) in [
            ("\\x1f", Some("\x1f")),
            ("tab", Some("\t")),
            ("\\t", Some("\t")),
            ("|!", Some("|!")),
            ("none", None),
            ("\\", Some("\\")),
        ] {
            assert_eq!(literal("delimiter", text).unwrap().as_deref(), wanted, "{text}");
        }
        let empty = literal("delimiter", "").unwrap_err();
        assert!(empty.to_string().contains("write none"), "{empty}");
        assert!(literal("delimiter", "\\q").is_err());
        assert!(literal("delimiter", "\\xff").is_err());
    }

    #[test]
    fn an_unknown_option_names_the_nearest_one() {
        let options = Options::from_pairs(["skip_line=2"]).unwrap();
        let error = CsvOptions::from_options(&options).unwrap_err();
        assert!(error.message().contains("did you mean skip_lines?"), "{error}");
    }
}
