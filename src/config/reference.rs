//! `[reference.NAME]`: keys of other datasets, which rules of contracts refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use fenhe_contract::Contract;
use fenhe_core::{Error, Kind, Result, nearest};
use fenhe_mapping::Mapping;
use serde::Deserialize;
use toml::Spanned;

use super::ExchangeConfig;
use super::build::Settings;
use super::grammar::{FlowText, Table};
use crate::contract::{references, rules_of};
use crate::keys::Reference;
use crate::place::Place;
use crate::registry::{Opening, Registry};

/// One `[reference.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceText {
    from: Spanned<String>,
    /// The column of the key, where it is one.
    field: Option<Spanned<String>>,
    /// The columns of the key.
    key: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    read: Table,
}

impl ReferenceText {
    fn columns(&self) -> Vec<&str> {
        match (&self.field, &self.key) {
            (Some(field), _) => vec![field.get_ref()],
            (None, Some(key)) => key.get_ref().iter().map(String::as_str).collect(),
            (None, None) => Vec::new(),
        }
    }

    fn key_span(&self) -> Range<usize> {
        let field = self.field.as_ref().map(Spanned::span);
        let key = || self.key.as_ref().map(Spanned::span);
        field.or_else(key).unwrap_or_else(|| self.from.span())
    }
}

impl ExchangeConfig {
    /// Keys of other datasets: name, place and columns of each.
    pub fn references(&self) -> impl Iterator<Item = (&str, String, Vec<&str>)> {
        self.text.reference.iter().map(|(name, text)| {
            let place = Place::relative_to(text.from.get_ref(), &self.base);
            (name.get_ref().as_str(), place.text(), text.columns())
        })
    }

    /// What can be said about references without reading them.
    pub(super) fn check_references(&self, registry: &Registry) -> Result<()> {
        for text in self.text.reference.values() {
            let wrong = |message: &str| {
                let error = self.source.at(text.key_span(), "exchange.reference", message);
                Err(error.hint("field = \"...\", or key = [\"...\", \"...\"] for several columns"))
            };
            match (&text.field, &text.key) {
                (Some(_), Some(_)) => return wrong("a reference has either field or key"),
                (None, None) => return wrong("which column the keys are in is not said"),
                (None, Some(key)) if key.get_ref().is_empty() => {
                    return wrong("a key needs one column or more");
                }
                _ => {}
            }
            let opening = self.reference_opening(text, 1)?;
            let place = Place::relative_to(text.from.get_ref(), &self.base);
            registry.known(&place, &opening).map_err(|error| {
                self.source.here(self.place_of(&error, &text.read, &text.from), error)
            })?;
        }
        Ok(())
    }

    /// Every rule of a contract that needs keys finds them here, with as many columns as it has fields.
    pub(super) fn referred(
        &self,
        flow: &FlowText,
        contract: Option<&Contract>,
        mapping: &Mapping,
    ) -> Result<()> {
        let (Some(contract), Some(file)) = (contract, &flow.contract) else { return Ok(()) };
        for rule in references(&rules_of(contract, mapping)) {
            let known = self.text.reference.iter().find(|(name, _)| *name.get_ref() == rule.to);
            let Some((_, text)) = known else {
                return Err(self.no_reference(file.span(), contract, rule));
            };
            let (asked, given) = (rule.fields.len(), text.columns().len());
            if asked != given {
                let message = format!(
                    "the key of {} has {given} columns, and the rule on {} compares {asked}",
                    rule.to,
                    rule.fields.join(", ")
                );
                return Err(self.source.at(text.key_span(), "exchange.reference", message));
            }
        }
        Ok(())
    }

    fn no_reference(
        &self,
        span: Range<usize>,
        contract: &Contract,
        rule: &fenhe_rules::rule::Reference,
    ) -> Error {
        let message = format!(
            "contract {} looks {} up in the keys of {}, and there is no [reference.{}]",
            contract.name(),
            rule.fields.join(", "),
            rule.to,
            rule.to
        );
        let error = self.source.at(span, "exchange.reference", message);
        let names = self.text.reference.keys().map(|name| name.get_ref().as_str());
        match nearest(&rule.to, names) {
            Some(near) => error.hint(format!("there is [reference.{near}]: is that meant?")),
            None => error.hint("it names the place of the keys: from, and field or key"),
        }
    }

    /// Reads the keys that rules of this exchange refer to, each once.
    pub(super) async fn read_references(
        &self,
        registry: &Registry,
        settings: &Settings,
    ) -> Result<BTreeMap<String, Reference>> {
        let mut needed = BTreeSet::new();
        for flow in self.text.flow.iter().map(Spanned::get_ref) {
            if let Some(contract) = self.contract(flow)? {
                let rules = rules_of(&contract, &self.mapping(flow)?);
                needed.extend(references(&rules).map(|rule| rule.to.clone()));
            }
        }
        let mut left = self.limits().key_memory;
        let mut read = BTreeMap::new();
        for (name, text) in &self.text.reference {
            if !needed.contains(name.get_ref()) {
                continue;
            }
            let reference = self.read_reference(text, left, registry, settings).await;
            let reference = reference.map_err(|error| match error.code() {
                "core.limit" => error.hint(format!(
                    "the keys of {} do not fit beside those before them: raise key_memory under [limits]",
                    name.get_ref()
                )),
                _ => error,
            })?;
            left = left.saturating_sub(reference.keys.memory());
            read.insert(name.get_ref().clone(), reference);
        }
        Ok(read)
    }

    fn reference_opening(&self, text: &ReferenceText, threads: usize) -> Result<Opening> {
        let side = self.side(&text.read)?;
        let format = side.format.map(|(name, _)| name);
        let threads = self.text.threads.as_ref().map_or(threads, |threads| *threads.get_ref());
        Ok(Opening { format, options: side.options, threads, limits: self.limits(), append: false })
    }

    async fn read_reference(
        &self,
        text: &ReferenceText,
        memory: u64,
        registry: &Registry,
        settings: &Settings,
    ) -> Result<Reference> {
        let opening = self.reference_opening(text, settings.threads)?;
        let place = Place::relative_to(text.from.get_ref(), &self.base);
        let here = |error: Error| {
            let span = match error.kind() {
                Kind::NotFound if error.field().is_some() => text.key_span(),
                _ => self.place_of(&error, &text.read, &text.from),
            };
            self.source.here(span, error)
        };
        let source = registry.source(&place, &opening).await.map_err(here)?;
        Reference::read(&source.input, &text.columns(), memory, &self.limits()).await.map_err(here)
    }
}
