//! From the bytes of a field to a value, compiled once for each field.

mod date;
mod explain;
mod number;
mod words;

use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Kind as ErrorKind};
use fenhe_text::{Encoding, Invalid};

pub(crate) use date::{DateReader, Wanted, compile as compile_patterns, fixed_offset};

use crate::fault::FaultKind;
use crate::parse;
use crate::spec::{BLANKS, BinarySpelling, FieldSpec, Trim, trim_end};
use number::NumberReader;
use words::{BooleanReader, Words};

/// Reads the values of one field: the compiled form of a [`FieldSpec`] for data in one encoding.
///
/// [`ColumnBuilder`](crate::ColumnBuilder) reads whole blocks with it; by itself it explains faults.
///
/// ```
/// use arrow_schema::DataType;
/// use fenhe_text::Encoding;
/// use fenhe_values::{FieldReader, FieldSpec};
/// let reader = FieldReader::new(&FieldSpec::new("fee", DataType::Decimal128(8, 2)), Encoding::GBK)?;
/// let fault = reader.explain(b"12.345").unwrap();
/// assert_eq!(fault.code, "value.too_many_fraction_digits");
/// assert!(reader.explain(b"12.30").is_none());
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FieldReader {
    spec: FieldSpec,
    encoding: Encoding,
    shape: Shape,
    nulls: Words,
    /// A spelling of null is also a spelling of a value: look for nulls first.
    early_nulls: bool,
    number: NumberReader,
}

/// What the type is, as far as reading is concerned.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Int { min: i64, max: i64 },
    UInt { max: u64 },
    Decimal { precision: u8, scale: u8 },
    Decimal256 { precision: u8, scale: u8 },
    Float,
    Boolean(BooleanReader),
    Date(DateReader),
    Time { dates: DateReader, unit: TimeUnit },
    Timestamp { dates: DateReader, unit: TimeUnit, zone: Option<i16> },
    Text,
    Binary(BinarySpelling),
}

impl FieldReader {
    /// Compiles a field for data in `encoding`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.spec` when type and spelling contradict each other, a pattern is wrong, or the
    /// encoding is not one whose digits are those of ASCII (decode such data to UTF-8 first).
    pub fn new(spec: &FieldSpec, encoding: Encoding) -> Result<Self, Error> {
        let bad = |reason: String| {
            Error::new(
                ErrorKind::Config,
                "value.spec",
                format!("the field cannot be read: {reason}"),
            )
            .at_field(&spec.name)
        };
        let encode = |text: &str| spell(encoding, text);
        let shape = shape(spec, &encode).map_err(bad)?;
        let raw_text = matches!(shape, Shape::Text) && spec.spelling.trim == Trim::NONE;
        if !encoding.is_ascii_superset() && !raw_text {
            return Err(bad(format!(
                "{encoding} does not contain ASCII; decode it to UTF-8 first"
            )));
        }
        let number = NumberReader::new(&spec.spelling.number, &encode).map_err(bad)?;
        if spec.spelling.number.implied.is_some()
            && matches!(shape, Shape::Int { .. } | Shape::UInt { .. })
        {
            return Err(bad(
                "whole numbers have no implied decimals; the type is `decimal`".to_owned()
            ));
        }
        let nulls = Words::new(&spec.spelling.nulls, &encode);
        let mut reader =
            Self { spec: spec.clone(), encoding, shape, nulls, early_nulls: false, number };
        reader.early_nulls =
            reader.nulls.words().iter().any(|word| reader.value_fault(word.trim_ascii()).is_none());
        Ok(reader)
    }

    /// The field.
    #[must_use]
    pub fn spec(&self) -> &FieldSpec {
        &self.spec
    }

    /// The encoding of the data.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Why these bytes are no value of the field; `None` when they are one (or an allowed null).
    #[must_use]
    pub fn check(&self, bytes: &[u8]) -> Option<FaultKind> {
        let trimmed = self.trim(bytes);
        let null = self.is_null(trimmed);
        let fault = if null { None } else { self.value_fault(trimmed) };
        match (fault, self.spec.spelling.invalid) {
            (Some(FaultKind::BadCharacters), Invalid::Replace) => None,
            (Some(kind), Invalid::Null) if !self.spec.nullable => Some(kind),
            (Some(_), Invalid::Null) => None,
            (None, _) if null && !self.spec.nullable => Some(FaultKind::NullNotAllowed),
            (fault, _) => fault,
        }
    }

