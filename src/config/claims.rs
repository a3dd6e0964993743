//! The files of an exchange: none of them may destroy another.

use std::ops::Range;

use fenhe_core::Result;
use toml::Spanned;

use super::ExchangeConfig;
use super::build::Target;
use super::grammar::FlowText;
use crate::claims::{Access, Claims};
use crate::place::Place;
use crate::registry::{Registry, SourceEnd};

/// What is claimed, and where the configuration says so.
#[derive(Default)]
pub(super) struct Claimed {
    claims: Claims,
    spans: Vec<Option<Range<usize>>>,
}

impl Claimed {
    /// Notes where the claims made since the last call stand.
    fn stand_at(&mut self, span: Option<Range<usize>>) {
        self.spans.resize(self.claims.len(), span);
    }
}

impl ExchangeConfig {
    /// The files that the exchange itself is read from.
    pub(super) fn claims(&self) -> Claimed {
        let mut claimed = Claimed::default();
        if self.file().is_file() {
            claimed.claims.add("the configuration", &self.file(), Access::Read);
        }
        if let Some(file) = self.key_file() {
            claimed.claims.add("key_file", &file, Access::Read);
        }
        claimed.stand_at(None);
        claimed
    }

    /// Adds the files of a flow.
    pub(super) async fn claim_flow(
        &self,
        text: &FlowText,
        registry: &Registry,
        source: &SourceEnd,
        target: &Target,
        claimed: &mut Claimed,
    ) -> Result<()> {
        let place = Place::relative_to(text.from.get_ref(), &self.base);
        let role = format!("from of {}", text.name.get_ref());
        claimed.claims.add_source(&role, &place, source.files.as_ref()).await?;
        claimed.stand_at(Some(text.from.span()));
        self.claim_written(text, registry, source.format, target, claimed);
        Ok(())
    }

    /// Adds what can be told of a flow without its source.
    pub(super) fn claim_names(
        &self,
        text: &FlowText,
        registry: &Registry,
        format: Option<&str>,
        target: &Target,
        claimed: &mut Claimed,
    ) {
        let place = Place::relative_to(text.from.get_ref(), &self.base);
        claimed.claims.add_place(&format!("from of {}", text.name.get_ref()), &place, Access::Read);
        claimed.stand_at(Some(text.from.span()));
        self.claim_written(text, registry, format, target, claimed);
    }

    fn claim_written(
        &self,
        text: &FlowText,
        registry: &Registry,
        format: Option<&str>,
        target: &Target,
        claimed: &mut Claimed,
    ) {
        let name = text.name.get_ref();
        for (key, file) in [("mapping", &text.mapping), ("contract", &text.contract)] {
            if let Some(file) = file {
                let path = self.base.join(file.get_ref());
                claimed.claims.add(format!("{key} of {name}"), &path, Access::Read);
                claimed.stand_at(Some(file.span()));
            }
        }
        let options = self.side(&text.read).map(|side| side.options).unwrap_or_default();
        for (option, path) in registry.files_named(format.unwrap_or_default(), &options, &self.base)
        {
            claimed.claims.add(format!("{option} of {name}"), &path, Access::Read);
        }
        claimed.stand_at(Some(text.from.span()));
        let place = Place::relative_to(text.to.get_ref(), &self.base);
        claimed.claims.add_target(&format!("to of {name}"), &place, target.end.files.as_ref());
        claimed.stand_at(Some(text.to.span()));
    }

    /// Adds what the exchange writes about itself, and refuses it if one file would destroy another.
    pub(super) fn distinct(&self, mut claimed: Claimed) -> Result<()> {
        let text = &self.text;
        claimed.claims.add("receipt", &self.receipt(), Access::Write);
        claimed.stand_at(text.receipt.as_ref().map(Spanned::span));
        claimed.claims.add("rejects", &self.rejects(), Access::Write);
        claimed.stand_at(text.rejects.as_ref().map(Spanned::span));
        for workbook in self.flows().filter_map(|flow| self.reject_workbook(flow)) {
            claimed.claims.add("workbook of rejects", &workbook, Access::Write);
            claimed.stand_at(text.rejects.as_ref().map(Spanned::span));
        }
        claimed.claims.add("ledger", &self.ledger(), Access::Write);
        claimed.stand_at(text.ledger.as_ref().map(Spanned::span));
        let Some(clash) = claimed.claims.clash() else { return Ok(()) };
        let span = |index: usize| claimed.spans.get(index).cloned().flatten();
        let span = span(clash.second).or_else(|| span(clash.first)).unwrap_or(0..0);
        Err(self.source.here(span, clash.error))
    }
}
