//! One value to its place in a record: sign, padding, length.

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, FieldWriter, SignStyle, TextBlock, type_name};

use crate::encode::Counted;
use crate::error;
use crate::layout::{FieldLayout, Justify, Sign};
use crate::prepare::punch;

/// Writes one field.
#[derive(Debug)]
pub(crate) struct FieldPlace {
    column: Option<usize>,
    length: usize,
    name: String,
    sign: Sign,
    number: bool,
    justify: Justify,
    pad: Vec<u8>,
    /// ASCII to the code page, where digits are spelled otherwise.
    table: Option<Box<[u8; 256]>>,
    writer: FieldWriter,
}

impl FieldPlace {
    /// The place of a field for values of a column of that type (`None`: there is no column, nulls are written).
    pub(crate) fn new(
        counted: Counted,
        field: &FieldLayout,
        column: Option<usize>,
        data_type: Option<&DataType>,
    ) -> Result<Self> {
        let mut spec = field.spec.clone();
        if let Some(given) = data_type.filter(|t| **t != spec.data_type) {
            if spec.data_type != DataType::Utf8 {
                let name = |t: &DataType| type_name(t).unwrap_or_else(|| t.to_string());
                let message = format!(
                    "the column holds {}, the layout asks for {}",
                    name(given),
                    name(&spec.data_type)
                );
                return Err(Error::new(Kind::Config, "fixed.schema", message).at_field(&spec.name));
            }
            spec.data_type = given.clone();
        }
        let textual =
            matches!(spec.data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let number = spec.data_type.is_numeric();
        // Signs are put where the layout wants them when the length is known.
        spec.spelling.number.sign = SignStyle::Leading;
        let plain = counted.encoding.is_ascii_superset();
        let encoding = if textual || plain { counted.encoding } else { Encoding::US_ASCII };
        let writer = FieldWriter::new(&spec, encoding)?;
        let text_of_numbers = number && field.spec.data_type == DataType::Utf8;
        Ok(Self {
            column,
            length: field.length,
            name: spec.name,
            sign: field.sign,
            number,
            justify: if text_of_numbers { Justify::Right } else { field.justify },
            pad: counted
                .encoding
                .encode(&field.pad.to_string())
                .unwrap_or_else(|_| counted.encoding.blank().into()),
            table: (!textual && !plain).then(|| from_ascii(counted.encoding)),
            writer,
        })
    }

    /// Spells the values of some rows.
    pub(crate) fn write(
        &self,
        columns: &[ArrayRef],
        rows: Range<usize>,
        block: &mut TextBlock,
        faults: &mut FaultMask,
    ) -> Result<()> {
        match self.column.and_then(|c| columns.get(c)) {
            Some(array) => self.writer.write(array, rows, block, faults),
            None => Ok(()),
        }
    }

    /// What is wrong with the value of a row.
    pub(crate) fn explain(&self, columns: &[ArrayRef], row: usize) -> Option<Fault> {
        self.writer.explain(columns.get(self.column?)?, row)
    }

    /// Appends a spelled value, filled up to the length of the field.
    pub(crate) fn place(
        &self,
        counted: Counted,
        text: &[u8],
        null: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if null || self.column.is_none() {
            // A null number is blank: zeros would be a value.
            let blank = counted.encoding.blank();
            let pad = if self.number { blank } else { &self.pad };
            let text = self.translated(text.to_vec());
            return self.fill(counted, &text, pad, out);
        }
        if !self.number {
            return match &self.table {
                None => self.fill(counted, text, &self.pad, out),
                Some(_) => self.fill(counted, &self.translated(text.to_vec()), &self.pad, out),
            };
        }
        let (negative, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let plain = !negative && matches!(self.sign, Sign::Leading | Sign::Trailing | Sign::None);
        if plain && self.table.is_none() {
            return self.fill(counted, digits, &self.pad, out);
        }
        let signed = self.signed(negative, digits)?;
        self.fill(counted, &self.translated(signed), &self.pad, out)
    }

    /// The digits with their sign; filled up where the sign comes before the padding.
    fn signed(&self, negative: bool, digits: &[u8]) -> Result<Vec<u8>, Fault> {
        let zeros = self.pad == b"0";
        let sign = if negative { b'-' } else { b'+' };
        let mut out = Vec::with_capacity(self.length);
        let zeros_to = |width: usize, out: &mut Vec<u8>| {
            let left = width.saturating_sub(digits.len());
            out.extend(std::iter::repeat_n(b'0', left));
            out.extend_from_slice(digits);
        };
        match self.sign {
            Sign::None if negative => {
                let expected = format!("a number without a sign in {}", self.name);
                return Err(Fault::new(
                    "fixed.sign",
                    self.name.clone(),
                    expected,
                    "a negative number",
                ));
            }
            Sign::Leading if negative && zeros => {
                out.push(sign);
                zeros_to(self.length.saturating_sub(1), &mut out);
            }
            Sign::LeadingSeparate => {
                out.push(sign);
                zeros_to(self.length.saturating_sub(1), &mut out);
            }
            Sign::TrailingSeparate => {
                zeros_to(self.length.saturating_sub(1), &mut out);
                out.push(sign);
            }
            Sign::Trailing if negative => {
                out.extend_from_slice(digits);
                out.push(sign);
            }
            Sign::Leading if negative => {
                out.push(sign);
                out.extend_from_slice(digits);
            }
            Sign::Overpunch | Sign::OverpunchEbcdic => {
                zeros_to(self.length, &mut out);
                if let Some(last) = out.last_mut() {
                    *last = punch(self.sign, *last, negative);
                }
            }
            Sign::OverpunchLeading | Sign::OverpunchEbcdicLeading => {
                zeros_to(self.length, &mut out);
                if let Some(first) = out.first_mut() {
                    *first = punch(self.sign, *first, negative);
                }
            }
            Sign::Leading | Sign::Trailing | Sign::None => out.extend_from_slice(digits),
        }
        Ok(out)
    }

    fn fill(
        &self,
        counted: Counted,
        text: &[u8],
        pad: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let length = counted.length(text);
        let Some(left) = self.length.checked_sub(length) else {
            let unit = if counted.characters { "characters" } else { "bytes" };
            let expected = format!("at most {} {unit}", self.length);
            return Err(Fault::new(
                error::TOO_LONG,
                self.name.clone(),
                expected,
                format!("{length} {unit}"),
            ));
        };
        match self.justify {
            Justify::Left => {
                out.extend_from_slice(text);
                counted.fill(left, pad, out);
            }
            Justify::Right => {
                counted.fill(left, pad, out);
                out.extend_from_slice(text);
            }
        }
        Ok(())
    }

    fn translated(&self, mut text: Vec<u8>) -> Vec<u8> {
        if let Some(table) = &self.table {
            text.iter_mut().for_each(|b| *b = table.get(usize::from(*b)).copied().unwrap_or(*b));
        }
        text
    }
}

/// ASCII in a code page of one byte a character, or of single bytes outside shifts.
fn from_ascii(encoding: Encoding) -> Box<[u8; 256]> {
    let mut table = Box::new([0; 256]);
    for (byte, slot) in (0..0x80_u8).zip(table.iter_mut()) {
        if let Ok(code) = encoding.encode(char::from(byte).encode_utf8(&mut [0; 4]))
            && let [one] = code[..]
        {
            *slot = one;
        }
    }
    table
}
