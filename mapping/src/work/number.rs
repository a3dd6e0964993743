//! Numbers: exact factors and exact changes of type.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Decimal128Array};
use arrow_schema::DataType;
use fenhe_core::Result;
use fenhe_kernels::PrimitiveColumn;
use fenhe_values::parse;

use super::{Compiled, Pass, Policy, Work, is_blank, is_text, kind_of, other_type, spelled};
use crate::step::Unit;

/// Digits after the point that amounts in text may have.
const TEXT_SCALE: i8 = 8;
const PRECISION: u8 = 38;

/// An exact decimal factor: `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Factor {
    digits: i64,
    exponent: i8,
}

#[derive(Debug)]
struct Times {
    /// What the digits of a value are multiplied by.
    by: i128,
    scale: i8,
    policy: Policy,
}

impl Factor {
    pub(crate) const ONE: Self = Self { digits: 1, exponent: 0 };

    /// The factor between two units.
    pub(super) fn unit(from: Unit, to: Unit) -> Self {
        Self { digits: 1, exponent: from.exponent() - to.exponent() }
    }

    /// A decimal other than 0, such as `0.01`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let exponent = -i8::try_from(fraction.len()).ok().filter(|length| *length <= 12)?;
        let mut number: i64 = format!("{whole}{fraction}").parse().ok()?;
        if text.starts_with('-') {
            number = -number;
        }
        (number != 0).then_some(Self { digits: number, exponent })
    }
}

pub(super) fn compile(factor: Factor, from: &DataType, policy: Policy) -> Result<Compiled> {
    let scale = match from {
        DataType::Decimal128(_, scale) => *scale,
        kind if kind.is_integer() => 0,
        kind if is_text(kind) => TEXT_SCALE,
        _ => return Err(other_type("text or exact numbers", from)),
    };
    // Digits after the point move first; only what is left has to be multiplied.
    let left = scale.saturating_sub(factor.exponent);
    let (scale, zeros) = if left >= 0 { (left, 0) } else { (0, left.unsigned_abs()) };
    let by = 10_i128.checked_pow(zeros.into()).map(|power| power * i128::from(factor.digits));
    let by = by.ok_or_else(|| other_type("smaller numbers", from))?;
    let to = DataType::Decimal128(PRECISION, scale);
    Ok((Box::new(Times { by, scale, policy }), to))
}

impl Work for Times {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let digits = match input.data_type() {
            DataType::Decimal128(..) => input.as_primitive::<Decimal128Type>().clone(),
            kind if is_text(kind) => self.read(input, pass)?,
            kind => whole(input, kind),
        };
        let values = if self.by == 1 {
            digits
        } else {
            let (values, over) = moved(&digits, |value| {
                value.checked_mul(self.by).filter(|product| product.unsigned_abs() < LIMIT)
            });
            for row in over {
                pass.take_away(row, &self.policy, || "a number of more than 38 digits".into());
            }
            values
        };
        Ok(Arc::new(values.with_precision_and_scale(PRECISION, self.scale)?))
    }
}

/// The first number of 39 digits.
const LIMIT: u128 = 10_u128.pow(38);

impl Times {
    fn read(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<Decimal128Array> {
        let text = spelled(input)?;
        let mut column = PrimitiveColumn::<i128>::new(pass.pools, text.len());
        for row in 0..text.len() {
            let value = if text.is_null(row) { "" } else { text.value(row) };
            if is_blank(value) {
                column.append_null();
                continue;
            }
            let scale = TEXT_SCALE.unsigned_abs();
            match parse::decimal(value.trim().as_bytes(), PRECISION, scale) {
                Ok(number) => column.append(number),
                Err(_) => {
                    pass.take_away(row, &self.policy, || kind_of(value));
                    column.append_null();
                }
            }
        }
        let to = DataType::Decimal128(PRECISION, TEXT_SCALE);
        let array = column.finish(&to).map_err(|error| {
            fenhe_core::Error::new(fenhe_core::Kind::Internal, "mapping.column", error.to_string())
        })?;
        Ok(array.as_primitive::<Decimal128Type>().clone())
    }
}

/// The array without the values of these rows.
fn without(array: &Decimal128Array, rows: &[usize]) -> Decimal128Array {
    array
        .iter()
        .enumerate()
        .map(|(row, value)| value.filter(|_| rows.binary_search(&row).is_err()))
        .collect()
}

/// Whole numbers as digits without a scale.
fn whole(input: &ArrayRef, kind: &DataType) -> Decimal128Array {
    fn digits<T: ArrowPrimitiveType>(input: &ArrayRef) -> Decimal128Array
    where
        i128: From<T::Native>,
    {
        input.as_primitive::<T>().unary(i128::from)
    }
    match kind {
        DataType::Int8 => digits::<Int8Type>(input),
        DataType::Int16 => digits::<Int16Type>(input),
        DataType::Int32 => digits::<Int32Type>(input),
        DataType::UInt8 => digits::<UInt8Type>(input),
        DataType::UInt16 => digits::<UInt16Type>(input),
        DataType::UInt32 => digits::<UInt32Type>(input),
        DataType::UInt64 => digits::<UInt64Type>(input),
        _ => digits::<Int64Type>(input),
    }
}

/// Decimals of 128 bits in another precision and scale; the rows that do not fit hold null and are given as well.
pub(crate) fn exact(
    input: &Decimal128Array,
    precision: u8,
    scale: i8,
) -> Result<(ArrayRef, Vec<usize>)> {
    let limit = 10_u128.checked_pow(precision.into()).unwrap_or(u128::MAX);
    let by = i32::from(scale) - i32::from(input.scale());
    let power = 10_i128.checked_pow(by.unsigned_abs()).unwrap_or(i128::MAX);
    let fits = |value: i128| {
        let digits = match by {
            0 => Some(value),
            1.. => value.checked_mul(power),
            _ => (value % power == 0).then_some(value / power),
        };
        digits.filter(|value| value.unsigned_abs() < limit)
    };
    let (moved, bad) = moved(input, fits);
    Ok((Arc::new(moved.with_precision_and_scale(precision, scale)?), bad))
}

/// Every number by `by`; the rows for which it has none hold null and are given as well.
fn moved(
    input: &Decimal128Array,
    by: impl Fn(i128) -> Option<i128>,
) -> (Decimal128Array, Vec<usize>) {
    let mut bad = Vec::new();
    let mut values = Vec::with_capacity(input.len());
    for (row, value) in input.values().iter().enumerate() {
        let moved = by(*value);
        if moved.is_none() && input.is_valid(row) {
            bad.push(row);
        }
        values.push(moved.unwrap_or(0));
    }
    let array = Decimal128Array::new(values.into(), input.nulls().cloned());
    let array = if bad.is_empty() { array } else { without(&array, &bad) };
    (array, bad)
}
