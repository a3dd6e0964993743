//! The fatal errors of this room, with their stable codes.

use fenhe_core::{Error, Kind};

pub(crate) fn not_a_table(version: u8) -> Error {
    if version == 0xE5 {
        return Error::new(
            Kind::Unsupported,
            "dbf.version",
            "HiPer-Six tables (version E5, memo file .smt) are not supported",
        )
        .at_offset(0)
        .hint("export the table as FoxPro 2 or dBASE III");
    }
    Error::new(
        Kind::Invalid,
        "dbf.version",
        format!("version byte {version:02X} is that of no known DBF table"),
    )
    .at_offset(0)
    .hint("check that the file is a table and was copied in binary mode")
}

pub(crate) fn header(message: impl Into<String>, offset: u64) -> Error {
    Error::new(Kind::Invalid, "dbf.header", message).at_offset(offset)
}

pub(crate) fn header_cut(wanted: u64, found: u64) -> Error {
    Error::new(
        Kind::Truncated,
        "dbf.header",
        format!("the header takes {wanted} bytes, the file ends after {found}"),
    )
    .at_offset(found)
    .hint("copy the file again in binary mode")
}

pub(crate) fn descriptor(message: impl Into<String>, offset: u64, number: usize) -> Error {
    Error::new(Kind::Invalid, "dbf.field", format!("field {number}: {}", message.into()))
        .at_offset(offset)
}

pub(crate) fn record_length(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "dbf.record_length", message).at_offset(10)
}

/// The file holds fewer records than the header counts.
pub(crate) fn fewer(counted: u64, held: u64, offset: u64) -> Error {
    Error::new(
        Kind::Truncated,
        "dbf.count",
        format!("the header counts {counted} records, the file holds {held}"),
    )
    .at_record(held.saturating_add(1))
    .at_offset(offset)
    .hint("get the whole file, or set trust=file_size to take what is there")
}

/// The file holds more records than the header counts.
pub(crate) fn more(counted: u64, held: Option<u64>, offset: u64) -> Error {
    let held = held.map_or_else(|| "more".to_owned(), |n| n.to_string());
    Error::new(
        Kind::Invalid,
        "dbf.count",
        format!("the header counts {counted} records, the file holds {held}"),
    )
    .at_record(counted.saturating_add(1))
    .at_offset(offset)
    .hint("set trust=file_size to take all of them, or trust=header to leave the rest")
}

pub(crate) fn memo_missing(field: &str, extension: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "dbf.memo_missing",
        format!("the table has memo fields, but there is no memo file .{extension}"),
    )
    .at_field(field)
    .at_offset(0)
    .hint(format!(
        "put the .{extension} file beside the table, or set missing_memo=null to read the rest"
    ))
}

pub(crate) fn memo_header(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "dbf.memo_header", message)
        .at_offset(0)
        .hint("check the memo file, or set missing_memo=null and give none to read the rest")
}

pub(crate) fn unknown_encoding(what: &str) -> Error {
    Error::new(Kind::Invalid, "dbf.encoding", what.to_owned())
        .at_offset(29)
        .hint("say which code page it is, for example encoding=gbk")
}

pub(crate) fn config(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(Kind::Config, code, message)
}

pub(crate) fn full() -> Error {
    Error::new(Kind::Limit, "core.limit", "a text column of one batch would exceed 2 GiB")
        .hint("use smaller batches")
}
