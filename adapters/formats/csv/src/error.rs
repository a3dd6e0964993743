//! What can be wrong with a delimited stream, in the words of the one error and the one reject.

use fenhe_core::{Error, Fault, Kind, Limits};

use crate::table::Flaw;

/// A quote that is not closed: nobody knows where the next record starts.
pub(crate) fn unterminated(offset: u64, record: u64, limits: &Limits, at_end: bool) -> Error {
    let message = if at_end {
        "a quote is opened here and not closed before the end of the stream".to_owned()
    } else {
        format!(
            "a quote is opened here and not closed within {} bytes (limit record)",
            limits.record
        )
    };
    Error::new(Kind::Invalid, "csv.unterminated_quote", message)
        .at_offset(offset)
        .at_record(record)
        .hint("close it, read with quote=none, or go on with the next line by unterminated=resync")
}

/// A header with no names.
pub(crate) fn no_header(offset: u64) -> Error {
    Error::new(Kind::Truncated, "csv.header", "the stream ends before a header")
        .at_offset(offset)
        .hint("an empty file has no columns; give a schema, or header=false")
}

/// A stream that is decoded as a whole only.
pub(crate) fn whole() -> Error {
    Error::new(Kind::Unsupported, "csv.parts", "UTF-16 is not cut into parts")
}

/// The fault of a record that is no row.
pub(crate) fn fault(
    flaw: Flaw,
    length: u64,
    fields: usize,
    names: &[String],
    limits: &Limits,
) -> Fault {
    match flaw {
        Flaw::Fields(found) => Fault::new("csv.fields", "", count(fields), count(found)),
        Flaw::Stray(_) => Fault::new(
            "csv.stray_quote",
            "",
            "a delimiter or line end behind the closing quote",
            "text behind it",
        ),
        Flaw::Open(_) => Fault::new("csv.unterminated_quote", "", "a closing quote", "none"),
        Flaw::TooLong => {
            let most = format!("at most {} bytes (limit record)", limits.record);
            Fault::new("core.limit", "", most, format!("{length} bytes"))
        }
        Flaw::Field(number, length) => {
            let name = names.get(number).cloned().unwrap_or_default();
            let most = format!("at most {} bytes (limit field)", limits.field);
            Fault::new("core.limit", name, most, format!("{length} bytes"))
        }
    }
}

fn count(fields: usize) -> String {
    if fields == 1 { "1 field".into() } else { format!("{fields} fields") }
}
