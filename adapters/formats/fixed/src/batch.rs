//! Batches under way: the columns of the record types that are read, and the books.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchOptions, StringArray, StructArray, UInt32Array,
};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use fenhe_core::{
    Batch, DecodeOptions, Error, Kind, Position, Reject, Result, Span, nearest, schema,
};
use fenhe_kernels::Pools;

use crate::columns::RecordColumns;
use crate::error;
use crate::layout::{FieldLayout, Layout, Role};
use crate::options::{Fillers, FixedOptions};

/// Name of the column with the record type, when all types are read.
pub(crate) const RECORD: &str = "_record";
/// Name of the column with the bytes between the fields.
pub(crate) const FILLERS: &str = "_fillers";

/// Which record types are read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Select {
    /// One type, by index.
    One(usize),
    /// All of them, as nested columns in the order of the records.
    All,
}

/// The batch that is being filled.
#[derive(Debug)]
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    select: Select,
    types: Vec<Option<RecordColumns>>,
    /// Fields of the struct columns when all types are read.
    structs: Vec<Fields>,
    /// Columns asked for, by index into what was decoded.
    projection: Option<Vec<usize>>,
    names: Vec<String>,
    plain: bool,
    rows: usize,
    bytes: u64,
    open: Open,
}

/// What changes from batch to batch.
#[derive(Debug, Default)]
struct Open {
    first: u64,
    offset: u64,
    read: usize,
    skipped: u64,
    record_bytes: u64,
    rejects: Vec<Reject>,
    ordinals: Vec<u64>,
    /// The type of each row, when all types are read.
    order: Vec<usize>,
}

impl Select {
    /// What the options ask for; without a wish the only record type that holds data.
    pub(crate) fn new(layout: &Layout, wish: Option<&str>) -> Result<Self> {
        let names = || layout.records.iter().map(|r| r.name.as_str());
        match wish {
            Some("all") if layout.record("all").is_none() => Ok(Self::All),
            Some(name) if !name.is_empty() => layout.record(name).map(Self::One).ok_or_else(|| {
                let error = Error::new(
                    Kind::NotFound,
                    "fixed.dataset",
                    format!("the layout has no record {name}"),
                );
                match nearest(name, names()) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint(format!(
                        "records are {}, or all",
                        names().collect::<Vec<_>>().join(", ")
                    )),
                }
            }),
            _ => {
                let details: Vec<usize> = layout
                    .records
                    .iter()
                    .enumerate()
                    .filter_map(|(i, r)| (r.role == Role::Detail).then_some(i))
                    .collect();
                match details[..] {
                    [one] => Ok(Self::One(one)),
                    _ => Err(error::config("the layout has several record types with data").hint(
                        format!("select one of {}, or all", names().collect::<Vec<_>>().join(", ")),
                    )),
                }
            }
        }
    }
}

