//! Date, time and timestamp patterns that fit all values.

use arrow_schema::{DataType, TimeUnit};
use fenhe_text::Encoding;

use super::{Tally, count, same_when_written};
use crate::calendar;
use crate::pattern::{Moment, Pattern};
use crate::spec::DateSpelling;

/// The patterns that are tried, the usual ones first. Two that differ only in the order of day and month are both tried,
/// and neither is taken when both fit.
const PATTERNS: [&str; 26] = [
    "YYYYMMDD",
    "YYYY-MM-DD",
    "YYYY/MM/DD",
    "YYYY.MM.DD",
    "YYYY年MM月DD日",
    "YYYY-M-D",
    "YYYY/M/D",
    "YYYY.M.D",
    "YYYY年M月D日",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "D/M/YYYY",
    "M/D/YYYY",
    "DD.MM.YYYY",
    "YYYY-MM-DD HH:mm:ss",
    "YYYY-MM-DDTHH:mm:ss",
    "YYYY-MM-DD HH:mm:ssf",
    "YYYY-MM-DDTHH:mm:ssf",
    "YYYY-MM-DD HH:mm",
    "YYYY/MM/DD HH:mm:ss",
    "YYYY/M/D H:mm:ss",
    "YYYY/M/D H:mm",
    "YYYYMMDDHHmmss",
    "YYYY-MM-DDTHH:mm:ssfZ",
    "YYYY-MM-DD HH:mm:ssfZ",
    "HH:mm:ss",
];

/// A pattern that missed so often is not tried again.
const MISSES: u64 = 16;

#[derive(Clone, Debug)]
pub(super) struct Dates {
    candidates: Vec<Candidate>,
    zeros: u64,
}

#[derive(Clone, Debug)]
struct Candidate {
    pattern: Pattern,
    tally: Tally,
    misses: u64,
    /// Finest fraction of a second: 0, 3, 6 or 9 digits.
    fraction: u8,
}

impl Dates {
    pub(super) fn new(encoding: Encoding) -> Self {
        let encode = |text: &str| encoding.encode(text).ok();
        let compile = |text: &&str| Pattern::encoded(text, 69, &encode).ok();
        let candidate =
            |pattern| Candidate { pattern, tally: Tally::default(), misses: 0, fraction: 0 };
        Self { candidates: PATTERNS.iter().filter_map(compile).map(candidate).collect(), zeros: 0 }
    }

    pub(super) fn feed(&mut self, value: &[u8], row: u64) {
        if matches!(
            value,
            b"00000000"
                | b"0000-00-00"
                | b"0000/00/00"
                | b"0000-00-00 00:00:00"
                | b"00000000000000"
        ) {
            self.zeros += 1;
            return;
        }
        // No pattern without a digit, none longer than a timestamp with nanoseconds and a zone.
        let possible = value.len() <= 40 && value.first().is_some_and(u8::is_ascii_digit);
        for candidate in self.candidates.iter_mut().filter(|c| c.misses < MISSES) {
            let fits = possible && candidate.fits(value);
            candidate.tally.take(fits, row);
            candidate.misses += u64::from(!fits);
        }
    }

    pub(super) fn judge(
        &self,
        values: u64,
        spelling: &mut DateSpelling,
        reasons: &mut Vec<String>,
    ) -> Option<DataType> {
        let dated = values.checked_sub(self.zeros).filter(|n| *n > 0)?;
        let fitting: Vec<&Candidate> =
            self.candidates.iter().filter(|c| c.tally.fits == dated).collect();
        let best = fitting.first()?;
        if let Some(other) =
            fitting.iter().find(|c| day_first(&c.pattern) != day_first(&best.pattern))
        {
            let both = (best.pattern.as_str(), other.pattern.as_str());
            reasons.push(format!("all values could be {} as well as {}", both.0, both.1));
            return None;
        }
        let data_type = best.data_type();
        let what = match data_type {
            DataType::Date32 => "dates",
            DataType::Time32(_) => "times",
            _ => "timestamps",
        };
        let text = best.pattern.as_str();
        reasons.push(format!("{} of {} values are {what} {text}", count(dated), count(values)));
        if self.zeros > 0 {
            spelling.zero_is_null = true;
            reasons.push(format!("{} values are zero dates, taken for null", count(self.zeros)));
        }
        // The ISO 8601 spelling is the default and needs no words.
        if text != "YYYY-MM-DD" {
            spelling.patterns = vec![text.to_owned()];
        }
        Some(data_type)
    }

    pub(super) fn nearly(&self, values: u64) -> Option<String> {
        let best = self.candidates.iter().max_by_key(|c| c.tally.fits)?;
        best.tally.nearly(values, &format!("dates or times {}", best.pattern.as_str()))
    }
}

impl Candidate {
    fn fits(&mut self, value: &[u8]) -> bool {
        let read = self.pattern.read(value);
        let Ok(moment) = read else { return false };
        if self.pattern.has_date() && !plausible(&moment) {
            return false;
        }
        self.fraction = self.fraction.max(match moment.nanos {
            0 => 0,
            n if n.is_multiple_of(1_000_000) => 3,
            n if n.is_multiple_of(1_000) => 6,
            _ => 9,
        });
        // `f` reads more zeros and a comma than it writes: a matter of spelling only.
        self.pattern.as_str().contains('f')
            || same_when_written(value, read, |m, out| self.pattern.write(&m, out))
    }

    fn data_type(&self) -> DataType {
        let unit = match self.fraction {
            0 => TimeUnit::Second,
            3 => TimeUnit::Millisecond,
            6 => TimeUnit::Microsecond,
            _ => TimeUnit::Nanosecond,
        };
        let zone = self.pattern.has_zone().then(|| "UTC".into());
        match (self.pattern.has_date(), self.pattern.has_time()) {
            (true, false) => DataType::Date32,
            (false, _) => DataType::Time32(TimeUnit::Second),
            // A sample without fractions says little about the rest.
            (true, true) if self.fraction == 0 && self.pattern.as_str().contains('f') => {
                DataType::Timestamp(TimeUnit::Millisecond, zone)
            }
            (true, true) => DataType::Timestamp(unit, zone),
        }
    }
}

/// Dates of people and files, and the sentinel 9999-12-31. Eight digits that are a date only in the year 3127 are none.
fn plausible(moment: &Moment) -> bool {
    calendar::civil(moment.days).is_some_and(|(year, month, day)| {
        (1800..=2199).contains(&year) || (year, month, day) == (9999, 12, 31)
    })
}

/// Whether a pattern begins with the day (`true`), the month (`false`) or neither.
fn day_first(pattern: &Pattern) -> Option<bool> {
    match pattern.as_str().chars().next() {
        Some('D') => Some(true),
        Some('M') => Some(false),
        _ => None,
    }
}
