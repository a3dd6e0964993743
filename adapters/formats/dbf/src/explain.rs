//! The cold path: why a record was refused, field by field.

use fenhe_core::{Fault, Result};
use fenhe_text::Invalid;
use fenhe_values::FaultKind;

use crate::columns::{Place, Reading};
use crate::fields;
use crate::pass::read_memo;
use crate::types::Shape;

/// What is wrong with one field of a record; `None` when it can be read.
pub(crate) fn fault(place: &Place, record: &[u8], reading: &mut Reading) -> Result<Option<Fault>> {
    let Some(shape) = place.shape else { return Ok(None) };
    if place.bits.null.is_some_and(|bit| bit.is_set(record)) {
        return Ok(None);
    }
    let field = record.get(place.at..place.at + place.length).unwrap_or_default();
    let value = |kind: Option<FaultKind>, expected: String| {
        kind.map(|k| Fault::new(k.code(), &place.name, expected, k.to_string()))
    };
    Ok(match shape {
        Shape::Text => characters(place, reading, reading.trimmed(field)),
        Shape::Varchar | Shape::Varbinary => varying(place, record, field, shape, reading),
        Shape::Memo | Shape::MemoBytes => memo(place, field, shape, reading)?,
        Shape::Integer | Shape::Decimal { .. } if fields::is_overflow(field) => Some(Fault::new(
            "dbf.overflow",
            &place.name,
            "a number",
            "stars: the value did not fit the field when it was written",
        )),
        Shape::Integer => value(fields::integer(field).err(), "a whole number or blanks".into()),
        Shape::Decimal { precision, scale } => value(
            fields::decimal(field, precision, scale).err(),
            format!("a number of {precision} digits with {scale} decimals, or blanks"),
        ),
        Shape::Date => value(fields::date(field).err(), "a date YYYYMMDD or blanks".into()),
        Shape::Logical => value(fields::logical(field).err(), "T, F, Y, N, ? or a blank".into()),
        Shape::DateTime => {
            let found = fields::date_time(field, reading.round_seconds).err();
            value(found, "a Julian day number and milliseconds of a day".into())
        }
        Shape::Bytes
        | Shape::Double
        | Shape::DoubleSeven
        | Shape::Int32
        | Shape::Int32Seven
        | Shape::Currency => None,
    })
}

fn characters(place: &Place, reading: &Reading, text: &[u8]) -> Option<Fault> {
    if reading.invalid != Invalid::Reject {
        return None;
    }
    let bad = reading.encoding.decode(text).err()?;
    let code = FaultKind::BadCharacters.code();
    let found = format!("byte {} of the field: {}", bad.at, bad.reason);
    Some(Fault::new(code, &place.name, format!("text in {}", reading.encoding), found))
}

fn varying(
    place: &Place,
    record: &[u8],
    field: &[u8],
    shape: Shape,
    reading: &Reading,
) -> Option<Fault> {
    let short = place.bits.short.is_some_and(|bit| bit.is_set(record));
    match fields::varying(field, short) {
        None => Some(Fault::new(
            "dbf.varchar_length",
            &place.name,
            format!("a length below {}", field.len()),
            "a greater one",
        )),
        Some(_) if shape == Shape::Varbinary => None,
        Some(text) if place.bits.short.is_none() => {
            characters(place, reading, fields::trim_end(text))
        }
        Some(text) => characters(place, reading, text),
    }
}

fn memo(place: &Place, field: &[u8], shape: Shape, reading: &mut Reading) -> Result<Option<Fault>> {
    let mut file = reading.memo.take();
    let found = match read_memo(&mut file, Some(field)) {
        Ok(Ok(Some(text))) if shape == Shape::Memo => Ok(characters(place, reading, text)),
        Ok(Ok(_)) => Ok(None),
        Ok(Err(fault)) => Ok(Some(fault.fault(&place.name))),
        Err(error) => Err(error),
    };
    reading.memo = file;
    found
}