impl BatchBuilder {
    pub(crate) fn new(
        layout: &Layout,
        options: &FixedOptions,
        decode: &DecodeOptions,
        pools: &Pools,
    ) -> Result<Self> {
        let wish =
            decode.dataset.as_deref().filter(|d| !d.is_empty()).or(options.select.as_deref());
        let select = Select::new(layout, wish)?;
        let rows = usize::try_from(decode.limits.batch_rows).unwrap_or(usize::MAX).max(1);
        let room = rows.min(8192);
        let fillers = options.fillers == Fillers::Keep;
        let mut types: Vec<Option<RecordColumns>> = Vec::new();
        let mut structs = Vec::new();
        let mut found: SchemaRef = Arc::new(Schema::empty());
        let mut projection = None;
        for (index, record) in layout.records.iter().enumerate() {
            if select != Select::All && select != Select::One(index) {
                types.push(None);
                continue;
            }
            let mut fields = record.fields.clone();
            if select == Select::One(index) {
                if let Some(wanted) = &decode.schema {
                    fields = retyped(&fields, wanted)?;
                }
                let all = schema_of(layout, &fields, fillers);
                if let Some(columns) = &decode.columns {
                    let chosen = schema::projection(&all, columns)?;
                    // Only the chosen fields are decoded; `_fillers` comes last and is put in its place at the end.
                    let decoded: Vec<usize> =
                        chosen.iter().copied().filter(|i| *i < fields.len()).collect();
                    projection = Some(places(&chosen, &decoded));
                    let kept: Vec<FieldLayout> =
                        decoded.iter().filter_map(|i| fields.get(*i).cloned()).collect();
                    let with_fillers = decoded.len() < chosen.len();
                    found = all.project(&chosen)?.into();
                    types.push(Some(RecordColumns::new(
                        layout,
                        record,
                        &kept,
                        with_fillers,
                        options,
                        pools,
                        room,
                    )?));
                    continue;
                }
                found = all;
            }
            structs.push(schema_of(layout, &fields, fillers).fields().clone());
            types.push(Some(RecordColumns::new(
                layout, record, &fields, fillers, options, pools, room,
            )?));
        }
        if select == Select::All {
            let all = all_schema(layout, &structs);
            if let Some(wanted) = &decode.schema
                && wanted.fields() != all.fields()
            {
                return Err(error::config("with select=all the schema is that of the layout"));
            }
            projection =
                decode.columns.as_ref().map(|c| schema::projection(&all, c)).transpose()?;
            found = schema::project(&all, decode.columns.as_deref())?;
        }
        Ok(Self {
            schema: found,
            select,
            types,
            structs,
            projection,
            names: layout.records.iter().map(|r| r.name.clone()).collect(),
            plain: !layout.has_types(),
            rows,
            bytes: decode.limits.batch_bytes,
            open: Open::default(),
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The columns of a record type, if it is read.
    pub(crate) fn columns(&mut self, kind: usize) -> Option<&mut RecordColumns> {
        self.types.get_mut(kind)?.as_mut()
    }

    /// Begins at this record.
    pub(crate) fn start(&mut self, record: u64, offset: u64) {
        self.open = Open { first: record, offset, ..Open::default() };
    }

    /// Records that still fit, and their bytes.
    pub(crate) fn room(&self) -> (usize, u64) {
        (
            self.rows.saturating_sub(self.open.read),
            self.bytes.saturating_sub(self.open.record_bytes),
        )
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.is_empty() && (self.open.read >= self.rows || self.open.record_bytes >= self.bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.read == 0
    }

    /// Enters a block of records: their types, and those that were rejected.
    pub(crate) fn account(
        &mut self,
        first: u64,
        kinds: &[Option<usize>],
        bytes: u64,
        rejects: Vec<(usize, Reject)>,
    ) {
        self.open.read += kinds.len();
        self.open.record_bytes += bytes;
        if self.plain {
            self.open.rejects.extend(rejects.into_iter().map(|(_, reject)| reject));
            return;
        }
        let mut rejects = rejects.into_iter().peekable();
        for (row, kind) in kinds.iter().enumerate() {
            if let Some((_, reject)) = rejects.next_if(|(at, _)| *at == row) {
                self.open.rejects.push(reject);
                continue;
            }
            match kind {
                Some(kind) if matches!(self.types.get(*kind), Some(Some(_))) => {
                    self.open.ordinals.push(first + row as u64);
                    if self.select == Select::All {
                        self.open.order.push(*kind);
                    }
                }
                _ => self.open.skipped += 1,
            }
        }
    }

    /// The batch; `offset` is where the next one begins.
    pub(crate) fn finish(&mut self, position: Position, offset: u64) -> Result<Batch> {
        let open = std::mem::take(&mut self.open);
        let records = self.records(&open)?;
        let span = Span {
            first: open.first,
            read: open.read as u64,
            skipped: open.skipped,
            offset: open.offset,
            length: offset.saturating_sub(open.offset),
        };
        if self.plain {
            Batch::new(records, open.rejects, span, position)
        } else {
            Batch::with_ordinals(records, open.rejects, span, position, open.ordinals)
        }
    }

    fn records(&mut self, open: &Open) -> Result<RecordBatch> {
        let (mut arrays, rows) = match self.select {
            Select::One(kind) => match self.types.get_mut(kind).and_then(Option::as_mut) {
                Some(columns) => {
                    let rows = columns.rows();
                    (columns.finish()?, rows)
                }
                None => (Vec::new(), 0),
            },
            Select::All => (self.nested(&open.order)?, open.order.len()),
        };
        if let Some(projection) = &self.projection {
            arrays = projection.iter().filter_map(|i| arrays.get(*i).cloned()).collect();
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema(), arrays, &options)?)
    }

    /// The name of the type of each row, and for each type a struct that is null in the rows of the others.
    fn nested(&mut self, order: &[usize]) -> Result<Vec<ArrayRef>> {
        let name = |kind: &usize| self.names.get(*kind).map(String::as_str);
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(order.iter().map(name).collect::<StringArray>())];
        for (kind, columns) in self.types.iter_mut().enumerate() {
            let (Some(columns), Some(fields)) = (columns, self.structs.get(kind)) else { continue };
            let mut next = 0;
            let indices: UInt32Array = order
                .iter()
                .map(|of| {
                    (*of == kind).then(|| {
                        next += 1;
                        next - 1
                    })
                })
                .collect();
            let spread = |array: ArrayRef| arrow_select::take::take(&array, &indices, None);
            let children =
                columns.finish()?.into_iter().map(spread).collect::<Result<Vec<_>, _>>()?;
            let nulls = arrow_array::Array::nulls(&indices).cloned();
            arrays.push(Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                children,
                nulls,
                order.len(),
            )?));
        }
        Ok(arrays)
    }
}

