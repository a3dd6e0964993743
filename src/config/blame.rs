//! Which line of a configuration an error is about.

use std::ops::Range;

use fenhe_core::{Error, Kind};
use toml::Spanned;

use super::ExchangeConfig;
use super::grammar::{FlowText, Table};

type Span = Range<usize>;

impl ExchangeConfig {
    /// An error of a flow, with the line of the configuration (or of its mapping file) that it is about if there is one:
    /// errors about fields and tables show up only with the systems at hand.
    pub fn blame(&self, flow: &str, error: Error) -> Error {
        let text = self.text.flow.iter().find(|text| text.get_ref().name.get_ref() == flow);
        let Some(text) = text.map(Spanned::get_ref) else { return error };
        if error.source_name_of() == Some(self.source.name()) && error.line().is_some() {
            return error;
        }
        if let Ok(Some((located, written))) = self.mapping_file(text)
            && let Some(span) = error.field().and_then(|field| written.place(field))
        {
            return located.here(span, error);
        }
        match self.about(text, &error) {
            Some(span) => self.source.here(span, error),
            None => error,
        }
    }

    fn about(&self, text: &FlowText, error: &Error) -> Option<Span> {
        let named = text.fields.keys().find(|name| Some(name.get_ref().as_str()) == error.field());
        if let Some(field) = named {
            return Some(field.span());
        }
        let about_mapping =
            || text.mapping.as_ref().map_or_else(|| text.from.span(), Spanned::span);
        match error.code() {
            "engine.guarantee" => Some(self.guarantee_span(text)),
            "exchange.key" | "sql.key" => {
                Some(span_of("key", &text.write).unwrap_or_else(|| text.to.span()))
            }
            "core.column" => Some(
                option_with(error.message(), &text.write)
                    .or_else(|| option_with(error.message(), &text.read))
                    .unwrap_or_else(|| text.from.span()),
            ),
            "sql.name" => Some(text.to.span()),
            "files.dataset" | "sql.table" => Some(text.from.span()),
            code if code.starts_with("mapping.") => Some(about_mapping()),
            code if code.starts_with("contract.") => {
                Some(text.contract.as_ref().map_or_else(about_mapping, Spanned::span))
            }
            _ if error.kind() == Kind::Config => {
                option_in(error, &text.write).or_else(|| option_in(error, &text.read))
            }
            _ => None,
        }
    }

    /// Where the guarantee that holds for a flow is asked for.
    pub(super) fn guarantee_span(&self, text: &FlowText) -> Span {
        let asked = text.guarantee.as_ref().or(self.text.guarantee.as_ref());
        asked.map_or_else(|| text.to.span(), Spanned::span)
    }

    /// The place that an error of opening is about: an option, else the place itself.
    pub(super) fn place_of(&self, error: &Error, table: &Table, place: &Spanned<String>) -> Span {
        let format = span_of("format", table).filter(|_| error.code() == "registry.format");
        format.or_else(|| option_in(error, table)).unwrap_or_else(|| place.span())
    }
}

/// The option that an error is about: named as its field, as the file that it points into, or in its message.
pub(super) fn option_in(error: &Error, table: &Table) -> Option<Span> {
    let by_name = |name: &str| table.keys().find(|key| key.get_ref() == name).map(Spanned::span);
    let by_file = |file: &str| {
        let named = |value: &toml::Value| value.as_str() == Some(file);
        table.iter().find(|(_, value)| named(value.get_ref())).map(|(key, _)| key.span())
    };
    error
        .field()
        .and_then(by_name)
        .or_else(|| error.source_name_of().and_then(by_file))
        .or_else(|| key_in(error.message(), table))
}

/// The option whose value a message names.
fn option_with(message: &str, table: &Table) -> Option<Span> {
    let named = |value: &toml::Value| match value {
        toml::Value::String(text) => {
            text.split(',').any(|part| message.ends_with(&format!(" {part}")))
        }
        toml::Value::Array(items) => items
            .iter()
            .filter_map(toml::Value::as_str)
            .any(|part| message.ends_with(&format!(" {part}"))),
        _ => false,
    };
    table.iter().find(|(_, value)| named(value.get_ref())).map(|(_, value)| value.span())
}

/// The option that a message names.
fn key_in(message: &str, table: &Table) -> Option<Span> {
    let words: Vec<&str> = message
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let named = |key: &&Spanned<String>| {
        key.get_ref() != "format" && words.contains(&key.get_ref().as_str())
    };
    table.keys().find(named).map(Spanned::span)
}

/// Where the value of an option stands.
pub(super) fn span_of(key: &str, table: &Table) -> Option<Span> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value.span())
}
