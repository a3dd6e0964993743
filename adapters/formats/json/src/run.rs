//! Records to batches, once everything about the stream is settled.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use fenhe_core::{
    Batch, DecodeOptions, Error, Fault, Input, Kind, Output, Position, Reject, Result, Span, schema,
};
use fenhe_kernels::{Pools, Validated};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, Source};
use serde::{Deserialize, Serialize};

use crate::array::{Document, State};
use crate::decode::whole_units;
use crate::frame::{Bad, Block, Frame, Framed};
use crate::lines::{Lines, unit};
use crate::node::StructNode;
use crate::options::{JsonOptions, Shape};
use crate::record::{self, Context};
use crate::settle::REST;

/// A decoder under way.
pub(crate) struct Run {
    options: DecodeOptions,
    framer: Framer,
    encoding: Encoding,
    root: StructNode,
    wanted: Vec<usize>,
    schema: SchemaRef,
    context: Context,
    /// Number of the next record.
    pub(crate) record: u64,
    pub(crate) shape: Shape,
    prologue: u64,
    open: Open,
    odd: Option<u8>,
    /// The stream ends with what was fed.
    ended: bool,
    fault: Option<Error>,
    replay: Vec<u8>,
}

/// The batch being filled.
#[derive(Default)]
struct Open {
    read: u64,
    bytes: u64,
    offset: u64,
    rejects: Vec<Reject>,
}

/// How records are found.
pub(crate) enum Framer {
    Lines(Lines),
    Document(Box<Document>),
}

/// The token of a position.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) record: u64,
    pub(crate) line: u64,
    pub(crate) shape: Shape,
    pub(crate) encoding: String,
    pub(crate) outer: Option<State>,
}

impl Run {
    pub(crate) fn new(
        json: &JsonOptions,
        options: &DecodeOptions,
        pools: &Pools,
        full: SchemaRef,
        framer: Framer,
        encoding: Encoding,
        prologue: u64,
    ) -> Result<Self> {
        let wanted = match &options.columns {
            Some(columns) => schema::projection(&full, columns)?,
            None => (0..full.fields().len()).collect(),
        };
        let schema = schema::project(&full, options.columns.as_deref())?;
        let rows = usize::try_from(options.limits.batch_rows).unwrap_or(usize::MAX).min(8_192);
        let root = StructNode::root(full.fields(), |n| wanted.contains(&n), pools, rows)?;
        let rest = full.index_of(REST).ok().filter(|_| json.unknown == crate::Unknown::Keep);
        Ok(Self {
            context: Context::new(&options.limits, json.unknown, rest),
            options: options.clone(),
            framer,
            encoding,
            root,
            wanted,
            schema,
            record: 1,
            shape: json.shape,
            prologue,
            open: Open::default(),
            odd: None,
            ended: false,
            fault: None,
            replay: Vec::new(),
        })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.context.ignored.note().into_iter().collect()
    }

    /// Takes input after the start.
    pub(crate) fn take(&mut self, input: Input) -> Result<()> {
        match input {
            Input::Bytes(bytes) if !self.ended => self.feed(bytes),
            Input::EndOfMessage | Input::EndOfStream => {
                self.ended |= matches!(input, Input::EndOfStream);
                if let Some(odd) = self.odd.take() {
                    self.framer.feed(Bytes::copy_from_slice(&[odd]));
                }
                self.framer.end(true);
            }
            _ => return Err(Error::new(Kind::Internal, "core.turn", "json was fed out of turn")),
        }
        Ok(())
    }

    pub(crate) fn feed(&mut self, bytes: Bytes) {
        let bytes =
            if unit(self.encoding) == 2 { whole_units(&mut self.odd, bytes) } else { bytes };
        self.framer.feed(bytes);
    }

