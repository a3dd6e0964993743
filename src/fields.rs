//! The mapping of a flow: `fenhe-mapping` between a reader and the books of its batches.

mod resources;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use fenhe_contract::Contract;
use fenhe_core::{Batch, Limits, Reject, Result, Source};
use fenhe_mapping::{Context, Mapped, Mapper, Mapping};

use crate::contract::{self, Finding, RowCheck};
use crate::keys::Keys;
use crate::ndjson::with_row;

pub(crate) use resources::resources;

/// Which fields a flow delivers: a mapping, and the tables and keys that it refers to.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// The mapping; an empty one delivers every column as it is.
    pub mapping: Mapping,
    /// What it refers to.
    pub context: Context,
    /// What the platform asks for: it gives types, and its rules are checked on the mapped rows.
    pub contract: Option<Arc<Contract>>,
    /// Keys of other datasets that its rules refer to.
    pub keys: Keys,
}

/// A mapping bound to the schema of a source, for the batches of one run.
///
/// Clones share the count of values that were stood in for, and what the rules of the contract found.
#[derive(Clone, Debug)]
pub struct BoundFields {
    mapper: Arc<Mapper>,
    check: Option<RowCheck>,
    replaced: Arc<Mutex<BTreeMap<(String, String), u64>>>,
}

impl Fields {
    /// The columns of the source that are needed, `None` for all.
    pub fn wanted(&self) -> Option<Vec<String>> {
        self.mapping.wanted()
    }

    /// The fields whose sums the contract calls control totals.
    pub fn totals(&self) -> &[String] {
        self.contract.as_ref().map_or(&[], |contract| contract.totals())
    }

    /// Columns of `source` that are left out.
    pub fn left_out(&self, source: &Schema) -> Vec<String> {
        match &self.contract {
            Some(contract) if self.mapping.fields.is_empty() => {
                let names = source.fields().iter().map(|field| field.name());
                names.filter(|name| !contract::takes(contract, name)).cloned().collect()
            }
            _ => self.mapping.left_out(source),
        }
    }

    /// Checks the mapping against a schema and the contract, and compiles both.
    ///
    /// # Errors
    /// Those of [`Mapping::bind`]; with a contract also `contract.unknown`, `contract.unmapped` and `contract.type`, and
    /// those of its rules (`rules.reference` for keys that are not there).
    pub fn bind(&self, source: &SchemaRef) -> Result<BoundFields> {
        let Some(contract) = &self.contract else {
            let mapper = Arc::new(self.mapping.bind(source, &self.context)?);
            return Ok(BoundFields { mapper, check: None, replaced: Arc::default() });
        };
        let mapper = Arc::new(contract::bind(contract, &self.mapping, source, &self.context)?);
        let check = Some(RowCheck::new(contract, mapper.schema(), &self.keys)?);
        Ok(BoundFields { mapper, check, replaced: Arc::default() })
    }
}

impl From<Mapping> for Fields {
    fn from(mapping: Mapping) -> Self {
        Self { mapping, ..Self::default() }
    }
}

impl BoundFields {
    /// The schema of the mapped batches.
    pub fn schema(&self) -> &SchemaRef {
        match &self.check {
            Some(check) => check.schema(),
            None => self.mapper.schema(),
        }
    }

    /// The batch as the target wants it. A row that cannot be mapped becomes a reject with the row as its bytes;
    /// the first of its faults is named, the others are listed.
    ///
    /// # Errors
    /// Those of [`Mapper::apply`].
    pub fn apply(&self, batch: Batch, source: &Arc<Source>, limits: &Limits) -> Result<Batch> {
        let Mapped { records, faults, kept, replaced } = self.mapper.apply(&batch.records)?;
        if !replaced.is_empty() {
            let mut counts = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
            for one in replaced {
                *counts.entry((one.field, one.what)).or_default() += one.rows;
            }
        }
        let mut bad: Vec<(usize, Reject)> = Vec::with_capacity(faults.len());
        for found in faults {
            bad.push((found.row, Reject::new(found.fault).and(found.also).by("mapping")));
        }
        // The rows of the batch that are in `records`.
        let rows = kept.map(|kept| kept.values().set_indices().collect::<Vec<_>>());
        let Some(check) = &self.check else {
            return assemble(batch, records, rows, bad, source, limits);
        };
        let numbers = batch.record_numbers();
        let of_row = |row: usize| rows.as_ref().map_or(Some(row), |rows| rows.get(row).copied());
        let checked = match &rows {
            None => check.check(records, &numbers)?,
            Some(rows) => {
                let there = rows.iter().filter_map(|row| numbers.get(*row).copied());
                check.check(records, &there.collect::<Vec<_>>())?
            }
        };
        for (row, fault, also) in checked.faults {
            let reject = Reject::new(fault).and(also).by("contract");
            bad.extend(of_row(row).map(|row| (row, reject)));
        }
        let rows = match checked.kept {
            None => rows,
            Some(kept) => Some(kept.values().set_indices().filter_map(of_row).collect()),
        };
        assemble(batch, checked.records, rows, bad, source, limits)
    }

    /// Rows that were mapped before, by the rules of the contract alone; those of a reject are such a row.
    ///
    /// # Errors
    /// Those of the rules.
    pub(crate) fn check(
        &self,
        batch: Batch,
        source: &Arc<Source>,
        limits: &Limits,
    ) -> Result<Batch> {
        let Some(check) = &self.check else { return Ok(batch) };
        let checked = check.check(batch.records.clone(), &batch.record_numbers())?;
        let of_fault = |(row, fault, also): (usize, _, Vec<_>)| {
            (row, Reject::new(fault).and(also).by("contract"))
        };
        let bad = checked.faults.into_iter().map(of_fault).collect();
        let rows = checked.kept.map(|kept| kept.values().set_indices().collect());
        assemble(batch, checked.records, rows, bad, source, limits)
    }

    /// What rules of the contract found and let pass so far, in the rows of this run.
    pub fn findings(&self) -> Vec<Finding> {
        self.check.as_ref().map(RowCheck::findings).unwrap_or_default()
    }

    /// Sentences on what stood in for values so far, for the receipt. Counted are the rows that were mapped in this run.
    pub fn notes(&self) -> Vec<String> {
        let counts = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = counts.iter();
        notes.map(|((field, what), rows)| format!("{field}: {what}, in {rows} rows")).collect()
    }
}

/// The batch of the rows that go on; the others are its rejects, with their row in `batch` as their bytes.
pub(crate) fn assemble(
    batch: Batch,
    records: RecordBatch,
    rows: Option<Vec<usize>>,
    bad: Vec<(usize, Reject)>,
    source: &Arc<Source>,
    limits: &Limits,
) -> Result<Batch> {
    let Some(rows) = rows else { return Ok(Batch { records, ..batch }) };
    let numbers = batch.record_numbers();
    let mut rejects = batch.rejects;
    for (row, reject) in bad {
        let number = numbers.get(row).copied().unwrap_or_default();
        let reject = reject.at(number, 0, 0).from_source(source);
        rejects.push(with_row(reject, &batch.records, row, limits.reject_raw)?);
    }
    rejects.sort_by_key(|reject: &Reject| reject.record);
    let numbers = rows.iter().filter_map(|row| numbers.get(*row).copied()).collect();
    Batch::with_ordinals(records, rejects, batch.span, batch.position, numbers)
}

#[cfg(test)]
mod tests;
