//! A contract that fits together.

use arrow_schema::SchemaRef;
use fenhe_core::{Error, Kind, Result};
use fenhe_rules::{CodeTable, Rule, Severity, Unit};

use crate::catalogue::{Catalogue, Sensitivity, UpdateCycle};
use crate::draft::{Draft, FieldDraft};
use crate::{FieldType, Version};

/// What a platform asks for: fields, rules, and what the catalogue says. Checked; see [`Draft`] for the data.
///
/// ```
/// use fenhe_contract::{Contract, NoFiles};
/// let text = r#"
/// name = "resident"
/// version = "1.0"
/// key = ["person_id"]
///
/// [[field]]
/// name = "person_id"
/// title = "公民身份号码"
/// type = "an18"
/// rules = [{ rule = "identifier", kind = "citizen", severity = "reject" }]
///
/// [[field]]
/// name = "sex_code"
/// type = "n1"
/// code_table = "gbt2261.1"
/// "#;
/// let contract = Contract::parse(text, "resident.contract.toml", &NoFiles)?;
/// assert!(!contract.schema().field(0).is_nullable(), "a key is required");
/// let rules: Vec<_> = contract.rules().iter().map(|rule| rule.name()).collect();
/// assert_eq!(rules, ["not_null", "pattern", "identifier", "pattern", "code_table"]);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Contract {
    pub(crate) draft: Draft,
    pub(crate) version: Version,
    pub(crate) fields: Vec<Field>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tables: Vec<CodeTable>,
    pub(crate) schema: SchemaRef,
    pub(crate) hash: String,
}

/// One field of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Standard name.
    pub name: String,
    /// Title for people, empty if there is none.
    pub title: String,
    /// Type.
    pub kind: FieldType,
    /// Lengths of text, if they are limited.
    pub length: Option<Lengths>,
    /// Whether a row without a value is rejected.
    pub required: bool,
    /// Severity of the checks of the field.
    pub severity: Severity,
    /// All rules of the field alone: those of its attributes, then its own.
    pub rules: Vec<Rule>,
    /// The field as written, with defaults filled in.
    pub written: FieldDraft,
}

/// How long a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: Option<u32>,
    /// What is counted.
    pub unit: Unit,
}

impl Contract {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Title for people, else the name.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.draft.title.as_str() {
            "" => &self.draft.name,
            title => title,
        }
    }

    /// Name of the dataset.
    #[must_use]
    pub fn dataset(&self) -> &str {
        self.draft.dataset.as_deref().unwrap_or(&self.draft.name)
    }

    /// Fields of the natural key.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.draft.key
    }

    /// How often data are delivered.
    #[must_use]
    pub fn update(&self) -> Option<UpdateCycle> {
        self.draft.update
    }

    /// Fields whose sum is a control total.
    #[must_use]
    pub fn totals(&self) -> &[String] {
        &self.draft.totals
    }

    /// What the catalogue entry says beside the fields.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.draft.catalogue
    }

    /// The fields in the order of delivery.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// All rules for a [`Checker`](fenhe_rules::Checker): field by field, then those over several fields.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that can be checked on a dataset with these columns alone, for data that lack some fields.
    #[must_use]
    pub fn rules_on(&self, has: impl Fn(&str) -> bool) -> Vec<Rule> {
        self.rules.iter().filter(|rule| columns(rule).into_iter().all(&has)).cloned().collect()
    }

    /// Code tables of the contract, to give to the checker.
    #[must_use]
    pub fn tables(&self) -> &[CodeTable] {
        &self.tables
    }

    /// The table of this name, out of the contract or built in.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<CodeTable> {
        let own = self.tables.iter().find(|table| table.name() == name).cloned();
        own.or_else(|| CodeTable::built_in(name))
    }

    /// The schema of delivered data, with titles, native types, lengths, code tables and sensitivity as `fenhe.*` metadata.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// SHA-256 of the canonical form, 64 hexadecimal digits: the same for TOML and JSON, with defaults written or not.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The contract as data, with defaults filled in and tables included.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The JSON form.
    ///
    /// # Errors
    /// [`Kind::Internal`], which no contract causes.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.draft).map_err(|error| unwritable(error.to_string()))
    }

    /// The TOML form.
    ///
    /// # Errors
    /// [`Kind::Internal`], which no contract causes.
    pub fn to_toml(&self) -> Result<String> {
        self.draft.to_toml()
    }

    /// The most sensitive of the fields.
    #[must_use]
    pub fn sensitivity(&self) -> Option<Sensitivity> {
        self.fields.iter().filter_map(|field| field.written.sensitivity).max()
    }
}

impl Draft {
    /// The TOML form.
    ///
    /// # Errors
    /// [`Kind::Internal`], which no contract causes.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| unwritable(error.to_string()))
    }
}

/// The columns that a rule looks at.
pub(crate) fn columns(rule: &Rule) -> Vec<&str> {
    match rule {
        Rule::Unique(rule) => rule.fields.iter().map(String::as_str).collect(),
        Rule::Reference(rule) => rule.fields.iter().map(String::as_str).collect(),
        Rule::Compare(rule) => vec![&rule.field, &rule.other],
        Rule::CodeTable(rule) => {
            std::iter::once(rule.field.as_str()).chain(rule.on_field.as_deref()).collect()
        }
        Rule::Agrees(rule) => {
            let beside = [&rule.birth, &rule.sex, &rule.region];
            let beside = beside.into_iter().filter_map(|name| name.as_deref());
            std::iter::once(rule.field.as_str()).chain(beside).collect()
        }
        other => vec![other.field()],
    }
}

fn unwritable(message: String) -> Error {
    Error::new(Kind::Internal, "contract.write", message)
}
