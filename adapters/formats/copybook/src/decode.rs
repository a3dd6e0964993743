//! The decoder: bytes to records to batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use fenhe_core::{
    DecodeOptions, Decoder, Error, Fault, Input, Kind, Limits, Output, Position, Reject, Result,
};
use serde::{Deserialize, Serialize};

use crate::batch::BatchBuilder;
use crate::columns::{Mask, Window};
use crate::error;
use crate::format::Setup;
use crate::frame::{Found, Frame, Framer};
use crate::nested::{Block, Level};
use crate::rows::{Shaped, Shaper};
use crate::stream::{self, Stream};

/// Records of one pass over the columns, and bytes: a block stays in the second-level cache.
const BLOCK_ROWS: usize = 512;
const BLOCK_BYTES: usize = 112 << 10;

/// Bytes behind a translated window that a copy of 16 bytes may touch.
const SLACK: usize = 16;

/// Version of the token in positions.
const TOKEN: u16 = 1;

/// Decodes one stream.
#[derive(Debug)]
pub(crate) struct CopybookDecoder {
    setup: Arc<Setup>,
    decode: DecodeOptions,
    record: Option<usize>,
    framer: Framer,
    shaper: Shaper,
    batch: BatchBuilder,
    /// A tree of its own, to look at single records again.
    cold: Option<Box<BatchBuilder>>,
    state: State,
    input: Stream,
    header_left: u64,
    at: Place,
    frames: Vec<Frame>,
    assembly: Vec<u8>,
    expanded: Vec<u8>,
    ascii: Vec<u8>,
    lost: Option<Error>,
    parents: BTreeMap<usize, usize>,
    last: BTreeMap<usize, u64>,
    notes: Vec<String>,
}

/// Where the next record is.
#[derive(Clone, Copy, Debug)]
struct Place {
    record: u64,
    offset: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Records,
    Done,
    Poisoned,
}

#[derive(Serialize, Deserialize)]
struct Token {
    record: u64,
    #[serde(default)]
    block_left: u64,
    /// For each branch, the number of the last record that it was in force in.
    #[serde(default)]
    last: BTreeMap<usize, u64>,
}

impl CopybookDecoder {
    pub(crate) fn new(setup: Arc<Setup>, decode: DecodeOptions) -> Result<Self> {
        let layout = &setup.layout;
        Limits::check("record", decode.limits.record, layout.length)?;
        let record = setup.record(decode.dataset.as_deref())?;
        let framer = Framer::new(layout, &setup.options, decode.limits.record)?;
        let shaper = Shaper::new(Arc::clone(layout), &setup.options, &setup.rules);
        let batch = BatchBuilder::new(layout, &setup.options, &setup.rules, record, &decode)?;
        let parents = setup.parents()?;
        let mut decoder = Self {
            record,
            framer,
            shaper,
            batch,
            cold: None,
            state: State::Records,
            input: Stream::default(),
            header_left: setup.options.file_header,
            at: Place { record: 1, offset: setup.options.file_header },
            frames: Vec::new(),
            assembly: Vec::new(),
            expanded: Vec::new(),
            ascii: Vec::new(),
            lost: None,
            parents,
            last: BTreeMap::new(),
            notes: layout.notes.clone(),
            setup,
            decode,
        };
        decoder.begin()?;
        Ok(decoder)
    }

    /// Takes up the place where a position or a part begins.
    fn begin(&mut self) -> Result<()> {
        if let Some(part) = &self.decode.part {
            self.at = Place { record: part.first_record, offset: part.offset };
            self.header_left = 0;
        } else if let Some(from) = &self.decode.from {
            let token: Token = from.read("copybook", TOKEN)?;
            self.at = Place { record: token.record, offset: from.offset() };
            self.framer.block_left = token.block_left;
            self.last = token.last;
            self.header_left = 0;
        }
        self.batch.start(self.at.record, self.at.offset);
        Ok(())
    }

    /// Bytes at the end that are no records as far as is known now.
    fn held(&self) -> usize {
        let last = self.decode.part.as_ref().is_none_or(|p| p.last);
        if last {
            usize::try_from(self.setup.options.file_trailer).unwrap_or(usize::MAX)
        } else {
            0
        }
    }

