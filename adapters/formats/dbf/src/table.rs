//! Everything that is settled before the first record: header, code page, columns, memo file.

use std::sync::Arc;

use fenhe_core::{DecodeOptions, Error, Kind, Result, schema::CHARSET, schema::projection};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use crate::codepage::{self, Settled};
use crate::columns::{Columns, Place, Reading};
use crate::error;
use crate::header::Header;
use crate::memo::MemoFile;
use crate::nullflags;
use crate::options::{DbfOptions, MissingMemo};
use crate::schema::{Layout, Source};
use crate::types::Shape;

/// The code page, unless only the content can tell.
pub(crate) fn encoding(
    header: &Header,
    options: &DbfOptions,
    decode: &DecodeOptions,
) -> Result<Option<Settled>> {
    if let Some(encoding) = options.encoding {
        return Ok(Some(Settled::new(encoding, format!("the caller says {encoding}"))));
    }
    if let Some(encoding) = decode.schema.as_ref().and_then(|s| of_schema(s)) {
        // Whoever gave the schema knows: nothing is worth saying.
        return Ok(Some(Settled::new(encoding, "")));
    }
    if let Some(sidecar) = decode.companion(&["cpg"])
        && let Some(settled) = codepage::sidecar(&*sidecar.data)?
    {
        return Ok(Some(settled));
    }
    Ok(codepage::from_language(header))
}

/// The code page when even the content says nothing.
pub(crate) fn undecided(header: &Header) -> Settled {
    if header.language == 0x57 {
        let reason = "language byte 57 means the system's ANSI code page: taken as windows-1252";
        return Settled::new(Encoding::WINDOWS_1252, reason);
    }
    Settled::new(
        Encoding::US_ASCII,
        format!(
            "language byte {:02X} names no code page and the first records do not tell one: bytes above 7F are \
             refused; say which it is, for example encoding=gbk",
            header.language
        ),
    )
}

fn of_schema(schema: &arrow_schema::Schema) -> Option<Encoding> {
    let label = schema.fields().iter().find_map(|f| f.metadata().get(CHARSET))?;
    Encoding::for_label(label)
}

/// Rows for which there is room at first, at most: no header makes memory be taken for more.
const FIRST_ROWS: u64 = 8_192;

/// The columns that were asked for, ready to be filled; and notes.
pub(crate) fn open(
    header: &Header,
    encoding: Encoding,
    options: &DbfOptions,
    decode: &DecodeOptions,
    pools: &Pools,
) -> Result<(Columns, Vec<String>)> {
    let memo = memo_file(header, decode)?;
    let layout = Layout::of(header, encoding, options, decode.size, memo.as_ref());
    let mut notes = layout.notes;
    let chosen = chosen(&layout.schema, decode)?;
    let schema = Arc::new(layout.schema.project(&chosen)?);
    let bits = nullflags::assign(header);
    let mut places = Vec::with_capacity(chosen.len());
    for (source, field) in
        chosen.iter().filter_map(|at| layout.sources.get(*at)).zip(schema.fields())
    {
        let place = |shape, at, length, bits| Place {
            name: field.name().clone(),
            shape,
            at,
            length,
            bits,
            data_type: field.data_type().clone(),
        };
        places.push(match source {
            Source::Deleted => place(None, 0, 1, nullflags::Bits::default()),
            Source::Raw => place(None, 0, header.record_length, nullflags::Bits::default()),
            Source::Field(number, shape) => {
                let bits = bits.get(*number).copied().unwrap_or_default();
                let Some(found) = header.fields.get(*number) else { continue };
                place(Some(*shape), found.offset, found.length, bits)
            }
        });
    }
    if memo.is_none()
        && let Some(first) = places.iter().find(|p| p.shape.is_some_and(Shape::is_memo))
    {
        if options.missing_memo == MissingMemo::Error {
            return Err(error::memo_missing(&first.name, header.dialect.memo().extension()));
        }
        notes.push("there is no memo file: all memos are absent".into());
    }
    if header.encrypted {
        notes.push("the header says that the table is encrypted".into());
    }
    let reading = Reading::new(encoding, memo, options);
    Ok((Columns::new(schema, places, reading, pools, first_rows(header, decode)), notes))
}

/// Rows that a batch will have, as far as a header can be trusted.
fn first_rows(header: &Header, decode: &DecodeOptions) -> usize {
    let fits = decode.limits.batch_bytes / header.record_length.max(1) as u64;
    let most = decode.limits.batch_rows.min(fits).min(FIRST_ROWS);
    usize::try_from(u64::from(header.records).min(most)).unwrap_or(0)
}

/// The memo file of a table that has memo fields.
fn memo_file(header: &Header, decode: &DecodeOptions) -> Result<Option<MemoFile>> {
    let is_memo = |f| Shape::of(f, header.dialect).is_some_and(Shape::is_memo);
    if !header.fields.iter().any(is_memo) {
        return Ok(None);
    }
    let Some(found) = decode.companion(&["fpt", "dbt"]) else { return Ok(None) };
    let kind = header.dialect.memo_of(&found.extension);
    MemoFile::open(kind, Arc::clone(&found.data), decode.limits.memo).map(Some)
}

/// Numbers of the columns that the caller wants, by schema or by name.
fn chosen(schema: &arrow_schema::Schema, decode: &DecodeOptions) -> Result<Vec<usize>> {
    let wanted = match (&decode.columns, &decode.schema) {
        (Some(columns), _) => columns.clone(),
        (None, Some(given)) => given.fields().iter().map(|f| f.name().clone()).collect(),
        (None, None) => return Ok((0..schema.fields().len()).collect()),
    };
    if let Some(given) = &decode.schema {
        for field in given.fields() {
            let own = schema.field_with_name(field.name()).ok();
            if let Some(own) = own.filter(|own| own.data_type() != field.data_type()) {
                let message = format!(
                    "the schema asks for {}, the table has {}",
                    field.data_type(),
                    own.data_type()
                );
                return Err(Error::new(Kind::Config, "dbf.schema", message).at_field(field.name()));
            }
        }
    }
    projection(schema, &wanted)
}

/// A sample of names and text fields, to tell the code page from.
pub(crate) fn sniff(header: &Header, records: &[u8]) -> Option<Settled> {
    let names: Vec<u8> =
        header.fields.iter().flat_map(|f| f.name.iter().copied().chain([b'\n'])).collect();
    let texts: Vec<(usize, usize)> = header
        .fields
        .iter()
        .filter(|f| matches!(Shape::of(f, header.dialect), Some(Shape::Text | Shape::Varchar)))
        .map(|f| (f.offset, f.offset + f.length))
        .collect();
    let values: Vec<&[u8]> = records
        .chunks_exact(header.record_length.max(1))
        .flat_map(|record| texts.iter().filter_map(|(from, to)| record.get(*from..*to)))
        .map(crate::fields::trim_end)
        .collect();
    codepage::sniff(&names, &values)
}
