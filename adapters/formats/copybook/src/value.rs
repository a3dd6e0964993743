//! One numeric value: bytes to number and back, byte by byte. The column kernels are quick forms of this.

use fenhe_text::Encoding;

use crate::error;
use crate::options::{AsciiSign, CopybookOptions, NullFill};
use crate::storage::{Storage, ZonedSign};

/// How digits and signs look in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Characters {
    pub(crate) ebcdic: bool,
    pub(crate) sign: AsciiSign,
}

/// Why bytes are no number: code, what was expected, what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) code: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) found: &'static str,
}

impl Characters {
    pub(crate) fn new(page: Encoding, options: &CopybookOptions) -> Self {
        Self { ebcdic: page.is_ebcdic(), sign: options.ascii_sign }
    }

    pub(crate) fn blank(self) -> u8 {
        if self.ebcdic { 0x40 } else { b' ' }
    }

    fn zero(self) -> u8 {
        if self.ebcdic { 0xF0 } else { b'0' }
    }

    fn plus(self) -> u8 {
        if self.ebcdic { 0x4E } else { b'+' }
    }

    fn minus(self) -> u8 {
        if self.ebcdic { 0x60 } else { b'-' }
    }

    fn digit(self, byte: u8) -> Option<u8> {
        Some(byte.wrapping_sub(self.zero())).filter(|d| *d < 10)
    }

    /// A digit that may carry a sign.
    fn punched(self, byte: u8) -> Option<(u8, bool)> {
        if self.ebcdic {
            let (zone, digit) = (byte >> 4, byte & 15);
            return (digit < 10 && zone >= 10).then_some((digit, matches!(zone, 0xB | 0xD)));
        }
        match byte {
            b'0'..=b'9' => Some((byte - b'0', false)),
            b'p'..=b'y' if self.sign == AsciiSign::MicroFocus => Some((byte - b'p', true)),
            b'{' => Some((0, false)),
            b'}' => Some((0, true)),
            b'A'..=b'I' if self.sign == AsciiSign::Converted => Some((byte - b'A' + 1, false)),
            b'J'..=b'R' if self.sign == AsciiSign::Converted => Some((byte - b'J' + 1, true)),
            _ => None,
        }
        .filter(|_| self.sign == AsciiSign::Converted || !matches!(byte, b'{' | b'}'))
    }

    /// The digit with a sign over it; other characters stay.
    pub(crate) fn punch_over(self, byte: u8, negative: bool) -> u8 {
        self.digit(byte).map_or(byte, |digit| self.punch(digit, negative))
    }

    fn punch(self, digit: u8, negative: bool) -> u8 {
        if self.ebcdic {
            return if negative { 0xD0 } else { 0xC0 } | digit;
        }
        match (self.sign, negative, digit) {
            (AsciiSign::MicroFocus, false, d) => b'0' + d,
            (AsciiSign::MicroFocus, true, d) => b'p' + d,
            (AsciiSign::Converted, false, 0) => b'{',
            (AsciiSign::Converted, false, d) => b'A' + d - 1,
            (AsciiSign::Converted, true, 0) => b'}',
            (AsciiSign::Converted, true, d) => b'J' + d - 1,
        }
    }
}

/// Whether the field is filled with one of these.
pub(crate) fn is_null(bytes: &[u8], nulls: &[NullFill], characters: Characters) -> bool {
    nulls.iter().any(|fill| {
        let byte = match fill {
            NullFill::Blank => characters.blank(),
            NullFill::Low => 0,
            NullFill::High => 0xFF,
        };
        bytes.iter().all(|b| *b == byte)
    })
}

/// The unscaled integer in the field.
pub(crate) fn integer(storage: Storage, bytes: &[u8], characters: Characters) -> Result<i128, Bad> {
    match storage {
        Storage::Zoned(sign) => zoned(bytes, sign, characters),
        Storage::Packed { signed } => packed(bytes, signed),
        Storage::PackedUnsigned => bcd(bytes),
        Storage::Binary { signed, big } => binary(bytes, signed, big),
        Storage::Edited { comma, blank_is_zero, overpunched, .. } => {
            edited(bytes, comma, blank_is_zero, overpunched, characters)
        }
        _ => Err(Bad { code: error::BINARY, expected: "a number", found: "an item that is none" }),
    }
}

