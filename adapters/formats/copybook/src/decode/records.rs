//! Blocks of records to the columns, and what is wrong with single ones.

use std::sync::Arc;

use fenhe_core::{Fault, Reject, Result};

use super::CopybookDecoder;
use crate::batch::BatchBuilder;
use crate::columns::{Mask, Translation, Window};
use crate::error;
use crate::frame::{Found, Frame, Framer};
use crate::nested::{Block, Level};
use crate::rows::{Shaped, Shaper};
use crate::tree::Link;

/// Records of one pass over the columns, and bytes: a block stays in the second-level cache.
const BLOCK_ROWS: usize = 512;
const BLOCK_BYTES: usize = 112 << 10;

/// Records of one length and one type, without tables that vary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    length: usize,
    /// Where the data begin and end.
    from: usize,
    to: usize,
}

impl Plain {
    pub(super) fn new(framer: &Framer, shaper: &Shaper) -> Option<Self> {
        let length = framer.fixed()?;
        let (from, to) = (framer.prefix, length.checked_sub(framer.suffix)?);
        let data = to.checked_sub(from)?;
        let plain = shaper.is_plain() && data > 0 && data <= shaper.length();
        plain.then_some(Self { length, from, to })
    }
}

impl CopybookDecoder {
    /// Records of a block at most, and the bytes that it takes unless its first record is larger.
    fn block_size(&self) -> (usize, usize) {
        let (room, budget) = self.batch.room();
        let wide = if self.shaper.expands() { self.shaper.length() } else { 0 };
        let most = room
            .min(BLOCK_ROWS)
            .min((4 * BLOCK_BYTES).checked_div(wide).unwrap_or(BLOCK_ROWS).max(1));
        (most, usize::try_from(budget).unwrap_or(usize::MAX).min(BLOCK_BYTES))
    }

    /// Lists records of the window up to the size of a block; returns the bytes that they take.
    pub(super) fn collect(
        &mut self,
        bytes: &[u8],
        end: bool,
        frames: &mut Vec<Frame>,
        assembly: &mut Vec<u8>,
    ) -> usize {
        frames.clear();
        assembly.clear();
        let (most, budget) = self.block_size();
        let mut at = 0;
        while frames.len() < most && (at < budget || frames.is_empty()) {
            let rest = bytes.get(at..).unwrap_or_default();
            let before = (self.framer.block_left, assembly.len());
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
            if self.batch.is_due(frames.len(), at) {
                let data = if assembly.is_empty() { bytes } else { assembly.as_slice() };
                if self.begins_tree(data, &frame) {
                    self.batch.close();
                    self.framer.block_left = before.0;
                    assembly.truncate(before.1);
                    break;
                }
            }
            at = frame.next;
            frames.push(frame);
        }
        at
    }

    /// Whether a record has no parent by its type.
    fn begins_tree(&self, data: &[u8], frame: &Frame) -> bool {
        let to = frame.to.saturating_sub(self.framer.suffix);
        let record = data.get(frame.from + self.framer.prefix..to).unwrap_or_default();
        self.shaper.branch(record).is_none_or(|branch| !self.parents.contains_key(&branch))
    }

    /// Everything that is to be done with a block of records.
    pub(super) fn process(
        &mut self,
        window: &[u8],
        frames: &[Frame],
        assembly: &[u8],
    ) -> Result<()> {
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
        self.batch.append_link(Link { branch, record: self.at.record + index as u64, parent });
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
        let from = shaped.iter().map(|s| s.from).min().unwrap_or(0);
        let to = shaped.iter().map(|s| s.to).max().unwrap_or(0);
        let raw = source.get(from..to).unwrap_or_default();
        let places = |at: fn(&Shaped) -> usize| {
            shaped.iter().map(|s| u32::try_from(at(s) - from).unwrap_or(u32::MAX)).collect()
        };
        let level = Level {
            starts: places(|s| s.from),
            limits: places(|s| s.to),
            up: Vec::new(),
            even: even(shaped, from, self.shaper.length()),
        };
        let first = self.at.record;
        let faults = self.append(raw, level, shaped.iter().map(|s| first + s.frame as u64))?;
        let frame = |one: &Shaped| frames.get(one.frame).copied().unwrap_or_default();
        for one in shaped {
            let frame = frame(one);
            self.batch.append_raw(data.get(frame.from..frame.to).unwrap_or_default())?;
        }
        for row in faults.rows() {
            let Some(one) = shaped.get(row) else { continue };
            let reasons = self.explain(source.get(one.from..one.to).unwrap_or_default())?;
            rejects.push(self.reject(window, &frame(one), one.frame, reasons));
        }
        Ok(())
    }

    /// Appends records that are ready; says which of them are bad.
    fn append(
        &mut self,
        raw: &[u8],
        level: Level,
        numbers: impl Iterator<Item = u64>,
    ) -> Result<Mask> {
        let numbers: Vec<u64> = numbers.collect();
        let mut faults = Mask::new(level.starts.len());
        let setup = Arc::clone(&self.setup);
        let spare = std::mem::take(&mut self.spare);
        let translation = Translation::new(setup.ascii.as_deref(), spare);
        let window = Window { raw, translation: &translation };
        let mut block = Block { window, levels: vec![level] };
        let result = self.batch.append(&mut block, &numbers, &mut faults);
        self.spare = translation.into_spare();
        result.map(|()| faults)
    }

    /// Reads one block of records that need no look at their framing or type. False: there is no whole one at hand.
    pub(super) fn step_plain(&mut self, plain: Plain) -> Result<bool> {
        let (most, budget) = self.block_size();
        let Some((window, usable, _)) = self.input.window(self.held()) else { return Ok(false) };
        let rows = most.min((budget / plain.length).max(1)).min(usable / plain.length);
        let taken = rows * plain.length;
        let result = match window.as_ref().get(..taken) {
            Some(bytes) if rows > 0 => self.process_plain(bytes, rows, plain),
            _ => Ok(()),
        };
        self.at.offset += taken as u64;
        self.at.record += rows as u64;
        self.input.give_back(window, taken);
        result.map(|()| rows > 0)
    }

    fn process_plain(&mut self, bytes: &[u8], rows: usize, plain: Plain) -> Result<()> {
        let places = |at: usize| {
            let place = |row| u32::try_from(at + row * plain.length).unwrap_or(u32::MAX);
            (0..rows).map(place).collect()
        };
        let whole = plain.to - plain.from >= self.shaper.length();
        let level = Level {
            starts: places(plain.from),
            limits: places(plain.to),
            up: Vec::new(),
            even: whole.then_some((plain.from, plain.length)),
        };
        let first = self.at.record;
        let faults = self.append(bytes, level, (0..rows).map(|row| first + row as u64))?;
        let data = |start: usize| bytes.get(start + plain.from..start + plain.to);
        if self.batch.keeps_raw() {
            // With what stands around it, as for other records.
            bytes.chunks_exact(plain.length).try_for_each(|raw| self.batch.append_raw(raw))?;
        }
        let mut rejects = Vec::new();
        for row in faults.rows() {
            let start = row * plain.length;
            let next = start + plain.length;
            let frame = Frame { from: start, to: next, start, next, tail: false };
            let reasons = self.explain(data(start).unwrap_or_default())?;
            rejects.push(self.reject(bytes, &frame, row, reasons));
        }
        self.batch.account(rows as u64, 0, bytes.len() as u64, rejects);
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
                    &self.parents,
                    &self.decode,
                )?))
            }
        };
        let translation = Translation::new(self.setup.ascii.as_deref(), Vec::new());
        let view = Window { raw: record, translation: &translation };
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
