//! Values appended to bytes in the plain spelling: the inverse of [`parse`](crate::parse), without a `String` per value.

use std::io::Write;

use arrow_buffer::i256;

use crate::calendar;
use crate::fault::FaultKind;

/// All two-digit numbers.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "below 100")]
const PAIRS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        table[i] = [b'0' + i as u8 / 10, b'0' + i as u8 % 10];
        i += 1;
    }
    table
};

/// Appends a whole number.
pub fn int(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    uint(value.unsigned_abs(), out);
}

/// Appends an unsigned whole number.
pub fn uint(value: u64, out: &mut Vec<u8>) {
    if value < 100 {
        let pair = pair(value);
        out.extend_from_slice(if value < 10 { &pair[1..] } else { &pair });
        return;
    }
    let mut buffer = [0; DIGITS];
    let at = put(value, 1, DIGITS, &mut buffer);
    out.extend_from_slice(buffer.get(at..).unwrap_or_default());
}

/// Appends a decimal with every digit of its scale: 1250 of scale 2 is `12.50`.
///
/// ```
/// use fenhe_values::format;
/// let mut out = Vec::new();
/// format::decimal(-5, 2, &mut out);
/// assert_eq!(out, b"-0.05");
/// ```
pub fn decimal(value: i128, scale: u8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = [0; DIGITS];
    let scale = usize::from(scale);
    let digits = digits(value.unsigned_abs(), scale + 1, &mut buffer);
    let (whole, fraction) = digits.split_at(digits.len() - scale.min(digits.len()));
    out.extend_from_slice(whole);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// Appends a decimal of up to 76 digits; see [`decimal`].
pub fn decimal256(value: i256, scale: u8, out: &mut Vec<u8>) {
    if value.is_negative() {
        out.push(b'-');
    }
    let mut buffer = [0; DIGITS];
    let digits = wide_digits(value, usize::from(scale) + 1, &mut buffer);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale).min(digits.len()));
    out.extend_from_slice(whole);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// Appends the shortest number that reads back as the same `f64`.
///
/// # Errors
/// [`FaultKind::NotANumber`] for infinities and NaN.
pub fn float(value: f64, out: &mut Vec<u8>) -> Result<(), FaultKind> {
    if !value.is_finite() {
        return Err(FaultKind::NotANumber);
    }
    // Writing to a Vec cannot fail.
    let _ = if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
    Ok(())
}

/// Appends the shortest number that reads back as the same `f32`.
///
/// # Errors
/// As [`float`].
pub fn float32(value: f32, out: &mut Vec<u8>) -> Result<(), FaultKind> {
    if !value.is_finite() {
        return Err(FaultKind::NotANumber);
    }
    let _ = if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    };
    Ok(())
}

/// Appends `YYYY-MM-DD` for days since 1970-01-01.
///
/// # Errors
/// [`FaultKind::NotInPattern`] outside the years 1 to 9999.
#[inline]
pub fn date_iso(days: i32, out: &mut Vec<u8>) -> Result<(), FaultKind> {
    let (year, month, day) = calendar::civil(days).ok_or(FaultKind::NotInPattern)?;
    let [[y3, y2], [y1, y0]] = [pair((year / 100).into()), pair((year % 100).into())];
    let [[m1, m0], [d1, d0]] = [pair(month.into()), pair(day.into())];
    out.extend_from_slice(&[y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0]);
    Ok(())
}

/// Appends `YYYYMMDD` for days since 1970-01-01.
///
/// # Errors
/// As [`date_iso`].
#[inline]
pub fn date_compact(days: i32, out: &mut Vec<u8>) -> Result<(), FaultKind> {
    let (year, month, day) = calendar::civil(days).ok_or(FaultKind::NotInPattern)?;
    let [[y3, y2], [y1, y0]] = [pair((year / 100).into()), pair((year % 100).into())];
    let [[m1, m0], [d1, d0]] = [pair(month.into()), pair(day.into())];
    out.extend_from_slice(&[y3, y2, y1, y0, m1, m0, d1, d0]);
    Ok(())
}

/// Appends `HH:mm:ss` for seconds since midnight, below 86,400.
#[inline]
pub(crate) fn time_iso(seconds: u32, out: &mut Vec<u8>) {
    let [h1, h0] = pair((seconds / 3600).into());
    let [m1, m0] = pair((seconds / 60 % 60).into());
    let [s1, s0] = pair((seconds % 60).into());
    out.extend_from_slice(&[h1, h0, b':', m1, m0, b':', s1, s0]);
}

/// Appends pairs of lower-case hexadecimal digits.
pub fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Appends base64 (RFC 4648 clause 4) with padding.
pub fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4usize {
            let sextet = word >> (18 - 6 * at) & 63;
            let symbol = SYMBOLS.get(sextet as usize).copied().unwrap_or(b'=');
            out.push(if at > group.len() { b'=' } else { symbol });
        }
    }
}

/// Room for 77 digits.
pub(crate) const DIGITS: usize = 80;

