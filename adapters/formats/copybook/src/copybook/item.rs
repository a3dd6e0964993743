//! Data description entries.

use super::picture::Picture;

/// One entry with the entries below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Level number, 1 to 49 or 77.
    pub level: u8,
    /// Name as written; `None` for FILLER and for entries without a name.
    pub name: Option<String>,
    /// Line in the copybook, from 1.
    pub line: u32,
    /// Column in the copybook, from 1.
    pub column: u32,
    /// PICTURE clause.
    pub picture: Option<Picture>,
    /// USAGE, own or taken over from the group.
    pub usage: Usage,
    /// SIGN clause, own or taken over from the group.
    pub sign: Option<SignClause>,
    /// OCCURS clause.
    pub occurs: Option<OccursClause>,
    /// REDEFINES clause.
    pub redefines: Option<String>,
    /// SYNCHRONIZED.
    pub sync: bool,
    /// JUSTIFIED RIGHT.
    pub justified: bool,
    /// BLANK WHEN ZERO.
    pub blank_when_zero: bool,
    /// Level 88 entries.
    pub conditions: Vec<Condition>,
    /// Level 66 entries of the record (only at level 01).
    pub renames: Vec<Renames>,
    /// Entries below, for groups.
    pub children: Vec<Item>,
}

/// USAGE clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// Characters.
    #[default]
    Display,
    /// COMP, COMP-4, BINARY: big-endian two's complement.
    Binary,
    /// COMP-5: in the byte order of the machine.
    Native,
    /// COMP-X: big-endian without sign, the fewest bytes.
    CompX,
    /// COMP-9: little-endian two's complement.
    LittleEndian,
    /// BINARY-CHAR, -SHORT, -LONG, -DOUBLE: this many bytes, in the byte order of the machine.
    Sized(u8, bool),
    /// COMP-1.
    Float,
    /// COMP-2.
    Double,
    /// COMP-3, PACKED-DECIMAL.
    Packed,
    /// COMP-6: packed decimal without a sign.
    PackedUnsigned,
    /// INDEX.
    Index,
    /// POINTER, FUNCTION-POINTER, PROCEDURE-POINTER, OBJECT REFERENCE.
    Pointer,
    /// NATIONAL: UTF-16.
    National,
    /// DISPLAY-1: double-byte characters.
    Display1,
}

impl Usage {
    /// The usual spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Display => "DISPLAY",
            Self::Binary => "COMP",
            Self::Native => "COMP-5",
            Self::CompX => "COMP-X",
            Self::LittleEndian => "COMP-9",
            Self::Sized(1, _) => "BINARY-CHAR",
            Self::Sized(2, _) => "BINARY-SHORT",
            Self::Sized(4, _) => "BINARY-LONG",
            Self::Sized(..) => "BINARY-DOUBLE",
            Self::Float => "COMP-1",
            Self::Double => "COMP-2",
            Self::Packed => "COMP-3",
            Self::PackedUnsigned => "COMP-6",
            Self::Index => "INDEX",
            Self::Pointer => "POINTER",
            Self::National => "NATIONAL",
            Self::Display1 => "DISPLAY-1",
        }
    }
}

/// SIGN clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignClause {
    /// LEADING (else TRAILING).
    pub leading: bool,
    /// SEPARATE CHARACTER.
    pub separate: bool,
}

/// OCCURS clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OccursClause {
    /// Fewest occurrences.
    pub min: u32,
    /// Most occurrences.
    pub max: u32,
    /// The counter, with its qualifiers (`A OF B` is `[A, B]`).
    pub depending: Option<Vec<String>>,
}

/// A level 88 entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Condition-name.
    pub name: String,
    /// Values, each alone or as a range.
    pub values: Vec<(Value, Option<Value>)>,
}

/// A literal of a VALUE clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Characters.
    Text(String),
    /// A number as written.
    Number(String),
    /// Bytes.
    Hex(Vec<u8>),
    /// A figurative constant.
    Figurative(Figurative),
    /// `ALL` with characters.
    All(String),
}

/// A figurative constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figurative {
    /// ZERO.
    Zero,
    /// SPACE.
    Space,
    /// LOW-VALUE.
    LowValue,
    /// HIGH-VALUE.
    HighValue,
    /// QUOTE.
    Quote,
    /// NULL.
    Null,
}

/// A level 66 entry: another name for a run of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renames {
    /// The new name.
    pub name: String,
    /// First item.
    pub from: String,
    /// Last item, for THRU.
    pub thru: Option<String>,
    /// Line in the copybook.
    pub line: u32,
    /// Column in the copybook.
    pub column: u32,
}
