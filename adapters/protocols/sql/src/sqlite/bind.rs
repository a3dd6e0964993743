//! Arrays to parameters, without a `String` for each value.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_values::format;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};

use super::instant;
use super::native::{DOUBLE_DIGITS, Native};

/// One column of a batch, ready to be bound row by row.
pub(crate) struct Parameter<'a> {
    name: &'a str,
    nulls: Option<&'a NullBuffer>,
    cells: Cells<'a>,
}

/// The values, with everything that is the same for all rows settled.
enum Cells<'a> {
    Null,
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    Boolean(&'a arrow_array::BooleanArray),
    Text(&'a arrow_array::StringArray),
    LargeText(&'a arrow_array::LargeStringArray),
    TextView(&'a arrow_array::StringViewArray),
    Bytes(&'a arrow_array::BinaryArray),
    LargeBytes(&'a arrow_array::LargeBinaryArray),
    BytesView(&'a arrow_array::BinaryViewArray),
    FixedBytes(&'a arrow_array::FixedSizeBinaryArray),
    /// Decimals that go into a column of numbers; with 10^scale as both kinds of number.
    Number(&'a [i128], Power),
    /// Decimals that go into a column of text.
    Digits(&'a [i128], u8),
    Date(&'a [i32]),
    Time32(&'a [i32], TimeUnit),
    Time64(&'a [i64], TimeUnit),
    Timestamp(&'a [i64], TimeUnit, bool),
}

#[derive(Clone, Copy)]
struct Power {
    whole: i128,
    narrow: Option<i64>,
}

/// Why a row cannot be bound.
pub(crate) enum Refusal {
    Row(Fault),
    Statement(rusqlite::Error),
}

impl<'a> Parameter<'a> {
    /// The column of this name, for a target of this type.
    pub(crate) fn new(name: &'a str, array: &'a ArrayRef, target: Native) -> Result<Self> {
        let nulls = array.nulls();
        Ok(Self { name, nulls, cells: cells(array, target).ok_or_else(|| unfit(name))? })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.cells, Cells::Null) || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Binds the value of a row to the parameter with this number.
    #[inline]
    pub(crate) fn bind(
        &self,
        statement: &mut Statement<'_>,
        number: usize,
        row: usize,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let value = if self.is_null(row) { ValueRef::Null } else { self.value(row, scratch)? };
        statement.raw_bind_parameter(number, Borrowed(value)).map_err(Refusal::Statement)
    }

    #[expect(clippy::indexing_slicing, reason = "a row of the batch")]
    fn value<'s>(&'s self, row: usize, scratch: &'s mut Vec<u8>) -> Result<ValueRef<'s>, Refusal> {
        scratch.clear();
        let int = |n: i64| Ok(ValueRef::Integer(n));
        match &self.cells {
            Cells::Null => Ok(ValueRef::Null),
            Cells::I8(v) => int(v[row].into()),
            Cells::I16(v) => int(v[row].into()),
            Cells::I32(v) => int(v[row].into()),
            Cells::I64(v) => int(v[row]),
            Cells::U8(v) => int(v[row].into()),
            Cells::U16(v) => int(v[row].into()),
            Cells::U32(v) => int(v[row].into()),
            Cells::U64(v) => int(i64::try_from(v[row]).map_err(|_| {
                self.fault("sql.integer_range", "an integer of 64 bits with sign", "a larger one")
            })?),
            Cells::F32(v) => self.real(v[row].into()),
            Cells::F64(v) => self.real(v[row]),
            Cells::Boolean(v) => int(v.value(row).into()),
            Cells::Text(v) => Ok(ValueRef::Text(v.value(row).as_bytes())),
            Cells::LargeText(v) => Ok(ValueRef::Text(v.value(row).as_bytes())),
            Cells::TextView(v) => Ok(ValueRef::Text(v.value(row).as_bytes())),
            Cells::Bytes(v) => Ok(ValueRef::Blob(v.value(row))),
            Cells::LargeBytes(v) => Ok(ValueRef::Blob(v.value(row))),
            Cells::BytesView(v) => Ok(ValueRef::Blob(v.value(row))),
            Cells::FixedBytes(v) => Ok(ValueRef::Blob(v.value(row))),
            Cells::Number(v, power) => number(v[row], *power).ok_or_else(|| {
                self.fault(
                    "sql.decimal_inexact",
                    "a number that the column keeps exactly",
                    "too many digits",
                )
            }),
            Cells::Digits(v, scale) => {
                format::decimal(v[row], *scale, scratch);
                Ok(ValueRef::Text(scratch))
            }
            Cells::Date(v) => {
                format::date_iso(v[row], scratch).map_err(|_| self.year())?;
                Ok(ValueRef::Text(scratch))
            }
            Cells::Time32(v, unit) => {
                instant::write_time(v[row].into(), *unit, scratch);
                Ok(ValueRef::Text(scratch))
            }
            Cells::Time64(v, unit) => {
                instant::write_time(v[row], *unit, scratch);
                Ok(ValueRef::Text(scratch))
            }
            Cells::Timestamp(v, unit, zone) => {
                instant::write_timestamp(v[row], *unit, *zone, scratch).map_err(|_| self.year())?;
                Ok(ValueRef::Text(scratch))
            }
        }
    }

    /// SQLite turns NaN into null, so it is refused.
    fn real<'s>(&self, n: f64) -> Result<ValueRef<'s>, Refusal> {
        if n.is_nan() {
            return Err(self.fault("sql.nan", "a number", "not a number (NaN)"));
        }
        Ok(ValueRef::Real(n))
    }

    fn year(&self) -> Refusal {
        self.fault("sql.year", "a year from 1 to 9999", "another year")
    }

    #[cold]
    fn fault(&self, code: &'static str, expected: &str, found: &str) -> Refusal {
        Refusal::Row(Fault::new(code, self.name, expected, found))
    }
}

/// A value that is bound as it lies.
struct Borrowed<'a>(ValueRef<'a>);

impl ToSql for Borrowed<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// A decimal as the number that SQLite would make of its digits: an integer if it is whole, else the nearest
/// double, which means the same decimal again as long as there are at most 15 digits.
#[inline]
fn number<'s>(value: i128, power: Power) -> Option<ValueRef<'s>> {
    const EXACT: u64 = 10_u64.pow(DOUBLE_DIGITS as u32);
    if let (Ok(narrow), Some(power)) = (i64::try_from(value), power.narrow) {
        if narrow % power == 0 {
            return Some(ValueRef::Integer(narrow / power));
        }
        // Both are exact doubles (10^18 is) and the division rounds once: the nearest double (IEEE 754 clause 5.4.1).
        if narrow.unsigned_abs() < EXACT {
            return Some(ValueRef::Real(narrow as f64 / power as f64));
        }
        return None;
    }
    (value % power.whole == 0)
        .then(|| i64::try_from(value / power.whole).ok())
        .flatten()
        .map(ValueRef::Integer)
}

fn cells(array: &ArrayRef, target: Native) -> Option<Cells<'_>> {
    use DataType as D;
    Some(match array.data_type() {
        D::Null => Cells::Null,
        D::Int8 => Cells::I8(values::<Int8Type>(array)?),
        D::Int16 => Cells::I16(values::<Int16Type>(array)?),
        D::Int32 => Cells::I32(values::<Int32Type>(array)?),
        D::Int64 => Cells::I64(values::<Int64Type>(array)?),
        D::UInt8 => Cells::U8(values::<UInt8Type>(array)?),
        D::UInt16 => Cells::U16(values::<UInt16Type>(array)?),
        D::UInt32 => Cells::U32(values::<UInt32Type>(array)?),
        D::UInt64 => Cells::U64(values::<UInt64Type>(array)?),
        D::Float32 => Cells::F32(values::<Float32Type>(array)?),
        D::Float64 => Cells::F64(values::<Float64Type>(array)?),
        D::Boolean => Cells::Boolean(array.as_boolean_opt()?),
        D::Utf8 => Cells::Text(array.as_string_opt()?),
        D::LargeUtf8 => Cells::LargeText(array.as_string_opt()?),
        D::Utf8View => Cells::TextView(array.as_string_view_opt()?),
        D::Binary => Cells::Bytes(array.as_binary_opt()?),
        D::LargeBinary => Cells::LargeBytes(array.as_binary_opt()?),
        D::BinaryView => Cells::BytesView(array.as_binary_view_opt()?),
        D::FixedSizeBinary(_) => Cells::FixedBytes(array.as_fixed_size_binary_opt()?),
        D::Decimal128(_, scale) => {
            let (values, scale) = (values::<Decimal128Type>(array)?, u8::try_from(*scale).ok()?);
            match target {
                Native::Decimal { text: false, .. } | Native::Integer => {
                    let whole = 10_i128.checked_pow(scale.into())?;
                    Cells::Number(values, Power { whole, narrow: i64::try_from(whole).ok() })
                }
                _ => Cells::Digits(values, scale),
            }
        }
        D::Date32 => Cells::Date(values::<Date32Type>(array)?),
        D::Time32(unit @ TimeUnit::Second) => {
            Cells::Time32(values::<Time32SecondType>(array)?, *unit)
        }
        D::Time32(unit) => Cells::Time32(values::<Time32MillisecondType>(array)?, *unit),
        D::Time64(unit) => Cells::Time64(values::<Time64MicrosecondType>(array)?, *unit),
        D::Timestamp(unit, zone) => {
            let values = match unit {
                TimeUnit::Second => values::<TimestampSecondType>(array),
                TimeUnit::Millisecond => values::<TimestampMillisecondType>(array),
                TimeUnit::Microsecond => values::<TimestampMicrosecondType>(array),
                TimeUnit::Nanosecond => values::<TimestampNanosecondType>(array),
            };
            Cells::Timestamp(values?, *unit, zone.is_some())
        }
        _ => return None,
    })
}

fn values<T: arrow_array::ArrowPrimitiveType>(array: &ArrayRef) -> Option<&[T::Native]> {
    array.as_any().downcast_ref::<PrimitiveArray<T>>().map(|a| a.values().as_ref())
}

fn unfit(name: &str) -> Error {
    Error::new(
        Kind::Config,
        "sql.type",
        "the batch has a column of another type than was announced",
    )
    .at_field(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(scale: u32) -> Power {
        let whole = 10_i128.pow(scale);
        Power { whole, narrow: i64::try_from(whole).ok() }
    }

    #[test]
    fn a_decimal_becomes_the_double_that_its_digits_mean() {
        for (value, scale) in
            [(1_i128, 2), (-110, 2), (999_999_999_999_999, 15), (123_456_789_012_345, 7), (5, 1)]
        {
            let mut text = Vec::new();
            format::decimal(value, scale, &mut text);
            let parsed: f64 = std::str::from_utf8(&text).unwrap().parse().unwrap();
            match number(value, power(scale.into())).unwrap() {
                ValueRef::Real(n) => assert_eq!(n.to_bits(), parsed.to_bits()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(number(1_200, power(2)), Some(ValueRef::Integer(12)));
        assert_eq!(number(12_345_678_901_234_567, power(2)), None, "17 digits");
        assert_eq!(
            number(9_007_199_254_740_993 * 100, power(2)),
            Some(ValueRef::Integer(9_007_199_254_740_993))
        );
    }
}
