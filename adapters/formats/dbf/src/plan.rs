//! Arrow schema to header: the old one when the columns are those of the table it came from, else a fresh one.

use std::collections::HashSet;

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use fenhe_core::schema::{CHARSET, LENGTH};
use fenhe_core::{Limits, Result};
use fenhe_text::Encoding;

use crate::codepage;
use crate::error;
use crate::header::{Descriptor, Header, descriptor_length, first_descriptor, trailer_length};
use crate::nullflags;
use crate::options::{DbfOptions, UpdateDate};
use crate::schema::{DELETED, FIELD, HEADER, Layout, RAW, Source, unhex};
use crate::types::Shape;
use crate::version::Dialect;

/// The date of a header when nobody gives one: 1980-01-01. A format has no clock.
const NO_DATE: UpdateDate = UpdateDate { year: 1980, month: 1, day: 1 };

/// Where the columns of a batch go.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) header: Header,
    pub(crate) encoding: Encoding,
    pub(crate) slots: Vec<Slot>,
    /// Column of deletion marks.
    pub(crate) deleted: Option<usize>,
    /// Column of record bytes.
    pub(crate) raw: Option<usize>,
}

/// One column and its field.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) column: usize,
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) shape: Shape,
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) decimals: u8,
    pub(crate) bits: nullflags::Bits,
}

impl Plan {
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config): a type, name or width that the dialect cannot hold.
    pub(crate) fn new(schema: &Schema, options: &DbfOptions, limits: &Limits) -> Result<Self> {
        let old = schema.metadata().get(HEADER).and_then(|h| unhex(h));
        let old = old.map(|raw| Header::parse(raw.into(), limits)).transpose()?;
        let encoding = encoding(schema, options, old.as_ref());
        let place = |name: &str, kind: &DataType| {
            schema.fields().iter().position(|f| f.name() == name && f.data_type() == kind)
        };
        let (deleted, raw) = (place(DELETED, &DataType::Boolean), place(RAW, &DataType::Binary));
        let columns: Vec<(usize, &Field)> = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != deleted && Some(*at) != raw)
            .map(|(at, field)| (at, &**field))
            .collect();
        let same = old.filter(|_| options.version.is_none());
        let header = match same {
            Some(old) if unchanged(&old, &columns, encoding) => kept(old, schema, options)?,
            old => fresh(&columns, options, encoding, old.as_ref(), limits)?,
        };
        let slots = slots(&header, &columns);
        Ok(Self { header, encoding, slots, deleted, raw })
    }

    /// Whether a memo file belongs to the table.
    pub(crate) fn has_memo(&self) -> bool {
        self.slots.iter().any(|s| s.shape.is_memo())
    }
}

/// The caller's code page, else the one that the columns were read in, else GBK.
fn encoding(schema: &Schema, options: &DbfOptions, old: Option<&Header>) -> Encoding {
    let language = || old.and_then(|h| codepage::language(h.language));
    let read = || old.and_then(|_| charset(schema));
    options.encoding.or_else(read).or_else(language).unwrap_or(Encoding::GBK)
}

fn charset(schema: &Schema) -> Option<Encoding> {
    Encoding::for_label(schema.fields().iter().find_map(|f| f.metadata().get(CHARSET))?)
}

/// Whether these are all columns of the table, in order, with their names and types.
fn unchanged(old: &Header, columns: &[(usize, &Field)], encoding: Encoding) -> bool {
    let layout = Layout::of(old, encoding, &DbfOptions::default(), None, None);
    let same = |(own, (_, given)): (&std::sync::Arc<Field>, &(usize, &Field))| {
        own.name() == given.name() && own.data_type() == given.data_type()
    };
    layout.schema.fields().len() == columns.len()
        && layout.sources.iter().all(|s| matches!(s, Source::Field(..)))
        && layout.schema.fields().iter().zip(columns).all(same)
}

