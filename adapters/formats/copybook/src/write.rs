//! One value into its field.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use fenhe_core::Fault;
use fenhe_text::{Align, Encoding, Unmappable};

use crate::columns::{Leaf, TextReader, Translation, Window, float, to_ascii};
use crate::copybook::Usage;
use crate::edit::edit;
use crate::error;
use crate::options::{CopybookOptions, NullFill, Trunc};
use crate::storage::Storage;
use crate::value::{Characters, integer, is_null, write};

/// Writes values of leaves into records.
#[derive(Debug)]
pub(crate) struct FieldWriter {
    pub(crate) options: CopybookOptions,
    pub(crate) page: Encoding,
    pub(crate) comma: bool,
    /// What translates a byte of text to ASCII.
    ascii: Option<Box<[u8; 256]>>,
}

/// A value as an array holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Absent,
    Number(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// The value of a row.
    pub(crate) fn of(array: &ArrayRef, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Absent;
        }
        match array.data_type() {
            DataType::Int32 => Self::Number(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Self::Number(array.as_primitive::<Int64Type>().value(row).into()),
            DataType::UInt64 => Self::Number(array.as_primitive::<UInt64Type>().value(row).into()),
            DataType::Decimal128(..) => {
                Self::Number(array.as_primitive::<Decimal128Type>().value(row))
            }
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>().value(row).into()),
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row).to_owned()),
            DataType::Binary => Self::Bytes(array.as_binary::<i32>().value(row).to_vec()),
            _ => Self::Absent,
        }
    }
}

impl FieldWriter {
    pub(crate) fn new(options: CopybookOptions, page: Encoding, comma: bool) -> Self {
        let ascii = to_ascii(page, options.low_values);
        Self { options, page, comma, ascii }
    }

    pub(crate) fn characters(&self) -> Characters {
        Characters::new(self.page, &self.options)
    }

    /// Whether the field has this value already.
    #[expect(clippy::cast_possible_truncation, reason = "four bytes hold no more than an f32")]
    pub(crate) fn has(&self, leaf: &Leaf, bytes: &[u8], cell: &Cell) -> bool {
        let Some(storage) = leaf.item.storage else { return true };
        match cell {
            Cell::Absent => match storage {
                Storage::Text | Storage::National | Storage::Dbcs => {
                    self.text(storage, bytes).is_none()
                }
                Storage::HexFloat | Storage::Float { .. } | Storage::Opaque => true,
                _ => {
                    is_null(bytes, &self.options.nulls, self.characters())
                        || integer(storage, bytes, self.characters()).is_err()
                }
            },
            Cell::Number(value) => {
                let read = integer(storage, bytes, self.characters());
                read.is_ok_and(|n| n.checked_mul(leaf.factor) == Some(*value))
            }
            Cell::Float(value) => float::read(storage, bytes).is_some_and(|f| {
                f.to_bits() == value.to_bits() || (bytes.len() == 4 && f as f32 == *value as f32)
            }),
            Cell::Text(text) => self.text(storage, bytes).as_deref() == Some(text),
            Cell::Bytes(value) => value == bytes,
        }
    }

    /// Writes the value; `Err` leaves the field in an unspecified state.
    pub(crate) fn put(&self, leaf: &Leaf, out: &mut [u8], cell: &Cell) -> Result<(), Fault> {
        let Some(storage) = leaf.item.storage else { return Ok(()) };
        match cell {
            Cell::Absent => self.put_absent(leaf, storage, out),
            Cell::Number(value) => self.put_number(leaf, storage, out, *value),
            Cell::Float(value) => match float::write(storage, *value, out) {
                true => Ok(()),
                false => Err(self.too_large(leaf)),
            },
            Cell::Text(text) => self.put_text(leaf, storage, out, text),
            Cell::Bytes(bytes) if bytes.len() == out.len() => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            Cell::Bytes(_) => Err(self.too_large(leaf)),
        }
    }

    fn put_absent(&self, leaf: &Leaf, storage: Storage, out: &mut [u8]) -> Result<(), Fault> {
        match storage {
            Storage::Text => out.fill(self.characters().blank()),
            Storage::National | Storage::Dbcs => return self.put_text(leaf, storage, out, ""),
            Storage::Opaque => out.fill(0),
            _ => match self.options.nulls.first() {
                Some(NullFill::Blank) => out.fill(self.characters().blank()),
                Some(NullFill::Low) => out.fill(0),
                Some(NullFill::High) => out.fill(0xFF),
                None => {
                    return Err(Fault::new(
                        error::MISSING,
                        leaf.path.clone(),
                        "a value (with nulls=blank, low or high an absent number is written as that filling)",
                        "none",
                    ));
                }
            },
        }
        Ok(())
    }