    /// Whether values that cannot be read become null.
    #[inline]
    pub(crate) fn invalid_is_null(&self) -> bool {
        self.spec.spelling.invalid == Invalid::Null
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bytes without the blanks that are not part of the value.
    #[inline]
    pub(crate) fn trim<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match self.shape {
            Shape::Text => self.spec.spelling.trim.apply(bytes),
            _ => blanks(bytes),
        }
    }

    /// Whether trimmed bytes spell a null.
    #[inline]
    pub(crate) fn is_null(&self, trimmed: &[u8]) -> bool {
        self.nulls.contains(trimmed) || (self.zero_is_null() && DateReader::is_zero(trimmed))
    }

    /// Whether nulls must be looked for before values, and whether the empty field is the only null.
    #[inline]
    pub(crate) fn nulls_first(&self) -> bool {
        self.early_nulls
    }

    #[inline]
    pub(crate) fn empty_is_null(&self) -> bool {
        self.nulls.has_empty()
    }

    #[inline]
    pub(crate) fn has_null_words(&self) -> bool {
        self.nulls.has_words()
    }

    /// Whether numbers need no rewriting.
    #[inline]
    pub(crate) fn plain_numbers(&self) -> bool {
        self.number.is_plain() && !self.early_nulls
    }

    /// Implied decimals and nothing else unusual.
    #[inline]
    pub(crate) fn only_implied(&self) -> Option<u8> {
        self.number.only_implied().filter(|_| !self.early_nulls)
    }

    #[cold]
    pub(crate) fn int(&self, trimmed: &[u8], min: i64, max: i64) -> Result<i64, FaultKind> {
        let value = self.number.decimal(trimmed, 38, 0)?;
        i64::try_from(value).ok().filter(|v| (min..=max).contains(v)).ok_or(FaultKind::OutOfRange)
    }

    #[cold]
    pub(crate) fn uint(&self, trimmed: &[u8], max: u64) -> Result<u64, FaultKind> {
        let value = self.number.decimal(trimmed, 38, 0)?;
        u64::try_from(value).ok().filter(|v| *v <= max).ok_or(FaultKind::OutOfRange)
    }

    #[cold]
    pub(crate) fn decimal(
        &self,
        trimmed: &[u8],
        precision: u8,
        scale: u8,
    ) -> Result<i128, FaultKind> {
        self.number.decimal(trimmed, precision, scale)
    }

    #[cold]
    pub(crate) fn decimal256(
        &self,
        trimmed: &[u8],
        precision: u8,
        scale: u8,
    ) -> Result<i256, FaultKind> {
        self.number.decimal256(trimmed, precision, scale)
    }

    pub(crate) fn float(&self, trimmed: &[u8]) -> Result<f64, FaultKind> {
        self.number.float(trimmed, parse::float)
    }

    pub(crate) fn float32(&self, trimmed: &[u8]) -> Result<f32, FaultKind> {
        self.number.float(trimmed, parse::float32)
    }

    /// What is wrong with a trimmed value that is no null.
    fn value_fault(&self, trimmed: &[u8]) -> Option<FaultKind> {
        match &self.shape {
            Shape::Int { min, max } => self.int(trimmed, *min, *max).err(),
            Shape::UInt { max } => self.uint(trimmed, *max).err(),
            Shape::Decimal { precision, scale } => self.decimal(trimmed, *precision, *scale).err(),
            Shape::Decimal256 { precision, scale } => {
                self.decimal256(trimmed, *precision, *scale).err()
            }
            Shape::Float if self.spec.data_type == DataType::Float32 => self.float32(trimmed).err(),
            Shape::Float => self.float(trimmed).err(),
            Shape::Boolean(words) => words.read(trimmed).err(),
            Shape::Date(dates) => dates.date(trimmed).err(),
            Shape::Time { dates, unit } => dates.time(trimmed, *unit).err(),
            Shape::Timestamp { dates, unit, zone } => dates.timestamp(trimmed, *unit, *zone).err(),
            Shape::Text => {
                self.encoding.decode(trimmed).is_err().then_some(FaultKind::BadCharacters)
            }
            Shape::Binary(spelling) => binary(*spelling, trimmed, &mut Vec::new()).err(),
        }
    }

    fn zero_is_null(&self) -> bool {
        match &self.shape {
            Shape::Date(dates) | Shape::Time { dates, .. } | Shape::Timestamp { dates, .. } => {
                dates.zero_is_null()
            }
            _ => false,
        }
    }
}

/// The bytes of a text in an encoding; `None` when it has not all the characters.
pub(crate) fn spell(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    if text.is_ascii() && encoding.is_ascii_superset() {
        return Some(text.as_bytes().to_vec());
    }
    encoding.encode(text).ok()
}

