//! Records to arrays: one elementary item of a block of records at a time.

pub(crate) mod float;
mod quick;
mod single;
mod text;

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::{BinaryColumn, Pools, PrimitiveColumn, StringColumn};

use crate::layout::Field;
use crate::options::{CopybookOptions, Invalid, NullFill, Short};
use crate::storage::Storage;
use crate::value::Characters;
use crate::{error, schema};
pub(crate) use text::{TextReader, to_ascii};

/// Bytes behind a translated window that a copy of 16 bytes may touch.
const SLACK: usize = 16;

/// A place that is not there.
pub(crate) const MISSING: u32 = u32::MAX;

/// Bytes of a block of records, as they are and in ASCII.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) translation: &'a Translation<'a>,
}

/// A window in ASCII, made when the first column asks for it.
#[derive(Debug)]
pub(crate) struct Translation<'a> {
    table: Option<&'a [u8; 256]>,
    made: OnceCell<Vec<u8>>,
    /// Memory of an earlier window.
    spare: RefCell<Vec<u8>>,
}

/// Where the field is in each record (or table occurrence).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Places<'a> {
    /// All there, evenly spaced.
    Even { first: usize, stride: usize, rows: usize },
    /// Start of each, [`MISSING`] where there is none, and the end of the record that it is in.
    Listed { starts: &'a [u32], limits: &'a [u32] },
}

/// Which rows are bad.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    bits: Vec<bool>,
    any: bool,
}

/// Where the reasons go when one record is looked at again.
pub(crate) type Reasons<'a> = Option<&'a mut Vec<(usize, Fault)>>;

/// The column of one elementary item.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) path: String,
    /// The item in the layout.
    pub(crate) item: Field,
    storage: Storage,
    pub(crate) length: usize,
    /// Power of ten that a value is multiplied with (trailing `P`).
    pub(crate) factor: i128,
    /// Greatest absolute value that the column holds, for the types that could overflow.
    most: i128,
    values: Values,
    text: Option<TextReader>,
    rules: Rules,
}

/// What the options say about values.
#[derive(Clone, Debug)]
struct Rules {
    characters: Characters,
    invalid: Invalid,
    nulls: Vec<NullFill>,
    pad: bool,
}

#[derive(Debug)]
enum Values {
    I32(PrimitiveColumn<i32>),
    I64(PrimitiveColumn<i64>),
    U64(PrimitiveColumn<u64>),
    Decimal(PrimitiveColumn<i128>, DataType),
    F32(PrimitiveColumn<f32>),
    F64(PrimitiveColumn<f64>),
    Text(StringColumn),
    Binary(BinaryColumn),
}

impl<'a> Translation<'a> {
    /// By a table of the code page; `None` when windows are ASCII as they are.
    pub(crate) fn new(table: Option<&'a [u8; 256]>, spare: Vec<u8>) -> Self {
        Self { table, made: OnceCell::new(), spare: RefCell::new(spare) }
    }

    /// The memory, for the next window.
    pub(crate) fn into_spare(self) -> Vec<u8> {
        self.made.into_inner().unwrap_or_else(|| self.spare.into_inner())
    }
}

impl<'a> Window<'a> {
    /// The same length in ASCII; bytes that are no ASCII character have the top bit. Slack follows.
    pub(crate) fn ascii(&self) -> &'a [u8] {
        let Some(table) = self.translation.table else { return self.raw };
        self.translation.made.get_or_init(|| {
            let mut out = self.translation.spare.take();
            out.clear();
            out.extend_from_slice(self.raw);
            fenhe_kernels::gather::translate_in_place(&mut out, table);
            out.resize(self.raw.len() + SLACK, 0x80);
            out
        })
    }

    /// What translates a byte to ASCII; `None` when bytes are ASCII as they are.
    fn table(&self) -> Option<&'a [u8; 256]> {
        self.translation.table
    }
}

impl Mask {
    pub(crate) fn new(rows: usize) -> Self {
        Self { bits: vec![false; rows], any: false }
    }

    pub(crate) fn set(&mut self, row: usize) {
        if let Some(bit) = self.bits.get_mut(row) {
            *bit = true;
            self.any = true;
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        let bits = if self.any { self.bits.as_slice() } else { &[] };
        bits.iter().enumerate().filter(|(_, b)| **b).map(|(row, _)| row)
    }
}

impl Places<'_> {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Even { rows, .. } => *rows,
            Self::Listed { starts, .. } => starts.len(),
        }
    }
}

