//! Columns to the rows of `COPY ... WITH (FORMAT binary)`: column by column into the places of the rows, so that the
//! type is looked at once a block and nothing is allocated for a value.
//!
//! <https://www.postgresql.org/docs/15/sql-copy.html>, section "Binary Format".

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64MicrosecondType,
    TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use bytes::BytesMut;
use fenhe_core::{Error, Fault, Kind, Result};

use super::native::Native;
use super::numeric;

/// What the stream begins with: signature, flags, length of the extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
pub(crate) const TRAILER: &[u8] = &[0xff, 0xff];
/// Rows of a block: their bytes stay in the cache while the columns go in.
const BLOCK: usize = 512;
/// Microseconds from 1970 to 2000, where the server counts from.
const EPOCH: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;
/// First and last day of the server: 4714-11-24 BC and 5874897-12-31 (`datatype/timestamp.h`).
const DAYS: std::ops::RangeInclusive<i32> = -2_440_588..=2_145_031_948;
/// First microsecond of the server, counted from 1970: 4714-11-24 BC. Its last one is beyond ours.
const FIRST_MICRO: i64 = -210_866_803_200_000_000;

/// Appends some rows of a batch whose columns were made [`ready`].
pub(crate) fn rows(
    columns: &[ArrayRef],
    natives: &[Native],
    rows: Range<usize>,
    out: &mut BytesMut,
) {
    let cells: Vec<_> =
        columns.iter().zip(natives).map(|(array, native)| Cells::of(array, *native)).collect();
    let mut block = Block::default();
    for first in rows.clone().step_by(BLOCK) {
        block.write(&cells, first, BLOCK.min(rows.end - first), out);
    }
}

/// A column in the one Arrow type that its native type is written from. What has no such value becomes null.
pub(crate) fn ready(array: &ArrayRef, native: Native) -> Result<ArrayRef> {
    let to = match (native, array.data_type()) {
        (_, DataType::Null) => return Ok(new_null_array(&usual(native, 0), array.len())),
        (Native::Numeric(_), DataType::Decimal128(_, scale)) => usual(native, *scale),
        _ => usual(native, 0),
    };
    Ok(match (native, array.data_type()) {
        (_, same) if *same == to => Arc::clone(array),
        // The precision of a decimal bounds nothing that the server does not bound itself.
        (Native::Numeric(_), DataType::Decimal128(..)) => Arc::clone(array),
        (Native::Timestamp { .. }, DataType::Timestamp(_, zone)) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            cast(&cast(array, &micros)?, &to)?
        }
        _ => cast(array, &to)?,
    })
}

