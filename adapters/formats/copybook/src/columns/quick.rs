//! Whole blocks of numbers: one loop a column, no branch a value, straight into the column's memory.

use fenhe_kernels::swar::{
    Number, ascii_digits, bcd, packed, packed_wide, zoned, zoned_signed, zoned_signed_wide,
    zoned_wide,
};
use fenhe_kernels::{PrimitiveColumn, column::ColumnElement};

use super::{Leaf, MISSING, Places, Values};
use crate::storage::{Storage, ZonedSign};

impl Leaf {
    /// Decodes the block by the kernel of this length; false when any value is bad (nothing is appended then).
    pub(super) fn append_quickly(&mut self, raw: &[u8], places: Places<'_>) -> bool {
        if let Places::Listed { starts, limits } = places {
            let length = self.length as u64;
            let cut =
                |(s, l): (&u32, &u32)| *s == MISSING || u64::from(*s) + length > u64::from(*l);
            // What is missing is looked at one by one.
            if starts.iter().zip(limits).any(cut) {
                return false;
            }
        }
        // Fillings that mean "absent" are numbers as well in these.
        let filled = matches!(self.storage, Storage::Binary { .. } | Storage::PackedUnsigned);
        if self.factor != 1 || (filled && !self.rules.nulls.is_empty()) {
            return false;
        }
        let block = Block {
            raw,
            places,
            length: self.length,
            ebcdic: self.rules.characters.ebcdic,
            most: self.most,
        };
        match &mut self.values {
            Values::I32(column) => block.narrow(self.storage, column),
            Values::I64(column) => block.narrow(self.storage, column),
            Values::U64(column) => block.narrow(self.storage, column),
            Values::Decimal(column, _) => {
                block.narrow(self.storage, column) || block.wide(self.storage, column)
            }
            _ => false,
        }
    }
}

const TOP_BIT: u64 = 1 << 63;

/// An element of a column of whole numbers.
trait Element: ColumnElement {
    /// The element, and not 0 when it is not the value or beyond `most`.
    fn of(value: i64, most: u64) -> (Self, u64);

    /// The same for a value without sign. What has the top bit set is looked at again.
    #[inline(always)]
    fn of_unsigned(value: u64, most: u64) -> (Self, u64) {
        let (element, beyond) = Self::of(value.cast_signed(), most);
        (element, beyond | value & TOP_BIT)
    }
}

impl Element for i32 {
    #[inline(always)]
    fn of(value: i64, _most: u64) -> (Self, u64) {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut is not the value")]
        let narrow = value as Self;
        (narrow, (i64::from(narrow) ^ value).cast_unsigned())
    }
}

impl Element for i64 {
    #[inline(always)]
    fn of(value: i64, _most: u64) -> (Self, u64) {
        (value, 0)
    }
}

/// Only binary items of 5 to 8 bytes without sign are stored so.
impl Element for u64 {
    #[inline(always)]
    fn of(value: i64, _most: u64) -> (Self, u64) {
        (value.cast_unsigned(), value.cast_unsigned() & TOP_BIT)
    }

    #[inline(always)]
    fn of_unsigned(value: u64, _most: u64) -> (Self, u64) {
        (value, 0)
    }
}

impl Element for i128 {
    #[inline(always)]
    fn of(value: i64, most: u64) -> (Self, u64) {
        // Below zero, with the top bit set, when the value is larger.
        (Self::from(value), most.wrapping_sub(value.unsigned_abs()) >> 63)
    }
}

/// The values of a column in a block of records.
#[derive(Clone, Copy)]
struct Block<'a> {
    raw: &'a [u8],
    places: Places<'a>,
    length: usize,
    ebcdic: bool,
    most: i128,
}

/// Runs `$kernel` on fields of the length that is known only now; false when there is no kernel for it.
macro_rules! by_length {
    ($block:ident, $column:ident, $kernel:expr, $($n:literal)*) => {
        match $block.length {
            $($n => $block.fill::<$n, _>($column, $kernel),)*
            _ => false,
        }
    };
}

