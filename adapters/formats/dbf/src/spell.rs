//! One value to the bytes of its field.

use fenhe_text::{Encoding, Unmappable};
use fenhe_values::FaultKind;
use fenhe_values::calendar::civil;

use crate::fields::{DAY, EPOCH};

/// Why a value has no bytes in its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The code page has not all characters.
    Characters,
    /// So many bytes, more than the field has.
    TooLong(usize),
    /// What the values room calls it.
    Value(FaultKind),
}

impl From<FaultKind> for Refusal {
    fn from(kind: FaultKind) -> Self {
        Self::Value(kind)
    }
}

/// Text, filled up with blanks.
pub(crate) fn text(
    value: &str,
    encoding: Encoding,
    scratch: &mut Vec<u8>,
    to: &mut [u8],
) -> Result<(), Refusal> {
    // ASCII is most of it, and the same in every code page of a table.
    if value.is_ascii() && encoding.is_ascii_superset() {
        return padded(value.as_bytes(), to);
    }
    scratch.clear();
    let _ = encoding
        .encode_into(value, Unmappable::Reject, scratch)
        .map_err(|_| Refusal::Characters)?;
    padded(scratch, to)
}

/// Bytes, filled up with blanks.
pub(crate) fn padded(bytes: &[u8], to: &mut [u8]) -> Result<(), Refusal> {
    let Some((head, rest)) = to.split_at_mut_checked(bytes.len()) else {
        return Err(Refusal::TooLong(bytes.len()));
    };
    head.copy_from_slice(bytes);
    rest.fill(b' ');
    Ok(())
}

/// A number of `scale` decimals into a field of `decimals`, right-justified.
pub(crate) fn number(value: i128, scale: u32, decimals: u32, to: &mut [u8]) -> Result<(), Refusal> {
    let value = rescale(value, scale, decimals)?;
    let mut digits = [0u8; 48];
    let mut at = digits.len();
    let mut put = |byte: u8| {
        at = at.saturating_sub(1);
        if let Some(to) = digits.get_mut(at) {
            *to = byte;
        }
    };
    let (mut left, mut written) = (value.unsigned_abs(), 0);
    while left > 0 || written <= decimals {
        if written == decimals && decimals > 0 {
            put(b'.');
        }
        put(b'0' + u8::try_from(left % 10).unwrap_or(0));
        left /= 10;
        written += 1;
    }
    if value < 0 {
        put(b'-');
    }
    let whole = value.unsigned_abs() / 10u128.checked_pow(decimals).unwrap_or(u128::MAX);
    let spelled = digits.get(at..).unwrap_or_default();
    if spelled.len() <= to.len() {
        return right(spelled, to);
    }
    // `0.5` fits a field of two as `.5`.
    let bare: Vec<u8> = match spelled {
        [b'-', b'0', rest @ ..] => [b'-'].into_iter().chain(rest.iter().copied()).collect(),
        [b'0', rest @ ..] => rest.to_vec(),
        _ => return Err(FaultKind::OutOfRange.into()),
    };
    if whole == 0 && decimals > 0 && bare.len() <= to.len() {
        return right(&bare, to);
    }
    Err(FaultKind::OutOfRange.into())
}

fn rescale(value: i128, scale: u32, decimals: u32) -> Result<i128, Refusal> {
    let power = |n: u32| 10i128.checked_pow(n).ok_or(Refusal::Value(FaultKind::OutOfRange));
    if decimals >= scale {
        return value.checked_mul(power(decimals - scale)?).ok_or(FaultKind::OutOfRange.into());
    }
    let factor = power(scale - decimals)?;
    if value % factor == 0 {
        Ok(value / factor)
    } else {
        Err(FaultKind::TooManyFractionDigits.into())
    }
}

/// A floating-point number in the fewest digits that name it, with the field's decimals.
pub(crate) fn float(value: f64, decimals: u8, to: &mut [u8]) -> Result<(), Refusal> {
    if !value.is_finite() {
        return Err(FaultKind::OutOfRange.into());
    }
    let plain = format!("{value}");
    let fraction = plain.split_once('.').map_or(0, |(_, f)| f.len());
    if fraction > usize::from(decimals) {
        return Err(FaultKind::TooManyFractionDigits.into());
    }
    let spelled = format!("{value:.*}", usize::from(decimals));
    right(spelled.as_bytes(), to)
}

fn right(bytes: &[u8], to: &mut [u8]) -> Result<(), Refusal> {
    let Some(blank) = to.len().checked_sub(bytes.len()) else {
        return Err(FaultKind::OutOfRange.into());
    };
    let (before, rest) = to.split_at_mut(blank);
    before.fill(b' ');
    rest.copy_from_slice(bytes);
    Ok(())
}

