//! Null counts of every column and exact sums of the decimal ones, over the rows given to the target. Whole numbers are
//! summed where a contract says that they are a total.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, Schema};
use serde::{Deserialize, Serialize};

use crate::types::type_name;

/// One column of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name at the target.
    pub name: String,
    /// Type, as it is written in a configuration.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Exact sum in plain decimal digits, while it fits 76 digits; for decimal columns, and for whole numbers that a contract
    /// calls a control total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
}

/// Running totals of the columns of one flow.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    columns: Vec<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    name: String,
    kind: String,
    nulls: u64,
    scale: Option<i8>,
    sum: Option<i256>,
}

impl Totals {
    /// Totals for rows of this schema, going on from those of an interrupted run with the same columns. Columns of whole
    /// numbers are summed where they are `nominated`.
    pub fn new(schema: &Schema, nominated: &[String], before: &[Column]) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let whole = field.data_type().is_integer() && nominated.contains(field.name());
                let scale = if whole { Some(0) } else { scale_of(field.data_type()) };
                let old = before.iter().find(|c| c.name == *field.name());
                Running {
                    name: field.name().clone(),
                    kind: type_name(field.data_type()),
                    nulls: old.map_or(0, |c| c.nulls),
                    scale,
                    sum: match (scale, old) {
                        (Some(scale), Some(old)) => {
                            old.sum.as_deref().and_then(|s| unscale(s, scale))
                        }
                        (Some(_), None) => Some(i256::ZERO),
                        (None, _) => None,
                    },
                }
            })
            .collect();
        Self { columns }
    }

    /// Adds the rows of a batch of the same schema.
    pub fn add(&mut self, rows: &RecordBatch) {
        for (running, array) in self.columns.iter_mut().zip(rows.columns()) {
            running.nulls += array.null_count() as u64;
            if running.scale.is_some() {
                running.sum = match (running.sum, sum_of(array)) {
                    (Some(old), Some(new)) => old.checked_add(new),
                    _ => None,
                };
            }
        }
    }

    /// Takes rows out again that the target refused.
    pub fn subtract(&mut self, rows: &RecordBatch) {
        for (running, array) in self.columns.iter_mut().zip(rows.columns()) {
            running.nulls = running.nulls.saturating_sub(array.null_count() as u64);
            if running.scale.is_some() {
                running.sum = match (running.sum, sum_of(array)) {
                    (Some(old), Some(new)) => old.checked_sub(new),
                    _ => None,
                };
            }
        }
    }

    /// The totals as they stand in a receipt.
    pub fn columns(&self) -> Vec<Column> {
        self.columns
            .iter()
            .map(|running| Column {
                name: running.name.clone(),
                kind: running.kind.clone(),
                nulls: running.nulls,
                sum: running
                    .sum
                    .zip(running.scale)
                    .map(|(sum, scale)| plain_digits(&sum.to_string(), scale)),
            })
            .collect()
    }
}

fn scale_of(kind: &DataType) -> Option<i8> {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

/// The sum of the unscaled values, `None` when it does not fit.
fn sum_of(array: &dyn Array) -> Option<i256> {
    let narrow = |values: &mut dyn Iterator<Item = i128>| {
        let mut wide = i256::ZERO;
        let mut part: i128 = 0;
        for value in values {
            part = match part.checked_add(value) {
                Some(sum) => sum,
                None => {
                    wide = wide.checked_add(i256::from_i128(part))?;
                    value
                }
            };
        }
        wide.checked_add(i256::from_i128(part))
    };
    match array.data_type() {
        DataType::Int8 => narrow(&mut whole::<Int8Type>(array)),
        DataType::Int16 => narrow(&mut whole::<Int16Type>(array)),
        DataType::Int32 => narrow(&mut whole::<Int32Type>(array)),
        DataType::Int64 => narrow(&mut whole::<Int64Type>(array)),
        DataType::UInt8 => narrow(&mut whole::<UInt8Type>(array)),
        DataType::UInt16 => narrow(&mut whole::<UInt16Type>(array)),
        DataType::UInt32 => narrow(&mut whole::<UInt32Type>(array)),
        DataType::UInt64 => narrow(&mut whole::<UInt64Type>(array)),
        DataType::Decimal32(..) => {
            let array = array.as_primitive::<Decimal32Type>();
            narrow(&mut array.iter().flatten().map(i128::from))
        }
        DataType::Decimal64(..) => {
            let array = array.as_primitive::<Decimal64Type>();
            narrow(&mut array.iter().flatten().map(i128::from))
        }
        DataType::Decimal128(..) => {
            let array = array.as_primitive::<Decimal128Type>();
            if array.null_count() == 0 {
                return narrow(&mut array.values().iter().copied());
            }
            narrow(&mut array.iter().flatten())
        }
        DataType::Decimal256(..) => array
            .as_primitive::<Decimal256Type>()
            .iter()
            .flatten()
            .try_fold(i256::ZERO, i256::checked_add),
        _ => None,
    }
}

fn whole<T: ArrowPrimitiveType>(array: &dyn Array) -> impl Iterator<Item = i128>
where
    T::Native: Into<i128>,
{
    array.as_primitive::<T>().iter().flatten().map(Into::into)
}

/// Unscaled digits with the decimal point put in; the scale stays visible (`12.00`).
fn plain_digits(unscaled: &str, scale: i8) -> String {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    let places = usize::from(scale.unsigned_abs());
    match scale {
        0 => unscaled.into(),
        ..0 if digits == "0" => "0".into(),
        ..0 => format!("{unscaled}{}", "0".repeat(places)),
        1.. => {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, part) = padded.split_at(padded.len() - places);
            format!("{sign}{whole}.{part}")
        }
    }
}

