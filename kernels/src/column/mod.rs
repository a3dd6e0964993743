//! Arrow column builders for decoders: cheap per value, recycled memory, and rows that can be taken back.
//!
//! All of them share the same verbs: `append…` adds a row, `append_null` adds an absent one, `truncate(rows)` takes rows
//! back (a rejected record), `finish` makes the array and leaves the builder empty, with memory as large as the last batch.

mod binary;
mod bits;
mod boolean;
mod primitive;
mod string;

use std::error::Error;
use std::fmt;

use arrow_schema::DataType;

pub use binary::BinaryColumn;
pub use boolean::BooleanColumn;
pub use primitive::{ColumnElement, PrimitiveColumn};
pub use string::StringColumn;

/// The column holds as many bytes as 32-bit offsets can address; finish the batch and go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the column has reached 2 GiB, the most that 32-bit offsets can address; use smaller batches")
    }
}

impl Error for Full {}

/// Why a value was not appended. The column is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The value has bytes that its encoding does not have, first at this position of the value.
    Invalid {
        /// Byte position within the value.
        at: usize,
    },
    /// See [`Full`].
    Full,
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { at } => write!(
                f,
                "bytes that are not text of the declared encoding, at byte {at} of the value"
            ),
            Self::Full => Full.fmt(f),
        }
    }
}

impl Error for AppendError {}

impl From<Full> for AppendError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// The Arrow type asked for is not stored as the column's element type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongType {
    /// The type asked for.
    pub asked: DataType,
    /// The element type of the column.
    pub element: &'static str,
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a column of {} cannot become an array of {}", self.element, self.asked)
    }
}

impl Error for WrongType {}