    /// Reads one block of records. False: there is nothing to read.
    fn step(&mut self) -> Result<bool> {
        let mut frames = std::mem::take(&mut self.frames);
        let mut assembly = std::mem::take(&mut self.assembly);
        let found = self.frame(&mut frames, &mut assembly);
        let result = match found {
            None => Ok(false),
            Some((window, usable, taken)) => {
                let result = if frames.is_empty() {
                    Ok(())
                } else {
                    let bytes = window.as_ref().get(..usable).unwrap_or_default();
                    self.process(bytes, &frames, &assembly)
                };
                self.at.offset += taken as u64;
                self.input.give_back(window, taken);
                result.map(|()| true)
            }
        };
        (self.frames, self.assembly) = (frames, assembly);
        result
    }

    /// The next window in which there are records, how much of it may be used, and how much the records take.
    fn frame(
        &mut self,
        frames: &mut Vec<Frame>,
        assembly: &mut Vec<u8>,
    ) -> Option<(stream::Window, usize, usize)> {
        if self.lost.is_some() {
            return None;
        }
        loop {
            let (window, usable, end) = self.input.window(self.held())?;
            let bytes = window.as_ref().get(..usable).unwrap_or_default();
            let taken = self.collect(bytes, end, frames, assembly);
            if taken > 0 {
                return Some((window, usable, taken));
            }
            self.input.give_back(window, 0);
            if self.lost.is_some() || !self.input.refill() {
                return None;
            }
        }
    }

    /// Lists records of the window up to the size of a block; returns the bytes that they take.
    fn collect(
        &mut self,
        bytes: &[u8],
        end: bool,
        frames: &mut Vec<Frame>,
        assembly: &mut Vec<u8>,
    ) -> usize {
        frames.clear();
        assembly.clear();
        let (room, budget) = self.batch.room();
        let wide = if self.shaper.expands() { self.shaper.length() } else { 0 };
        let most = room
            .min(BLOCK_ROWS)
            .min((4 * BLOCK_BYTES).checked_div(wide).unwrap_or(BLOCK_ROWS).max(1));
        let budget = usize::try_from(budget).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let mut at = 0;
        while frames.len() < most && (at < budget || frames.is_empty()) {
            let rest = bytes.get(at..).unwrap_or_default();
            let mut frame = Frame { from: at, to: at, start: at, next: at, tail: false };
            match self.framer.next(rest, end, assembly) {
                Found::Record { from, to, next } => {
                    (frame.from, frame.to, frame.next) = (at + from, at + to, at + next);
                }
                Found::Joined { from, next } => {
                    (frame.from, frame.to, frame.next) = (from, assembly.len(), at + next);
                }
                Found::Tail if !rest.is_empty() => {
                    (frame.to, frame.next, frame.tail) = (bytes.len(), bytes.len(), true);
                }
                Found::Fill => {
                    self.note("fill bytes (line ends or 1A) follow the last record");
                    return bytes.len().max(at);
                }
                Found::Lost { at: distance, expected, found } => {
                    if frames.is_empty() {
                        self.lost = Some(self.lost_at(at + distance, expected, found));
                    }
                    break;
                }
                Found::More | Found::Tail => break,
            }
            at = frame.next;
            frames.push(frame);
        }
        at
    }

