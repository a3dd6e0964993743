//! Header to Arrow schema, with what is needed to write the same header again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::schema::{CHARSET, FORMAT, LENGTH, NATIVE_TYPE, with};
use fenhe_text::Encoding;

use crate::header::{Descriptor, Header};
use crate::memo::MemoFile;
use crate::options::DbfOptions;
use crate::types::{Shape, native};

/// On the schema: all bytes of the header, hexadecimal.
pub(crate) const HEADER: &str = "fenhe.dbf.header";
/// On the schema: `1a` when the end mark follows the last record, empty when nothing does.
pub(crate) const END: &str = "fenhe.dbf.end";
/// On the schema: extension of the memo file.
pub(crate) const MEMO: &str = "fenhe.dbf.memo";
/// On the schema: the header of the memo file, hexadecimal, without zeros at its end.
pub(crate) const MEMO_HEADER: &str = "fenhe.dbf.memo_header";
/// On the schema: whether the last block of the memo file is filled up.
pub(crate) const MEMO_FILLED: &str = "fenhe.dbf.memo_filled";
/// On a column: number of its field in the header, from 0.
pub(crate) const FIELD: &str = "fenhe.dbf.field";
/// The column of deletion marks.
pub(crate) const DELETED: &str = "_deleted";
/// The column of record bytes.
pub(crate) const RAW: &str = "_raw";

/// What a column of the schema is.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A field of the header, by number.
    Field(usize, Shape),
    /// The deletion mark.
    Deleted,
    /// The whole record.
    Raw,
}

/// Columns and schema of a table.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) schema: SchemaRef,
    pub(crate) sources: Vec<Source>,
    pub(crate) notes: Vec<String>,
}

impl Layout {
    /// All columns of a table whose size is `size`, if known.
    pub(crate) fn of(
        header: &Header,
        encoding: Encoding,
        options: &DbfOptions,
        size: Option<u64>,
        memo: Option<&MemoFile>,
    ) -> Self {
        let mut notes = Vec::new();
        let names = names(header, encoding, &mut notes);
        let (mut fields, mut sources) = (Vec::new(), Vec::new());
        for (number, (field, name)) in header.fields.iter().zip(names).enumerate() {
            let Some(shape) = Shape::of(field, header.dialect) else { continue };
            if shape == Shape::Bytes && !matches!(field.kind, b'C' | b'V') {
                notes.push(format!(
                    "column {name} has a type that is not known: its bytes are delivered"
                ));
            }
            fields.push(column(field, &name, number, shape, encoding));
            sources.push(Source::Field(number, shape));
        }
        if options.deleted {
            fields.push(Field::new(DELETED, DataType::Boolean, false));
            sources.push(Source::Deleted);
        }
        if options.raw {
            fields.push(Field::new(RAW, DataType::Binary, false));
            sources.push(Source::Raw);
        }
        let schema = Schema::new_with_metadata(fields, metadata(header, size, memo));
        Self { schema: Arc::new(schema), sources, notes }
    }
}

fn column(
    field: &Descriptor,
    name: &str,
    number: usize,
    shape: Shape,
    encoding: Encoding,
) -> Field {
    let arrow = Field::new(name, shape.data_type(), true);
    let arrow = with(arrow, NATIVE_TYPE, native(field));
    let arrow = with(arrow, LENGTH, field.length.to_string());
    let arrow = with(arrow, FIELD, number.to_string());
    match shape.data_type() {
        DataType::Utf8 => with(arrow, CHARSET, encoding.to_string()),
        _ => arrow,
    }
}

fn metadata(
    header: &Header,
    size: Option<u64>,
    memo: Option<&MemoFile>,
) -> HashMap<String, String> {
    let mut all = HashMap::from([
        (FORMAT.to_owned(), "dbf".to_owned()),
        (HEADER.to_owned(), hex(&header.raw)),
    ]);
    if let Some(size) = size {
        let records = u64::from(header.records) * header.record_length as u64;
        let behind = size.saturating_sub(header.length as u64 + records);
        all.insert(END.to_owned(), if behind == 0 { "" } else { "1a" }.to_owned());
    }
    if let Some(memo) = memo {
        let header = memo.header();
        let used = header.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
        all.insert(MEMO.to_owned(), memo.kind().extension().to_owned());
        all.insert(MEMO_HEADER.to_owned(), hex(header.get(..used).unwrap_or_default()));
        let filled = memo.size().is_multiple_of(memo.block_size());
        all.insert(MEMO_FILLED.to_owned(), filled.to_string());
    }
    all
}

/// Decoded names, each once: a repeated one gets a number (`Point_ID_2`), an unreadable one its place (`field_3`).
fn names(header: &Header, encoding: Encoding, notes: &mut Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = [DELETED, RAW].map(str::to_owned).into();
    let mut names = Vec::with_capacity(header.fields.len());
    for (at, field) in header.fields.iter().enumerate() {
        let decoded = decode_name(&field.name, encoding);
        let plain = decoded.filter(|n| !n.is_empty()).unwrap_or_else(|| {
            notes.push(format!("the name of field {} cannot be read in {encoding}", at + 1));
            format!("field_{}", at + 1)
        });
        let mut name = plain.clone();
        let mut copy = 1;
        while !taken.insert(name.clone()) {
            copy += 1;
            name = format!("{plain}_{copy}");
        }
        if copy > 1 {
            notes.push(format!("field {} repeats a name and is called {name}", at + 1));
        }
        names.push(name);
    }
    names
}

/// In the table's code page, else UTF-8; a character cut by the end of the name's ten bytes is left out.
fn decode_name(name: &[u8], encoding: Encoding) -> Option<String> {
    let decode = |bytes: &[u8]| encoding.decode(bytes).ok().map(|c| c.into_owned());
    decode(name)
        .or_else(|| std::str::from_utf8(name).ok().map(str::to_owned))
        .or_else(|| decode(name.get(..name.len().checked_sub(1)?)?).filter(|_| name.len() >= 10))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n & 15)).map_or('0', |d| char::from(*d));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}