/// Blanks, tabs and NUL bytes around a number or date never belong to it.
#[inline]
pub(crate) fn blanks(bytes: &[u8]) -> &[u8] {
    match bytes {
        // Nothing at either end: nearly all fields of delimited files.
        [b'!'..=0xFF, .., b'!'..=0xFF] | [b'!'..=0xFF] => bytes,
        _ => without_blanks(bytes),
    }
}

#[inline]
fn without_blanks(mut bytes: &[u8]) -> &[u8] {
    // Numbers at the right of a wide field: eight blanks a step, without a branch for each.
    while let Some(first) = bytes.first_chunk::<8>() {
        let text = u64::from_le_bytes(*first) ^ BLANKS;
        let blanks = (text.trailing_zeros() / 8) as usize;
        bytes = bytes.get(blanks..).unwrap_or_default();
        if blanks < 8 {
            break;
        }
    }
    while let [b' ' | b'\t' | 0, rest @ ..] = bytes {
        bytes = rest;
    }
    match bytes {
        [.., b' ' | b'\t' | 0] => blanks_at_end(bytes),
        _ => bytes,
    }
}

fn blanks_at_end(mut bytes: &[u8]) -> &[u8] {
    bytes = trim_end(bytes, true);
    while let [rest @ .., b' ' | b'\t' | 0] = bytes {
        bytes = rest;
    }
    bytes
}

/// Appends the bytes that a text spells.
pub(crate) fn binary(
    spelling: BinarySpelling,
    text: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), FaultKind> {
    match spelling {
        BinarySpelling::Hex => parse::hex(text, out),
        BinarySpelling::Base64 => parse::base64(text, out),
    }
}

fn shape(spec: &FieldSpec, encode: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Shape, String> {
    let dates = |wanted| DateReader::new(&spec.spelling.date, wanted, encode);
    Ok(match &spec.data_type {
        DataType::Int8 => Shape::Int { min: i8::MIN.into(), max: i8::MAX.into() },
        DataType::Int16 => Shape::Int { min: i16::MIN.into(), max: i16::MAX.into() },
        DataType::Int32 => Shape::Int { min: i32::MIN.into(), max: i32::MAX.into() },
        DataType::Int64 => Shape::Int { min: i64::MIN, max: i64::MAX },
        DataType::UInt8 => Shape::UInt { max: u8::MAX.into() },
        DataType::UInt16 => Shape::UInt { max: u16::MAX.into() },
        DataType::UInt32 => Shape::UInt { max: u32::MAX.into() },
        DataType::UInt64 => Shape::UInt { max: u64::MAX },
        DataType::Decimal128(precision, scale) if (1..=38).contains(precision) => {
            Shape::Decimal { precision: *precision, scale: scale_of(*precision, *scale)? }
        }
        DataType::Decimal256(precision, scale) if (1..=76).contains(precision) => {
            Shape::Decimal256 { precision: *precision, scale: scale_of(*precision, *scale)? }
        }
        DataType::Float32 | DataType::Float64 => Shape::Float,
        DataType::Boolean => Shape::Boolean(BooleanReader::new(&spec.spelling.boolean, encode)?),
        DataType::Date32 => Shape::Date(dates(Wanted::Date)?),
        DataType::Time32(unit @ (TimeUnit::Second | TimeUnit::Millisecond))
        | DataType::Time64(unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => {
            Shape::Time { dates: dates(Wanted::Time)?, unit: *unit }
        }
        DataType::Timestamp(unit, zone) => {
            let offset = zone.as_deref().and_then(fixed_offset);
            let reader = dates(Wanted::Timestamp { zoned: zone.is_some() })?;
            if zone.is_some() && offset.is_none() && !reader.all_zoned() {
                return Err(
                    "values without a zone need a type with a fixed one: `timestamp(ms, +08:00)`"
                        .to_owned(),
                );
            }
            Shape::Timestamp { dates: reader, unit: *unit, zone: offset }
        }
        DataType::Utf8 => Shape::Text,
        DataType::Binary => Shape::Binary(spec.spelling.binary),
        other => return Err(format!("values of type {other} have no spelling as text")),
    })
}

fn scale_of(precision: u8, scale: i8) -> Result<u8, String> {
    u8::try_from(scale)
        .ok()
        .filter(|s| *s <= precision)
        .ok_or_else(|| format!("a decimal of {precision} digits cannot have the scale {scale}"))
}
