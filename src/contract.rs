//! The contract of a flow: what it asks of the mapping before anything is read, and its rules on the mapped rows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arrow_array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_contract::Contract;
use fenhe_core::{Error, Fault, Kind, Result, nearest, schema};
use fenhe_mapping::{Context, FieldMapping, Mapper, Mapping};
use fenhe_rules::{Checker, Date, Rule, Severity};
use serde::{Deserialize, Serialize};

use crate::keys::Keys;
use crate::types::type_name;

/// What a rule of the contract found on the rows of a run and let pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The field.
    pub field: String,
    /// The rule, as contracts name it.
    pub rule: String,
    /// Stable code.
    pub code: String,
    /// What the rule asks for.
    pub expected: String,
    /// Rows that break it. They were delivered, unless something else kept them back.
    pub rows: u64,
    /// Record number of the first of them.
    pub first: u64,
}

/// The rules that need keys of other datasets.
pub(crate) fn references(rules: &[Rule]) -> impl Iterator<Item = &fenhe_rules::rule::Reference> {
    rules.iter().filter_map(|rule| match rule {
        Rule::Reference(rule) => Some(rule),
        _ => None,
    })
}

/// The rules of a contract that a mapping makes the fields for.
pub(crate) fn rules_of(contract: &Contract, mapping: &Mapping) -> Vec<Rule> {
    let made = |name: &str| mapping.fields.iter().any(|field| field.name == name);
    contract.rules_on(|name| mapping.fields.is_empty() || made(name))
}

/// The names that a mapping makes are those of the contract, and none that it requires is forgotten.
///
/// # Errors
/// [`Kind::Config`] with the field: `contract.unknown` for a field that the contract does not have (the nearest is
/// named), `contract.unmapped` for one that it requires and nothing is made for, `contract.total` for one whose sum it asks for
/// and that has none.
pub(crate) fn covers(contract: &Contract, mapping: &Mapping) -> Result<()> {
    if mapping.fields.is_empty() {
        return Ok(());
    }
    for field in &mapping.fields {
        if contract.field(&field.name).is_some() {
            continue;
        }
        let message = format!("contract {} has no field {}", contract.name(), field.name);
        let error = Error::new(Kind::Config, "contract.unknown", message).at_field(&field.name);
        let names = contract.fields().iter().map(|field| field.name.as_str());
        return Err(match nearest(&field.name, names.clone()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("its fields are {}", names.collect::<Vec<_>>().join(", "))),
        });
    }
    let made = |name: &str| mapping.fields.iter().any(|field| field.name == name);
    match contract.fields().iter().find(|field| field.required && !made(&field.name)) {
        Some(field) => Err(unmapped(contract, &field.name, "nothing is made for it")),
        None => totals(contract, mapping),
    }
}

/// Every field that the contract calls a control total is made, and as something that has an exact sum.
fn totals(contract: &Contract, mapping: &Mapping) -> Result<()> {
    for total in contract.totals() {
        let Some(field) = mapping.fields.iter().find(|field| field.name == *total) else {
            return Err(no_total(contract, total, "nothing is made for it".into()));
        };
        let exact = |kind: &DataType| kind.is_integer() || kind.is_decimal();
        if let Some(kind) = field.data_type.as_ref().filter(|kind| !exact(kind)) {
            let why = format!("it is mapped as {}, which has no exact sum", type_name(kind));
            return Err(no_total(contract, total, why));
        }
    }
    Ok(())
}

fn no_total(contract: &Contract, field: &str, why: String) -> Error {
    let message =
        format!("contract {} asks for the control total of {field}, and {why}", contract.name());
    Error::new(Kind::Config, "contract.total", message)
        .at_field(field)
        .hint("map the field as a number, or leave it out of totals in the contract")
}

