//! A mapping as data: the fields of a target, and how each is made.

use std::collections::BTreeMap;

use arrow_schema::{DataType, Schema, SchemaRef};
use fenhe_core::{Located, Result};
use fenhe_rules::CodeTable;
use fenhe_values::type_name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::bind::{self, Context, at_step};
use crate::grammar::{FieldText, field_at};
use crate::mapper::Mapper;
use crate::step::{Codes, Operation, Step};
use crate::work::table_of;

/// Which fields a target gets, in which order, and how each is made from the columns of a source.
///
/// ```
/// use fenhe_mapping::Mapping;
/// let mapping = Mapping::parse(r#"
///     [fields]
///     name = "XM"
///     birth_date = { from = "CSRQ", steps = ["trim", { date = ["YYYYMMDD", "YYYY年M月D日"] }] }
/// "#, "resident.mapping.toml")?;
/// assert_eq!(mapping.explain(), [
///     "name: from XM",
///     "birth_date: from CSRQ; without blanks at the ends; a date spelled YYYYMMDD or YYYY年M月D日",
/// ]);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// The fields, in the order of delivery. None: every column goes as it is.
    pub fields: Vec<FieldMapping>,
    /// What happens to columns that no field is made from.
    pub unlisted: Unlisted,
}

/// One field of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldMapping {
    /// Name at the target.
    pub name: String,
    /// Where its values come from.
    pub origin: Origin,
    /// Rows that have a value; in the others it is absent.
    pub when: Option<Condition>,
    /// What is done with each value, in this order.
    pub steps: Vec<Step>,
    /// Type at the target; `None`: what the steps give.
    pub data_type: Option<DataType>,
    /// What stands in for an absent value.
    pub default: Option<DefaultValue>,
    /// Whether a row without a value is rejected.
    pub required: bool,
    /// Title for people.
    pub title: Option<String>,
}

/// Where the values of a field come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A column.
    Column(String),
    /// Several columns; the first step makes one value of them.
    Columns(Vec<String>),
    /// The same value in every row.
    Constant(String),
}

/// Which rows have a value: `{ column = "ZT", equals = "1" }`, `{ column = "ZT", in = ["1", "2"] }` or
/// `{ column = "SWRQ", blank = false }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column of the source that is looked at.
    pub column: String,
    /// It has this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// It has one of these texts.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<String>>,
    /// It is absent or blank (`true`), or is not (`false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank: Option<bool>,
}

/// What stands in for an absent value, and why that is right. How often it did is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    /// The value, spelled as text of the field's type.
    pub value: String,
    /// Why, for the receipt.
    pub reason: String,
}

/// What happens to columns of the source that no field is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// They are left out, and the receipt lists them.
    #[default]
    Drop,
    /// They are delivered under their own names, after the listed ones.
    Keep,
    /// They are an error before anything is read.
    Refuse,
    /// They are kept together in one field of this name, the last one, as JSON text.
    Extension(String),
}

/// A mapping as it is written in a file of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingText {
    /// The fields by name; their order is that of their places in the text.
    #[serde(default)]
    pub fields: BTreeMap<Spanned<String>, Spanned<FieldText>>,
    /// What happens to other columns.
    #[serde(default)]
    pub unlisted: Unlisted,
}

