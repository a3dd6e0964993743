//! Options by name, as they come from a command line (`-o delimiter=;`) or a configuration file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeOwned, IntoDeserializer};
use serde_json::Value;

use crate::{Error, Kind, Result};

/// Named option values. Text stands for every scalar, so that `header=true` from a command line and
/// `header = true` from TOML mean the same.
///
/// Adapters keep a serde struct with `#[serde(deny_unknown_fields, default)]` and call [`parse`](Self::parse).
///
/// ```
/// use fenhe_core::Options;
/// #[derive(serde::Deserialize, Debug, PartialEq)]
/// #[serde(deny_unknown_fields)]
/// struct Csv { delimiter: char, header: bool, skip_lines: u32, nulls: Vec<String> }
/// let options = Options::from_pairs(["delimiter=;", "header=false", "skip_lines=2", "nulls=NULL,-"]).unwrap();
/// let csv: Csv = options.parse("csv").unwrap();
/// assert_eq!(csv, Csv { delimiter: ';', header: false, skip_lines: 2, nulls: vec!["NULL".into(), "-".into()] });
/// let error = Options::from_pairs(["delimitr=;"]).unwrap().parse::<Csv>("csv").unwrap_err();
/// assert!(error.to_string().contains("delimiter"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Options(BTreeMap<String, Value>);

/// A text file that an option names (`layout=FILE`), read by the caller because formats do no I/O.
///
/// As an option value it is an object of `name` and `text`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// How the person named it; errors point into it by this name.
    pub name: String,
    /// Its content, decoded.
    pub text: String,
}

impl Options {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options out of `key=value` words.
    ///
    /// # Errors
    /// [`Kind::Config`] for a word without `=`, or a key given twice.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut options = Self::new();
        for pair in pairs {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(config(format!("option {pair} has no value"))
                    .hint("write options as key=value"));
            };
            let old = options.0.insert(key.trim().into(), Value::String(value.into()));
            if old.is_some() {
                return Err(config(format!("option {key} is given twice")));
            }
        }
        Ok(options)
    }

    /// Sets one option.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> &mut Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// Takes one option out.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// The value of one option.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Whether no option is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// The options as the struct of `adapter`.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `core.option`: an unknown name (the nearest known one is named), or a
    /// value that does not fit.
    pub fn parse<T: DeserializeOwned>(&self, adapter: &str) -> Result<T> {
        let map = de::value::MapDeserializer::new(
            self.0.iter().map(|(k, v)| (k.as_str(), Lenient(v.clone()))),
        );
        T::deserialize(map)
            .map_err(|e: Mismatch| config(format!("options of {adapter}: {}", e.0)).caused_by(e))
    }
}

impl FromIterator<(String, Value)> for Options {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

fn config(message: String) -> Error {
    Error::new(Kind::Config, "core.option", message)
}

/// The name out of `known` that is nearest to `word`, if one is near enough to be a slip.
///
/// ```
/// assert_eq!(fenhe_core::nearest("delimitr", ["quote", "delimiter"]), Some("delimiter"));
/// assert_eq!(fenhe_core::nearest("xyz", ["quote", "delimiter"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = word.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|name| (edit_distance(word, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let next = (diagonal + usize::from(x != *y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A JSON value whose text may stand for a boolean, a number, a list (by commas) or a variant.
struct Lenient(Value);

#[derive(Debug)]
struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = match nearest(field, expected.iter().copied()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("known are {}", expected.join(", ")),
        };
        Self(format!("unknown option {field}, {known}"))
    }
}

impl Lenient {
    fn text<T: std::str::FromStr>(&self, what: &str) -> Result<T, Mismatch> {
        match &self.0 {
            Value::String(s) => s.trim().parse().ok(),
            Value::Number(n) => n.to_string().parse().ok(),
            Value::Bool(b) => b.to_string().parse().ok(),
            _ => None,
        }
        .ok_or_else(|| Mismatch(format!("expected {what}")))
    }
}

macro_rules! number {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            visitor.$visit(self.text::<$type>("a number")?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Lenient {
    type Error = Mismatch;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.0.into_deserializer().deserialize_any(visitor).map_err(|e| Mismatch(e.to_string()))
    }

    fn deserialize_bool<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let value = match &self.0 {
            Value::Bool(b) => *b,
            Value::String(s) if matches!(s.as_str(), "true" | "yes" | "on" | "1") => true,
            Value::String(s) if matches!(s.as_str(), "false" | "no" | "off" | "0") => false,
            _ => return Err(Mismatch("expected true or false".into())),
        };
        visitor.visit_bool(value)
    }

    number!(
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64, deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64
    );

    fn deserialize_char<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(s) => visitor.visit_string(s),
            _ => Err(Mismatch("expected one character".into())),
        }
    }

    fn deserialize_str<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(s) => visitor.visit_string(s),
            Value::Number(n) => visitor.visit_string(n.to_string()),
            Value::Bool(b) => visitor.visit_string(b.to_string()),
            _ => Err(Mismatch("expected text".into())),
        }
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let items = match self.0 {
            Value::Array(items) => items,
            Value::String(s) => s.split(',').map(|s| Value::String(s.into())).collect(),
            other => vec![other],
        };
        de::value::SeqDeserializer::new(items.into_iter().map(Lenient)).deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: de::Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Object(map) => {
                de::value::MapDeserializer::new(map.into_iter().map(|(k, v)| (k, Lenient(v))))
                    .deserialize_map(visitor)
            }
            _ => Err(Mismatch("expected a table".into())),
        }
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(s) => {
                let s = s.trim();
                match variants.iter().find(|v| v.eq_ignore_ascii_case(s)) {
                    Some(variant) => visitor.visit_enum(variant.into_deserializer()),
                    None => Err(Mismatch(format!("expected one of {}", variants.join(", ")))),
                }
            }
            other => other
                .into_deserializer()
                .deserialize_any(visitor)
                .map_err(|e: serde_json::Error| Mismatch(e.to_string())),
        }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct identifier ignored_any }
}

impl IntoDeserializer<'_, Mismatch> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
