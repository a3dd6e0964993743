//! The decoder: bytes to records to batches.

mod faults;

use std::sync::Arc;

use arrow_schema::SchemaRef;
use fenhe_core::{
    ControlTotal, DecodeOptions, Decoder, Error, Fault, Input, Kind, Output, Part, Position,
    Reject, Result,
};
use fenhe_kernels::Pools;
use fenhe_values::note_of_forgiven;
use serde::{Deserialize, Serialize};

use crate::batch::BatchBuilder;
use crate::columns::Rows;
use crate::frame::{Framer, Frames, Prologue, prologue};
use crate::layout::{Layout, When};
use crate::options::{Count, FixedOptions, LineEnd};
use crate::stream::{Stream, Window};
use crate::totals::{Totals, TotalsToken};

/// Records of one pass over the columns: a block of 100 to 200 bytes a record stays in the second-level cache.
const BLOCK: usize = 512;

/// Version of the token in positions.
const TOKEN: u16 = 1;

/// Decodes one stream.
#[derive(Debug)]
pub(crate) struct FixedDecoder {
    layout: Arc<Layout>,
    options: FixedOptions,
    decode: DecodeOptions,
    adapter: String,
    framer: Framer,
    state: State,
    input: Stream,
    frames: Frames,
    kinds: Vec<Option<usize>>,
    /// The rows of one type in a block.
    starts: Vec<u32>,
    ends: Vec<u32>,
    indices: Vec<usize>,
    batch: Option<BatchBuilder>,
    pools: Pools,
    totals: Totals,
    at: Place,
    findings: Findings,
}

/// Where the next record is.
#[derive(Clone, Copy, Debug)]
struct Place {
    record: u64,
    line: u64,
    offset: u64,
    /// Bytes to feed again before going on from a position.
    prologue: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Prologue,
    Records,
    Done,
    Poisoned,
}

/// What is worth saying about the stream.
#[derive(Debug, Default)]
struct Findings {
    passed: u64,
    line_ends: (u64, u64),
    mark: bool,
    /// Values that could not be read and were replaced or left out.
    forgiven: u64,
}

#[derive(Serialize, Deserialize)]
struct Token {
    record: u64,
    line: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    totals: TotalsToken,
}

impl FixedDecoder {
    pub(crate) fn new(
        layout: Arc<Layout>,
        options: FixedOptions,
        pools: Pools,
        decode: DecodeOptions,
    ) -> Result<Self> {
        let widest = if layout.count == Count::Characters {
            layout.encoding.max_bytes_per_char()
        } else {
            1
        };
        let longest =
            layout.records.iter().map(|r| r.length).max().unwrap_or(0).saturating_mul(widest);
        fenhe_core::Limits::check("record", decode.limits.record, longest as u64)?;
        let mut decoder = Self {
            adapter: layout.adapter(),
            framer: Framer::new(&layout, &options, decode.limits.record),
            state: State::Prologue,
            input: Stream::default(),
            frames: Frames::default(),
            kinds: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            indices: Vec::new(),
            batch: None,
            totals: Totals::new(&layout, &options, &pools)?,
            at: Place { record: 1, line: 1, offset: 0, prologue: 0 },
            findings: Findings::default(),
            layout,
            options,
            pools,
            decode,
        };
        if !decoder.options.header {
            decoder.build()?;
        }
        decoder.begin()?;
        Ok(decoder)
    }

    fn start_part(&mut self, part: &Part) {
        self.at = Place {
            record: part.first_record,
            line: part.first_line,
            offset: part.offset,
            ..self.at
        };
    }

    /// Takes up the place where a position or a part begins.
    fn begin(&mut self) -> Result<()> {
        if let Some(part) = self.decode.part.clone() {
            self.read_prologue(&part.prologue, true)?;
            self.start_part(&part);
        } else if let Some(from) = &self.decode.from {
            let token: Token = from.read("fixed", TOKEN)?;
            if !self.totals.resume(&token.totals) {
                return Err(Error::new(
                    Kind::Config,
                    "core.position",
                    "the position is one of another layout",
                ));
            }
            self.at = Place {
                record: token.record,
                line: token.line,
                offset: from.offset(),
                prologue: from.prologue(),
            };
            if from.prologue() == 0 {
                self.state = State::Records;
            }
        }
        self.start_batch();
        Ok(())
    }

    fn build(&mut self) -> Result<()> {
        self.batch =
            Some(BatchBuilder::new(&self.layout, &self.options, &self.decode, &self.pools)?);
        Ok(())
    }