/// The mapping of a flow with what the contract adds: the fields, where nobody named any, their types and titles.
///
/// # Errors
/// Those of [`covers`] and of [`Mapping::bind`]; `contract.type` for a field that is mapped to another type.
pub(crate) fn bind(
    contract: &Contract,
    mapping: &Mapping,
    source: &SchemaRef,
    context: &Context,
) -> Result<Mapper> {
    let mut mapping = mapping.clone();
    if mapping.fields.is_empty() {
        mapping.fields = by_name(contract, source)?;
    }
    covers(contract, &mapping)?;
    for field in &mut mapping.fields {
        let asked = contract.field(&field.name);
        if field.title.is_none() {
            field.title = asked.map(|asked| asked.title.clone()).filter(|title| !title.is_empty());
        }
    }
    let first = mapping.bind(source, context)?;
    let mut changed = false;
    for field in &mut mapping.fields {
        let (Some(asked), Ok(made)) =
            (contract.field(&field.name), first.schema().field_with_name(&field.name))
        else {
            continue;
        };
        let (asked, made) = (asked.kind.data_type(), made.data_type());
        if asked == made || is_text(asked) && is_text(made) {
            continue;
        }
        if field.data_type.is_some() {
            let message = format!(
                "it is mapped as {}, and the contract asks for {}",
                type_name(made),
                type_name(asked)
            );
            return Err(Error::new(Kind::Config, "contract.type", message)
                .at_field(&field.name)
                .hint("leave out type: the contract says it"));
        }
        field.data_type = Some(asked.clone());
        changed = true;
    }
    match changed {
        true => mapping.bind(source, context),
        false => Ok(first),
    }
}

/// The columns of the source that a contract without a mapping takes.
pub(crate) fn takes(contract: &Contract, column: &str) -> bool {
    contract.field(column).is_some()
}

fn by_name(contract: &Contract, source: &SchemaRef) -> Result<Vec<FieldMapping>> {
    let mut fields = Vec::new();
    for field in contract.fields() {
        match source.index_of(&field.name) {
            Ok(_) => fields.push(FieldMapping::renamed(&field.name, &field.name)),
            Err(_) if field.required => {
                let why = "the source has no column of this name";
                return Err(unmapped(contract, &field.name, why));
            }
            Err(_) if contract.totals().contains(&field.name) => {
                let why = "the source has no column of this name".into();
                return Err(no_total(contract, &field.name, why));
            }
            Err(_) => {}
        }
    }
    if fields.is_empty() {
        let message = format!("the source has no column of contract {}", contract.name());
        return Err(Error::new(Kind::Config, "contract.unmapped", message)
            .hint("name the columns under [flow.fields]; fenhe fit proposes them"));
    }
    Ok(fields)
}

fn unmapped(contract: &Contract, field: &str, why: &str) -> Error {
    let message = format!("contract {} requires {field}, and {why}", contract.name());
    Error::new(Kind::Config, "contract.unmapped", message)
        .at_field(field)
        .hint("say under [flow.fields] what it is made from; fenhe fit proposes it")
}

/// The rules of a contract on the rows of one run. Clones share what they counted.
#[derive(Clone, Debug)]
pub(crate) struct RowCheck {
    schema: SchemaRef,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    checker: Checker,
    findings: Vec<Finding>,
    severities: Vec<Severity>,
}

/// What the rules say about a batch.
pub(crate) struct Checked {
    /// The rows that may go on, with the schema of the contract.
    pub(crate) records: RecordBatch,
    /// The rows that may not: index, first fault, the others.
    pub(crate) faults: Vec<(usize, Fault, Vec<Fault>)>,
    /// Which rows `records` holds; `None`: all.
    pub(crate) kept: Option<BooleanArray>,
}

