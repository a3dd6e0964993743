//! Control totals: what header and trailer records say about the others, and what was really there.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Decimal256Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use arrow_schema::DataType;
use fenhe_core::{ControlTotal, Result};
use fenhe_kernels::Pools;

use crate::columns::{Rows, SoleColumn};
use crate::layout::{FieldLayout, Layout, TotalOf};
use crate::options::FixedOptions;

/// The running totals of a stream.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    items: Vec<Item>,
}

/// One declared number and its counterpart.
#[derive(Debug)]
struct Item {
    of: String,
    /// The record type that declares it, and whether a file without such a record is complete.
    carrier: usize,
    optional: bool,
    declares: SoleColumn,
    declared: Option<i256>,
    declared_scale: u32,
    what: Counted,
    counted: i256,
    counted_scale: u32,
    /// Records whose part could not be read.
    unreadable: u64,
}

#[derive(Debug)]
enum Counted {
    Records(Vec<usize>),
    Sum(usize, Box<SoleColumn>),
}

/// Running totals as part of a position: counted and declared numbers, unscaled, and how many records were unreadable.
pub(crate) type TotalsToken = Vec<(String, Option<String>, u64)>;

impl Totals {
    pub(crate) fn new(layout: &Layout, options: &FixedOptions, pools: &Pools) -> Result<Self> {
        let column = |field: &FieldLayout| SoleColumn::new(layout, field, options, pools);
        let mut items = Vec::new();
        for (carrier, record) in layout.records.iter().enumerate() {
            for total in &record.totals {
                let Some(declares) = record.fields.get(total.field) else { continue };
                let (of, what, counted_scale) = match &total.of {
                    TotalOf::Records(types) => {
                        (records_of(layout, types), Counted::Records(types.clone()), 0)
                    }
                    TotalOf::Sum(kind, field) => {
                        let Some(record) = layout.records.get(*kind) else { continue };
                        let Some(field) = record.fields.get(*field) else { continue };
                        let of = format!("{}.{}", record.name, field.spec.name);
                        (
                            of,
                            Counted::Sum(*kind, Box::new(column(field)?)),
                            scale(&field.spec.data_type),
                        )
                    }
                };
                items.push(Item {
                    of,
                    carrier,
                    optional: record.optional,
                    declares: column(declares)?,
                    declared: None,
                    declared_scale: scale(&declares.spec.data_type),
                    what,
                    counted: i256::ZERO,
                    counted_scale,
                    unreadable: 0,
                });
            }
        }
        Ok(Self { items })
    }

    /// Takes in records of one type: whole ones, rejected or not.
    pub(crate) fn take(&mut self, kind: usize, rows: Rows<'_>) -> Result<()> {
        for item in &mut self.items {
            match &mut item.what {
                Counted::Sum(of, column) if *of == kind => {
                    let (values, faults) = column.values(rows)?;
                    item.counted = add(item.counted, &values);
                    item.unreadable += faults;
                }
                _ => {}
            }
            if item.carrier == kind {
                let (declared, _) = item.declares.values(rows)?;
                if declared.null_count() < declared.len() {
                    item.declared = Some(add(item.declared.unwrap_or(i256::ZERO), &declared));
                }
            }
        }
        Ok(())
    }

    /// Counts records of one type, broken ones included.
    pub(crate) fn count(&mut self, kind: usize, records: u64) {
        for item in &mut self.items {
            if let Counted::Records(types) = &item.what
                && types.contains(&kind)
            {
                item.counted = item.counted.wrapping_add(i256::from_i128(records.into()));
            }
        }
    }

