//! What a person can say about an XML document.

use fenhe_core::{Attachment, Options, Result};
use fenhe_text::Invalid;
use serde::{Deserialize, Serialize};

/// Options of the format, by the names used on the command line.
///
/// ```
/// use fenhe_core::Options;
/// use fenhe_xml::XmlOptions;
/// let options = Options::from_pairs(["record=/registry/person", "namespaces=p=urn:people"])?;
/// let xml = XmlOptions::from_options(&options)?;
/// assert_eq!(xml.record.as_deref(), Some("/registry/person"));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XmlOptions {
    /// Path of the elements that are records, `/registry/person`. A name without prefix means any namespace, `*` any
    /// name, `{uri}name` or a prefix of `namespaces` exactly that one. Not set: found by looking, with the evidence.
    pub record: Option<String>,
    /// Label of the encoding, against what the declaration says. Not set: byte order mark, then declaration, then UTF-8.
    pub encoding: Option<String>,
    /// What becomes of a document type declaration.
    pub dtd: Dtd,
    /// A schema file (TOML). Names of its fields are paths relative to the record: `name`, `@id`, `address/city`.
    pub schema: Option<Attachment>,
    /// Types by looking at the values, or every field as text.
    pub types: Types,
    /// Spellings of null. Default: only what is not there, `xsi:nil`, and the empty number or date.
    pub nulls: Option<Vec<String>>,
    /// White space around texts: `none`, `left`, `right`, `both` or `collapse` (runs inside become one blank). Default: none.
    pub trim: Trimming,
    /// Prefixes for paths: `p=urn:people,q=urn:places`.
    pub namespaces: Vec<String>,
    /// Elements with text and elements in them.
    pub mixed: Mixed,
    /// Elements and attributes that the schema does not have. Default: `ignore` with a schema file, else `reject`.
    pub extra: Option<Extra>,
    /// Bytes and values that cannot be read: reject the record, replace (characters only), or make the field null.
    pub invalid: Invalid,
    /// Writing: how a null is spelled.
    pub nil: Nil,
    /// Writing: blanks before a record per level. Default: as read, else 2; 0 writes no line ends.
    pub indent: Option<u8>,
    /// Writing: byte order mark. Default: as read, else only for UTF-16.
    pub bom: Option<bool>,
}

/// What becomes of a document type declaration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtd {
    /// It is an error.
    #[default]
    Refuse,
    /// Entities of the internal subset are read, within limits. Nothing outside the document is opened.
    Internal,
}

/// Where types come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// By looking at the first values of each field.
    #[default]
    Infer,
    /// Every field is text.
    Text,
}

/// White space around texts. It always belongs to no number, date or truth value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trimming {
    /// It belongs to the text.
    #[default]
    None,
    /// Not before the text.
    Left,
    /// Not behind the text.
    Right,
    /// On neither side.
    Both,
    /// On neither side, and runs inside become one blank (`xs:token`).
    Collapse,
}

/// What an element with text and elements in it becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixed {
    /// A struct; its own text is the field `#text`.
    #[default]
    Struct,
    /// One text: the markup inside, as it stands.
    Markup,
}

/// What becomes of an element or attribute that the schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// The record is a reject.
    Reject,
    /// It is passed over, counted, and named once in the notes.
    Ignore,
}

/// How a null is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nil {
    /// Not at all.
    #[default]
    Omit,
    /// As an element with `xsi:nil="true"` (attributes are left out).
    Nil,
}

impl XmlOptions {
    /// Reads them from named values.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        options.parse("xml")
    }
}