impl RowCheck {
    /// Compiles the rules for mapped rows of this schema.
    ///
    /// # Errors
    /// Those of [`Checker::new`].
    pub(crate) fn new(contract: &Contract, mapped: &SchemaRef, keys: &Keys) -> Result<Self> {
        let rules = contract.rules_on(|name| mapped.index_of(name).is_ok());
        let mut context = fenhe_rules::Context::on(today());
        context.tables = contract.tables().to_vec();
        context.key_memory = keys.memory;
        context.references = keys.sets();
        let checker = Checker::new(mapped, &rules, context).map_err(|error| {
            match (error.code(), references(&rules).next()) {
                ("rules.reference", _) => error.hint("name their place under [reference.NAME]"),
                ("rules.type", Some(_)) if error.message().contains("the keys of") => {
                    error.hint("say under [reference.NAME.read] how they are read: types = \"text\" keeps codes as text")
                }
                _ => error,
            }
        })?;
        let findings = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| Finding {
                field: rule.field().to_owned(),
                rule: rule.name().to_owned(),
                code: checker.code(number).unwrap_or_default().to_owned(),
                expected: String::new(),
                rows: 0,
                first: 0,
            })
            .collect();
        let severities = rules.iter().map(fenhe_rules::Rule::severity).collect();
        let inner = Inner { checker, findings, severities };
        Ok(Self { schema: promised(contract, mapped), inner: Arc::new(Mutex::new(inner)) })
    }

    /// The schema of the rows that go on.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Checks mapped rows; `numbers` are their record numbers in the source.
    ///
    /// # Errors
    /// Those of [`Checker::check`].
    pub(crate) fn check(&self, records: RecordBatch, numbers: &[u64]) -> Result<Checked> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let found = inner.checker.check(&records)?;
        if found.is_empty() {
            let records = self.under_contract(&records)?;
            return Ok(Checked { records, faults: Vec::new(), kept: None });
        }
        inner.count(&found, &records, numbers);
        if found.rejected().count_set_bits() == 0 {
            let records = self.under_contract(&records)?;
            return Ok(Checked { records, faults: Vec::new(), kept: None });
        }
        let faults = inner.faults(&found, &records);
        let kept = BooleanArray::new(!found.rejected(), None);
        let good = arrow_select::filter::filter_record_batch(&records, &kept)?;
        Ok(Checked { records: self.under_contract(&good)?, faults, kept: Some(kept) })
    }

    /// What the rules let pass so far, most frequent first.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = inner.findings.iter().zip(&inner.severities);
        let mut found: Vec<Finding> = counted
            .filter(|(finding, severity)| finding.rows > 0 && **severity == Severity::Warn)
            .map(|(finding, _)| finding.clone())
            .collect();
        found.sort_by_key(|finding| std::cmp::Reverse(finding.rows));
        found
    }

    fn under_contract(&self, records: &RecordBatch) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
        let columns = records.columns().to_vec();
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Inner {
    fn count(&mut self, found: &fenhe_rules::Findings, records: &RecordBatch, numbers: &[u64]) {
        for (rule, finding) in self.findings.iter_mut().enumerate() {
            let Some(rows) = found.of(rule) else { continue };
            if finding.rows == 0
                && let Some(row) = rows.set_indices().next()
            {
                finding.first = numbers.get(row).copied().unwrap_or_default();
                let fault = self.checker.fault(records, rule, row);
                finding.expected = fault.map(|fault| fault.expected).unwrap_or_default();
            }
            finding.rows += rows.count_set_bits() as u64;
        }
    }

    /// The faults of the rows that may not go on, in the order of the rows; those of warnings are not among them.
    fn faults(
        &self,
        found: &fenhe_rules::Findings,
        records: &RecordBatch,
    ) -> Vec<(usize, Fault, Vec<Fault>)> {
        let rejecting = self.severities.iter().enumerate();
        let rejecting: Vec<usize> = rejecting
            .filter(|(_, severity)| **severity == Severity::Reject)
            .map(|(rule, _)| rule)
            .collect();
        let of_row = |row: usize| {
            let broken = rejecting.iter().filter(|rule| {
                found.of(**rule).is_some_and(|rows| row < rows.len() && rows.value(row))
            });
            let mut faults = broken.filter_map(|rule| self.checker.fault(records, *rule, row));
            let first = faults.next()?;
            Some((row, first, faults.collect()))
        };
        found.rejected().set_indices().filter_map(of_row).collect()
    }
}

/// The schema of mapped rows with what the contract promises: required fields are not null, and its metadata are there.
fn promised(contract: &Contract, mapped: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match contract.schema().field_with_name(field.name()) {
        Err(_) => Arc::clone(field),
        Ok(asked) => {
            // Lengths and native types stay those of the source: targets that have such types ask for them.
            let mut metadata = field.metadata().clone();
            for key in [schema::TITLE, schema::CODE_TABLE, schema::SENSITIVITY] {
                if let Some(value) = asked.metadata().get(key) {
                    metadata.insert(key.to_owned(), value.clone());
                }
            }
            let nullable = asked.is_nullable() && field.is_nullable();
            let kind = field.data_type().clone();
            Arc::new(Field::new(field.name(), kind, nullable).with_metadata(metadata))
        }
    };
    let fields: Vec<_> = mapped.fields().iter().map(field).collect();
    Arc::new(Schema::new_with_metadata(fields, mapped.metadata().clone()))
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

fn today() -> Date {
    let now: String = crate::clock::utc(SystemTime::now()).chars().take(10).collect();
    now.parse().unwrap_or_else(|_| Date::from_days(0))
}
