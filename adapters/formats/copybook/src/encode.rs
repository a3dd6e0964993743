//! The encoder: rows to records, from the bytes they had where they are unchanged.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use bytes::{BufMut, BytesMut};
use fenhe_core::{EncodeOptions, Encoder, Error, Fault, Kind, Limits, Patch, Reject, Result};

use crate::error;
use crate::expand::{Counter, Expanded, Program};
use crate::format::Setup;
use crate::image::{Image, Pass, template};
use crate::nested::{Node, Plan, plan};
use crate::options::VariableOccurs;
use crate::schema::{PARENT, RAW, RECORD};
use crate::wrap::Wrapper;
use crate::write::FieldWriter;

/// Encodes one stream.
#[derive(Debug)]
pub(crate) struct CopybookEncoder {
    schema: SchemaRef,
    plan: Plan,
    writer: FieldWriter,
    wrapper: Wrapper,
    record: Option<usize>,
    setup: Arc<Setup>,
    template: Vec<u8>,
    programs: Vec<Program>,
    header: u64,
    limits: Limits,
    scratch: Vec<u8>,
}

impl CopybookEncoder {
    pub(crate) fn new(setup: Arc<Setup>, options: EncodeOptions) -> Result<Self> {
        let layout = &setup.layout;
        Limits::check("record", options.limits.record, layout.length)?;
        if setup.options.nest {
            return Err(error::config("trees of records cannot be written")
                .hint("write each record type by itself, without nest"));
        }
        let own = |name: &str| ![RAW, RECORD, PARENT].contains(&name);
        let names: Vec<String> =
            options.schema.fields().iter().map(|f| f.name().clone()).filter(|n| own(n)).collect();
        // The columns of all record types, or of the one that has them all.
        let candidates = std::iter::once(None).chain(layout.records.iter().copied().map(Some));
        let mut wrong = None;
        let mut found = None;
        for record in candidates {
            match plan(layout, &setup.options, &setup.rules, record, Some(&names), 0) {
                Ok(plan) => {
                    found = Some((plan, record));
                    break;
                }
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
        let Some((plan, record)) = found else {
            let cause = wrong.unwrap_or_else(|| error::config("no columns"));
            return Err(Error::new(
                Kind::Config,
                "copybook.schema",
                "the columns are not those of the copybook",
            )
            .hint("map the columns to the names of the copybook first")
            .caused_by(cause));
        };
        for (field, planned) in
            options.schema.fields().iter().filter(|f| own(f.name())).zip(plan.schema.fields())
        {
            if field.data_type() != planned.data_type() {
                let message = format!(
                    "column {} is {}, the copybook says {}",
                    field.name(),
                    field.data_type(),
                    planned.data_type()
                );
                return Err(Error::new(Kind::Config, "copybook.schema", message));
            }
        }
        let writer = FieldWriter::new(setup.options.clone(), layout.page, layout.decimal_comma);
        let characters = writer.characters();
        let programs = layout
            .records
            .iter()
            .map(|r| Program::new(layout, *r, &setup.rules, characters))
            .collect();
        Ok(Self {
            template: template(layout, characters),
            wrapper: Wrapper::new(layout, &setup.options)?,
            header: setup.options.file_header,
            schema: options.schema,
            limits: options.limits,
            scratch: Vec::new(),
            plan,
            writer,
            record,
            programs,
            setup,
        })
    }

    /// The bytes of one row, without framing.
    fn row(
        &mut self,
        columns: &[ArrayRef],
        raw: Option<&[u8]>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let (prefix, suffix) = self.wrapper.around();
        let kind = self.kind(columns, row);
        let shifts =
            self.setup.options.occurs() != VariableOccurs::Max && self.setup.layout.is_variable();
        let program = self.programs.get(kind).filter(|_| shifts);
        let mut bytes = self.template.clone();
        let data = raw.and_then(|r| r.get(prefix..r.len().saturating_sub(suffix)));
        let mut filled = None;
        if let Some(data) = data {
            match program {
                Some(program) => {
                    if let Expanded::Done { filled: to, .. } = program.expand(data, &mut bytes) {
                        filled = Some(to);
                    }
                }
                None => {
                    if bytes.len() < data.len() {
                        bytes.resize(data.len(), self.writer.characters().blank());
                    }
                    if let Some(target) = bytes.get_mut(..data.len()) {
                        target.copy_from_slice(data);
                    }
                    filled = Some(data.len());
                }
            }
        }
        let original = filled.map(|_| bytes.clone());
        let limit = filled.unwrap_or(usize::MAX);
        let mut image = Image::new(&mut bytes, original.as_deref(), limit, &self.writer);
        for pass in [Pass::Write, Pass::Check] {
            image.pass = pass;
            for (child, column) in self.plan.root.children.iter().zip(columns) {
                if !self.plan.flat {
                    image.node(child, column, row, 0, false)?;
                }
            }
            if self.plan.flat {
                let mut next = columns.iter();
                for child in &self.plan.root.children {
                    image.flat(child, &mut next, row)?;
                }
            }
        }
        let (changed, end) = (image.changed, image.end);
        self.check_counts(&image.counts, &bytes)?;
        if let (Some(raw), false) = (raw, changed) {
            out.extend_from_slice(raw);
            return Ok(());
        }
        let blank = self.writer.characters().blank();
        let whole = self.kind_length(kind);
        out.extend_from_slice(raw.and_then(|r| r.get(..prefix)).unwrap_or(&vec![blank; prefix]));
        let start = out.len();
        match program {
            Some(program) => {
                program.compact(&bytes, out).map_err(|table| {
                    Fault::new(
                        error::OCCURS,
                        self.setup.layout.path(table),
                        "a count in its range",
                        "another one",
                    )
                })?;
                if self.setup.options.occurs() == VariableOccurs::Pad {
                    out.resize(start + whole, blank);
                }
            }
            None => {
                let length = filled.unwrap_or(whole).max(end);
                out.extend_from_slice(bytes.get(..length).unwrap_or(&bytes));
            }
        }
        let tail = raw.and_then(|r| r.get(r.len().saturating_sub(suffix)..));
        out.extend_from_slice(tail.unwrap_or(&vec![blank; suffix]));
        Ok(())
    }

    /// Lists must have as many items as their counters say.
    fn check_counts(
        &self,
        counts: &[(Counter, usize, u32, String)],
        bytes: &[u8],
    ) -> Result<(), Fault> {
        for (counter, base, count, path) in counts {
            let at = base + counter.at;
            let field = bytes.get(at..at + counter.length).unwrap_or_default();
            let read = crate::value::integer(counter.storage, field, self.writer.characters());
            if read.ok().and_then(|n| n.checked_mul(counter.factor)) != Some(i128::from(*count)) {
                let expected = "as many items as the DEPENDING ON item says";
                return Err(Fault::new(
                    error::OCCURS,
                    path.clone(),
                    expected,
                    format!("{count} items"),
                ));
            }
        }
        Ok(())
    }

    /// Which record type a row is: the one that is there.
    fn kind(&self, columns: &[ArrayRef], row: usize) -> usize {
        let records = &self.setup.layout.records;
        if let Some(record) = self.record {
            return records.iter().position(|r| *r == record).unwrap_or(0);
        }
        if records.len() < 2 || self.plan.flat {
            return 0;
        }
        let there = self.plan.root.children.iter().zip(columns).find(|(_, c)| !c.is_null(row));
        let name = there.map(|(node, _)| node.field());
        let of = |r: &usize| {
            self.setup.layout.field(*r).map(|f| &f.name) == name.as_ref().map(|f| f.name())
        };
        records.iter().position(of).unwrap_or(0)
    }

    fn kind_length(&self, kind: usize) -> usize {
        let record = self.setup.layout.records.get(kind).and_then(|r| self.setup.layout.field(*r));
        record.map_or(0, |f| usize::try_from(f.length).unwrap_or(usize::MAX))
    }
}

impl Encoder for CopybookEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        if batch.schema().fields() != self.schema.fields() {
            return Err(Error::new(Kind::Config, "copybook.schema", "a batch of another schema"));
        }
        out.put_bytes(0, usize::try_from(std::mem::take(&mut self.header)).unwrap_or(0));
        let raw = batch.column_by_name(RAW).map(|c| c.as_binary::<i32>().clone());
        // In the order of the tree.
        let mut columns: Vec<(usize, ArrayRef)> = Vec::new();
        let names = self.plan.schema.fields().iter().map(|f| f.name().clone());
        for (name, order) in names.zip(&self.plan.order) {
            if let Some(column) = batch.column_by_name(&name) {
                columns.push((*order, Arc::clone(column)));
            }
        }
        columns.sort_by_key(|(order, _)| *order);
        let columns: Vec<ArrayRef> = columns.into_iter().map(|(_, c)| c).collect();
        let mut rejects = Vec::new();
        for row in 0..batch.num_rows() {
            let mut record = std::mem::take(&mut self.scratch);
            record.clear();
            let original = raw.as_ref().filter(|r| !r.is_null(row)).map(|r| r.value(row));
            let done = self.row(&columns, original, row, &mut record);
            let done = done.and_then(|()| self.wrapper.put(&record, original.is_some(), out));
            if let Err(fault) = done {
                let number = row as u64 + 1;
                rejects.push(
                    Reject::new(fault)
                        .at(number, 0, record.len() as u64)
                        .raw_bytes(original.unwrap_or_default(), self.limits.reject_raw)
                        .by(self.setup.adapter.clone()),
                );
            }
            self.scratch = record;
        }
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        out.put_bytes(0, usize::try_from(std::mem::take(&mut self.header)).unwrap_or(0));
        self.wrapper.finish(out);
        // What header and trailer held is not in the rows: they are written as NULs.
        out.put_bytes(0, usize::try_from(self.setup.options.file_trailer).unwrap_or(0));
        Ok(Vec::new())
    }
}

/// The leaf of a path such as `A.B[2].C` in the tree, with its offset.
pub(crate) fn locate<'a>(
    nodes: &'a [Node],
    path: &str,
    base: usize,
) -> Option<(&'a crate::columns::Leaf, usize)> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(h, r)| (h, Some(r)));
    let (name, index) = match head.strip_suffix(']').and_then(|h| h.split_once('[')) {
        Some((name, index)) => (name, Some(index.parse::<usize>().ok()?.checked_sub(1)?)),
        None => (head, None),
    };
    let node = nodes.iter().find(|n| n.field().name().eq_ignore_ascii_case(name))?;
    let (node, base) = match (node, index) {
        (Node::List(list), Some(index)) if index < list.table.max as usize => {
            (list.item.as_ref(), base + list.at + index * list.length)
        }
        (Node::List(_), _) | (_, Some(_)) => return None,
        (node, None) => (node, base),
    };
    match (node, rest) {
        (Node::Leaf { at, leaf, .. }, None) => Some((leaf, base + at)),
        (Node::Struct(inner), Some(rest)) => locate(&inner.children, rest, base),
        _ => None,
    }
}