    pub(crate) fn next(&mut self) -> Result<Output> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let limits = &self.options.limits;
        let (most_rows, most_bytes) = (limits.batch_rows.max(1), limits.batch_bytes);
        loop {
            let room = most_rows.saturating_sub(self.open.read);
            if room == 0 || self.open.bytes >= most_bytes {
                return self.batch();
            }
            match self.framer.next(usize::try_from(room).unwrap_or(usize::MAX)) {
                Ok(Framed::Block(block)) => self.block(block)?,
                Ok(Framed::NeedInput) => return Ok(Output::NeedInput),
                Ok(Framed::End) if self.open.read > 0 => return self.batch(),
                Ok(Framed::End) if self.ended => return Ok(Output::Done),
                Ok(Framed::End) => {
                    self.framer.restart();
                    return Ok(Output::NeedInput);
                }
                Err(fault) if self.open.read > 0 => {
                    self.fault = Some(fault.at_record(self.record));
                    return self.batch();
                }
                Err(fault) => return Err(fault.at_record(self.record)),
            }
        }
    }

    /// Reads the records of a block.
    fn block(&mut self, block: Block) -> Result<()> {
        let block =
            if self.encoding == Encoding::UTF_8 { block } else { block.decoded(self.encoding) };
        let block = match Validated::check(&block.text) {
            Ok(_) => block,
            Err(_) => block.without_bad_text(),
        };
        if self.open.read == 0 {
            self.open.offset = block.records.first().map_or(0, |f| f.offset);
        }
        let mut refused = Vec::new();
        let good = self.read(&block, &mut refused);
        self.values(&block, &good, &mut refused)?;
        let read = block.records.len() as u64;
        if !refused.is_empty() {
            self.reject(&block, refused);
        }
        self.record += read;
        self.open.read += read;
        self.open.bytes += block.records.iter().map(|f| f.length).sum::<u64>();
        Ok(())
    }

    /// Notes where the values of the records are; the numbers of those that were read.
    fn read(&mut self, block: &Block, refused: &mut Vec<(usize, Vec<Fault>)>) -> Vec<usize> {
        let mut good = Vec::with_capacity(block.records.len());
        self.context.block(block.text.len());
        for (number, frame) in block.records.iter().enumerate() {
            if frame.bad != Bad::No {
                refused.push((number, vec![self.unreadable(frame)]));
                continue;
            }
            let row = good.len();
            self.context.record = self.record + number as u64;
            match record::read(&mut self.root, &mut self.context, &block.text, frame.text, row) {
                Ok(()) => good.push(number),
                Err(flaw) => {
                    self.root.truncate(row);
                    refused.push((number, vec![flaw.fault(frame.text.0)]));
                }
            }
        }
        self.root.pad(good.len());
        good
    }

    /// Turns the places of the rows into values; rows with faults are refused.
    fn values(
        &mut self,
        block: &Block,
        good: &[usize],
        refused: &mut Vec<(usize, Vec<Fault>)>,
    ) -> Result<()> {
        // Escapes are rare in most data: only then the text is put together with what stands for them.
        let joined;
        let text: &[u8] = if self.context.extra.is_empty() {
            &block.text
        } else {
            self.replay.clear();
            self.replay.extend_from_slice(&block.text);
            self.replay.extend_from_slice(&self.context.extra);
            joined = &self.replay;
            joined
        };
        let window = Validated::check(text).map_err(|_| {
            Error::new(Kind::Internal, "json.text", "text that was checked is not UTF-8")
        })?;
        let source = Source::Utf8(window);
        if self.root.append(source) {
            let mut bad = FaultMask::new();
            bad.reset(good.len());
            self.root.mark(&mut bad);
            for row in bad.iter() {
                let mut faults = Vec::new();
                self.root.explain(row, "", text, &mut faults);
                refused.extend(good.get(row).map(|number| (*number, faults)));
            }
            self.root.keep(&bad);
            self.root.append(source);
        }
        self.root.commit()
    }

    /// Why a record cannot be read at all.
    #[cold]
    fn unreadable(&self, frame: &Frame) -> Fault {
        match frame.bad {
            Bad::Encoding(at) => Fault::new(
                "json.encoding",
                "",
                format!("text in {}", self.encoding),
                format!("bytes that are no character at byte {at} of the record"),
            ),
            _ => Fault::new(
                "core.limit",
                "",
                format!("at most {} bytes (limit record)", self.options.limits.record),
                format!("{} bytes", frame.length),
            ),
        }
    }

    #[cold]
    fn reject(&mut self, block: &Block, mut refused: Vec<(usize, Vec<Fault>)>) {
        refused.sort_by_key(|(number, _)| *number);
        for (number, faults) in refused {
            let Some(frame) = block.records.get(number) else { continue };
            let mut faults = faults.into_iter();
            let first = faults
                .next()
                .unwrap_or_else(|| Fault::new("json.syntax", "", "a record", "something else"));
            let raw = block.raw(frame);
            let mut reject = Reject::new(first)
                .and(faults)
                .at(self.record + number as u64, frame.offset, frame.length)
                .on_line(frame.line)
                .raw_bytes(raw, self.options.limits.reject_raw)
                .from_source(&self.options.source)
                .by("json");
            reject.raw_cut |= (raw.len() as u64) < frame.length;
            self.open.rejects.push(reject);
        }
    }

    /// Hands out the batch being filled.
    fn batch(&mut self) -> Result<Output> {
        let open = std::mem::take(&mut self.open);
        let mut columns = Vec::with_capacity(self.wanted.len());
        let mut done: Vec<usize> = Vec::new();
        for number in &self.wanted {
            // A column may be asked for twice.
            if let Some(same) = done.iter().position(|n| n == number) {
                columns.extend(columns.get(same).cloned());
            } else if let Some(node) = self.root.children.get_mut(*number) {
                columns.push(node.finish()?);
            }
            done.push(*number);
        }
        self.root.done.clear();
        #[expect(clippy::cast_possible_truncation, reason = "rows in memory")]
        let rows = (open.read as usize).saturating_sub(open.rejects.len());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(self.schema(), columns, &options)?;
        let (end, line) = self.framer.place();
        let span = Span {
            first: self.record - open.read,
            read: open.read,
            skipped: 0,
            offset: open.offset,
            length: end.saturating_sub(open.offset),
        };
        let token = Token {
            record: self.record,
            line,
            shape: self.shape,
            encoding: self.encoding.to_string(),
            outer: self.framer.outer(),
        };
        let position = Position::new("json", 1, &token)?.resume_at(self.prologue, end);
        Batch::new(records, open.rejects, span, position).map(Output::Batch)
    }
}

impl Framer {
    fn feed(&mut self, bytes: Bytes) {
        match self {
            Self::Lines(lines) => lines.feed(bytes),
            Self::Document(document) => document.feed(bytes),
        }
    }

    fn end(&mut self, ended: bool) {
        match self {
            Self::Lines(lines) => lines.end(ended),
            Self::Document(document) => document.end(ended),
        }
    }

    fn next(&mut self, most: usize) -> Result<Framed> {
        match self {
            Self::Lines(lines) => Ok(lines.next(most)),
            Self::Document(document) => document.next(most),
        }
    }

    /// A message has ended and the stream has not.
    fn restart(&mut self) {
        self.end(false);
        if let Self::Document(document) = self {
            document.restart();
        }
    }

    fn place(&self) -> (u64, u64) {
        match self {
            Self::Lines(lines) => lines.place(),
            Self::Document(document) => document.place(),
        }
    }

    fn outer(&self) -> Option<State> {
        match self {
            Self::Lines(_) => None,
            Self::Document(document) => Some(document.state()),
        }
    }
}
