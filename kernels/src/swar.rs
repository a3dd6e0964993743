//! Numbers of a width known when the kernel is compiled, eight digits at a time, without a branch per digit.
//!
//! Each function returns the value together with an error mask. A column kernel ORs the masks of all its rows and looks
//! for the bad row only if the result is not zero; the value of a row whose mask is not zero means nothing.
//! On text of varying length these are slower than a plain loop, because the field must be copied and padded first.

const HIGH_NIBBLES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
const LOW_NIBBLES: u64 = 0x0F0F_0F0F_0F0F_0F0F;
const SIXES: u64 = 0x0606_0606_0606_0606;
const ASCII_ZONES: u64 = 0x3030_3030_3030_3030;
const TOP_OF_NIBBLES: u64 = 0x8888_8888_8888_8888;

/// A number, and whether it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<T> {
    /// The value, if `errors` is 0.
    pub value: T,
    /// 0 if every digit and the sign were valid. The other bits say nothing about which one was not.
    pub errors: u64,
}

impl<T> Number<T> {
    /// The value, if it is one.
    #[inline]
    #[must_use]
    pub fn ok(self) -> Option<T> {
        (self.errors == 0).then_some(self.value)
    }
}

/// 1 to 16 ASCII digits.
///
/// ```
/// use fenhe_kernels::swar::ascii_digits;
///
/// assert_eq!(ascii_digits(b"20260729").ok(), Some(20_260_729));
/// assert_eq!(ascii_digits(b" 7").ok(), None);
/// ```
#[inline]
#[must_use]
pub fn ascii_digits<const N: usize>(field: &[u8; N]) -> Number<u64> {
    const { assert!(N >= 1 && N <= 16, "1 to 16 digits") };
    let words = words(field, b'0');
    let mut number = Number { value: 0u64, errors: 0 };
    for &word in words.iter().skip(4 - N.div_ceil(8)) {
        number.value = number.value.wrapping_mul(100_000_000).wrapping_add(eight_digits(word));
        number.errors |= zone_errors(word, ASCII_ZONES);
    }
    number
}

/// 1 to 32 ASCII digits.
#[inline]
#[must_use]
pub fn ascii_digits_wide<const N: usize>(field: &[u8; N]) -> Number<u128> {
    const { assert!(N >= 1 && N <= 32, "1 to 32 digits") };
    let words = words(field, b'0');
    let mut errors = 0;
    for word in words {
        errors |= zone_errors(word, ASCII_ZONES);
    }
    Number { value: thirty_two_digits(words), errors }
}

/// A zoned decimal of 1 to 18 EBCDIC digits without sign: every zone is F.
#[inline]
#[must_use]
pub fn zoned<const N: usize>(field: &[u8; N]) -> Number<i64> {
    const { assert!(N >= 1 && N <= 18, "1 to 18 digits") };
    let words = words(field, 0xF0);
    Number { value: eighteen_digits::<N>(words), errors: zoned_errors(words) }
}

/// A zoned decimal of 1 to 18 EBCDIC digits whose last zone is the sign: A, C, E, F plus, B, D minus.
///
/// ```
/// use fenhe_kernels::swar::zoned_signed;
///
/// assert_eq!(zoned_signed(&[0xF1, 0xF2, 0xD3]).ok(), Some(-123));
/// ```
#[inline]
#[must_use]
pub fn zoned_signed<const N: usize>(field: &[u8; N]) -> Number<i64> {
    const { assert!(N >= 1 && N <= 18, "1 to 18 digits") };
    let (words, minus, sign_error) = unsign(words(field, 0xF0));
    let value = eighteen_digits::<N>(words);
    Number { value: if minus { -value } else { value }, errors: zoned_errors(words) | sign_error }
}

/// [`zoned`] with up to 31 digits.
#[inline]
#[must_use]
pub fn zoned_wide<const N: usize>(field: &[u8; N]) -> Number<i128> {
    const { assert!(N >= 1 && N <= 31, "1 to 31 digits") };
    let words = words(field, 0xF0);
    Number { value: thirty_two_digits(words).cast_signed(), errors: zoned_errors(words) }
}

/// [`zoned_signed`] with up to 31 digits.
#[inline]
#[must_use]
pub fn zoned_signed_wide<const N: usize>(field: &[u8; N]) -> Number<i128> {
    const { assert!(N >= 1 && N <= 31, "1 to 31 digits") };
    let (words, minus, sign_error) = unsign(words(field, 0xF0));
    let value = thirty_two_digits(words).cast_signed();
    Number { value: if minus { -value } else { value }, errors: zoned_errors(words) | sign_error }
}

