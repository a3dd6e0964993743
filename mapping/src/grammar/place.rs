//! Which field of a text an error of its reader is about.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The field, of any table `fields` in the text, that holds this place.
#[must_use]
pub fn field_at(text: &str, place: &Range<usize>) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    in_table(table.get_ref(), place.start, false)
}

fn in_table(table: &DeTable<'_>, at: usize, fields: bool) -> Option<String> {
    table.iter().find_map(|(name, value)| {
        if fields {
            let here = name.span().contains(&at) || holds(value, at);
            return here.then(|| name.get_ref().to_string());
        }
        match value.get_ref() {
            DeValue::Table(inner) => in_table(inner, at, name.get_ref() == "fields"),
            DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
                DeValue::Table(inner) => in_table(inner, at, false),
                _ => None,
            }),
            _ => None,
        }
    })
}

/// Whether a value, or something in it, stands there: a table under a header has the place of the header alone.
fn holds(value: &Spanned<DeValue<'_>>, at: usize) -> bool {
    value.span().contains(&at)
        || match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().any(|(key, value)| key.span().contains(&at) || holds(value, at))
            }
            DeValue::Array(items) => items.iter().any(|item| holds(item, at)),
            _ => false,
        }
}
