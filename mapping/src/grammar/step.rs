//! The shape of a step as it is written, and back.

use std::collections::BTreeMap;
use std::fmt;

use fenhe_core::nearest;
use fenhe_values::Pattern;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::value::{Century, Plain, Spellings};
use crate::step::{
    Algorithm, Codes, Derived, Mask, Operation, Otherwise, Side, Spelling, Step, Unit,
};

/// Steps that need no more than their name.
const WORDS: [&str; 11] = [
    "trim",
    "half_width",
    "full_width",
    "upper",
    "lower",
    "absent",
    "first",
    "date",
    "plain_id",
    "upgrade_id",
    "join",
];

/// Declares the table of a step: which keys name an operation and which belong to one.
macro_rules! table {
    ($( $kind:ident $key:ident $(as $name:literal)?: $type:ty; )*) => {
        /// A step written as a table.
        #[derive(Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            $(
                #[serde(default, $(rename = $name,)? skip_serializing_if = "Option::is_none")]
                $key: Option<$type>,
            )*
        }

        impl Table {
            /// The keys that are there, those of operations and those of options.
            fn keys(&self) -> Keys {
                let mut keys = Keys::default();
                $(
                    if self.$key.is_some() {
                        keys.$kind.push(stringify!($key).trim_end_matches('_'));
                    }
                )*
                keys
            }
        }
    };
}

table! {
    operation trim: Side;
    operation half_width: Plain;
    operation full_width: Plain;
    operation upper: Plain;
    operation lower: Plain;
    operation absent: Vec<String>;
    operation replace: String;
    operation match_ as "match": String;
    operation extract: String;
    operation split: String;
    operation cut: [u32; 2];
    operation join: String;
    operation first: Plain;
    operation date: Spellings;
    operation unit: Unit;
    operation scale: String;
    operation code: Codes;
    operation lookup: String;
    operation plain_id: Plain;
    operation upgrade_id: Plain;
    operation derive: Derived;
    operation mask: Mask;
    operation hash: Algorithm;
    option otherwise: Otherwise;
    option with: String;
    option part: i32;
    option pivot: u8;
    option to: Unit;
    option by: String;
    option give: String;
    option century: Century;
    option key: String;
}

/// The digits of the last day of spreadsheets, 2958465.
const SERIAL_DIGITS: usize = 7;

/// The keys of a step.
#[derive(Default)]
struct Keys {
    operation: Vec<&'static str>,
    option: Vec<&'static str>,
}

impl Table {
    /// The step, or why it is none.
    fn step(mut self) -> Result<Step, String> {
        let keys = self.keys();
        let name = match keys.operation.as_slice() {
            [name] => *name,
            [] => return Err("a step names an operation, such as trim or date".into()),
            several => {
                return Err(format!("one step does one thing, this one {}", several.join(" and ")));
            }
        };
        let otherwise = self.otherwise.take().unwrap_or_default();
        let operation = self.operation(name)?;
        check(&operation, &otherwise)?;
        // What is left in the table belongs to no such operation.
        match self.keys().option.first() {
            Some(option) => Err(format!("{name} has no {option}")),
            None => Ok(Step { operation, otherwise }),
        }
    }

