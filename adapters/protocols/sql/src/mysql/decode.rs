//! Values of the server's binary protocol to columns.

use arrow_schema::TimeUnit;
use fenhe_values::{calendar, parse};
use mysql_async::Value;

use crate::server::{Values, Wrong};

/// Appends a value; nothing is appended when it is wrong.
/// The server hands out rows, not columns, so this is the one place that looks at the type value by value.
pub(crate) fn append(column: &mut Values, value: &Value, limit: u64) -> Result<(), Wrong> {
    if matches!(value, Value::Bytes(bytes) if bytes.len() as u64 > limit) {
        return Err(Wrong::Long);
    }
    let other = || Wrong::Value("a value outside of the type");
    match (column, value) {
        (column, Value::NULL) => column.append_null(),
        (Values::Boolean(b), Value::Int(n @ 0..=1)) => b.append_value(*n == 1),
        (Values::I16(b), Value::Int(n)) => b.append_value(i16::try_from(*n).map_err(|_| other())?),
        (Values::I16(b), Value::UInt(n)) => b.append_value(i16::try_from(*n).map_err(|_| other())?),
        (Values::I32(b), Value::Int(n)) => b.append_value(i32::try_from(*n).map_err(|_| other())?),
        (Values::I32(b), Value::UInt(n)) => b.append_value(i32::try_from(*n).map_err(|_| other())?),
        (Values::I64(b), Value::Int(n)) => b.append_value(*n),
        (Values::I64(b), Value::UInt(n)) => b.append_value(i64::try_from(*n).map_err(|_| other())?),
        (Values::U64(b), Value::UInt(n)) => b.append_value(*n),
        (Values::U64(b), Value::Int(n)) => b.append_value(u64::try_from(*n).map_err(|_| other())?),
        (Values::F32(b), Value::Float(n)) => b.append_value(*n),
        (Values::F64(b), Value::Double(n)) => b.append_value(*n),
        (Values::Text(b), Value::Bytes(bytes)) => Values::append_text(b, bytes)?,
        (Values::Bytes(b), Value::Bytes(bytes)) => b.append_value(bytes),
        (Values::Decimal(b, precision, scale), Value::Bytes(digits)) => {
            let value = parse::decimal(digits, *precision, scale.unsigned_abs());
            b.append_value(value.map_err(|_| other())?);
        }
        (Values::Date(b), Value::Date(year, month, day, ..)) => {
            b.append_value(
                days(*year, *month, *day).ok_or(Wrong::Value("no day of the calendar"))?,
            );
        }
        (Values::Time(b), Value::Time(false, 0, hour, minute, second, micros)) => {
            b.append_value(clock(*hour, *minute, *second, *micros));
        }
        (Values::Time(_), Value::Time(..)) => return Err(Wrong::Value("a time outside of a day")),
        (
            Values::Timestamp(b, unit, _),
            Value::Date(year, month, day, hour, minute, second, micros),
        ) => {
            let days = days(*year, *month, *day).ok_or(Wrong::Value("no day of the calendar"))?;
            let micros = i64::from(days) * 86_400_000_000 + clock(*hour, *minute, *second, *micros);
            b.append_value(match unit {
                TimeUnit::Second => micros.div_euclid(1_000_000),
                TimeUnit::Millisecond => micros.div_euclid(1_000),
                TimeUnit::Microsecond | TimeUnit::Nanosecond => micros,
            });
        }
        _ => return Err(other()),
    }
    Ok(())
}

fn days(year: u16, month: u8, day: u8) -> Option<i32> {
    calendar::days(u32::from(year), u32::from(month), u32::from(day))
}

fn clock(hour: u8, minute: u8, second: u8, micros: u32) -> i64 {
    (i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000
        + i64::from(micros)
}
