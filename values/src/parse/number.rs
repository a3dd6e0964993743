//! Numbers: `-12.50`.

use arrow_buffer::i256;

use crate::fault::FaultKind;

/// Powers of ten that fit a `u128`.
#[expect(clippy::indexing_slicing, reason = "made by the compiler, which sees every place")]
const POWERS: [u128; 39] = {
    let mut table = [1u128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Eight digits 0.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The digits of a number as one integer, and how many of them follow the decimal mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scaled<T> {
    pub(crate) negative: bool,
    pub(crate) digits: T,
    pub(crate) fraction: usize,
}

/// Reads a signed whole number: `42`, `-7`, `+0012`. Fraction digits are allowed when they are zero (`42.00`).
///
/// # Errors
/// [`FaultKind::NotANumber`], [`FaultKind::OutOfRange`], [`FaultKind::TooManyFractionDigits`].
///
/// ```
/// use fenhe_values::{FaultKind, parse};
/// assert_eq!(parse::int(b"-0042"), Ok(-42));
/// assert_eq!(parse::int(b"9223372036854775808"), Err(FaultKind::OutOfRange));
/// assert_eq!(parse::int(b"1.5"), Err(FaultKind::TooManyFractionDigits));
/// ```
#[inline]
pub fn int(bytes: &[u8]) -> Result<i64, FaultKind> {
    let (negative, digits) = split_sign(bytes);
    match plain_digits(digits) {
        // At most 18 digits: below 2^63.
        Some(value) if negative => Ok(value.cast_signed().wrapping_neg()),
        Some(value) => Ok(value.cast_signed()),
        None => int_slow(bytes),
    }
}

/// Reads an unsigned whole number; see [`int`].
///
/// # Errors
/// As [`int`]; a minus sign before anything but zero is [`FaultKind::OutOfRange`].
#[inline]
pub fn uint(bytes: &[u8]) -> Result<u64, FaultKind> {
    match plain_digits(bytes) {
        Some(value) => Ok(value),
        None => whole(bytes).and_then(|v| u64::try_from(v).map_err(|_| FaultKind::OutOfRange)),
    }
}

/// Reads a decimal number exactly, as a multiple of 10^-scale. No binary fraction is involved.
///
/// # Errors
/// [`FaultKind::OutOfRange`] when the number needs more than `precision` digits; [`FaultKind::TooManyFractionDigits`] when
/// it has digits other than zero beyond the scale.
///
/// ```
/// use fenhe_values::{FaultKind, parse};
/// assert_eq!(parse::decimal(b"-12.5", 10, 2), Ok(-1250));
/// assert_eq!(parse::decimal(b"0.1000", 10, 2), Ok(10));
/// assert_eq!(parse::decimal(b"0.101", 10, 2), Err(FaultKind::TooManyFractionDigits));
/// assert_eq!(parse::decimal(b"100", 4, 2), Err(FaultKind::OutOfRange));
/// ```
#[inline]
pub fn decimal(bytes: &[u8], precision: u8, scale: u8) -> Result<i128, FaultKind> {
    if let Some(value) = full_scale(bytes, precision, scale) {
        return Ok(value);
    }
    let read = scaled(bytes)?;
    rescale(read, precision, scale)
}

/// A short whole number at the end of `head`, without a loop: one load that ends where the number ends, so the length
/// costs no branch. `length` counts the sign. `None`: ask [`int`].
#[inline(always)]
pub(crate) fn int_at_end(head: &[u8], length: usize) -> Option<i64> {
    let word = u64::from_le_bytes(*head.last_chunk::<8>()?);
    if length > 8 || length == 0 {
        return None;
    }
    let negative = head.get(head.len().checked_sub(length)?) == Some(&b'-');
    let digits = length - usize::from(negative);
    if digits == 0 {
        return None;
    }
    // The bytes before the digits become zeros.
    let keep = u64::MAX << (8 * (8 - digits));
    let value = eight_digits((word & keep | ZEROS & !keep).to_le_bytes())?.cast_signed();
    Some(if negative { -value } else { value })
}

/// Decimals in the usual spelling, with the mark where the scale has it, without a loop: see [`int_at_end`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedPoint {
    scale: usize,
    /// Where the fraction stands in sixteen bytes that end with it.
    fraction: u128,
    limit: u128,
}

impl FixedPoint {
    /// `None`: no fraction, or one that leaves no room for digits before the mark.
    pub(crate) fn new(precision: u8, scale: u8) -> Option<Self> {
        let limit = power_of_ten(usize::from(precision))?;
        let scale = usize::from(scale);
        (1..=14).contains(&scale).then(|| Self {
            scale,
            fraction: u128::MAX << (8 * (16 - scale)),
            limit,
        })
    }

    /// The decimal of `length` bytes at the end of `head`. `None`: ask [`decimal`].
    #[inline(always)]
    pub(crate) fn read(&self, head: &[u8], length: usize) -> Option<i128> {
        let word = u128::from_le_bytes(*head.last_chunk::<16>()?);
        let negative = head.get(head.len().checked_sub(length)?) == Some(&b'-');
        // A digit before the mark, the mark, the fraction; and sixteen bytes hold them all.
        let unsigned = length - usize::from(negative);
        if unsigned < self.scale + 2 || unsigned > 16 {
            return None;
        }
        if head.get(head.len() - 1 - self.scale) != Some(&b'.') {
            return None;
        }
        // The whole part moves over the mark; the bytes before it become zeros.
        let joined = word & self.fraction | word << 8 & !self.fraction;
        let keep = u128::MAX << (8 * (17 - unsigned));
        let zeros = u128::from(ZEROS) << 64 | u128::from(ZEROS);
        let digits = joined & keep | zeros & !keep;
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
        let [high, low] = [digits as u64, (digits >> 64) as u64];
        let high = eight_digits(high.to_le_bytes())?;
        let low = eight_digits(low.to_le_bytes())?;
        // Sixteen digits.
        let value = u128::from(high.wrapping_mul(100_000_000).wrapping_add(low));
        if value >= self.limit {
            return None;
        }
        let value = value.cast_signed();
        Some(if negative { -value } else { value })
    }
}

/// The usual spelling: up to 18 digits with the mark where the scale has it.
#[inline]
fn full_scale(bytes: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, unsigned) = split_sign(bytes);
    let scale = usize::from(scale);
    let mark = unsigned.len().checked_sub(scale + 1)?;
    if scale == 0 || unsigned.len() > 18 || unsigned.get(mark) != Some(&b'.') {
        return None;
    }
    let (whole, fraction) = (unsigned.get(..mark)?, unsigned.get(mark + 1..)?);
    // At most 17 digits in all: no product or sum leaves 64 bits.
    let factor = u64::try_from(*POWERS.get(scale)?).ok()?;
    let value = plain_digits(whole)?.wrapping_mul(factor).wrapping_add(plain_digits(fraction)?);
    if u128::from(value) >= *POWERS.get(usize::from(precision))? {
        return None;
    }
    let value = i128::from(value);
    Some(if negative { -value } else { value })
}