/// The old header, with what the caller sets.
fn kept(mut header: Header, schema: &Schema, options: &DbfOptions) -> Result<Header> {
    let mut raw = header.raw.to_vec();
    let two = header.dialect == Dialect::Dbase2;
    if let Some(date) = options.date {
        let [year, month, day] = date.bytes();
        // dBASE II has month, day and year.
        let (at, bytes) = if two { (3, [month, day, year]) } else { (1, [year, month, day]) };
        put(&mut raw, at, &bytes);
    }
    // A table read in the code page that is asked for keeps its byte, even one that says something else.
    if let Some(encoding) = options.encoding.filter(|e| !two && charset(schema) != Some(*e)) {
        put(&mut raw, 29, &[codepage::language_byte(encoding)]);
    }
    header.raw = raw.into();
    Ok(header)
}

fn put(raw: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(to) = raw.get_mut(at..at + bytes.len()) {
        to.copy_from_slice(bytes);
    }
}

/// A new header for these columns.
fn fresh(
    columns: &[(usize, &Field)],
    options: &DbfOptions,
    encoding: Encoding,
    old: Option<&Header>,
    limits: &Limits,
) -> Result<Header> {
    let dialect = options.version.or(old.map(|h| h.dialect)).unwrap_or(Dialect::FoxPro2);
    if columns.is_empty() || columns.len() > 255 {
        let message = format!("a table has 1 to 255 fields, not {}", columns.len());
        return Err(error::config("dbf.fields", message));
    }
    let mut fields = Vec::with_capacity(columns.len() + 1);
    for (_, column) in columns {
        let before = before(column, old, dialect);
        fields.push(match before {
            Some(field) => field,
            None => describe(column, dialect, options)?,
        });
    }
    name_fields(&mut fields, columns, dialect, encoding)?;
    let bits = nullflags::count(fields.iter().map(|f| (f.kind, f.flags)));
    if bits > 0 {
        let (kind, flags) = (b'0', 0x05);
        let name = b"_NullFlags".to_vec();
        fields.push(Descriptor {
            name,
            kind,
            offset: 0,
            length: bits.div_ceil(8),
            decimals: 0,
            flags,
            at: 0,
        });
    }
    let raw = build(&fields, dialect, options, encoding)?;
    Header::parse(raw.into(), limits)
}

/// The descriptor that a column had in the table it came from, if the dialect is the same.
fn before(column: &Field, old: Option<&Header>, dialect: Dialect) -> Option<Descriptor> {
    let old = old.filter(|h| h.dialect == dialect)?;
    let number: usize = column.metadata().get(FIELD)?.parse().ok()?;
    let field = old.fields.get(number)?;
    let shape = Shape::of(field, dialect)?;
    (shape.data_type() == *column.data_type()).then(|| field.clone())
}

/// Names in the table's code page, cut to what the dialect allows; two that become one are an error.
fn name_fields(
    fields: &mut [Descriptor],
    columns: &[(usize, &Field)],
    dialect: Dialect,
    encoding: Encoding,
) -> Result<()> {
    let most = if dialect == Dialect::Dbase7 { 31 } else { 10 };
    let mut taken = HashSet::new();
    for (field, (_, column)) in fields.iter_mut().zip(columns) {
        let wrong = |what: &str| {
            error::config("dbf.field_name", what.to_owned())
                .at_field(column.name())
                .hint("give the column another name")
        };
        let cut = encoding
            .truncate_bytes(column.name(), most)
            .map_err(|_| wrong("the code page of the table cannot spell the name of the column"))?;
        let name = encoding.encode(cut.text).map_err(|_| wrong("the name cannot be spelled"))?;
        if name.is_empty() || name.iter().any(|b| matches!(b, 0 | b'\r')) {
            return Err(wrong("the name of a column is empty or holds a control character"));
        }
        if !taken.insert(name.to_ascii_uppercase()) {
            return Err(wrong(
                "two columns have the same name within the ten bytes of a field name",
            ));
        }
        field.name = name;
    }
    Ok(())
}

