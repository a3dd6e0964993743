//! Dates in the two spellings that most files use, eight bytes at a time.

use super::number::all_digits;
use crate::calendar;
use crate::fault::FaultKind;

/// The dashes in the first eight bytes of `YYYY-MM-DD`, and where they stand.
const DASHES: u64 = u64::from_le_bytes([0, 0, 0, 0, b'-', 0, 0, b'-']);
const DASHES_AT: u64 = u64::from_le_bytes([0, 0, 0, 0, 0xFF, 0, 0, 0xFF]);
/// The colons in `HH:mm:ss`, and where they stand.
const COLONS: u64 = u64::from_le_bytes([0, 0, b':', 0, 0, b':', 0, 0]);
const COLONS_AT: u64 = u64::from_le_bytes([0, 0, 0xFF, 0, 0, 0xFF, 0, 0]);

/// Reads `YYYYMMDD` as days since 1970-01-01.
///
/// # Errors
/// [`FaultKind::NotADate`] unless it is eight digits, [`FaultKind::NoSuchDate`] when the calendar has no such day.
///
/// ```
/// use fenhe_values::{FaultKind, parse};
/// assert_eq!(parse::date_compact(b"20260102"), Ok(20_455));
/// assert_eq!(parse::date_compact(b"20250229"), Err(FaultKind::NoSuchDate));
/// ```
#[inline]
pub fn date_compact(bytes: &[u8]) -> Result<i32, FaultKind> {
    match <[u8; 8]>::try_from(bytes) {
        Ok(eight) => from_word(u64::from_le_bytes(eight)),
        Err(_) => Err(FaultKind::NotADate),
    }
}

/// Reads `YYYY-MM-DD` as days since 1970-01-01.
///
/// # Errors
/// As [`date_compact`].
#[inline]
pub fn date_iso(bytes: &[u8]) -> Result<i32, FaultKind> {
    match <[u8; 10]>::try_from(bytes) {
        Ok(ten) => from_word(iso_word(ten)?),
        Err(_) => Err(FaultKind::NotADate),
    }
}

/// Reads `YYYY-MM-DD HH:mm:ss` (or `T` between them) as seconds since 1970-01-01 00:00:00.
///
/// # Errors
/// As [`date_compact`].
#[inline]
pub fn timestamp_iso(bytes: &[u8]) -> Result<i64, FaultKind> {
    let (date, rest) = bytes.split_first_chunk::<10>().ok_or(FaultKind::NotADate)?;
    let (separator, time) = rest.split_first().ok_or(FaultKind::NotADate)?;
    if !matches!(separator, b' ' | b'T') {
        return Err(FaultKind::NotADate);
    }
    let seconds = time_iso(time)?;
    Ok(i64::from(from_word(iso_word(*date)?)?) * 86_400 + i64::from(seconds))
}

/// `HH:mm:ss` as seconds since midnight.
#[inline]
pub(crate) fn time_iso(bytes: &[u8]) -> Result<u32, FaultKind> {
    let word = u64::from_le_bytes(bytes.try_into().map_err(|_| FaultKind::NotADate)?);
    if word & COLONS_AT != COLONS {
        return Err(FaultKind::NotADate);
    }
    clock(word & 0xFFFF | (word >> 24 & 0xFFFF) << 16 | (word >> 48) << 32)
}

/// `HHmmss` as seconds since midnight.
#[inline]
pub(crate) fn time_compact([h1, h0, m1, m0, s1, s0]: [u8; 6]) -> Result<u32, FaultKind> {
    clock(u64::from_le_bytes([h1, h0, m1, m0, s1, s0, 0, 0]))
}

/// Six digits `HHmmss` in the low bytes of a little-endian word as seconds since midnight.
#[inline]
fn clock(six: u64) -> Result<u32, FaultKind> {
    let word = six | 0x3030 << 48;
    if !all_digits(word) {
        return Err(FaultKind::NotADate);
    }
    let [hour, minute, second, _] = pairs(word);
    if hour > 23 || minute > 59 || second > 59 {
        return Err(FaultKind::NoSuchDate);
    }
    Ok(hour * 3600 + minute * 60 + second)
}

/// `YYYY-MM-DD` without its dashes, from the first and the last eight of the ten bytes.
#[inline]
pub(crate) fn iso_word(ten: [u8; 10]) -> Result<u64, FaultKind> {
    let [y3, y2, y1, y0, dash1, m1, m0, dash2, d1, d0] = ten;
    let head = u64::from_le_bytes([y3, y2, y1, y0, dash1, m1, m0, dash2]);
    let day = u64::from(u16::from_le_bytes([d1, d0]));
    if head & DASHES_AT != DASHES {
        return Err(FaultKind::NotADate);
    }
    Ok(head & 0xFFFF_FFFF | (head >> 40 & 0xFFFF) << 32 | day << 48)
}

/// Days of eight digits `YYYYMMDD` in one little-endian word.
#[inline]
pub(crate) fn from_word(word: u64) -> Result<i32, FaultKind> {
    if !all_digits(word) {
        return Err(FaultKind::NotADate);
    }
    let [century, year, month, day] = pairs(word);
    calendar::days(century * 100 + year, month, day).ok_or(FaultKind::NoSuchDate)
}

/// The four numbers of eight digits taken two by two.
#[inline]
fn pairs(word: u64) -> [u32; 4] {
    let lanes = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2_561) >> 8;
    let [a, _, b, _, c, _, d, _] = lanes.to_le_bytes();
    // Written out: `map` over an array is a call here.
    [u32::from(a), u32::from(b), u32::from(c), u32::from(d)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_spellings_agree_with_the_calendar() {
        for year in [1, 4, 99, 1582, 1900, 1970, 2000, 2024, 2026, 9999] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let expected = calendar::days(year, month, day).ok_or(FaultKind::NoSuchDate);
                    assert_eq!(
                        date_compact(format!("{year:04}{month:02}{day:02}").as_bytes()),
                        expected
                    );
                    assert_eq!(
                        date_iso(format!("{year:04}-{month:02}-{day:02}").as_bytes()),
                        expected
                    );
                }
            }
        }
    }

    #[test]
    fn anything_else_is_not_a_date() {
        for text in [
            "",
            "2026010",
            "202601022",
            "2026-1-2",
            "2026/01/02",
            "2026-01-0x",
            "２026-01",
            "2026-01 02",
        ] {
            assert_eq!(date_compact(text.as_bytes()), Err(FaultKind::NotADate), "{text}");
            assert_eq!(date_iso(text.as_bytes()), Err(FaultKind::NotADate), "{text}");
        }
    }

    #[test]
    fn timestamps_are_seconds() {
        // `date -u -d '2026-01-02 03:04:05' +%s`
        assert_eq!(timestamp_iso(b"2026-01-02 03:04:05"), Ok(1_767_323_045));
        assert_eq!(timestamp_iso(b"2026-01-02T03:04:05"), Ok(1_767_323_045));
        assert_eq!(timestamp_iso(b"2026-01-02 24:00:00"), Err(FaultKind::NoSuchDate));
        assert_eq!(timestamp_iso(b"2026-01-02 23:59:60"), Err(FaultKind::NoSuchDate));
        assert_eq!(timestamp_iso(b"2026-01-02_23:59:00"), Err(FaultKind::NotADate));
        assert_eq!(timestamp_iso(b"2026-01-02 3:04:05"), Err(FaultKind::NotADate));
    }
}
