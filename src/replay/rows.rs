//! Corrected rows as a source.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{
    Batch, Capability, Error, Exchange, Fault, Info, Limits, Position, Raw, ReadRequest, Reader,
    Reject, Result, Source, Span,
};

use super::assign::Correction;
use super::taken::{Holder, Taken};
use super::waiting::Shape;
use crate::fields::assemble;
use crate::files::Files;
use crate::pump::{Flow, Outline};
use crate::typed::typed;
use crate::types::type_name;

/// Corrected rows, mapped already.
#[derive(Debug)]
pub(super) struct Corrected {
    schema: SchemaRef,
    made: Vec<Made>,
    taken: Taken,
    source: Arc<Source>,
    limits: Limits,
}

/// Rows of the target, and what they were made of.
#[derive(Clone, Debug)]
struct Made {
    batch: Batch,
    of: Batch,
    shape: Shape,
}

impl Corrected {
    /// The rows as the target wants them; what cannot be made so is a reject under its old number. Whether their keys are
    /// `taken` is asked when they are sent, under the lock of the replay.
    pub(super) async fn make(
        flow: &Flow,
        files: Option<&Files>,
        outline: &Outline,
        rows: Vec<Correction>,
        taken: Taken,
    ) -> Result<Self> {
        let source = Arc::new(Source {
            name: flow.source.name.clone(),
            fingerprint: flow.source.fingerprint.clone(),
        });
        let most = usize::try_from(flow.limits.batch_rows).unwrap_or(usize::MAX).max(1);
        // One for all, so that its rules see what comes twice.
        let fields = flow.fields.bind(&outline.source)?;
        let mut made = Vec::new();
        for shape in [Shape::Source, Shape::Target] {
            let these: Vec<&Correction> = rows.iter().filter(|row| row.shape == shape).collect();
            for part in these.chunks(most) {
                let schema = if shape == Shape::Source { &outline.source } else { &outline.target };
                let of = as_typed(part, schema, &source, &flow.limits)?;
                let batch = match shape {
                    Shape::Source => fields.apply(of.clone(), &source, &flow.limits)?,
                    _ => of_target(fields.check(of.clone(), &source, &flow.limits)?),
                };
                made.push(Made { batch, of, shape });
            }
        }
        for (reject, bytes) in rows.iter().filter_map(|row| row.again.as_ref()) {
            let of = decoded(flow, files, outline, reject, bytes.clone()).await?;
            let batch = fields.apply(of.clone(), &source, &flow.limits)?;
            made.push(Made { batch, of, shape: Shape::Source });
        }
        let schema = made
            .first()
            .map_or_else(|| Arc::clone(&outline.target), |made| made.batch.records.schema());
        // Both ways lead to the same columns; only what is said about them may differ.
        for (number, Made { batch, .. }) in made.iter_mut().enumerate() {
            batch.position = Position::new("replay", 1, &number)?;
            batch.records =
                RecordBatch::try_new(Arc::clone(&schema), batch.records.columns().to_vec())?;
        }
        Ok(Self { schema, made, taken, source, limits: flow.limits.clone() })
    }
}

impl Made {
    /// Puts the rows aside whose keys others have.
    fn without(
        self,
        holders: &BTreeMap<u64, Holder>,
        key: &[String],
        source: &Arc<Source>,
        limits: &Limits,
    ) -> Result<Batch> {
        let Self { batch, of, shape } = self;
        let numbers = batch.record_numbers();
        let kept: BooleanArray =
            numbers.iter().map(|number| Some(!holders.contains_key(number))).collect();
        if kept.false_count() == 0 {
            return Ok(batch);
        }
        let records = filter_record_batch(&batch.records, &kept)?;
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        let mapped = of.record_numbers().into_iter().enumerate();
        for (row, number) in mapped.filter(|(_, number)| numbers.binary_search(number).is_ok()) {
            match holders.get(&number) {
                Some(holder) => bad.push((row, Reject::new(holder.fault(key)).by("replay"))),
                None => rows.push(row),
            }
        }
        let given = Batch { rejects: batch.rejects, position: batch.position, ..of };
        let batch = assemble(given, records, Some(rows), bad, source, limits)?;
        Ok(if shape == Shape::Target { of_target(batch) } else { batch })
    }
}

