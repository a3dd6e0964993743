//! Rules about one value.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use fenhe_core::Result;
use regex::Regex;

use super::column::{DAY, Numbers, Text, find_text, is_text, present};
use super::{Budget, Test, column};
use crate::identifiers::{Identifier, Policy, Reason};
use crate::{CodeTable, Date, Unit};

pub(super) struct NotNull {
    pub(super) at: usize,
    pub(super) blank: bool,
}

pub(super) struct Length {
    pub(super) at: usize,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) unit: Unit,
}

pub(super) struct Pattern {
    pub(super) at: usize,
    pub(super) regex: Regex,
}

/// Bounds in the lane of the column.
pub(super) struct Range {
    pub(super) at: usize,
    pub(super) min: Option<i128>,
    pub(super) max: Option<i128>,
}

pub(super) struct FloatRange {
    pub(super) at: usize,
    pub(super) min: f64,
    pub(super) max: f64,
}

pub(super) struct Coded {
    pub(super) at: usize,
    pub(super) table: CodeTable,
    pub(super) on: Option<Date>,
    pub(super) on_field: Option<usize>,
}

pub(super) struct Identified {
    pub(super) at: usize,
    pub(super) kind: Identifier,
    pub(super) policy: Policy,
    pub(super) any_spelling: bool,
}

impl Test for NotNull {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let array = column(batch, self.at)?;
        let absent = match array.logical_nulls() {
            Some(nulls) => !nulls.inner(),
            None => BooleanBuffer::new_unset(array.len()),
        };
        if self.blank || !is_text(array.data_type()) {
            return Ok(absent);
        }
        let text = Text::new(array);
        Ok(&absent | &BooleanBuffer::collect_bool(array.len(), |row| text.get(row).is_none()))
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "nothing"
    }
}

impl Test for Length {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let array = column(batch, self.at)?;
        let (min, max) = (self.min, self.max);
        let wrong = |length: usize| !(min..=max).contains(&(length as u64));
        Ok(match (array.data_type(), self.unit) {
            (DataType::Binary, _) => {
                let binary = array.as_binary::<i32>();
                let found =
                    BooleanBuffer::collect_bool(array.len(), |row| wrong(binary.value(row).len()));
                present(found, array.nulls())
            }
            (_, Unit::Bytes) => find_text(array, |text| wrong(text.len())),
            // As many bytes as characters, or more: most texts are short enough without counting.
            (_, Unit::Chars) => find_text(array, |text| {
                let sure = min == 0 && text.len() as u64 <= max;
                !sure && wrong(text.chars().count())
            }),
        })
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "another length"
    }
}

impl Test for Pattern {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        Ok(find_text(column(batch, self.at)?, |text| !self.regex.is_match(text)))
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "text of another form"
    }
}

impl Test for Range {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let array = column(batch, self.at)?;
        let (min, max) = (self.min, self.max);
        let wrong =
            |value: i128| min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max);
        if is_text(array.data_type()) {
            return Ok(find_text(array, |text| {
                Date::from_text(text.as_bytes())
                    .is_none_or(|date| wrong(i128::from(date.days()) * DAY))
            }));
        }
        Ok(Numbers::of(array).find(wrong))
    }

    fn reason(&self, batch: &RecordBatch, row: usize) -> &'static str {
        match column(batch, self.at).ok().filter(|array| is_text(array.data_type())) {
            Some(array) if Numbers::of(array).get(row).is_none() => "text that is no date",
            _ => "a value outside",
        }
    }
}

impl Test for FloatRange {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        use arrow_array::types::{Float32Type, Float64Type};
        let array = column(batch, self.at)?;
        // Not-a-number is in no range.
        let wrong = |value: f64| !(self.min..=self.max).contains(&value);
        let found = match array.data_type() {
            DataType::Float32 => array
                .as_primitive::<Float32Type>()
                .values()
                .iter()
                .map(|v| wrong((*v).into()))
                .collect(),
            _ => array.as_primitive::<Float64Type>().values().iter().map(|v| wrong(*v)).collect(),
        };
        Ok(present(found, array.nulls()))
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "a value outside"
    }
}

impl Test for Coded {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let array = column(batch, self.at)?;
        let Some(on_field) = self.on_field else {
            return Ok(find_text(array, |text| self.table.get(text, self.on).is_none()));
        };
        let days = Numbers::of(column(batch, on_field)?);
        let text = Text::new(array);
        Ok(BooleanBuffer::collect_bool(array.len(), |row| {
            text.get(row).is_some_and(|text| self.table.get(text, day(days.get(row))).is_none())
        }))
    }

    fn reason(&self, batch: &RecordBatch, row: usize) -> &'static str {
        match column(batch, self.at).ok().and_then(|array| Text::new(array).get(row)) {
            Some(text) if self.table.get(text, None).is_some() => {
                "a code that was not valid on the day"
            }
            _ => "a code that is not in the table",
        }
    }
}

impl Test for Identified {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let array = column(batch, self.at)?;
        let Self { kind, policy, any_spelling, .. } = *self;
        Ok(find_text(array, |text| match kind.check(text.as_bytes(), &policy) {
            Ok(()) => false,
            Err(_) if any_spelling => {
                kind.check_spelling(text.as_bytes(), &policy) != Err(Reason::Spelling)
            }
            Err(_) => true,
        }))
    }

    fn reason(&self, batch: &RecordBatch, row: usize) -> &'static str {
        let text = column(batch, self.at).ok().and_then(|array| Text::new(array).get(row));
        match text.map(|text| self.kind.check_spelling(text.as_bytes(), &self.policy)) {
            Some(Err(reason)) => reason.words(),
            _ => "another value",
        }
    }
}

/// The day of a point in time.
pub(super) fn day(time: Option<i128>) -> Option<Date> {
    i32::try_from(time?.div_euclid(DAY)).ok().map(Date::from_days)
}