/// `YYYYMMDD`.
pub(crate) fn date(days: i32, to: &mut [u8]) -> Result<(), Refusal> {
    let (year, month, day) = civil(days).ok_or(FaultKind::OutOfRange)?;
    let mut left = year * 10_000 + month * 100 + day;
    for byte in to.iter_mut().rev() {
        *byte = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    Ok(())
}

/// Julian day number and milliseconds.
pub(crate) fn date_time(ms: i64, to: &mut [u8]) -> Result<(), Refusal> {
    let (days, time) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
    let known = i32::try_from(days).ok().and_then(civil);
    let day = u32::try_from(days + EPOCH).ok().filter(|_| known.is_some());
    let (Some(day), Ok(time)) = (day, u32::try_from(time)) else {
        return Err(FaultKind::OutOfRange.into());
    };
    exact(&[day.to_le_bytes(), time.to_le_bytes()].concat(), to)
}

/// `2026-01-02 03:04:05` with as many digits of milliseconds as the field has room for.
pub(crate) fn date_time_text(ms: i64, to: &mut [u8]) -> Result<(), Refusal> {
    let days = i32::try_from(ms.div_euclid(DAY)).map_err(|_| FaultKind::OutOfRange)?;
    let (year, month, day) = civil(days).ok_or(FaultKind::OutOfRange)?;
    let time = ms.rem_euclid(DAY);
    let (hour, minute) = (time / 3_600_000, time / 60_000 % 60);
    let (second, milli) = (time / 1000 % 60, time % 1000);
    let seconds = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    if milli == 0 {
        padded(seconds.as_bytes(), to)
    } else {
        padded(format!("{seconds}.{milli:03}").as_bytes(), to)
    }
}

/// Bytes that fill the field.
pub(crate) fn exact(bytes: &[u8], to: &mut [u8]) -> Result<(), Refusal> {
    if bytes.len() != to.len() {
        return Err(Refusal::TooLong(bytes.len()));
    }
    to.copy_from_slice(bytes);
    Ok(())
}

/// A V or Q value; whether it is shorter than its field, and so needs the length byte and the bit.
pub(crate) fn varying(bytes: &[u8], to: &mut [u8]) -> Result<bool, Refusal> {
    let room = to.len();
    let Some((head, rest)) = to.split_at_mut_checked(bytes.len()) else {
        return Err(Refusal::TooLong(bytes.len()));
    };
    head.copy_from_slice(bytes);
    rest.fill(0);
    let short = bytes.len() < room;
    if let (true, Some(last), Ok(length)) = (short, rest.last_mut(), u8::try_from(bytes.len())) {
        *last = length;
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(
        width: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), Refusal>,
    ) -> Result<String, Refusal> {
        let mut field = vec![b'#'; width];
        write(&mut field)?;
        Ok(String::from_utf8(field).unwrap())
    }

    #[test]
    fn numbers_stand_right_with_the_decimals_of_the_field() {
        for (value, scale, decimals, width, expected) in [
            (1250, 2, 2, 8, Ok("   12.50")),
            (-5, 2, 2, 6, Ok(" -0.05")),
            (0, 0, 0, 3, Ok("  0")),
            (0, 2, 2, 5, Ok(" 0.00")),
            (12, 0, 2, 5, Ok("12.00")),
            (1200, 2, 0, 3, Ok(" 12")),
            (1250, 2, 0, 3, Err(FaultKind::TooManyFractionDigits)),
            (1234, 0, 0, 3, Err(FaultKind::OutOfRange)),
            (5, 1, 1, 2, Ok(".5")),
            (-5, 1, 1, 3, Ok("-.5")),
            (15, 1, 1, 2, Err(FaultKind::OutOfRange)),
            (i128::MAX, 0, 0, 39, Ok("170141183460469231731687303715884105727")),
        ] {
            let got = spelled(width, |to| number(value, scale, decimals, to));
            assert_eq!(
                got.as_deref(),
                expected.map_err(Refusal::Value).as_ref().copied(),
                "{value}"
            );
        }
    }

    #[test]
    fn dates_and_times_are_spelled_as_the_fields_want_them() {
        assert_eq!(spelled(8, |to| date(20_455, to)).as_deref(), Ok("20260102"));
        let mut field = [0; 8];
        date_time(20_455 * DAY, &mut field).unwrap();
        assert_eq!(field, [0x73, 0x8D, 0x25, 0, 0, 0, 0, 0]);
        assert_eq!(
            spelled(19, |to| date_time_text(20_455 * DAY + 3_723_000, to)).as_deref(),
            Ok("2026-01-02 01:02:03")
        );
        assert_eq!(spelled(19, |to| date_time_text(1, to)), Err(Refusal::TooLong(23)));
    }

    #[test]
    fn text_that_does_not_fit_is_refused() {
        let mut scratch = Vec::new();
        let mut field = [0; 4];
        text("中国", Encoding::GBK, &mut scratch, &mut field).unwrap();
        assert_eq!(&field, b"\xD6\xD0\xB9\xFA");
        assert_eq!(
            text("中国人", Encoding::GBK, &mut scratch, &mut field),
            Err(Refusal::TooLong(6))
        );
        assert_eq!(text("😀", Encoding::GBK, &mut scratch, &mut field), Err(Refusal::Characters));
    }

    #[test]
    fn a_float_is_written_only_when_the_field_holds_all_of_it() {
        assert_eq!(spelled(8, |to| float(1.5, 2, to)).as_deref(), Ok("    1.50"));
        assert_eq!(
            spelled(8, |to| float(1.255, 2, to)),
            Err(FaultKind::TooManyFractionDigits.into())
        );
        assert_eq!(spelled(8, |to| float(f64::NAN, 2, to)), Err(FaultKind::OutOfRange.into()));
    }
}