/// The unscaled value back from [`plain_digits`].
fn unscale(text: &str, scale: i8) -> Option<i256> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let cut = match scale {
        ..0 if digits != "0" => digits.len().checked_sub(usize::from(scale.unsigned_abs()))?,
        _ => digits.len(),
    };
    i256::from_string(digits.get(..cut)?)
}

/// Exact difference of two numbers in plain decimal digits.
pub(crate) fn subtract_digits(a: &str, b: &str) -> Option<String> {
    match b.strip_prefix('-') {
        Some(b) => add_digits(a, b),
        None => add_digits(a, &format!("-{b}")),
    }
}

/// Exact sum of two numbers in plain decimal digits.
pub(crate) fn add_digits(a: &str, b: &str) -> Option<String> {
    let places = |s: &str| s.split_once('.').map_or(0, |(_, part)| part.len());
    let scale = places(a).max(places(b));
    let unscaled = |s: &str| {
        let digits: String = s.chars().filter(|c| *c != '.').collect();
        i256::from_string(&format!("{digits}{}", "0".repeat(scale - places(s))))
    };
    let sum = unscaled(a)?.checked_add(unscaled(b)?)?;
    Some(plain_digits(&sum.to_string(), i8::try_from(scale).ok()?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Decimal128Array, UInt64Array};

    use super::*;

    fn batch(values: Vec<Option<i128>>, scale: i8) -> RecordBatch {
        let array = Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap();
        RecordBatch::try_from_iter_with_nullable([("fee", Arc::new(array) as ArrayRef, true)])
            .unwrap()
    }

    #[test]
    fn sums_are_exact_beyond_what_one_decimal_holds() {
        let largest = 10_i128.pow(38) - 1;
        let rows = batch(vec![Some(largest), None, Some(largest), Some(largest)], 2);
        let mut totals = Totals::new(&rows.schema(), &[], &[]);
        totals.add(&rows);
        let column = totals.columns().remove(0);
        assert_eq!(column.nulls, 1);
        assert_eq!(column.sum.as_deref(), Some("2999999999999999999999999999999999999.97"));
    }

    #[test]
    fn totals_go_on_from_a_receipt() {
        let rows = batch(vec![Some(-105)], 2);
        let mut totals = Totals::new(&rows.schema(), &[], &[]);
        totals.add(&rows);
        let mut again = Totals::new(&rows.schema(), &[], &totals.columns());
        again.add(&rows);
        assert_eq!(again.columns()[0].sum.as_deref(), Some("-2.10"));
        again.subtract(&rows);
        assert_eq!(again.columns()[0].sum.as_deref(), Some("-1.05"));
    }

    #[test]
    fn digits_of_different_scales_add_up() {
        assert_eq!(add_digits("1.5", "-0.25").as_deref(), Some("1.25"));
        assert_eq!(add_digits("2", "3").as_deref(), Some("5"));
        assert_eq!(add_digits("x", "3"), None);
        assert_eq!(subtract_digits("1.50", "1.5").as_deref(), Some("0.00"));
        assert_eq!(subtract_digits("1", "-0.25").as_deref(), Some("1.25"));
    }

    #[test]
    fn whole_numbers_are_summed_where_they_are_nominated() {
        let most: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX]));
        let rows = RecordBatch::try_from_iter([("n", Arc::clone(&most)), ("id", most)]).unwrap();
        let nominated = ["n".to_owned()];
        let mut totals = Totals::new(&rows.schema(), &nominated, &[]);
        totals.add(&rows);
        let columns = totals.columns();
        // 2 * (2^64 - 1)
        assert_eq!(columns[0].sum.as_deref(), Some("36893488147419103230"));
        assert_eq!(columns[1].sum, None);
        let mut again = Totals::new(&rows.schema(), &nominated, &columns);
        again.subtract(&rows);
        assert_eq!(again.columns()[0].sum.as_deref(), Some("0"));
    }
}