/// A field for a column that does not come from such a table.
fn describe(column: &Field, dialect: Dialect, options: &DbfOptions) -> Result<Descriptor> {
    let visual = dialect.is_visual();
    let refuse = |what: String| {
        error::config("dbf.type", what)
            .at_field(column.name())
            .hint("map the column to another type, or leave it out")
    };
    let most = if dialect == Dialect::Dbase3 || dialect == Dialect::Dbase2 { 19 } else { 20 };
    let pointer = if visual { 4 } else { 10 };
    let number = |width: usize, decimals: u8| (b'N', width.min(most), decimals, 0);
    let (kind, length, decimals, mut flags) = match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            match text_width(column, options)? {
                width if width <= 254 => (b'C', width, 0, 0),
                _ if dialect == Dialect::Dbase2 => {
                    return Err(refuse("dBASE II has no memo fields".into()));
                }
                _ => (b'M', pointer, 0, 0),
            }
        }
        DataType::Boolean => (b'L', 1, 0, 0),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16
            if visual =>
        {
            (b'I', 4, 0, 0)
        }
        DataType::Int8 => number(4, 0),
        DataType::UInt8 => number(3, 0),
        DataType::Int16 => number(6, 0),
        DataType::UInt16 => number(5, 0),
        DataType::Int32 => number(11, 0),
        DataType::UInt32 => number(10, 0),
        DataType::Int64 | DataType::UInt64 => number(20, 0),
        DataType::Decimal128(19, 4) if visual => (b'Y', 8, 4, 0),
        DataType::Decimal128(precision, scale) => {
            let scale = u8::try_from(*scale)
                .map_err(|_| refuse("a negative scale has no spelling".into()))?;
            let point = usize::from(scale > 0);
            number(usize::from(*precision) + 1 + point, scale.min(15))
        }
        DataType::Float32 | DataType::Float64 if visual => (b'B', 8, 2, 0),
        DataType::Float32 | DataType::Float64 => number(20, 8),
        DataType::Date32 if dialect == Dialect::Dbase2 => (b'C', 8, 0, 0),
        DataType::Date32 => (b'D', 8, 0, 0),
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, None) if visual => {
            (b'T', 8, 0, 0)
        }
        DataType::Timestamp(TimeUnit::Second, None) => (b'C', 19, 0, 0),
        DataType::Timestamp(TimeUnit::Millisecond, None) => (b'C', 23, 0, 0),
        DataType::Binary if visual => (b'M', pointer, 0, 0x04),
        DataType::Binary if dialect == Dialect::FoxPro2 => (b'P', pointer, 0, 0),
        DataType::Binary
            if matches!(dialect, Dialect::Dbase4 | Dialect::Dbase5 | Dialect::Dbase7) =>
        {
            (b'B', pointer, 0, 0)
        }
        nested if nested.is_nested() => {
            let message = "a table has no nested columns";
            return Err(error::config("dbf.type", message)
                .at_field(column.name())
                .hint("choose other columns (--columns), or write json, xml or parquet"));
        }
        other => return Err(refuse(format!("{} tables have no type for {other}", dialect.name()))),
    };
    if visual && column.is_nullable() {
        flags |= 0x02;
    }
    Ok(Descriptor { name: Vec::new(), kind, offset: 0, length, decimals, flags, at: 0 })
}

fn text_width(column: &Field, options: &DbfOptions) -> Result<usize> {
    let known =
        column.metadata().get(LENGTH).and_then(|l| l.parse::<usize>().ok()).filter(|n| *n > 0);
    known.or(options.width.map(usize::from)).ok_or_else(|| {
        error::config("dbf.width", "a text column needs a width in bytes")
            .at_field(column.name())
            .hint("set width=N for all of them, or fenhe.length on the column; above 254 it becomes a memo")
    })
}

