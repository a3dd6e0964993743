//! Rows to arrays.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    StringBuilder, Time64MicrosecondBuilder,
};
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::TimeUnit;
use fenhe_core::{Fault, Result};
use fenhe_values::{FaultKind, parse};
use rusqlite::types::ValueRef;

use super::instant;
use super::native::Native;

/// The values of one column of a batch.
pub(crate) struct Column {
    name: String,
    native: Native,
    values: Values,
}

enum Values {
    Integer(Int64Builder),
    Real(Float64Builder),
    Text(StringBuilder),
    Blob(BinaryBuilder),
    Boolean(BooleanBuilder),
    Decimal(Decimal128Builder, u8, i8),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(Int64Builder, TimeUnit, bool),
}

/// What is wrong with a value: kind of thing found.
enum Wrong {
    /// Stored under another type than the column has.
    Stored(&'static str),
    Value(FaultKind),
    Encoding,
    Long,
}

impl From<FaultKind> for Wrong {
    fn from(kind: FaultKind) -> Self {
        Self::Value(kind)
    }
}

impl Column {
    pub(crate) fn new(name: &str, native: Native) -> Self {
        let values = match native {
            Native::Integer => Values::Integer(Int64Builder::new()),
            Native::Real => Values::Real(Float64Builder::new()),
            Native::Text | Native::Number | Native::Untyped => Values::Text(StringBuilder::new()),
            Native::Blob => Values::Blob(BinaryBuilder::new()),
            Native::Boolean => Values::Boolean(BooleanBuilder::new()),
            Native::Decimal { precision, scale, .. } => {
                Values::Decimal(Decimal128Builder::new(), precision, scale)
            }
            Native::Date => Values::Date(Date32Builder::new()),
            Native::Time => Values::Time(Time64MicrosecondBuilder::new()),
            Native::Timestamp { unit, zone } => Values::Timestamp(Int64Builder::new(), unit, zone),
        };
        Self { name: name.into(), native, values }
    }

    /// Appends a value; a wrong one is appended as null, and the fault tells why the row must go.
    /// SQLite hands out rows, not columns, so this is the one place that looks at the type value by value.
    pub(crate) fn append(&mut self, value: ValueRef<'_>, limit: u64) -> Result<(), Fault> {
        let result = match value {
            ValueRef::Null => {
                self.append_null();
                Ok(())
            }
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() as u64 > limit => {
                Err(Wrong::Long)
            }
            value => self.append_value(value),
        };
        result.map_err(|wrong| {
            self.append_null();
            self.fault(&wrong, limit)
        })
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match &mut self.values {
            Values::Integer(b) => Arc::new(b.finish()),
            Values::Real(b) => Arc::new(b.finish()),
            Values::Text(b) => Arc::new(b.finish()),
            Values::Blob(b) => Arc::new(b.finish()),
            Values::Boolean(b) => Arc::new(b.finish()),
            Values::Decimal(b, precision, scale) => {
                Arc::new(b.finish().with_precision_and_scale(*precision, *scale)?)
            }
            Values::Date(b) => Arc::new(b.finish()),
            Values::Time(b) => Arc::new(b.finish()),
            Values::Timestamp(b, unit, zone) => {
                let values = b.finish();
                let zone = zone.then_some("UTC");
                match unit {
                    TimeUnit::Second => stamps::<TimestampSecondType>(values, zone),
                    TimeUnit::Millisecond => stamps::<TimestampMillisecondType>(values, zone),
                    TimeUnit::Microsecond => stamps::<TimestampMicrosecondType>(values, zone),
                    TimeUnit::Nanosecond => stamps::<TimestampNanosecondType>(values, zone),
                }
            }
        })
    }

