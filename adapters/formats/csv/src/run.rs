//! The stream behind the prologue: chunks in, windows of whole records out.

use std::collections::VecDeque;

use bytes::Bytes;
use fenhe_core::{Batch, Error, Part, Result};
use fenhe_kernels::index::CsvSyntax;

use crate::batch::Pending;
use crate::error;
use crate::rows::{Rows, Scratch, Window, count_lines};
use crate::settle::Settled;
use crate::table::{Flaw, Policy, Stop, Table};

/// Bytes looked at in one go: index and fields stay in the second-level cache.
const WINDOW: usize = 256 << 10;

/// What is left of a chunk goes in front of the next one up to its first record end, found in pieces of this size.
const PIECE: usize = 4 << 10;

/// A running decoder.
pub(crate) struct Run {
    settled: Settled,
    policy: Policy,
    csv: Option<CsvSyntax>,
    table: Table,
    pending: Pending,
    ready: VecDeque<Batch>,
    scratch: Scratch,
    /// What was fed, and how much of it is cut or carried.
    chunk: Bytes,
    at: usize,
    /// The start of a record whose end was not fed yet.
    carry: Vec<u8>,
    /// How much of it was looked at in vain.
    scanned: usize,
    /// Offset in the stream and line of what was not cut yet.
    offset: u64,
    line: u64,
    skip: Option<Skip>,
    fatal: Option<Error>,
    ended: bool,
    /// No more input will come.
    over: bool,
}

/// A line being passed over because it cannot be a record.
struct Skip {
    flaw: Flaw,
    offset: u64,
    line: u64,
    length: u64,
    raw: Vec<u8>,
}

/// Whether a step got further.
#[derive(PartialEq, Eq)]
enum Step {
    Further,
    NeedsInput,
}

impl Run {
    pub(crate) fn new(
        settled: Settled,
        policy: Policy,
        pending: Pending,
        offset: u64,
        line: u64,
    ) -> Self {
        Self {
            csv: settled.syntax.indexable(),
            table: Table::new(settled.names.len()),
            settled,
            policy,
            pending,
            ready: VecDeque::new(),
            scratch: Scratch::default(),
            chunk: Bytes::new(),
            at: 0,
            carry: Vec::new(),
            scanned: 0,
            offset,
            line,
            skip: None,
            fatal: None,
            ended: false,
            over: false,
        }
    }

    /// Goes on with another part of the stream, once the one before is over.
    pub(crate) fn restart(&mut self, part: &Part) {
        self.pending.restart(part.first_record, part.offset);
        (self.offset, self.line) = (part.offset, part.first_line);
        self.feed(Bytes::new());
        self.carry.clear();
        self.scanned = 0;
        self.over = false;
    }

    /// Whether everything is out and nothing more can come.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// What a person has to know of the values so far.
    pub(crate) fn note(&self) -> Option<String> {
        self.pending.note()
    }

