//! Compiled steps: what runs over the array of a batch.

mod code;
mod date;
mod hash;
mod mask;
mod number;
mod person;
mod text;

use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::{Pools, StringColumn};

use crate::bind::Context;
use crate::step::{Operation, Otherwise, Step};

pub(crate) use code::table_of;
pub(crate) use number::{Factor, exact};
pub(crate) use text::{first, join, regex};

/// A compiled step.
pub(crate) trait Work: fmt::Debug + Send + Sync {
    /// The array after the step. Rows that it cannot take are reported to `pass`.
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef>;
}

/// A compiled step and the type of what it gives.
pub(crate) type Compiled = (Box<dyn Work>, DataType);

/// What one field finds out about one batch.
pub(crate) struct Pass<'a> {
    pub(crate) pools: &'a Pools,
    pub(crate) field: &'a str,
    /// Rows that are rejected, and why.
    pub(crate) bad: Vec<(usize, Fault)>,
    /// Rows in which something stood in for a value, and what, as a number of the mapper's list.
    pub(crate) replaced: Vec<(usize, usize)>,
}

/// What a step says and does about values that it cannot take.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) otherwise: Otherwise,
    /// Number of the replacement in the mapper's list.
    pub(crate) slot: usize,
    pub(crate) code: &'static str,
    pub(crate) expected: String,
}

/// What became of one text.
pub(crate) enum Cell {
    /// It stays.
    Same,
    /// What was written to the scratch text.
    Written,
    /// Bytes of it, from and to.
    Part(usize, usize),
    /// It is absent.
    Absent,
    /// The step cannot take it.
    Bad,
}

/// Compiles a step for values of type `from`. `slot` is the number of its replacement.
pub(crate) fn compile(
    step: &Step,
    from: &DataType,
    context: &Context,
    slot: usize,
) -> Result<Compiled> {
    let policy = |code, expected: &str| Policy {
        otherwise: step.otherwise.clone(),
        slot,
        code,
        expected: expected.to_owned(),
    };
    let takes_text = !matches!(
        step.operation,
        Operation::Date { .. } | Operation::Unit { .. } | Operation::Scale(_)
    );
    if takes_text && !has_spelling(from) {
        return Err(other_type("text", from));
    }
    match &step.operation {
        Operation::Date { spellings, pivot } => date::compile(
            spellings,
            *pivot,
            from,
            policy("mapping.date", &format!("a date, {}", date::words(spellings))),
        ),
        Operation::Unit { from: unit, to } => {
            number::compile(Factor::unit(*unit, *to), from, policy("mapping.unit", "an amount"))
        }
        Operation::Scale(factor) => {
            let factor = Factor::parse(factor).unwrap_or(Factor::ONE);
            number::compile(factor, from, policy("mapping.unit", "a number"))
        }
        Operation::Code(codes) => {
            code::compile(codes, context, policy("mapping.code", "a value of the code table"))
        }
        Operation::Lookup { place, by, give } => {
            let expected = format!("a value that {place} has");
            code::compile_lookup(place, by, give, context, policy("mapping.lookup", &expected))
        }
        Operation::PlainId => person::plain(policy("mapping.id", "an identifier")),
        Operation::UpgradeId { assume_century } => person::upgrade(
            *assume_century,
            policy("mapping.id", "a citizen number of 15 or 18 characters"),
        ),
        Operation::Derive(what) => {
            person::derive(*what, policy("mapping.id", "the number of a person"))
        }
        Operation::Mask(mask) => Ok(mask::compile(*mask)),
        Operation::Hash { algorithm, key } => hash::compile(*algorithm, key, context),
        Operation::Match(pattern) => text::matching(
            pattern,
            policy("mapping.pattern", &format!("text that matches {pattern}")),
        ),
        Operation::Extract(pattern) => text::extract(
            pattern,
            policy("mapping.extract", &format!("text in which {pattern} finds something")),
        ),
        Operation::Split { by, part } => Ok(text::split(
            by,
            *part,
            policy("mapping.split", &format!("text with a part {part}, split at `{by}`")),
        )),
        operation => Ok(text::plain(operation)),
    }
}

