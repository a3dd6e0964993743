//! What a person can say about JSON.

use fenhe_core::{Attachment, Options, Result};
use fenhe_text::Encoding;
use serde::{Deserialize, Serialize};

use crate::error::config;

/// Options of the format, by the names used on the command line.
///
/// ```
/// use fenhe_core::Options;
/// use fenhe_json::{JsonOptions, Shape};
/// let options = Options::from_pairs(["shape=array", "record=/data/list"])?;
/// let json = JsonOptions::from_options(&options)?;
/// assert_eq!((json.shape, json.record.as_deref()), (Shape::Array, Some("/data/list")));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JsonOptions {
    /// Label of the encoding. Not set: by the byte order mark or the NUL bytes of UTF-16, else UTF-8.
    pub encoding: Option<String>,
    /// One record a line, or one document.
    pub shape: Shape,
    /// Where the records of a document are: keys, each after a `/`. An array there holds the records, an object there is
    /// one. `~1` stands for `/` and `~0` for `~` in a key (RFC 6901). Not set: the document itself.
    pub record: Option<String>,
    /// Types by looking at the values, or every column as text.
    pub types: Types,
    /// A schema file (TOML): columns, types and spellings.
    pub schema: Option<Attachment>,
    /// What becomes of keys that the schema does not have.
    pub unknown: Unknown,
    /// Writing: `null` for what is absent, or no key at all.
    pub nulls: Nulls,
}

/// How records lie in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// By looking at the first bytes. Writing: lines.
    #[default]
    Auto,
    /// One object a line (NDJSON, JSON Lines).
    Lines,
    /// One document: an array of records, or records somewhere inside.
    Array,
}

/// Where types come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// By looking at the first values of each column.
    #[default]
    Infer,
    /// Every column is text: strings as they are, any other value as its JSON text.
    Text,
}

/// What becomes of keys that the schema does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// They are passed over and counted in a note.
    #[default]
    Ignore,
    /// The record is a reject.
    Reject,
    /// Those of the record itself are kept, with their values, as one object in the text column `_extra`; those of nested
    /// objects are passed over and counted.
    Keep,
}

/// How absent values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nulls {
    /// `"key":null`.
    #[default]
    Explicit,
    /// No key. Nulls within lists are written all the same.
    Omit,
}

impl JsonOptions {
    /// Reads and checks options by name.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown option or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        let json: Self = options.parse("json")?;
        json.encoding()?;
        json.path()?;
        Ok(json)
    }

    /// The encoding that was asked for.
    pub(crate) fn encoding(&self) -> Result<Option<Encoding>> {
        let Some(label) = &self.encoding else { return Ok(None) };
        let encoding: Encoding =
            label.parse().map_err(|e: fenhe_text::UnknownEncoding| config(e.to_string()))?;
        if !encoding.is_ascii_superset()
            && encoding != Encoding::UTF_16LE
            && encoding != Encoding::UTF_16BE
        {
            return Err(config(format!(
                "JSON in {encoding} is not read; convert it to UTF-8 first"
            )));
        }
        Ok(Some(encoding))
    }

    /// The keys of the record path.
    pub(crate) fn path(&self) -> Result<Vec<Vec<u8>>> {
        let Some(path) = self.record.as_deref().filter(|p| !p.is_empty() && *p != "/") else {
            return Ok(Vec::new());
        };
        if self.shape == Shape::Lines {
            return Err(config("a record path needs a document: use shape=array"));
        }
        let Some(keys) = path.strip_prefix('/') else {
            return Err(config(format!("the record path starts with `/`: record=/{path}")));
        };
        Ok(keys
            .split('/')
            .map(|key| key.replace("~1", "/").replace("~0", "~").into_bytes())
            .collect())
    }
}