fn zoned(bytes: &[u8], sign: ZonedSign, characters: Characters) -> Result<i128, Bad> {
    let bad = Bad { code: error::ZONED, expected: "zoned digits", found: "other characters" };
    let bad_sign = Bad { code: error::ZONED, expected: "a sign", found: "another character" };
    let separate = |byte: Option<&u8>| match byte {
        Some(b) if *b == characters.plus() => Ok(false),
        Some(b) if *b == characters.minus() => Ok(true),
        _ => Err(bad_sign),
    };
    let mut digits = bytes;
    let mut negative = false;
    let mut over = None;
    match sign {
        ZonedSign::LeadingSeparate => {
            negative = separate(bytes.first())?;
            digits = bytes.get(1..).unwrap_or_default();
        }
        ZonedSign::TrailingSeparate => {
            negative = separate(bytes.last())?;
            digits = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
        }
        ZonedSign::Leading => over = Some(0),
        ZonedSign::Trailing | ZonedSign::None => over = bytes.len().checked_sub(1),
    }
    let mut value: i128 = 0;
    for (at, byte) in digits.iter().enumerate() {
        let digit = match characters.digit(*byte) {
            Some(digit) => digit,
            None if over == Some(at) => {
                let (digit, minus) = characters.punched(*byte).ok_or(bad)?;
                if minus && sign == ZonedSign::None {
                    return Err(Bad {
                        code: error::ZONED,
                        expected: "a number without sign",
                        found: "a minus sign",
                    });
                }
                negative = minus;
                digit
            }
            None => return Err(bad),
        };
        value = push(value, digit, bad)?;
    }
    Ok(if negative { -value } else { value })
}

fn push(value: i128, digit: u8, bad: Bad) -> Result<i128, Bad> {
    value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit))).ok_or(bad)
}

fn packed(bytes: &[u8], signed: bool) -> Result<i128, Bad> {
    let bad = Bad { code: error::PACKED, expected: "packed digits", found: "nibbles A to F" };
    let Some((last, head)) = bytes.split_last() else { return Err(bad) };
    let value = push(bcd(head).map_err(|_| bad)?, (last >> 4).min(10), bad)?;
    if last >> 4 > 9 {
        return Err(bad);
    }
    match last & 15 {
        0xB | 0xD if !signed && value != 0 => Err(Bad {
            code: error::PACKED,
            expected: "a number without sign",
            found: "a minus sign",
        }),
        0xB | 0xD => Ok(-value),
        0xA..=0xF => Ok(value),
        _ => Err(Bad { code: error::PACKED, expected: "a sign nibble A to F", found: "a digit" }),
    }
}

fn bcd(bytes: &[u8]) -> Result<i128, Bad> {
    let bad = Bad { code: error::PACKED, expected: "packed digits", found: "nibbles A to F" };
    let mut value = 0;
    for digit in bytes.iter().flat_map(|b| [b >> 4, b & 15]) {
        if digit > 9 {
            return Err(bad);
        }
        value = push(value, digit, bad)?;
    }
    Ok(value)
}

fn binary(bytes: &[u8], signed: bool, big: bool) -> Result<i128, Bad> {
    let bad = Bad { code: error::BINARY, expected: "at most 127 bits", found: "more" };
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(bad);
    }
    let mut value: u128 = 0;
    let mut take = |b: &u8| value = value << 8 | u128::from(*b);
    if big {
        bytes.iter().for_each(&mut take)
    } else {
        bytes.iter().rev().for_each(&mut take)
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
    let bits = 8 * bytes.len() as u32;
    if signed {
        let spare = 128 - bits;
        return Ok((value << spare).cast_signed() >> spare);
    }
    i128::try_from(value).map_err(|_| bad)
}