/// Rows whose value has no form at the server. `ready` is what became of `array`.
pub(crate) fn faults(
    name: &str,
    array: &ArrayRef,
    ready: &ArrayRef,
    native: Native,
) -> Vec<(usize, Fault)> {
    let mut faults = Vec::new();
    let mut at = |row: usize, code: &'static str, expected: &str, found: &str| {
        faults.push((row, Fault::new(code, name, expected, found)));
    };
    if ready.null_count() > array.null_count() {
        for row in (0..array.len()).filter(|row| ready.is_null(*row) && array.is_valid(*row)) {
            at(row, "sql.number_range", "a number within the range of the column", "a larger one");
        }
    }
    match native {
        Native::Text | Native::Other => {
            let text = ready.as_string::<i32>();
            let (from, to) = (start(text.value_offsets()), end(text.value_offsets()));
            if memchr::memchr(0, text.value_data().get(from..to).unwrap_or_default()).is_some() {
                for row in (0..text.len())
                    .filter(|row| text.is_valid(*row) && text.value(*row).contains('\0'))
                {
                    at(row, "sql.nul", "text without the character NUL", "one with it");
                }
            }
        }
        Native::Int2 | Native::Int4 => {
            let bits = if native == Native::Int2 { 15 } else { 31 };
            let most = (1_i64 << bits) - 1;
            outside(
                ready,
                |n| (-most - 1..=most).contains(&n),
                |row| {
                    at(
                        row,
                        "sql.number_range",
                        "a number within the range of the column",
                        "a larger one",
                    );
                },
            );
        }
        Native::Date => {
            let days = ready.as_primitive::<Date32Type>();
            for row in
                (0..days.len()).filter(|r| days.is_valid(*r) && !DAYS.contains(&days.value(*r)))
            {
                at(row, "sql.year", "a date within the range of the server", "another date");
            }
        }
        Native::Timestamp { .. } => {
            outside(
                ready,
                |n| n >= FIRST_MICRO,
                |row| {
                    at(
                        row,
                        "sql.year",
                        "an instant within the range of the server",
                        "another instant",
                    );
                },
            );
        }
        _ => {}
    }
    // Nanoseconds would be cut off.
    let nanos = match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive_opt::<TimestampNanosecondType>().map(|a| a.values().clone())
        }
        DataType::Time64(TimeUnit::Nanosecond) => array
            .as_primitive_opt::<arrow_array::types::Time64NanosecondType>()
            .map(|a| a.values().clone()),
        _ => None,
    };
    for (row, _) in
        nanos.iter().flat_map(|n| n.iter().enumerate()).filter(|(_, n)| **n % 1_000 != 0)
    {
        if array.is_valid(row) {
            faults.push((
                row,
                Fault::new("sql.fraction", name, "at most microseconds", "nanoseconds"),
            ));
        }
    }
    faults
}

fn outside(array: &ArrayRef, good: impl Fn(i64) -> bool, mut bad: impl FnMut(usize)) {
    if let Some(values) = array.as_primitive_opt::<Int64Type>() {
        for (row, value) in values.values().iter().enumerate() {
            if !good(*value) && values.is_valid(row) {
                bad(row);
            }
        }
    }
}

/// The Arrow type that a native type is written from.
fn usual(native: Native, scale: i8) -> DataType {
    match native {
        Native::Boolean => DataType::Boolean,
        Native::Int2 | Native::Int4 | Native::Int8 => DataType::Int64,
        Native::Float4 => DataType::Float32,
        Native::Float8 => DataType::Float64,
        Native::Numeric(_) => DataType::Decimal128(38, scale),
        Native::Text | Native::Other => DataType::Utf8,
        Native::Bytea => DataType::Binary,
        Native::Date => DataType::Date32,
        Native::Time(_) => DataType::Time64(TimeUnit::Microsecond),
        Native::Timestamp { .. } => DataType::Int64,
    }
}

/// The values of one column, with everything that is the same for all rows settled.
enum Cells<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int2(&'a [i64], Option<&'a NullBuffer>),
    Int4(&'a [i64], Option<&'a NullBuffer>),
    Int8(&'a [i64], i64, Option<&'a NullBuffer>),
    Float4(&'a [f32], Option<&'a NullBuffer>),
    Float8(&'a [f64], Option<&'a NullBuffer>),
    Decimal(&'a [i128], u8, Option<&'a NullBuffer>),
    Spans(&'a [i32], &'a [u8], Option<&'a NullBuffer>),
    Days(&'a [i32], Option<&'a NullBuffer>),
}

impl<'a> Cells<'a> {
    fn of(array: &'a ArrayRef, native: Native) -> Self {
        Self::find(array, native).unwrap_or(Self::Null)
    }