/// Packed decimal (COMP-3) of 1 to 8 bytes, up to 15 digits: the last nibble is the sign, A, C, E, F plus, B, D minus.
///
/// ```
/// use fenhe_kernels::swar::packed;
///
/// assert_eq!(packed(&[0x12, 0x3D]).ok(), Some(-123));
/// assert_eq!(packed(&[0x12, 0x34]).ok(), None);
/// ```
#[inline]
#[must_use]
pub fn packed<const N: usize>(field: &[u8; N]) -> Number<i64> {
    const { assert!(N >= 1 && N <= 8, "1 to 8 bytes") };
    let (_, word) = halves(field);
    let (minus, sign_error) = sign(word);
    let digits = word >> 4;
    let value = sixteen_nibbles(digits).cast_signed();
    Number { value: if minus { -value } else { value }, errors: nibble_errors(digits) | sign_error }
}

/// [`packed`] of up to 16 bytes, 31 digits.
#[inline]
#[must_use]
pub fn packed_wide<const N: usize>(field: &[u8; N]) -> Number<i128> {
    const { assert!(N >= 1 && N <= 16, "1 to 16 bytes") };
    let (high, low) = halves(field);
    let (minus, sign_error) = sign(low);
    let (high, low) = (high >> 4, high << 60 | low >> 4);
    let value = thirty_two_nibbles(high, low).cast_signed();
    let errors = nibble_errors(high) | nibble_errors(low) | sign_error;
    Number { value: if minus { -value } else { value }, errors }
}

/// Binary coded decimal without a sign nibble (COMP-6, ISO 8583 `n`) of 1 to 8 bytes: two digits a byte.
#[inline]
#[must_use]
pub fn bcd<const N: usize>(field: &[u8; N]) -> Number<u64> {
    const { assert!(N >= 1 && N <= 8, "1 to 8 bytes") };
    let (_, word) = halves(field);
    Number { value: sixteen_nibbles(word), errors: nibble_errors(word) }
}

/// [`bcd`] of up to 16 bytes, 32 digits.
#[inline]
#[must_use]
pub fn bcd_wide<const N: usize>(field: &[u8; N]) -> Number<u128> {
    const { assert!(N >= 1 && N <= 16, "1 to 16 bytes") };
    let (high, low) = halves(field);
    Number {
        value: thirty_two_nibbles(high, low),
        errors: nibble_errors(high) | nibble_errors(low),
    }
}

/// The field at the end of 32 bytes, `fill` before it, as four little-endian words: the first digit of a word is lowest.
///
/// Made of whole loads: a copy to a padded array and a wider load of it would wait for the store.
#[inline(always)]
fn words<const N: usize>(field: &[u8; N], fill: u8) -> [u64; 4] {
    let fills = u64::from_ne_bytes([fill; 8]);
    let mut words = [fills; 4];
    let mut rest: &[u8] = field;
    for word in words.iter_mut().rev() {
        if let Some((head, eight)) = rest.split_last_chunk::<8>() {
            *word = u64::from_le_bytes(*eight);
            rest = head;
        } else if !rest.is_empty() {
            #[expect(clippy::cast_possible_truncation, reason = "at most 7 bytes are left")]
            let missing = 8 * (8 - rest.len() as u32);
            let digits = match field.first_chunk::<8>() {
                Some(eight) => u64::from_le_bytes(*eight) << missing,
                None => big_endian(rest).swap_bytes(),
            };
            *word = digits | fills & ((1 << missing) - 1);
            rest = &[];
        }
    }
    words
}

/// The field at the end of 16 bytes, zeros before it, as two big-endian words: the last nibble is lowest.
#[inline(always)]
fn halves<const N: usize>(field: &[u8; N]) -> (u64, u64) {
    match (field.first_chunk::<8>(), field.last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            #[expect(clippy::cast_possible_truncation, reason = "at most 16 bytes")]
            let missing = 8 * (16 - N as u32);
            let high = u64::from_be_bytes(*head).checked_shr(missing).unwrap_or(0);
            (high, u64::from_be_bytes(*tail))
        }
        _ => (0, big_endian(field)),
    }
}

