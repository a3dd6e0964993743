//! Schema files: the fields of a record, their types and spellings, as TOML.

mod entry;

use arrow_schema::{Field, Schema};
use fenhe_core::schema::{CODE_TABLE, LENGTH, NATIVE_TYPE, SENSITIVITY, SPELLING, TITLE, with};
use fenhe_core::{Error, Kind as ErrorKind, Result, nearest};
use fenhe_text::Encoding;
use toml::Spanned;

use crate::reader::FieldReader;
use crate::spec::FieldSpec;
use crate::types::{no_spelling, parse_type, type_name};
use entry::{Entry, SpellingKeys};

/// A schema file as options name it (`schema=FILE`).
///
/// ```
/// use fenhe_values::SchemaFile;
/// let file = SchemaFile::parse(r#"
///     [[field]]
///     name = "id"
///     type = "text"
///     required = true
///
///     [[field]]
///     name = "出生日期"
///     type = "date"
///     pattern = ["YYYYMMDD", "YYYY-M-D"]
///     zero_date_is_null = true
///     nulls = ["", "不详"]
///
///     [[field]]
///     name = "fee"
///     type = "decimal(12,2)"
///     thousands = ","
/// "#)?;
/// let schema = file.schema();
/// assert_eq!(SchemaFile::from_schema(&schema)?, file);
/// assert_eq!(SchemaFile::parse(&file.to_toml())?, file);
///
/// let error = SchemaFile::parse("[[field]]\nname = \"fee\"\ntype = \"decmial(12,2)\"\n").unwrap_err();
/// assert_eq!(error.line(), Some((3, 8)));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemaFile {
    /// The fields, in the order of the record.
    pub fields: Vec<SchemaField>,
}

/// One field of a schema file.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaField {
    /// Name, type and spelling.
    pub spec: FieldSpec,
    /// Title for people.
    pub title: Option<String>,
    /// Length in the legacy system.
    pub length: Option<u32>,
    /// Type as the legacy system spells it.
    pub native_type: Option<String>,
    /// Code table that the values belong to.
    pub code_table: Option<String>,
    /// Sensitivity.
    pub sensitivity: Option<String>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    field: Vec<Spanned<Entry>>,
}

impl SchemaFile {
    /// The most bytes a schema file may have.
    pub const MAX_BYTES: usize = 1 << 20;

    /// A file of these fields.
    #[must_use]
    pub fn new(specs: Vec<FieldSpec>) -> Self {
        Self { fields: specs.into_iter().map(SchemaField::from).collect() }
    }

    /// Reads a schema file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.schema`, line and column; an unknown key or type is answered with the nearest
    /// known one. [`ErrorKind::Limit`] above [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn parse(text: &str) -> Result<Self> {
        fenhe_core::Limits::check("schema_bytes", Self::MAX_BYTES as u64, text.len() as u64)?;
        let document: Document = toml::from_str(text).map_err(|e| syntax_error(text, &e))?;
        let mut fields: Vec<SchemaField> = Vec::with_capacity(document.field.len());
        for entry in document.field {
            let span = entry.span();
            let field = SchemaField::from_entry(entry.into_inner(), text, span.start)?;
            if fields.iter().any(|f| f.spec.name == field.spec.name) {
                return Err(error(text, span.start, "two fields have this name".to_owned())
                    .at_field(&field.spec.name));
            }
            fields.push(field);
        }
        if fields.is_empty() {
            return Err(error(text, 0, "the schema has no `[[field]]`".to_owned()));
        }
        Ok(Self { fields })
    }

    /// The file as TOML; [`parse`](Self::parse) reads it back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let entry = |field: &SchemaField| Spanned::new(0..0, field.entry());
        let document = Document { field: self.fields.iter().map(entry).collect() };
        // Strings, numbers, booleans and lists of strings: everything TOML can spell.
        toml::to_string(&document).unwrap_or_default()
    }

    /// The fields without what is only for people.
    #[must_use]
    pub fn specs(&self) -> Vec<FieldSpec> {
        self.fields.iter().map(|field| field.spec.clone()).collect()
    }

    /// The Arrow schema; spellings and the words of the legacy side are in its metadata.
    #[must_use]
    pub fn schema(&self) -> Schema {
        Schema::new(self.fields.iter().map(SchemaField::field).collect::<Vec<_>>())
    }

    /// The file of an Arrow schema: the inverse of [`schema`](Self::schema).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.type` for nested types, [`ErrorKind::Unsupported`] with that code for others that
    /// have no spelling as text; [`ErrorKind::Config`] with code `value.schema` for metadata that is none.
    pub fn from_schema(schema: &Schema) -> Result<Self> {
        let fields = schema
            .fields()
            .iter()
            .map(|field| SchemaField::from_field(field))
            .collect::<Result<_>>()?;
        Ok(Self { fields })
    }
}

