//! The rows of a window to the columns of the batch under way.

use std::ops::Range;

use fenhe_core::{Batch, Result};
use fenhe_kernels::Validated;
use fenhe_text::Encoding;
use fenhe_values::{Source, Spans};

use crate::batch::Pending;
use crate::dialect::Syntax;
use crate::error;
use crate::options::LineEnd;
use crate::settle::Settled;
use crate::split::Form;
use crate::table::{Bad, Policy, Table};

/// Rows that go through the columns together: their bytes stay in the second-level cache.
const BLOCK: usize = 512;

/// A window and where it stands in the stream.
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) offset: u64,
    lines: Lines,
    ends: LineEnd,
}

/// Line numbers, counted on from the last place that was asked for.
#[derive(Clone, Copy)]
struct Lines {
    at: usize,
    line: u64,
}

/// What the rows go through.
pub(crate) struct Rows<'a> {
    pub(crate) settled: &'a Settled,
    pub(crate) policy: &'a Policy,
    pub(crate) pending: &'a mut Pending,
    pub(crate) ready: &'a mut std::collections::VecDeque<Batch>,
    pub(crate) scratch: &'a mut Scratch,
}

/// Records with escapes, written out.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl<'a> Window<'a> {
    /// A window at this offset of the stream, on this line (from 1).
    pub(crate) fn new(bytes: &'a [u8], offset: u64, line: u64, ends: LineEnd) -> Self {
        Self { bytes, offset, lines: Lines { at: 0, line }, ends }
    }

    /// The number of the line that the place stands on; places must not go back.
    pub(crate) fn line_at(&mut self, place: usize) -> u64 {
        if place > self.lines.at {
            let passed = self.bytes.get(self.lines.at..place).unwrap_or_default();
            self.lines.line += count_lines(passed, self.ends);
            self.lines.at = place;
        }
        self.lines.line
    }

    fn stream(&self, place: usize) -> u64 {
        self.offset + place as u64
    }
}

impl Rows<'_> {
    /// Gives every record of the table to the batch under way; full batches go to `ready`.
    pub(crate) fn take(&mut self, table: &mut Table, window: &mut Window<'_>) -> Result<()> {
        keep_empty_texts(table, &self.settled.texts);
        let checked = source(window.bytes, self.settled.syntax.encoding);
        let (mut row, mut bads) = (0, table.bad.iter().copied().peekable());
        loop {
            if let Some(bad) = bads.next_if(|bad| bad.rows_before <= row) {
                self.bad(bad, window);
            } else if row < table.rows {
                let stop = bads.peek().map_or(table.rows, |bad| bad.rows_before);
                let to = self.block_end(table, window, row, stop);
                self.block(table, window, checked, row..to);
                row = to;
            } else {
                return Ok(());
            }
            if self.pending.is_full() {
                self.finish_at(window)?;
            }
        }
    }

    fn finish_at(&mut self, window: &mut Window<'_>) -> Result<()> {
        let end =
            usize::try_from(self.pending.end().saturating_sub(window.offset)).unwrap_or(usize::MAX);
        let line = window.line_at(end.min(window.bytes.len()));
        let batch = self.pending.finish(line, &self.settled.resume)?;
        self.ready.push_back(batch);
        Ok(())
    }

    /// Where the block from `row` on ends: block size, room in the batch, next broken record.
    fn block_end(&self, table: &Table, window: &Window<'_>, row: usize, stop: usize) -> usize {
        let room = usize::try_from(self.pending.room()).unwrap_or(usize::MAX);
        let to = stop.min(row + BLOCK.min(room));
        let full_at = self.pending.full_at();
        let end = |row: usize| window.stream(table.extent(row).1);
        if end(to - 1) < full_at {
            return to;
        }
        // The first row that makes the batch full is its last one.
        let (mut low, mut high) = (row, to - 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if end(middle) < full_at { low = middle + 1 } else { high = middle }
        }
        low + 1
    }

    fn bad(&mut self, bad: Bad, window: &mut Window<'_>) {
        let raw = window.bytes.get(bad.start..bad.end).unwrap_or_default();
        let length = (bad.end - bad.start) as u64;
        let fault = error::fault(
            bad.flaw,
            length,
            self.settled.names.len(),
            &self.settled.names,
            &self.policy.limits,
        );
        let line = window.line_at(bad.start);
        let at = (window.stream(bad.start), length);
        let record = self.pending.next_record();
        self.pending.reject(record, line, at, raw, vec![fault]);
        self.pending.count(1, window.stream(bad.end));
    }

    /// Rows without escapes lie in the window; those with escapes are written out first.
    fn block(
        &mut self,
        table: &Table,
        window: &mut Window<'_>,
        source: Source<'_>,
        rows: Range<usize>,
    ) {
        let formed = table.formed(rows.start, rows.end);
        if formed.iter().all(|(_, form)| *form == Form::Quoted) {
            return self.direct(table, window, source, rows);
        }
        let escaped =
            |row: usize| table.formed(row, row + 1).iter().any(|(_, form)| *form == Form::Escaped);
        let mut from = rows.start;
        while from < rows.end {
            let kind = escaped(from);
            let to = (from + 1..rows.end).find(|row| escaped(*row) != kind).unwrap_or(rows.end);
            if kind {
                self.written_out(table, window, from..to);
            } else {
                self.direct(table, window, source, from..to);
            }
            from = to;
        }
    }

    fn direct(
        &mut self,
        table: &Table,
        window: &mut Window<'_>,
        source: Source<'_>,
        rows: Range<usize>,
    ) {
        let ends = if table.ends.is_empty() {
            table.starts.get(1..).unwrap_or_default()
        } else {
            &table.ends
        };
        let (first, stride, count) = (rows.start * table.fields, table.fields, rows.len());
        let starts = &table.starts;
        let chosen = &self.settled.chosen;
        let spans = |column: usize| {
            let field = chosen.get(column).copied().unwrap_or(column);
            Spans::Listed { starts, ends, skip: 1, first: first + field, stride, rows: count }
        };
        self.append(table, window, source, rows, spans);
    }

    fn written_out(&mut self, table: &Table, window: &mut Window<'_>, rows: Range<usize>) {
        let mut scratch = std::mem::take(self.scratch);
        scratch.write(table, window.bytes, &self.settled.syntax, rows.clone());
        let (stride, count) = (table.fields, rows.len());
        let (starts, ends) = (&scratch.starts, &scratch.ends);
        let chosen = &self.settled.chosen;
        let spans = |column: usize| {
            let first = chosen.get(column).copied().unwrap_or(column);
            Spans::Listed { starts, ends, skip: 0, first, stride, rows: count }
        };
        let source = source(&scratch.bytes, self.settled.syntax.encoding);
        self.append(table, window, source, rows, spans);
        *self.scratch = scratch;
    }

    fn append<'s>(
        &mut self,
        table: &Table,
        window: &mut Window<'_>,
        source: Source<'_>,
        rows: Range<usize>,
        spans: impl Fn(usize) -> Spans<'s>,
    ) {
        let left_out = self.pending.columns.append(source, rows.len(), &spans, &[]);
        let (any, forgiven) = (left_out.any(), left_out.forgiven());
        if any {
            let left_out: Vec<usize> = left_out.iter().collect();
            for row in left_out {
                let faults = self.pending.columns.faults_of(source, row, &spans);
                let (start, end) = table.extent(rows.start + row);
                let raw = window.bytes.get(start..end).unwrap_or_default();
                let line = window.line_at(start);
                let record = self.pending.next_record() + row as u64;
                self.pending.reject(
                    record,
                    line,
                    (window.stream(start), (end - start) as u64),
                    raw,
                    faults,
                );
            }
        }
        self.pending.forgive(forgiven);
        let end = window.stream(table.extent(rows.end - 1).1);
        self.pending.count(rows.len() as u64, end);
    }
}

