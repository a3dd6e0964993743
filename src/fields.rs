//! The mapping of a flow: `fenhe-mapping` between a reader and the books of its batches.

mod resources;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::{Schema, SchemaRef};
use fenhe_core::{Batch, Limits, Reject, Result, Source};
use fenhe_mapping::{Context, Mapped, Mapper, Mapping};

use crate::ndjson::row_reject;

pub(crate) use resources::resources;

/// Which fields a flow delivers: a mapping, and the tables and keys that it refers to.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// The mapping; an empty one delivers every column as it is.
    pub mapping: Mapping,
    /// What it refers to.
    pub context: Context,
}

/// A mapping bound to the schema of a source, for the batches of one run.
///
/// Clones share the count of values that were stood in for.
#[derive(Clone, Debug)]
pub struct BoundFields {
    mapper: Arc<Mapper>,
    replaced: Arc<Mutex<BTreeMap<(String, String), u64>>>,
}

impl Fields {
    /// The columns of the source that are needed, `None` for all.
    pub fn wanted(&self) -> Option<Vec<String>> {
        self.mapping.wanted()
    }

    /// Columns of `source` that are left out.
    pub fn left_out(&self, source: &Schema) -> Vec<String> {
        self.mapping.left_out(source)
    }

    /// Checks the mapping against a schema and compiles it.
    ///
    /// # Errors
    /// Those of [`Mapping::bind`].
    pub fn bind(&self, source: &SchemaRef) -> Result<BoundFields> {
        let mapper = Arc::new(self.mapping.bind(source, &self.context)?);
        Ok(BoundFields { mapper, replaced: Arc::default() })
    }
}

impl From<Mapping> for Fields {
    fn from(mapping: Mapping) -> Self {
        Self { mapping, context: Context::default() }
    }
}

impl BoundFields {
    /// The schema of the mapped batches.
    pub fn schema(&self) -> &SchemaRef {
        self.mapper.schema()
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
        let Some(kept) = kept else { return Ok(Batch { records, ..batch }) };
        let mut numbers = batch.record_numbers();
        let mut rejects = batch.rejects;
        for found in faults {
            let number = numbers.get(found.row).copied().unwrap_or_default();
            let (row, limit) = (found.row, limits.reject_raw);
            let reject = row_reject(&batch.records, row, number, found.fault, limit);
            rejects.push(reject.and(found.also).from_source(source).by("mapping"));
        }
        rejects.sort_by_key(|reject: &Reject| reject.record);
        let mut kept = kept.values().iter();
        numbers.retain(|_| kept.next().unwrap_or(true));
        Batch::with_ordinals(records, rejects, batch.span, batch.position, numbers)
    }

    /// Sentences on what stood in for values so far, for the receipt. Counted are the rows that were mapped in this run.
    pub fn notes(&self) -> Vec<String> {
        let counts = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = counts.iter();
        notes.map(|((field, what), rows)| format!("{field}: {what}, in {rows} rows")).collect()
    }
}

#[cfg(test)]
mod tests;
