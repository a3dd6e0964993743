//! `numeric` in the binary form of the server (`numeric_recv` and `numeric_send` in its `numeric.c`): digits to the
//! base 10,000 with the place of the first one.

use crate::server::Wrong;

const BASE: u128 = 10_000;
const NEGATIVE: u16 = 0x4000;
/// 38 digits and up to 3 zeros on either side.
const MOST: usize = 12;

/// Appends a decimal: `value` divided by ten to the `scale`.
#[expect(
    clippy::indexing_slicing,
    reason = "`count` is at most MOST, and `first` and `length` at most `count`"
)]
pub(crate) fn write(value: i128, scale: u8, out: &mut Vec<u8>) {
    let mut groups = [0_u16; MOST];
    // Groups behind the point, the last of them filled up with zeros.
    let behind = usize::from(scale).div_ceil(4);
    let kept = u32::from(scale % 4);
    let mut rest = value.unsigned_abs();
    let mut count = 0;
    if kept > 0 {
        let (power, fill) = (10_u128.pow(kept), 10_u128.pow(4 - kept));
        groups[0] = low(rest % power * fill);
        (rest, count) = (rest / power, 1);
    }
    // Most numbers need 64 bits only, which divide faster.
    while rest > u128::from(u64::MAX) && count < MOST {
        groups[count] = low(rest % BASE);
        (rest, count) = (rest / BASE, count + 1);
    }
    let mut rest = u64::try_from(rest).unwrap_or(u64::MAX);
    while rest > 0 && count < MOST {
        groups[count] = u16::try_from(rest % 10_000).unwrap_or(0);
        (rest, count) = (rest / 10_000, count + 1);
    }
    // Leading groups of zeros can only stand behind the point.
    let length = groups[..count].iter().rposition(|g| *g != 0).map_or(0, |at| at + 1);
    let first = groups[..length].iter().position(|g| *g != 0).unwrap_or(0);
    let weight = i16::try_from(length).unwrap_or(0) - i16::try_from(behind).unwrap_or(0) - 1;
    let digits = u16::try_from(length - first).unwrap_or(0);
    let weight = if digits == 0 { 0 } else { weight };
    out.extend_from_slice(&digits.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&(if value < 0 { NEGATIVE } else { 0 }).to_be_bytes());
    out.extend_from_slice(&u16::from(scale).to_be_bytes());
    for group in groups[first..length].iter().rev() {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

/// Reads a decimal of this scale.
pub(crate) fn read(bytes: &[u8], scale: u8) -> Result<i128, Wrong> {
    let wrong = || Wrong::Value("a number with another scale");
    let word = |at: usize| -> Option<u16> {
        bytes.get(at * 2..at * 2 + 2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes)
    };
    let (Some(count), Some(weight), Some(sign)) = (word(0), word(1), word(2)) else {
        return Err(wrong());
    };
    if sign & !NEGATIVE != 0 {
        return Err(Wrong::Value("not a number, or infinity"));
    }
    let weight = i32::from(weight.cast_signed());
    let mut value: i128 = 0;
    for place in 0..count {
        let digit = word(4 + usize::from(place)).ok_or_else(wrong)?;
        // Ten to this power is what the last digit of the group counts.
        let power = (weight - i32::from(place)) * 4 + i32::from(scale);
        let part = match u32::try_from(power) {
            Ok(power) => 10_i128.checked_pow(power).and_then(|p| p.checked_mul(i128::from(digit))),
            Err(_) => {
                let divisor = 10_u16.checked_pow(power.unsigned_abs()).filter(|d| digit % d == 0);
                match divisor {
                    Some(divisor) => Some(i128::from(digit / divisor)),
                    None if digit == 0 => Some(0),
                    None => None,
                }
            }
        };
        value = part.and_then(|part| value.checked_add(part)).ok_or_else(wrong)?;
    }
    Ok(if sign == NEGATIVE { -value } else { value })
}

fn low(value: u128) -> u16 {
    u16::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `select encode(numeric_send(x), 'hex')` of PostgreSQL 15.
    #[test]
    fn decimals_have_the_form_of_the_server() {
        for (value, scale, hex) in [
            (0, 2, "0000000000000002"),
            (12_345, 2, "000200000000000200 7b1194"),
            (-5, 4, "0001ffff400000040005"),
            (10_000, 0, "00010001000000000001"),
            (100_000_001, 4, "00030001000000040001 00000001"),
        ] {
            let mut out = Vec::new();
            write(value, scale, &mut out);
            let got: String = out.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(got, hex.replace(' ', ""), "{value} {scale}");
            assert_eq!(read(&out, scale).unwrap(), value);
        }
    }

    #[test]
    fn every_scale_and_the_largest_numbers_come_back() {
        let most = 10_i128.pow(38) - 1;
        for scale in 0..=38 {
            for value in [most, -most, 1, -1, 10_i128.pow(20), 123_456_789_012_345_678_901_234_567]
            {
                let mut out = Vec::new();
                write(value, scale, &mut out);
                assert_eq!(read(&out, scale).unwrap(), value, "{value} {scale}");
            }
        }
        assert!(read(&[0, 0, 0, 0, 0xC0, 0, 0, 0], 2).is_err(), "NaN");
        assert!(read(&[0, 1], 2).is_err());
    }
}