impl Scratch {
    fn write(&mut self, table: &Table, bytes: &[u8], syntax: &Syntax, rows: Range<usize>) {
        self.bytes.clear();
        self.starts.clear();
        self.ends.clear();
        let mut forms = table.formed(rows.start, rows.end).iter().peekable();
        for entry in rows.start * table.fields..rows.end * table.fields {
            let start = table.starts.get(entry).map_or(0, |at| at.wrapping_add(1) as usize);
            let end = table.ends.get(entry).copied().unwrap_or(Spans::MISSING);
            let form = forms.next_if(|(at, _)| *at as usize == entry).map(|(_, form)| *form);
            let Some(raw) = bytes.get(start..end as usize) else {
                // Absent, or an empty text: neither has bytes.
                self.starts.push(0);
                self.ends.push(end);
                continue;
            };
            self.starts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
            if form == Some(Form::Escaped) {
                syntax.unescape(raw, &mut self.bytes);
            } else {
                self.bytes.extend_from_slice(raw);
            }
            self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        }
    }
}

/// One check of the bytes for all text columns.
fn source(bytes: &[u8], encoding: Encoding) -> Source<'_> {
    if encoding != Encoding::UTF_8 {
        return Source::Bytes(bytes);
    }
    Validated::check(bytes).map_or(Source::Bytes(bytes), Source::Utf8)
}

/// Line ends in some bytes.
pub(crate) fn count_lines(bytes: &[u8], ends: LineEnd) -> u64 {
    let feeds = || memchr::memchr_iter(b'\n', bytes).count();
    let lines = match ends {
        LineEnd::Lf | LineEnd::Crlf => feeds(),
        LineEnd::Cr => memchr::memchr_iter(b'\r', bytes).count(),
        LineEnd::Any => {
            let alone = memchr::memchr_iter(b'\r', bytes)
                .filter(|at| bytes.get(at + 1) != Some(&b'\n'))
                .count();
            feeds() + alone
        }
    };
    lines as u64
}

/// An empty text in quotes is no null: it is marked, because its place alone does not tell.
fn keep_empty_texts(table: &mut Table, texts: &[bool]) {
    let Table { formed, starts, ends, fields, .. } = table;
    for &(entry, form) in formed.iter() {
        let entry = entry as usize;
        let is_text = texts.get(entry % (*fields).max(1)).copied().unwrap_or_default();
        let (Some(start), Some(end)) = (starts.get(entry), ends.get_mut(entry)) else { continue };
        if is_text && form == Form::Quoted && start.wrapping_add(1) == *end {
            *end = Spans::EMPTY;
        }
    }
}