impl Mapping {
    /// Reads a mapping file known as `name`: a table `[fields]`, and `unlisted`.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with line and column: `mapping.toml` for what is no TOML, an unknown name (the nearest is named)
    /// or a step that cannot be; `mapping.field` and `type.unknown` for a field that contradicts itself.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let located = Located::new(name, text);
        MappingText::read(&located, text)?.mapping(&located)
    }

    /// The columns of the source that are needed, `None` for all.
    #[must_use]
    pub fn wanted(&self) -> Option<Vec<String>> {
        if self.fields.is_empty() || self.takes_all() {
            return None;
        }
        Some(self.used())
    }

    /// Columns of `source` that are left out.
    #[must_use]
    pub fn left_out(&self, source: &Schema) -> Vec<String> {
        match self.wanted() {
            None => Vec::new(),
            Some(wanted) => source
                .fields()
                .iter()
                .map(|f| f.name().clone())
                .filter(|name| !wanted.contains(name))
                .collect(),
        }
    }

    /// The columns that fields are made from.
    pub(crate) fn used(&self) -> Vec<String> {
        let mut used: Vec<String> = Vec::new();
        for name in self.fields.iter().flat_map(FieldMapping::columns) {
            if !used.iter().any(|known| known == name) {
                used.push(name.to_owned());
            }
        }
        used
    }

    fn takes_all(&self) -> bool {
        matches!(self.unlisted, Unlisted::Keep | Unlisted::Extension(_))
    }

    /// The places of datasets that steps look into; [`Context::lookups`] must have them.
    #[must_use]
    pub fn lookups(&self) -> Vec<&str> {
        distinct(self.operations().filter_map(|operation| match operation {
            Operation::Lookup { place, .. } => Some(place.as_str()),
            _ => None,
        }))
    }

    /// The field whose step looks into a dataset, or needs a key, of this name.
    #[must_use]
    pub fn field_with(&self, resource: &str) -> Option<&str> {
        let names = |step: &Step| match &step.operation {
            Operation::Lookup { place, .. } => place == resource,
            Operation::Hash { key, .. } => key == resource,
            _ => false,
        };
        let field = self.fields.iter().find(|field| field.steps.iter().any(names));
        field.map(|field| field.name.as_str())
    }

    /// The names of keys that steps need; [`Context::secrets`] must have them.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        distinct(self.operations().filter_map(|operation| match operation {
            Operation::Hash { key, .. } => Some(key.as_str()),
            _ => None,
        }))
    }

    /// Whether every code table that a step names is among these or built in.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `mapping.table` and the field; the nearest name is named.
    pub fn find_tables(&self, tables: &[CodeTable]) -> Result<()> {
        for field in &self.fields {
            for (number, step) in field.steps.iter().enumerate() {
                let (Operation::Code(Codes::Table(name)) | Operation::Code(Codes::Titles(name))) =
                    &step.operation
                else {
                    continue;
                };
                table_of(name, tables).map_err(|error| {
                    at_step(error, number, field.steps.len()).at_field(&field.name)
                })?;
            }
        }
        Ok(())
    }

    fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.fields.iter().flat_map(|field| field.steps.iter().map(|step| &step.operation))
    }

    /// One line a field, in plain words.
    #[must_use]
    pub fn explain(&self) -> Vec<String> {
        self.fields.iter().map(|field| format!("{}: {}", field.name, field.explain())).collect()
    }

    /// SHA-256 of the canonical form in hexadecimal digits: the same for two texts that say the same.
    /// It does not cover code tables, lookups and keys, which are not part of the mapping.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.canonical()))
    }

    /// The canonical form: JSON of the fields as they would be written, without defaults.
    #[must_use]
    pub fn canonical(&self) -> String {
        #[derive(Serialize)]
        struct Canonical<'a> {
            fields: Vec<(&'a str, FieldText)>,
            unlisted: &'a Unlisted,
        }
        let fields = self.fields.iter().map(|field| (field.name.as_str(), field.written()));
        let canonical = Canonical { fields: fields.collect(), unlisted: &self.unlisted };
        // Text, lists and numbers have a JSON form.
        serde_json::to_string(&canonical).unwrap_or_default()
    }

    /// Checks the mapping against the schema of a source and compiles it.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with the field: `mapping.unknown` for a column that the source does not have (the nearest
    /// is named), `mapping.unlisted` for one that nobody named, `mapping.type` for a type that a step or the field cannot
    /// take, `mapping.table`, `mapping.lookup`, `mapping.key` for what the context does not have, `mapping.default`.
    pub fn bind(&self, source: &SchemaRef, context: &Context) -> Result<Mapper> {
        bind::bind(self, source, context)
    }
}

impl MappingText {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `mapping.toml`, line and column.
    pub fn read(located: &Located, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let wrong = located.reader(error.span(), "mapping.toml", error.message());
            match error.span().and_then(|span| field_at(text, &span)) {
                Some(field) => wrong.at_field(field),
                None => wrong,
            }
        })
    }

    /// Where in the text a field is.
    #[must_use]
    pub fn place(&self, field: &str) -> Option<std::ops::Range<usize>> {
        let named = self.fields.iter().find(|(name, _)| name.get_ref() == field);
        named.map(|(name, _)| name.span())
    }

    /// The mapping, its fields in the order of the text.
    ///
    /// # Errors
    /// As [`Mapping::parse`].
    pub fn mapping(&self, located: &Located) -> Result<Mapping> {
        let mut listed: Vec<_> = self.fields.iter().collect();
        listed.sort_by_key(|(name, _)| name.span().start);
        let mut fields = Vec::with_capacity(listed.len());
        for (name, field) in listed {
            let named = field.get_ref().named(name.get_ref());
            fields.push(named.map_err(|error| located.here(field.span(), error))?);
        }
        Ok(Mapping { fields, unlisted: self.unlisted.clone() })
    }
}

impl FieldMapping {
    /// A field that is a column as it is, under another name.
    pub fn renamed(name: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            origin: Origin::Column(from.into()),
            when: None,
            steps: Vec::new(),
            data_type: None,
            default: None,
            required: false,
            title: None,
        }
    }

    /// The columns that it is made from, that of its condition included.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let own: &[String] = match &self.origin {
            Origin::Column(name) => std::slice::from_ref(name),
            Origin::Columns(names) => names,
            Origin::Constant(_) => &[],
        };
        let when = self.when.as_ref().map(|when| when.column.as_str());
        own.iter().map(String::as_str).chain(when)
    }

    /// How it is made, in plain words.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut parts = vec![match &self.origin {
            Origin::Column(name) => format!("from {name}"),
            Origin::Columns(names) => format!("from {}", names.join(", ")),
            Origin::Constant(value) => format!("always {value}"),
        }];
        parts.extend(self.when.as_ref().map(Condition::explain));
        parts.extend(self.steps.iter().map(ToString::to_string));
        parts.extend(self.data_type.as_ref().and_then(type_name).map(|name| format!("as {name}")));
        parts
            .extend(self.default.as_ref().map(|d| format!("{} if absent ({})", d.value, d.reason)));
        parts.extend(self.required.then(|| "required".to_owned()));
        parts.join("; ")
    }
}

impl Condition {
    fn explain(&self) -> String {
        let Self { column, equals, one_of, blank } = self;
        match (equals, one_of, blank) {
            (Some(text), ..) => format!("where {column} is {text}"),
            (_, Some(texts), _) => format!("where {column} is one of {}", texts.join(", ")),
            (.., Some(false)) => format!("where {column} has a value"),
            _ => format!("where {column} is blank"),
        }
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    known
}
