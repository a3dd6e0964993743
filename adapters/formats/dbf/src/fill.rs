//! Columns to the fields of a block of records, one pass a column.

use std::collections::BTreeMap;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMillisecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, cast::AsArray};
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::Fault;
use fenhe_text::Encoding;
use fenhe_values::FaultKind;

use crate::fields::to_double_seven;
use crate::plan::Slot;
use crate::spell::{self, Refusal};
use crate::types::Shape;

/// Records being filled.
#[derive(Debug)]
pub(crate) struct Filling<'a> {
    pub(crate) block: &'a mut [u8],
    pub(crate) length: usize,
    pub(crate) encoding: Encoding,
    pub(crate) scratch: &'a mut Vec<u8>,
    pub(crate) faults: &'a mut BTreeMap<usize, Vec<Fault>>,
}

/// What became of one value.
type Done = Result<(), Refusal>;

impl Filling<'_> {
    /// Writes one column into its field of every record.
    pub(crate) fn column(&mut self, slot: &Slot, array: &dyn Array) {
        let encoding = self.encoding;
        let mut scratch = std::mem::take(self.scratch);
        match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                self.each(slot, array, |row, to, short| {
                    let value = text_at(array, row).unwrap_or_default();
                    if slot.shape == Shape::Varchar {
                        scratch.clear();
                        let _ = encoding
                            .encode_into(value, fenhe_text::Unmappable::Reject, &mut scratch)
                            .map_err(|_| Refusal::Characters)?;
                        return varying(&scratch, to, short, slot);
                    }
                    spell::text(value, encoding, &mut scratch, to)
                });
            }
            DataType::Binary => {
                let values = array.as_binary::<i32>();
                self.each(slot, array, |row, to, short| match slot.shape {
                    Shape::Varbinary => varying(values.value(row), to, short, slot),
                    _ => spell::exact(values.value(row), to),
                });
            }
            DataType::Boolean => {
                let values = array.as_boolean();
                let spelling = |yes: bool| if yes { b"T" } else { b"F" };
                self.each(slot, array, |row, to, _| spell::padded(spelling(values.value(row)), to));
            }
            DataType::Date32 => {
                let values = array.as_primitive::<Date32Type>();
                self.each(slot, array, |row, to, _| spell::date(values.value(row), to));
            }
            DataType::Float64 => self.floats::<Float64Type>(slot, array),
            DataType::Float32 => self.floats::<Float32Type>(slot, array),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                let values = array.as_primitive::<TimestampMillisecondType>();
                self.moments(slot, array, |row| Some(values.value(row)));
            }
            DataType::Timestamp(TimeUnit::Second, _) => {
                let values = array.as_primitive::<TimestampSecondType>();
                self.moments(slot, array, |row| values.value(row).checked_mul(1000));
            }
            DataType::Decimal128(_, scale) => {
                let values = array.as_primitive::<Decimal128Type>();
                let scale = u32::try_from(*scale).unwrap_or(0);
                self.numbers(slot, array, scale, |row| values.value(row));
            }
            DataType::Int8 => self.integers::<Int8Type>(slot, array),
            DataType::Int16 => self.integers::<Int16Type>(slot, array),
            DataType::Int32 => self.integers::<Int32Type>(slot, array),
            DataType::Int64 => self.integers::<Int64Type>(slot, array),
            DataType::UInt8 => self.integers::<UInt8Type>(slot, array),
            DataType::UInt16 => self.integers::<UInt16Type>(slot, array),
            DataType::UInt32 => self.integers::<UInt32Type>(slot, array),
            DataType::UInt64 => self.integers::<UInt64Type>(slot, array),
            _ => debug_assert!(false, "the plan refuses other types"),
        }
        *self.scratch = scratch;
    }

    fn integers<T: ArrowPrimitiveType>(&mut self, slot: &Slot, array: &dyn Array)
    where
        T::Native: Into<i128>,
    {
        let values = array.as_primitive::<T>();
        self.numbers(slot, array, 0, |row| values.value(row).into());
    }

    fn numbers(
        &mut self,
        slot: &Slot,
        array: &dyn Array,
        scale: u32,
        value: impl Fn(usize) -> i128,
    ) {
        let range = Refusal::Value(FaultKind::OutOfRange);
        self.each(slot, array, |row, to, _| {
            let value = value(row);
            match slot.shape {
                Shape::Int32 | Shape::Int32Seven => {
                    let value = i32::try_from(value).map_err(|_| range)?;
                    let seven = (value.cast_unsigned() ^ (1 << 31)).to_be_bytes();
                    let bytes =
                        if slot.shape == Shape::Int32 { value.to_le_bytes() } else { seven };
                    spell::exact(&bytes, to)
                }
                Shape::Currency => {
                    let value = i64::try_from(value).map_err(|_| range)?;
                    spell::exact(&value.to_le_bytes(), to)
                }
                _ => spell::number(value, scale, slot.decimals.into(), to),
            }
        });
    }

    fn floats<T: ArrowPrimitiveType>(&mut self, slot: &Slot, array: &dyn Array)
    where
        T::Native: Into<f64>,
    {
        let values = array.as_primitive::<T>();
        self.each(slot, array, |row, to, _| {
            let value: f64 = values.value(row).into();
            match slot.shape {
                Shape::Double => spell::exact(&value.to_le_bytes(), to),
                Shape::DoubleSeven => spell::exact(&to_double_seven(value), to),
                _ => spell::float(value, slot.decimals, to),
            }
        });
    }

    fn moments(&mut self, slot: &Slot, array: &dyn Array, value: impl Fn(usize) -> Option<i64>) {
        self.each(slot, array, |row, to, _| {
            let value = value(row).ok_or(Refusal::Value(FaultKind::OutOfRange))?;
            if slot.shape == Shape::DateTime {
                spell::date_time(value, to)
            } else {
                spell::date_time_text(value, to)
            }
        });
    }

    /// Hands each value's field to `write`; absent values and refusals are settled here.
    fn each(
        &mut self,
        slot: &Slot,
        array: &dyn Array,
        mut write: impl FnMut(usize, &mut [u8], &mut bool) -> Done,
    ) {
        for (row, record) in self.block.chunks_exact_mut(self.length).enumerate() {
            let done = if array.is_null(row) {
                absent(slot, record)
            } else {
                let mut short = false;
                let to = record.get_mut(slot.at..slot.at + slot.length).unwrap_or_default();
                let done = write(row, to, &mut short);
                if let (true, Some(bit)) = (short, slot.bits.short) {
                    bit.set(record);
                }
                done
            };
            if let Err(refusal) = done {
                self.faults.entry(row).or_default().push(refused(slot, refusal, self.encoding));
            }
        }
    }
}