    /// Reads what comes before the records; false while bytes are missing.
    fn read_prologue(&mut self, bytes: &[u8], end: bool) -> Result<bool> {
        let Some(found) = prologue(&self.framer, &self.options, bytes, end) else {
            fenhe_core::Limits::check("record", self.decode.limits.record, bytes.len() as u64)
                .map_err(|e| e.at_offset(0))?;
            return Ok(false);
        };
        if self.options.header {
            self.name_columns(bytes, found)?;
            self.build()?;
        }
        if self.decode.from.is_none() {
            self.at.offset = found.end as u64;
            self.at.line = 1 + found.lines;
        }
        self.at.prologue = if self.options.header { found.end as u64 } else { 0 };
        self.state = State::Records;
        self.input.skip(found.end);
        self.start_batch();
        Ok(true)
    }

    fn name_columns(&mut self, bytes: &[u8], found: Prologue) -> Result<()> {
        let line = found.header.and_then(|(from, to)| bytes.get(from..to)).unwrap_or_default();
        let mut layout = (*self.layout).clone();
        layout.name_columns(line)?;
        self.layout = Arc::new(layout);
        Ok(())
    }

    fn start_batch(&mut self) {
        let (record, offset) = (self.at.record, self.at.offset);
        if let Some(batch) = &mut self.batch {
            batch.start(record, offset);
        }
    }

    /// Reads one block of records. False: there is nothing to read.
    fn step(&mut self) -> Result<bool> {
        if self.input.discard.is_some() {
            return self.discard();
        }
        let (room, budget) = self.batch.as_ref().map_or((0, 0), BatchBuilder::room);
        let mut frames = std::mem::take(&mut self.frames);
        let done = self.frame(&mut frames, room.min(BLOCK), budget);
        let result = match done {
            Some((window, taken)) => {
                let result =
                    self.process(window.as_ref().get(..taken).unwrap_or_default(), &frames, taken);
                self.input.give_back(window, taken);
                result.map(|()| true)
            }
            None => Ok(false),
        };
        self.frames = frames;
        result
    }

    /// The next window in which there are records, and how much of it they take.
    fn frame(&mut self, frames: &mut Frames, room: usize, budget: u64) -> Option<(Window, usize)> {
        loop {
            let window = self.input.window()?;
            let taken = self.framer.block(window.as_ref(), self.input.end, room, budget, frames);
            if taken > 0 {
                return Some((window, taken));
            }
            let limit = usize::try_from(self.decode.limits.record).unwrap_or(usize::MAX);
            let length = window.as_ref().len();
            self.input.give_back(window, 0);
            if length > limit.saturating_add(2) {
                self.input.start_discard(self.decode.limits.reject_raw);
                return None;
            }
            if !self.input.refill() {
                return None;
            }
        }
    }

    /// Everything that is to be done with a block of records.
    fn process(&mut self, window: &[u8], frames: &Frames, taken: usize) -> Result<()> {
        let mut rejects: Vec<(usize, Vec<Fault>)> = Vec::new();
        self.classify(window, frames, &mut rejects);
        for kind in 0..self.layout.records.len() {
            self.read_type(kind, window, frames, &mut rejects)?;
        }
        self.account(window, frames, rejects);
        let lines: u64 = frames.passed.iter().map(|(_, lines)| lines).sum();
        self.findings.passed += lines;
        self.findings.line_ends.0 += frames.line_ends.0;
        self.findings.line_ends.1 += frames.line_ends.1;
        self.findings.mark |= frames.passed.iter().any(|(_, lines)| *lines == 0);
        self.at.record += frames.len() as u64;
        self.at.line += frames.len() as u64 + lines;
        self.at.offset += taken as u64;
        Ok(())
    }

    /// The type of each record; broken ones and those of no type become rejects.
    fn classify(&mut self, window: &[u8], frames: &Frames, rejects: &mut Vec<(usize, Vec<Fault>)>) {
        self.kinds.clear();
        if !self.layout.has_types() {
            self.kinds.resize(frames.len(), Some(0));
        } else {
            for (row, (start, end)) in frames.starts.iter().zip(&frames.ends).enumerate() {
                let record = window.get(*start as usize..*end as usize).unwrap_or_default();
                let kind = kind_of(&self.layout, record, self.at.record + row as u64);
                self.kinds.push(kind);
                if kind.is_none() {
                    self.totals.miss(None);
                    rejects.push((row, vec![self.no_type()]));
                }
            }
        }
        for (row, broken) in &frames.broken {
            if let Some(kind) = self.kinds.get(*row).copied().flatten() {
                self.totals.count(kind, 1);
                self.totals.miss(Some(kind));
            }
            let fault = self.broken(*broken, window, frames, *row);
            rejects.retain(|(other, _)| other != row);
            rejects.push((*row, vec![fault]));
            if let Some(kind) = self.kinds.get_mut(*row) {
                *kind = None;
            }
        }
    }

