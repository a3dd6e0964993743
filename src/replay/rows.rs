//! Corrected rows as a source.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use fenhe_core::{
    Batch, Capability, Exchange, Info, Limits, Position, ReadRequest, Reader, Result, Source, Span,
};

use super::list::{Correction, Shape};
use crate::pump::{Flow, Outline};
use crate::typed::typed;
use crate::types::type_name;

/// Corrected rows, mapped already.
#[derive(Debug)]
pub(super) struct Corrected {
    schema: SchemaRef,
    batches: Vec<Batch>,
}

impl Corrected {
    /// The rows as the target wants them; what cannot be made so is a reject under its old number.
    pub(super) fn make(flow: &Flow, outline: &Outline, rows: Vec<Correction>) -> Result<Self> {
        let source = Arc::new(Source {
            name: flow.source.name.clone(),
            fingerprint: flow.source.fingerprint.clone(),
        });
        let most = usize::try_from(flow.limits.batch_rows).unwrap_or(usize::MAX).max(1);
        let mut batches = Vec::new();
        for shape in [Shape::Source, Shape::Target] {
            let these: Vec<&Correction> = rows.iter().filter(|row| row.shape == shape).collect();
            for part in these.chunks(most) {
                let schema = match shape {
                    Shape::Source => &outline.source,
                    Shape::Target => &outline.target,
                };
                let batch = as_typed(part, schema, &source, &flow.limits)?;
                batches.push(match shape {
                    Shape::Target => batch,
                    Shape::Source => {
                        let mapping = flow.fields.bind(&batch.records.schema())?;
                        mapping.apply(batch, &source, &flow.limits)?
                    }
                });
            }
        }
        let schema = batches
            .first()
            .map_or_else(|| Arc::clone(&outline.target), |batch: &Batch| batch.records.schema());
        // Both ways lead to the same columns; only what is said about them may differ.
        for (number, batch) in batches.iter_mut().enumerate() {
            batch.position = Position::new("replay", 1, &number)?;
            batch.records =
                RecordBatch::try_new(Arc::clone(&schema), batch.records.columns().to_vec())?;
        }
        Ok(Self { schema, batches })
    }
}

/// Text into the types of a schema.
fn as_typed(
    rows: &[&Correction],
    schema: &Schema,
    source: &Arc<Source>,
    limits: &Limits,
) -> Result<Batch> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut fields = Vec::new();
    for field in schema.fields() {
        let of = |row: &&Correction| {
            let found = row.values.iter().find(|(name, _)| name == field.name());
            found.and_then(|(_, value)| value.clone())
        };
        columns.push(Arc::new(rows.iter().map(of).collect::<StringArray>()));
        fields.push(Field::new(field.name(), DataType::Utf8, true));
    }
    let text = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    let records: Vec<u64> = rows.iter().map(|row| row.record).collect();
    let span = Span {
        first: records.first().copied().unwrap_or_default(),
        read: rows.len() as u64,
        ..Span::default()
    };
    let position = Position::new("replay", 1, &0)?;
    let batch = Batch::with_ordinals(text, Vec::new(), span, position, records)?;
    let names: Vec<(String, String, bool)> = schema
        .fields()
        .iter()
        .map(|f| (f.name().clone(), type_name(f.data_type()), !f.is_nullable()))
        .collect();
    let fields = typed(names.iter().map(|(name, kind, required)| (&**name, &**kind, *required)))?;
    fields.bind(&batch.records.schema())?.apply(batch, source, limits)
}

#[async_trait]
impl Exchange for Corrected {
    fn info(&self) -> Info {
        Info {
            scheme: "replay",
            version: env!("CARGO_PKG_VERSION"),
            capability: Capability { read: true, replay: true, ..Capability::default() },
        }
    }

    async fn read(&self, _request: ReadRequest) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Rows {
            schema: Arc::clone(&self.schema),
            batches: self.batches.iter().cloned().collect(),
        }))
    }
}

struct Rows {
    schema: SchemaRef,
    batches: VecDeque<Batch>,
}

#[async_trait]
impl Reader for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        Ok(self.batches.pop_front())
    }

    async fn commit(&mut self, _upto: &Position) -> Result<()> {
        Ok(())
    }
}
