//! What a cell is as a value of a type, by its kind and number format.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::TimeUnit;
use fenhe_values::{ColumnBuilder, FaultKind, format, parse};

use crate::cells::{Block, Cell, Value};
use crate::dates::{DAY, Epoch, time, whole, write_date, write_time};
use crate::strings::Strings;
use crate::styles::{Shown, Styles};

/// What the meaning of a cell depends on besides its block.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) strings: Arc<Strings>,
    pub(crate) styles: Arc<Styles>,
    pub(crate) epoch: Epoch,
    /// Cells that are no values become nulls.
    pub(crate) lenient: bool,
}

/// Why a cell is no value of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Value(FaultKind),
    /// `#N/A` and its like.
    ErrorValue,
    /// A number of a string that is not there.
    NoString,
    /// A formula that was never calculated.
    Uncached,
    /// A whole number of more than 15 digits: a double has lost the last ones.
    DigitsLost,
}

impl From<FaultKind> for Flaw {
    fn from(kind: FaultKind) -> Self {
        Self::Value(kind)
    }
}

/// The text of a cell in a column of text; error values are text too, so nothing of them is lost.
#[inline]
pub(crate) fn text_of<'a>(
    cx: &'a Context,
    block: &'a Block,
    cell: &Cell,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a str, Flaw> {
    match cell.value {
        Value::Shared => cx.strings.get(cell.a).ok_or(Flaw::NoString),
        Value::Inline | Value::Error | Value::Iso => Ok(block.inline(cell)),
        Value::Uncached => Err(Flaw::Uncached),
        Value::Boolean => Ok(if cell.a == 1 { "TRUE" } else { "FALSE" }),
        Value::Number | Value::Float => {
            scratch.clear();
            write_number(cx, block, cell, scratch)?;
            Ok(std::str::from_utf8(scratch).unwrap_or_default())
        }
    }
}

/// The text of a cell in a column of another type: error values are none.
pub(crate) fn spelled<'a>(
    cx: &'a Context,
    block: &'a Block,
    cell: &Cell,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a str, Flaw> {
    match cell.value {
        Value::Error => Err(Flaw::ErrorValue),
        _ => text_of(cx, block, cell, scratch),
    }
}

/// The text of any cell, for people: whatever it is.
pub(crate) fn display(cx: &Context, block: &Block, cell: &Cell) -> String {
    let mut scratch = Vec::new();
    let text = text_of(cx, block, cell, &mut scratch).map(str::to_owned);
    text.unwrap_or_else(|flaw| match flaw {
        Flaw::DigitsLost => number_of(block, cell).map(|n| n.to_string()).unwrap_or_default(),
        _ => String::new(),
    })
}

/// The number of a cell.
#[inline]
pub(crate) fn number_of(block: &Block, cell: &Cell) -> Option<f64> {
    match cell.value {
        Value::Float => Some(cell.as_float()),
        Value::Number => parse::float(block.number(cell)).ok(),
        _ => None,
    }
}

/// Whether the double of a whole number may have lost digits: citizen and account numbers have 16 to 19.
pub(crate) fn digits_lost(number: f64) -> bool {
    (1e15..1e19).contains(&number.abs()) && number.fract() == 0.0
}

fn write_number(cx: &Context, block: &Block, cell: &Cell, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let shown = cx.styles.shown(cell.style);
    let number = number_of(block, cell).ok_or(Flaw::Value(FaultKind::NotANumber))?;
    match shown {
        Shown::General | Shown::Text | Shown::Decimals(_) => {
            if digits_lost(number) {
                return Err(Flaw::DigitsLost);
            }
            match whole(number) {
                Some(number) => format::int(number, out),
                None => format::float(number, out)?,
            }
        }
        Shown::Elapsed => {
            let seconds = whole((number * 86_400.0).round()).ok_or(FaultKind::OutOfRange)?;
            if seconds < 0 {
                out.push(b'-');
            }
            let s = seconds.abs();
            out.extend_from_slice(
                format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60).as_bytes(),
            );
        }
        Shown::Time if (0.0..1.0).contains(&number) => write_time(time(number).unwrap_or(0), out),
        Shown::Date | Shown::DateTime | Shown::Time => match cx.epoch.moment(number) {
            Some((days, ms)) => {
                write_date(days, out);
                if ms > 0 || shown != Shown::Date {
                    out.push(b'T');
                    write_time(ms, out);
                }
            }
            None if (0.0..1.0).contains(&number) => write_time(time(number).unwrap_or(0), out),
            // No day: the number itself says more than nothing.
            None => format::float(number, out)?,
        },
    }
    Ok(())
}

/// A value that stands as text, read by the rules of the column's spelling.
pub(crate) fn through<T>(
    odd: &mut ColumnBuilder,
    text: &str,
    take: impl Fn(&ArrayRef) -> Option<T>,
) -> Result<Option<T>, Flaw> {
    odd.append_value(text.as_bytes())?;
    let array = odd.finish().map_err(|_| Flaw::Value(FaultKind::OutOfRange))?;
    Ok(if array.is_null(0) { None } else { take(&array) })
}

#[cold]
fn by_text<T>(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    take: impl Fn(&ArrayRef) -> Option<T>,
) -> Result<Option<T>, Flaw> {
    let mut scratch = Vec::new();
    let text = spelled(cx, block, cell, &mut scratch)?;
    if text.is_empty() {
        return Ok(None);
    }
    through(odd, text, take)
}

