//! A day of the Gregorian calendar, and the spellings of days that legacy systems use.

use std::fmt;

/// A day, counted from 1970-01-01 as Arrow's `Date32` does.
///
/// ```
/// use fenhe_rules::Date;
/// let leap: Date = "2000-02-29".parse()?;
/// assert_eq!(leap, Date::from_civil(2000, 2, 29).unwrap());
/// assert!("2001-02-29".parse::<Date>().is_err());
/// # Ok::<(), fenhe_rules::BadDate>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// Text that is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDate;

impl Date {
    /// The day that is `days` after 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days after 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day of this year (0 to 9999), month and day of the month; `None` when the calendar has none.
    #[must_use]
    pub const fn from_civil(year: u32, month: u32, day: u32) -> Option<Self> {
        if year > 9999 || month == 0 || month > 12 || day == 0 || day > days_in(year, month) {
            return None;
        }
        // Years begin in March, so that the leap day is the last of its year.
        let shifted = year.cast_signed() - (month <= 2) as i32;
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let of_year = (153 * ((month.cast_signed() + 9) % 12) + 2) / 5 + day.cast_signed() - 1;
        Some(Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// Year, month and day of the month.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a day of 1 to 31, a month of 1 to 12"
    )]
    pub const fn civil(self) -> (i64, u32, u32) {
        let shifted = self.0 as i64 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
        (year + era * 400 + (month <= 2) as i64, month, day)
    }

    /// The day spelled as `YYYYMMDD`, or as year, month and day with one of `-`, `.` or `/` between
    /// them (`2026-1-2`): the spellings that leave no doubt. `None` for everything else.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        if let Ok(compact) = <&[u8; 8]>::try_from(text)
            && let Some(date) = Self::from_compact(compact)
        {
            return Some(date);
        }
        let (year, rest) = text.split_at_checked(4)?;
        let (&separator, rest) = rest.split_first()?;
        if !matches!(separator, b'-' | b'.' | b'/') {
            return None;
        }
        let at = rest.iter().position(|&byte| byte == separator)?;
        let (month, day) = rest.split_at_checked(at)?;
        let day = day.get(1..)?;
        if month.len() > 2 || day.len() > 2 {
            return None;
        }
        Self::from_civil(number(year)?, number(month)?, number(day)?)
    }

    /// The day spelled as eight digits.
    pub(crate) fn from_compact(text: &[u8; 8]) -> Option<Self> {
        let mut digits = [0_u32; 8];
        for (digit, byte) in digits.iter_mut().zip(text) {
            if !byte.is_ascii_digit() {
                return None;
            }
            *digit = u32::from(byte - b'0');
        }
        let [a, b, c, d, e, f, g, h] = digits;
        Self::from_civil(a * 1000 + b * 100 + c * 10 + d, e * 10 + f, g * 10 + h)
    }
}

impl std::str::FromStr for Date {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Self, BadDate> {
        Self::from_text(text.as_bytes()).ok_or(BadDate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for BadDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no day of the calendar; write YYYY-MM-DD")
    }
}

impl std::error::Error for BadDate {}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_epoch_and_back() {
        // Day numbers as any Unix `date -d ... +%s` divided by 86,400 gives them.
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("1900-01-01", -25_567),
            ("2026-01-02", 20_455),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.days(), days);
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn every_day_of_four_centuries_goes_there_and_back() {
        for days in -60_000..90_000 {
            let (year, month, day) = Date::from_days(days).civil();
            let back = Date::from_civil(u32::try_from(year).unwrap(), month, day);
            assert_eq!(back, Some(Date::from_days(days)));
        }
    }

    #[test]
    fn only_spellings_without_doubt_are_days() {
        for text in ["20260102", "2026-1-2", "2026.01.02", "2026/1/02", " 2026-01-02 "] {
            assert_eq!(Date::from_text(text.as_bytes()), Date::from_civil(2026, 1, 2), "{text}");
        }
        for text in
            ["260102", "0000-00-00", "2026-13-01", "2026-1.2", "2026", "2026-1-", "20260230", ""]
        {
            assert_eq!(Date::from_text(text.as_bytes()), None, "{text}");
        }
    }
}