fn edited(
    bytes: &[u8],
    comma: bool,
    blank: bool,
    overpunched: bool,
    characters: Characters,
) -> Result<i128, Bad> {
    let bad = Bad { code: error::EDITED, expected: "an edited number", found: "other characters" };
    let (mut value, mut negative, mut digits) = (0i128, false, 0usize);
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(digit) = characters.digit(*byte) {
            value = push(value, digit, bad)?;
            digits += 1;
            continue;
        }
        if overpunched
            && at + 1 == bytes.len()
            && let Some((digit, minus)) = characters.punched(*byte)
        {
            value = push(value, digit, bad)?;
            negative |= minus;
            digits += 1;
            continue;
        }
        match ascii(*byte, characters) {
            b' ' | b'+' | b'$' | b'*' | b'.' | b',' => {}
            b'-' => negative = true,
            b'C' | b'D' | b'R' | b'B' => negative = true,
            // Currency signs beyond ASCII.
            _ if !comma && !byte.is_ascii() && !characters.ebcdic => {}
            _ => return Err(bad),
        }
    }
    if digits == 0
        && !(blank
            && bytes.iter().all(|b| matches!(ascii(*b, characters), b' ' | b'*' | b'.' | b',')))
    {
        return Err(Bad { code: error::EDITED, expected: "an edited number", found: "no digit" });
    }
    Ok(if negative { -value } else { value })
}

/// The characters of edited numbers, the same in all EBCDIC pages but for the currency sign.
fn ascii(byte: u8, characters: Characters) -> u8 {
    if !characters.ebcdic {
        return byte;
    }
    match byte {
        0x40 => b' ',
        0x4B => b'.',
        0x4E => b'+',
        0x5B | 0x4A | 0xB2 | 0xE0 => b'$',
        0x5C => b'*',
        0x60 => b'-',
        0x6B => b',',
        0xC2 => b'B',
        0xC3 => b'C',
        0xC4 => b'D',
        0xD9 => b'R',
        _ => 0,
    }
}

/// Writes an unscaled integer with the preferred signs (C and D, F without sign). False: it does not fit.
pub(crate) fn write(storage: Storage, value: i128, out: &mut [u8], characters: Characters) -> bool {
    match storage {
        Storage::Zoned(sign) => write_zoned(value, sign, out, characters),
        Storage::Packed { signed } => {
            let nibble = match (signed, value < 0) {
                (false, true) => return false,
                (false, false) => 0xF,
                (true, true) => 0xD,
                (true, false) => 0xC,
            };
            let mut rest = value.unsigned_abs();
            for (at, byte) in out.iter_mut().rev().enumerate() {
                let low = if at == 0 { nibble } else { next(&mut rest) };
                *byte = low | next(&mut rest) << 4;
            }
            rest == 0
        }
        Storage::PackedUnsigned => {
            let mut rest = value.unsigned_abs();
            for byte in out.iter_mut().rev() {
                let low = next(&mut rest);
                *byte = low | next(&mut rest) << 4;
            }
            rest == 0 && value >= 0
        }
        Storage::Binary { signed, big } => write_binary(value, signed, big, out),
        _ => false,
    }
}

fn next(rest: &mut u128) -> u8 {
    let digit = (*rest % 10) as u8;
    *rest /= 10;
    digit
}

fn write_zoned(value: i128, sign: ZonedSign, out: &mut [u8], characters: Characters) -> bool {
    let negative = value < 0;
    let (plus, minus) = (characters.plus(), characters.minus());
    let byte = if negative { minus } else { plus };
    let len = out.len();
    let digits = match sign {
        ZonedSign::None if negative => return false,
        ZonedSign::LeadingSeparate => {
            if let Some(first) = out.first_mut() {
                *first = byte;
            }
            out.get_mut(1..)
        }
        ZonedSign::TrailingSeparate => {
            if let Some(last) = out.last_mut() {
                *last = byte;
            }
            out.get_mut(..len.saturating_sub(1))
        }
        _ => Some(out),
    };
    let Some(digits) = digits else { return false };
    let mut rest = value.unsigned_abs();
    for byte in digits.iter_mut().rev() {
        *byte = characters.zero() + next(&mut rest);
    }
    let over = match sign {
        ZonedSign::Leading => digits.first_mut(),
        ZonedSign::Trailing => digits.last_mut(),
        _ => None,
    };
    if let Some(over) = over {
        *over = characters.punch(*over - characters.zero(), negative);
    }
    rest == 0
}

