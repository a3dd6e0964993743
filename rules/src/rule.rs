//! Rules as data.

use serde::{Deserialize, Serialize};

use crate::{Date, identifiers};

/// What a finding means for its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The row goes on, the finding is counted.
    #[default]
    Warn,
    /// The row must not be delivered.
    Reject,
}

/// What the limits of [`Length`] count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Characters (Unicode scalar values).
    #[default]
    Chars,
    /// Bytes of the UTF-8 text, or of binary data.
    Bytes,
}

/// Which way two values have to stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Less, earlier.
    Lt,
    /// Less or equal.
    Le,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater or equal.
    Ge,
    /// Greater, later.
    Gt,
}

/// A bound of [`Range`]: a whole number, or text with a decimal (`"12.50"`) or a date (`"1949-10-01"`).
///
/// A floating point number is refused: 0.1 would not be what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Bound {
    /// A whole number.
    Whole(i64),
    /// A decimal or a date.
    Text(String),
}

macro_rules! rules {
    ($( $(#[$about:meta])* $name:ident { $( $(#[$field_about:meta])* $field:ident: $type:ty, )* } )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $( $(#[$field_about])* pub $field: $type, )*
                /// What a finding means for its row.
                #[serde(default)]
                pub severity: Severity,
                /// Stable code of the findings; without one, `rules.` and the name of the rule.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub code: Option<String>,
                /// What people read in place of the built-in words. It is the same for every row: values
                /// do not belong in messages.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub message: Option<String>,
            }
        )*

        /// One rule, tagged by `rule` in data: `{ rule = "not_null", field = "XM" }`.
        ///
        /// An absent value (null, or text of blanks alone) keeps every rule but [`NotNull`].
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "rule", rename_all = "snake_case")]
        pub enum Rule {
            $( $(#[$about])* $name($name), )*
        }

        impl Rule {
            /// What a finding means for its row.
            #[must_use]
            pub fn severity(&self) -> Severity {
                match self { $( Self::$name(rule) => rule.severity, )* }
            }

            pub(crate) fn own_code(&self) -> Option<&str> {
                match self { $( Self::$name(rule) => rule.code.as_deref(), )* }
            }

            pub(crate) fn message(&self) -> Option<&str> {
                match self { $( Self::$name(rule) => rule.message.as_deref(), )* }
            }
        }
    };
}