    #[cold]
    fn lost_at(&self, at: usize, expected: &str, found: &str) -> Error {
        Error::new(
            Kind::Invalid,
            error::FRAMING,
            format!("record boundaries are lost: expected {expected}, found {found}"),
        )
        .at_record(self.at.record)
        .at_offset(self.at.offset + at as u64)
        .source_name(self.decode.source.name.clone())
        .hint("check record_format, rdw, rdw_inclusive and file_header; inspect proposes values")
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|n| n == note) {
            self.notes.push(note.to_owned());
        }
    }

    /// Everything that is to be done with a block of records.
    fn process(&mut self, window: &[u8], frames: &[Frame], assembly: &[u8]) -> Result<()> {
        let data = if assembly.is_empty() { window } else { assembly };
        let mut rejects: Vec<Reject> = Vec::new();
        let mut shaped: Vec<Shaped> = Vec::with_capacity(frames.len());
        let mut expanded = std::mem::take(&mut self.expanded);
        expanded.clear();
        let mut skipped = 0;
        for (index, frame) in frames.iter().enumerate() {
            match self.shape(data, index, frame, &mut expanded) {
                Ok(Some(one)) => shaped.push(one),
                Ok(None) => skipped += 1,
                Err(fault) => rejects.push(self.reject(window, frame, index, vec![fault])),
            }
        }
        let source = if self.shaper.expands() { expanded.as_slice() } else { data };
        self.columns(window, source, data, frames, &shaped, &mut rejects)?;
        let bytes: usize = frames.last().map_or(0, |f| f.next);
        self.batch.account(frames.len() as u64, skipped, bytes as u64, rejects);
        self.at.record += frames.len() as u64;
        self.expanded = expanded;
        Ok(())
    }

    /// One record ready for the columns; `None` when it is of a type that is not read.
    fn shape(
        &mut self,
        data: &[u8],
        index: usize,
        frame: &Frame,
        expanded: &mut Vec<u8>,
    ) -> Result<Option<Shaped>, Fault> {
        if frame.tail {
            return Err(Fault::new(
                error::TRUNCATED_TAIL,
                "",
                "a whole record",
                format!("{} bytes before the end of the stream", frame.next - frame.start),
            ));
        }
        let inner = Frame {
            from: frame.from + self.framer.prefix,
            to: frame.to.saturating_sub(self.framer.suffix),
            ..*frame
        };
        let Some(record) = data.get(inner.from..inner.to) else {
            return Err(Fault::new(
                error::SHORT,
                "",
                "a record with its prefix and suffix",
                "a shorter one",
            ));
        };
        if record.is_empty() {
            return Err(Fault::new(error::SHORT, "", "data in the record", "no byte"));
        }
        let kind = self.shaper.kind(record)?;
        if !self.parents.is_empty()
            && let Some(branch) = self.shaper.branch(record)
        {
            self.last.insert(branch, self.at.record + index as u64);
        }
        let wanted =
            self.record.and_then(|r| self.setup.layout.records.iter().position(|i| *i == r));
        if wanted.is_some() && kind.is_some() && wanted != kind {
            return Ok(None);
        }
        let shaped = self.shaper.shape(record, index, kind.or(wanted), &inner, expanded)?;
        self.link(record, index);
        Ok(Some(shaped))
    }

    /// The number of the record and that of the last record of its parent type.
    fn link(&mut self, record: &[u8], index: usize) {
        if self.parents.is_empty() {
            return;
        }
        let branch = self.shaper.branch(record);
        let parent =
            branch.and_then(|b| self.parents.get(&b)).and_then(|p| self.last.get(p)).copied();
        self.batch.append_link(self.at.record + index as u64, parent);
    }

    /// The rows of the block to the columns; those that are bad become rejects.
    fn columns(
        &mut self,
        window: &[u8],
        source: &[u8],
        data: &[u8],
        frames: &[Frame],
        shaped: &[Shaped],
        rejects: &mut Vec<Reject>,
    ) -> Result<()> {
        if shaped.is_empty() {
            return Ok(());
        }
        let mut ascii = std::mem::take(&mut self.ascii);
        let from = shaped.iter().map(|s| s.from).min().unwrap_or(0);
        let to = shaped.iter().map(|s| s.to).max().unwrap_or(0);
        let raw = source.get(from..to).unwrap_or_default();
        self.setup.translate(raw, &mut ascii);
        let length = self.shaper.length();
        let places = |at: fn(&Shaped) -> usize| {
            shaped.iter().map(|s| u32::try_from(at(s) - from).unwrap_or(u32::MAX)).collect()
        };
        let level = Level {
            starts: places(|s| s.from),
            limits: places(|s| s.to),
            up: Vec::new(),
            even: even(shaped, from, length),
        };
        let numbers: Vec<u64> = shaped.iter().map(|s| self.at.record + s.frame as u64).collect();
        let view = Window { raw, ascii: if ascii.is_empty() { raw } else { &ascii } };
        let mut block = Block { window: view, levels: vec![level] };
        let mut faults = Mask::new(shaped.len());
        self.batch.append(&mut block, &numbers, &mut faults)?;
        for one in shaped {
            let frame = frames.get(one.frame).copied().unwrap_or(Frame {
                from: 0,
                to: 0,
                start: 0,
                next: 0,
                tail: false,
            });
            self.batch.append_raw(data.get(frame.from..frame.to).unwrap_or_default())?;
        }
        if faults.any() {
            for row in faults.rows() {
                let Some(one) = shaped.get(row) else { continue };
                let Some(frame) = frames.get(one.frame) else { continue };
                let reasons = self.explain(source.get(one.from..one.to).unwrap_or_default())?;
                rejects.push(self.reject(window, frame, one.frame, reasons));
            }
        }
        self.ascii = ascii;
        Ok(())
    }

    /// What is wrong with a record, found by looking at it alone.
    #[cold]
    fn explain(&mut self, record: &[u8]) -> Result<Vec<Fault>> {
        let cold = match &mut self.cold {
            Some(cold) => cold,
            none => {
                let s = &self.setup;
                none.insert(Box::new(BatchBuilder::new(
                    &s.layout,
                    &s.options,
                    &s.rules,
                    self.record,
                    &self.decode,
                )?))
            }
        };
        let mut ascii = Vec::new();
        self.setup.translate(record, &mut ascii);
        let view = Window { raw: record, ascii: if ascii.is_empty() { record } else { &ascii } };
        let limit = u32::try_from(record.len()).unwrap_or(u32::MAX);
        let level = Level { starts: vec![0], limits: vec![limit], up: Vec::new(), even: None };
        let mut found = Vec::new();
        cold.explain(&mut Block { window: view, levels: vec![level] }, Some(&mut found))?;
        Ok(found.into_iter().map(|(_, fault)| fault).collect())
    }

    #[cold]
    fn reject(&self, window: &[u8], frame: &Frame, index: usize, faults: Vec<Fault>) -> Reject {
        let mut faults = faults.into_iter();
        let unexplained =
            || Fault::new("copybook.record", "", "a record of the copybook", "something else");
        let first = faults.next().unwrap_or_else(unexplained);
        let raw = window.get(frame.start..frame.next).unwrap_or_default();
        let dataset = self.record.filter(|_| self.setup.layout.records.len() > 1);
        let dataset = dataset.and_then(|r| self.setup.layout.field(r)).map(|f| f.name.clone());
        let mut reject = Reject::new(first)
            .and(faults)
            .at(
                self.at.record + index as u64,
                self.at.offset + frame.start as u64,
                raw.len() as u64,
            )
            .raw_bytes(raw, self.decode.limits.reject_raw)
            .from_source(&self.decode.source)
            .by(self.setup.adapter.clone());
        reject.dataset = dataset.unwrap_or_default();
        reject
    }

    fn emit(&mut self) -> Result<Output> {
        let token = Token {
            record: self.at.record,
            block_left: self.framer.block_left,
            last: self.last.clone(),
        };
        let position = Position::new("copybook", TOKEN, &token)?.resume_at(0, self.at.offset);
        let batch = self.batch.finish(position, self.at.offset)?;
        self.batch.start(self.at.record, self.at.offset);
        Ok(Output::Batch(batch))
    }

    fn advance(&mut self) -> Result<Output> {
        if self.header_left > 0 {
            self.header_left -= self.input.skip(self.header_left);
            if self.header_left > 0 && !self.input.end {
                return Ok(Output::NeedInput);
            }
        }
        loop {
            if self.batch.is_full() {
                return self.emit();
            }
            if self.step()? {
                continue;
            }
            if let Some(lost) = self.lost.take() {
                if self.batch.is_empty() {
                    return Err(lost);
                }
                self.lost = Some(lost);
                return self.emit();
            }
            if !self.input.end {
                self.input.keep();
                return Ok(Output::NeedInput);
            }
            if !self.batch.is_empty() {
                return self.emit();
            }
            self.state = State::Done;
            return Ok(Output::Done);
        }
    }
}

