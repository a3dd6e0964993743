//! The shape of a field as it is written, and back.

mod place;
mod step;
mod value;

use std::fmt;

use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Result};
use fenhe_values::{TYPE_NAMES, parse_type, type_name};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

pub use place::field_at;

use crate::mapping::{Condition, DefaultValue, FieldMapping, Origin};
use crate::step::Step;

/// A field as it is written: the name of a column, or a table. [`named`](Self::named) makes a
/// [`FieldMapping`](crate::FieldMapping) of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldText(pub(crate) Table);

/// A field written as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Columns>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) constant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Condition>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) steps: Vec<Step>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<DefaultValue>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
}

/// One column or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Columns {
    One(String),
    Many(Vec<String>),
}

impl FieldText {
    /// The field of this name. Without `from` and `constant` it is made from the column of its own name.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `mapping.field` for a field that contradicts itself, `type.unknown` for a type
    /// that does not exist (the nearest is named).
    pub fn named(&self, name: &str) -> Result<FieldMapping> {
        let Table { from, constant, when, steps, kind, default, required, title } = self.0.clone();
        let origin = match (from, constant) {
            (Some(_), Some(_)) => return wrong("a field has a column or a constant, not both"),
            (Some(Columns::One(column)), None) => Origin::Column(column),
            (Some(Columns::Many(columns)), None) => Origin::Columns(columns),
            (None, Some(value)) => Origin::Constant(value),
            (None, None) => Origin::Column(name.to_owned()),
        };
        let several = matches!(&origin, Origin::Columns(_));
        let combines = steps.first().is_some_and(Step::combines);
        if matches!(&origin, Origin::Columns(names) if names.is_empty()) {
            return wrong("from names no column");
        }
        if several != combines {
            return wrong(
                "several columns need join or first as the first step, one column has neither",
            );
        }
        if steps.iter().skip(1).any(Step::combines) {
            return wrong("join and first can only be the first step");
        }
        if let Some(when) = &when {
            let conditions = [when.equals.is_some(), when.one_of.is_some(), when.blank.is_some()];
            if conditions.into_iter().filter(|given| *given).count() != 1 {
                return wrong("when has a column and one of equals, in, blank");
            }
        }
        let data_type = kind.as_deref().map(known_type).transpose()?;
        let field = FieldMapping {
            name: name.to_owned(),
            origin,
            when,
            steps,
            data_type,
            default,
            required,
            title,
        };
        Ok(field)
    }
}

impl FieldMapping {
    /// The field as it would be written.
    #[must_use]
    pub fn written(&self) -> FieldText {
        let (from, constant) = match self.origin.clone() {
            Origin::Column(name) => (Some(Columns::One(name)), None),
            Origin::Columns(names) => (Some(Columns::Many(names)), None),
            Origin::Constant(value) => (None, Some(value)),
        };
        FieldText(Table {
            from,
            constant,
            when: self.when.clone(),
            steps: self.steps.clone(),
            kind: self.data_type.as_ref().and_then(type_name),
            default: self.default.clone(),
            required: self.required,
            title: self.title.clone(),
        })
    }
}

impl<'de> Deserialize<'de> for FieldText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = FieldText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or a table with from, steps, type and so on")
            }

            fn visit_str<E>(self, from: &str) -> Result<FieldText, E> {
                let from = Some(Columns::One(from.into()));
                Ok(FieldText(Table { from, ..Table::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldText, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(FieldText)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for FieldText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Columns, E> {
                Ok(Columns::One(name.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Columns, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(Columns::Many)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn wrong<T>(message: &str) -> Result<T> {
    Err(Error::new(Kind::Config, "mapping.field", message))
}

fn known_type(name: &str) -> Result<DataType> {
    parse_type(name).map_err(|unknown| {
        let error = Error::new(Kind::Config, "type.unknown", format!("no type is called {name}"));
        match unknown.near {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("types are {}", TYPE_NAMES.join(", "))),
        }
    })
}