/// Reads a decimal number of up to 76 digits; see [`decimal`].
///
/// # Errors
/// As [`decimal`].
pub fn decimal256(bytes: &[u8], precision: u8, scale: u8) -> Result<i256, FaultKind> {
    rescale_wide(scaled_wide(bytes)?, precision, scale)
}

/// Reads a binary floating-point number, rounded to nearest: `1.5`, `-2e10`. Infinities and NaN are not numbers here.
///
/// # Errors
/// [`FaultKind::NotANumber`]; [`FaultKind::OutOfRange`] when it is too large for a `f64`.
pub fn float(bytes: &[u8]) -> Result<f64, FaultKind> {
    let value: f64 = float_text(bytes)?.parse().map_err(|_| FaultKind::NotANumber)?;
    if value.is_finite() { Ok(value) } else { Err(FaultKind::OutOfRange) }
}

/// Reads a number as the nearest `f32`, without a detour that would round twice; see [`float`].
///
/// # Errors
/// As [`float`], for the range of `f32`.
pub fn float32(bytes: &[u8]) -> Result<f32, FaultKind> {
    let value: f32 = float_text(bytes)?.parse().map_err(|_| FaultKind::NotANumber)?;
    if value.is_finite() { Ok(value) } else { Err(FaultKind::OutOfRange) }
}

