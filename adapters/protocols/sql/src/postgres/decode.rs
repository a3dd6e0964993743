//! Values of the server's binary form to columns.

use arrow_schema::TimeUnit;

use super::numeric;
use crate::server::{Values, Wrong};

/// Microseconds from 1970 to 2000, where the server counts from.
const EPOCH: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// Appends a value; nothing is appended when it is wrong.
/// The server hands out rows, not columns, so this is the one place that looks at the type value by value.
pub(crate) fn append(column: &mut Values, bytes: &[u8], limit: u64) -> Result<(), Wrong> {
    if bytes.len() as u64 > limit {
        return Err(Wrong::Long);
    }
    match column {
        Values::Boolean(b) => b.append_value(i8::from_be_bytes(fixed(bytes)?) != 0),
        Values::I16(b) => b.append_value(i16::from_be_bytes(fixed(bytes)?)),
        Values::I32(b) => b.append_value(i32::from_be_bytes(fixed(bytes)?)),
        Values::I64(b) => b.append_value(i64::from_be_bytes(fixed(bytes)?)),
        Values::F32(b) => b.append_value(f32::from_be_bytes(fixed(bytes)?)),
        Values::F64(b) => b.append_value(f64::from_be_bytes(fixed(bytes)?)),
        Values::Text(b) => Values::append_text(b, bytes)?,
        Values::Bytes(b) => b.append_value(bytes),
        Values::Decimal(b, precision, scale) => {
            let value = numeric::read(bytes, scale.unsigned_abs())?;
            let most = 10_u128.checked_pow(u32::from(*precision));
            if most.is_some_and(|most| value.unsigned_abs() >= most) {
                return Err(Wrong::Value("a number with more digits"));
            }
            b.append_value(value);
        }
        Values::Date(b) => {
            let days = i32::from_be_bytes(fixed(bytes)?).checked_add(EPOCH_DAYS);
            b.append_value(
                days.filter(|d| *d != i32::MIN + EPOCH_DAYS).ok_or(Wrong::Value("infinity"))?,
            );
        }
        Values::Time(b) => b.append_value(i64::from_be_bytes(fixed(bytes)?)),
        Values::Timestamp(b, unit, _) => {
            let stored = i64::from_be_bytes(fixed(bytes)?);
            if stored == i64::MIN {
                return Err(Wrong::Value("infinity"));
            }
            let micros = stored.checked_add(EPOCH).ok_or(Wrong::Value("infinity"))?;
            let parts = match unit {
                TimeUnit::Second => 1_000_000,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond | TimeUnit::Nanosecond => 1,
            };
            if micros % parts != 0 {
                return Err(Wrong::Value("a finer instant"));
            }
            b.append_value(micros / parts);
        }
        Values::U64(_) => return Err(Wrong::Value("another type")),
    }
    Ok(())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Wrong> {
    bytes.try_into().map_err(|_| Wrong::Value("a value of another length"))
}
