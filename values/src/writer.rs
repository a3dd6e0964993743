//! From Arrow values to the bytes of fields, compiled once for each field.

mod block;
mod number;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Fault, Kind as ErrorKind, Result};
use fenhe_text::{Encoding, Unmappable};

pub use block::TextBlock;

use crate::fault::{FaultKind, FaultMask};
use crate::format;
use crate::pattern::{Fast, Moment, Pattern};
use crate::reader::{Wanted, compile_patterns, fixed_offset, spell};
use crate::spec::{BinarySpelling, FieldSpec};
use crate::types::{no_spelling, type_name};
use number::NumberWriter;

/// Writes the values of one field: the compiled form of a [`FieldSpec`] for data in one encoding, and the inverse of
/// [`FieldReader`](crate::FieldReader). Of several spellings the first one is written. Padding is the caller's.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Decimal128Array};
/// use arrow_schema::DataType;
/// use fenhe_text::Encoding;
/// use fenhe_values::{FaultMask, FieldSpec, FieldWriter, TextBlock};
///
/// let mut spec = FieldSpec::new("fee", DataType::Decimal128(12, 2));
/// spec.spelling.number.thousands = Some(',');
/// let writer = FieldWriter::new(&spec, Encoding::GBK)?;
/// let fees: ArrayRef = Arc::new(Decimal128Array::from(vec![Some(123_456_789), None]).with_precision_and_scale(12, 2).unwrap());
/// let (mut block, mut faults) = (TextBlock::new(), FaultMask::new());
/// faults.reset(2);
/// writer.write(&fees, 0..2, &mut block, &mut faults)?;
/// assert_eq!(block.field(0), b"1,234,567.89");
/// assert!(block.is_null(1));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FieldWriter {
    spec: FieldSpec,
    encoding: Encoding,
    number: NumberWriter,
    patterns: Vec<Pattern>,
    zone: Option<i16>,
    yes: Vec<u8>,
    no: Vec<u8>,
    null: Option<Vec<u8>>,
    null_words: Vec<Vec<u8>>,
}

impl FieldWriter {
    /// Compiles a field for data in `encoding`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.spec` when type and spelling contradict each other, or with code
    /// `value.type` for nested types, [`ErrorKind::Unsupported`] with that code for others that have no spelling as text.
    pub fn new(spec: &FieldSpec, encoding: Encoding) -> Result<Self> {
        let bad = |reason: String| {
            let message = format!("the field cannot be written: {reason}");
            Error::new(ErrorKind::Config, "value.spec", message).at_field(&spec.name)
        };
        if type_name(&spec.data_type).is_none() {
            return Err(no_spelling(&spec.name, &spec.data_type));
        }
        let encode = |text: &str| spell(encoding, text);
        let one = |words: &[String], what: &str| {
            words
                .first()
                .and_then(|w| encode(w))
                .ok_or_else(|| bad(format!("no spelling of {what} in {encoding}")))
        };
        let (yes, no) = match spec.data_type {
            DataType::Boolean => {
                (one(&spec.spelling.boolean.yes, "true")?, one(&spec.spelling.boolean.no, "false")?)
            }
            _ => Default::default(),
        };
        let wanted = wanted(&spec.data_type);
        let patterns = match wanted {
            Some(wanted) => compile_patterns(&spec.spelling.date, wanted, &encode).map_err(bad)?,
            None => Vec::new(),
        };
        let null_words: Vec<Vec<u8>> =
            spec.spelling.nulls.iter().filter_map(|w| encode(w)).collect();
        Ok(Self {
            number: NumberWriter::new(&spec.spelling.number, &encode).map_err(bad)?,
            zone: zone_of(&spec.data_type, &patterns).map_err(bad)?,
            null: spec.spelling.nulls.first().and_then(|w| encode(w)),
            spec: spec.clone(),
            encoding,
            patterns,
            yes,
            no,
            null_words,
        })
    }

    /// The field.
    #[must_use]
    pub fn spec(&self) -> &FieldSpec {
        &self.spec
    }

    /// Appends some rows of an array to a block, one field a row. Rows that cannot be written are empty in the block and
    /// marked in `faults` (row 0 is the first of `rows`), which must have been reset to the number of rows before the
    /// first column.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with code `value.type` when the array is not of the field's type or has not so many rows.
    pub fn write(
        &self,
        array: &ArrayRef,
        rows: std::ops::Range<usize>,
        block: &mut TextBlock,
        faults: &mut FaultMask,
    ) -> Result<()> {
        if array.data_type() != &self.spec.data_type || rows.end > array.len() {
            let message = format!(
                "expected {} rows of {}, found {} of {}",
                rows.end,
                self.spec.data_type,
                array.len(),
                array.data_type()
            );
            return Err(
                Error::new(ErrorKind::Invalid, "value.type", message).at_field(&self.spec.name)
            );
        }
        let mut job = Job { writer: self, array, rows, block, faults };
        job.column();
        Ok(())
    }

