//! Dates in the spellings that legacy systems use.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Kind, Result};
use fenhe_kernels::PrimitiveColumn;
use fenhe_values::{FaultKind, Pattern, calendar, parse};

use super::{Compiled, Pass, Policy, Work, has_spelling, is_blank, kind_of, other_type, spelled};
use crate::step::Spelling;

/// 1899-12-31, the day before the first one of spreadsheets.
const SPREADSHEET: i32 = -25_568;

#[derive(Debug)]
struct Dates {
    readers: Vec<Reader>,
    policy: Policy,
}

#[derive(Debug)]
enum Reader {
    Usual,
    Compact,
    Iso,
    Excel,
    Pattern(Box<Pattern>),
}

pub(super) fn words(spellings: &[Spelling]) -> String {
    let names: Vec<String> = spellings.iter().map(ToString::to_string).collect();
    names.join(" or ")
}

pub(super) fn compile(
    spellings: &[Spelling],
    pivot: Option<u8>,
    from: &DataType,
    policy: Policy,
) -> Result<Compiled> {
    // A moment with a zone is another day elsewhere.
    if !has_spelling(from) || matches!(from, DataType::Timestamp(_, Some(_))) {
        return Err(other_type("text with dates", from));
    }
    let reader = |spelling: &Spelling| {
        Ok(match spelling {
            Spelling::Usual => Reader::Usual,
            Spelling::Excel => Reader::Excel,
            Spelling::Pattern(text) => match text.as_str() {
                "YYYYMMDD" => Reader::Compact,
                "YYYY-MM-DD" => Reader::Iso,
                text => Reader::Pattern(Box::new(
                    Pattern::new(text, pivot.unwrap_or(0))
                        .map_err(|bad| Error::new(Kind::Config, "mapping.date", bad.to_string()))?,
                )),
            },
        })
    };
    let readers = spellings.iter().map(reader).collect::<Result<_>>()?;
    Ok((Box::new(Dates { readers, policy }), DataType::Date32))
}

impl Work for Dates {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        if *input.data_type() == DataType::Date32 {
            return Ok(Arc::clone(input));
        }
        if matches!(input.data_type(), DataType::Timestamp(..)) {
            return self.days(input, pass);
        }
        let text = spelled(input)?;
        let mut column = PrimitiveColumn::<i32>::new(pass.pools, text.len());
        for row in 0..text.len() {
            let value = if text.is_null(row) { "" } else { text.value(row) };
            let trimmed = value.trim_ascii();
            let mut wrong = FaultKind::NotADate;
            let mut read = |reader: &Reader| match reader.read(trimmed.as_bytes()) {
                Ok(days) => Some(days),
                Err(FaultKind::NoSuchDate) => {
                    wrong = FaultKind::NoSuchDate;
                    None
                }
                Err(_) => None,
            };
            let days = self.readers.iter().find_map(&mut read);
            if days.is_none() && !is_blank(value) {
                pass.take_away(row, &self.policy, || match wrong {
                    FaultKind::NoSuchDate => wrong.to_string(),
                    _ => kind_of(value),
                });
            }
            column.append_option(days);
        }
        finish(column)
    }
}

impl Dates {
    /// Days of moments that are midnight.
    fn days(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let day: i64 = match input.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => 86_400_000,
            DataType::Timestamp(TimeUnit::Microsecond, _) => 86_400_000_000,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => 86_400_000_000_000,
            _ => 86_400,
        };
        let ticks = arrow_cast::cast(input, &DataType::Int64)?;
        let ticks = ticks.as_primitive::<Int64Type>();
        let mut column = PrimitiveColumn::<i32>::new(pass.pools, input.len());
        for row in 0..input.len() {
            let value = ticks.is_valid(row).then(|| ticks.value(row));
            let days = value.filter(|value| value.rem_euclid(day) == 0);
            let days = days.and_then(|value| i32::try_from(value.div_euclid(day)).ok());
            if value.is_some() && days.is_none() {
                pass.take_away(row, &self.policy, || "a time of day".into());
            }
            column.append_option(days);
        }
        finish(column)
    }
}

impl Reader {
    fn read(&self, text: &[u8]) -> Result<i32, FaultKind> {
        match self {
            Self::Usual => usual(text),
            Self::Compact => parse::date_compact(text),
            Self::Iso => parse::date_iso(text),
            Self::Excel => excel(text),
            Self::Pattern(pattern) => pattern.read(text).map(|moment| moment.days),
        }
    }
}

/// Year, month and day in the spellings that leave no doubt.
fn usual(text: &[u8]) -> Result<i32, FaultKind> {
    if text.len() == 8 && text.iter().all(u8::is_ascii_digit) {
        return parse::date_compact(text);
    }
    let (year, rest) = text.split_at_checked(4).ok_or(FaultKind::NotADate)?;
    let (month, day) = match rest.split_first() {
        Some((separator @ (b'-' | b'.' | b'/'), rest)) => {
            let at = rest.iter().position(|byte| byte == separator);
            at.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)))
        }
        _ => chinese(rest),
    }
    .ok_or(FaultKind::NotADate)?;
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    calendar::days(year, month, day).ok_or(FaultKind::NoSuchDate)
}

/// Month and day of `年1月2日`.
fn chinese(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = rest.strip_prefix("年".as_bytes())?.strip_suffix("日".as_bytes())?;
    let at = memchr::memmem::find(rest, "月".as_bytes())?;
    Some((rest.get(..at)?, rest.get(at + "月".len()..)?))
}

fn number(digits: &[u8], most: usize) -> Result<u32, FaultKind> {
    if digits.is_empty() || digits.len() > most || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FaultKind::NotADate);
    }
    Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// A whole number of days; spreadsheets believe in 29 February 1900, number 60.
fn excel(text: &[u8]) -> Result<i32, FaultKind> {
    let days = parse::int(text).map_err(|_| FaultKind::NotADate)?;
    // 2958465 is 9999-12-31.
    match i32::try_from(days) {
        Ok(days @ 1..60) => Ok(SPREADSHEET + days),
        Ok(days @ 61..=2_958_465) => Ok(SPREADSHEET + days - 1),
        Ok(60) => Err(FaultKind::NoSuchDate),
        _ => Err(FaultKind::NotADate),
    }
}

fn finish(mut column: PrimitiveColumn<i32>) -> Result<ArrayRef> {
    column
        .finish(&DataType::Date32)
        .map_err(|error| Error::new(Kind::Internal, "mapping.column", error.to_string()))
}
