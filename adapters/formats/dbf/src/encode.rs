//! Batches to a table: header, records, memo file, and the counts that are known at the end.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch, cast::AsArray};
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    CompanionBytes, EncodeOptions, Encoder, Error, Fault, Kind, Limits, Patch, Reject, Result,
    SchemaRef,
};

use crate::error;
use crate::fill::{Filling, refused};
use crate::header::Header;
use crate::memo_write::{EntryKind, MemoWriter};
use crate::options::DbfOptions;
use crate::plan::{Plan, Slot};
use crate::schema::{END, MEMO, MEMO_FILLED, MEMO_HEADER, unhex};
use crate::spell::Refusal;
use crate::types::Shape;
use crate::unchanged;
use crate::version::{Dialect, MemoKind};

/// Writes one table.
#[derive(Debug)]
pub(crate) struct TableEncoder {
    plan: Plan,
    schema: SchemaRef,
    limits: Limits,
    memo: Option<MemoWriter>,
    /// Records that stand in the table before this encoder's; `None`: a new table.
    append_to: Option<u64>,
    started: bool,
    finished: bool,
    end_mark: bool,
    count: u64,
    template: Vec<u8>,
    block: Vec<u8>,
    scratch: Vec<u8>,
}

type Faults = BTreeMap<usize, Vec<Fault>>;