impl SchemaField {
    /// The Arrow field, with metadata.
    #[must_use]
    pub fn field(&self) -> Field {
        let mut field = self.spec.to_field();
        for (key, value) in [
            (TITLE, self.title.clone()),
            (LENGTH, self.length.map(|n| n.to_string())),
            (NATIVE_TYPE, self.native_type.clone()),
            (CODE_TABLE, self.code_table.clone()),
            (SENSITIVITY, self.sensitivity.clone()),
        ] {
            if let Some(value) = value {
                field = with(field, key, value);
            }
        }
        field
    }

    /// The inverse of [`field`](Self::field).
    ///
    /// # Errors
    /// Those of [`FieldSpec::from_field`].
    pub fn from_field(field: &Field) -> Result<Self> {
        let spec = FieldSpec::from_field(field)?;
        let word = |key: &str| field.metadata().get(key).cloned();
        Ok(Self {
            spec,
            title: word(TITLE),
            length: word(LENGTH).and_then(|n| n.parse().ok()),
            native_type: word(NATIVE_TYPE),
            code_table: word(CODE_TABLE),
            sensitivity: word(SENSITIVITY),
        })
    }

    fn from_entry(entry: Entry, text: &str, start: usize) -> Result<Self> {
        let at_type = entry.r#type.span().start;
        let data_type =
            parse_type(entry.r#type.get_ref()).map_err(|e| error(text, at_type, e.to_string()))?;
        let wrong = |reason: String| error(text, start, reason).at_field(&entry.name);
        let spelling = entry.spelling().into_spelling().map_err(wrong)?;
        let spec =
            FieldSpec::new(&entry.name, data_type).spelled(spelling).required(entry.required);
        // Whatever type and spelling contradict each other in is found now, with a line, and not when the data come.
        if let Err(cause) = FieldReader::new(&spec, Encoding::UTF_8) {
            return Err(wrong(cause.message().to_owned()));
        }
        Ok(Self {
            spec,
            title: entry.title,
            length: entry.length,
            native_type: entry.native_type,
            code_table: entry.code_table,
            sensitivity: entry.sensitivity,
        })
    }

    fn entry(&self) -> Entry {
        let spec = &self.spec;
        let name = type_name(&spec.data_type).unwrap_or_else(|| spec.data_type.to_string());
        let mut entry = Entry::new(spec.name.clone(), name, SpellingKeys::of(&spec.spelling));
        entry.required = !spec.nullable;
        entry.title.clone_from(&self.title);
        entry.length = self.length;
        entry.native_type.clone_from(&self.native_type);
        entry.code_table.clone_from(&self.code_table);
        entry.sensitivity.clone_from(&self.sensitivity);
        entry
    }
}

impl From<FieldSpec> for SchemaField {
    fn from(spec: FieldSpec) -> Self {
        Self {
            spec,
            title: None,
            length: None,
            native_type: None,
            code_table: None,
            sensitivity: None,
        }
    }
}

impl FieldSpec {
    /// The Arrow field; a spelling other than the plain one is kept as `fenhe.spelling`, in the keys of the schema file.
    #[must_use]
    pub fn to_field(&self) -> Field {
        let field = Field::new(&self.name, self.data_type.clone(), self.nullable);
        let keys = toml::to_string(&SpellingKeys::of(&self.spelling)).unwrap_or_default();
        if keys.is_empty() { field } else { with(field, SPELLING, keys.trim_end()) }
    }

    /// The inverse of [`to_field`](Self::to_field).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.type` for nested types, [`ErrorKind::Unsupported`] with that code for others that
    /// have no spelling as text; [`ErrorKind::Config`] with code `value.schema` for a spelling that is none.
    pub fn from_field(field: &Field) -> Result<Self> {
        if type_name(field.data_type()).is_none() {
            return Err(no_spelling(field.name(), field.data_type()));
        }
        let keys = field.metadata().get(SPELLING).map_or("", String::as_str);
        let keys: SpellingKeys =
            toml::from_str(keys).map_err(|e| syntax_error(keys, &e).at_field(field.name()))?;
        let wrong = |reason: String| {
            Error::new(ErrorKind::Config, "value.schema", reason).at_field(field.name())
        };
        let spelling = keys.into_spelling().map_err(wrong)?;
        Ok(Self::new(field.name(), field.data_type().clone())
            .spelled(spelling)
            .required(!field.is_nullable()))
    }
}

/// An error of the TOML reader, with the nearest known key when the key is unknown.
fn syntax_error(text: &str, cause: &toml::de::Error) -> Error {
    let start = cause.span().map_or(0, |span| span.start);
    let error = error(text, start, cause.message().to_owned());
    // serde says "unknown field `typ`, expected one of `name`, `type`, ...".
    let mut quoted = cause.message().split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(given) if cause.message().starts_with("unknown field") => match nearest(given, quoted)
        {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        },
        _ => error,
    }
}

