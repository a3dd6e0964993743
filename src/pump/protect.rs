//! Consideration for the source: so many rows a second, and only at certain hours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fenhe_core::{Error, Kind, Result};
use tokio::time::Instant;

/// How a source is to be treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// Records read in a second, at most.
    pub rows_per_second: Option<u64>,
    /// When it may be read.
    pub hours: Option<Hours>,
}

/// A time of day in which a source may be read, over midnight where it ends before it begins.
///
/// ```
/// use fenhe::Hours;
/// let hours = Hours::parse("22:00-06:00 +08:00")?;
/// // 2026-11-23 15:00 UTC is 23:00 in Beijing.
/// let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_446_000);
/// assert!(hours.open_at(at));
/// # Ok::<(), fenhe::core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: i64,
    to: i64,
    offset: i64,
}

const DAY: i64 = 24 * 60;

impl Hours {
    /// Reads `22:00-06:00 +08:00`: from, to, and by how much local time is ahead of UTC.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `engine.hours`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(Kind::Config, "engine.hours", "these are no hours of a day")
                .hint("write them like 22:00-06:00 +08:00; the last part is local time against UTC")
        };
        let parse = || {
            let (range, offset) = text.trim().split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let offset = offset.trim();
            let (sign, size) = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
                (Some(size), _) => (1, size),
                (_, Some(size)) => (-1, size),
                _ => return None,
            };
            Some(Self { from: minutes(from)?, to: minutes(to)?, offset: sign * minutes(size)? })
        };
        parse().filter(|hours: &Self| hours.from != hours.to).ok_or_else(wrong)
    }

    /// Whether the source may be read at this time.
    pub fn open_at(&self, time: SystemTime) -> bool {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let minute = i64::try_from(seconds / 60).unwrap_or(i64::MAX / 2);
        let minute = (minute + self.offset).rem_euclid(DAY);
        match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        }
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let at = |m: i64| format!("{:02}:{:02}", m.abs() / 60, m.abs() % 60);
        write!(f, "{}-{} {sign}{}", at(self.from), at(self.to), at(self.offset))
    }
}

impl<'de> serde::Deserialize<'de> for Hours {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| match text.len() {
        2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse::<i64>().ok(),
        _ => None,
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

impl Protection {
    /// Whether the source may be read now.
    pub(super) fn open_now(&self) -> bool {
        self.hours.is_none_or(|hours| hours.open_at(SystemTime::now()))
    }

    /// The rows of a batch: no more than a second may bring.
    pub(super) fn batch_rows(&self, rows: u64) -> u64 {
        self.rows_per_second.map_or(rows, |most| rows.min(most.max(1)))
    }
}

/// Holds a reader to a number of rows a second.
pub(super) struct Pace {
    most: Option<u64>,
    begun: Option<Instant>,
    taken: u64,
}

impl Pace {
    pub(super) fn new(protection: &Protection) -> Self {
        Self { most: protection.rows_per_second, begun: None, taken: 0 }
    }

    /// Waits until the next batch may be read. Cancel-safe.
    pub(super) async fn wait(&mut self) {
        let Some(most) = self.most else { return };
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let millis = u128::from(self.taken) * 1_000 / u128::from(most.max(1));
        let due = begun + Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX / 4));
        tokio::time::sleep_until(due).await;
    }

    pub(super) fn took(&mut self, rows: u64) {
        self.taken += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, hour: u64, minute: u64) -> bool {
        let time = UNIX_EPOCH + Duration::from_secs(86_400 * 20_000 + hour * 3_600 + minute * 60);
        Hours::parse(text).unwrap().open_at(time)
    }

    #[test]
    fn hours_run_over_midnight_and_follow_local_time() {
        // UTC hour and minute, open or not.
        for (hour, minute, open) in
            [(14, 0, true), (13, 59, false), (21, 59, true), (22, 0, false), (16, 0, true)]
        {
            assert_eq!(at("22:00-06:00 +08:00", hour, minute), open, "{hour}:{minute}");
        }
        assert!(at("09:00-17:30 -03:30", 12, 30) && !at("09:00-17:30 -03:30", 21, 0));
        for wrong in
            ["", "22:00-06:00", "24:00-06:00 +08:00", "1:00-2:00 +08:00", "01:00-01:00 +00:00"]
        {
            assert_eq!(Hours::parse(wrong).unwrap_err().code(), "engine.hours", "{wrong}");
        }
        assert_eq!(Hours::parse("22:00-06:00 +08:00").unwrap().to_string(), "22:00-06:00 +08:00");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept() {
        let protection = Protection { rows_per_second: Some(100), hours: None };
        assert_eq!(protection.batch_rows(8_192), 100);
        let (mut pace, begun) = (Pace::new(&protection), Instant::now());
        for _ in 0..5 {
            pace.wait().await;
            pace.took(100);
        }
        assert_eq!(begun.elapsed().as_secs(), 4);
    }
}
