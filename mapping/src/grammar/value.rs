//! The values of the keys of a step that are more than a text or a number.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::step::{Codes, Mask, Spelling};

/// The value of an operation that has no argument: `{ plain_id = true }`.
pub(super) struct Plain;

/// What is done with numbers that leave the century open.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Century {
    Assume,
    Reject,
}

/// One spelling of dates or several.
pub(super) struct Spellings(pub(super) Vec<Spelling>);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(Self),
            false => Err(de::Error::custom("leave the step out instead")),
        }
    }
}

impl Serialize for Plain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Spellings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Spellings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("usual, excel or a pattern, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<Spellings, E> {
                Ok(Spellings(vec![Spelling::from(text)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Spellings, A::Error> {
                let mut spellings = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    spellings.push(Spelling::from(text.as_str()));
                }
                Ok(Spellings(spellings))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Spellings {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|spelling| match spelling {
            Spelling::Usual => "usual",
            Spelling::Excel => "excel",
            Spelling::Pattern(text) => text,
        }))
    }
}

impl From<&str> for Spelling {
    fn from(text: &str) -> Self {
        match text {
            "usual" => Self::Usual,
            "excel" => Self::Excel,
            pattern => Self::Pattern(pattern.into()),
        }
    }
}

impl<'de> Deserialize<'de> for Codes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Codes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a code table, or a table of pairs")
            }

            fn visit_str<E>(self, name: &str) -> Result<Codes, E> {
                Ok(Codes::Table(name.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Codes, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Codes::Pairs)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Codes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pairs(pairs) => pairs.serialize(serializer),
            Self::Table(name) | Self::Titles(name) => name.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Mask;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("name, id, phone, bank_card or address, or [FIRST, LAST] that stay")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Mask, E> {
                const MASKS: [&str; 5] = ["name", "id", "phone", "bank_card", "address"];
                Ok(match word {
                    "name" => Mask::Name,
                    "id" => Mask::Id,
                    "phone" => Mask::Phone,
                    "bank_card" => Mask::BankCard,
                    "address" => Mask::Address,
                    other => return Err(E::unknown_variant(other, &MASKS)),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Mask, A::Error> {
                let (start, end) = (list.next_element()?, list.next_element()?);
                match (start, end, list.next_element::<u32>()?) {
                    (Some(start), Some(end), None) => Ok(Mask::Keep(start, end)),
                    _ => Err(de::Error::custom("two numbers say how much stays at each end")),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Mask {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep(start, end) => [start, end].serialize(serializer),
            mask => mask.as_str().serialize(serializer),
        }
    }
}
