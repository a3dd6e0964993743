//! The shape of `exchange.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fenhe_core::{Limits, WriteMode};
use fenhe_mapping::{FieldText, Unlisted};
use serde::Deserialize;
use toml::Spanned;

use super::books::{LedgerText, SourceText};
use super::reference::ReferenceText;
use crate::guarantee::Level;
use crate::pump::{Budget, OnError};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub(super) name: Option<Spanned<String>>,
    pub(super) rejects: Option<Spanned<String>>,
    pub(super) receipt: Option<String>,
    /// Folder of locks and, unless it is named, of the ledger.
    pub(super) state: Option<PathBuf>,
    pub(super) ledger: Option<LedgerText>,
    #[serde(default)]
    pub(super) source: SourceText,
    pub(super) threads: Option<usize>,
    pub(super) guarantee: Option<Level>,
    #[serde(default)]
    pub(super) on_error: OnError,
    pub(super) budget: Option<Budget>,
    pub(super) limits: Option<Limits>,
    /// Keys of other datasets, for rules of contracts.
    #[serde(default)]
    pub(super) reference: BTreeMap<Spanned<String>, ReferenceText>,
    #[serde(default)]
    pub(super) flow: Vec<Spanned<FlowText>>,
}

/// One `[[flow]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowText {
    pub(super) name: Spanned<String>,
    pub(super) from: Spanned<String>,
    #[serde(default = "nowhere")]
    pub(super) to: Spanned<String>,
    /// Several targets of one reading, in place of `to`.
    #[serde(default)]
    pub(super) target: Vec<Spanned<TargetText>>,
    /// Flows of one reading have the same number.
    #[serde(skip)]
    pub(super) group: usize,
    #[serde(default)]
    pub(super) source: SourceText,
    #[serde(default)]
    pub(super) read: Table,
    #[serde(default)]
    pub(super) write: Table,
    #[serde(default)]
    pub(super) fields: BTreeMap<Spanned<String>, Spanned<FieldText>>,
    pub(super) unlisted: Option<Spanned<Unlisted>>,
    /// A file with fields, in their place.
    pub(super) mapping: Option<Spanned<String>>,
    /// File of the contract, or of an overlay.
    pub(super) contract: Option<Spanned<String>>,
    pub(super) guarantee: Option<Spanned<Level>>,
    pub(super) budget: Option<Budget>,
}

/// One `[[flow.target]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetText {
    pub(super) name: Spanned<String>,
    pub(super) to: Spanned<String>,
    #[serde(default)]
    pub(super) write: Table,
    #[serde(default)]
    pub(super) fields: BTreeMap<Spanned<String>, Spanned<FieldText>>,
    pub(super) unlisted: Option<Spanned<Unlisted>>,
    pub(super) mapping: Option<Spanned<String>>,
    /// File of the contract, or of an overlay.
    pub(super) contract: Option<Spanned<String>>,
    pub(super) guarantee: Option<Spanned<Level>>,
    pub(super) budget: Option<Budget>,
}

impl TargetText {
    /// The flow to this target alone.
    pub(super) fn into_flow(self, flow: &FlowText, name: String) -> FlowText {
        FlowText {
            name: Spanned::new(self.name.span(), name),
            to: self.to,
            write: self.write,
            fields: self.fields,
            unlisted: self.unlisted,
            mapping: self.mapping,
            contract: self.contract,
            guarantee: self.guarantee.or_else(|| flow.guarantee.clone()),
            budget: self.budget.or(flow.budget),
            ..flow.clone()
        }
    }
}

fn nowhere() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

/// `[flow.read]` or `[flow.write]`: options of format and place.
pub(super) type Table = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// The mode of a write by its name.
pub(super) fn mode(name: &str) -> Option<WriteMode> {
    match name {
        "append" => Some(WriteMode::Append),
        "upsert" => Some(WriteMode::Upsert),
        "replace" => Some(WriteMode::Replace),
        _ => None,
    }
}
