//! What the first bytes of a stream settle: its encoding and its shape.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::schema::{NATIVE_TYPE, with};
use fenhe_core::{Attachment, Result};
use fenhe_text::Encoding;
use fenhe_values::SchemaFile;

use crate::array::can_cut;
use crate::lines::{blank, line_end, unit};
use crate::node::RAW;
use crate::options::{JsonOptions, Shape, Unknown};

/// The column that keeps what no other column took.
pub(crate) const REST: &str = "_extra";

/// The encoding and the length of the byte order mark. A mark is stronger than what was asked for (RFC 8259 section
/// 8.1 lets readers pass over it).
pub(crate) fn encoding(json: &JsonOptions, start: &[u8]) -> Result<(Encoding, usize)> {
    for encoding in [Encoding::UTF_8, Encoding::UTF_16LE, Encoding::UTF_16BE] {
        if start.starts_with(encoding.bom()) {
            return Ok((encoding, encoding.bom().len()));
        }
    }
    let asked = json.encoding()?;
    let found = match (asked, start) {
        (Some(encoding), _) => encoding,
        // RFC 4627 section 3: JSON starts with two characters of ASCII, so the NUL bytes tell.
        (None, [first, 0, _, 0, ..]) if *first != 0 => Encoding::UTF_16LE,
        (None, [0, first, 0, _, ..]) if *first != 0 => Encoding::UTF_16BE,
        (None, _) => Encoding::UTF_8,
    };
    Ok((found, 0))
}

/// Lines or one document.
///
/// A document starts with `[`, or its first line ends inside of an object. A line that is broken off looks the same,
/// unless the next one starts with `{` where no value can.
pub(crate) fn shape(json: &JsonOptions, start: &[u8], encoding: Encoding, whole: bool) -> Shape {
    if json.record.is_some() && json.path().is_ok_and(|p| !p.is_empty()) {
        return Shape::Array;
    }
    if !can_cut(encoding) {
        return Shape::Lines;
    }
    let mut rest = start;
    let line = loop {
        match line_end(rest, encoding) {
            Some(end) if blank(rest.get(..end).unwrap_or_default(), encoding) => {
                rest = rest.get(end..).unwrap_or_default();
            }
            Some(end) => break rest.get(..end).unwrap_or(rest),
            None => break rest,
        }
    };
    let text: Vec<u8> = line.iter().copied().filter(|b| unit(encoding) == 1 || *b != 0).collect();
    let text = text.trim_ascii();
    if text.first() != Some(&b'{') {
        return if text.first() == Some(&b'[') { Shape::Array } else { Shape::Lines };
    }
    let ends = line.len() < rest.len() || whole;
    if balanced(text) || (ends && broken_off(text, rest.get(line.len()..).unwrap_or_default())) {
        Shape::Lines
    } else {
        Shape::Array
    }
}

/// The columns of a schema file.
pub(crate) fn schema_file(file: &Attachment) -> Result<SchemaRef> {
    let parsed = SchemaFile::parse(&file.text).map_err(|e| e.source_name(&file.name))?;
    Ok(Arc::new(parsed.schema()))
}

/// The schema with a column for what no other column takes, when that is to be kept.
pub(crate) fn with_rest(schema: &SchemaRef, unknown: Unknown) -> Result<SchemaRef> {
    if unknown != Unknown::Keep || schema.index_of(REST).is_ok() {
        return Ok(Arc::clone(schema));
    }
    let rest = with(Field::new(REST, DataType::Utf8, true), NATIVE_TYPE, RAW);
    let fields: Vec<_> = schema.fields().iter().cloned().chain([Arc::new(rest)]).collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// Whether every bracket outside of strings that a line opens is closed in it.
fn balanced(line: &[u8]) -> bool {
    let (mut depth, mut string, mut escape) = (0i64, false, false);
    for byte in line {
        match byte {
            _ if escape => escape = false,
            b'\\' if string => escape = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => depth += 1,
            b'}' | b']' if !string => depth -= 1,
            _ => {}
        }
    }
    depth <= 0 && !string
}

/// Whether the line behind this one starts an object where the grammar has no place for one.
fn broken_off(line: &[u8], behind: &[u8]) -> bool {
    let next = behind.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0));
    next == Some(&b'{') && !matches!(line.last(), Some(b'{' | b'[' | b',' | b':'))
}
