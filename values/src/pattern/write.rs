//! Writing by a pattern.

use super::read::MONTHS;
use super::{Fast, Moment, Pattern, Token};
use crate::calendar;
use crate::fault::FaultKind;
use crate::format;

impl Pattern {
    /// Appends the spelling of a moment.
    ///
    /// # Errors
    /// [`FaultKind::NotInPattern`] when reading the result would give another moment: a year outside the two-digit window, a
    /// time of day or a fraction that the pattern does not spell, a zone it needs and does not get. Nothing is appended then.
    pub fn write(&self, moment: &Moment, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        let (year, month, day) = calendar::civil(moment.days).ok_or(FaultKind::NotInPattern)?;
        let lost_day = self.has.date && !self.has.day && day != 1;
        let lost_zone = self.has.zone != moment.offset.is_some();
        if lost_day || lost_zone || !self.keeps_time(moment) || !self.keeps_year(year) {
            return Err(FaultKind::NotInPattern);
        }
        if let Fast::IsoSeconds { separator } = self.fast {
            format::date_iso(moment.days, out)?;
            out.push(separator);
            format::time_iso(moment.seconds, out);
            optional_fraction(moment.nanos, out);
            return Ok(());
        }
        for token in &self.tokens {
            let clock = (moment.seconds / 3600, moment.seconds / 60 % 60, moment.seconds % 60);
            match token {
                Token::Year4 => number(year, 4, out),
                Token::Year2 => number(year % 100, 2, out),
                Token::Month { fixed } => number(month, 1 + usize::from(*fixed), out),
                Token::MonthName { long } => {
                    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
                    out.extend_from_slice(
                        if *long { name } else { name.get(..3).unwrap_or(name) }.as_bytes(),
                    );
                }
                Token::Day { fixed } => number(day, 1 + usize::from(*fixed), out),
                Token::Ordinal => number(calendar::ordinal(year, month, day), 3, out),
                Token::Hour { fixed } => number(clock.0, 1 + usize::from(*fixed), out),
                Token::Hour12 { fixed } => {
                    number((clock.0 + 11) % 12 + 1, 1 + usize::from(*fixed), out)
                }
                Token::Minute { fixed } => number(clock.1, 1 + usize::from(*fixed), out),
                Token::Second { fixed } => number(clock.2, 1 + usize::from(*fixed), out),
                Token::Fraction(n) => {
                    number(moment.nanos / 10u32.pow(9 - u32::from(*n)), usize::from(*n), out)
                }
                Token::OptionalFraction => optional_fraction(moment.nanos, out),
                Token::HalfDay { before, after } => {
                    out.extend_from_slice(if clock.0 < 12 { before } else { after })
                }
                Token::Zone => zone(moment.offset.unwrap_or(0), out),
                Token::Literal(literal) => out.extend_from_slice(literal),
            }
        }
        Ok(())
    }

    fn keeps_year(&self, year: u32) -> bool {
        let pivot = u32::from(self.pivot);
        !self.has.short_year || (1900 + pivot..2000 + pivot).contains(&year)
    }

    fn keeps_time(&self, moment: &Moment) -> bool {
        let nanos = u64::from(moment.seconds) * 1_000_000_000 + u64::from(moment.nanos);
        moment.seconds < 86_400 && nanos.is_multiple_of(self.step)
    }
}

/// The smallest part of the clock that the tokens spell, in nanoseconds; a whole day when they spell none.
pub(super) fn step(tokens: &[Token]) -> u64 {
    let part = |token: &Token| match token {
        Token::Fraction(n) => 10u64.pow(9 - u32::from(*n)),
        Token::OptionalFraction => 1,
        Token::Second { .. } => 1_000_000_000,
        Token::Minute { .. } => 60_000_000_000,
        Token::Hour { .. } | Token::Hour12 { .. } => 3_600_000_000_000,
        _ => 86_400_000_000_000,
    };
    tokens.iter().map(part).min().unwrap_or(86_400_000_000_000)
}

/// A number with at least `width` digits.
fn number(value: u32, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 10];
    let mut rest = value;
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        if rest == 0 && used >= width {
            break;
        }
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
    }
    out.extend_from_slice(digits.get(10 - used..).unwrap_or_default());
}

/// Nothing for a whole second, else as many digits as are needed.
fn optional_fraction(nanos: u32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    number(nanos, 9, out);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

fn zone(offset: i16, out: &mut Vec<u8>) {
    if offset == 0 {
        out.push(b'Z');
        return;
    }
    let minutes = u32::from(offset.unsigned_abs());
    out.push(if offset < 0 { b'-' } else { b'+' });
    number(minutes / 60, 2, out);
    out.push(b':');
    number(minutes % 60, 2, out);
}
