//! The Gregorian calendar, years 1 to 9999, as days since 1970-01-01.

const BEFORE_MONTH: [u16; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const MONTH_LENGTH: [u8; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// 0001-01-01 lies this many days before 1970-01-01.
const EPOCH_FROM_YEAR_ONE: i32 = 719_162;
/// The first month of [`MONTHS`], January 1900, counted from year 0.
const TABLE_FROM: u32 = 1900 * 12 + 1;
/// Days since 1970-01-01 of the first of each month from January 1900 to January 2101.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "made by the compiler, which sees every place and year"
)]
const MONTHS: [i32; 2_413] = {
    let mut table = [0; 2_413];
    // 1900-01-01 lies this many days before 1970-01-01.
    let mut day = -25_567;
    let mut at = 0;
    while at < table.len() {
        table[at] = day;
        let (year, month) = (1900 + at / 12, at % 12 + 1);
        let leap = month == 2 && is_leap(year as u32);
        day += MONTH_LENGTH[month] as i32 + leap as i32;
        at += 1;
    }
    table
};

/// Whether `year` has a 29 February.
#[must_use]
#[inline]
pub const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The number of days of a month, 0 when there is no such month.
#[must_use]
#[inline]
pub fn month_length(year: u32, month: u32) -> u32 {
    match MONTH_LENGTH.get(month as usize) {
        Some(_) if month == 2 && is_leap(year) => 29,
        Some(&days) => u32::from(days),
        None => 0,
    }
}

/// Days since 1970-01-01, or `None` when the day does not exist or the year is not 1 to 9999.
#[must_use]
#[inline]
pub fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    // Nearly all dates in files, without a division: the first day of the month and of the next one.
    if (1..=12).contains(&month)
        && let Some(at) = (year.wrapping_mul(12).wrapping_add(month)).checked_sub(TABLE_FROM)
        && let Some(&[first, next]) =
            MONTHS.get(at as usize..).and_then(|rest| rest.first_chunk::<2>())
    {
        let days = first.wrapping_add(day.wrapping_sub(1).cast_signed());
        return (first..next).contains(&days).then_some(days);
    }
    days_by_rule(year, month, day)
}

fn days_by_rule(year: u32, month: u32, day: u32) -> Option<i32> {
    if day == 0 || day > month_length(year, month) || year == 0 || year > 9999 {
        return None;
    }
    let leap = u32::from(month > 2 && is_leap(year));
    let before = u32::from(*BEFORE_MONTH.get(month as usize)?);
    Some((days_before_year(year) + before + leap + day - 1).cast_signed() - EPOCH_FROM_YEAR_ONE)
}

/// Days since 1970-01-01 of the `ordinal`-th day (from 1) of a year.
#[must_use]
pub fn days_of_ordinal(year: u32, ordinal: u32) -> Option<i32> {
    let length = if is_leap(year) { 366 } else { 365 };
    if year == 0 || year > 9999 || ordinal == 0 || ordinal > length {
        return None;
    }
    Some((days_before_year(year) + ordinal - 1).cast_signed() - EPOCH_FROM_YEAR_ONE)
}

/// Year, month and day of a number of days since 1970-01-01; `None` outside the years 1 to 9999.
#[must_use]
#[inline]
pub fn civil(days: i32) -> Option<(u32, u32, u32)> {
    // 0001-01-01 and 9999-12-31.
    if !(-EPOCH_FROM_YEAR_ONE..=2_932_896).contains(&days) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last one, counted from 0000-03-01, 306 days before.
    let day = days.wrapping_add(EPOCH_FROM_YEAR_ONE + 306).cast_unsigned();
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March have 31, 30, 31, 30, 31 days, twice over: 153 days for five of them.
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = 400 * era + year_of_era + u32::from(month <= 2);
    Some((year, month, day_of_month))
}

/// The day of the year, from 1.
#[must_use]
pub fn ordinal(year: u32, month: u32, day: u32) -> u32 {
    days_before_month(year, month) + day
}

#[inline]
fn days_before_year(year: u32) -> u32 {
    let y = year.wrapping_sub(1);
    y.wrapping_mul(365).wrapping_add(y / 4).wrapping_sub(y / 100).wrapping_add(y / 400)
}

fn days_before_month(year: u32, month: u32) -> u32 {
    let before = BEFORE_MONTH.get(month as usize).copied().unwrap_or(0);
    u32::from(before) + u32::from(month > 2 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_rule() {
        for year in 1895..2105 {
            for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
                assert_eq!(
                    days(year, month, day),
                    days_by_rule(year, month, day),
                    "{year}-{month}-{day}"
                );
            }
        }
    }

    #[test]
    fn well_known_days_have_their_numbers() {
        // Days checked with `date -u -d ... +%s` divided by 86,400.
        for (ymd, expected) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2026, 1, 2), 20_455),
            ((1900, 1, 1), -25_567),
            ((9999, 12, 31), 2_932_896),
            ((1, 1, 1), -719_162),
        ] {
            assert_eq!(days(ymd.0, ymd.1, ymd.2), Some(expected), "{ymd:?}");
        }
    }

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_day_before() {
        let mut expected = -719_162;
        for year in 1..=9999 {
            for month in 1..=12 {
                let long =
                    [31, 28 + u32::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
                for day in 1..=long[month as usize - 1] {
                    assert_eq!(days(year, month, day), Some(expected));
                    assert_eq!(civil(expected), Some((year, month, day)));
                    expected += 1;
                }
                assert_eq!(days(year, month, long[month as usize - 1] + 1), None);
            }
        }
        assert_eq!(civil(expected), None);
        assert_eq!(civil(-719_163), None);
        assert_eq!(civil(i32::MAX), None);
    }

    #[test]
    fn centuries_are_leap_years_only_every_fourth_time() {
        for (year, leap) in
            [(1900, false), (2000, true), (2100, false), (2024, true), (2023, false), (1600, true)]
        {
            assert_eq!(is_leap(year), leap, "{year}");
        }
    }

    #[test]
    fn the_ordinal_counts_through_the_year() {
        assert_eq!(days_of_ordinal(2024, 366), days(2024, 12, 31));
        assert_eq!(days_of_ordinal(2023, 366), None);
        assert_eq!(ordinal(2024, 3, 1), 61);
    }
}
