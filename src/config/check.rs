//! What can be found out about an exchange without touching its data.

use fenhe_contract::Contract;
use fenhe_core::{Result, nearest};
use fenhe_mapping::{Mapping, Unlisted};
use toml::Spanned;

use super::ExchangeConfig;
use super::blame::span_of;
use super::build::Target;
use super::grammar::FlowText;
use crate::guarantee::Level;
use crate::place::Place;
use crate::registry::{Known, Registry};

impl ExchangeConfig {
    /// Checks everything that can be checked without the data: names of places, formats, options and the files that they
    /// name, types, keys, the guarantee, the key that signs receipts, and that no file would destroy another.
    ///
    /// # Errors
    /// The first error of configuration, with line and column.
    pub fn check(&self, registry: &Registry) -> Result<()> {
        self.check_references(registry)?;
        self.check_key()?;
        let mut claimed = self.claims();
        for flow in self.text.flow.iter().map(Spanned::get_ref) {
            let contract = self.contract(flow)?;
            let mapping = self.mapping(flow)?;
            self.covered(flow, contract.as_ref(), &mapping)?;
            self.referred(flow, contract.as_ref(), &mapping)?;
            let known = self.known(flow, registry)?;
            let target = self.target(flow, contract.as_ref(), registry)?;
            self.key_is_delivered(flow, contract.as_ref(), &mapping, &target)?;
            self.guarantee_is_kept(flow, &known, &target)?;
            self.claim_names(flow, registry, known.format, &target, &mut claimed);
        }
        self.distinct(claimed)
    }

    /// What can be told of the source of a flow by its names and options.
    pub(super) fn known(&self, text: &FlowText, registry: &Registry) -> Result<Known> {
        let place = Place::relative_to(text.from.get_ref(), &self.base);
        registry
            .known(&place, &self.opening(text, 1)?)
            .map_err(|error| self.source.here(self.place_of(&error, &text.read, &text.from), error))
    }

    /// A key is made of fields that are delivered, as far as their names are known.
    fn key_is_delivered(
        &self,
        text: &FlowText,
        contract: Option<&Contract>,
        mapping: &Mapping,
        target: &Target,
    ) -> Result<()> {
        let mut names: Vec<&str> = match contract {
            Some(contract) => contract.fields().iter().map(|field| field.name.as_str()).collect(),
            None => mapping.fields.iter().map(|field| field.name.as_str()).collect(),
        };
        match &mapping.unlisted {
            Unlisted::Keep => return Ok(()),
            Unlisted::Extension(name) => names.push(name),
            Unlisted::Drop | Unlisted::Refuse => {}
        }
        let missing = target.key.iter().find(|name| !names.contains(&name.as_str()));
        let (Some(missing), false) = (missing, names.is_empty()) else { return Ok(()) };
        let span = span_of("key", &text.write).unwrap_or_else(|| text.to.span());
        let error = self.source.at(span, "exchange.key", format!("no field is called {missing}"));
        Err(match nearest(missing, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("fields are {}", names.join(", "))),
        })
    }

    fn guarantee_is_kept(&self, text: &FlowText, known: &Known, target: &Target) -> Result<()> {
        let able = target.end.exchange.info().capability;
        Level::possible(&able, target.mode).map_err(|error| {
            let span = span_of("mode", &text.write).unwrap_or_else(|| text.to.span());
            self.source.here(span, error)
        })?;
        let level = Level::derive(&known.capability, &able, target.mode);
        let kept = level.require(self.guarantee(text));
        kept.map_err(|error| self.source.here(self.guarantee_span(text), error))
    }
}
