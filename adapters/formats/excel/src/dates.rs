//! Serial numbers of days (ISO/IEC 29500-1, 18.17.4.1).

use fenhe_values::format;

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// From which day serials count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// 1 is 1900-01-01; 60 is 1900-02-29, a day that never was.
    #[default]
    Of1900,
    /// 0 is 1904-01-01.
    Of1904,
}

impl Epoch {
    /// Days since 1970-01-01 and milliseconds of the day; `None` for serials that are no day.
    pub(crate) fn moment(self, serial: f64) -> Option<(i32, i64)> {
        // 9999-12-31 is 2,958,465.
        if !(0.0..2_958_466.0).contains(&serial) {
            return None;
        }
        let (mut day, mut ms) =
            (whole(serial.floor())?, whole((serial.fract() * 86_400_000.0).round())?);
        if ms >= DAY {
            (day, ms) = (day + 1, 0);
        }
        // 1970-01-01 is 25,569 in the one and 24,107 in the other.
        let days = match self {
            Self::Of1904 => day - 24_107,
            Self::Of1900 if day > 60 => day - 25_569,
            Self::Of1900 if (1..60).contains(&day) => day - 25_568,
            Self::Of1900 => return None,
        };
        Some((i32::try_from(days).ok()?, ms))
    }

    /// The serial of days since 1970-01-01; `None` before the epoch.
    pub(crate) fn serial(self, days: i32) -> Option<f64> {
        let day = match self {
            Self::Of1904 => days.checked_add(24_107)?,
            Self::Of1900 if days > -25_509 => days.checked_add(25_569)?,
            Self::Of1900 => days.checked_add(25_568)?,
        };
        let least = if self == Self::Of1900 { 1 } else { 0 };
        (least..2_958_466).contains(&day).then_some(f64::from(day))
    }
}

/// Milliseconds of a time of day.
pub(crate) fn time(serial: f64) -> Option<i64> {
    let ms = whole((serial * 86_400_000.0).round())?;
    (0..DAY).contains(&ms).then_some(ms)
}

/// A whole number of moderate size.
pub(crate) fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "below 2^53 and whole")]
    (number.abs() < 9e15 && number.fract() == 0.0).then_some(number as i64)
}

/// Appends `HH:MM:SS`, with milliseconds when there are some.
pub(crate) fn write_time(ms: i64, out: &mut Vec<u8>) {
    let (s, ms) = (ms / 1000, ms % 1000);
    out.extend_from_slice(format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60).as_bytes());
    if ms > 0 {
        out.extend_from_slice(format!(".{ms:03}").as_bytes());
    }
}

/// Appends a day; nothing for days outside the years 1 to 9999.
pub(crate) fn write_date(days: i32, out: &mut Vec<u8>) {
    let _ = format::date_iso(days, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_the_days_that_the_standard_gives() {
        // 18.17.4.1 and 18.17.4.2 of ISO/IEC 29500-1; days by `date -u -d ... +%s` / 86400.
        assert_eq!(Epoch::Of1900.moment(1.0), Some((-25_567, 0)));
        assert_eq!(Epoch::Of1900.moment(59.0), Some((-25_509, 0)));
        assert_eq!(Epoch::Of1900.moment(60.0), None);
        assert_eq!(Epoch::Of1900.moment(61.0), Some((-25_508, 0)));
        assert_eq!(Epoch::Of1900.moment(44_197.5), Some((18_628, 43_200_000)));
        assert_eq!(Epoch::Of1904.moment(42_735.0), Some((18_628, 0)));
        assert_eq!(Epoch::Of1900.moment(2_958_466.0), None);
        for days in [-25_567, -25_509, -25_508, 0, 18_628, 2_932_896] {
            let serial = Epoch::Of1900.serial(days).unwrap();
            assert_eq!(Epoch::Of1900.moment(serial), Some((days, 0)));
        }
    }
}
