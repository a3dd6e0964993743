//! Why a field could not be read or written.

use std::fmt;

/// What is wrong with one value. Small enough to travel in a register; the sentence for people is made later by
/// [`explain`](crate::FieldReader::explain), in the cold path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum FaultKind {
    /// The bytes are not a number in the declared spelling.
    NotANumber,
    /// A number, but outside what the type can hold.
    OutOfRange,
    /// More digits after the decimal mark than the scale allows, and they are not all zero.
    TooManyFractionDigits,
    /// The bytes do not fit any declared date or time pattern.
    NotADate,
    /// The spelling is right but there is no such day or time (31 April, 25 o'clock).
    NoSuchDate,
    /// The date cannot be spelled by the declared pattern (a year outside the two-digit window, a lost time of day).
    NotInPattern,
    /// None of the declared spellings of true and false.
    NotABoolean,
    /// Not hexadecimal or base64 as declared.
    NotBinary,
    /// Characters that the character set does not have.
    BadCharacters,
    /// A null where the field is required.
    NullNotAllowed,
    /// The record has no such field.
    Missing,
    /// The value is spelled like a null and would be read back as one.
    LooksLikeNull,
    /// The column has reached the size its offsets can address; the batch must be finished.
    ColumnFull,
}

impl FaultKind {
    /// The stable code, the same for every format.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotANumber => "value.not_a_number",
            Self::OutOfRange => "value.out_of_range",
            Self::TooManyFractionDigits => "value.too_many_fraction_digits",
            Self::NotADate => "value.not_a_date",
            Self::NoSuchDate => "value.no_such_date",
            Self::NotInPattern => "value.not_in_pattern",
            Self::NotABoolean => "value.not_a_boolean",
            Self::NotBinary => "value.not_binary",
            Self::BadCharacters => "value.bad_characters",
            Self::NullNotAllowed => "value.null_not_allowed",
            Self::Missing => "value.missing",
            Self::LooksLikeNull => "value.looks_like_null",
            Self::ColumnFull => "value.column_full",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a number in the declared spelling",
            Self::OutOfRange => "a number outside the range of the type",
            Self::TooManyFractionDigits => "more digits after the decimal mark than the scale",
            Self::NotADate => "not spelled like the declared date or time",
            Self::NoSuchDate => "no such day or time",
            Self::NotInPattern => "a date or time that the pattern cannot spell",
            Self::NotABoolean => "neither a declared spelling of true nor of false",
            Self::NotBinary => "not binary data in the declared spelling",
            Self::BadCharacters => "characters that the character set does not have",
            Self::NullNotAllowed => "no value",
            Self::Missing => "no such field in the record",
            Self::LooksLikeNull => "a value whose spelling means null",
            Self::ColumnFull => "a column of 2 GiB; use smaller batches",
        })
    }
}

impl std::error::Error for FaultKind {}

/// What a decoder says at the end about values that the policy bore; nothing when there are none.
///
/// It begins with the number, so that the notes of parts of one stream add up.
#[must_use]
pub fn note_of_forgiven(values: u64) -> Option<String> {
    (values > 0).then(|| format!("{values} values could not be read and were replaced or left out"))
}

/// The rows of a block whose values failed, one bit a row, and how many values failed that the policy bears. Reused from
/// block to block.
#[derive(Clone, Debug, Default)]
pub struct FaultMask {
    words: Vec<u64>,
    rows: usize,
    any: bool,
    forgiven: u64,
}

impl FaultMask {
    /// A mask for no rows; call [`reset`](Self::reset) for each block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all faults and makes room for `rows` rows.
    pub fn reset(&mut self, rows: usize) {
        self.words.clear();
        self.words.resize(rows.div_ceil(64), 0);
        self.rows = rows;
        self.any = false;
        self.forgiven = 0;
    }

    /// Marks a row. Rows outside the block are ignored.
    #[cold]
    pub fn set(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64).filter(|_| row < self.rows) {
            *word |= 1 << (row % 64);
            self.any = true;
        }
    }

    /// Counts a value that could not be read and was replaced or left out, as the policy for it says.
    #[cold]
    pub fn forgive(&mut self) {
        self.forgiven += 1;
    }

    /// How many values could not be read and were replaced or left out. A block with faults is appended twice: this is the
    /// number for the rows that stayed only once that is done.
    #[must_use]
    pub fn forgiven(&self) -> u64 {
        self.forgiven
    }

    /// Sets what was counted: from the second pass over a block, which has a mask of its own.
    pub fn set_forgiven(&mut self, values: u64) {
        self.forgiven = values;
    }

    /// Whether the row is marked.
    #[must_use]
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    /// Whether any row is marked: the one question of the good path.
    #[must_use]
    pub fn any(&self) -> bool {
        self.any
    }

    /// How many rows the block has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many rows are marked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The marked rows in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows).filter(|&row| self.contains(row))
    }
}