    fn operation(&mut self, name: &str) -> Result<Operation, String> {
        fn need<T>(value: Option<T>, step: &str, key: &str) -> Result<T, String> {
            value.ok_or_else(|| format!("{step} needs {key}"))
        }
        let text = |value: &mut Option<String>| value.take().unwrap_or_default();
        Ok(match name {
            "trim" => Operation::Trim(self.trim.take().unwrap_or_default()),
            "half_width" => Operation::HalfWidth,
            "full_width" => Operation::FullWidth,
            "upper" => Operation::Upper,
            "lower" => Operation::Lower,
            "absent" => Operation::Absent(self.absent.take().unwrap_or_default()),
            "replace" => Operation::Replace {
                text: some_text(text(&mut self.replace), "replace")?,
                with: need(self.with.take(), name, "with")?,
            },
            "match" => Operation::Match(regex(text(&mut self.match_))?),
            "extract" => Operation::Extract(regex(text(&mut self.extract))?),
            "split" => Operation::Split {
                by: some_text(text(&mut self.split), "split")?,
                part: match need(self.part.take(), name, "part")? {
                    0 => return Err("parts are counted from 1, or from -1 at the end".into()),
                    part => part,
                },
            },
            "cut" => match self.cut.take().unwrap_or_default() {
                [first, last] if first >= 1 && first <= last => Operation::Cut { first, last },
                _ => return Err("cut = [FIRST, LAST] counts characters from 1".into()),
            },
            "join" => Operation::Join(text(&mut self.join)),
            "first" => Operation::First,
            "date" => {
                let spellings = self.date.take().map_or(vec![Spelling::Usual], |s| s.0);
                let pivot = self.pivot.take();
                dates(&spellings, pivot)?;
                Operation::Date { spellings, pivot }
            }
            "unit" => Operation::Unit {
                from: need(self.unit.take(), name, "a unit")?,
                to: need(self.to.take(), name, "to")?,
            },
            "scale" => Operation::Scale(factor(text(&mut self.scale))?),
            "code" => Operation::Code(self.codes()?),
            "lookup" => Operation::Lookup {
                place: some_text(text(&mut self.lookup), "lookup")?,
                by: need(self.by.take(), name, "by")?,
                give: need(self.give.take(), name, "give")?,
            },
            "plain_id" => Operation::PlainId,
            "upgrade_id" => Operation::UpgradeId {
                assume_century: matches!(self.century.take(), Some(Century::Assume)),
            },
            "derive" => Operation::Derive(need(self.derive.take(), name, "what")?),
            "mask" => Operation::Mask(need(self.mask.take(), name, "what")?),
            "hash" => Operation::Hash {
                algorithm: need(self.hash.take(), name, "a name")?,
                key: key(need(self.key.take(), name, "key")?)?,
            },
            other => return Err(format!("there is no step {other}")),
        })
    }

    fn codes(&mut self) -> Result<Codes, String> {
        let codes = self.code.take().unwrap_or_else(|| Codes::Pairs(BTreeMap::new()));
        match (codes, self.give.take().as_deref()) {
            (Codes::Pairs(pairs), None) if pairs.is_empty() => {
                Err("code needs pairs or the name of a table".into())
            }
            (Codes::Table(name), Some("title")) => Ok(Codes::Titles(name)),
            (codes, None) => Ok(codes),
            (codes @ Codes::Table(_), Some("code")) => Ok(codes),
            _ => Err("give = \"title\" or \"code\" belongs to the name of a table".into()),
        }
    }
}

/// Refuses ways out that the operation does not have.
fn check(operation: &Operation, otherwise: &Otherwise) -> Result<(), String> {
    use Operation as O;
    let fails = matches!(
        operation,
        O::Match(_)
            | O::Extract(_)
            | O::Split { .. }
            | O::Date { .. }
            | O::Unit { .. }
            | O::Scale(_)
            | O::Code(_)
            | O::Lookup { .. }
            | O::PlainId
            | O::UpgradeId { .. }
            | O::Derive(_)
    );
    let typed = matches!(
        operation,
        O::Date { .. } | O::Unit { .. } | O::Scale(_) | O::Derive(Derived::BirthDate)
    );
    match otherwise {
        Otherwise::Reject => Ok(()),
        _ if !fails => Err("this step takes every value, so otherwise says nothing".into()),
        Otherwise::Keep if typed => {
            Err("text cannot be kept where a date or a number is made".into())
        }
        Otherwise::Value(_) if typed => {
            Err("give a date or number that stands in as default, and otherwise = \"null\"".into())
        }
        _ => Ok(()),
    }
}

fn some_text(text: String, step: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("{step} needs a text that is not empty")) } else { Ok(text) }
}

fn regex(pattern: String) -> Result<String, String> {
    match crate::work::regex(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => {
            let reason = error.to_string();
            let line = reason.lines().last().unwrap_or_default();
            Err(format!("the pattern cannot be used: {}", line.trim_start_matches("error: ")))
        }
    }
}

fn factor(text: String) -> Result<String, String> {
    match crate::work::Factor::parse(&text) {
        Some(_) => Ok(text),
        None => Err("a factor is a decimal other than 0, such as \"0.01\"".into()),
    }
}