/// At most eight bytes as a big-endian number: two loads that overlap.
#[inline(always)]
fn big_endian(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes) {
        (Some(head), Some(tail), _) => {
            let (head, tail) = (u32::from_be_bytes(*head), u32::from_be_bytes(*tail));
            u64::from(head) << (8 * (bytes.len() - 4)) | u64::from(tail)
        }
        (_, _, [first, .., middle, last]) => {
            u64::from(*first) << 16 | u64::from(*middle) << 8 | u64::from(*last)
        }
        (_, _, [first, last]) => u64::from(*first) << 8 | u64::from(*last),
        (_, _, [only]) => u64::from(*only),
        _ => 0,
    }
}

/// The number that the low nibbles of eight bytes spell; below 10^8 if they are digits.
#[inline(always)]
fn eight_digits(word: u64) -> u64 {
    let tens = (word & LOW_NIBBLES).wrapping_mul(10 << 8 | 1) >> 8;
    let hundreds = (tens & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 << 16 | 1) >> 16;
    (hundreds & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 << 32 | 1) >> 32
}

#[inline(always)]
fn eighteen_digits<const N: usize>(words: [u64; 4]) -> i64 {
    let mut value = 0i64;
    for &word in words.iter().skip(4 - N.div_ceil(8)) {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(word).cast_signed());
    }
    // Only digits that are not digits can have made this too large; the mask says so, and a sign must not overflow.
    value & i64::MAX
}

#[inline(always)]
fn thirty_two_digits(words: [u64; 4]) -> u128 {
    let [a, b, c, d] = words.map(eight_digits);
    let high = a.wrapping_mul(100_000_000).wrapping_add(b);
    let low = c.wrapping_mul(100_000_000).wrapping_add(d);
    u128::from(high).wrapping_mul(10_000_000_000_000_000).wrapping_add(u128::from(low))
        & (u128::MAX >> 1)
}

/// Not zero unless each byte is a digit in that zone: the zone is right, and digit + 6 does not carry out of its nibble.
#[inline(always)]
fn zone_errors(word: u64, zones: u64) -> u64 {
    let digits = (word & LOW_NIBBLES) + SIXES;
    ((word & HIGH_NIBBLES) ^ zones) | (digits & HIGH_NIBBLES)
}

#[inline(always)]
fn zoned_errors(words: [u64; 4]) -> u64 {
    words.iter().fold(0, |errors, word| errors | zone_errors(*word, HIGH_NIBBLES))
}

/// The words with zone F on the last digit too; whether its zone was minus; and not zero if it was no sign.
#[inline(always)]
fn unsign(mut words: [u64; 4]) -> ([u64; 4], bool, u64) {
    let (minus, error) = sign(words[3] >> 60);
    words[3] |= 0xF << 60;
    (words, minus, error)
}

/// Whether the lowest nibble means minus; and not zero if it is no sign.
#[inline(always)]
fn sign(word: u64) -> (bool, u64) {
    let nibble = word & 0xF;
    (nibble == 0xB || nibble == 0xD, u64::from(nibble < 0xA))
}

/// The number that sixteen nibbles spell; below 10^16 if they are digits.
#[inline(always)]
fn sixteen_nibbles(nibbles: u64) -> u64 {
    // Each step turns high * 2^k + low into high * 10^d + low.
    let pairs = nibbles.wrapping_sub((nibbles >> 4 & LOW_NIBBLES).wrapping_mul(6));
    let fours = pairs.wrapping_sub((pairs >> 8 & 0x00FF_00FF_00FF_00FF).wrapping_mul(156));
    let eights = fours.wrapping_sub((fours >> 16 & 0x0000_FFFF_0000_FFFF).wrapping_mul(55_536));
    eights.wrapping_sub((eights >> 32).wrapping_mul(4_194_967_296))
}

#[inline(always)]
fn thirty_two_nibbles(high: u64, low: u64) -> u128 {
    let (high, low) = (sixteen_nibbles(high), sixteen_nibbles(low));
    u128::from(high).wrapping_mul(10_000_000_000_000_000).wrapping_add(u128::from(low))
        & (u128::MAX >> 1)
}

/// Not zero unless each nibble is a digit: a nibble above 9 has bit 3 and one of bits 2 and 1.
#[inline(always)]
fn nibble_errors(nibbles: u64) -> u64 {
    nibbles & (nibbles << 1 | nibbles << 2) & TOP_OF_NIBBLES
}

#[cfg(test)]
mod tests;
