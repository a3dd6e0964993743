//! Times and timestamps as the text that SQLite's own functions read: `YYYY-MM-DD HH:MM:SS.fff`
//! (<https://www.sqlite.org/lang_datefunc.html> section 2), with as many digits as the unit has.

use arrow_schema::TimeUnit;
use fenhe_values::{FaultKind, format, parse};

const DAY: i64 = 86_400;

/// Units in a second, and the digits of its fraction.
pub(crate) fn per_second(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

/// Reads a timestamp as a number of units. With `zone` the text has to say where it counts from (`Z`, `+08:00`)
/// and the result is UTC; without, it must not.
pub(crate) fn parse_timestamp(text: &[u8], unit: TimeUnit, zone: bool) -> Result<i64, FaultKind> {
    if let Some(day) = Some(text).filter(|t| t.len() == 10 && !zone) {
        let (units, _) = per_second(unit);
        let seconds = i64::from(parse::date_iso(day)?) * DAY;
        return seconds.checked_mul(units).ok_or(FaultKind::OutOfRange);
    }
    let (stamp, rest) = text.split_at_checked(19).ok_or(FaultKind::NotADate)?;
    let (fraction, rest) = fraction(rest, unit)?;
    let offset = match (zone, rest) {
        (false, b"") => 0,
        (true, rest) => offset(rest)?,
        _ => return Err(FaultKind::NotADate),
    };
    let seconds = parse::timestamp_iso(stamp)? - offset;
    let (units, _) = per_second(unit);
    seconds.checked_mul(units).and_then(|n| n.checked_add(fraction)).ok_or(FaultKind::OutOfRange)
}

/// Reads a time of day as microseconds.
pub(crate) fn parse_time(text: &[u8]) -> Result<i64, FaultKind> {
    // The same rules as for a timestamp, on a day of no meaning.
    let mut stamp = b"1970-01-01 ".to_vec();
    stamp.extend_from_slice(text);
    parse_timestamp(&stamp, TimeUnit::Microsecond, false)
}

/// Appends a timestamp; with `zone` the value is UTC and says so.
pub(crate) fn write_timestamp(
    value: i64,
    unit: TimeUnit,
    zone: bool,
    out: &mut Vec<u8>,
) -> Result<(), FaultKind> {
    let (units, _) = per_second(unit);
    let seconds = value.div_euclid(units);
    let days = i32::try_from(seconds.div_euclid(DAY)).map_err(|_| FaultKind::NotInPattern)?;
    format::date_iso(days, out)?;
    out.push(b' ');
    write_time(value.rem_euclid(units.saturating_mul(DAY)), unit, out);
    if zone {
        out.push(b'Z');
    }
    Ok(())
}

/// Appends a time of day.
pub(crate) fn write_time(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let (units, digits) = per_second(unit);
    let seconds = value.div_euclid(units);
    padded(seconds / 3_600, 2, out);
    out.push(b':');
    padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    padded(seconds % 60, 2, out);
    if digits > 0 {
        out.push(b'.');
        padded(value.rem_euclid(units), digits, out);
    }
}

/// The digits behind a point in units, and what follows them.
fn fraction(rest: &[u8], unit: TimeUnit) -> Result<(i64, &[u8]), FaultKind> {
    let Some((b'.', rest)) = rest.split_first() else { return Ok((0, rest)) };
    let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(length).unwrap_or((rest, b""));
    let (_, wanted) = per_second(unit);
    if digits.is_empty() {
        return Err(FaultKind::NotADate);
    }
    if digits.iter().skip(wanted).any(|d| *d != b'0') {
        return Err(FaultKind::TooManyFractionDigits);
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(wanted);
    Ok((padded.fold(0, |n, d| n * 10 + i64::from(d - b'0')), rest))
}

/// `Z`, `+08:00` or `-0330` in seconds.
fn offset(rest: &[u8]) -> Result<i64, FaultKind> {
    let number = |tens: u8, ones: u8| match (tens, ones) {
        (b'0'..=b'9', b'0'..=b'9') => Ok(i64::from(tens - b'0') * 10 + i64::from(ones - b'0')),
        _ => Err(FaultKind::NotADate),
    };
    match rest {
        b"Z" | b"z" => Ok(0),
        [sign @ (b'+' | b'-'), a, b, b':', c, d] | [sign @ (b'+' | b'-'), a, b, c, d] => {
            let seconds = number(*a, *b)? * 3_600 + number(*c, *d)? * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err(FaultKind::NotADate),
    }
}

fn padded(value: i64, width: usize, out: &mut Vec<u8>) {
    let mut place = 10_i64.saturating_pow(u32::try_from(width).unwrap_or(0));
    while place > 1 {
        place /= 10;
        out.push(b'0' + u8::try_from(value / place % 10).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_back_what_was_written() {
        // Seconds from `date -u -d '2024-02-29 23:59:58' +%s`.
        let cases = [
            ("2024-02-29 23:59:58", TimeUnit::Second, false, 1_709_251_198),
            ("2024-02-29 23:59:58.123", TimeUnit::Millisecond, false, 1_709_251_198_123),
            ("1969-12-31 23:59:59.999999", TimeUnit::Microsecond, false, -1),
            (
                "2024-02-29 23:59:58.123456789Z",
                TimeUnit::Nanosecond,
                true,
                1_709_251_198_123_456_789,
            ),
        ];
        for (text, unit, zone, value) in cases {
            assert_eq!(parse_timestamp(text.as_bytes(), unit, zone), Ok(value), "{text}");
            let mut out = Vec::new();
            write_timestamp(value, unit, zone, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn other_spellings_are_read_and_wrong_ones_are_not() {
        let read = |text: &str, zone| parse_timestamp(text.as_bytes(), TimeUnit::Second, zone);
        assert_eq!(read("2024-02-29T23:59:58.000", false), Ok(1_709_251_198));
        assert_eq!(read("2024-03-01 07:59:58+08:00", true), Ok(1_709_251_198));
        assert_eq!(read("2024-02-29", false), Ok(1_709_251_198 - 86_398));
        for (text, zone) in [
            ("2024-02-30 00:00:00", false),
            ("2024-02-29 23:59:58Z", false),
            ("2024-02-29 23:59:58", true),
            ("2024-02-29 23:59:58.5", false),
            ("2024-02-29 23:59:58.", false),
            ("费用", false),
            ("", false),
        ] {
            assert!(read(text, zone).is_err(), "{text}");
        }
        assert_eq!(parse_time(b"23:59:58.5"), Ok(86_398_500_000));
    }
}