/// Whether values of the type have a plain spelling, so that text steps can take them.
pub(crate) fn has_spelling(data_type: &DataType) -> bool {
    is_text(data_type)
        || data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Date32
                | DataType::Decimal32(..)
                | DataType::Decimal64(..)
                | DataType::Decimal128(..)
                | DataType::Decimal256(..)
                | DataType::Time32(_)
                | DataType::Time64(_)
                | DataType::Timestamp(..)
                | DataType::Null
        )
}

pub(crate) fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

pub(crate) fn other_type(wanted: &str, from: &DataType) -> Error {
    let name = fenhe_values::type_name(from).unwrap_or_else(|| from.to_string());
    let message = format!("a step needs {wanted}, and the values are {name}");
    Error::new(Kind::Config, "mapping.type", message)
}

/// The values in their plain spelling.
pub(crate) fn spelled(array: &ArrayRef) -> Result<StringArray> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().clone()),
        _ => Ok(arrow_cast::cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
    }
}

/// Whether text has nothing but blanks (of any width).
#[inline]
pub(crate) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        // Every blank lies below U+4000.
        Some(b'!'..=b'~' | 0xE4..) => false,
        Some(_) => text.chars().all(is_filling),
    }
}

/// Blanks, and what padding is made of.
#[inline]
pub(crate) fn is_filling(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

/// The kind of thing that a text is, never the text.
pub(crate) fn kind_of(text: &str) -> String {
    let count = text.chars().count();
    let what = match () {
        () if is_blank(text) => return "blank text".into(),
        () if text.bytes().all(|b| b.is_ascii_digit()) => "digits",
        () if text.is_ascii() => "ASCII characters",
        () if text.chars().all(char::is_alphabetic) => "letters",
        () => "characters",
    };
    format!("{count} {what}")
}

impl Pass<'_> {
    /// The row is rejected.
    #[cold]
    pub(crate) fn reject(&mut self, row: usize, policy: &Policy, found: String) {
        let fault = Fault::new(policy.code, self.field, policy.expected.as_str(), found);
        self.bad.push((row, fault));
    }

    /// A value that is not text: rejected, or taken away.
    #[cold]
    pub(crate) fn take_away(&mut self, row: usize, policy: &Policy, found: impl Fn() -> String) {
        match policy.otherwise {
            Otherwise::Reject => self.reject(row, policy, found()),
            _ => self.replaced.push((row, policy.slot)),
        }
    }

    /// Text to text, one value after the other.
    pub(crate) fn rewrite(
        &mut self,
        input: &StringArray,
        policy: Option<&Policy>,
        mut cell: impl FnMut(&str, &mut String) -> Cell,
    ) -> Result<ArrayRef> {
        let bytes = input.value_data().len();
        let mut column = StringColumn::new(self.pools, input.len(), bytes);
        let mut scratch = String::new();
        for row in 0..input.len() {
            if input.is_null(row) {
                column.append_null();
                continue;
            }
            let text = input.value(row);
            scratch.clear();
            let kept = match cell(text, &mut scratch) {
                Cell::Same => Some(text),
                Cell::Written => Some(scratch.as_str()),
                Cell::Part(from, to) => Some(text.get(from..to).unwrap_or_default()),
                Cell::Absent => None,
                Cell::Bad => policy.and_then(|policy| self.instead(row, text, policy)),
            };
            column.append_option(kept).map_err(|full| {
                Error::new(Kind::Limit, "mapping.full", full.to_string())
                    .hint("use smaller batches (limits.batch_rows)")
            })?;
        }
        Ok(Arc::new(column.finish()))
    }

    /// What stands in for a text that a step cannot take.
    #[cold]
    fn instead<'t>(&mut self, row: usize, text: &'t str, policy: &'t Policy) -> Option<&'t str> {
        match &policy.otherwise {
            Otherwise::Reject => {
                self.reject(row, policy, kind_of(text));
                None
            }
            Otherwise::Null => {
                self.replaced.push((row, policy.slot));
                None
            }
            Otherwise::Keep => {
                self.replaced.push((row, policy.slot));
                Some(text)
            }
            Otherwise::Value(value) => {
                self.replaced.push((row, policy.slot));
                Some(value)
            }
        }
    }
}
