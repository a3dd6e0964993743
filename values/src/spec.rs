//! What a field is and how its values are spelled.

use arrow_schema::DataType;
use fenhe_text::Invalid;

/// One field: its name, its Arrow type, whether it may be null, and how its values are spelled.
///
/// ```
/// use arrow_schema::DataType;
/// use fenhe_values::FieldSpec;
/// let mut amount = FieldSpec::new("amount", DataType::Decimal128(14, 2));
/// amount.spelling.number.thousands = Some(',');
/// amount.nullable = false;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSpec {
    /// The name, as in the Arrow schema.
    pub name: String,
    /// The Arrow type.
    pub data_type: DataType,
    /// Whether a null is allowed; a null in a required field is a fault.
    pub nullable: bool,
    /// How values are spelled.
    pub spelling: Spelling,
}

impl FieldSpec {
    /// A nullable field with the plain spelling.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, nullable: true, spelling: Spelling::default() }
    }

    /// The same field with its values spelled otherwise.
    #[must_use]
    pub fn spelled(mut self, spelling: Spelling) -> Self {
        self.spelling = spelling;
        self
    }

    /// The same field, required or not.
    #[must_use]
    pub fn required(mut self, required: bool) -> Self {
        self.nullable = !required;
        self
    }
}

/// How the values of a field are spelled. The default is the plain spelling: `-12.50`, `2026-01-02`, `true`, empty for null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// Which blanks around a text are not part of it. Numbers, dates and booleans may always have blanks around them.
    pub trim: Trim,
    /// Spellings of null, compared after trimming; the first one is written. Default: only the empty field.
    pub nulls: Vec<String>,
    /// Numbers.
    pub number: NumberSpelling,
    /// Dates, times and timestamps.
    pub date: DateSpelling,
    /// Truth values.
    pub boolean: BooleanSpelling,
    /// Bytes.
    pub binary: BinarySpelling,
    /// What becomes of characters and values that cannot be read. [`Invalid::Replace`] concerns characters only; values that
    /// are no number or date are still rejected under it.
    pub invalid: Invalid,
}

impl Default for Spelling {
    fn default() -> Self {
        Self {
            trim: Trim::NONE,
            nulls: vec![String::new()],
            number: NumberSpelling::default(),
            date: DateSpelling::default(),
            boolean: BooleanSpelling::default(),
            binary: BinarySpelling::default(),
            invalid: Invalid::Reject,
        }
    }
}

/// Which blanks around a text are not part of it. A blank is the byte 0x20, which is no part of a longer character in any
/// supported code page, so trimming is safe before decoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Blanks before the text.
    pub start: bool,
    /// Blanks after the text.
    pub end: bool,
    /// NUL bytes count as blanks (some writers pad with them).
    pub nul: bool,
}

impl Trim {
    /// Everything belongs to the text.
    pub const NONE: Self = Self { start: false, end: false, nul: false };
    /// Blanks before the text do not belong to it.
    pub const START: Self = Self { start: true, end: false, nul: false };
    /// Blanks after the text do not belong to it: the rule of fixed-width fields.
    pub const END: Self = Self { start: false, end: true, nul: false };
    /// Blanks on both sides do not belong to the text.
    pub const BOTH: Self = Self { start: true, end: true, nul: false };

    /// Reads `none`, `left`, `right` or `both`, the words of the `trim` option.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "none" | "false" => Self::NONE,
            "left" => Self::START,
            "right" => Self::END,
            "both" | "true" => Self::BOTH,
            _ => return None,
        })
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match (self.start, self.end) {
            (false, false) => "none",
            (true, false) => "left",
            (false, true) => "right",
            (true, true) => "both",
        }
    }

    /// The bytes without the blanks this policy takes away.
    #[must_use]
    #[inline]
    pub fn apply(self, mut bytes: &[u8]) -> &[u8] {
        if self.end {
            bytes = trim_end(bytes, self.nul);
        }
        if self.start {
            while let [b' ' | 0, rest @ ..] = bytes {
                if bytes.first() == Some(&0) && !self.nul {
                    break;
                }
                bytes = rest;
            }
        }
        bytes
    }
}