    /// The detailed fault of one row; `None` when it can be written. The value itself is never part of it.
    #[must_use]
    pub fn explain(&self, array: &ArrayRef, row: usize) -> Option<Fault> {
        let (mut block, mut faults) = (TextBlock::new(), FaultMask::new());
        faults.reset(1);
        self.write(array, row..row + 1, &mut block, &mut faults).ok()?;
        let kind = block.last_fault().filter(|_| faults.any())?;
        let name = type_name(&self.spec.data_type).unwrap_or_default();
        let expected =
            format!("a {name} that the declared spelling and {} can hold", self.encoding);
        Some(Fault::new(kind.code(), self.spec.name.clone(), expected, kind.to_string()))
    }

    /// Whether a written value would be read back as a null.
    fn reads_as_null(&self, written: &[u8]) -> bool {
        self.null_words.iter().any(|w| w.as_slice() == written)
    }

    fn date(&self, days: i32, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        match self.patterns.first() {
            Some(pattern) if pattern.fast() == Fast::Compact => format::date_compact(days, out),
            Some(pattern) if pattern.fast() == Fast::Iso => format::date_iso(days, out),
            Some(pattern) => pattern.write(&Moment { days, ..Moment::default() }, out),
            None => Err(FaultKind::NotInPattern),
        }
    }

    /// A number of units since 1970-01-01 00:00:00 (in UTC when the type has a zone) or since midnight.
    fn moment(&self, value: i64, unit: TimeUnit, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        let per_second = match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        };
        let pattern = self.patterns.first().ok_or(FaultKind::NotInPattern)?;
        let east = i64::from(self.zone.unwrap_or(0)) * 60;
        let seconds =
            value.div_euclid(per_second).checked_add(east).ok_or(FaultKind::NotInPattern)?;
        let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
        let of = |n: i64| u32::try_from(n).map_err(|_| FaultKind::NotInPattern);
        let days =
            i32::try_from(seconds.div_euclid(86_400)).map_err(|_| FaultKind::NotInPattern)?;
        let (seconds, nanos) = (of(seconds.rem_euclid(86_400))?, of(nanos)?);
        let offset = self.zone.filter(|_| pattern.has_zone());
        if !pattern.has_date() && days != 0 {
            return Err(FaultKind::NotInPattern);
        }
        pattern.write(&Moment { days, seconds, nanos, offset }, out)
    }

    fn text(&self, value: &str, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        let encoded = self.encoding.encode_into(value, Unmappable::Reject, out);
        encoded.map(|_| ()).map_err(|_| FaultKind::BadCharacters)
    }

    fn bytes(&self, value: &[u8], out: &mut Vec<u8>) -> Result<(), FaultKind> {
        match self.spec.spelling.binary {
            BinarySpelling::Hex => format::hex(value, out),
            BinarySpelling::Base64 => format::base64(value, out),
        }
        Ok(())
    }
}

/// One column of one block on its way out.
struct Job<'a> {
    writer: &'a FieldWriter,
    array: &'a ArrayRef,
    rows: std::ops::Range<usize>,
    block: &'a mut TextBlock,
    faults: &'a mut FaultMask,
}

