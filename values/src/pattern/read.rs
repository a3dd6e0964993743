//! Reading by a pattern.

use super::{Fast, Moment, Pattern, Token};
use crate::calendar;
use crate::fault::FaultKind;
use crate::parse;

/// Month names in English: the first three letters are the short form.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Pattern {
    /// Reads the whole of `bytes`.
    ///
    /// # Errors
    /// [`FaultKind::NotADate`] when the bytes do not fit the pattern, [`FaultKind::NoSuchDate`] when they do but the calendar
    /// or the clock has no such moment.
    pub fn read(&self, bytes: &[u8]) -> Result<Moment, FaultKind> {
        match self.fast {
            Fast::Compact => Ok(Moment { days: parse::date_compact(bytes)?, ..Moment::default() }),
            Fast::Iso => Ok(Moment { days: parse::date_iso(bytes)?, ..Moment::default() }),
            Fast::IsoSeconds { .. } | Fast::CompactSeconds | Fast::No => self.read_tokens(bytes),
        }
    }

    fn read_tokens(&self, bytes: &[u8]) -> Result<Moment, FaultKind> {
        let mut parts = Parts::default();
        let mut rest = bytes;
        for token in &self.tokens {
            rest = parts.take(token, rest, self.pivot).ok_or(FaultKind::NotADate)?;
        }
        if !rest.is_empty() {
            return Err(FaultKind::NotADate);
        }
        parts.moment(self.has.date).ok_or(FaultKind::NoSuchDate)
    }
}

#[derive(Default)]
struct Parts {
    year: u32,
    month: Option<u32>,
    day: Option<u32>,
    ordinal: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u32,
    offset: Option<i16>,
}

impl Parts {
    /// Takes one part from the front; `None` when it does not stand there.
    fn take<'a>(&mut self, token: &Token, bytes: &'a [u8], pivot: u8) -> Option<&'a [u8]> {
        let (value, rest) = match token {
            Token::Year4 => digits(bytes, 4, 4)?,
            Token::Year2 | Token::Month { fixed: true } | Token::Day { fixed: true } => {
                digits(bytes, 2, 2)?
            }
            Token::Month { fixed: false } | Token::Day { fixed: false } => digits(bytes, 1, 2)?,
            Token::Hour { fixed }
            | Token::Hour12 { fixed }
            | Token::Minute { fixed }
            | Token::Second { fixed } => digits(bytes, if *fixed { 2 } else { 1 }, 2)?,
            Token::Ordinal => digits(bytes, 3, 3)?,
            Token::Fraction(n) => digits(bytes, usize::from(*n), usize::from(*n))?,
            Token::MonthName { long } => month_name(bytes, *long)?,
            Token::OptionalFraction => return self.optional_fraction(bytes),
            Token::Zone => return self.zone(bytes),
            Token::HalfDay { before, after } => {
                let (afternoon, length) = if starts_with(bytes, before) {
                    (false, before.len())
                } else if starts_with(bytes, after) {
                    (true, after.len())
                } else {
                    return None;
                };
                self.afternoon = Some(afternoon);
                return bytes.get(length..);
            }
            Token::Literal(literal) => return bytes.strip_prefix(literal.as_slice()),
        };
        match token {
            Token::Year4 => self.year = value,
            Token::Year2 => {
                self.year = if value < u32::from(pivot) { 2000 + value } else { 1900 + value }
            }
            Token::Month { .. } | Token::MonthName { .. } => self.month = Some(value),
            Token::Day { .. } => self.day = Some(value),
            Token::Ordinal => self.ordinal = Some(value),
            Token::Hour { .. } | Token::Hour12 { .. } => self.hour = value,
            Token::Minute { .. } => self.minute = value,
            Token::Second { .. } => self.second = value,
            Token::Fraction(n) => self.nanos = value * 10u32.pow(9 - u32::from(*n)),
            _ => {}
        }
        Some(rest)
    }

    fn optional_fraction<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let [b'.' | b',', rest @ ..] = bytes else { return Some(bytes) };
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (value, rest) = digits(rest, count, 9)?;
        self.nanos = value * 10u32.pow(9 - u32::try_from(count).ok()?);
        Some(rest)
    }

    fn zone<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (sign, rest) = match bytes {
            [b'Z' | b'z', rest @ ..] => {
                self.offset = Some(0);
                return Some(rest);
            }
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => return None,
        };
        let (hours, rest) = digits(rest, 2, 2)?;
        let (minutes, rest) = match rest {
            [b':', after @ ..] => digits(after, 2, 2)?,
            [b'0'..=b'9', ..] => digits(rest, 2, 2)?,
            _ => (0, rest),
        };
        // RFC 3339 allows 23:59; no place on earth uses more than 14:00.
        if hours > 23 || minutes > 59 {
            return None;
        }
        self.offset = Some(sign * i16::try_from(hours * 60 + minutes).ok()?);
        Some(rest)
    }

    fn moment(&self, dated: bool) -> Option<Moment> {
        let days = match (dated, self.ordinal) {
            (false, _) => 0,
            (true, Some(ordinal)) => calendar::days_of_ordinal(self.year, ordinal)?,
            (true, None) => calendar::days(self.year, self.month?, self.day.unwrap_or(1))?,
        };
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if self.hour == 0 || self.hour > 12 => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let seconds = hour * 3600 + self.minute * 60 + self.second;
        Some(Moment { days, seconds, nanos: self.nanos, offset: self.offset })
    }
}

/// At least `min` and at most `max` (no more than nine) digits.
fn digits(bytes: &[u8], min: usize, max: usize) -> Option<(u32, &[u8])> {
    let count = bytes.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
    if count < min.max(1) {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(count)?;
    Some((number.iter().fold(0, |value, b| value * 10 + u32::from(b - b'0')), rest))
}

fn month_name(bytes: &[u8], long: bool) -> Option<(u32, &[u8])> {
    (1u32..).zip(MONTHS).find_map(|(number, name)| {
        let name = if long { name } else { name.get(..3)? };
        starts_with(bytes, name.as_bytes())
            .then(|| bytes.get(name.len()..))
            .flatten()
            .map(|rest| (number, rest))
    })
}

fn starts_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|front| front.eq_ignore_ascii_case(word))
}
