//! The quickest way to days and seconds.

use arrow_schema::TimeUnit;

use crate::parse;
use crate::pattern::Fast;
use crate::reader::DateReader;

/// The date that was read last: dates repeat.
pub(super) struct Memo {
    fast: Fast,
    /// The separator between date and time of the second pattern, when that is all the two differ in.
    or: Option<u8>,
    word: u64,
    days: i32,
}

impl Memo {
    pub(super) fn new(dates: &DateReader) -> Self {
        // 1970-01-01 is day 0.
        Self {
            fast: dates.fast(),
            or: dates.second_separator(),
            word: u64::from_le_bytes(*b"19700101"),
            days: 0,
        }
    }

    #[inline(always)]
    pub(super) fn date(&mut self, bytes: &[u8]) -> Option<i32> {
        match self.fast {
            Fast::Compact => self.days_of(u64::from_le_bytes(bytes.try_into().ok()?)),
            Fast::Iso => self.days_of(parse::iso_word(bytes.try_into().ok()?).ok()?),
            Fast::IsoSeconds { .. } | Fast::CompactSeconds | Fast::No => None,
        }
    }

    #[inline(always)]
    pub(super) fn seconds(&mut self, bytes: &[u8]) -> Option<i64> {
        let separator = match self.fast {
            Fast::IsoSeconds { separator } => separator,
            Fast::CompactSeconds => {
                let (date, time) = bytes.split_first_chunk::<8>()?;
                let days = self.days_of(u64::from_le_bytes(*date))?;
                let seconds = parse::time_compact(time.try_into().ok()?).ok()?;
                return Some(i64::from(days) * 86_400 + i64::from(seconds));
            }
            _ => return None,
        };
        let (date, rest) = bytes.split_first_chunk::<10>()?;
        let (between, time) = rest.split_first()?;
        if *between != separator && Some(*between) != self.or {
            return None;
        }
        let days = self.days_of(parse::iso_word(*date).ok()?)?;
        Some(i64::from(days) * 86_400 + i64::from(parse::time_iso(time).ok()?))
    }

    #[inline(always)]
    fn days_of(&mut self, word: u64) -> Option<i32> {
        if word != self.word {
            self.days = parse::from_word(word).ok()?;
            self.word = word;
        }
        Some(self.days)
    }
}

pub(super) fn in_unit(seconds: i64, unit: TimeUnit) -> Option<i64> {
    seconds.checked_mul(match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    })
}
