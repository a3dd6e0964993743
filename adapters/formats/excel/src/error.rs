//! What can be wrong with a workbook as a whole.

use std::fmt::Display;

use fenhe_core::{Error, Kind};

/// Name of the format on the command line.
pub(crate) const NAME: &str = "excel";

/// A part that breaks the rules of its format at this byte of the part (of the file for the container).
pub(crate) fn damaged(part: &str, why: impl Display, offset: u64) -> Error {
    Error::new(Kind::Invalid, "excel.damaged", format!("the workbook is damaged: {part}: {why}"))
        .at_offset(offset)
        .hint("fetch the file again, or open and save it with a spreadsheet program")
}

/// A file that ends too early.
pub(crate) fn truncated(part: &str, offset: u64) -> Error {
    Error::new(Kind::Truncated, "excel.truncated", format!("the workbook is cut off in {part}"))
        .at_offset(offset)
        .hint("fetch the file again in binary mode")
}

/// A limit that the data exceed in this part.
pub(crate) fn limit(name: &'static str, limit: u64, wanted: u64, part: &str) -> Error {
    Error::limit(name, limit, wanted).at_offset(0).at_field(part)
}

/// A workbook with a password.
pub(crate) fn encrypted() -> Error {
    Error::new(Kind::Unsupported, "excel.encrypted", "the workbook is encrypted")
        .at_offset(0)
        .hint("remove the password with a spreadsheet program and save the workbook again")
}

/// A file that is no workbook.
pub(crate) fn not_a_workbook() -> Error {
    Error::new(
        Kind::Invalid,
        "excel.not_a_workbook",
        "the file is neither a zip container nor an OLE2 compound file",
    )
    .at_offset(0)
    .hint("a text table that was named .xls is read by the csv or html reader")
}

/// An option that says something impossible.
pub(crate) fn config(option: &str, what: impl Display) -> Error {
    Error::new(Kind::Config, "excel.option", format!("option {option}: {what}"))
}