impl Job<'_> {
    /// The type switch, once a column and block.
    fn column(&mut self) {
        let (w, array) = (self.writer, self.array);
        let number = &w.number;
        match &w.spec.data_type {
            DataType::Int8 => self.primitive::<Int8Type>(|v, out| number.int(v.into(), out)),
            DataType::Int16 => self.primitive::<Int16Type>(|v, out| number.int(v.into(), out)),
            DataType::Int32 => self.primitive::<Int32Type>(|v, out| number.int(v.into(), out)),
            DataType::Int64 => self.primitive::<Int64Type>(|v, out| number.int(v, out)),
            DataType::UInt8 => {
                self.primitive::<UInt8Type>(|v, out| number.decimal(v.into(), 0, out))
            }
            DataType::UInt16 => {
                self.primitive::<UInt16Type>(|v, out| number.decimal(v.into(), 0, out))
            }
            DataType::UInt32 => {
                self.primitive::<UInt32Type>(|v, out| number.decimal(v.into(), 0, out))
            }
            DataType::UInt64 => {
                self.primitive::<UInt64Type>(|v, out| number.decimal(v.into(), 0, out))
            }
            DataType::Float32 => self.primitive::<Float32Type>(|v, out| number.float32(v, out)),
            DataType::Float64 => self.primitive::<Float64Type>(|v, out| number.float(v, out)),
            DataType::Decimal128(_, scale) => {
                let scale = scale.unsigned_abs();
                self.primitive::<Decimal128Type>(|v, out| number.decimal(v, scale, out));
            }
            DataType::Decimal256(_, scale) => {
                let scale = scale.unsigned_abs();
                self.primitive::<Decimal256Type>(|v, out| number.decimal256(v, scale, out));
            }
            DataType::Date32 => self.primitive::<Date32Type>(|v, out| w.date(v, out)),
            DataType::Time32(unit) if *unit == TimeUnit::Second => {
                self.primitive::<Time32SecondType>(|v, out| {
                    w.moment(v.into(), TimeUnit::Second, out)
                });
            }
            DataType::Time32(unit) => {
                self.primitive::<Time32MillisecondType>(|v, out| w.moment(v.into(), *unit, out))
            }
            DataType::Time64(unit) if *unit == TimeUnit::Microsecond => {
                self.primitive::<Time64MicrosecondType>(|v, out| {
                    w.moment(v, TimeUnit::Microsecond, out)
                });
            }
            DataType::Time64(unit) => {
                self.primitive::<Time64NanosecondType>(|v, out| w.moment(v, *unit, out))
            }
            DataType::Timestamp(unit, _) => self.timestamps(*unit),
            DataType::Boolean => {
                let values = array.as_boolean();
                self.each(|row, out| {
                    out.extend_from_slice(if values.value(row) { &w.yes } else { &w.no });
                    Ok(())
                });
            }
            DataType::Utf8 => {
                self.each(|row, out| w.text(array.as_string::<i32>().value(row), out))
            }
            DataType::LargeUtf8 => {
                self.each(|row, out| w.text(array.as_string::<i64>().value(row), out))
            }
            DataType::Utf8View => {
                self.each(|row, out| w.text(array.as_string_view().value(row), out))
            }
            DataType::Binary => {
                self.each(|row, out| w.bytes(array.as_binary::<i32>().value(row), out))
            }
            DataType::LargeBinary => {
                self.each(|row, out| w.bytes(array.as_binary::<i64>().value(row), out))
            }
            DataType::BinaryView => {
                self.each(|row, out| w.bytes(array.as_binary_view().value(row), out))
            }
            // `FieldWriter::new` refuses all other types.
            _ => self.each(|_, _| Err(FaultKind::NotInPattern)),
        }
    }

    fn timestamps(&mut self, unit: TimeUnit) {
        let w = self.writer;
        match unit {
            TimeUnit::Second => {
                self.primitive::<TimestampSecondType>(|v, out| w.moment(v, unit, out))
            }
            TimeUnit::Millisecond => {
                self.primitive::<TimestampMillisecondType>(|v, out| w.moment(v, unit, out))
            }
            TimeUnit::Microsecond => {
                self.primitive::<TimestampMicrosecondType>(|v, out| w.moment(v, unit, out))
            }
            TimeUnit::Nanosecond => {
                self.primitive::<TimestampNanosecondType>(|v, out| w.moment(v, unit, out))
            }
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        write: impl Fn(T::Native, &mut Vec<u8>) -> Result<(), FaultKind>,
    ) {
        let array = self.array;
        let values = array.as_primitive::<T>();
        self.each(|row, out| write(values.value(row), out));
    }

    /// One field a row. `write` may leave rubbish behind when it fails.
    fn each(&mut self, write: impl Fn(usize, &mut Vec<u8>) -> Result<(), FaultKind>) {
        let textual = matches!(
            self.writer.spec.data_type,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        );
        let nulls = self.array.nulls();
        for (number, row) in self.rows.clone().enumerate() {
            if nulls.is_some_and(|n| n.is_null(row)) {
                match &self.writer.null {
                    Some(null) if self.writer.spec.nullable => self.block.end_null(null),
                    _ => self.fault(number, FaultKind::NullNotAllowed),
                }
                continue;
            }
            let written = write(row, self.block.open());
            match written {
                // Text that is spelled like a null is left to the format, which may quote it.
                Ok(()) if !textual && self.writer.reads_as_null(self.block.opened()) => {
                    self.fault(number, FaultKind::LooksLikeNull);
                }
                Ok(()) => self.block.end(),
                Err(kind) => self.fault(number, kind),
            }
        }
    }

    #[cold]
    fn fault(&mut self, number: usize, kind: FaultKind) {
        self.faults.set(number);
        self.block.end_fault(kind);
    }
}

fn wanted(data_type: &DataType) -> Option<Wanted> {
    match data_type {
        DataType::Date32 => Some(Wanted::Date),
        DataType::Time32(_) | DataType::Time64(_) => Some(Wanted::Time),
        DataType::Timestamp(_, zone) => Some(Wanted::Timestamp { zoned: zone.is_some() }),
        _ => None,
    }
}

/// The zone to write timestamps in. Zones with a history are written in UTC, which says the same moment.
fn zone_of(data_type: &DataType, patterns: &[Pattern]) -> Result<Option<i16>, String> {
    let DataType::Timestamp(_, Some(zone)) = data_type else { return Ok(None) };
    match fixed_offset(zone) {
        Some(offset) => Ok(Some(offset)),
        None if patterns.first().is_some_and(Pattern::has_zone) => Ok(Some(0)),
        None => Err(format!(
            "a pattern without a zone cannot tell the times of {zone}; give the pattern a `Z`"
        )),
    }
}