/// 10^exponent, when it fits.
pub(crate) fn power_of_ten(exponent: usize) -> Option<u128> {
    POWERS.get(exponent).copied()
}

/// Digits and place of the decimal mark of a number of up to 38 digits that count.
#[inline]
pub(crate) fn scaled(bytes: &[u8]) -> Result<Scaled<u128>, FaultKind> {
    let (negative, unsigned) = split_sign(bytes);
    // Nineteen digits and no more stay below 2^64: no overflow to look for.
    if unsigned.len() <= 19 {
        let mut digits = 0u64;
        let mut mark = usize::MAX;
        for (at, &byte) in unsigned.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            } else if byte == b'.' && mark == usize::MAX {
                mark = at;
            } else {
                return Err(FaultKind::NotANumber);
            }
        }
        let (fraction, marks) =
            if mark == usize::MAX { (0, 0) } else { (unsigned.len() - 1 - mark, 1) };
        if unsigned.len() == marks {
            return Err(FaultKind::NotANumber);
        }
        return Ok(Scaled { negative, digits: u128::from(digits), fraction });
    }
    scaled_long(negative, unsigned)
}

/// The same for up to 76 digits that count.
pub(crate) fn scaled_wide(bytes: &[u8]) -> Result<Scaled<i256>, FaultKind> {
    let (negative, unsigned) = split_sign(bytes);
    let shape = Shape::of(unsigned)?;
    let mut value = i256::ZERO;
    let ten = i256::from_i128(10);
    for &byte in unsigned.iter().filter(|b| **b != b'.') {
        let digit = i256::from_i128(i128::from(byte.wrapping_sub(b'0')));
        value = value
            .checked_mul(ten)
            .and_then(|v| v.checked_add(digit))
            .ok_or(FaultKind::OutOfRange)?;
    }
    Ok(Scaled { negative, digits: value, fraction: shape.fraction })
}

/// Moves the decimal mark to `scale` digits and checks the precision.
#[inline]
pub(crate) fn rescale(read: Scaled<u128>, precision: u8, scale: u8) -> Result<i128, FaultKind> {
    let scale = usize::from(scale);
    let magnitude = if read.fraction <= scale {
        let factor = power_of_ten(scale - read.fraction).ok_or(FaultKind::OutOfRange)?;
        match (u64::try_from(read.digits), u64::try_from(factor)) {
            // One widening multiplication instead of a checked one of 128 bits.
            (Ok(digits), Ok(factor)) => u128::from(digits) * u128::from(factor),
            _ => read.digits.checked_mul(factor).ok_or(FaultKind::OutOfRange)?,
        }
    } else {
        drop_zeros(read.digits, read.fraction - scale)?
    };
    let limit = power_of_ten(usize::from(precision)).ok_or(FaultKind::OutOfRange)?;
    if magnitude >= limit {
        return Err(FaultKind::OutOfRange);
    }
    // The limit is at most 10^38, below 2^127.
    let value = magnitude.cast_signed();
    Ok(if read.negative { value.wrapping_neg() } else { value })
}

pub(crate) fn rescale_wide(
    read: Scaled<i256>,
    precision: u8,
    scale: u8,
) -> Result<i256, FaultKind> {
    let ten = i256::from_i128(10);
    let scale = usize::from(scale);
    let mut value = read.digits;
    for _ in read.fraction..scale {
        value = value.checked_mul(ten).ok_or(FaultKind::OutOfRange)?;
    }
    for _ in scale..read.fraction {
        if value.wrapping_rem(ten) != i256::ZERO {
            return Err(FaultKind::TooManyFractionDigits);
        }
        value = value.wrapping_div(ten);
    }
    let mut limit = i256::ONE;
    for _ in 0..precision {
        limit = limit.checked_mul(ten).ok_or(FaultKind::OutOfRange)?;
    }
    if value >= limit {
        return Err(FaultKind::OutOfRange);
    }
    Ok(if read.negative { value.wrapping_neg() } else { value })
}