/// At least `least` digits of a number, at the end of the buffer.
pub(crate) fn digits(value: u128, least: usize, buffer: &mut [u8; DIGITS]) -> &[u8] {
    const SPLIT: u128 = 10_000_000_000_000_000_000;
    let mut at = DIGITS;
    let mut rest = value;
    // Words of 64 bits divide faster: nineteen digits at a time.
    while let Err(_large) = u64::try_from(rest) {
        let low = u64::try_from(rest % SPLIT).unwrap_or(0);
        rest /= SPLIT;
        at = put(low, 19, at, buffer);
    }
    at = put(u64::try_from(rest).unwrap_or(0), 0, at, buffer);
    pad(at, least, buffer)
}

/// The digits of the magnitude of a 256-bit number.
pub(crate) fn wide_digits(value: i256, least: usize, buffer: &mut [u8; DIGITS]) -> &[u8] {
    let ten = i256::from_i128(10);
    let mut at = DIGITS;
    let mut rest = value;
    while rest != i256::ZERO {
        // The remainder has the sign of the number: -9 to 9.
        let digit = rest.wrapping_rem(ten).to_i128().unwrap_or(0).unsigned_abs();
        rest = rest.wrapping_div(ten);
        at -= 1;
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'0' + u8::try_from(digit).unwrap_or(0);
        }
    }
    pad(at, least, buffer)
}

/// The two digits of a number below 100.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "below 100")]
fn pair(value: u64) -> [u8; 2] {
    PAIRS.get(value as usize).copied().unwrap_or([b'0'; 2])
}

/// Writes the digits of `value`, at least `least`, before place `at`; the place of the first one.
fn put(value: u64, least: usize, at: usize, buffer: &mut [u8; DIGITS]) -> usize {
    let (mut rest, mut at, end) = (value, at, at);
    while rest > 0 {
        let pair = PAIRS.get((rest % 100) as usize).copied().unwrap_or([b'0'; 2]);
        // The first pair may have one digit only.
        let used = if rest < 10 { 1 } else { 2 };
        rest /= 100;
        at -= used;
        if let (Some(slots), Some(source)) = (buffer.get_mut(at..at + used), pair.get(2 - used..)) {
            slots.copy_from_slice(source);
        }
    }
    while end - at < least {
        at -= 1;
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'0';
        }
    }
    at
}

fn pad(mut at: usize, least: usize, buffer: &mut [u8; DIGITS]) -> &[u8] {
    while DIGITS - at < least.min(DIGITS) {
        at -= 1;
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'0';
        }
    }
    buffer.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn base64_writes_the_vectors_of_rfc_4648() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(text(|out| base64(bytes.as_bytes(), out)), expected);
        }
    }

    #[test]
    fn decimals_keep_their_zeros() {
        for (value, scale, expected) in [
            (0, 2, "0.00"),
            (5, 0, "5"),
            (-5, 3, "-0.005"),
            (1250, 2, "12.50"),
            (1, 38, &format!("0.{:038}", 1)),
        ] {
            assert_eq!(text(|out| decimal(value, scale, out)), expected);
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_spelled_as_the_standard_library_spells_them(value: i64, wide: u128) {
            prop_assert_eq!(text(|out| int(value, out)), value.to_string());
            prop_assert_eq!(text(|out| out.extend_from_slice(digits(wide, 1, &mut [0; DIGITS]))), wide.to_string());
            for small in [0, 1, 9, 10, 99, 100, i64::MIN, i64::MAX] {
                prop_assert_eq!(text(|out| int(small, out)), small.to_string());
            }
        }

        #[test]
        fn wide_decimals_are_spelled_as_arrow_spells_them(high: i128, low: u128) {
            let value = i256::from_parts(low, high);
            prop_assert_eq!(text(|out| decimal256(value, 0, out)), value.to_string());
        }

        #[test]
        fn what_is_written_reads_back(value in -(10i128.pow(38) - 1)..10i128.pow(38), scale in 0u8..=38, float_bits: u64, single: u32, days in -719_162i32..=2_932_896) {
            prop_assert_eq!(parse::decimal(text(|out| decimal(value, scale, out)).as_bytes(), 38, scale), Ok(value));
            let number = f64::from_bits(float_bits);
            if number.is_finite() {
                let spelled = text(|out| float(number, out).unwrap());
                prop_assert_eq!(parse::float(spelled.as_bytes()).map(f64::to_bits), Ok(float_bits), "{}", spelled);
            }
            let number = f32::from_bits(single);
            if number.is_finite() {
                let spelled = text(|out| float32(number, out).unwrap());
                prop_assert_eq!(spelled.parse::<f32>().map(f32::to_bits), Ok(single));
            }
            prop_assert_eq!(parse::date_iso(text(|out| date_iso(days, out).unwrap()).as_bytes()), Ok(days));
            prop_assert_eq!(parse::date_compact(text(|out| date_compact(days, out).unwrap()).as_bytes()), Ok(days));
        }

        #[test]
        fn bytes_read_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            prop_assert_eq!(parse::hex(text(|out| hex(&bytes, out)).as_bytes(), &mut a), Ok(()));
            prop_assert_eq!(parse::base64(text(|out| base64(&bytes, out)).as_bytes(), &mut b), Ok(()));
            prop_assert_eq!((&a, &b), (&bytes, &bytes));
        }
    }
}
