//! Rows, rejects and books of the batch under way.

use std::sync::Arc;

use fenhe_core::{Batch, Fault, Position, Reject, Result, SchemaRef, Source as Origin, Span};
use fenhe_values::{Columns, note_of_forgiven};
use serde::{Deserialize, Serialize};

use crate::wide::WideAt;

/// What a position of this format holds besides offset and prologue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Number of the next record.
    pub(crate) record: u64,
    /// Number of the line on which it starts, counting from 1.
    pub(crate) line: u64,
    /// Whether the prologue is the whole stream.
    pub(crate) complete: bool,
    /// Whether the prologue is what the first run looked at, and so is enough to settle everything again.
    pub(crate) sampled: bool,
    /// In UTF-16: the places inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wide: Option<WideAt>,
}

/// What a decoder that goes on from a position must be fed first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resume {
    /// Bytes of the start of the stream.
    pub(crate) prologue: u64,
    /// See [`Token::complete`].
    pub(crate) complete: bool,
    /// See [`Token::sampled`].
    pub(crate) sampled: bool,
}

/// Version of [`Token`].
pub(crate) const TOKEN: u16 = 1;

/// The batch under way.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) columns: Columns,
    pub(crate) schema: SchemaRef,
    origin: Arc<Origin>,
    rejects: Vec<Reject>,
    first: u64,
    read: u64,
    /// Values that could not be read and were replaced or left out.
    forgiven: u64,
    /// Offset of its first byte, and of the byte behind its last record.
    offset: u64,
    end: u64,
    most_rows: u64,
    most_bytes: u64,
    reject_raw: u64,
}

impl Pending {
    pub(crate) fn new(
        columns: Columns,
        schema: SchemaRef,
        origin: Arc<Origin>,
        first: u64,
        offset: u64,
        limits: &fenhe_core::Limits,
    ) -> Self {
        Self {
            columns,
            schema,
            origin,
            rejects: Vec::new(),
            first,
            read: 0,
            forgiven: 0,
            offset,
            end: offset,
            most_rows: limits.batch_rows.max(1),
            most_bytes: limits.batch_bytes.max(1),
            reject_raw: limits.reject_raw,
        }
    }

    /// Goes on elsewhere, once the batch is finished.
    pub(crate) fn restart(&mut self, first: u64, offset: u64) {
        (self.first, self.read, self.offset, self.end) = (first, 0, offset, offset);
        self.forgiven = 0;
    }

    /// Counts values that could not be read and were replaced or left out.
    pub(crate) fn forgive(&mut self, values: u64) {
        self.forgiven += values;
    }

    /// What a person has to know of these values.
    pub(crate) fn note(&self) -> Option<String> {
        note_of_forgiven(self.forgiven)
    }

    /// Number of the next record.
    pub(crate) fn next_record(&self) -> u64 {
        self.first + self.read
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read == 0
    }

    /// The offset behind its last record.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// How many records still go in by number.
    pub(crate) fn room(&self) -> u64 {
        self.most_rows.saturating_sub(self.read)
    }

    /// The offset at or behind which a record's end makes the batch full.
    pub(crate) fn full_at(&self) -> u64 {
        self.offset.saturating_add(self.most_bytes)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.read >= self.most_rows || self.end >= self.full_at()
    }

    /// Counts records that were given to the columns, up to `end`.
    pub(crate) fn count(&mut self, records: u64, end: u64) {
        self.read += records;
        self.end = end;
    }

    /// Adds a record that is no row. Call before [`count`](Self::count) with its number.
    pub(crate) fn reject(
        &mut self,
        record: u64,
        line: u64,
        at: (u64, u64),
        raw: &[u8],
        mut faults: Vec<Fault>,
    ) {
        let also = faults.split_off(1.min(faults.len()));
        let Some(fault) = faults.pop() else { return };
        let reject = Reject::new(fault)
            .at(record, at.0, at.1)
            .on_line(line)
            .raw_bytes(raw, self.reject_raw)
            .from_source(&self.origin)
            .by("csv")
            .and(also);
        self.rejects.push(reject);
    }

    /// The batch, and a new one begins behind it. `line`: where the next record's line is counted from.
    pub(crate) fn finish(&mut self, line: u64, prologue: &Resume) -> Result<Batch> {
        let records = self.columns.finish(&self.schema)?;
        let span = Span {
            first: self.first,
            read: self.read,
            skipped: 0,
            offset: self.offset,
            length: self.end - self.offset,
        };
        let Resume { prologue, complete, sampled } = *prologue;
        let token = Token { record: self.next_record(), line, complete, sampled, wide: None };
        let position = Position::new("csv", TOKEN, &token)?.resume_at(prologue, self.end);
        (self.first, self.read, self.offset) = (self.next_record(), 0, self.end);
        Batch::new(records, std::mem::take(&mut self.rejects), span, position)
    }
}