impl Decoder for CopybookDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        Some(self.batch.schema())
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        let misuse = |what: &str| Error::new(Kind::Internal, "copybook.feed", what);
        match self.state {
            State::Poisoned => return Err(Error::poisoned("copybook")),
            State::Done => return Err(misuse("input after the end of the stream")),
            State::Records => {}
        }
        match input {
            Input::Bytes(bytes) => self.input.feed(bytes),
            Input::EndOfStream | Input::EndOfMessage => {
                self.input.end = true;
                Ok(())
            }
            Input::Object(_) => Err(misuse("this format reads streams")),
        }
    }

    fn next(&mut self) -> Result<Output> {
        match self.state {
            State::Poisoned => return Err(Error::poisoned("copybook")),
            State::Done => return Ok(Output::Done),
            State::Records => {}
        }
        let result = self.advance();
        if result.is_err() {
            self.state = State::Poisoned;
        }
        result
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

/// First start and distance of records that are all whole and evenly spaced.
fn even(shaped: &[Shaped], base: usize, length: usize) -> Option<(usize, usize)> {
    let first = shaped.first()?;
    let stride = match shaped.get(1) {
        Some(second) => second.from.checked_sub(first.from)?,
        None => length.max(1),
    };
    let mut expected = first.from;
    for one in shaped {
        if one.from != expected || one.to - one.from < length {
            return None;
        }
        expected += stride;
    }
    Some((first.from - base, stride))
}

impl Setup {
    /// The bytes in ASCII with slack behind them; empty when the code page needs no translation.
    pub(crate) fn translate(&self, raw: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let Some(table) = &self.ascii else { return };
        out.extend_from_slice(raw);
        fenhe_kernels::gather::translate_in_place(out, table);
        out.resize(raw.len() + SLACK, 0x80);
    }
}