    pub(crate) fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Takes bytes; what was fed before must be used up.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        (self.chunk, self.at, self.ended) = (chunk, 0, false);
    }

    /// The stream, or a message, is complete.
    pub(crate) fn end(&mut self, over: bool) {
        (self.ended, self.over) = (true, over);
    }

    /// The next batch; `None`: more input is needed, or after the end, nothing is left.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            let stuck = self.fatal.is_some() || self.step()? == Step::NeedsInput;
            if !stuck {
                continue;
            }
            if (self.ended || self.fatal.is_some()) && !self.pending.is_empty() {
                // Blank lines at the end are counted already: nothing but them is left to go on with.
                let line = self.line;
                return self.pending.finish(line, &self.settled.resume).map(Some);
            }
            return self.fatal.take().map_or(Ok(None), Err);
        }
    }

    fn step(&mut self) -> Result<Step> {
        if self.skip.is_some() {
            return self.pass_over();
        }
        if !self.carry.is_empty() || self.ended {
            return self.join();
        }
        self.in_place()
    }

    /// Cuts records where they were fed.
    fn in_place(&mut self) -> Result<Step> {
        let rest = self.chunk.slice(self.at.min(self.chunk.len())..);
        if rest.is_empty() {
            return Ok(Step::NeedsInput);
        }
        let window = rest.get(..WINDOW).unwrap_or(&rest);
        let mut stop = Stop::End;
        let indexed = self
            .csv
            .and_then(|csv| self.table.index(window, &self.settled.syntax, csv, &self.policy));
        if indexed.is_none() {
            stop = self.table.walk(window, &self.settled.syntax, &self.policy, false, usize::MAX);
        }
        if self.table.consumed == 0 {
            // A record longer than the window.
            stop = self.table.walk(&rest, &self.settled.syntax, &self.policy, false, 1);
        }
        let consumed = self.table.consumed;
        if consumed > 0 {
            self.at += consumed;
            self.take(&rest)?;
            return Ok(Step::Further);
        }
        self.at = self.chunk.len();
        match stop {
            Stop::End => {
                self.carry.extend_from_slice(&rest);
                self.scanned = self.carry.len();
                Ok(Step::NeedsInput)
            }
            stop => self.halt(stop, &rest),
        }
    }

    /// Completes the record at the start of `carry` with bytes of the chunk; goes on in place behind it.
    fn join(&mut self) -> Result<Step> {
        loop {
            let old = self.carry.len();
            let rest = self.chunk.get(self.at..).unwrap_or_default();
            let piece = rest.len().min(old.max(PIECE));
            self.carry.extend_from_slice(rest.get(..piece).unwrap_or(rest));
            self.at += piece;
            let fed = self.at >= self.chunk.len();
            let last = self.ended && fed;
            let enough = if last { usize::MAX } else { old.max(1) };
            let news = self.carry.len() - self.scanned;
            if !last && (news == 0 || (self.scanned > PIECE && news < self.scanned / 2)) {
                if fed {
                    return Ok(Step::NeedsInput);
                }
                continue;
            }
            if self.carry.is_empty() {
                return Ok(Step::NeedsInput);
            }
            let carry = std::mem::take(&mut self.carry);
            let stop = self.table.walk(&carry, &self.settled.syntax, &self.policy, last, enough);
            let consumed = self.table.consumed;
            if consumed > 0 {
                let left = carry.len() - consumed;
                if consumed >= old && !last {
                    self.at -= left;
                } else {
                    self.carry.extend_from_slice(carry.get(consumed..).unwrap_or_default());
                }
                self.scanned = 0;
                self.take(&carry)?;
                return Ok(Step::Further);
            }
            if stop != Stop::End {
                return self.halt(stop, &carry);
            }
            self.scanned = carry.len();
            self.carry = carry;
            if fed {
                return Ok(Step::NeedsInput);
            }
        }
    }

    /// Gives the cut records to the columns.
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let consumed = self.table.consumed;
        let cut = bytes.get(..consumed).unwrap_or(bytes);
        let ends = self.settled.syntax.line_end;
        let mut window = Window::new(cut, self.offset, self.line, ends);
        let mut rows = Rows {
            settled: &self.settled,
            policy: &self.policy,
            pending: &mut self.pending,
            ready: &mut self.ready,
            scratch: &mut self.scratch,
        };
        rows.take(&mut self.table, &mut window)?;
        self.line = match self.table.lines {
            Some(lines) => self.line + lines,
            None => window.line_at(consumed),
        };
        self.offset += consumed as u64;
        Ok(())
    }

    /// At something that cannot be cut: passes over it, or ends here.
    fn halt(&mut self, stop: Stop, data: &[u8]) -> Result<Step> {
        match stop {
            Stop::End => {}
            Stop::Open { quote } => {
                let at_end = self.ended && (data.len() as u64) <= self.policy.limits.record;
                let offset = self.offset + quote as u64;
                let record = self.pending.next_record();
                self.fatal = Some(error::unterminated(offset, record, &self.policy.limits, at_end));
            }
            Stop::Skip(flaw) => {
                self.skip = Some(Skip {
                    flaw,
                    offset: self.offset,
                    line: self.line,
                    length: 0,
                    raw: Vec::new(),
                });
                self.swallow(data);
            }
        }
        Ok(Step::Further)
    }

    /// Passes over the rest of a line.
    fn pass_over(&mut self) -> Result<Step> {
        let mut data = std::mem::take(&mut self.carry);
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let piece = rest.get(..WINDOW).unwrap_or(rest);
        self.at += piece.len();
        data.extend_from_slice(piece);
        let fed = self.at >= self.chunk.len();
        self.scanned = 0;
        match self.settled.syntax.line_end(&data, 0, self.ended && fed) {
            None => {
                self.swallow(&data);
                Ok(if fed { Step::NeedsInput } else { Step::Further })
            }
            Some(end) => {
                let (line, rest) = data.split_at(end.min(data.len()));
                self.at -= rest.len();
                self.line += count_lines(line, self.settled.syntax.line_end);
                self.swallow_all(line);
                self.passed_over()?;
                Ok(Step::Further)
            }
        }
    }

    /// Adds to what is passed over; a CR at the end stays back, because an LF may follow.
    fn swallow(&mut self, data: &[u8]) {
        let open = data.last() == Some(&b'\r');
        let (taken, back) = data.split_at(data.len() - usize::from(open));
        self.swallow_all(taken);
        self.carry = back.to_vec();
    }

    fn swallow_all(&mut self, taken: &[u8]) {
        let Some(skip) = &mut self.skip else { return };
        let room =
            usize::try_from(self.policy.limits.reject_raw).unwrap_or(usize::MAX).saturating_add(1);
        let keep = room.saturating_sub(skip.raw.len()).min(taken.len());
        skip.raw.extend_from_slice(taken.get(..keep).unwrap_or_default());
        skip.length += taken.len() as u64;
        self.offset += taken.len() as u64;
    }

    fn passed_over(&mut self) -> Result<()> {
        let Some(skip) = self.skip.take() else { return Ok(()) };
        let fault = error::fault(
            skip.flaw,
            skip.length,
            self.settled.names.len(),
            &self.settled.names,
            &self.policy.limits,
        );
        let record = self.pending.next_record();
        self.pending.reject(record, skip.line, (skip.offset, skip.length), &skip.raw, vec![fault]);
        self.pending.count(1, self.offset);
        if self.pending.is_full() {
            let batch = self.pending.finish(self.line, &self.settled.resume)?;
            self.ready.push_back(batch);
        }
        Ok(())
    }
}