#[inline]
pub(crate) fn int(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<i64>, Flaw> {
    if cell.value == Value::Number {
        let text = block.number(cell);
        if text.len() <= 15
            && let Ok(value) = parse::int(text)
        {
            return Ok(Some(value));
        }
    }
    match number_of(block, cell) {
        Some(number) if digits_lost(number) => Err(Flaw::DigitsLost),
        Some(number) => match whole(number) {
            Some(value) => Ok(Some(value)),
            None if number.fract() != 0.0 => Err(FaultKind::TooManyFractionDigits.into()),
            None => Err(FaultKind::OutOfRange.into()),
        },
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Int64Type>().value(0))),
    }
}

#[inline]
pub(crate) fn float(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<f64>, Flaw> {
    match number_of(block, cell) {
        Some(number) => Ok(Some(number)),
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Float64Type>().value(0))),
    }
}

#[inline]
pub(crate) fn decimal(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    precision: u8,
    scale: u8,
) -> Result<Option<i128>, Flaw> {
    if cell.value == Value::Number {
        let text = block.number(cell);
        if text.len() <= 15
            && let Ok(value) = parse::decimal(text, precision, scale)
        {
            return Ok(Some(value));
        }
    }
    let Some(number) = number_of(block, cell) else {
        return by_text(cx, block, cell, odd, |a| {
            Some(a.as_primitive::<Decimal128Type>().value(0))
        });
    };
    if digits_lost(number) {
        return Err(Flaw::DigitsLost);
    }
    if let Some(value) = scaled(number, precision, scale) {
        return Ok(Some(value));
    }
    // The shortest text of the double is what was typed in: 0.1, where the file may say 0.10000000000000001.
    let mut text = Vec::new();
    format::float(number, &mut text)?;
    Ok(Some(parse::decimal(&text, precision, scale)?))
}

/// The decimal of at most 15 digits whose double this is. There is one at most, and it is the double's shortest text: doubles
/// keep 15 digits apart.
#[inline]
fn scaled(number: f64, precision: u8, scale: u8) -> Option<i128> {
    const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    let power = *POWERS.get(usize::from(scale)).filter(|_| precision >= 15)?;
    let digits = (number * power).round();
    // Both are exact, so the quotient is the double nearest to the decimal.
    let same = digits.abs() < 1e15 && digits / power == number;
    if same { whole(digits).map(i128::from) } else { None }
}

#[inline]
pub(crate) fn boolean(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<bool>, Flaw> {
    match cell.value {
        Value::Boolean => Ok(Some(cell.a == 1)),
        _ => by_text(cx, block, cell, odd, |a| Some(a.as_boolean().value(0))),
    }
}

/// Day and milliseconds of a cell whose number format says that it is a date.
#[inline]
fn moment(cx: &Context, block: &Block, cell: &Cell) -> Option<Result<(i32, i64), Flaw>> {
    if !matches!(cell.value, Value::Number | Value::Float)
        || !matches!(cx.styles.shown(cell.style), Shown::Date | Shown::DateTime | Shown::Time)
    {
        return None;
    }
    let moment = number_of(block, cell).and_then(|number| cx.epoch.moment(number));
    Some(moment.ok_or(Flaw::Value(FaultKind::NoSuchDate)))
}

#[inline]
pub(crate) fn date(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<i32>, Flaw> {
    match moment(cx, block, cell) {
        Some(Ok((days, 0))) => Ok(Some(days)),
        Some(Ok(_)) => Err(FaultKind::NotADate.into()),
        Some(Err(flaw)) => Err(flaw),
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Date32Type>().value(0))),
    }
}

#[inline]
pub(crate) fn timestamp(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    unit: TimeUnit,
) -> Result<Option<i64>, Flaw> {
    let Some(moment) = moment(cx, block, cell) else {
        return by_text(cx, block, cell, odd, |a| arrow_value_i64(a.as_ref()));
    };
    let (days, ms) = moment?;
    let ms = i64::from(days) * DAY + ms;
    match unit {
        TimeUnit::Second if ms % 1000 == 0 => Ok(Some(ms / 1000)),
        TimeUnit::Second => Err(FaultKind::OutOfRange.into()),
        TimeUnit::Millisecond => Ok(Some(ms)),
        TimeUnit::Microsecond => Ok(Some(ms * 1000)),
        TimeUnit::Nanosecond => Ok(Some(ms.checked_mul(1_000_000).ok_or(FaultKind::OutOfRange)?)),
    }
}

fn arrow_value_i64(array: &dyn Array) -> Option<i64> {
    array.to_data().buffers().first()?.typed_data::<i64>().first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_doubles_are_those_that_were_typed_in() {
        for (text, scale, digits) in [
            ("0.1", 2, 10),
            ("-12.5", 2, -1250),
            ("1234567890.07", 2, 123_456_789_007),
            ("0.000000001", 9, 1),
            ("4.35", 2, 435),
            ("1.005", 3, 1005),
            ("-0.29", 2, -29),
        ] {
            assert_eq!(scaled(text.parse().unwrap(), 18, scale), Some(digits), "{text}");
        }
        // Not of two decimals, and too long.
        for number in [1.005, 0.1 + 0.2, 1e15, f64::NAN, f64::INFINITY] {
            assert_eq!(scaled(number, 18, 2), None, "{number}");
        }
    }
}
