//! `contract = "..."`: what a flow has to satisfy.

use fenhe_contract::{Contract, Document};
use fenhe_core::Result;
use fenhe_mapping::Mapping;
use toml::Spanned;

use super::ExchangeConfig;
use super::fields::mapping_span;
use super::grammar::FlowText;
use crate::contract::covers;

impl ExchangeConfig {
    /// The contract of each flow that has one.
    ///
    /// # Errors
    /// Those of reading contracts and overlays, at the place that names them.
    pub fn contracts(&self) -> Result<Vec<(&str, Contract)>> {
        let mut contracts = Vec::new();
        for flow in self.text.flow.iter().map(Spanned::get_ref) {
            if let Some(contract) = self.contract(flow)? {
                contracts.push((flow.name.get_ref().as_str(), contract));
            }
        }
        Ok(contracts)
    }

    /// The contract of a flow, or the overlay with its base.
    pub(super) fn contract(&self, text: &FlowText) -> Result<Option<Contract>> {
        let Some(file) = &text.contract else { return Ok(None) };
        let loaded =
            Document::load(&self.base.join(file.get_ref())).and_then(|document| match document {
                Document::Contract(contract) => Ok(*contract),
                Document::Overlay(overlay) => overlay.contract().cloned(),
            });
        loaded.map(Some).map_err(|error| self.source.here(file.span(), error))
    }

    /// The mapping of a flow makes the fields of its contract, and all that are required.
    pub(super) fn covered(
        &self,
        text: &FlowText,
        contract: Option<&Contract>,
        mapping: &Mapping,
    ) -> Result<()> {
        let tables = contract.map(Contract::tables).unwrap_or_default();
        let found = mapping.find_tables(tables).and_then(|()| match contract {
            Some(contract) => covers(contract, mapping),
            None => Ok(()),
        });
        found.map_err(|error| {
            let named = text.fields.keys().find(|n| Some(n.get_ref().as_str()) == error.field());
            let span = named.map_or_else(|| mapping_span(text), Spanned::span);
            self.source.here(span, error)
        })
    }
}
