//! Staged records to Arrow arrays, a column at a time.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields, SchemaRef};
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::{Pools, Validated};
use fenhe_text::Encoding;
use fenhe_values::{ColumnBuilder, FaultMask, Source};

use crate::plan::Plan;
use crate::stage::Stage;

/// The columns of a batch.
#[derive(Debug)]
pub(crate) struct Table {
    /// One for each leaf that is asked for.
    builders: Vec<Option<ColumnBuilder>>,
    /// By node: where each list ends.
    offsets: Vec<Vec<i32>>,
    /// By node: whether each struct is there.
    valid: Vec<Vec<bool>>,
    rows: usize,
    faults: FaultMask,
}

/// A record that has bad values.
#[derive(Debug)]
pub(crate) struct BadRow {
    pub(crate) row: usize,
    pub(crate) faults: Vec<Fault>,
}

impl Table {
    pub(crate) fn new(plan: &Plan, pools: &Pools, rows: usize) -> Result<Self> {
        let build = |(spec, wanted): (_, &bool)| {
            wanted.then(|| ColumnBuilder::new(spec, Encoding::UTF_8, pools, rows)).transpose()
        };
        let builders = plan.specs.iter().zip(&plan.wanted).map(build).collect::<Result<_>>()?;
        Ok(Self {
            builders,
            offsets: vec![Vec::new(); plan.nodes.len()],
            valid: vec![Vec::new(); plan.nodes.len()],
            rows: 0,
            faults: FaultMask::new(),
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the staged records whose values are good, and tells the others.
    pub(crate) fn append(&mut self, plan: &Plan, stage: &mut Stage, text: &str) -> Vec<BadRow> {
        let source = Source::Utf8(Validated::new(text));
        let before: Vec<usize> =
            self.builders.iter().map(|b| b.as_ref().map_or(0, ColumnBuilder::len)).collect();
        let mut bad = vec![];
        for (leaf, node) in plan.leaves.iter().enumerate() {
            let Some(Some(builder)) = self.builders.get_mut(leaf) else { continue };
            let Some(cells) = stage.cells.get(*node) else { continue };
            self.faults.reset(cells.places.len());
            builder.append(source, cells.spans(), &mut self.faults);
            if self.faults.any() {
                explain(plan, stage, leaf, builder, &self.faults, text, &mut bad);
            }
        }
        if !bad.is_empty() {
            self.append_again(plan, stage, source, &before, &mut bad);
        }
        self.group(plan, stage);
        bad
    }

    /// The second pass over records of which some are bad: good values cannot fail now.
    #[cold]
    fn append_again(
        &mut self,
        plan: &Plan,
        stage: &mut Stage,
        source: Source<'_>,
        before: &[usize],
        bad: &mut Vec<BadRow>,
    ) {
        bad.sort_by_key(|b| b.row);
        let mut merged: Vec<BadRow> = Vec::new();
        for next in bad.drain(..) {
            match merged.last_mut().filter(|last| last.row == next.row) {
                Some(last) => last.faults.extend(next.faults),
                None => merged.push(next),
            }
        }
        *bad = merged;
        let mut keep = vec![true; stage.rows()];
        for row in bad.iter() {
            if let Some(keep) = keep.get_mut(row.row) {
                *keep = false;
            }
        }
        stage.keep(plan, &keep);
        for (leaf, node) in plan.leaves.iter().enumerate() {
            let Some(Some(builder)) = self.builders.get_mut(leaf) else { continue };
            let Some(cells) = stage.cells.get(*node) else { continue };
            builder.truncate(before.get(leaf).copied().unwrap_or(0));
            self.faults.reset(cells.places.len());
            builder.append(source, cells.spans(), &mut self.faults);
        }
    }

    /// Takes over how lists and structs group the values.
    fn group(&mut self, plan: &Plan, stage: &Stage) {
        self.rows += stage.rows();
        for (number, node) in plan.nodes.iter().enumerate().skip(1) {
            let Some(cells) = stage.cells.get(number) else { continue };
            if let Some(offsets) = self.offsets.get_mut(number).filter(|_| node.list) {
                let base = offsets.last().copied().unwrap_or(0);
                offsets.extend(
                    cells
                        .offsets
                        .iter()
                        .map(|end| base.saturating_add(i32::try_from(*end).unwrap_or(i32::MAX))),
                );
            }
            if let Some(valid) = self.valid.get_mut(number).filter(|_| node.leaf.is_none()) {
                valid.extend_from_slice(&cells.valid);
            }
        }
    }

    /// The batch; empty then.
    pub(crate) fn finish(&mut self, plan: &Plan) -> Result<RecordBatch> {
        let schema = &plan.schema;
        let arrays = plan
            .tops
            .iter()
            .zip(schema.fields())
            .map(|(top, field)| self.array(plan, *top, field))
            .collect::<Result<Vec<_>>>()?;
        let options =
            RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        // Groups that are no fields themselves are not collected by `array`.
        self.offsets.iter_mut().for_each(Vec::clear);
        self.valid.iter_mut().for_each(Vec::clear);
        RecordBatch::try_new_with_options(SchemaRef::clone(schema), arrays, &options)
            .map_err(internal)
    }

    fn array(&mut self, plan: &Plan, number: usize, field: &Field) -> Result<ArrayRef> {
        let Some(node) = plan.nodes.get(number) else { return Err(lost(field)) };
        let DataType::List(item) = field.data_type() else { return self.item(plan, number, field) };
        let values = self.item(plan, number, item)?;
        let ends = self.offsets.get_mut(number).map(std::mem::take).unwrap_or_default();
        let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
        let wrong = |e| internal(e).at_field(&node.path);
        // Ends only grow; the last one is the number of values.
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None).map_err(wrong)?))
    }

