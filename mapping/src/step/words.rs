//! Steps in plain words, for `fenhe check` and `--plan`.

use std::fmt;

use super::{Algorithm, Codes, Derived, Mask, Operation, Otherwise, Side, Spelling, Step};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        match &self.otherwise {
            Otherwise::Reject => Ok(()),
            Otherwise::Null => f.write_str(" (or nothing)"),
            Otherwise::Keep => f.write_str(" (or unchanged)"),
            Otherwise::Value(value) => write!(f, " (or {value})"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trim(Side::Both) => f.write_str("without blanks at the ends"),
            Self::Trim(Side::Start) => f.write_str("without blanks at the start"),
            Self::Trim(Side::End) => f.write_str("without blanks at the end"),
            Self::HalfWidth => f.write_str("in half width"),
            Self::FullWidth => f.write_str("in full width"),
            Self::Upper => f.write_str("in capitals"),
            Self::Lower => f.write_str("in small letters"),
            Self::Absent(words) if words.is_empty() => f.write_str("blank is absent"),
            Self::Absent(words) => write!(f, "blank, {} are absent", words.join(", ")),
            Self::Replace { text, with } if with.is_empty() => write!(f, "without `{text}`"),
            Self::Replace { text, with } => write!(f, "`{text}` as `{with}`"),
            Self::Match(pattern) => write!(f, "must match `{pattern}`"),
            Self::Extract(pattern) => write!(f, "what `{pattern}` finds"),
            Self::Split { by, part } if *part < 0 => {
                write!(f, "part {} from the end, split at `{by}`", part.unsigned_abs())
            }
            Self::Split { by, part } => write!(f, "part {part}, split at `{by}`"),
            Self::Cut { first, last } => write!(f, "characters {first} to {last}"),
            Self::Join(by) if by.is_empty() => f.write_str("joined"),
            Self::Join(by) => write!(f, "joined by `{by}`"),
            Self::First => f.write_str("the first that has a value"),
            Self::Date { spellings, pivot } => {
                let names: Vec<String> = spellings.iter().map(ToString::to_string).collect();
                write!(f, "a date spelled {}", names.join(" or "))?;
                pivot.map_or(Ok(()), |pivot| write!(f, ", two-digit years below {pivot} are 20YY"))
            }
            Self::Unit { from, to } => write!(f, "from {} to {}", from.as_str(), to.as_str()),
            Self::Scale(factor) => write!(f, "times {factor}"),
            Self::Code(Codes::Pairs(pairs)) => write!(f, "code by {} pairs", pairs.len()),
            Self::Code(Codes::Table(name)) => write!(f, "code by table {name}"),
            Self::Code(Codes::Titles(name)) => write!(f, "title by table {name}"),
            Self::Lookup { place, by, give } => write!(f, "{give} of {place} by {by}"),
            Self::PlainId => f.write_str("identifier in plain spelling"),
            Self::UpgradeId { assume_century } => {
                f.write_str("15 digits become 18")?;
                f.write_str(if *assume_century { ", open centuries as 19" } else { "" })
            }
            Self::Derive(Derived::BirthDate) => f.write_str("birth date of the number"),
            Self::Derive(Derived::Sex) => f.write_str("sex of the number"),
            Self::Derive(Derived::Region) => f.write_str("region of the number"),
            Self::Mask(Mask::Keep(0, 0)) => f.write_str("masked"),
            Self::Mask(Mask::Keep(start, end)) => {
                write!(f, "masked but for the first {start} and the last {end}")
            }
            Self::Mask(mask) => write!(f, "masked as {}", mask.as_str().replace('_', " ")),
            Self::Hash { algorithm, .. } => write!(f, "{} with a secret key", algorithm.as_str()),
        }
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usual => "as year, month, day",
            Self::Excel => "as a spreadsheet's day number",
            Self::Pattern(pattern) => pattern,
        })
    }
}

impl Mask {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Id => "id",
            Self::Phone => "phone",
            Self::BankCard => "bank_card",
            Self::Address => "address",
            Self::Keep(..) => "keep",
        }
    }
}

impl Algorithm {
    /// The name of the construction and the hash function.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "hmac-sha256",
            Self::Sm3 => "hmac-sm3",
        }
    }
}
