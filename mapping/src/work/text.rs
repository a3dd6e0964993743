//! Steps on text.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Result};
use regex::{Regex, RegexBuilder};

use super::{Cell, Compiled, Pass, Policy, Work, is_blank, is_filling, spelled};
use crate::step::{Operation, Side};

/// A regular expression with the limits of `fenhe-rules`: linear time, 1 MiB.
pub(crate) fn regex(pattern: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(64).build()
}

/// A step that takes every text.
#[derive(Debug)]
struct Plain(Operation);

#[derive(Debug)]
struct Matching {
    regex: Regex,
    policy: Policy,
}

#[derive(Debug)]
struct Extract {
    regex: Regex,
    policy: Policy,
}

#[derive(Debug)]
struct Split {
    by: String,
    part: i32,
    policy: Policy,
}

pub(super) fn plain(operation: &Operation) -> Compiled {
    (Box::new(Plain(operation.clone())), DataType::Utf8)
}

pub(super) fn matching(pattern: &str, policy: Policy) -> Result<Compiled> {
    // The whole text has to match, whatever alternatives the pattern has.
    let regex = compiled(&format!("^(?:{pattern})$"))?;
    Ok((Box::new(Matching { regex, policy }), DataType::Utf8))
}

pub(super) fn extract(pattern: &str, policy: Policy) -> Result<Compiled> {
    Ok((Box::new(Extract { regex: compiled(pattern)?, policy }), DataType::Utf8))
}

pub(super) fn split(by: &str, part: i32, policy: Policy) -> Compiled {
    (Box::new(Split { by: by.to_owned(), part, policy }), DataType::Utf8)
}

fn compiled(pattern: &str) -> Result<Regex> {
    regex(pattern).map_err(|_| {
        Error::new(Kind::Config, "mapping.pattern", format!("the pattern {pattern} is too large"))
    })
}

impl Work for Plain {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        let changes = match &self.0 {
            Operation::Trim(_) => any(&text, |text| trimmed(text, Side::Both).len() != text.len()),
            Operation::HalfWidth => has_full_width(text.value_data()),
            Operation::Upper => text.value_data().iter().any(u8::is_ascii_lowercase),
            Operation::Lower => text.value_data().iter().any(u8::is_ascii_uppercase),
            Operation::Absent(words) => any(&text, |text| is_absent(text, words)),
            Operation::Replace { text: what, .. } => {
                memchr::memmem::find(text.value_data(), what.as_bytes()).is_some()
            }
            _ => true,
        };
        if !changes {
            return Ok(std::sync::Arc::new(text));
        }
        match &self.0 {
            Operation::Trim(side) => pass.rewrite(&text, None, |text, _| {
                let kept = trimmed(text, *side);
                let from = kept.as_ptr().addr() - text.as_ptr().addr();
                Cell::Part(from, from + kept.len())
            }),
            Operation::HalfWidth => pass.rewrite(&text, None, |text, out| {
                out.push_str(&fenhe_text::to_half_width(text));
                Cell::Written
            }),
            Operation::FullWidth => pass.rewrite(&text, None, |text, out| {
                out.push_str(&fenhe_text::to_full_width(text));
                Cell::Written
            }),
            Operation::Upper => pass.rewrite(&text, None, |text, out| {
                out.push_str(text);
                out.make_ascii_uppercase();
                Cell::Written
            }),
            Operation::Lower => pass.rewrite(&text, None, |text, out| {
                out.push_str(text);
                out.make_ascii_lowercase();
                Cell::Written
            }),
            Operation::Absent(words) => pass.rewrite(&text, None, |text, _| {
                if is_absent(text, words) { Cell::Absent } else { Cell::Same }
            }),
            Operation::Replace { text: what, with } => pass.rewrite(&text, None, |text, out| {
                replace(text, what, with, out);
                Cell::Written
            }),
            Operation::Cut { first, last } => {
                pass.rewrite(&text, None, |text, _| cut(text, *first, *last))
            }
            // Every other operation has work of its own.
            _ => Ok(std::sync::Arc::new(text)),
        }
    }
}

impl Work for Matching {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        if !any(&text, |text| !is_blank(text) && !self.regex.is_match(text)) {
            return Ok(std::sync::Arc::new(text));
        }
        pass.rewrite(&text, Some(&self.policy), |text, _| {
            if is_blank(text) || self.regex.is_match(text) { Cell::Same } else { Cell::Bad }
        })
    }
}

impl Work for Extract {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        let grouped = self.regex.captures_len() > 1;
        pass.rewrite(&text, Some(&self.policy), |text, _| {
            if is_blank(text) {
                return Cell::Absent;
            }
            let found = match grouped {
                true => self.regex.captures(text).and_then(|groups| groups.get(1)),
                false => self.regex.find(text),
            };
            found.map_or(Cell::Bad, |found| Cell::Part(found.start(), found.end()))
        })
    }
}

