//! The shape of a field as it is written, and back.

mod step;

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::mapping::{Condition, DefaultValue};
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
