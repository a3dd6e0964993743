//! Batches under way: the tree of columns, what a reader adds, and the books.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use fenhe_core::{
    Batch, DecodeOptions, Limits, Position, Reject, Result, Span, schema as core_schema,
};
use fenhe_kernels::{BinaryColumn, Pools, PrimitiveColumn};

use crate::columns::{Mask, Reasons, full};
use crate::layout::Layout;
use crate::nested::{Block, Plan, plan};
use crate::options::CopybookOptions;
use crate::schema::{PARENT, RAW, RECORD};
use crate::segments::Rule;
use crate::tree::{Forest, Link};

/// The columns of a batch.
#[derive(Debug)]
pub(crate) struct BatchBuilder {
    plan: Plan,
    schema: SchemaRef,
    /// For each column of the schema: the tree's (by order) or an added one.
    columns: Vec<Column>,
    raw: Option<BinaryColumn>,
    forest: Option<Forest>,
    /// What the rows are, when they become trees.
    kinds: Vec<Link>,
    /// Whether the next record begins another tree, and there are enough.
    closed: bool,
    links: Option<(PrimitiveColumn<i64>, PrimitiveColumn<i64>)>,
    bad: Vec<bool>,
    numbers: Vec<u64>,
    rejects: Vec<Reject>,
    span: Span,
    bytes: u64,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Tree(usize),
    Raw,
    Record,
    Parent,
}

