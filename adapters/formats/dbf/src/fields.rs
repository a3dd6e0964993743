//! The bytes of one field to one value. `Ok(None)` is absence as the dialect spells it.

use std::borrow::Cow;

use fenhe_values::{FaultKind, parse};

const BLANKS: u64 = 0x2020_2020_2020_2020;

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// Julian day number of 1970-01-01.
pub(crate) const EPOCH: i64 = 2_440_588;

/// Without blanks at the start, eight a step.
#[inline]
pub(crate) fn trim_start(mut field: &[u8]) -> &[u8] {
    while let Some((word, rest)) = field.split_first_chunk::<8>() {
        let odd = u64::from_le_bytes(*word) ^ BLANKS;
        if odd != 0 {
            return field.get(odd.trailing_zeros() as usize / 8..).unwrap_or_default();
        }
        field = rest;
    }
    while let [b' ', rest @ ..] = field {
        field = rest;
    }
    field
}

/// Without blanks and NUL bytes at the end, eight blanks a step. Neither is the second byte of any character.
#[inline]
pub(crate) fn trim_end(mut field: &[u8]) -> &[u8] {
    while let Some((rest, word)) = field.split_last_chunk::<8>() {
        let odd = u64::from_le_bytes(*word) ^ BLANKS;
        if odd != 0 {
            let kept = field.len() - odd.leading_zeros() as usize / 8;
            field = field.get(..kept).unwrap_or_default();
            break;
        }
        field = rest;
    }
    while let [rest @ .., b' ' | 0] = field {
        field = rest;
    }
    field
}

/// Blanks and NUL bytes around a number.
#[inline]
fn number_of(field: &[u8]) -> &[u8] {
    let field = trim_start(field);
    match field.last() {
        Some(b' ' | 0) => trim_end(field),
        _ => field,
    }
}

/// N and F without decimals.
#[inline]
pub(crate) fn integer(field: &[u8]) -> Result<Option<i64>, FaultKind> {
    let digits = number_of(field);
    match parse::int(digits) {
        Ok(value) => Ok(Some(value)),
        Err(kind) => match odd_number(digits, kind, 18, 0)? {
            Some(value) => i64::try_from(value).map(Some).map_err(|_| FaultKind::OutOfRange),
            None => Ok(None),
        },
    }
}

/// N and F with decimals.
#[inline]
pub(crate) fn decimal(field: &[u8], precision: u8, scale: u8) -> Result<Option<i128>, FaultKind> {
    let digits = number_of(field);
    match parse::decimal(digits, precision, scale) {
        Ok(value) => Ok(Some(value)),
        Err(kind) => odd_number(digits, kind, precision, scale),
    }
}

/// What other writers leave in a number: nothing, a lone point for nothing, a decimal comma, an exponent.
#[cold]
fn odd_number(
    digits: &[u8],
    kind: FaultKind,
    precision: u8,
    scale: u8,
) -> Result<Option<i128>, FaultKind> {
    if digits.is_empty() || digits == b"." || digits.iter().all(|b| matches!(b, 0 | b' ')) {
        return Ok(None);
    }
    if kind != FaultKind::NotANumber {
        return Err(kind);
    }
    let mut plain = Cow::Borrowed(digits);
    if digits.contains(&b',') && !digits.contains(&b'.') {
        plain = digits.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect();
    }
    if plain.iter().any(|b| matches!(b, b'e' | b'E')) {
        plain = Cow::Owned(without_exponent(&plain).ok_or(FaultKind::NotANumber)?);
    }
    parse::decimal(&plain, precision, scale).map(Some)
}

/// `1.25e+003` as `1250.`: exactly, by moving the point.
fn without_exponent(number: &[u8]) -> Option<Vec<u8>> {
    let at = number.iter().position(|b| matches!(b, b'e' | b'E'))?;
    let (mantissa, exponent) = (number.get(..at)?, number.get(at + 1..)?);
    let exponent = parse::int(exponent).ok().filter(|e| e.unsigned_abs() <= 400)?;
    let sign = mantissa.first().copied().filter(|b| matches!(b, b'-' | b'+'));
    let mantissa = mantissa.get(usize::from(sign.is_some())..)?;
    let point = mantissa.iter().position(|b| *b == b'.').unwrap_or(mantissa.len());
    let digits: Vec<u8> = mantissa.iter().copied().filter(|b| *b != b'.').collect();
    let point = i64::try_from(point).ok()?.checked_add(exponent)?;
    let mut plain: Vec<u8> = sign.into_iter().collect();
    if let Ok(point) = usize::try_from(point) {
        plain.extend(digits.iter().take(point));
        plain.extend(std::iter::repeat_n(b'0', point.saturating_sub(digits.len())));
        plain.push(b'.');
        plain.extend(digits.iter().skip(point));
    } else {
        plain.push(b'.');
        plain.extend(std::iter::repeat_n(b'0', usize::try_from(point.unsigned_abs()).ok()?));
        plain.extend(&digits);
    }
    Some(plain)
}

