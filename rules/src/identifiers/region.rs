//! Provinces at the head of region codes (GB/T 2260).

/// Provinces that a region code may begin with, of today and of the past: bit n of the word is prefix n.
///
/// No prefix was ever taken back since 1980: Hainan (46, 1988) and Chongqing (50, 1997) were added, and their
/// people keep numbers that begin with 44, 51 or 52 to 54. So the set needs no date.
const KNOWN: u128 = prefixes(&[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
]);

/// Whether the first two digits of a region code are those of a province.
///
/// County codes are not looked at: those in an identifier are the ones of its day of issue, and most of
/// the historic ones are in no current list.
#[must_use]
#[inline]
pub fn is_known_province(region: &[u8]) -> bool {
    province_of(region).is_some_and(|province| KNOWN >> province & 1 == 1)
}

/// The first two digits of a region code, as a number.
#[must_use]
#[inline]
pub fn province_of(region: &[u8]) -> Option<u8> {
    match region {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

#[expect(clippy::indexing_slicing, reason = "below the length")]
const fn prefixes(list: &[u8]) -> u128 {
    let mut set = 0;
    let mut i = 0;
    while i < list.len() {
        set |= 1 << list[i];
        i += 1;
    }
    set
}
