//! Records to arrays: one elementary item of a block of records at a time.

mod binary;
mod display;
pub(crate) mod float;
mod packed;
mod text;

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::{BinaryColumn, Pools, PrimitiveColumn, StringColumn};

use crate::layout::Field;
use crate::options::{CopybookOptions, Invalid, NullFill, Short};
use crate::storage::Storage;
use crate::value::{Bad, Characters, integer, is_null};
use crate::{error, schema};
pub(crate) use text::{TextReader, to_ascii};

/// A place that is not there.
pub(crate) const MISSING: u32 = u32::MAX;

/// Bytes of a block of records, as they are and in ASCII.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) raw: &'a [u8],
    /// The same length; bytes that are no ASCII character have the top bit. Followed by slack.
    pub(crate) ascii: &'a [u8],
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
    scratch: Vec<i64>,
    wide: Vec<i128>,
    small: Vec<i32>,
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

    pub(crate) fn any(&self) -> bool {
        self.any
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        self.bits.iter().enumerate().filter(|(_, b)| **b).map(|(row, _)| row)
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
        Ok(Self {
            path,
            item: field.clone(),
            storage,
            length,
            factor,
            most,
            values,
            text,
            rules,
            scratch: Vec::new(),
            wide: Vec::new(),
            small: Vec::new(),
        })
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
                if reasons.is_none() && self.quick(window.raw, places) {
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

    /// Decodes the block by the kernel of this length; false when any value is bad (nothing is appended then).
    fn quick(&mut self, raw: &[u8], places: Places<'_>) -> bool {
        if let Places::Listed { starts, limits } = places {
            let length = self.length as u64;
            let cut =
                |(s, l): (&u32, &u32)| *s == MISSING || u64::from(*s) + length > u64::from(*l);
            // What is missing is looked at one by one.
            if starts.iter().zip(limits).any(cut) {
                return false;
            }
        }
        self.scratch.clear();
        self.wide.clear();
        let narrow = match self.storage {
            Storage::Zoned(sign) if self.rules.characters.ebcdic => {
                display::ebcdic(raw, places, self.length, sign, &mut self.scratch)
            }
            Storage::Zoned(sign) => {
                display::ascii(raw, places, self.length, sign, &mut self.scratch)
            }
            Storage::Packed { signed } => {
                packed::signed(raw, places, self.length, signed, &mut self.scratch)
            }
            Storage::PackedUnsigned => {
                packed::unsigned(raw, places, self.length, &mut self.scratch)
            }
            Storage::Binary { signed, big } => {
                binary::narrow(raw, places, self.length, signed, big, &mut self.scratch)
            }
            _ => None,
        };
        match narrow {
            Some(errors) => errors == 0 && self.push_narrow(),
            None => self.quick_wide(raw, places),
        }
    }

    fn quick_wide(&mut self, raw: &[u8], places: Places<'_>) -> bool {
        let errors = match self.storage {
            Storage::Zoned(sign) if self.rules.characters.ebcdic => {
                display::ebcdic_wide(raw, places, self.length, sign, &mut self.wide)
            }
            Storage::Packed { signed } => {
                packed::signed_wide(raw, places, self.length, signed, &mut self.wide)
            }
            _ => None,
        };
        if errors != Some(0) {
            return false;
        }
        let (factor, most) = (self.factor, self.most);
        match &mut self.values {
            Values::Decimal(column, _) if factor == 1 => {
                // Packed fields with an even number of digits have room for one more.
                if self.wide.iter().any(|v| v.unsigned_abs() > most.unsigned_abs()) {
                    return false;
                }
                column.append_slice(&self.wide);
                true
            }
            _ => false,
        }
    }

    /// Moves the decoded values to the column; false (and nothing moved) when one does not fit.
    fn push_narrow(&mut self) -> bool {
        let factor = i64::try_from(self.factor).unwrap_or(0);
        if factor != 1 {
            let mut fits = factor != 0;
            for value in &mut self.scratch {
                let (product, wrapped) = value.overflowing_mul(factor);
                fits &= !wrapped;
                *value = product;
            }
            if !fits {
                return false;
            }
        }
        match &mut self.values {
            Values::I32(column) => {
                let wrong =
                    self.scratch.iter().fold(0, |wrong, v| wrong | (i64::from(*v as i32) ^ v));
                if wrong != 0 {
                    return false;
                }
                self.small.clear();
                self.small.extend(self.scratch.iter().map(|v| *v as i32));
                column.append_slice(&self.small);
            }
            Values::I64(column) => column.append_slice(&self.scratch),
            Values::U64(column) => {
                self.scratch.iter().for_each(|v| column.append(v.cast_unsigned()))
            }
            Values::Decimal(column, _) => {
                let most = u64::try_from(self.most).unwrap_or(u64::MAX);
                if self.scratch.iter().fold(0, |max, v| v.unsigned_abs().max(max)) > most {
                    return false;
                }
                self.wide.clear();
                self.wide.extend(self.scratch.iter().map(|v| i128::from(*v)));
                column.append_slice(&self.wide);
            }
            _ => return false,
        }
        true
    }

    /// One by one: what is missing, null by its filling, or bad.
    #[cold]
    fn append_slowly(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        for row in 0..places.rows() {
            let place = cut(places, row, self.length);
            let value = match place {
                None => Ok(None),
                Some((_, _, false)) if self.rules.pad => Ok(None),
                Some((from, to, false)) => Err(short(self.length, to - from)),
                Some((from, to, true)) => self.one(window.raw.get(from..to).unwrap_or_default()),
            };
            let value = match value {
                Ok(value) => value,
                Err(fault) => match self.rules.invalid {
                    Invalid::Null if fault.code != error::SHORT => None,
                    Invalid::Zero if fault.code != error::SHORT => Some(0),
                    _ => {
                        faults.set(row);
                        if let Some(reasons) = &mut reasons {
                            reasons.push((row, Fault { field: self.path.clone(), ..fault }));
                        }
                        None
                    }
                },
            };
            self.push(value);
        }
        Ok(())
    }

    /// One value; `None` when its filling means "absent".
    fn one(&self, bytes: &[u8]) -> Result<Option<i128>, Fault> {
        if is_null(bytes, &self.rules.nulls, self.rules.characters) {
            return Ok(None);
        }
        let too_large = Bad {
            code: error::BINARY,
            expected: "a value that the column holds",
            found: "a larger one",
        };
        let fault = |bad: Bad| {
            Fault::new(
                bad.code,
                "",
                format!("{} in {} bytes", bad.expected, bytes.len()),
                describe(bytes, bad, self.rules.characters),
            )
        };
        let value = integer(self.storage, bytes, self.rules.characters).map_err(fault)?;
        let value = value.checked_mul(self.factor).ok_or_else(|| fault(too_large))?;
        let fits = match &self.values {
            Values::U64(_) => u64::try_from(value).is_ok(),
            Values::I32(_) => i32::try_from(value).is_ok(),
            Values::I64(_) => i64::try_from(value).is_ok(),
            _ => value.unsigned_abs() <= self.most.unsigned_abs(),
        };
        if fits { Ok(Some(value)) } else { Err(fault(too_large)) }
    }

    fn push(&mut self, value: Option<i128>) {
        match &mut self.values {
            Values::I32(c) => c.append_option(value.map(|v| v as i32)),
            Values::I64(c) => c.append_option(value.map(|v| v as i64)),
            Values::U64(c) => c.append_option(value.map(|v| v as u64)),
            Values::Decimal(c, _) => c.append_option(value),
            Values::F32(c) => c.append_option(value.map(|v| v as f32)),
            Values::F64(c) => c.append_option(value.map(|v| v as f64)),
            Values::Text(c) => c.append_null(),
            Values::Binary(c) => c.append_null(),
        }
    }

    fn append_floats(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        for row in 0..places.rows() {
            let value = match cut(places, row, self.length) {
                Some((from, to, true)) => {
                    let bytes = window.raw.get(from..to).unwrap_or_default();
                    let null = is_null(bytes, &self.rules.nulls, self.rules.characters);
                    Some(bytes).filter(|_| !null).and_then(|b| float::read(self.storage, b))
                }
                Some((from, to, false)) if !self.rules.pad => {
                    faults.set(row);
                    if let Some(reasons) = &mut reasons {
                        reasons.push((
                            row,
                            Fault { field: self.path.clone(), ..short(self.length, to - from) },
                        ));
                    }
                    None
                }
                _ => None,
            };
            match &mut self.values {
                Values::F32(c) => c.append_option(value.map(|v| v as f32)),
                Values::F64(c) => c.append_option(value),
                _ => {}
            }
        }
        Ok(())
    }

    fn append_text(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        let (Values::Text(column), Some(reader)) = (&mut self.values, &mut self.text) else {
            return Ok(());
        };
        if let Places::Even { first, stride, rows } = places
            && reasons.is_none()
            && reader.is_quick()
        {
            let done = reader.append_even(column, window, first, stride, rows, self.length)?;
            if done == rows {
                return Ok(());
            }
            let (first, rows) = (first + done * stride, rows - done);
            let places = Places::Even { first, stride, rows };
            return self.text_slowly(window, places, faults, None, done);
        }
        self.text_slowly(window, places, faults, reasons.take(), 0)
    }

    fn text_slowly(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
        before: usize,
    ) -> Result<()> {
        let (Values::Text(column), Some(reader)) = (&mut self.values, &mut self.text) else {
            return Ok(());
        };
        for row in 0..places.rows() {
            let Some((from, to, whole)) = cut(places, row, self.length) else {
                column.append_null();
                continue;
            };
            let mut fault = None;
            if from == to && !whole {
                column.append_null();
            } else if let Err(bad) = reader.append(column, window, from, to)? {
                column.append_null();
                if self.rules.invalid == Invalid::Reject {
                    fault = Some(bad);
                }
            }
            if !whole && !self.rules.pad {
                fault = Some(short(self.length, to - from));
            }
            if let Some(fault) = fault {
                faults.set(before + row);
                if let Some(reasons) = &mut reasons {
                    reasons.push((before + row, Fault { field: self.path.clone(), ..fault }));
                }
            }
        }
        Ok(())
    }
}

/// Runs a kernel over whole fields of `N` bytes; false when one lies outside of the window.
#[inline(always)]
fn each<const N: usize>(raw: &[u8], places: Places<'_>, mut kernel: impl FnMut(&[u8; N])) -> bool {
    match places {
        Places::Even { first, stride, rows } => {
            let fields = raw.get(first..).unwrap_or_default().chunks(stride.max(1)).take(rows);
            let mut seen = 0;
            for field in fields {
                let Some(field) = field.first_chunk::<N>() else { break };
                kernel(field);
                seen += 1;
            }
            seen == rows
        }
        Places::Listed { starts, .. } => {
            for start in starts {
                let field = raw.get(*start as usize..).and_then(<[u8]>::first_chunk::<N>);
                let Some(field) = field else { return false };
                kernel(field);
            }
            true
        }
    }
}

/// Calls `$run::<N>` for the length that is known only now.
macro_rules! by_length {
    ($length:expr, $run:ident $arguments:tt, $($n:literal)*) => {
        match $length {
            $($n => Some($run::<$n> $arguments),)*
            _ => None,
        }
    };
}
use by_length;

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

#[cold]
fn short(wanted: usize, found: usize) -> Fault {
    let found = if found == 0 {
        "the record ends before it".to_owned()
    } else {
        format!("{found} bytes before the record ends")
    };
    Fault::new(error::SHORT, "", format!("{wanted} bytes"), found)
}

/// What stands there, without its value.
fn describe(bytes: &[u8], bad: Bad, characters: Characters) -> String {
    let all = |byte: u8| bytes.iter().all(|b| *b == byte);
    if all(characters.blank()) {
        "blanks only (nulls=blank reads them as absent)".into()
    } else if all(0) {
        "low-values only (nulls=low reads them as absent)".into()
    } else if all(0xFF) {
        "high-values only (nulls=high reads them as absent)".into()
    } else {
        bad.found.into()
    }
}

pub(crate) fn full(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Limit, "copybook.full", error.to_string())
}