/// How numbers are spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberSpelling {
    /// The decimal mark, `.` or `,`.
    pub decimal_mark: char,
    /// The mark between groups of three digits: `,` `.` space, U+00A0, U+202F or `'`. Groups are checked when present; values without groups are read
    /// as well; values are written with groups.
    pub thousands: Option<char>,
    /// So many of the last digits follow a decimal mark that is not written (`12345` is 123.45 when 2).
    pub implied: Option<u8>,
    /// Where the sign stands.
    pub sign: SignStyle,
    /// Positive numbers are written with `+`. It may always be read where a sign may stand.
    pub plus: bool,
    /// Full-width digits and signs (`１２．５`) are read as well.
    pub full_width: bool,
    /// A `%` follows and the value is the hundredth part; required when set, refused otherwise.
    pub percent: bool,
    /// Currency signs or words that may stand before the number (`¥`, `$`, `CNY`); the first one is written.
    pub prefixes: Vec<String>,
    /// Units that may follow the number (`元`); the first one is written.
    pub suffixes: Vec<String>,
}

impl NumberSpelling {
    /// Whether only the plain spelling (`-12.50`) is possible: then nothing has to be rewritten before the digits are read.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for NumberSpelling {
    fn default() -> Self {
        Self {
            decimal_mark: '.',
            thousands: None,
            implied: None,
            sign: SignStyle::Leading,
            plus: false,
            full_width: false,
            percent: false,
            prefixes: Vec::new(),
            suffixes: Vec::new(),
        }
    }
}

/// Where the sign of a number stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignStyle {
    /// `-12`, `+12`, `12`.
    #[default]
    Leading,
    /// `12-`, `12+`, `12`.
    Trailing,
    /// `(12)` is minus twelve; `-12` is read as well.
    Parentheses,
    /// `12CR` is minus twelve, `12DB`, `12DR` and `12` are plus twelve (account statements).
    Credit,
    /// `12CR` and `12DB` are both minus twelve, as the edited pictures of COBOL print them; `12CR` is written.
    CreditOrDebit,
}

impl SignStyle {
    /// Reads the word of the schema file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, s)| *s)
    }

    /// The word of the schema file.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, s)| *s == self).map_or("leading", |(w, _)| w)
    }

    const ALL: [(&'static str, Self); 5] = [
        ("leading", Self::Leading),
        ("trailing", Self::Trailing),
        ("parentheses", Self::Parentheses),
        ("credit", Self::Credit),
        ("credit_or_debit", Self::CreditOrDebit),
    ];
}

/// How dates, times and timestamps are spelled. See [`Pattern`](crate::Pattern) for the language of the patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateSpelling {
    /// Patterns, tried in order; the first one is written. Empty: ISO 8601 for the type.
    pub patterns: Vec<String>,
    /// Two-digit years below the pivot are 20YY, the others 19YY. Default 69, the rule of POSIX `strptime`.
    pub pivot: u8,
    /// Fields of nothing but zeros and separators (`00000000`, `0000-00-00`) are null.
    pub zero_is_null: bool,
}

impl Default for DateSpelling {
    fn default() -> Self {
        Self { patterns: Vec::new(), pivot: 69, zero_is_null: false }
    }
}

/// How truth values are spelled. ASCII letters match in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BooleanSpelling {
    /// Spellings of true; the first one is written.
    pub yes: Vec<String>,
    /// Spellings of false; the first one is written.
    pub no: Vec<String>,
}

impl Default for BooleanSpelling {
    fn default() -> Self {
        let words = |list: [&str; 6]| list.map(str::to_owned).to_vec();
        Self {
            yes: words(["true", "t", "yes", "y", "1", "是"]),
            no: words(["false", "f", "no", "n", "0", "否"]),
        }
    }
}

/// How bytes are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinarySpelling {
    /// Two hexadecimal digits a byte, written in lower case, read in either.
    #[default]
    Hex,
    /// Base64 (RFC 4648 clause 4) with padding.
    Base64,
}

/// Eight blanks.
pub(crate) const BLANKS: u64 = u64::from_le_bytes([b' '; 8]);

/// Blanks at the end, eight bytes a step: fixed-width text is mostly padding.
#[inline]
pub(crate) fn trim_end(mut bytes: &[u8], nul: bool) -> &[u8] {
    while let Some((rest, last)) = bytes.split_last_chunk::<8>() {
        // Zero bytes where the blanks are; the last byte of the text is the highest one that is not zero.
        let text = u64::from_le_bytes(*last) ^ BLANKS;
        if text != 0 {
            let blanks = (text.leading_zeros() / 8) as usize;
            bytes = bytes.get(..bytes.len() - blanks).unwrap_or(bytes);
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if *last == b' ' || (nul && *last == 0) {
            bytes = rest;
        } else {
            break;
        }
    }
    bytes
}