impl BatchBuilder {
    pub(crate) fn new(
        layout: &Layout,
        options: &CopybookOptions,
        rules: &[Rule],
        record: Option<usize>,
        parents: &BTreeMap<usize, usize>,
        decode: &DecodeOptions,
    ) -> Result<Self> {
        let rows = usize::try_from(decode.limits.batch_rows.min(8_192)).unwrap_or(8_192);
        let mut plan = plan(layout, options, rules, record, None, rows)?;
        if options.nest {
            let forest = Forest::new(layout, parents, Arc::clone(&plan.schema))?;
            return Self::of_trees(plan, forest, decode);
        }
        let mut fields: Vec<FieldRef> = plan.schema.fields().iter().cloned().collect();
        let add = |name: &str, data_type: DataType| Arc::new(Field::new(name, data_type, true));
        if !options.parents.is_empty() {
            fields.extend([add(RECORD, DataType::Int64), add(PARENT, DataType::Int64)]);
        }
        if options.raw {
            fields.push(add(RAW, DataType::Binary));
        }
        let whole: SchemaRef =
            Arc::new(Schema::new_with_metadata(fields, plan.schema.metadata().clone()));
        Limits::check("fields", decode.limits.fields, whole.flattened_fields().len() as u64)?;
        let schema = core_schema::project(&whole, decode.columns.as_deref())?;
        if let Some(columns) = &decode.columns {
            let added = |name: &String| [RAW, RECORD, PARENT].contains(&name.as_str());
            let own: Vec<String> = columns.iter().filter(|c| !added(c)).cloned().collect();
            plan = self::plan(layout, options, rules, record, Some(&own), rows)?;
        }
        let columns: Vec<Column> = schema
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                RAW => Column::Raw,
                RECORD => Column::Record,
                PARENT => Column::Parent,
                name => Column::Tree(
                    plan.schema
                        .index_of(name)
                        .ok()
                        .and_then(|i| plan.order.get(i))
                        .copied()
                        .unwrap_or(0),
                ),
            })
            .collect();
        let pools = Pools::default();
        let has = |column: Column| columns.contains(&column);
        let raw = has(Column::Raw).then(|| BinaryColumn::new(&pools, rows, 0));
        let links = (has(Column::Record) || has(Column::Parent))
            .then(|| (PrimitiveColumn::new(&pools, rows), PrimitiveColumn::new(&pools, rows)));
        Ok(Self {
            plan,
            schema,
            columns,
            raw,
            forest: None,
            kinds: Vec::new(),
            closed: false,
            links,
            bad: Vec::new(),
            numbers: Vec::new(),
            rejects: Vec::new(),
            span: Span::default(),
            bytes: 0,
            limits: decode.limits.clone(),
        })
    }

    /// Rows are trees of the records of a plan.
    fn of_trees(plan: Plan, forest: Forest, decode: &DecodeOptions) -> Result<Self> {
        let fields = forest.schema().flattened_fields().len() as u64;
        Limits::check("fields", decode.limits.fields, fields)?;
        Ok(Self {
            schema: core_schema::project(forest.schema(), decode.columns.as_deref())?,
            columns: plan.order.iter().copied().map(Column::Tree).collect(),
            plan,
            raw: None,
            forest: Some(forest),
            kinds: Vec::new(),
            closed: false,
            links: None,
            bad: Vec::new(),
            numbers: Vec::new(),
            rejects: Vec::new(),
            span: Span::default(),
            bytes: 0,
            limits: decode.limits.clone(),
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Begins a batch at this record and offset.
    pub(crate) fn start(&mut self, record: u64, offset: u64) {
        self.span = Span { first: record, offset, ..Span::default() };
        self.bytes = 0;
        self.closed = false;
    }

    /// Records and bytes that still fit.
    pub(crate) fn room(&self) -> (usize, u64) {
        if self.forest.is_some() {
            return (usize::MAX, u64::MAX);
        }
        let rows = self.limits.batch_rows.max(1).saturating_sub(self.span.read);
        (
            usize::try_from(rows).unwrap_or(usize::MAX),
            self.limits.batch_bytes.saturating_sub(self.bytes),
        )
    }

    /// Whether a batch of trees ends in front of the next one, after so many more records and bytes.
    pub(crate) fn is_due(&self, records: usize, bytes: usize) -> bool {
        let (rows, all) = (self.span.read + records as u64, self.bytes + bytes as u64);
        let due = rows >= self.limits.batch_rows || all >= self.limits.batch_bytes;
        self.forest.is_some() && rows > 0 && due
    }

    /// Ends a batch of trees.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// A tree is as long as a record may be, at most.
    pub(crate) fn check_tree(&self) -> Result<()> {
        match self.forest {
            Some(_) if !self.closed => {
                let tree = self.bytes.saturating_sub(self.limits.batch_bytes);
                Limits::check("record", self.limits.record, tree)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        if self.forest.is_some() {
            return self.closed;
        }
        self.room().0 == 0 || (self.bytes > 0 && self.bytes >= self.limits.batch_bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.span.read == 0
    }

    /// Appends a block of records; the bad ones are marked in `faults`.
    pub(crate) fn append(
        &mut self,
        block: &mut Block<'_>,
        numbers: &[u64],
        faults: &mut Mask,
    ) -> Result<()> {
        self.plan.root.append_rows(block, faults, None)?;
        self.numbers.extend_from_slice(numbers);
        let before = self.bad.len();
        self.bad.resize(before + numbers.len(), false);
        for row in faults.rows() {
            if let Some(bad) = self.bad.get_mut(before + row) {
                *bad = true;
            }
        }
        Ok(())
    }

    /// What is wrong with the one record of a block. The tree must be one that makes no batches.
    pub(crate) fn explain(&mut self, block: &mut Block<'_>, reasons: Reasons<'_>) -> Result<()> {
        let mut faults = Mask::new(1);
        self.plan.root.append_rows(block, &mut faults, reasons)?;
        self.arrays().map(|_| ())
    }

    pub(crate) fn keeps_raw(&self) -> bool {
        self.raw.is_some()
    }

    pub(crate) fn append_raw(&mut self, data: &[u8]) -> Result<()> {
        match &mut self.raw {
            Some(raw) => raw.append(data).map_err(full),
            None => Ok(()),
        }
    }

    pub(crate) fn append_link(&mut self, link: Link) {
        let Link { record, parent, .. } = link;
        if self.forest.is_some() {
            self.kinds.push(link);
        }
        if let Some((records, parents)) = &mut self.links {
            records.append(i64::try_from(record).unwrap_or(i64::MAX));
            parents.append_option(parent.and_then(|p| i64::try_from(p).ok()));
        }
    }

    /// Enters records in the books.
    pub(crate) fn account(&mut self, read: u64, skipped: u64, bytes: u64, rejects: Vec<Reject>) {
        self.span.read += read;
        self.span.skipped += skipped;
        self.bytes += bytes;
        self.rejects.extend(rejects);
    }

    /// The batch so far, and an empty one instead.
    pub(crate) fn finish(&mut self, position: Position, offset: u64) -> Result<Batch> {
        let arrays = self.arrays()?;
        let bad = std::mem::take(&mut self.bad);
        let mut numbers = std::mem::take(&mut self.numbers);
        let count = RecordBatchOptions::new().with_row_count(Some(bad.len()));
        let flat =
            if self.forest.is_some() { Arc::clone(&self.plan.schema) } else { self.schema() };
        let mut records = RecordBatch::try_new_with_options(flat, arrays, &count)?;
        if bad.iter().any(|b| *b) {
            let keep: BooleanArray = bad.iter().map(|b| Some(!b)).collect();
            let mut good = bad.iter().map(|b| !b);
            numbers.retain(|_| good.next().unwrap_or(true));
            let mut good = bad.iter().map(|b| !b);
            self.kinds.retain(|_| good.next().unwrap_or(true));
            records = filter_record_batch(&records, &keep)?;
        }
        let kinds = std::mem::take(&mut self.kinds);
        if let Some(forest) = &self.forest {
            let before = records.num_rows();
            let (trees, starts) = forest.grow(&records, &kinds)?;
            // The records of child types are in rows of others.
            self.span.skipped += before.saturating_sub(trees.num_rows()) as u64;
            let names: Vec<String> =
                self.schema.fields().iter().map(|f| f.name().clone()).collect();
            records = trees.project(&core_schema::projection(forest.schema(), &names)?)?;
            numbers = starts;
        }
        let mut rejects = std::mem::take(&mut self.rejects);
        rejects.sort_by_key(|r| r.record);
        let span = Span { length: offset.saturating_sub(self.span.offset), ..self.span };
        Batch::with_ordinals(records, rejects, span, position, numbers)
    }

    fn arrays(&mut self) -> Result<Vec<ArrayRef>> {
        let mut tree = Vec::new();
        if self.plan.flat {
            for child in &mut self.plan.root.children {
                child.finish_flat(&mut tree)?;
            }
            self.plan.root.reset();
        } else {
            tree = self.plan.root.finish_children()?;
        }
        let raw: Option<ArrayRef> = self.raw.as_mut().map(|raw| Arc::new(raw.finish()) as ArrayRef);
        let links = match &mut self.links {
            Some((records, parents)) => {
                let wrong = |_| crate::error::config("a column of another type");
                let int = DataType::Int64;
                Some((records.finish(&int).map_err(wrong)?, parents.finish(&int).map_err(wrong)?))
            }
            None => None,
        };
        let missing = || crate::error::config("a column is missing");
        self.columns
            .iter()
            .map(|column| match column {
                Column::Tree(at) => tree.get(*at).cloned().ok_or_else(missing),
                Column::Raw => raw.clone().ok_or_else(missing),
                Column::Record => links.as_ref().map(|l| Arc::clone(&l.0)).ok_or_else(missing),
                Column::Parent => links.as_ref().map(|l| Arc::clone(&l.1)).ok_or_else(missing),
            })
            .collect()
    }
}