impl TableEncoder {
    pub(crate) fn new(options: &DbfOptions, encode: EncodeOptions) -> Result<Self> {
        let plan = Plan::new(&encode.schema, options, &encode.limits)?;
        let memo = plan.has_memo().then(|| memo_writer(&plan, &encode.schema, options)).flatten();
        let end_mark = encode.schema.metadata().get(END).is_none_or(|end| !end.is_empty());
        let template = template(&plan.header);
        Ok(Self {
            plan,
            schema: encode.schema,
            limits: encode.limits,
            memo,
            append_to: None,
            started: false,
            finished: false,
            end_mark,
            count: 0,
            template,
            block: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Adds to a table that is there: no header is written, and the count goes on.
    pub(crate) fn appending(mut self, records: u64) -> Result<Self> {
        if self.plan.has_memo() {
            return Err(Error::unsupported("dbf", "append to a table with memo fields")
                .hint("write the whole table anew"));
        }
        self.append_to = Some(records);
        Ok(self)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) || self.append_to.is_some() {
            return;
        }
        out.extend_from_slice(&self.plan.header.raw);
    }

    fn check(&self, batch: &RecordBatch) -> Result<()> {
        let own = self.schema.fields();
        let given = batch.schema();
        let same = own.len() == given.fields().len()
            && own
                .iter()
                .zip(given.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if self.finished {
            return Err(Error::new(Kind::Internal, "dbf.finished", "the table is finished"));
        }
        if same {
            Ok(())
        } else {
            Err(error::config("dbf.schema", "a batch of another schema than the table's"))
        }
    }

    /// Fills `block` with the records of a batch, memos left out.
    fn fill(&mut self, batch: &RecordBatch, faults: &mut Faults) {
        let length = self.template.len();
        self.block.clear();
        for _ in 0..batch.num_rows() {
            self.block.extend_from_slice(&self.template);
        }
        let mut filling = Filling {
            block: &mut self.block,
            length,
            encoding: self.plan.encoding,
            scratch: &mut self.scratch,
            faults,
        };
        for slot in self.plan.slots.iter().filter(|s| !s.shape.is_memo()) {
            if let Some(array) = batch.columns().get(slot.column) {
                filling.column(slot, array);
            }
        }
        self.mark_deleted(batch);
        self.keep_raw(batch);
    }

    fn mark_deleted(&mut self, batch: &RecordBatch) {
        let Some(marks) =
            self.plan.deleted.and_then(|at| batch.columns().get(at)?.as_boolean_opt())
        else {
            return;
        };
        for (record, deleted) in self.block.chunks_exact_mut(self.template.len()).zip(marks) {
            if let (Some(mark), Some(true)) = (record.first_mut(), deleted) {
                *mark = b'*';
            }
        }
    }

    /// Where a row brings the bytes it was read from, whatever did not change keeps its spelling.
    fn keep_raw(&mut self, batch: &RecordBatch) {
        let Some(raws) =
            self.plan.raw.and_then(|at| batch.columns().get(at)?.as_binary_opt::<i32>())
        else {
            return;
        };
        let no_memo_file = self.memo.is_none();
        for (record, raw) in self.block.chunks_exact_mut(self.template.len()).zip(raws) {
            if let Some(raw) = raw.filter(|raw| raw.len() == record.len()) {
                unchanged::keep(&self.plan, record, raw, no_memo_file);
            }
        }
    }

    /// Writes the memos of one row into the memo file, all or none, and their blocks into the record.
    fn memos(&mut self, batch: &RecordBatch, row: usize, faults: &mut Faults) {
        let Some(writer) = &mut self.memo else { return };
        let length = self.template.len();
        let mut ready = Vec::new();
        for slot in self.plan.slots.iter().filter(|s| s.shape.is_memo()) {
            let Some(array) = batch.columns().get(slot.column).filter(|a| a.is_valid(row)) else {
                if let Some(record) = self.block.get_mut(row * length..(row + 1) * length)
                    && let Some(bit) = slot.bits.null
                {
                    bit.set(record);
                }
                continue;
            };
            match memo_bytes(slot, array, row, self.plan.encoding) {
                Ok(data) if !writer.holds(&data) => {
                    let fault = Fault::new(
                        "dbf.memo_mark",
                        &slot.name,
                        "text without the end mark 1A",
                        "the mark",
                    );
                    faults.entry(row).or_default().push(fault);
                }
                Ok(data) if data.len() as u64 > self.limits.memo => {
                    let found = format!("{} bytes", data.len());
                    let fault =
                        Fault::new("core.limit", &slot.name, "a memo within the limit memo", found);
                    faults.entry(row).or_default().push(fault);
                }
                Ok(data) => ready.push((slot, data)),
                Err(refusal) => {
                    let fault = refused(slot, refusal, self.plan.encoding);
                    faults.entry(row).or_default().push(fault);
                }
            }
        }
        if faults.contains_key(&row) {
            return;
        }
        for (slot, data) in ready {
            let kind = match slot.kind {
                b'M' => EntryKind::Text,
                b'G' => EntryKind::Object,
                _ => EntryKind::Picture,
            };
            let place = row * length + slot.at;
            let to = self.block.get_mut(place..place + slot.length);
            let done =
                writer.append(&data, kind).zip(to).is_some_and(|(block, to)| pointer(block, to));
            if !done {
                let fault =
                    Fault::new("dbf.memo_full", &slot.name, "room in the memo file", "none");
                faults.entry(row).or_default().push(fault);
                return;
            }
        }
    }
}

impl Encoder for TableEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        self.check(batch)?;
        self.start(out);
        let mut faults = Faults::new();
        self.fill(batch, &mut faults);
        if self.memo.is_some() {
            for row in 0..batch.num_rows() {
                if !faults.contains_key(&row) {
                    self.memos(batch, row, &mut faults);
                }
            }
        }
        let mut good = 0u64;
        for (row, record) in self.block.chunks_exact(self.template.len()).enumerate() {
            if !faults.contains_key(&row) {
                out.extend_from_slice(record);
                good += 1;
            }
        }
        self.count += good;
        let most = if self.plan.header.dialect == Dialect::Dbase2 {
            u16::MAX.into()
        } else {
            u32::MAX.into()
        };
        Limits::check("records of a table", most, self.count + self.append_to.unwrap_or(0))?;
        Ok(faults.into_iter().filter_map(|(row, faults)| reject(row, faults)).collect())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        self.start(out);
        self.finished = true;
        if self.end_mark {
            out.extend_from_slice(&[0x1A]);
        }
        let count = self.count + self.append_to.unwrap_or(0);
        let bytes = u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        let patch = |offset, bytes: &[u8]| Patch {
            companion: None,
            offset,
            bytes: Bytes::copy_from_slice(bytes),
        };
        let mut patches = match (self.plan.header.dialect, bytes) {
            (Dialect::Dbase2, [low, high, ..]) => vec![patch(1, &[low, high])],
            _ => vec![patch(4, &bytes)],
        };
        patches.extend(self.memo.as_mut().and_then(MemoWriter::finish));
        Ok(patches)
    }

    fn companions(&mut self) -> Vec<CompanionBytes> {
        self.memo.as_mut().and_then(MemoWriter::take).into_iter().collect()
    }
}

/// `None` when memos were read without their file (`missing_memo=null`): then none is written either.
fn memo_writer(plan: &Plan, schema: &SchemaRef, options: &DbfOptions) -> Option<MemoWriter> {
    let of = |key: &str| schema.metadata().get(key);
    let known = of(MEMO);
    let from_table = of(crate::schema::HEADER).is_some() && options.version.is_none();
    if from_table && known.is_none() && plan.raw.is_some() {
        return None;
    }
    let dialect = plan.header.dialect;
    let known = known.filter(|_| options.version.is_none());
    let kind = known.map_or(dialect.memo(), |extension| dialect.memo_of(extension));
    let header = known.and_then(|_| unhex(of(MEMO_HEADER)?)).unwrap_or_default();
    let filled = known.is_none() || of(MEMO_FILLED).is_none_or(|f| f != "false");
    let usual = if kind == MemoKind::Fpt { 64 } else { 512 };
    let block = options.memo_block.unwrap_or(usual);
    Some(MemoWriter::new(kind, block, &header, filled))
}

/// A record without values.
fn template(header: &Header) -> Vec<u8> {
    let mut record = vec![b' '; header.record_length];
    for field in &header.fields {
        let binary = match Shape::of(field, header.dialect) {
            None => true,
            Some(Shape::Memo | Shape::MemoBytes) => field.length == 4,
            Some(shape) => matches!(
                shape,
                Shape::Bytes
                    | Shape::Varbinary
                    | Shape::Varchar
                    | Shape::Double
                    | Shape::DoubleSeven
                    | Shape::Int32
                    | Shape::Int32Seven
                    | Shape::Currency
                    | Shape::DateTime
            ),
        };
        if let Some(bytes) =
            record.get_mut(field.offset..field.offset + field.length).filter(|_| binary)
        {
            bytes.fill(0);
        }
    }
    record
}

fn memo_bytes(
    slot: &Slot,
    array: &dyn Array,
    row: usize,
    encoding: fenhe_text::Encoding,
) -> Result<Vec<u8>, Refusal> {
    if let Some(bytes) = array.as_binary_opt::<i32>() {
        return Ok(bytes.value(row).to_vec());
    }
    let text = crate::fill::text_at(array, row);
    debug_assert!(text.is_some(), "column {} is text or bytes", slot.name);
    encoding.encode(text.unwrap_or_default()).map_err(|_| Refusal::Characters)
}

/// A block number into its field.
fn pointer(block: u32, to: &mut [u8]) -> bool {
    if to.len() == 4 {
        to.copy_from_slice(&block.to_le_bytes());
        return true;
    }
    crate::spell::number(block.into(), 0, 0, to).is_ok()
}

fn reject(row: usize, faults: Vec<Fault>) -> Option<Reject> {
    let mut faults = faults.into_iter();
    Some(Reject::new(faults.next()?).and(faults).at(row as u64 + 1, 0, 0).by("dbf"))
}