impl Leaf {
    pub(crate) fn new(
        field: &Field,
        path: String,
        page: fenhe_text::Encoding,
        options: &CopybookOptions,
        pools: &Pools,
        rows: usize,
    ) -> Result<Self> {
        let Some(storage) = field.storage else {
            return Err(error::config(format!("{path} is a group")));
        };
        let length = usize::try_from(field.length).unwrap_or(usize::MAX);
        let data_type = schema::data_type(field);
        let mut most = i128::MAX;
        let values = match &data_type {
            DataType::Int32 => {
                most = i128::from(i32::MAX) + 1;
                Values::I32(PrimitiveColumn::new(pools, rows))
            }
            DataType::Int64 => {
                most = i128::from(i64::MAX) + 1;
                Values::I64(PrimitiveColumn::new(pools, rows))
            }
            DataType::UInt64 => Values::U64(PrimitiveColumn::new(pools, rows)),
            DataType::Decimal128(precision, _) => {
                most = 10i128.pow(u32::from(*precision).min(38)) - 1;
                Values::Decimal(PrimitiveColumn::new(pools, rows), data_type.clone())
            }
            DataType::Float32 => Values::F32(PrimitiveColumn::new(pools, rows)),
            DataType::Float64 => Values::F64(PrimitiveColumn::new(pools, rows)),
            DataType::Binary => Values::Binary(BinaryColumn::new(pools, rows, 0)),
            _ => Values::Text(StringColumn::new(pools, rows, rows.saturating_mul(length.min(16)))),
        };
        let text =
            matches!(values, Values::Text(_)).then(|| TextReader::new(storage, page, options));
        let factor =
            if field.scale < 0 { 10i128.pow(field.scale.unsigned_abs().min(38)) } else { 1 };
        let rules = Rules {
            characters: Characters::new(page, options),
            invalid: options.invalid,
            nulls: options.nulls.clone(),
            pad: options.short() == Short::Pad,
        };
        Ok(Self { path, item: field.clone(), storage, length, factor, most, values, text, rules })
    }

    /// Appends a value a row; rows that are bad are absent and in `faults`.
    pub(crate) fn append(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        reasons: Reasons<'_>,
    ) -> Result<()> {
        match &mut self.values {
            Values::Text(_) => self.append_text(window, places, faults, reasons),
            Values::F32(_) | Values::F64(_) => self.append_floats(window, places, faults, reasons),
            Values::Binary(column) => {
                for row in 0..places.rows() {
                    match cut(places, row, self.length)
                        .and_then(|(from, to, whole)| window.raw.get(from..to).filter(|_| whole))
                    {
                        Some(bytes) => column.append(bytes).map_err(full)?,
                        None => column.append_null(),
                    }
                }
                Ok(())
            }
            _ => {
                if reasons.is_none() && self.append_quickly(window.raw, places) {
                    return Ok(());
                }
                self.append_slowly(window, places, faults, reasons)
            }
        }
    }

    /// The array of all rows; the column is empty then.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        let wrong = |_| Error::new(Kind::Internal, "copybook.type", "a column of another type");
        Ok(match &mut self.values {
            Values::I32(c) => c.finish(&DataType::Int32).map_err(wrong)?,
            Values::I64(c) => c.finish(&DataType::Int64).map_err(wrong)?,
            Values::U64(c) => c.finish(&DataType::UInt64).map_err(wrong)?,
            Values::Decimal(c, data_type) => c.finish(data_type).map_err(wrong)?,
            Values::F32(c) => c.finish(&DataType::Float32).map_err(wrong)?,
            Values::F64(c) => c.finish(&DataType::Float64).map_err(wrong)?,
            Values::Text(c) => Arc::new(c.finish()),
            Values::Binary(c) => Arc::new(c.finish()),
        })
    }
}

/// Start and end of the field in a row and whether it is whole; `None` when there is no such row.
fn cut(places: Places<'_>, row: usize, length: usize) -> Option<(usize, usize, bool)> {
    match places {
        Places::Even { first, stride, .. } => {
            let from = first + row * stride;
            Some((from, from + length, true))
        }
        Places::Listed { starts, limits } => {
            let (start, limit) = (*starts.get(row)?, *limits.get(row)? as usize);
            if start == MISSING {
                return None;
            }
            let from = (start as usize).min(limit);
            let to = (start as usize).saturating_add(length).min(limit);
            Some((from, to.max(from), to - from.min(to) == length))
        }
    }
}

pub(crate) fn full(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Limit, "copybook.full", error.to_string())
}
