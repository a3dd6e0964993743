//! What was found, as data.

use serde::Serialize;

use crate::Words;

/// What one system can supply to one or several contracts. It holds counts and record numbers, never values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this document's shape.
    pub fit: u16,
    /// Version of fenhe.
    pub tool: &'static str,
    /// The day of the check.
    pub day: String,
    /// The system that was looked at.
    pub system: System,
    /// Other systems that were asked what they hold.
    pub others: Vec<String>,
    /// One entry a contract.
    pub contracts: Vec<ContractFit>,
    /// Columns that no contract asks for.
    pub unasked: Vec<String>,
}

/// The system that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// How people know it.
    pub name: String,
    /// Columns.
    pub columns: usize,
    /// Records read.
    pub read: u64,
    /// Records that could not be read as rows.
    pub unreadable: u64,
    /// Why, most frequent first.
    pub reasons: Vec<Unreadable>,
}

/// One reason for records that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Field and code.
    pub what: String,
    /// Records.
    pub records: u64,
    /// Numbers of the first of them.
    pub examples: Vec<u64>,
}

/// How one contract is met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContractFit {
    /// Name of the contract.
    pub contract: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// Its hash.
    pub hash: String,
    /// Who asks, if the contract says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Items by status.
    pub counts: Counts,
    /// Rows that could be delivered with the proposed mapping.
    pub rows: Rows,
    /// The items, in the order of the contract.
    pub items: Vec<Item>,
    /// Quality by rule, most findings first; rules without a finding last.
    pub quality: Vec<Quality>,
    /// Rules that could not be checked, and why.
    pub unchecked: Vec<String>,
    /// The mapping, as the `[flow.fields]` of an exchange, in TOML.
    pub mapping: String,
}

impl ContractFit {
    /// Under which condition the rows that can be delivered are delivered: as long as required items are open, none is.
    #[must_use]
    pub fn condition(&self) -> Option<Words> {
        let open = self.counts.required_open;
        let items = if open == 1 { "item is" } else { "items are" };
        (open > 0).then(|| Words {
            en: format!("once {open} required {items} settled"),
            zh: format!("前提是解决 {open} 个必填项"),
        })
    }
}

/// Items by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// There, as the contract wants them.
    pub supplied: usize,
    /// There after a conversion that the mapping does.
    pub derivable: usize,
    /// There, and not as the contract wants them.
    pub conflicting: usize,
    /// Not there.
    pub missing: usize,
    /// Required ones among the missing and conflicting.
    pub required_open: usize,
}

/// What becomes of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Rows read.
    pub read: u64,
    /// Rows that the mapping cannot convert.
    pub unconverted: u64,
    /// Rows that a rule rejects.
    pub rejected: u64,
    /// Rows that can be delivered.
    pub deliverable: u64,
    /// Rows among them without any finding.
    pub faultless: u64,
}

/// One item of a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Standard name.
    pub name: String,
    /// Title, else the name.
    pub title: String,
    /// Type, as the contract has it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type in words.
    pub wanted: Words,
    /// Whether a row without it is rejected.
    pub required: bool,
    /// How it stands.
    pub status: Status,
    /// The column or columns that it comes from.
    pub from: Vec<String>,
    /// Type of the column, as the system has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// Share of rows with a value, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filled: Option<f64>,
    /// Why this column was taken.
    pub reasons: Vec<Words>,
    /// What the mapping does with it.
    pub conversion: Vec<Words>,
    /// What does not agree.
    pub conflicts: Vec<Conflict>,
    /// Other systems that hold it.
    pub elsewhere: Vec<Elsewhere>,
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There, as the contract wants it.
    Supplied,
    /// There after a conversion.
    Derivable,
    /// There, and not as the contract wants it.
    Conflicting,
    /// Not there.
    Missing,
}

/// What does not agree between a column and an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// In what.
    pub kind: ConflictKind,
    /// In words.
    pub words: Words,
}

/// In what a column and an item do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Type.
    Type,
    /// Codes.
    Code,
    /// Length.
    Length,
}

/// Another system that holds an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The system.
    pub system: String,
    /// Its column.
    pub column: String,
    /// How it stands there.
    pub status: Status,
}

/// What one check found on the rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Field.
    pub field: String,
    /// Its title, else its name.
    pub title: String,
    /// Stable code.
    pub code: String,
    /// What is checked, and what is expected.
    pub check: Words,
    /// Whether a row with a finding is not delivered.
    pub rejects: bool,
    /// Rows checked.
    pub rows: u64,
    /// Rows with a finding.
    pub findings: u64,
    /// Share of rows with a finding, from 0 to 1.
    pub share: f64,
    /// Numbers of the first records with a finding.
    pub examples: Vec<u64>,
}