fn key(place: String) -> Result<String, String> {
    match place.split_once(':') {
        Some(("env" | "file", name)) if !name.is_empty() => Ok(place),
        _ => Err("a key is named by env:NAME or file:PATH, and never written here".into()),
    }
}

fn dates(spellings: &[Spelling], pivot: Option<u8>) -> Result<(), String> {
    if spellings.is_empty() {
        return Err("date needs a spelling".into());
    }
    let (mut short, mut serials) = (false, false);
    for spelling in spellings {
        serials |= *spelling == Spelling::Excel;
        let Spelling::Pattern(text) = spelling else { continue };
        // 260102 is a day of 2612 to a spreadsheet: the pattern would never see it.
        if serials && text.len() <= SERIAL_DIGITS && text.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(format!("excel takes the digits of {text} before it: put {text} first"));
        }
        let other = |why: String| match nearest(text, ["usual", "excel"]) {
            Some(near) => format!("there is no spelling {text}; did you mean {near}?"),
            None => why,
        };
        let pattern =
            Pattern::new(text, pivot.unwrap_or(0)).map_err(|bad| other(bad.to_string()))?;
        if !pattern.has_date() {
            let why = format!("the pattern {text} has no date; others are usual and excel");
            return Err(other(why));
        }
        short |= text.replace("YYYY", "").contains("YY");
    }
    match (short, pivot) {
        (true, None) => Err("two-digit years need pivot: years below it are 20YY".into()),
        (false, Some(_)) => Err("pivot belongs to a pattern with two-digit years".into()),
        (_, Some(100..)) => Err("pivot is 0 to 99".into()),
        _ => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a step, or a table with it")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Step, E> {
                if !WORDS.contains(&word) {
                    return Err(E::unknown_variant(word, &WORDS));
                }
                let operation = Table::default().operation(word).map_err(E::custom)?;
                Ok(Step::new(operation))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                table.step().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = Table::default();
        match self.operation.clone() {
            Operation::Trim(side) => table.trim = Some(side),
            Operation::HalfWidth => table.half_width = Some(Plain),
            Operation::FullWidth => table.full_width = Some(Plain),
            Operation::Upper => table.upper = Some(Plain),
            Operation::Lower => table.lower = Some(Plain),
            Operation::Absent(words) => table.absent = Some(words),
            Operation::Replace { text, with } => {
                (table.replace, table.with) = (Some(text), Some(with));
            }
            Operation::Match(pattern) => table.match_ = Some(pattern),
            Operation::Extract(pattern) => table.extract = Some(pattern),
            Operation::Split { by, part } => (table.split, table.part) = (Some(by), Some(part)),
            Operation::Cut { first, last } => table.cut = Some([first, last]),
            Operation::Join(by) => table.join = Some(by),
            Operation::First => table.first = Some(Plain),
            Operation::Date { spellings, pivot } => {
                (table.date, table.pivot) = (Some(Spellings(spellings)), pivot);
            }
            Operation::Unit { from, to } => (table.unit, table.to) = (Some(from), Some(to)),
            Operation::Scale(factor) => table.scale = Some(factor),
            Operation::Code(Codes::Titles(name)) => {
                (table.code, table.give) = (Some(Codes::Table(name)), Some("title".into()));
            }
            Operation::Code(codes) => table.code = Some(codes),
            Operation::Lookup { place, by, give } => {
                (table.lookup, table.by, table.give) = (Some(place), Some(by), Some(give));
            }
            Operation::PlainId => table.plain_id = Some(Plain),
            Operation::UpgradeId { assume_century } => {
                table.upgrade_id = Some(Plain);
                table.century = assume_century.then_some(Century::Assume);
            }
            Operation::Derive(what) => table.derive = Some(what),
            Operation::Mask(mask) => table.mask = Some(mask),
            Operation::Hash { algorithm, key } => {
                (table.hash, table.key) = (Some(algorithm), Some(key));
            }
        }
        table.otherwise = Some(self.otherwise.clone()).filter(|other| *other != Otherwise::Reject);
        table.serialize(serializer)
    }
}
