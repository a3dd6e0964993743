//! Type letters to Arrow types.

use arrow_schema::{DataType, TimeUnit};

use crate::header::Descriptor;
use crate::version::Dialect;

/// How the bytes of a field are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// C: padded text.
    Text,
    /// V: text with a length of its own.
    Varchar,
    /// Q: bytes with a length of their own.
    Varbinary,
    /// C and others as they stand.
    Bytes,
    /// N, F without decimals, up to 18 bytes.
    Integer,
    /// N, F.
    Decimal { precision: u8, scale: u8 },
    /// D.
    Date,
    /// L.
    Logical,
    /// M of text.
    Memo,
    /// G, P, W, B of dBASE, binary M.
    MemoBytes,
    /// B of Visual FoxPro.
    Double,
    /// O of dBASE 7.
    DoubleSeven,
    /// I of Visual FoxPro.
    Int32,
    /// I and + of dBASE 7.
    Int32Seven,
    /// Y.
    Currency,
    /// T, and @ of dBASE 7, which both count days and milliseconds.
    DateTime,
}

const BINARY: u8 = 0x04;

impl Shape {
    /// How a field is read; `None` for `_NullFlags`, which is no column.
    pub(crate) fn of(field: &Descriptor, dialect: Dialect) -> Option<Self> {
        let visual = dialect.is_visual();
        let binary = field.flags & BINARY != 0;
        let length = field.length;
        let pointer = length == 10 || (visual && length == 4);
        Some(match field.kind {
            b'0' => return None,
            b'C' if binary => Self::Bytes,
            b'C' => Self::Text,
            b'V' if visual && binary => Self::Varbinary,
            b'V' if visual => Self::Varchar,
            b'Q' if visual => Self::Varbinary,
            b'N' | b'F' => number(length, field.decimals),
            b'D' if length == 8 => Self::Date,
            b'L' if length == 1 => Self::Logical,
            b'M' if pointer && binary => Self::MemoBytes,
            b'M' if pointer => Self::Memo,
            b'B' if visual && length == 8 => Self::Double,
            b'B' | b'G' | b'P' | b'W' if pointer => Self::MemoBytes,
            b'I' | b'+' if dialect == Dialect::Dbase7 && length == 4 => Self::Int32Seven,
            b'I' | b'+' if length == 4 => Self::Int32,
            b'O' if length == 8 => Self::DoubleSeven,
            b'Y' if length == 8 => Self::Currency,
            b'T' | b'@' if length == 8 => Self::DateTime,
            // A letter that is not known, or with a length that it cannot have: the bytes, so that nothing is lost.
            _ => Self::Bytes,
        })
    }

    /// The type of the column.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Varchar | Self::Memo => DataType::Utf8,
            Self::Varbinary | Self::Bytes | Self::MemoBytes => DataType::Binary,
            Self::Integer => DataType::Int64,
            Self::Decimal { precision, scale } => {
                DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
            }
            Self::Date => DataType::Date32,
            Self::Logical => DataType::Boolean,
            Self::Double | Self::DoubleSeven => DataType::Float64,
            Self::Int32 | Self::Int32Seven => DataType::Int32,
            Self::Currency => DataType::Decimal128(19, 4),
            Self::DateTime => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }

    /// Whether the value stands in the memo file.
    pub(crate) fn is_memo(self) -> bool {
        matches!(self, Self::Memo | Self::MemoBytes)
    }
}

/// Whole numbers of up to 18 characters fit 64 bits; everything else is an exact decimal as wide as the field.
fn number(length: usize, decimals: u8) -> Shape {
    if decimals == 0 && length <= 18 {
        return Shape::Integer;
    }
    let scale = decimals.min(38);
    let width = u8::try_from(length.min(38)).unwrap_or(38);
    Shape::Decimal { precision: width.max(scale).max(1), scale }
}

/// The type as the dialect spells it: `C(10)`, `N(12,2)`, `D`.
pub(crate) fn native(field: &Descriptor) -> String {
    let letter = char::from(field.kind);
    let letter = if letter.is_ascii_graphic() { letter } else { '?' };
    match field.kind {
        b'N' | b'F' => format!("{letter}({},{})", field.length, field.decimals),
        b'C' | b'V' | b'Q' => format!("{letter}({})", field.length),
        _ => letter.to_string(),
    }
}
