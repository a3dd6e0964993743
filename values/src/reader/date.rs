//! Dates, times and timestamps by a list of patterns.

use arrow_schema::TimeUnit;

use crate::fault::FaultKind;
use crate::pattern::{Fast, Moment, Pattern};
use crate::spec::DateSpelling;

/// What the type asks of its patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Date,
    Time,
    Timestamp { zoned: bool },
}

/// Patterns tried in order.
#[derive(Clone, Debug)]
pub(crate) struct DateReader {
    patterns: Vec<Pattern>,
    fast: Fast,
    zero_is_null: bool,
}

impl DateReader {
    pub(crate) fn new(
        spelling: &DateSpelling,
        wanted: Wanted,
        encode: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let patterns = compile(spelling, wanted, encode)?;
        let fast = patterns.first().map_or(Fast::No, Pattern::fast);
        Ok(Self { patterns, fast, zero_is_null: spelling.zero_is_null })
    }

    /// The first pattern, when it is one of those with a reader of their own.
    #[inline]
    pub(crate) fn fast(&self) -> Fast {
        self.fast
    }

    /// The separator between date and time of the second pattern, when it has a reader of its own as well.
    pub(crate) fn second_separator(&self) -> Option<u8> {
        match self.patterns.get(1).map(Pattern::fast) {
            Some(Fast::IsoSeconds { separator }) => Some(separator),
            _ => None,
        }
    }

    pub(crate) fn zero_is_null(&self) -> bool {
        self.zero_is_null
    }

    /// Whether every pattern spells a zone.
    pub(crate) fn all_zoned(&self) -> bool {
        self.patterns.iter().all(Pattern::has_zone)
    }

    pub(crate) fn first_pattern(&self) -> &str {
        self.patterns.first().map_or("", Pattern::as_str)
    }

    /// Days since 1970-01-01. A time of day other than midnight would be lost, so it is refused.
    pub(crate) fn date(&self, bytes: &[u8]) -> Result<i32, FaultKind> {
        let moment = self.moment(bytes)?;
        if moment.seconds == 0 && moment.nanos == 0 {
            Ok(moment.days)
        } else {
            Err(FaultKind::OutOfRange)
        }
    }

    /// Time of day in units.
    pub(crate) fn time(&self, bytes: &[u8], unit: TimeUnit) -> Result<i64, FaultKind> {
        let moment = self.moment(bytes)?;
        units(0, moment.seconds, moment.nanos, unit)
    }

    /// Units since 1970-01-01 00:00:00; with a zone, in UTC: the offset in the field comes before the zone of the type.
    pub(crate) fn timestamp(
        &self,
        bytes: &[u8],
        unit: TimeUnit,
        zone: Option<i16>,
    ) -> Result<i64, FaultKind> {
        let moment = self.moment(bytes)?;
        let east = i64::from(moment.offset.or(zone).unwrap_or(0)) * 60;
        units(i64::from(moment.days) * 86_400 - east, moment.seconds, moment.nanos, unit)
    }

    /// Zeros and separators only, and at least one zero.
    pub(crate) fn is_zero(bytes: &[u8]) -> bool {
        bytes.contains(&b'0')
            && bytes.iter().all(|b| matches!(b, b'0' | b'-' | b'/' | b'.' | b':' | b' ' | b'T'))
    }

    fn moment(&self, bytes: &[u8]) -> Result<Moment, FaultKind> {
        let mut worst = FaultKind::NotADate;
        for pattern in &self.patterns {
            match pattern.read(bytes) {
                Ok(moment) => return Ok(moment),
                Err(FaultKind::NoSuchDate) => worst = FaultKind::NoSuchDate,
                Err(_) => {}
            }
        }
        Err(worst)
    }
}

/// Compiles the patterns of a spelling, or the ISO 8601 ones, and checks that they suit the type.
pub(crate) fn compile(
    spelling: &DateSpelling,
    wanted: Wanted,
    encode: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<Vec<Pattern>, String> {
    let standard: &[&str] = match wanted {
        Wanted::Date => &["YYYY-MM-DD"],
        Wanted::Time => &["HH:mm:ssf"],
        Wanted::Timestamp { zoned: false } => &["YYYY-MM-DDTHH:mm:ssf", "YYYY-MM-DD HH:mm:ssf"],
        Wanted::Timestamp { zoned: true } => &["YYYY-MM-DDTHH:mm:ssfZ", "YYYY-MM-DD HH:mm:ssfZ"],
    };
    let given: Vec<&str> = spelling.patterns.iter().map(String::as_str).collect();
    let texts = if given.is_empty() { standard } else { given.as_slice() };
    texts
        .iter()
        .map(|text| {
            let pattern =
                Pattern::encoded(text, spelling.pivot, encode).map_err(|e| e.to_string())?;
            suits(&pattern, wanted).map_err(|reason| format!("the pattern `{text}` {reason}"))?;
            Ok(pattern)
        })
        .collect()
}

fn suits(pattern: &Pattern, wanted: Wanted) -> Result<(), &'static str> {
    match wanted {
        Wanted::Date | Wanted::Timestamp { .. } if !pattern.has_date() => Err("spells no date"),
        Wanted::Time if pattern.has_date() => Err("spells a date, the type is a time of day"),
        Wanted::Date | Wanted::Timestamp { zoned: false } if pattern.has_zone() => {
            Err("spells a zone; the type must have one to keep it: `timestamp(ms, UTC)`")
        }
        _ => Ok(()),
    }
}

/// The zone of a type as minutes east of UTC; `None` for zones that need a table of their history.
pub(crate) fn fixed_offset(zone: &str) -> Option<i16> {
    if matches!(zone, "UTC" | "Z" | "GMT" | "Etc/UTC") {
        return Some(0);
    }
    let pattern = Pattern::new("YYYYMMDDHHZ", 69).ok()?;
    pattern.read(format!("1970010100{zone}").as_bytes()).ok()?.offset
}

fn units(base: i64, seconds: u32, nanos: u32, unit: TimeUnit) -> Result<i64, FaultKind> {
    scale(base + i64::from(seconds), nanos, unit)
}

pub(crate) fn scale(seconds: i64, nanos: u32, unit: TimeUnit) -> Result<i64, FaultKind> {
    let (per_second, nanos_per_unit) = match unit {
        TimeUnit::Second => (1, 1_000_000_000),
        TimeUnit::Millisecond => (1_000, 1_000_000),
        TimeUnit::Microsecond => (1_000_000, 1_000),
        TimeUnit::Nanosecond => (1_000_000_000, 1),
    };
    if !nanos.is_multiple_of(nanos_per_unit) {
        return Err(FaultKind::TooManyFractionDigits);
    }
    let whole = seconds.checked_mul(per_second).ok_or(FaultKind::OutOfRange)?;
    whole.checked_add(i64::from(nanos / nanos_per_unit)).ok_or(FaultKind::OutOfRange)
}