impl Work for Split {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        let skip = usize::try_from(self.part.unsigned_abs()).unwrap_or(usize::MAX) - 1;
        pass.rewrite(&text, Some(&self.policy), |text, _| {
            if is_blank(text) {
                return Cell::Absent;
            }
            let part = match self.part > 0 {
                true => text.split(self.by.as_str()).nth(skip),
                false => text.rsplit(self.by.as_str()).nth(skip),
            };
            part.map_or(Cell::Bad, |part| {
                let from = part.as_ptr().addr() - text.as_ptr().addr();
                Cell::Part(from, from + part.len())
            })
        })
    }
}

/// Several columns as one text; absent and blank values are left out, and where all are, the value is absent.
pub(crate) fn join(arrays: &[ArrayRef], by: &str, pass: &mut Pass<'_>) -> Result<ArrayRef> {
    let texts = arrays.iter().map(spelled).collect::<Result<Vec<_>>>()?;
    let Some(first) = texts.first() else { return Err(no_columns()) };
    // The rows of the first column, with every value there, so that each row is looked at.
    let rows = StringArray::new_repeated("", first.len());
    let mut row = 0;
    pass.rewrite(&rows, None, |_, out| {
        let mut none = true;
        for text in &texts {
            if text.is_null(row) || is_blank(text.value(row)) {
                continue;
            }
            if !none {
                out.push_str(by);
            }
            none = false;
            out.push_str(text.value(row));
        }
        row += 1;
        if none { Cell::Absent } else { Cell::Written }
    })
}

/// The first of several columns that has a value. All of one type, or all as text.
pub(crate) fn first(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(one) = arrays.first() else { return Err(no_columns()) };
    let same = arrays.iter().all(|array| array.data_type() == one.data_type());
    let arrays = match same {
        true => arrays.to_vec(),
        false => arrays
            .iter()
            .map(|array| Ok(std::sync::Arc::new(spelled(array)?) as ArrayRef))
            .collect::<Result<_>>()?,
    };
    let has_value = |array: &ArrayRef, row: usize| {
        array.is_valid(row)
            && !(*array.data_type() == DataType::Utf8
                && is_blank(array.as_string::<i32>().value(row)))
    };
    let chosen: Vec<(usize, usize)> = (0..one.len())
        .map(|row| (arrays.iter().position(|array| has_value(array, row)).unwrap_or(0), row))
        .collect();
    let all: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(arrow_select::interleave::interleave(&all, &chosen)?)
}

fn no_columns() -> Error {
    Error::new(Kind::Internal, "mapping.columns", "several columns were expected")
}

fn any(text: &StringArray, mut test: impl FnMut(&str) -> bool) -> bool {
    (0..text.len()).any(|row| text.is_valid(row) && test(text.value(row)))
}

fn is_absent(text: &str, words: &[String]) -> bool {
    is_blank(text) || words.iter().any(|word| word == text)
}

#[inline]
fn trimmed(text: &str, side: Side) -> &str {
    // Most text begins and ends with something that is plainly no blank: ASCII, or a character from U+4000 on,
    // whose first of three bytes is E4 or more.
    let ends_plainly = match text.as_bytes() {
        [.., b'!'..=b'~'] => true,
        [.., lead, _, last] => *lead >= 0xE4 && *last >= 0x80,
        _ => false,
    };
    if ends_plainly && matches!(text.as_bytes().first(), Some(b'!'..=b'~' | 0xE4..)) {
        return text;
    }
    match side {
        Side::Start => text.trim_start_matches(is_filling),
        Side::End => text.trim_end_matches(is_filling),
        Side::Both => text.trim_matches(is_filling),
    }
}

/// Whether there may be full-width forms: U+3000 begins with E3, U+FF01 to U+FF5E with EF.
fn has_full_width(text: &[u8]) -> bool {
    memchr::memchr2_iter(0xE3, 0xEF, text)
        .any(|at| matches!(text.get(at..at + 3), Some([0xE3, 0x80, 0x80] | [0xEF, 0xBC | 0xBD, _])))
}

fn replace(text: &str, what: &str, with: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(what) {
        out.push_str(before);
        out.push_str(with);
        rest = after;
    }
    out.push_str(rest);
}

fn cut(text: &str, first: u32, last: u32) -> Cell {
    let at = |count: u32| {
        let skip = usize::try_from(count).unwrap_or(usize::MAX);
        text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at)
    };
    match (at(first.saturating_sub(1)), at(last)) {
        (from, to) if from < to => Cell::Part(from, to),
        _ => Cell::Absent,
    }
}
