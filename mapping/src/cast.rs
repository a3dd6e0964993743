//! Exact casts: a value that its new type cannot hold is a fault of its row, never a rounded or cut value.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, can_cast_types, cast_with_options};
use arrow_schema::{DataType, Field};
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;
use fenhe_values::{ColumnBuilder, FaultMask, FieldSpec, Source, Spans};

use crate::work::{exact, is_text};

/// Refuses pairs of types between which there is no cast.
pub(crate) fn possible(from: &DataType, to: &DataType) -> Result<()> {
    if from == to || can_cast_types(from, to) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Config,
        "mapping.type",
        format!("{} cannot become {}", type_name(from), type_name(to)),
    ))
}

/// The array in the type of `field`; faults of single rows are added to `bad`, whose rows hold null then.
pub(crate) fn column(
    array: &ArrayRef,
    field: &Field,
    pools: &Pools,
    bad: &mut Vec<(usize, Fault)>,
) -> Result<ArrayRef> {
    let (from, to) = (array.data_type(), field.data_type());
    if from == to {
        return Ok(Arc::clone(array));
    }
    if is_text(from) && fenhe_values::type_name(to).is_some() && !is_text(to) {
        return from_text(array, field, pools, bad);
    }
    if let (DataType::Decimal128(..), &DataType::Decimal128(precision, scale)) = (from, to) {
        let (array, rows) = exact(array.as_primitive::<Decimal128Type>(), precision, scale)?;
        bad.extend(rows.into_iter().map(|row| {
            (row, Fault::new("mapping.cast", field.name(), type_name(to), found(from)))
        }));
        return Ok(array);
    }
    let options = CastOptions { safe: true, format_options: FormatOptions::default() };
    let cast = cast_with_options(array, to, &options)?;
    let mut fault = |row| {
        let fault = Fault::new("mapping.cast", field.name(), type_name(to), found(from));
        bad.push((row, fault));
    };
    if cast.null_count() > array.null_count() {
        (0..array.len())
            .filter(|row| cast.is_null(*row) && !array.is_null(*row))
            .for_each(&mut fault);
    }
    if may_round(from, to) {
        inexact_rows(array, &cast, &options)?.into_iter().for_each(&mut fault);
    }
    Ok(cast)
}

/// Text is read by the same strict rules as in the formats: no digit is rounded, an empty text is no value.
fn from_text(
    array: &ArrayRef,
    field: &Field,
    pools: &Pools,
    bad: &mut Vec<(usize, Fault)>,
) -> Result<ArrayRef> {
    let plain = arrow_cast::cast(array, &DataType::Utf8)?;
    let text = plain.as_string::<i32>();
    let spec = FieldSpec::new(field.name(), field.data_type().clone());
    let mut column = ColumnBuilder::new(&spec, Encoding::UTF_8, pools, text.len())?;
    let place = |offset: &i32| u32::try_from(*offset).unwrap_or(Spans::MISSING);
    let starts: Vec<u32> = text.value_offsets().iter().map(place).collect();
    let mut ends: Vec<u32> = starts.iter().skip(1).copied().collect();
    for (row, end) in ends.iter_mut().enumerate() {
        if text.is_null(row) {
            *end = Spans::MISSING;
        }
    }
    let mut faults = FaultMask::new();
    faults.reset(text.len());
    column.append(Source::Bytes(text.value_data()), Spans::each(&starts, &ends), &mut faults);
    for row in faults.iter() {
        let why = column.reader().check(text.value(row).as_bytes());
        let found = why.map_or_else(|| "another text".to_owned(), |why| why.to_string());
        bad.push((
            row,
            Fault::new("mapping.cast", field.name(), type_name(field.data_type()), found),
        ));
    }
    column.finish()
}

fn found(from: &DataType) -> String {
    format!("{} that it cannot hold", type_name(from))
}

/// Whether Arrow's cast may drop digits or parts of a time without saying so.
fn may_round(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let scale = |kind: &T| match kind {
        T::Decimal32(_, s) | T::Decimal64(_, s) | T::Decimal128(_, s) | T::Decimal256(_, s) => {
            Some(*s)
        }
        _ => None,
    };
    match (from, to) {
        (from, to) if scale(from).is_some() => match scale(to) {
            Some(new) => scale(from) > Some(new),
            None => to.is_numeric(),
        },
        (T::Float16 | T::Float32 | T::Float64, to) => to.is_numeric() && from != to,
        (from, T::Float16 | T::Float32 | T::Float64) => from.is_integer(),
        (T::Timestamp(..) | T::Date64, T::Date32) => true,
        (T::Timestamp(a, _), T::Timestamp(b, _)) => a != b,
        _ => false,
    }
}

/// Rows whose value does not come back from the cast as it was.
fn inexact_rows(
    array: &ArrayRef,
    cast: &ArrayRef,
    options: &CastOptions<'_>,
) -> Result<Vec<usize>> {
    let back = cast_with_options(cast, array.data_type(), options)?;
    let before = ArrayFormatter::try_new(array, &options.format_options)?;
    let after = ArrayFormatter::try_new(&back, &options.format_options)?;
    Ok((0..array.len())
        .filter(|row| !cast.is_null(*row))
        .filter(|row| before.value(*row).to_string() != after.value(*row).to_string())
        .collect())
}

fn type_name(kind: &DataType) -> String {
    fenhe_values::type_name(kind).unwrap_or_else(|| kind.to_string())
}