fn error(text: &str, offset: usize, reason: String) -> Error {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::new(ErrorKind::Config, "value.schema", reason).at_line(line as u64, column as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, Option<(u64, u64)>) {
        let error = SchemaFile::parse(text).unwrap_err();
        assert_eq!(error.code(), "value.schema");
        (error.to_string(), error.line())
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_the_nearest_word() {
        for (text, says, place) in [
            ("[[field]]\nname = \"a\"\ntyp = \"text\"\n", "did you mean `type`?", (3, 1)),
            ("[[field]]\nname = \"a\"\ntype = \"tetx\"\n", "did you mean `text`?", (3, 8)),
            ("[[field]]\nname = \"a\"\n", "missing field `type`", (1, 1)),
            ("[[field]]\nname = a\n", "", (2, 8)),
            (
                "[[field]]\nname = \"a\"\ntype = \"date\"\npattern = \"yyyy-MM-dd\"\n",
                "YYYY",
                (1, 1),
            ),
            (
                "[[field]]\nname = \"a\"\ntype = \"int8\"\n\n[[field]]\nname = \"a\"\ntype = \"text\"\n",
                "two fields",
                (5, 1),
            ),
            (
                "[[field]]\nname = \"a\"\ntype = \"decimal(4,1)\"\nsign = \"traling\"\n",
                "trailing",
                (1, 1),
            ),
            ("", "no `[[field]]`", (1, 1)),
        ] {
            let (message, line) = refused(text);
            assert!(message.contains(says), "{text}: {message}");
            assert_eq!(line, Some(place), "{text}: {message}");
        }
    }

    #[test]
    fn every_key_survives_the_way_to_arrow_and_back() {
        let text = r#"
            [[field]]
            name = "金额"
            type = "decimal(38,2)"
            required = true
            title = "Amount"
            length = 18
            native_type = "N(18,2)"
            code_table = "GB/T 2260"
            sensitivity = "personal"
            trim = "both"
            nulls = ["-", "NULL"]
            decimal_mark = ","
            thousands = " "
            sign = "credit"
            plus = true
            full_width = true
            percent = true
            prefixes = ["¥"]
            suffixes = ["元"]
            invalid = "null"

            [[field]]
            name = "d"
            type = "timestamp(us, +08:00)"
            pattern = ["YYYY年M月D日 HH:mm", "YYMMDDHHmm"]
            pivot = 30
            zero_date_is_null = true

            [[field]]
            name = "b"
            type = "bool"
            true = ["是"]
            false = ["否"]

            [[field]]
            name = "x"
            type = "binary"
            binary = "base64"

            [[field]]
            name = "n"
            type = "decimal(9,3)"
            implied = 3
            trim_nul = true
        "#;
        let file = SchemaFile::parse(text).unwrap();
        let first = &file.fields[0];
        assert_eq!(
            (first.length, first.spec.nullable, first.spec.spelling.number.thousands),
            (Some(18), false, Some(' '))
        );
        assert_eq!(file.fields[1].spec.spelling.date.pivot, 30);
        assert_eq!(SchemaFile::parse(&file.to_toml()).unwrap(), file);
        assert_eq!(SchemaFile::from_schema(&file.schema()).unwrap(), file);
        assert_eq!(file.schema().field(4).metadata()[SPELLING], "trim_nul = true\nimplied = 3");
    }

    #[test]
    fn a_plain_field_carries_no_metadata() {
        let spec = FieldSpec::new("a", arrow_schema::DataType::Int64);
        assert!(spec.to_field().metadata().is_empty());
        assert_eq!(FieldSpec::from_field(&spec.to_field()).unwrap(), spec);
        let list = Field::new(
            "l",
            arrow_schema::DataType::new_list(arrow_schema::DataType::Int8, true),
            true,
        );
        assert_eq!(FieldSpec::from_field(&list).unwrap_err().code(), "value.type");
    }
}
