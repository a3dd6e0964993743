//! What can be done with a value on its way from a column to a field.

mod unit;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use unit::Unit;

/// One step: an operation, and what becomes of a value that it cannot take.
///
/// As data it is a word (`"trim"`), or a table whose first key is the word (`{ split = "-", part = 2 }`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub operation: Operation,
    /// What becomes of a value that the operation cannot take.
    pub otherwise: Otherwise,
}

/// What becomes of a value that a step cannot take. An absent value is passed on as absent by every step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Its row is rejected.
    #[default]
    Reject,
    /// It is taken away; how often is counted.
    Null,
    /// It stays as it is; how often is counted. Only where text remains text.
    Keep,
    /// This stands in its place; how often is counted.
    Value(String),
}

/// The operations. `docs/mapping.md` has an example of each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Blanks at the ends go: U+0020, U+3000, U+00A0, tabs, line ends, NUL.
    Trim(Side),
    /// Full-width letters, digits, signs and blanks become ASCII.
    HalfWidth,
    /// ASCII becomes full-width.
    FullWidth,
    /// Small letters become capitals.
    Upper,
    /// Capitals become small letters.
    Lower,
    /// Blank text and these words become absent.
    Absent(Vec<String>),
    /// Every occurrence of one text becomes another.
    Replace {
        /// What is looked for.
        text: String,
        /// What stands there afterwards.
        with: String,
    },
    /// The whole text must match a regular expression.
    Match(String),
    /// What the first group of a regular expression matches, or the whole match if it has none.
    Extract(String),
    /// One part of a text with separators.
    Split {
        /// The separator.
        by: String,
        /// Which part: 1 is the first, -1 the last.
        part: i32,
    },
    /// The characters from one to another, counted from 1, both included.
    Cut {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// Several columns as one text; absent and blank ones are left out. The first step of a field with several columns.
    Join(String),
    /// The first of several columns that has a value. The first step of a field with several columns.
    First,
    /// A date in one of these spellings.
    Date {
        /// The spellings, tried in order.
        spellings: Vec<Spelling>,
        /// Two-digit years below it are 20YY, the others 19YY.
        pivot: Option<u8>,
    },
    /// An amount from one unit to another, exactly.
    Unit {
        /// The unit at the source.
        from: Unit,
        /// The unit at the target.
        to: Unit,
    },
    /// A number times an exact decimal.
    Scale(String),
    /// A code by a table.
    Code(Codes),
    /// A value by the rows of another dataset.
    Lookup {
        /// Place of the dataset.
        place: String,
        /// Its column that is compared.
        by: String,
        /// Its column that is given.
        give: String,
    },
    /// An identifier without blanks and hyphens, in half width and capitals.
    PlainId,
    /// A citizen number of 15 digits becomes one of 18 characters (GB 11643-1999).
    UpgradeId {
        /// Whether sequences 996 to 999, which leave the century open, get the century 19 as well.
        assume_century: bool,
    },
    /// What the number of a person says about its bearer.
    Derive(Derived),
    /// Characters become stars.
    Mask(Mask),
    /// A keyed hash (HMAC, RFC 2104), in hexadecimal digits: the same value gives the same text, and nobody without
    /// the key finds the value.
    Hash {
        /// The hash function.
        algorithm: Algorithm,
        /// Where the key is: `env:NAME` or `file:PATH`. The key itself is never in a mapping.
        key: String,
    },
}

/// The ends of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the text.
    Start,
    /// Behind the text.
    End,
    /// Both.
    #[default]
    Both,
}

/// A spelling of dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// The spellings without doubt: `20260102`, `2026-1-2`, `2026.01.02`, `2026/1/2`, `2026年1月2日`.
    Usual,
    /// Days as spreadsheets count them from 1900 (`46024` is 2026-01-02).
    Excel,
    /// A pattern of `fenhe-values`, such as `YYYY年M月D日` or `YYMMDD`.
    Pattern(String),
}

/// Where codes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Pairs of what is met and what it becomes.
    Pairs(BTreeMap<String, String>),
    /// A code table by its name: titles and their other spellings become codes, codes stay.
    Table(String),
    /// A code table by its name: codes become titles, titles stay.
    Titles(String),
}

/// What the number of a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Derived {
    /// The birth date.
    BirthDate,
    /// The sex as GB/T 2261.1 has it: `1` or `2`.
    Sex,
    /// The region at the time of issue, six digits.
    Region,
}

/// Which characters stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// The surname: `张*`, `欧阳**`.
    Name,
    /// The first six and the last four of an identity number: `110101********0014`.
    Id,
    /// The first three and the last four of a mobile number: `138****0000`; of others the last four.
    Phone,
    /// The last four.
    BankCard,
    /// The address down to the township.
    Address,
    /// So many at the start and at the end.
    Keep(u32, u32),
}

/// A hash function for [`Operation::Hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4).
    #[serde(rename = "hmac-sha256")]
    Sha256,
    /// SM3 (GB/T 32905-2016).
    #[serde(rename = "hmac-sm3")]
    Sm3,
}

impl Step {
    /// A step that rejects what it cannot take.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        Self { operation, otherwise: Otherwise::Reject }
    }

    /// Whether it makes one value of several columns.
    #[must_use]
    pub fn combines(&self) -> bool {
        matches!(self.operation, Operation::Join(_) | Operation::First)
    }
}