    /// Notes a record of one type (`None`: nobody knows which) whose fields could not be looked at.
    pub(crate) fn miss(&mut self, kind: Option<usize>) {
        for item in &mut self.items {
            let concerned = match (&item.what, kind) {
                (_, None) => true,
                (Counted::Sum(of, _), Some(kind)) => *of == kind,
                (Counted::Records(_), Some(_)) => false,
            };
            item.unreadable += u64::from(concerned);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether any total needs to see the fields of that record type.
    pub(crate) fn looks_at(&self, kind: usize) -> bool {
        self.items
            .iter()
            .any(|i| i.carrier == kind || matches!(&i.what, Counted::Sum(of, _) if *of == kind))
    }

    /// Both numbers of every total, with the same number of decimals.
    pub(crate) fn declared(&self) -> Vec<ControlTotal> {
        let seen = |item: &&Item| item.declared.is_some() || !item.optional;
        self.items
            .iter()
            .filter(seen)
            .map(|item| {
                let digits = item.declared_scale.max(item.counted_scale);
                ControlTotal {
                    of: item.of.clone(),
                    declared: item
                        .declared
                        .map(|n| plain(n, item.declared_scale, digits))
                        .unwrap_or_default(),
                    counted: plain(item.counted, item.counted_scale, digits),
                    unreadable: item.unreadable,
                }
            })
            .collect()
    }

    pub(crate) fn token(&self) -> TotalsToken {
        self.items
            .iter()
            .map(|i| (i.counted.to_string(), i.declared.map(|d| d.to_string()), i.unreadable))
            .collect()
    }

    /// Goes on from a token; false when it is of another layout.
    pub(crate) fn resume(&mut self, token: &TotalsToken) -> bool {
        let number = |text: &String| i256::from_string(text);
        for (item, (counted, declared, unreadable)) in self.items.iter_mut().zip(token) {
            let (Some(counted), declared) = (number(counted), declared.as_ref().map(number)) else {
                return false;
            };
            item.unreadable = *unreadable;
            item.counted = counted;
            item.declared = declared.flatten();
        }
        self.items.len() == token.len()
    }
}

fn records_of(layout: &Layout, types: &[usize]) -> String {
    let others = layout
        .records
        .iter()
        .filter(|r| r.totals.is_empty() && r.role == crate::layout::Role::Detail)
        .count();
    match types {
        [one] if others > 1 => {
            format!("records of {}", layout.records.get(*one).map_or("", |r| &r.name))
        }
        _ => "records".into(),
    }
}

fn scale(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            u32::try_from(*scale).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Adds up a column. 76 digits hold the sum of any file that can exist.
fn add(sum: i256, column: &ArrayRef) -> i256 {
    macro_rules! narrow {
        ($kind:ty) => {{
            let column = column.as_primitive::<$kind>();
            let total: i128 = column.iter().flatten().map(i128::from).sum();
            sum.wrapping_add(i256::from_i128(total))
        }};
    }
    match column.data_type() {
        DataType::Int8 => narrow!(Int8Type),
        DataType::Int16 => narrow!(Int16Type),
        DataType::Int32 => narrow!(Int32Type),
        DataType::Int64 => narrow!(Int64Type),
        DataType::UInt8 => narrow!(UInt8Type),
        DataType::UInt16 => narrow!(UInt16Type),
        DataType::UInt32 => narrow!(UInt32Type),
        DataType::UInt64 => narrow!(UInt64Type),
        DataType::Decimal128(..) => {
            let values = column.as_primitive::<Decimal128Type>();
            values.iter().flatten().fold(sum, |sum, value| sum.wrapping_add(i256::from_i128(value)))
        }
        DataType::Decimal256(..) => {
            let values = column.as_primitive::<Decimal256Type>();
            values.iter().flatten().fold(sum, i256::wrapping_add)
        }
        _ => sum,
    }
}

/// A number in plain digits with `digits` decimals.
fn plain(number: i256, scale: u32, digits: u32) -> String {
    let text = number.to_string();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.to_owned()),
        None => ("", text),
    };
    let text = text + &"0".repeat(digits.saturating_sub(scale) as usize);
    let digits = digits as usize;
    let mut out = String::from(sign);
    // As many zeros as it takes for one digit before the point.
    let text = format!("{text:0>width$}", width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    out.push_str(whole);
    if digits > 0 {
        let _ = write!(out, ".{fraction}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_digits_with_the_decimals_asked_for() {
        let n = |v: i128| i256::from_i128(v);
        assert_eq!(plain(n(5), 2, 2), "0.05");
        assert_eq!(plain(n(-123_456), 2, 2), "-1234.56");
        assert_eq!(plain(n(12), 0, 2), "12.00");
        assert_eq!(plain(n(12), 0, 0), "12");
    }
}