/// Whether a number field holds the stars of a value that did not fit.
pub(crate) fn is_overflow(field: &[u8]) -> bool {
    let stars = number_of(field);
    !stars.is_empty() && stars.iter().all(|b| *b == b'*')
}

/// D: days since 1970-01-01.
#[inline]
pub(crate) fn date(field: &[u8]) -> Result<Option<i32>, FaultKind> {
    match parse::date_compact(field) {
        Ok(days) => Ok(Some(days)),
        Err(kind) => blank_date(field, kind),
    }
}

#[cold]
fn blank_date(field: &[u8], kind: FaultKind) -> Result<Option<i32>, FaultKind> {
    let one = |byte: u8| field.iter().all(|b| *b == byte);
    if one(b' ') || one(b'0') || one(0) { Ok(None) } else { Err(kind) }
}

/// L.
#[inline]
pub(crate) fn logical(field: &[u8]) -> Result<Option<bool>, FaultKind> {
    match field.first() {
        Some(b'T' | b't' | b'Y' | b'y') => Ok(Some(true)),
        Some(b'F' | b'f' | b'N' | b'n') => Ok(Some(false)),
        None | Some(b'?' | b' ' | 0) => Ok(None),
        Some(_) => Err(FaultKind::NotABoolean),
    }
}

/// B of Visual FoxPro.
#[inline]
pub(crate) fn double(field: &[u8]) -> Option<f64> {
    field.first_chunk::<8>().map(|b| f64::from_le_bytes(*b))
}

/// O of dBASE 7: big-endian, made to sort as bytes (positive: sign bit set; negative: all bits inverted).
#[inline]
pub(crate) fn double_seven(field: &[u8]) -> Option<f64> {
    let bits = u64::from_be_bytes(*field.first_chunk::<8>()?);
    if bits == 0 {
        return None;
    }
    Some(f64::from_bits(if bits >> 63 == 1 { bits ^ (1 << 63) } else { !bits }))
}

/// The inverse of [`double_seven`].
pub(crate) fn to_double_seven(value: f64) -> [u8; 8] {
    let bits = value.to_bits();
    (if bits >> 63 == 0 { bits ^ (1 << 63) } else { !bits }).to_be_bytes()
}

/// I of Visual FoxPro.
#[inline]
pub(crate) fn int32(field: &[u8]) -> Option<i32> {
    field.first_chunk::<4>().map(|b| i32::from_le_bytes(*b))
}

/// I and + of dBASE 7: big-endian, sign bit inverted; all zero is blank.
#[inline]
pub(crate) fn int32_seven(field: &[u8]) -> Option<i32> {
    let bits = u32::from_be_bytes(*field.first_chunk::<4>()?);
    (bits != 0).then(|| (bits ^ (1 << 31)).cast_signed())
}

/// Y: ten-thousandths.
#[inline]
pub(crate) fn currency(field: &[u8]) -> Option<i128> {
    field.first_chunk::<8>().map(|b| i128::from(i64::from_le_bytes(*b)))
}

/// T: Julian day number and milliseconds since midnight, as milliseconds since 1970-01-01.
#[inline]
pub(crate) fn date_time(field: &[u8], round: bool) -> Result<Option<i64>, FaultKind> {
    let Some((day, rest)) = field.split_first_chunk::<4>() else { return Ok(None) };
    let Some(time) = rest.first_chunk::<4>() else { return Ok(None) };
    if (day, time) == (&[0; 4], &[0; 4]) || (day, time) == (b"    ", b"    ") {
        return Ok(None);
    }
    let (day, time) = (u32::from_le_bytes(*day), i64::from(u32::from_le_bytes(*time)));
    let days = i64::from(day) - EPOCH;
    let known = i32::try_from(days).ok().and_then(fenhe_values::calendar::civil);
    // Rounding noise may reach the next midnight.
    if known.is_none() || time > DAY {
        return Err(FaultKind::NoSuchDate);
    }
    let time = match time % 1000 {
        1 if round => time - 1,
        999 if round => time + 1,
        _ => time,
    };
    Ok(Some(days * DAY + time))
}