    /// The records of one type of the block: lengths, totals, columns.
    fn read_type(
        &mut self,
        kind: usize,
        window: &[u8],
        frames: &Frames,
        rejects: &mut Vec<(usize, Vec<Fault>)>,
    ) -> Result<()> {
        let Some(record) = self.layout.records.get(kind) else { return Ok(()) };
        let bytes = self.layout.count == Count::Bytes;
        let all = frames.broken.is_empty() && self.kinds.iter().all(|k| *k == Some(kind));
        let stride = if all && bytes { frames.stride(record.length) } else { None };
        self.indices.clear();
        let rows = if stride.is_some() {
            Rows { window, starts: &frames.starts, ends: &frames.ends, stride }
        } else {
            self.list_type(kind, window, frames, rejects);
            Rows { window, starts: &self.starts, ends: &self.ends, stride: None }
        };
        if rows.starts.is_empty() {
            return Ok(());
        }
        if !self.totals.is_empty() {
            self.totals.count(kind, rows.starts.len() as u64);
            if self.totals.looks_at(kind) {
                self.totals.take(kind, rows)?;
            }
        }
        let Some(columns) = self.batch.as_mut().and_then(|b| b.columns(kind)) else {
            return Ok(());
        };
        let faults = columns.append(rows);
        self.findings.forgiven += faults.forgiven();
        let bad: Vec<usize> = faults.iter().collect();
        for row in bad {
            let (Some(start), Some(end)) = (rows.starts.get(row), rows.ends.get(row)) else {
                continue;
            };
            let faults =
                columns.explain(window.get(*start as usize..*end as usize).unwrap_or_default());
            rejects.push((self.indices.get(row).copied().unwrap_or(row), faults));
        }
        Ok(())
    }

    /// Lists the records of one type that have its length; the others become rejects.
    fn list_type(
        &mut self,
        kind: usize,
        window: &[u8],
        frames: &Frames,
        rejects: &mut Vec<(usize, Vec<Fault>)>,
    ) {
        self.starts.clear();
        self.ends.clear();
        for (row, (start, end)) in frames.starts.iter().zip(&frames.ends).enumerate() {
            if self.kinds.get(row).copied().flatten() != Some(kind) {
                continue;
            }
            let record = window.get(*start as usize..*end as usize).unwrap_or_default();
            let last = frames.open && row + 1 == frames.len();
            if let Some(fault) = self.length_fault(kind, record, last) {
                rejects.push((row, vec![fault]));
                self.totals.count(kind, 1);
                self.totals.miss(Some(kind));
                continue;
            }
            self.indices.push(row);
            self.starts.push(*start);
            self.ends.push(*end);
        }
    }

    /// Enters the block in the books of the batch.
    fn account(&mut self, window: &[u8], frames: &Frames, mut rejects: Vec<(usize, Vec<Fault>)>) {
        rejects.sort_by_key(|(row, _)| *row);
        let lines = self.layout.line_end != LineEnd::None;
        let made: Vec<(usize, Reject)> = rejects
            .into_iter()
            .map(|(row, faults)| {
                let at = |list: &[u32]| list.get(row).map_or(0, |at| *at as usize);
                let (start, next) = (at(&frames.starts), at(&frames.nexts));
                let raw = window.get(start..next).unwrap_or_default();
                let place = Place {
                    record: self.at.record + row as u64,
                    line: self.at.line + row as u64 + frames.passed_before(row),
                    offset: self.at.offset + start as u64,
                    ..self.at
                };
                let kind = self.kinds.get(row).copied().flatten();
                (row, self.reject(place, raw, raw.len() as u64, lines, kind, faults))
            })
            .collect();
        if let Some(batch) = &mut self.batch {
            batch.account(self.at.record, &self.kinds, frames.bytes, made);
        }
    }