/// Only what numbers are made of: the standard library reads `inf` and `nan` as well.
fn float_text(bytes: &[u8]) -> Result<&str, FaultKind> {
    let plain = bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    std::str::from_utf8(bytes).ok().filter(|_| plain).ok_or(FaultKind::NotANumber)
}

#[inline]
fn split_sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    }
}

/// One to eighteen digits and nothing else.
#[inline]
fn plain_digits(mut bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    let mut value = 0u64;
    while let Some((eight, rest)) = bytes.split_first_chunk::<8>() {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(*eight)?);
        bytes = rest;
    }
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    Some(value)
}

/// Eight digits in one word: pairs, then fours, then all eight.
#[inline]
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(bytes);
    if !all_digits(word) {
        return None;
    }
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2_561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    Some((fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32)
}

/// Whether all eight bytes are 0x30 to 0x39: the high nibble is 3, and adding 6 does not carry into it.
#[inline]
pub(super) fn all_digits(word: u64) -> bool {
    let high = word & 0xF0F0_F0F0_F0F0_F0F0;
    let carried = word.wrapping_add(0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0;
    high == 0x3030_3030_3030_3030 && carried == 0x3030_3030_3030_3030
}

#[cold]
fn int_slow(bytes: &[u8]) -> Result<i64, FaultKind> {
    i64::try_from(whole(bytes)?).map_err(|_| FaultKind::OutOfRange)
}

fn whole(bytes: &[u8]) -> Result<i128, FaultKind> {
    rescale(scaled(bytes)?, 38, 0)
}

#[cold]
fn scaled_long(negative: bool, unsigned: &[u8]) -> Result<Scaled<u128>, FaultKind> {
    let shape = Shape::of(unsigned)?;
    let mut digits = 0u128;
    let mut fraction = shape.fraction;
    // Zeros at the end of the fraction do not count: `1.` with forty zeros is one.
    let counted = unsigned.len() - shape.trailing_zeros.min(fraction);
    fraction -= shape.trailing_zeros.min(fraction);
    for &byte in unsigned.iter().take(counted).filter(|b| **b != b'.') {
        let digit = u128::from(byte.wrapping_sub(b'0'));
        digits = digits
            .checked_mul(10)
            .and_then(|v| v.checked_add(digit))
            .ok_or(FaultKind::OutOfRange)?;
    }
    Ok(Scaled { negative, digits, fraction })
}

#[cold]
fn drop_zeros(digits: u128, extra: usize) -> Result<u128, FaultKind> {
    match power_of_ten(extra) {
        Some(factor) if digits.is_multiple_of(factor) => Ok(digits / factor),
        None if digits == 0 => Ok(0),
        _ => Err(FaultKind::TooManyFractionDigits),
    }
}

struct Shape {
    fraction: usize,
    trailing_zeros: usize,
}

impl Shape {
    /// Digits with at most one decimal mark, and at least one digit.
    fn of(unsigned: &[u8]) -> Result<Self, FaultKind> {
        let marks = unsigned.iter().filter(|b| **b == b'.').count();
        let digits = unsigned.iter().filter(|b| b.is_ascii_digit()).count();
        if marks > 1 || digits == 0 || marks + digits != unsigned.len() {
            return Err(FaultKind::NotANumber);
        }
        let fraction =
            unsigned.iter().position(|b| *b == b'.').map_or(0, |at| unsigned.len() - 1 - at);
        let trailing_zeros = unsigned.iter().rev().take_while(|b| **b == b'0').count();
        Ok(Self { fraction, trailing_zeros })
    }
}

#[cfg(test)]
mod tests;
