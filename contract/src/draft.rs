//! A contract as it is written: nothing is checked yet but the names of the keys.

use fenhe_rules::{Code, Severity, Unit};
use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Grade, Sensitivity, Sharing, UpdateCycle};

/// A rule as written. Inside a field, `field` (or `fields`) may be left out.
pub type RuleText = serde_json::Map<String, serde_json::Value>;

/// A contract as data, before it is checked. TOML and JSON have the same keys; `contract.schema.json` describes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Name of the contract: letters, digits, `_`, `-`, `.`.
    pub name: String,
    /// Version: one to three numbers with points between.
    pub version: String,
    /// Title for people; the name of the information resource in a catalogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it is for, in a few sentences; the abstract in a catalogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Name of the dataset (table, file) that is delivered; without one, the name of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Fields of the natural key. They are required.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// How often data are delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateCycle>,
    /// Fields whose sum is a control total on both sides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<String>,
    /// Severity of checks and rules that do not say; `warn` unless written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub severity: Severity,
    /// What the catalogue entry says beside the fields.
    #[serde(default, skip_serializing_if = "is_default")]
    pub catalogue: Catalogue,
    /// The fields, in the order of delivery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<FieldDraft>,
    /// Rules over several fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<RuleText>,
    /// Code tables beside the built-in ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<TableText>,
}

/// One field as written. In an overlay everything but the name may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDraft {
    /// Standard name.
    pub name: String,
    /// Title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Other names under which systems keep it (`XM`, `SFZH`). They help to find it, nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// A data element (`an18`, `c..50`, `n10,2`, `d8`) or a type name (`text`, `decimal(12,2)`, `date`).
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The most characters, for `text`; a data element says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// What lengths count; characters unless written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_unit: Option<Unit>,
    /// Whether a row without a value is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Code table of the values: a built-in one, or one of `[[table]]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_table: Option<String>,
    /// Regular expression that the whole text matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Severity of length, characters, code table and pattern of this field, and of its rules that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Further rules of the field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleText>,
    /// Whose business the values are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Grade of the data in the national scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Sharing of this field, where it differs from that of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// Unit of measure, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Format of the values, for people (`YYYYMMDD`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Where the values come from, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What the field means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A code table as written: its codes, or the file (TOML or JSON) that has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableText {
    /// Name by which fields refer to it.
    pub name: String,
    /// Standard or document that it is from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// File with `source` and `code`, relative to the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<Code>,
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
