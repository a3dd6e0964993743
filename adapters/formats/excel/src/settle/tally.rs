//! The type of a column by what its cells hold and how they are shown.

use arrow_schema::{DataType, TimeUnit};

use super::is_text;
use crate::cells::{Block, Cell, Row, Value};
use crate::styles::Shown;
use crate::values::{Context, digits_lost, number_of};

/// What a column holds, counted.
#[derive(Default)]
struct Tally {
    texts: u64,
    numbers: u64,
    whole: u64,
    huge: u64,
    decimals: Option<u8>,
    fixed: u64,
    dates: u64,
    whole_dates: u64,
    times: u64,
    elapsed: u64,
    booleans: u64,
    errors: u64,
}

/// The type of a column, and why.
pub(super) fn infer(cx: &Context, body: &[(&Block, &Row)], column: u16) -> (DataType, String) {
    let mut tally = Tally::default();
    for (block, row) in body {
        if let Some(cell) = block.cell(row, column, usize::MAX) {
            tally.feed(cx, block, cell);
        }
    }
    tally.judge()
}

impl Tally {
    fn feed(&mut self, cx: &Context, block: &Block, cell: &Cell) {
        match cell.value {
            Value::Shared | Value::Inline if !is_text(cx, block, cell) => {}
            Value::Shared | Value::Inline | Value::Iso => self.texts += 1,
            Value::Boolean => self.booleans += 1,
            Value::Error | Value::Uncached => self.errors += 1,
            Value::Number | Value::Float => {
                let Some(number) = number_of(block, cell) else {
                    self.texts += 1;
                    return;
                };
                self.number(cx, number, cx.styles.shown(cell.style));
            }
        }
    }

    fn number(&mut self, cx: &Context, number: f64, shown: Shown) {
        let day = cx.epoch.moment(number);
        match shown {
            Shown::Date | Shown::DateTime if day.is_some() => {
                self.dates += 1;
                let whole = shown == Shown::Date && day.is_some_and(|(_, ms)| ms == 0);
                self.whole_dates += u64::from(whole);
            }
            Shown::Time if (0.0..1.0).contains(&number) => self.times += 1,
            Shown::Time if day.is_some() => self.dates += 1,
            Shown::Elapsed => self.elapsed += 1,
            _ => {
                self.numbers += 1;
                self.whole += u64::from(number.fract() == 0.0 && number.abs() < 1e19);
                self.huge += u64::from(digits_lost(number));
                if let Shown::Decimals(decimals) = shown
                    && fits(number, decimals)
                {
                    self.fixed += 1;
                    self.decimals = Some(self.decimals.unwrap_or(0).max(decimals));
                }
            }
        }
    }

    fn judge(&self) -> (DataType, String) {
        let values =
            self.texts + self.numbers + self.dates + self.times + self.elapsed + self.booleans;
        let all = |count: u64| count == values && values > 0;
        let (data_type, why) = if values == 0 {
            (DataType::Utf8, "no values in the sample: text".to_owned())
        } else if all(self.booleans) {
            (DataType::Boolean, "truth values".to_owned())
        } else if all(self.dates) && self.whole_dates == self.dates {
            (DataType::Date32, "numbers shown as days".to_owned())
        } else if all(self.dates) {
            (
                DataType::Timestamp(TimeUnit::Millisecond, None),
                "numbers shown as moments".to_owned(),
            )
        } else if all(self.times) {
            (DataType::Time32(TimeUnit::Millisecond), "numbers shown as times of day".to_owned())
        } else if all(self.numbers) {
            self.number_type()
        } else {
            let why = format!("{} texts among {values} values: text", self.texts);
            (DataType::Utf8, why)
        };
        if self.errors > 0 {
            return (
                data_type,
                format!("{why}; {} errors or formulas without a value", self.errors),
            );
        }
        (data_type, why)
    }

    fn number_type(&self) -> (DataType, String) {
        if self.huge > 0 && self.whole == self.numbers {
            let why =
                "whole numbers, some of more than 15 digits, which a spreadsheet does not keep";
            return (DataType::Int64, why.to_owned());
        }
        if self.fixed == self.numbers
            && let Some(decimals @ 1..=15) = self.decimals
        {
            let scale = i8::try_from(decimals).unwrap_or(0);
            return (
                DataType::Decimal128(18, scale),
                format!("numbers shown with {decimals} decimals at most, and they have no more"),
            );
        }
        if self.whole == self.numbers {
            return (DataType::Int64, "whole numbers".to_owned());
        }
        (DataType::Float64, "numbers".to_owned())
    }
}

/// Whether the shortest text of a number has at most so many decimals and 15 digits in all.
fn fits(number: f64, decimals: u8) -> bool {
    let mut text = Vec::new();
    fenhe_values::format::float(number, &mut text).is_ok()
        && number.abs() < 1e15
        && fenhe_values::parse::decimal(&text, 18, decimals).is_ok()
}