    fn append_value(&mut self, value: ValueRef<'_>) -> Result<(), Wrong> {
        match (&mut self.values, value) {
            (Values::Integer(b), ValueRef::Integer(n)) => b.append_value(n),
            (Values::Real(b), ValueRef::Real(n)) => b.append_value(n),
            (Values::Real(b), ValueRef::Integer(n)) => b.append_value(exact_double(n)?),
            (Values::Text(b), ValueRef::Text(bytes)) => {
                b.append_value(std::str::from_utf8(bytes).map_err(|_| Wrong::Encoding)?);
            }
            (Values::Text(b), ValueRef::Integer(n)) => b.append_value(n.to_string()),
            (Values::Text(b), ValueRef::Real(n)) => b.append_value(n.to_string()),
            (Values::Blob(b), ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => {
                b.append_value(bytes)
            }
            (Values::Boolean(b), ValueRef::Integer(n @ 0..=1)) => b.append_value(n == 1),
            (Values::Boolean(_), ValueRef::Integer(_)) => return Err(FaultKind::NotABoolean.into()),
            (Values::Decimal(b, precision, scale), value) => {
                b.append_value(exact_decimal(value, *precision, scale.unsigned_abs())?);
            }
            (Values::Date(b), ValueRef::Text(text)) => b.append_value(date(text)?),
            (Values::Time(b), ValueRef::Text(text)) => b.append_value(instant::parse_time(text)?),
            (Values::Timestamp(b, unit, zone), ValueRef::Text(text)) => {
                b.append_value(instant::parse_timestamp(text, *unit, *zone)?);
            }
            (_, value) => return Err(stored(value)),
        }
        Ok(())
    }

    fn append_null(&mut self) {
        match &mut self.values {
            Values::Integer(b) | Values::Timestamp(b, ..) => b.append_null(),
            Values::Real(b) => b.append_null(),
            Values::Text(b) => b.append_null(),
            Values::Blob(b) => b.append_null(),
            Values::Boolean(b) => b.append_null(),
            Values::Decimal(b, ..) => b.append_null(),
            Values::Date(b) => b.append_null(),
            Values::Time(b) => b.append_null(),
        }
    }

    fn fault(&self, wrong: &Wrong, limit: u64) -> Fault {
        let expected = || match self.native {
            Native::Decimal { precision, scale, .. } => {
                format!("a number of at most {precision} digits, {scale} of them decimals")
            }
            Native::Date => "a date YYYY-MM-DD".into(),
            Native::Time => "a time HH:MM:SS".into(),
            Native::Timestamp { zone: true, .. } => "a timestamp with its offset from UTC".into(),
            Native::Timestamp { .. } => "a timestamp YYYY-MM-DD HH:MM:SS".into(),
            Native::Boolean => "0 or 1".into(),
            native => format!("a value of type {}", native.arrow()),
        };
        match wrong {
            Wrong::Stored(found) => Fault::new("sql.stored_type", &*self.name, expected(), *found),
            Wrong::Value(kind) => Fault::new(kind.code(), &*self.name, expected(), "another value"),
            Wrong::Encoding => Fault::new(
                "sql.text_encoding",
                &*self.name,
                "text in UTF-8",
                "bytes of another encoding",
            ),
            Wrong::Long => {
                let expected = format!("at most {limit} bytes (limit field)");
                Fault::new("core.limit", &*self.name, expected, "more")
            }
        }
    }
}

fn stored(value: ValueRef<'_>) -> Wrong {
    Wrong::Stored(match value.data_type() {
        rusqlite::types::Type::Integer => "a stored integer",
        rusqlite::types::Type::Real => "a stored double",
        rusqlite::types::Type::Text => "stored text",
        rusqlite::types::Type::Blob => "stored bytes",
        rusqlite::types::Type::Null => "nothing",
    })
}

/// Whole numbers up to 2^53 are exact as doubles.
fn exact_double(n: i64) -> Result<f64, Wrong> {
    if n.unsigned_abs() > 1 << 53 {
        return Err(FaultKind::OutOfRange.into());
    }
    Ok(n as f64)
}

/// The decimal that a stored value means. A double means the decimal that it was made from: up to 15 digits there
/// is one and only one with this scale, and a double that is not the nearest one to it has more decimals.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^15 when it is cast")]
fn exact_decimal(value: ValueRef<'_>, precision: u8, scale: u8) -> Result<i128, Wrong> {
    let power = 10_i128.checked_pow(u32::from(scale)).ok_or(FaultKind::OutOfRange)?;
    let limit = 10_i128.checked_pow(u32::from(precision)).ok_or(FaultKind::OutOfRange)?;
    let scaled = match value {
        ValueRef::Text(text) => return Ok(parse::decimal(text, precision, scale)?),
        ValueRef::Integer(n) => i128::from(n).checked_mul(power).ok_or(FaultKind::OutOfRange)?,
        ValueRef::Real(n) => {
            let scaled = (n * power as f64).round();
            if scaled.is_nan() || scaled.abs() >= 1e15 {
                return Err(FaultKind::OutOfRange.into());
            }
            if scaled / power as f64 != n {
                return Err(FaultKind::TooManyFractionDigits.into());
            }
            scaled as i128
        }
        value => return Err(stored(value)),
    };
    if scaled.abs() >= limit { Err(FaultKind::OutOfRange.into()) } else { Ok(scaled) }
}

/// A date, or a timestamp at midnight.
fn date(text: &[u8]) -> Result<i32, FaultKind> {
    match text.split_at_checked(10) {
        Some((day, b"" | b" 00:00:00" | b"T00:00:00")) => parse::date_iso(day),
        _ => Err(FaultKind::NotADate),
    }
}

fn stamps<T: ArrowPrimitiveType<Native = i64> + arrow_array::types::ArrowTimestampType>(
    values: arrow_array::Int64Array,
    zone: Option<&str>,
) -> ArrayRef {
    let (_, values, nulls) = values.into_parts();
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_timezone_opt(zone))
}
