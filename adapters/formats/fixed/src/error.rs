//! Errors of the room, and the codes of its rejects.

use fenhe_core::{Error, Kind, Result};
use fenhe_text::Encoding;

/// A record is shorter than its layout.
pub(crate) const SHORT: &str = "fixed.short";
/// A record is longer than its layout.
pub(crate) const LONG: &str = "fixed.long";
/// The stream ends inside a record.
pub(crate) const TRUNCATED_TAIL: &str = "fixed.truncated_tail";
/// No record type of the layout matches.
pub(crate) const RECORD_TYPE: &str = "fixed.record_type";
/// A field ends inside a character.
pub(crate) const CUT_CHARACTER: &str = "fixed.cut_character";
/// A record does not end where its length says.
pub(crate) const LINE_END: &str = "fixed.line_end";
/// A line is longer than the limit of a record.
pub(crate) const RECORD_LIMIT: &str = "core.limit";
/// A value does not fit its field (writing).
pub(crate) const TOO_LONG: &str = "fixed.too_long";

/// The encoding of that label, if fixed-width files in it can be read.
pub(crate) fn encoding(label: &str) -> Result<Encoding> {
    let encoding: Encoding = label.parse().map_err(|e: fenhe_text::UnknownEncoding| {
        Error::new(Kind::Config, "core.option", e.to_string())
    })?;
    if encoding.blank().len() > 1 {
        let message = format!("fixed-width files in {encoding} are not supported");
        return Err(Error::new(Kind::Config, "core.option", message)
            .hint("convert the file to utf-8 first"));
    }
    Ok(encoding)
}

/// An error in how options and layout fit each other.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, "fixed.options", message)
}
