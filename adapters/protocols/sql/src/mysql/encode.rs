//! Columns to parameters of prepared statements.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64MicrosecondType,
    Time64NanosecondType, TimestampNanosecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Fault, Result};
use fenhe_values::{calendar, format};
use mysql_async::Value;

use super::native::Native;

const DAY: i64 = 86_400_000_000;

/// A column in the Arrow type that its values are taken from. What has no such value becomes null.
pub(crate) fn ready(array: &ArrayRef) -> Result<ArrayRef> {
    use DataType as D;
    let to = match array.data_type() {
        D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32 => D::Int64,
        D::LargeUtf8 | D::Utf8View => D::Utf8,
        D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => D::Binary,
        D::Time32(_) | D::Time64(TimeUnit::Nanosecond) => D::Time64(TimeUnit::Microsecond),
        D::Timestamp(_, zone) => {
            let micros = cast(array, &D::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            return Ok(cast(&micros, &D::Int64)?);
        }
        D::Null => return Ok(new_null_array(&D::Int64, array.len())),
        _ => return Ok(array.clone()),
    };
    Ok(cast(array, &to)?)
}

/// Rows whose value has no form at the server. `ready` is what became of `array`.
pub(crate) fn faults(
    name: &str,
    array: &ArrayRef,
    ready: &ArrayRef,
    native: Native,
) -> Vec<(usize, Fault)> {
    let mut faults = Vec::new();
    let mut check =
        |bad: &dyn Fn(usize) -> bool, code: &'static str, expected: &str, found: &str| {
            for row in (0..array.len()).filter(|row| array.is_valid(*row) && bad(*row)) {
                faults.push((row, Fault::new(code, name, expected, found)));
            }
        };
    if ready.null_count() > array.null_count() {
        check(
            &|row| ready.is_null(row),
            "sql.year",
            "an instant within 9999 years",
            "another instant",
        );
    }
    match native {
        Native::Date => {
            if let Some(days) = ready.as_primitive_opt::<Date32Type>() {
                let bad = |row| civil(i64::from(days.value(row))).is_none_or(|(y, ..)| y < 1);
                check(&bad, "sql.year", "a year from 1 to 9999", "another year");
            }
        }
        Native::Timestamp { .. } => {
            if let Some(micros) = ready.as_primitive_opt::<Int64Type>() {
                let bad = |row: usize| {
                    ready.is_valid(row)
                        && civil(micros.value(row).div_euclid(DAY)).is_none_or(|(y, ..)| y < 1)
                };
                check(&bad, "sql.year", "a year from 1 to 9999", "another year");
            }
        }
        Native::Float | Native::Double => {
            if let Some(n) = array.as_primitive_opt::<Float64Type>() {
                check(&|row| !n.value(row).is_finite(), "sql.nan", "a finite number", "another");
            }
            if let Some(n) = array.as_primitive_opt::<Float32Type>() {
                check(&|row| !n.value(row).is_finite(), "sql.nan", "a finite number", "another");
            }
        }
        _ => {}
    }
    if let Some(n) = array.as_primitive_opt::<TimestampNanosecondType>() {
        check(
            &|row| n.value(row) % 1_000 != 0,
            "sql.fraction",
            "at most microseconds",
            "nanoseconds",
        );
    }
    if let Some(n) = array.as_primitive_opt::<Time64NanosecondType>() {
        check(
            &|row| n.value(row) % 1_000 != 0,
            "sql.fraction",
            "at most microseconds",
            "nanoseconds",
        );
    }
    faults
}

/// Appends the values of one column of some rows, each behind those of the columns before it.
pub(crate) fn append(array: &ArrayRef, native: Native, first: usize, rows: &mut [Vec<Value>]) {
    // One look at the type for a column of a statement.
    match array.data_type() {
        DataType::Boolean => {
            let flags = array.as_boolean();
            each(array, first, rows, |row| Value::Int(flags.value(row).into()));
        }
        DataType::Int64 if matches!(native, Native::Timestamp { .. }) => {
            let micros = array.as_primitive::<Int64Type>();
            each(array, first, rows, |row| instant(micros.value(row)));
        }
        DataType::Int64 => {
            let n = array.as_primitive::<Int64Type>();
            each(array, first, rows, |row| Value::Int(n.value(row)));
        }
        DataType::UInt64 => {
            let n = array.as_primitive::<UInt64Type>();
            each(array, first, rows, |row| Value::UInt(n.value(row)));
        }
        DataType::Float32 => {
            let n = array.as_primitive::<Float32Type>();
            each(array, first, rows, |row| Value::Float(n.value(row)));
        }
        DataType::Float64 => {
            let n = array.as_primitive::<Float64Type>();
            each(array, first, rows, |row| Value::Double(n.value(row)));
        }
        DataType::Decimal128(_, scale) => {
            let (n, scale) = (array.as_primitive::<Decimal128Type>(), scale.unsigned_abs());
            each(array, first, rows, |row| {
                let mut digits = Vec::with_capacity(24);
                format::decimal(n.value(row), scale, &mut digits);
                Value::Bytes(digits)
            });
        }
        DataType::Utf8 => {
            let text = array.as_string::<i32>();
            each(array, first, rows, |row| Value::Bytes(text.value(row).as_bytes().to_vec()));
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>();
            each(array, first, rows, |row| Value::Bytes(bytes.value(row).to_vec()));
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            each(array, first, rows, |row| instant(i64::from(days.value(row)).saturating_mul(DAY)));
        }
        DataType::Time64(_) => {
            let micros = array.as_primitive::<Time64MicrosecondType>();
            each(array, first, rows, |row| {
                let (hour, minute, second, rest) = clock(micros.value(row));
                Value::Time(false, 0, hour, minute, second, rest)
            });
        }
        // Other types were refused when the write was opened.
        _ => each(array, first, rows, |_| Value::NULL),
    }
}

fn each(array: &ArrayRef, first: usize, rows: &mut [Vec<Value>], value: impl Fn(usize) -> Value) {
    for (values, row) in rows.iter_mut().zip(first..) {
        values.push(if array.is_null(row) { Value::NULL } else { value(row) });
    }
}

fn instant(micros: i64) -> Value {
    let Some((year, month, day)) = civil(micros.div_euclid(DAY)) else { return Value::NULL };
    let (hour, minute, second, rest) = clock(micros.rem_euclid(DAY));
    Value::Date(year, month, day, hour, minute, second, rest)
}

fn clock(micros: i64) -> (u8, u8, u8, u32) {
    let small = |n: i64| u8::try_from(n).unwrap_or(0);
    let seconds = micros / 1_000_000;
    let rest = u32::try_from(micros % 1_000_000).unwrap_or(0);
    (small(seconds / 3_600), small(seconds / 60 % 60), small(seconds % 60), rest)
}

fn civil(days: i64) -> Option<(u16, u8, u8)> {
    let (year, month, day) = calendar::civil(i32::try_from(days).ok()?)?;
    Some((u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}