/// What is refused of rows under the names of the target has these names.
fn of_target(mut batch: Batch) -> Batch {
    for reject in &mut batch.rejects {
        reject.raw_is = Raw::Target;
    }
    batch
}

/// The row, or the reject, that the bytes of a record are now.
async fn decoded(
    flow: &Flow,
    files: Option<&Files>,
    outline: &Outline,
    reject: &Reject,
    bytes: Bytes,
) -> Result<Batch> {
    let Some(files) = files else {
        return Err(Error::unsupported("the source", "decoding bytes: it has rows")
            .hint("give the values of the record in the columns of the list"));
    };
    let columns = outline.source.fields().iter().map(|field| field.name().clone()).collect();
    let request = ReadRequest {
        dataset: flow.source.dataset.clone(),
        columns: Some(columns),
        limits: flow.limits.clone(),
        ..ReadRequest::default()
    };
    let (batches, ended) = files.decode_record(reject, bytes.clone(), &request).await?;
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for batch in batches {
        if batch.records.num_rows() > 0 {
            rows.push(batch.records);
        }
        rejects.extend(batch.rejects);
    }
    let count = rows.iter().map(RecordBatch::num_rows).sum::<usize>() + rejects.len();
    let fault = match ended {
        Err(error) => {
            let code = error.code().to_owned();
            Some(Fault::new(code, "", "one record of this format", error.message().to_owned()))
        }
        Ok(()) if count != 1 => {
            Some(Fault::new("replay.raw", "", "one record", format!("{count} records")))
        }
        Ok(()) => None,
    };
    if let Some(fault) = fault {
        let again = Reject::new(fault).raw_bytes(&bytes, flow.limits.reject_raw);
        rejects =
            vec![Reject { source: Arc::clone(&reject.source), ..again }.by(reject.adapter.clone())];
        rows.clear();
    }
    for again in &mut rejects {
        (again.record, again.offset, again.line) = (reject.record, reject.offset, reject.line);
    }
    let records = match rows.pop() {
        Some(records) => records,
        None => RecordBatch::new_empty(Arc::clone(&outline.source)),
    };
    let span = Span { first: reject.record, read: 1, ..Span::default() };
    let numbers = vec![reject.record; records.num_rows()];
    Batch::with_ordinals(records, rejects, span, Position::new("replay", 1, &0)?, numbers)
}

/// Text into the types of a schema, and in its very columns.
fn as_typed(
    rows: &[&Correction],
    schema: &SchemaRef,
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
    let mut batch = fields.bind(&batch.records.schema())?.apply(batch, source, limits)?;
    let columns = batch.records.columns().iter().zip(schema.fields());
    let columns = columns
        .map(|(column, field)| arrow_cast::cast(column, field.data_type()))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.records.num_rows()));
    batch.records = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
    Ok(batch)
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
            made: self.made.iter().cloned().collect(),
            taken: self.taken.clone(),
            holders: None,
            source: Arc::clone(&self.source),
            limits: self.limits.clone(),
        }))
    }
}

struct Rows {
    schema: SchemaRef,
    made: VecDeque<Made>,
    taken: Taken,
    /// Who else has the keys of these rows, once it was asked.
    holders: Option<BTreeMap<u64, Holder>>,
    source: Arc<Source>,
    limits: Limits,
}

#[async_trait]
impl Reader for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let holders = match self.holders.take() {
            Some(holders) => holders,
            None => self.taken.holders(self.made.iter().map(|made| &made.batch)).await?,
        };
        let batch = self
            .made
            .pop_front()
            .map(|made| made.without(&holders, self.taken.key(), &self.source, &self.limits));
        self.holders = Some(holders);
        batch.transpose()
    }

    async fn commit(&mut self, _upto: &Position) -> Result<()> {
        Ok(())
    }
}