    fn item(&mut self, plan: &Plan, number: usize, field: &Field) -> Result<ArrayRef> {
        let Some(node) = plan.nodes.get(number) else { return Err(lost(field)) };
        if let Some(leaf) = node.leaf {
            return match self.builders.get_mut(leaf) {
                Some(Some(builder)) => builder.finish(),
                _ => Err(lost(field)),
            };
        }
        let DataType::Struct(fields) = field.data_type() else { return Err(lost(field)) };
        let arrays = node
            .children
            .iter()
            .zip(fields)
            .map(|(child, field)| self.array(plan, *child, field))
            .collect::<Result<Vec<_>>>()?;
        let valid = self.valid.get_mut(number).map(std::mem::take).unwrap_or_default();
        let nulls =
            if valid.iter().all(|v| *v) { None } else { Some(NullBuffer::from(valid.as_slice())) };
        let built =
            StructArray::try_new_with_length(Fields::clone(fields), arrays, nulls, valid.len());
        Ok(Arc::new(built.map_err(internal)?))
    }
}

/// Every fault of one column in a block.
#[cold]
fn explain(
    plan: &Plan,
    stage: &Stage,
    leaf: usize,
    builder: &ColumnBuilder,
    faults: &FaultMask,
    text: &str,
    bad: &mut Vec<BadRow>,
) {
    let Some((number, cells)) =
        plan.leaves.get(leaf).and_then(|n| Some((*n, stage.cells.get(*n)?)))
    else {
        return;
    };
    let rows = stage.rows_of(plan, number);
    let list = plan.nodes.get(number).is_some_and(|node| node.list);
    for item in faults.iter() {
        let row = rows.get(item).copied().unwrap_or(0);
        let span = cells.places.get(item);
        let bytes = span.and_then(|[from, to]| text.as_bytes().get(*from as usize..*to as usize));
        let fault = match bytes {
            Some(bytes) => builder.reader().explain(bytes),
            None => builder.reader().explain_missing(),
        };
        let mut fault = fault.unwrap_or_else(|| {
            Fault::new(
                "value.column_full",
                builder.field().name().clone(),
                "a batch of less than 2 GiB",
                "more",
            )
        });
        if list {
            let first = rows.iter().position(|r| *r == row).unwrap_or(item);
            fault.field = format!("{}[{}]", fault.field, item - first + 1);
        }
        bad.push(BadRow { row, faults: vec![fault] });
    }
}

fn internal(cause: arrow_schema::ArrowError) -> Error {
    Error::new(Kind::Internal, "xml.columns", "the columns do not make a batch of the schema")
        .caused_by(cause)
}

fn lost(field: &Field) -> Error {
    Error::new(Kind::Internal, "xml.columns", "a field of the schema has no column")
        .at_field(field.name())
}
