//! What is wrong with a record: the cold path.

use super::Context;
use crate::error::{Flaw, Found};
use crate::node::Accept;
use crate::token::Cursor;

#[cold]
pub(super) fn too_long(at: usize, length: usize, most: usize, name: &str) -> Flaw {
    limit(at, name, most as u64, length as u64)
}

#[cold]
pub(super) fn limit(at: usize, name: &str, most: u64, found: u64) -> Flaw {
    Flaw::new(at, "core.limit", format!("at most {most} (limit {name})"), Found::Size(found))
}

#[cold]
pub(super) fn again(at: usize) -> Flaw {
    Flaw::new(at, "json.duplicate_key", "each key once", Found::Again)
}

/// A value of another type, unless its grammar is broken as well.
#[cold]
pub(super) fn wrong_type(
    cursor: &mut Cursor<'_>,
    context: &Context,
    byte: u8,
    expected: &str,
) -> Flaw {
    let at = cursor.at();
    match cursor.skip_value(context.depth) {
        Ok(()) => Flaw::new(at, "json.type", expected, Found::Type(type_of(byte))),
        Err(flaw) => flaw,
    }
}

pub(super) fn wanted(accept: Accept) -> &'static str {
    match accept {
        Accept::Text => "a string",
        Accept::Boolean => "true or false",
        Accept::Exact | Accept::Float => "a number",
        Accept::Raw | Accept::Any => "a JSON value",
    }
}

pub(super) fn type_of(byte: u8) -> &'static str {
    match byte {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "true or false",
        b'n' => "null",
        _ => "a number",
    }
}

pub(super) fn name_of(names: &[String], number: usize) -> &str {
    names.get(number).map_or("", String::as_str)
}