    fn find(array: &'a ArrayRef, native: Native) -> Option<Self> {
        let nulls = array.nulls();
        Some(match native {
            Native::Boolean => Self::Boolean(array.as_boolean_opt()?),
            Native::Int2 => Self::Int2(array.as_primitive_opt::<Int64Type>()?.values(), nulls),
            Native::Int4 => Self::Int4(array.as_primitive_opt::<Int64Type>()?.values(), nulls),
            Native::Int8 => Self::Int8(array.as_primitive_opt::<Int64Type>()?.values(), 0, nulls),
            Native::Float4 => {
                Self::Float4(array.as_primitive_opt::<Float32Type>()?.values(), nulls)
            }
            Native::Float8 => {
                Self::Float8(array.as_primitive_opt::<Float64Type>()?.values(), nulls)
            }
            Native::Numeric(_) => {
                let decimals = array.as_primitive_opt::<Decimal128Type>()?;
                Self::Decimal(decimals.values(), decimals.scale().unsigned_abs(), nulls)
            }
            Native::Text | Native::Other => {
                let text = array.as_string_opt::<i32>()?;
                Self::Spans(text.value_offsets(), text.value_data(), nulls)
            }
            Native::Bytea => {
                let bytes = array.as_binary_opt::<i32>()?;
                Self::Spans(bytes.value_offsets(), bytes.value_data(), nulls)
            }
            Native::Date => Self::Days(array.as_primitive_opt::<Date32Type>()?.values(), nulls),
            Native::Time(_) => {
                Self::Int8(array.as_primitive_opt::<Time64MicrosecondType>()?.values(), 0, nulls)
            }
            Native::Timestamp { .. } => {
                Self::Int8(array.as_primitive_opt::<Int64Type>()?.values(), EPOCH, nulls)
            }
        })
    }
}

/// Some rows: where each of them is written next. Kept over blocks for its memory.
#[derive(Default)]
struct Block {
    /// Lengths of the rows first, then the places in the output.
    places: Vec<usize>,
    /// Decimals of all columns, one behind the other, and where each ends.
    digits: Vec<u8>,
    ends: Vec<usize>,
}

