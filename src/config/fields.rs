//! `[flow.fields]` and `mapping`: how the fields of a flow are made.

use std::ops::Range;

use fenhe_core::{Error, Kind, Located, Result};
use fenhe_mapping::{Mapping, MappingText};

use super::grammar::FlowText;
use super::{ExchangeConfig, LARGEST};

/// Where the mapping of a flow stands in the configuration.
pub(super) fn mapping_span(text: &FlowText) -> Range<usize> {
    let first = text.fields.keys().map(toml::Spanned::span).min_by_key(|span| span.start);
    match (&text.mapping, first) {
        (Some(file), _) => file.span(),
        (None, Some(field)) => field,
        (None, None) => text.from.span(),
    }
}

impl ExchangeConfig {
    /// How the fields of each flow are made.
    ///
    /// # Errors
    /// Those of reading a mapping, with line and column.
    pub fn mappings(&self) -> Result<Vec<(&str, Mapping)>> {
        let flows = self.text.flow.iter().map(toml::Spanned::get_ref);
        flows.map(|flow| Ok((flow.name.get_ref().as_str(), self.mapping(flow)?))).collect()
    }

    /// The mapping of a flow, written in the configuration or in a file of its own.
    pub(super) fn mapping(&self, text: &FlowText) -> Result<Mapping> {
        let Some((located, written)) = self.mapping_file(text)? else {
            let unlisted = text.unlisted.as_ref().map(|unlisted| unlisted.get_ref().clone());
            let fields = text.fields.clone();
            let written = MappingText { fields, unlisted: unlisted.unwrap_or_default() };
            return written.mapping(&self.source);
        };
        written.mapping(&located)
    }

    pub(super) fn mapping_file(&self, text: &FlowText) -> Result<Option<(Located, MappingText)>> {
        let Some(name) = &text.mapping else { return Ok(None) };
        let twice = |span, message: &str| Err(self.source.at(span, "exchange.mapping", message));
        if let Some((field, _)) = text.fields.iter().next() {
            return twice(field.span(), "the fields are in the file that mapping names");
        }
        if let Some(unlisted) = &text.unlisted {
            return twice(unlisted.span(), "unlisted belongs into the file that mapping names");
        }
        let path = self.base.join(name.get_ref());
        let content = read(&path).map_err(|error| self.source.here(name.span(), error))?;
        let located = Located::new(&path.display().to_string(), &content);
        let written = MappingText::read(&located, &content)?;
        Ok(Some((located, written)))
    }
}

fn read(path: &std::path::Path) -> Result<String> {
    let named = |error: Error| error.source_name(path.display().to_string());
    let size = std::fs::metadata(path).map_err(|e| named(e.into()))?.len();
    if size > LARGEST {
        return Err(named(Error::limit("mapping", LARGEST, size)));
    }
    let bytes = std::fs::read(path).map_err(|e| named(e.into()))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        named(Error::new(Kind::Config, "exchange.encoding", "the mapping is not UTF-8"))
            .hint("save it as UTF-8")
    })
}
