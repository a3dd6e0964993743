//! The keys of a `[[field]]`.

use fenhe_core::nearest;
use fenhe_text::Invalid;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::spec::{
    BinarySpelling, BooleanSpelling, DateSpelling, NumberSpelling, SignStyle, Spelling, Trim,
};

/// Declares the keys that say how values are spelled once, for the field of a schema file and for the metadata of an Arrow
/// field: serde's `flatten` would lose both the refusal of unknown keys and their places.
macro_rules! keys {
    ($($(#[$attribute:meta])* $key:ident: $type:ty,)*) => {
        /// One field as it stands in the file.
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Entry {
            pub(super) name: String,
            pub(super) r#type: Spanned<String>,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) required: bool,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) title: Option<String>,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) length: Option<u32>,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) native_type: Option<String>,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) code_table: Option<String>,
            #[serde(default, skip_serializing_if = "is_default")]
            pub(super) sensitivity: Option<String>,
            $($(#[$attribute])* #[serde(default, skip_serializing_if = "is_default")] $key: $type,)*
        }

        /// The keys that say how values are spelled.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct SpellingKeys {
            $($(#[$attribute])* #[serde(default, skip_serializing_if = "is_default")] $key: $type,)*
        }

        impl Entry {
            pub(super) fn new(name: String, type_name: String, keys: SpellingKeys) -> Self {
                Self {
                    name,
                    r#type: Spanned::new(0..0, type_name),
                    required: false,
                    title: None,
                    length: None,
                    native_type: None,
                    code_table: None,
                    sensitivity: None,
                    $($key: keys.$key,)*
                }
            }

            pub(super) fn spelling(&self) -> SpellingKeys {
                SpellingKeys { $($key: self.$key.clone(),)* }
            }
        }
    };
}

keys! {
    trim: Option<String>,
    trim_nul: bool,
    nulls: Option<Vec<String>>,
    decimal_mark: Option<char>,
    thousands: Option<char>,
    implied: Option<u8>,
    sign: Option<String>,
    plus: bool,
    full_width: bool,
    percent: bool,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    #[serde(alias = "format")]
    pattern: Option<OneOrMany>,
    pivot: Option<u8>,
    zero_date_is_null: bool,
    #[serde(rename = "true")]
    yes: Option<Vec<String>>,
    #[serde(rename = "false")]
    no: Option<Vec<String>>,
    binary: Option<String>,
    invalid: Option<Invalid>,
}

/// `pattern = "YYYYMMDD"` or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl SpellingKeys {
    /// The keys of a spelling; what is plain has none.
    pub(super) fn of(spelling: &Spelling) -> Self {
        let plain = Spelling::default();
        let Spelling { trim, nulls, number, date, boolean, binary, invalid } = spelling;
        let word = |trim: &Trim| trim.word().to_owned();
        Self {
            trim: differs(trim, &plain.trim).map(word).filter(|w| w != "none"),
            trim_nul: trim.nul,
            nulls: differs(nulls, &plain.nulls).cloned(),
            decimal_mark: differs(&number.decimal_mark, &plain.number.decimal_mark).copied(),
            thousands: number.thousands,
            implied: number.implied,
            sign: differs(&number.sign, &plain.number.sign).map(|s| s.word().to_owned()),
            plus: number.plus,
            full_width: number.full_width,
            percent: number.percent,
            prefixes: number.prefixes.clone(),
            suffixes: number.suffixes.clone(),
            pattern: match date.patterns.as_slice() {
                [] => None,
                [one] => Some(OneOrMany::One(one.clone())),
                many => Some(OneOrMany::Many(many.to_vec())),
            },
            pivot: differs(&date.pivot, &plain.date.pivot).copied(),
            zero_date_is_null: date.zero_is_null,
            yes: differs(&boolean.yes, &plain.boolean.yes).cloned(),
            no: differs(&boolean.no, &plain.boolean.no).cloned(),
            binary: differs(binary, &plain.binary).map(|_| "base64".to_owned()),
            invalid: differs(invalid, &plain.invalid).copied(),
        }
    }

    /// The spelling that the keys declare.
    pub(super) fn into_spelling(self) -> Result<Spelling, String> {
        let plain = Spelling::default();
        let trim = word(
            "trim",
            self.trim.as_deref(),
            &["none", "left", "right", "both"],
            Trim::from_word,
        )?;
        let signs = ["leading", "trailing", "parentheses", "credit", "credit_or_debit"];
        let sign = word("sign", self.sign.as_deref(), &signs, SignStyle::from_word)?;
        let binary = word("binary", self.binary.as_deref(), &["hex", "base64"], |w| match w {
            "hex" => Some(BinarySpelling::Hex),
            "base64" => Some(BinarySpelling::Base64),
            _ => None,
        })?;
        Ok(Spelling {
            trim: Trim { nul: self.trim_nul, ..trim.unwrap_or(plain.trim) },
            nulls: self.nulls.unwrap_or(plain.nulls),
            number: NumberSpelling {
                decimal_mark: self.decimal_mark.unwrap_or(plain.number.decimal_mark),
                thousands: self.thousands,
                implied: self.implied,
                sign: sign.unwrap_or(plain.number.sign),
                plus: self.plus,
                full_width: self.full_width,
                percent: self.percent,
                prefixes: self.prefixes,
                suffixes: self.suffixes,
            },
            date: DateSpelling {
                patterns: match self.pattern {
                    None => Vec::new(),
                    Some(OneOrMany::One(one)) => vec![one],
                    Some(OneOrMany::Many(many)) => many,
                },
                pivot: self.pivot.unwrap_or(plain.date.pivot),
                zero_is_null: self.zero_date_is_null,
            },
            boolean: BooleanSpelling {
                yes: self.yes.unwrap_or(plain.boolean.yes),
                no: self.no.unwrap_or(plain.boolean.no),
            },
            binary: binary.unwrap_or(plain.binary),
            invalid: self.invalid.unwrap_or(plain.invalid),
        })
    }
}

fn differs<'a, T: PartialEq>(value: &'a T, plain: &T) -> Option<&'a T> {
    (value != plain).then_some(value)
}

/// A key whose value is one of some words.
fn word<T>(
    key: &str,
    given: Option<&str>,
    known: &[&str],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(given) = given else { return Ok(None) };
    read(given).map(Some).ok_or_else(|| match nearest(given, known.iter().copied()) {
        Some(near) => format!("`{key}` cannot be `{given}`; did you mean `{near}`?"),
        None => format!("`{key}` cannot be `{given}`; it is one of {}", known.join(", ")),
    })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