impl Block {
    fn write(&mut self, cells: &[Cells<'_>], first: usize, rows: usize, out: &mut BytesMut) {
        self.digits.clear();
        self.ends.clear();
        self.places.clear();
        // The number of fields of every row, and the length of every field.
        self.places.resize(rows, 2 + 4 * cells.len());
        for column in cells {
            self.measure(column, first);
        }
        let mut place = out.len();
        for length in &mut self.places {
            place += std::mem::replace(length, place);
        }
        out.resize(place, 0);
        let fields = u16::try_from(cells.len()).unwrap_or(u16::MAX).to_be_bytes();
        for place in &mut self.places {
            put(out, place, &fields);
        }
        let mut number = 0;
        for column in cells {
            self.fill(column, first, out, &mut number);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "rows of the columns of one batch")]
    fn measure(&mut self, column: &Cells<'_>, first: usize) {
        let mut fixed = |width: usize, nulls: Option<&NullBuffer>| match nulls {
            None => self.places.iter_mut().for_each(|length| *length += width),
            Some(nulls) => {
                for (length, row) in self.places.iter_mut().zip(first..) {
                    *length += if nulls.is_valid(row) { width } else { 0 };
                }
            }
        };
        match column {
            Cells::Null => {}
            Cells::Boolean(flags) => fixed(1, flags.nulls()),
            Cells::Int2(_, nulls) => fixed(2, *nulls),
            Cells::Int4(_, nulls) | Cells::Float4(_, nulls) | Cells::Days(_, nulls) => {
                fixed(4, *nulls)
            }
            Cells::Int8(_, _, nulls) | Cells::Float8(_, nulls) => fixed(8, *nulls),
            Cells::Spans(offsets, _, nulls) => {
                for (length, row) in self.places.iter_mut().zip(first..) {
                    if !is_null(*nulls, row) {
                        let (from, to) = span(offsets, row);
                        *length += to - from;
                    }
                }
            }
            Cells::Decimal(values, scale, nulls) => {
                for (length, row) in self.places.iter_mut().zip(first..) {
                    let before = self.digits.len();
                    if !is_null(*nulls, row) {
                        numeric::write(values[row], *scale, &mut self.digits);
                        *length += self.digits.len() - before;
                    }
                    self.ends.push(self.digits.len());
                }
            }
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows of the columns of one batch; spans within their data; decimals as measured"
    )]
    fn fill(&mut self, column: &Cells<'_>, first: usize, out: &mut [u8], number: &mut usize) {
        match column {
            Cells::Null => self.places.iter_mut().for_each(|place| put(out, place, &NOTHING)),
            Cells::Boolean(flags) => {
                self.fixed(out, first, flags.nulls(), |row| [u8::from(flags.value(row))]);
            }
            // The numbers were checked: what does not fit is not here.
            Cells::Int2(values, nulls) => self.fixed(out, first, *nulls, |row| {
                i16::try_from(values[row]).unwrap_or_default().to_be_bytes()
            }),
            Cells::Int4(values, nulls) => self.fixed(out, first, *nulls, |row| {
                i32::try_from(values[row]).unwrap_or_default().to_be_bytes()
            }),
            Cells::Int8(values, epoch, nulls) => self
                .fixed(out, first, *nulls, |row| values[row].saturating_sub(*epoch).to_be_bytes()),
            Cells::Float4(values, nulls) => {
                self.fixed(out, first, *nulls, |row| values[row].to_be_bytes());
            }
            Cells::Float8(values, nulls) => {
                self.fixed(out, first, *nulls, |row| values[row].to_be_bytes());
            }
            Cells::Days(values, nulls) => self.fixed(out, first, *nulls, |row| {
                values[row].saturating_sub(EPOCH_DAYS).to_be_bytes()
            }),
            Cells::Spans(offsets, data, nulls) => {
                for (place, row) in self.places.iter_mut().zip(first..) {
                    if is_null(*nulls, row) {
                        put(out, place, &NOTHING);
                        continue;
                    }
                    let (from, to) = span(offsets, row);
                    put(out, place, &length_of(to - from));
                    put(out, place, &data[from..to]);
                }
            }
            Cells::Decimal(_, _, nulls) => {
                for (place, row) in self.places.iter_mut().zip(first..) {
                    let from = number.checked_sub(1).map_or(0, |before| self.ends[before]);
                    let to = self.ends[*number];
                    *number += 1;
                    if is_null(*nulls, row) {
                        put(out, place, &NOTHING);
                        continue;
                    }
                    put(out, place, &length_of(to - from));
                    put(out, place, &self.digits[from..to]);
                }
            }
        }
    }

    #[inline]
    fn fixed<const N: usize>(
        &mut self,
        out: &mut [u8],
        first: usize,
        nulls: Option<&NullBuffer>,
        value: impl Fn(usize) -> [u8; N],
    ) {
        let length = length_of(N);
        for (place, row) in self.places.iter_mut().zip(first..) {
            if is_null(nulls, row) {
                put(out, place, &NOTHING);
            } else {
                put(out, place, &length);
                put(out, place, &value(row));
            }
        }
    }
}

/// The length of a null.
const NOTHING: [u8; 4] = (-1_i32).to_be_bytes();

fn length_of(length: usize) -> [u8; 4] {
    i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes()
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "rows are as long as measured")]
fn put(out: &mut [u8], place: &mut usize, bytes: &[u8]) {
    let end = *place + bytes.len();
    out[*place..end].copy_from_slice(bytes);
    *place = end;
}

#[inline]
fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// Arrow's offsets are never negative.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a batch has one offset more than rows")]
fn span(offsets: &[i32], row: usize) -> (usize, usize) {
    (offsets[row].unsigned_abs() as usize, offsets[row + 1].unsigned_abs() as usize)
}

fn start(offsets: &[i32]) -> usize {
    offsets.first().map_or(0, |n| n.unsigned_abs() as usize)
}

fn end(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |n| n.unsigned_abs() as usize)
}

/// All columns of a batch, [`ready`].
pub(crate) fn all_ready(batch: &RecordBatch, natives: &[Native]) -> Result<Vec<ArrayRef>> {
    if batch.num_columns() != natives.len() {
        return Err(Error::new(Kind::Internal, "sql.columns", "columns and types do not match"));
    }
    batch.columns().iter().zip(natives).map(|(array, native)| ready(array, *native)).collect()
}