/// Length of a V or Q value in a field of this many bytes; its last byte says it when the value is shorter.
pub(crate) fn varying(field: &[u8], short: bool) -> Option<&[u8]> {
    if !short {
        return Some(field);
    }
    let (length, room) = field.split_last()?;
    room.get(..usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_by_words_agrees_with_trimming_by_bytes() {
        for length in 0..40usize {
            for blanks in 0..=length {
                let mut field = vec![b'x'; length - blanks];
                field.extend(std::iter::repeat_n(b' ', blanks));
                assert_eq!(trim_end(&field).len(), length - blanks);
                field.reverse();
                assert_eq!(trim_start(&field).len(), length - blanks);
            }
        }
        assert_eq!(trim_end(b"ab cd  \0\0 \0"), b"ab cd");
        assert_eq!(trim_end(b"\x81\x20"), b"\x81");
    }

    #[test]
    fn numbers_are_read_in_every_spelling_of_the_field() {
        for (field, expected) in [
            (&b"      12"[..], Ok(Some(1200))),
            (b"-1.5", Ok(Some(-150))),
            (b"    1,25", Ok(Some(125))),
            (b"        ", Ok(None)),
            (b"    .   ", Ok(None)),
            (b"\0\0\0\0", Ok(None)),
            (b"12.5\0\0", Ok(Some(1250))),
            (b" 1.25000e+003", Ok(Some(125_000))),
            (b"-2.5E-01", Ok(Some(-25))),
            (b"1e-3", Err(FaultKind::TooManyFractionDigits)),
            (b"1e999", Err(FaultKind::NotANumber)),
            (b"*****", Err(FaultKind::NotANumber)),
            (b"1 2", Err(FaultKind::NotANumber)),
            (b"1.255", Err(FaultKind::TooManyFractionDigits)),
            (b"12345678901", Err(FaultKind::OutOfRange)),
        ] {
            assert_eq!(decimal(field, 10, 2), expected, "{}", String::from_utf8_lossy(field));
        }
        assert_eq!(integer(b"     -42"), Ok(Some(-42)));
        assert_eq!(integer(b"1.00000e+02"), Ok(Some(100)));
        assert!(is_overflow(b"*****") && !is_overflow(b"    ") && !is_overflow(b"**1**"));
    }

    #[test]
    fn dates_are_digits_or_nothing() {
        assert_eq!(date(b"20260102"), Ok(Some(20_455)));
        for absent in [b"        ", b"00000000", &[0; 8]] {
            assert_eq!(date(absent), Ok(None));
        }
        assert_eq!(date(b"20260230"), Err(FaultKind::NoSuchDate));
        assert_eq!(date(b"2026012 "), Err(FaultKind::NotADate));
    }

    #[test]
    fn date_times_count_julian_days() {
        // formats.md, section I: JDN 2461043 is 2026-01-02.
        let field = |day: u32, ms: u32| [day.to_le_bytes(), ms.to_le_bytes()].concat();
        assert_eq!(field(2_461_043, 0), [0x73, 0x8D, 0x25, 0, 0, 0, 0, 0]);
        assert_eq!(date_time(&field(2_461_043, 0), false), Ok(Some(20_455 * DAY)));
        assert_eq!(date_time(&field(2_461_043, 59_999), true), Ok(Some(20_455 * DAY + 60_000)));
        assert_eq!(date_time(&field(2_461_043, 59_999), false), Ok(Some(20_455 * DAY + 59_999)));
        assert_eq!(date_time(&[0; 8], false), Ok(None));
        assert_eq!(date_time(b"        ", false), Ok(None));
        assert_eq!(date_time(&[0xFF; 8], false), Err(FaultKind::NoSuchDate));
        assert_eq!(date_time(&field(2_461_043, 90_000_000), false), Err(FaultKind::NoSuchDate));
    }

    #[test]
    fn binary_numbers_follow_their_dialect() {
        // formats.md, section I: Y 10 27 00 .. is 1.0000.
        assert_eq!(currency(&[0x10, 0x27, 0, 0, 0, 0, 0, 0]), Some(10_000));
        assert_eq!(int32(&[0xFE, 0xFF, 0xFF, 0xFF]), Some(-2));
        assert_eq!(int32_seven(&[0x80, 0, 0, 5]), Some(5));
        assert_eq!(int32_seven(&[0x7F, 0xFF, 0xFF, 0xFE]), Some(-2));
        assert_eq!(int32_seven(&[0; 4]), None);
        for value in [0.0, 1.5, -1.5, f64::MAX, f64::MIN] {
            assert_eq!(double_seven(&to_double_seven(value)), Some(value));
        }
        assert!(to_double_seven(-2.0) < to_double_seven(-1.0));
        assert!(to_double_seven(-1.0) < to_double_seven(1.0));
    }

    #[test]
    fn the_last_byte_of_a_short_varchar_is_its_length() {
        assert_eq!(varying(b"abcde", false), Some(&b"abcde"[..]));
        assert_eq!(varying(b"ab  \x02", true), Some(&b"ab"[..]));
        assert_eq!(varying(b"ab  \x05", true), None);
        assert_eq!(varying(b"\0", true), Some(&b""[..]));
    }
}