fn varying(bytes: &[u8], to: &mut [u8], short: &mut bool, slot: &Slot) -> Done {
    if slot.bits.short.is_none() {
        return spell::padded(bytes, to);
    }
    *short = spell::varying(bytes, to)?;
    Ok(())
}

/// An absent value: its bit, or the blanks of the template, or nothing that could say so.
fn absent(slot: &Slot, record: &mut [u8]) -> Done {
    if let Some(bit) = slot.bits.null {
        bit.set(record);
        return Ok(());
    }
    if let Some(bit) = slot.bits.short {
        bit.set(record);
    }
    match slot.shape {
        Shape::Int32 | Shape::Double | Shape::Currency | Shape::Bytes => {
            Err(FaultKind::NullNotAllowed.into())
        }
        _ => Ok(()),
    }
}

/// The text of a row.
pub(crate) fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// A refusal as a fault.
pub(crate) fn refused(slot: &Slot, refusal: Refusal, encoding: Encoding) -> Fault {
    match refusal {
        Refusal::Characters => Fault::new(
            FaultKind::BadCharacters.code(),
            &slot.name,
            format!("characters of {encoding}"),
            "a character that it does not have",
        ),
        Refusal::TooLong(bytes) => Fault::new(
            "dbf.too_long",
            &slot.name,
            format!("at most {} bytes in {encoding}", slot.length),
            format!("{bytes} bytes"),
        ),
        Refusal::Value(kind) => {
            let native = if matches!(slot.shape, Shape::Integer | Shape::Decimal { .. }) {
                format!("a number for {}({},{})", char::from(slot.kind), slot.length, slot.decimals)
            } else {
                format!("a value for the type {}", char::from(slot.kind))
            };
            Fault::new(kind.code(), &slot.name, native, kind.to_string())
        }
    }
}