fn build(
    fields: &[Descriptor],
    dialect: Dialect,
    options: &DbfOptions,
    encoding: Encoding,
) -> Result<Vec<u8>> {
    let step = descriptor_length(dialect);
    let start = first_descriptor(dialect);
    let length = start + step * fields.len() + 1 + trailer_length(dialect);
    let record = 1 + fields.iter().map(|f| f.length).sum::<usize>();
    let (Ok(length), Ok(record)) = (u16::try_from(length), u16::try_from(record)) else {
        return Err(error::config(
            "dbf.record_length",
            "header or record would exceed 65,535 bytes",
        )
        .hint("write fewer columns, or long text as memos (width above 254)"));
    };
    let has = |kinds: &[u8]| fields.iter().any(|f| kinds.contains(&f.kind));
    let memo = fields.iter().any(|f| Shape::of(f, dialect).is_some_and(Shape::is_memo));
    let [year, month, day] = options.date.unwrap_or(NO_DATE).bytes();
    let version = dialect.byte(memo, false, has(b"VQW"));
    let mut raw = if dialect == Dialect::Dbase2 {
        let mut raw = vec![version, 0, 0, month, day, year];
        raw.extend(record.to_le_bytes());
        raw
    } else {
        let mut raw = vec![version, year, month, day, 0, 0, 0, 0];
        raw.extend(length.to_le_bytes());
        raw.extend(record.to_le_bytes());
        raw.resize(start, 0);
        put(
            &mut raw,
            28,
            &[
                if memo && dialect.is_visual() { 0x02 } else { 0 },
                codepage::language_byte(encoding),
            ],
        );
        raw
    };
    let mut offset = 1usize;
    for field in fields {
        raw.extend(spell(field, dialect, offset));
        offset += field.length;
    }
    raw.push(0x0D);
    raw.resize(
        if dialect == Dialect::Dbase2 { crate::header::DBASE2_HEADER } else { length.into() },
        0,
    );
    if dialect == Dialect::Dbase2 && fields.len() > 32 {
        return Err(error::config("dbf.fields", "a dBASE II table has at most 32 fields"));
    }
    Ok(raw)
}

/// The bytes of a descriptor.
fn spell(field: &Descriptor, dialect: Dialect, offset: usize) -> Vec<u8> {
    let [low, high] = u16::try_from(field.length).unwrap_or(u16::MAX).to_le_bytes();
    let mut bytes = field.name.clone();
    match dialect {
        Dialect::Dbase2 => {
            bytes.resize(11, 0);
            bytes.extend([field.kind, low, 0, 0, field.decimals]);
        }
        Dialect::Dbase7 => {
            bytes.resize(32, 0);
            bytes.extend([field.kind, low, field.decimals]);
        }
        _ => {
            bytes.resize(11, 0);
            bytes.push(field.kind);
            let fox = matches!(dialect, Dialect::FoxPro2 | Dialect::VisualFoxPro);
            let place = if fox { u32::try_from(offset).unwrap_or(0) } else { 0 };
            bytes.extend(place.to_le_bytes());
            bytes.extend([
                low,
                if field.kind == b'C' { high } else { field.decimals },
                field.flags,
            ]);
        }
    }
    bytes.resize(descriptor_length(dialect), 0);
    bytes
}

/// Columns to fields: both are in the same order, `_NullFlags` left out.
fn slots(header: &Header, columns: &[(usize, &Field)]) -> Vec<Slot> {
    let bits = nullflags::assign(header);
    let visible = header.fields.iter().zip(bits).filter_map(|(field, bits)| {
        Shape::of(field, header.dialect).map(|shape| (field, bits, shape))
    });
    visible
        .zip(columns)
        .map(|((field, bits, shape), (column, arrow))| Slot {
            column: *column,
            name: arrow.name().clone(),
            kind: field.kind,
            shape,
            at: field.offset,
            length: field.length,
            // What an exact decimal can have; a header may claim more.
            decimals: field.decimals.min(38),
            bits,
        })
        .collect()
}