fn write_binary(value: i128, signed: bool, big: bool, out: &mut [u8]) -> bool {
    let Ok(bits) = u32::try_from(8 * out.len()) else { return false };
    let fits = match (signed, bits) {
        (false, 0..=127) => value >= 0 && value >> bits == 0,
        (false, _) => value >= 0,
        (true, 1..=127) => value >> (bits - 1) == 0 || value >> (bits - 1) == -1,
        (true, _) => true,
    };
    let bytes = value.to_be_bytes();
    let tail = bytes.get(bytes.len().saturating_sub(out.len())..).unwrap_or_default();
    if !fits || tail.len() != out.len() {
        return false;
    }
    out.copy_from_slice(tail);
    if !big {
        out.reverse();
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EBCDIC: Characters = Characters { ebcdic: true, sign: AsciiSign::MicroFocus };
    const MF: Characters = Characters { ebcdic: false, sign: AsciiSign::MicroFocus };
    const CONVERTED: Characters = Characters { ebcdic: false, sign: AsciiSign::Converted };

    #[test]
    fn the_vectors_of_the_manuals_are_read() {
        let packed = Storage::Packed { signed: true };
        assert_eq!(integer(packed, &[0x01, 0x23, 0x45, 0x6D], EBCDIC), Ok(-123_456));
        assert_eq!(integer(packed, &[0x12, 0x34, 0x5C], EBCDIC), Ok(12_345));
        let trailing = Storage::Zoned(ZonedSign::Trailing);
        assert_eq!(integer(trailing, &[0xF1, 0xF2, 0xD3], EBCDIC), Ok(-123));
        assert_eq!(integer(trailing, b"12s", MF), Ok(-123));
        assert_eq!(integer(trailing, b"12L", CONVERTED), Ok(-123));
        assert_eq!(integer(trailing, b"12{", CONVERTED), Ok(120));
        let leading = Storage::Zoned(ZonedSign::Leading);
        assert_eq!(integer(leading, &[0xD1, 0xF2, 0xF3], EBCDIC), Ok(-123));
        assert_eq!(
            integer(Storage::Binary { signed: true, big: true }, &[0xFF, 0xFF], EBCDIC),
            Ok(-1)
        );
        assert_eq!(
            integer(Storage::Binary { signed: false, big: true }, &[0xFF, 0xFF], EBCDIC),
            Ok(65_535)
        );
    }

    #[test]
    fn every_pair_of_digit_and_sign_nibble_is_accepted_or_refused() {
        for byte in 0..=u8::MAX {
            let (digit, sign) = (byte >> 4, byte & 15);
            let read = integer(Storage::Packed { signed: true }, &[byte], EBCDIC);
            let good = digit < 10 && sign >= 10;
            let expected =
                if matches!(sign, 0xB | 0xD) { -i128::from(digit) } else { i128::from(digit) };
            assert_eq!(read.ok(), good.then_some(expected), "{byte:02X}");
        }
    }

    #[test]
    fn edited_numbers_are_read_with_their_signs() {
        let edited = |bytes: &[u8]| {
            let storage = Storage::Edited {
                comma: false,
                blank_is_zero: true,
                overpunched: false,
                point: true,
            };
            integer(storage, bytes, MF).ok()
        };
        assert_eq!(edited(b"  1,234.50-"), Some(-123_450));
        assert_eq!(edited(b"$*****9.99CR"), Some(-999));
        assert_eq!(edited(b"         "), Some(0));
        assert_eq!(edited(b"12x"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in -999_999_999i128..=999_999_999) {
            let storages = [
                Storage::Zoned(ZonedSign::Leading), Storage::Zoned(ZonedSign::Trailing),
                Storage::Zoned(ZonedSign::LeadingSeparate), Storage::Zoned(ZonedSign::TrailingSeparate),
                Storage::Packed { signed: true }, Storage::Binary { signed: true, big: true },
                Storage::Binary { signed: true, big: false },
            ];
            for characters in [EBCDIC, MF, CONVERTED] {
                for storage in storages {
                    let mut bytes = [0; 10];
                    prop_assert!(write(storage, value, &mut bytes, characters));
                    prop_assert_eq!(integer(storage, &bytes, characters), Ok(value), "{:?}", storage);
                }
            }
        }
    }
}