    /// Passes over the rest of a line that is longer than the limit.
    fn discard(&mut self) -> Result<bool> {
        let Some(mut discard) = self.input.discard.take() else { return Ok(false) };
        let rest = self.input.rest();
        let found = self.framer.line_end(rest).map(|(at, length)| at + length);
        let taken = found.unwrap_or(rest.len());
        discard.length += taken as u64;
        let keep = usize::try_from(self.decode.limits.reject_raw).unwrap_or(usize::MAX);
        let more = keep.saturating_sub(discard.kept.len()).min(taken);
        discard.kept.extend_from_slice(rest.get(..more).unwrap_or_default());
        self.input.skip(taken);
        if found.is_none() && !self.input.end {
            self.input.discard = Some(discard);
            return Ok(false);
        }
        self.totals.miss(None);
        let reject =
            self.reject(self.at, &discard.kept, discard.length, true, None, vec![self.too_long()]);
        if let Some(batch) = &mut self.batch {
            batch.account(self.at.record, &[None], discard.length, vec![(0, reject)]);
        }
        self.at.record += 1;
        self.at.line += 1;
        self.at.offset += discard.length;
        Ok(true)
    }

    fn emit(&mut self) -> Result<Output> {
        let token =
            Token { record: self.at.record, line: self.at.line, totals: self.totals.token() };
        let position =
            Position::new("fixed", TOKEN, &token)?.resume_at(self.at.prologue, self.at.offset);
        let offset = self.at.offset;
        let Some(batch) = &mut self.batch else { return Ok(Output::NeedInput) };
        let made = batch.finish(position, offset)?;
        self.start_batch();
        Ok(Output::Batch(made))
    }

    fn advance(&mut self) -> Result<Output> {
        if self.state == State::Prologue && !self.advance_prologue()? {
            return Ok(Output::NeedInput);
        }
        loop {
            if self.batch.as_ref().is_some_and(BatchBuilder::is_full) {
                return self.emit();
            }
            if self.step()? {
                continue;
            }
            if self.input.discard.is_some() && !self.input.rest().is_empty() {
                continue;
            }
            if !self.input.end {
                return Ok(Output::NeedInput);
            }
            if self.input.discard.is_some() {
                continue;
            }
            if self.batch.as_ref().is_some_and(|b| !b.is_empty()) {
                return self.emit();
            }
            self.state = State::Done;
            return Ok(Output::Done);
        }
    }

    fn advance_prologue(&mut self) -> Result<bool> {
        let window = self.input.all();
        self.read_prologue(&window, self.input.end)
    }
}

impl Decoder for FixedDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        self.batch.as_ref().map(BatchBuilder::schema)
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        let misuse = |what: &str| Error::new(Kind::Internal, "fixed.feed", what);
        match self.state {
            State::Poisoned => return Err(Error::poisoned("fixed")),
            State::Done => return Err(misuse("input after the end of the stream")),
            State::Prologue | State::Records => {}
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
            State::Poisoned => return Err(Error::poisoned("fixed")),
            State::Done => return Ok(Output::Done),
            State::Prologue | State::Records => {}
        }
        let result = self.advance();
        if result.is_err() {
            self.state = State::Poisoned;
        }
        result
    }

    fn restart(&mut self, part: &Part) -> bool {
        if self.state != State::Done || self.decode.part.is_none() {
            return false;
        }
        let Ok(totals) = Totals::new(&self.layout, &self.options, &self.pools) else {
            return false;
        };
        self.totals = totals;
        (self.input, self.findings) = (Stream::default(), Findings::default());
        self.start_part(part);
        self.start_batch();
        self.decode.part = Some(part.clone());
        self.state = State::Records;
        true
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.totals.declared()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Findings { passed, line_ends: (lf, crlf), mark, forgiven } = self.findings;
        if passed > 0 {
            notes.push(format!("{passed} blank or comment lines are no records"));
        }
        let (wanted, other) = match self.layout.line_end {
            LineEnd::Lf => ("with LF", crlf),
            LineEnd::Crlf => ("with CRLF", lf),
            LineEnd::Auto => ("most", lf.min(crlf)),
            LineEnd::None => ("", 0),
        };
        if other > 0 {
            notes.push(format!("{other} lines end otherwise than {wanted}"));
        }
        if mark {
            notes.push("an end-of-file mark or line end follows the last record".into());
        }
        notes.extend(note_of_forgiven(forgiven));
        notes
    }
}

/// The record type whose condition applies first.
fn kind_of(layout: &Layout, record: &[u8], number: u64) -> Option<usize> {
    layout.records.iter().position(|kind| match &kind.when {
        When::Otherwise => true,
        When::First => number == 1,
        When::Equals { at, values } => {
            let from = if layout.count == Count::Characters {
                crate::columns::place(layout.encoding, record, *at)
            } else {
                *at
            };
            let rest = record.get(from..).unwrap_or_default();
            values.iter().any(|v| rest.starts_with(v))
        }
    })
}