/// The schema of a dataset.
pub(crate) fn schema_for(layout: &Layout, options: &FixedOptions, select: Select) -> SchemaRef {
    let fillers = options.fillers == Fillers::Keep;
    match select {
        Select::One(kind) => match layout.records.get(kind) {
            Some(record) => schema_of(layout, &record.fields, fillers),
            None => Arc::new(Schema::empty()),
        },
        Select::All => {
            let fields = |r: &crate::layout::RecordLayout| {
                schema_of(layout, &r.fields, fillers).fields().clone()
            };
            all_schema(layout, &layout.records.iter().map(fields).collect::<Vec<_>>())
        }
    }
}

fn schema_of(layout: &Layout, fields: &[FieldLayout], fillers: bool) -> SchemaRef {
    let mut fields: Vec<Field> = fields.iter().map(|f| f.arrow(layout)).collect();
    if fillers {
        fields.push(Field::new(FILLERS, DataType::Binary, true));
    }
    Schema::new(fields)
        .with_metadata([(schema::FORMAT.to_owned(), "fixed".to_owned())].into())
        .into()
}

fn all_schema(layout: &Layout, structs: &[Fields]) -> SchemaRef {
    let mut fields = vec![Field::new(RECORD, DataType::Utf8, false)];
    for (record, children) in layout.records.iter().zip(structs) {
        fields.push(Field::new(&record.name, DataType::Struct(children.clone()), true));
    }
    Schema::new(fields)
        .with_metadata([(schema::FORMAT.to_owned(), "fixed".to_owned())].into())
        .into()
}

/// The fields that a schema asks for, with its types.
fn retyped(fields: &[FieldLayout], wanted: &SchemaRef) -> Result<Vec<FieldLayout>> {
    let mut found = Vec::new();
    for field in wanted.fields().iter().filter(|f| f.name() != FILLERS) {
        let Some(layout) = fields.iter().find(|l| l.spec.name == *field.name()) else {
            let message = format!("the layout has no field {}", field.name());
            let error = Error::new(Kind::NotFound, "core.column", message);
            return Err(match nearest(field.name(), fields.iter().map(|l| l.spec.name.as_str())) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            });
        };
        let mut layout = layout.clone();
        layout.spec.data_type = field.data_type().clone();
        layout.spec.nullable = field.is_nullable();
        found.push(layout);
    }
    Ok(found)
}

/// Where each chosen column is among the decoded ones, which `_fillers` follows.
fn places(chosen: &[usize], decoded: &[usize]) -> Vec<usize> {
    chosen.iter().map(|c| decoded.iter().position(|d| d == c).unwrap_or(decoded.len())).collect()
}