rules! {
    /// A value must be there.
    NotNull {
        /// The column.
        field: String,
        /// Whether text of blanks alone is a value (`false`: it is none).
        #[serde(default)]
        blank: bool,
    }

    /// Text or binary data has a length.
    Length {
        /// The column.
        field: String,
        /// The least.
        #[serde(default)]
        min: u64,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
        /// What is counted.
        #[serde(default)]
        unit: Unit,
    }

    /// The whole text matches a regular expression (the syntax of the `regex` crate: linear time, no
    /// look-around, no back references).
    Pattern {
        /// The column, of text.
        field: String,
        /// The expression; it has to match from the first character to the last.
        pattern: String,
    }

    /// A number or date lies between two bounds, both included. Text is read as a date.
    Range {
        /// The column.
        field: String,
        /// The least value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Bound>,
        /// The greatest value; for timestamps, a date means its whole day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Bound>,
    }

    /// The value is a code of a table.
    CodeTable {
        /// The column, of text.
        field: String,
        /// A built-in table, or one that was given to the checker.
        table: String,
        /// The day on which the code must be valid; without one, any time will do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
        /// A date column that holds that day for each row. Where it is absent, any time will do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_field: Option<String>,
    }

    /// The value is an identifier with its form, check characters, date and region.
    Identifier {
        /// The column, of text.
        field: String,
        /// Which identifier.
        kind: identifiers::Identifier,
        /// Whether another spelling of a right value (small letters, full width, blanks, hyphens) is no finding.
        #[serde(default)]
        any_spelling: bool,
        /// Whether regions of no known province are no finding.
        #[serde(default)]
        any_region: bool,
    }

    /// A date does not lie after the day of the check. Text is read as a date.
    DateNotFuture {
        /// The column.
        field: String,
    }

    /// Birth date, sex and region agree with a number of a person (15 or 18 characters).
    /// Rows whose number cannot be read are left to [`Identifier`].
    Agrees {
        /// The column with the number.
        field: String,
        /// The column with the birth date.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        birth: Option<String>,
        /// The column with the sex, text or whole numbers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sex: Option<String>,
        /// The column with the region, text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// How many digits of the region have to agree: 2 (province), 4 or 6.
        #[serde(default = "six")]
        region_digits: u8,
        /// Spellings of "male". Values in neither list are left to a code table.
        #[serde(default = "male")]
        male: Vec<String>,
        /// Spellings of "female".
        #[serde(default = "female")]
        female: Vec<String>,
    }

    /// Two columns of a row stand in a relation: numbers exactly, dates by time, text by its bytes.
    Compare {
        /// The column on the left.
        field: String,
        /// The relation.
        op: Operator,
        /// The column on the right.
        other: String,
    }

    /// No two rows of a run have the same key. The first one is no finding. Rows with an absent part of the key
    /// are not looked at. The keys are held in memory, up to the limit of the checker.
    Unique {
        /// The columns of the key.
        fields: Vec<String>,
    }

    /// The key is in a set of keys that was given to the checker. Rows with an absent part of the key are
    /// not looked at.
    Reference {
        /// The columns of the key, in the order of the set.
        fields: Vec<String>,
        /// Name of the set.
        to: String,
    }
}

impl Rule {
    /// The name of the rule, as `rule` in data has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotNull(_) => "not_null",
            Self::Length(_) => "length",
            Self::Pattern(_) => "pattern",
            Self::Range(_) => "range",
            Self::CodeTable(_) => "code_table",
            Self::Identifier(_) => "identifier",
            Self::DateNotFuture(_) => "date_not_future",
            Self::Agrees(_) => "agrees",
            Self::Compare(_) => "compare",
            Self::Unique(_) => "unique",
            Self::Reference(_) => "reference",
        }
    }

    /// The column that a finding is reported for; the first one of several.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::NotNull(rule) => &rule.field,
            Self::Length(rule) => &rule.field,
            Self::Pattern(rule) => &rule.field,
            Self::Range(rule) => &rule.field,
            Self::CodeTable(rule) => &rule.field,
            Self::Identifier(rule) => &rule.field,
            Self::DateNotFuture(rule) => &rule.field,
            Self::Agrees(rule) => &rule.field,
            Self::Compare(rule) => &rule.field,
            Self::Unique(rule) => rule.fields.first().map_or("", String::as_str),
            Self::Reference(rule) => rule.fields.first().map_or("", String::as_str),
        }
    }
}

impl Operator {
    /// Whether values that compare like this keep the rule.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Ge => ordering.is_ge(),
            Self::Gt => ordering.is_gt(),
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Lt => "less than",
            Self::Le => "at most",
            Self::Eq => "equal to",
            Self::Ne => "other than",
            Self::Ge => "at least",
            Self::Gt => "greater than",
        }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoundVisitor)
    }
}

struct BoundVisitor;

impl serde::de::Visitor<'_> for BoundVisitor {
    type Value = Bound;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number, or text with a decimal (\"12.50\") or a date (\"2026-01-02\")")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Bound, E> {
        Ok(Bound::Whole(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Bound, E> {
        Ok(i64::try_from(value).map_or_else(|_| Bound::Text(value.to_string()), Bound::Whole))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Bound, E> {
        Ok(Bound::Text(value.to_owned()))
    }
}

fn six() -> u8 {
    6
}

fn male() -> Vec<String> {
    ["1", "男", "男性"].map(str::to_owned).into()
}

fn female() -> Vec<String> {
    ["2", "女", "女性"].map(str::to_owned).into()
}