impl Block<'_> {
    /// Numbers of up to 64 bits.
    fn narrow<T: Element>(self, storage: Storage, column: &mut PrimitiveColumn<T>) -> bool {
        let most = u64::try_from(self.most).unwrap_or(u64::MAX).min(i64::MAX.cast_unsigned());
        macro_rules! value {
            ($kernel:ident) => {
                |field| {
                    let Number { value, errors } = $kernel(field);
                    let (element, beyond) = T::of(value, most);
                    (element, errors | beyond)
                }
            };
        }
        // Unsigned kernels give at most 16 digits.
        macro_rules! unsigned {
            ($kernel:ident) => {
                |field| {
                    let Number { value, errors } = $kernel(field);
                    let (element, beyond) = T::of(value.cast_signed(), most);
                    (element, errors | beyond)
                }
            };
        }
        match storage {
            Storage::Zoned(ZonedSign::None) if self.ebcdic => {
                by_length!(self, column, value!(zoned), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
            }
            Storage::Zoned(ZonedSign::Trailing) if self.ebcdic => {
                by_length!(self, column, value!(zoned_signed), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
            }
            Storage::Zoned(ZonedSign::None) => {
                by_length!(self, column, unsigned!(ascii_digits), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
            }
            Storage::Packed { signed } => {
                // A number without sign that has one is looked at again.
                let refused = if signed { 0 } else { 1 << 63 };
                macro_rules! kernel {
                    () => {
                        |field| {
                            let Number { value, errors } = packed(field);
                            let (element, beyond) = T::of(value, most);
                            (element, errors | beyond | value.cast_unsigned() & refused)
                        }
                    };
                }
                by_length!(self, column, kernel!(), 1 2 3 4 5 6 7 8)
            }
            Storage::PackedUnsigned => by_length!(self, column, unsigned!(bcd), 1 2 3 4 5 6 7 8),
            Storage::Binary { signed, big } => self.binary(signed, big, column, most),
            _ => false,
        }
    }

    fn binary<T: Element>(
        self,
        signed: bool,
        big: bool,
        column: &mut PrimitiveColumn<T>,
        most: u64,
    ) -> bool {
        macro_rules! kernel {
            ($n:literal, $type:ty, $read:ident) => {
                self.fill::<$n, _>(column, |field| T::of(<$type>::$read(*field).into(), most))
            };
            (unsigned $read:ident) => {
                self.fill::<8, _>(column, |field| T::of_unsigned(u64::$read(*field), most))
            };
        }
        match (self.length, signed, big) {
            (1, true, _) => kernel!(1, i8, from_be_bytes),
            (1, false, _) => kernel!(1, u8, from_be_bytes),
            (2, true, true) => kernel!(2, i16, from_be_bytes),
            (2, true, false) => kernel!(2, i16, from_le_bytes),
            (2, false, true) => kernel!(2, u16, from_be_bytes),
            (2, false, false) => kernel!(2, u16, from_le_bytes),
            (4, true, true) => kernel!(4, i32, from_be_bytes),
            (4, true, false) => kernel!(4, i32, from_le_bytes),
            (4, false, true) => kernel!(4, u32, from_be_bytes),
            (4, false, false) => kernel!(4, u32, from_le_bytes),
            (8, true, true) => kernel!(8, i64, from_be_bytes),
            (8, true, false) => kernel!(8, i64, from_le_bytes),
            (8, false, true) => kernel!(unsigned from_be_bytes),
            (8, false, false) => kernel!(unsigned from_le_bytes),
            _ => false,
        }
    }

    /// Numbers of 16 digits and more.
    fn wide(self, storage: Storage, column: &mut PrimitiveColumn<i128>) -> bool {
        let most = self.most.unsigned_abs();
        macro_rules! value {
            ($kernel:ident, $signed:expr) => {
                |field| {
                    let Number { value, errors } = $kernel(field);
                    let wrong = value.unsigned_abs() > most || (value < 0 && !$signed);
                    (value, errors | u64::from(wrong))
                }
            };
        }
        match storage {
            Storage::Zoned(ZonedSign::None) if self.ebcdic => {
                by_length!(self, column, value!(zoned_wide, true), 19 20 21 22 23 24 25 26 27 28 29 30 31)
            }
            Storage::Zoned(ZonedSign::Trailing) if self.ebcdic => {
                by_length!(self, column, value!(zoned_signed_wide, true), 19 20 21 22 23 24 25 26 27 28 29 30 31)
            }
            Storage::Packed { signed } => {
                by_length!(self, column, value!(packed_wide, signed), 9 10 11 12 13 14 15 16)
            }
            _ => false,
        }
    }

    /// Appends the number of each field; false, and nothing is appended, when one is bad or outside of the window.
    #[inline(always)]
    fn fill<const N: usize, T: Element>(
        self,
        column: &mut PrimitiveColumn<T>,
        kernel: impl Fn(&[u8; N]) -> (T, u64),
    ) -> bool {
        let before = column.len();
        let mut errors = 0;
        let mut number = |field: Option<&[u8; N]>| {
            let (value, wrong) = field.map_or((T::default(), 1), &kernel);
            errors |= wrong;
            value
        };
        let added = match self.places {
            Places::Even { first, stride, rows } => {
                let rest = self.raw.get(first..).unwrap_or_default();
                let fields = rest.chunks(stride.max(1)).take(rows);
                column.append_all(fields.map(|field| number(field.first_chunk())))
            }
            Places::Listed { starts, .. } => {
                let at = |start: &u32| self.raw.get(*start as usize..)?.first_chunk();
                column.append_all(starts.iter().map(|start| number(at(start))))
            }
        };
        let good = errors == 0 && added == self.places.rows();
        if !good {
            column.truncate(before);
        }
        good
    }
}