    fn put_number(
        &self,
        leaf: &Leaf,
        storage: Storage,
        out: &mut [u8],
        value: i128,
    ) -> Result<(), Fault> {
        if value % leaf.factor != 0 {
            return Err(self.too_large(leaf));
        }
        let value = value / leaf.factor;
        let item = &leaf.item;
        if value == 0 && item.blank_when_zero {
            out.fill(self.characters().blank());
            return Ok(());
        }
        let whole = self.options.trunc == Trunc::Bin
            || matches!(item.usage, Usage::Native | Usage::CompX | Usage::Index | Usage::Sized(..));
        let free = matches!(storage, Storage::Binary { .. }) && whole;
        let limit = 10u128.checked_pow(item.digits).unwrap_or(u128::MAX);
        if !free && value.unsigned_abs() >= limit {
            return Err(self.too_large(leaf));
        }
        let written = match storage {
            Storage::Edited { overpunched, .. } => self.put_edited(leaf, out, value, overpunched),
            _ => write(storage, value, out, self.characters()),
        };
        if written && integer(storage, out, self.characters()) == Ok(value) {
            Ok(())
        } else {
            Err(self.too_large(leaf))
        }
    }

    fn put_edited(&self, leaf: &Leaf, out: &mut [u8], value: i128, overpunched: bool) -> bool {
        let shown = if overpunched { value.abs() } else { value };
        let Some(text) = edit(&leaf.item.picture, shown, self.comma, leaf.item.scale) else {
            return false;
        };
        let Ok(bytes) = self.page.encode(&text) else { return false };
        if bytes.len() != out.len() {
            return false;
        }
        out.copy_from_slice(&bytes);
        if overpunched && let Some(last) = out.last_mut() {
            *last = self.characters().punch_over(*last, value < 0);
        }
        true
    }

    fn put_text(
        &self,
        leaf: &Leaf,
        storage: Storage,
        out: &mut [u8],
        text: &str,
    ) -> Result<(), Fault> {
        let align = if leaf.item.justified { Align::Right } else { Align::Left };
        let dbcs = storage == Storage::Dbcs && self.page.is_stateful();
        let encoding = if storage == Storage::National { Encoding::UTF_16BE } else { self.page };
        let mut bytes = Vec::with_capacity(out.len() + 2);
        let done = if dbcs {
            // Without the shift bytes: the field is filled up with full-width blanks.
            let wide = fenhe_text::to_full_width(text);
            let filled = format!("{wide:\u{3000}<width$}", width = out.len() / 2);
            encoding
                .encode_into(&filled, Unmappable::Reject, &mut bytes)
                .map(|_| ())
                .map_err(|e| e.to_string())
        } else {
            encoding
                .encode_field(text, out.len(), align, Unmappable::Reject, &mut bytes)
                .map(|_| ())
                .map_err(|e| e.to_string())
        };
        if dbcs && bytes.len() == out.len() + 2 {
            bytes = bytes.get(1..=out.len()).unwrap_or_default().to_vec();
        }
        match done {
            Ok(()) if bytes.len() == out.len() => {
                out.copy_from_slice(&bytes);
                Ok(())
            }
            Ok(()) => Err(self.too_large(leaf)),
            Err(found) => {
                let expected = format!("text of at most {} bytes in {encoding}", out.len());
                Err(Fault::new(error::TOO_LARGE, leaf.path.clone(), expected, found))
            }
        }
    }

    /// The text of a field as a reader gives it; `None` for bytes that are no text.
    fn text(&self, storage: Storage, bytes: &[u8]) -> Option<String> {
        let mut column =
            fenhe_kernels::StringColumn::new(&fenhe_kernels::Pools::default(), 1, bytes.len());
        let mut reader = TextReader::new(storage, self.page, &self.options);
        let translation = Translation::new(self.ascii.as_deref(), Vec::new());
        let window = Window { raw: bytes, translation: &translation };
        reader.append(&mut column, window, 0, bytes.len()).ok()?.ok()?;
        let array = column.finish();
        (!array.is_empty()).then(|| array.value(0).to_owned())
    }

    fn too_large(&self, leaf: &Leaf) -> Fault {
        let item = &leaf.item;
        let expected = if item.picture.is_empty() {
            format!("a value that fits {}", item.usage.name())
        } else {
            format!("a value that fits PIC {} {}", item.picture, item.usage.name())
        };
        Fault::new(error::TOO_LARGE, leaf.path.clone(), expected, "another value")
    }
}
