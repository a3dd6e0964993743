//! Errors of the room, and the codes of its rejects.

use fenhe_core::{Error, Kind};

/// Bytes of a packed-decimal field that are no digits or no sign.
pub(crate) const PACKED: &str = "copybook.packed";
/// Bytes of a zoned field that are no digits.
pub(crate) const ZONED: &str = "copybook.zoned";
/// An edited field that does not read as a number.
pub(crate) const EDITED: &str = "copybook.edited";
/// Bytes that are no text in the code page.
pub(crate) const TEXT: &str = "copybook.text";
/// A binary value beyond what its column holds.
pub(crate) const BINARY: &str = "copybook.binary";
/// A counter outside of its OCCURS range.
pub(crate) const OCCURS: &str = "copybook.occurs_count";
/// No alternative of a REDEFINES can be read, or none is selected.
pub(crate) const REDEFINES: &str = "copybook.redefines";
/// No record type applies.
pub(crate) const RECORD_TYPE: &str = "copybook.record_type";
/// A record is shorter than its layout.
pub(crate) const SHORT: &str = "copybook.short";
/// A record is longer than its layout.
pub(crate) const LONG: &str = "copybook.long";
/// The stream ends inside a record.
pub(crate) const TRUNCATED_TAIL: &str = "copybook.truncated_tail";
/// Record boundaries are lost.
pub(crate) const FRAMING: &str = "copybook.framing";
/// A value does not fit its field (writing).
pub(crate) const TOO_LARGE: &str = "copybook.too_large";
/// A value that must be there is absent (writing).
pub(crate) const MISSING: &str = "copybook.missing";

/// A mistake in the text of a copybook, at a line and column from 1.
pub(crate) fn syntax(message: impl Into<String>, line: u32, column: u32) -> Error {
    Error::new(Kind::Config, "copybook.syntax", message).at_line(u64::from(line), u64::from(column))
}

/// An error in how options and copybook fit each other.
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, "copybook.options", message)
}
