//! Whole records to batches: which are live, which are refused, and the books of it.

use fenhe_core::{Batch, DecodeOptions, Fault, Position, Reject, Result, Span};
use fenhe_values::FaultMask;

use crate::columns::{Block, Columns};
use crate::header::Header;
use crate::options::DbfOptions;

/// Records of one pass over the columns.
const BLOCK: usize = 512;

/// Ends the records of a file.
pub(crate) const END_MARK: u8 = 0x1A;
/// Marks a live record.
pub(crate) const LIVE: u8 = b' ';
/// Marks a deleted record.
pub(crate) const DELETED: u8 = b'*';

/// What a position holds.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Token {
    /// Records read.
    pub(crate) records: u64,
    /// The code page that was settled.
    pub(crate) encoding: String,
}

/// The records of a table whose header is known.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) header: Header,
    pub(crate) columns: Columns,
    /// Records read, from the start of the table.
    pub(crate) done: u64,
    /// Records to read.
    pub(crate) expected: u64,
    batch_rows: usize,
    batch_bytes: usize,
    block: usize,
    books: Books,
    faults: FaultMask,
    starts: Vec<usize>,
    pub(crate) odd_marks: u64,
    keep_deleted: bool,
}

/// What the batch under way accounts for.
#[derive(Debug, Default)]
struct Books {
    read: u64,
    bytes: u64,
    skipped: u64,
    rejects: Vec<Reject>,
    ordinals: Vec<u64>,
}

impl Records {
    pub(crate) fn new(
        header: Header,
        columns: Columns,
        options: &DbfOptions,
        decode: &DecodeOptions,
        done: u64,
        expected: u64,
    ) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let batch_bytes = size(decode.limits.batch_bytes);
        let fits = (batch_bytes / header.record_length.max(1)).max(1);
        let batch_rows = size(decode.limits.batch_rows).clamp(1, fits);
        // Memos are as long as they are: a batch is cut where they add up.
        let block = if columns.reading().memo.is_some() { 1 } else { BLOCK };
        Self {
            header,
            columns,
            done,
            expected,
            batch_rows,
            batch_bytes,
            block,
            books: Books::default(),
            faults: FaultMask::new(),
            starts: Vec::with_capacity(block),
            odd_marks: 0,
            keep_deleted: options.deleted,
        }
    }

    /// Goes on behind so many records, once the batch under way was given out.
    pub(crate) fn restart(&mut self, done: u64, expected: u64) {
        (self.done, self.expected, self.odd_marks) = (done, expected, 0);
        self.columns.forget_unreadable();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.books.read >= self.batch_rows as u64
            || (self.block == 1 && self.columns.heap() >= self.batch_bytes)
    }

    /// Byte offset of the next record.
    pub(crate) fn offset(&self) -> u64 {
        self.offset_of(self.done)
    }

    fn offset_of(&self, records: u64) -> u64 {
        let length = self.header.record_length as u64;
        (self.header.length as u64).saturating_add(records.saturating_mul(length))
    }

    /// Reads whole records from the start of `data`, at most one block; returns the bytes used.
    pub(crate) fn take(&mut self, data: &[u8], decode: &DecodeOptions) -> Result<usize> {
        let length = self.header.record_length;
        let room =
            self.batch_rows.saturating_sub(usize::try_from(self.books.read).unwrap_or(usize::MAX));
        let left = usize::try_from(self.expected - self.done).unwrap_or(usize::MAX);
        let count = (data.len() / length).min(self.block).min(room).min(left);
        let used = self.mark(data, count);
        let count = used / length;
        let before = self.columns.rows();
        let starts = std::mem::take(&mut self.starts);
        let read = self.fill(data, &starts, before, decode);
        self.starts = starts;
        read?;
        self.books.read += count as u64;
        self.books.bytes += used as u64;
        self.done += count as u64;
        Ok(used)
    }

    /// Sorts `count` records into live and deleted ones; returns the bytes they take.
    fn mark(&mut self, data: &[u8], count: usize) -> usize {
        let length = self.header.record_length;
        let counted = u64::from(self.header.records);
        self.starts.clear();
        let (mut at, mut number) = (0, self.done);
        for _ in 0..count {
            let mark = data.get(at).copied().unwrap_or(0);
            if mark == END_MARK && number >= counted {
                break;
            }
            number += 1;
            if mark != DELETED || self.keep_deleted {
                self.starts.push(at);
                self.books.ordinals.push(number);
                self.odd_marks += u64::from(mark != LIVE && mark != DELETED);
            } else {
                self.books.skipped += 1;
            }
            at += length;
        }
        at
    }

    fn fill(
        &mut self,
        data: &[u8],
        starts: &[usize],
        before: usize,
        decode: &DecodeOptions,
    ) -> Result<()> {
        let block = Block { data, starts, length: self.header.record_length };
        let first = self.books.ordinals.len() - starts.len();
        if let Err(error) = self.columns.append(&block, &mut self.faults) {
            self.columns.truncate(before);
            self.books.ordinals.truncate(first);
            return Err(error);
        }
        if self.faults.any() { self.refuse(&block, before, first, decode) } else { Ok(()) }
    }

    /// Takes the block back, and reads it again without the records that cannot be read.
    #[cold]
    fn refuse(
        &mut self,
        block: &Block<'_>,
        before: usize,
        first: usize,
        decode: &DecodeOptions,
    ) -> Result<()> {
        let mut good = Vec::with_capacity(block.starts.len());
        let mut numbers = Vec::with_capacity(block.starts.len());
        for (row, (start, number)) in block
            .starts
            .iter()
            .zip(self.books.ordinals.get(first..).unwrap_or_default())
            .enumerate()
        {
            if !self.faults.contains(row) {
                good.push(*start);
                numbers.push(*number);
                continue;
            }
            let record = block.data.get(*start..*start + block.length).unwrap_or_default();
            let mut found = self.columns.explain(record)?.into_iter();
            let fault = found.next().unwrap_or_else(|| {
                Fault::new("dbf.record", "", "a record that can be read", "another")
            });
            let at = self.offset_of(number.saturating_sub(1));
            self.books.rejects.push(reject(fault, *number, at, record, decode).and(found));
        }
        self.columns.truncate(before);
        self.books.ordinals.truncate(first);
        self.books.ordinals.extend(numbers);
        let again = Block { starts: &good, ..*block };
        self.columns.append(&again, &mut self.faults)
    }

    /// The record that the stream ends in.
    pub(crate) fn cut_off(&mut self, bytes: &[u8], decode: &DecodeOptions) {
        let expected = format!("{} bytes", self.header.record_length);
        let fault =
            Fault::new("dbf.truncated_record", "", expected, format!("{} bytes", bytes.len()));
        let reject = reject(fault, self.done + 1, self.offset(), bytes, decode);
        self.books.rejects.push(reject);
        self.books.read += 1;
        self.books.bytes += bytes.len() as u64;
        self.done += 1;
    }

    /// The batch under way, if it accounts for anything.
    pub(crate) fn batch(&mut self, decode: &DecodeOptions) -> Result<Option<Batch>> {
        let books = std::mem::take(&mut self.books);
        if books.read == 0 {
            return Ok(None);
        }
        let first = self.done - books.read + 1;
        let offset = self.offset_of(first - 1);
        let span =
            Span { first, read: books.read, skipped: books.skipped, offset, length: books.bytes };
        let encoding = self.columns.reading().encoding.to_string();
        let position = Position::new("dbf", 1, &Token { records: self.done, encoding })?
            .resume_at(self.header.length as u64, offset.saturating_add(books.bytes));
        let records = self.columns.finish()?;
        let rows = usize::try_from(decode.limits.batch_rows).unwrap_or(usize::MAX);
        self.books.ordinals.reserve(books.ordinals.len().min(rows));
        let batch = if books.skipped == 0 {
            Batch::new(records, books.rejects, span, position)
        } else {
            Batch::with_ordinals(records, books.rejects, span, position, books.ordinals)
        };
        batch.map(Some)
    }
}

fn reject(fault: Fault, number: u64, offset: u64, record: &[u8], decode: &DecodeOptions) -> Reject {
    Reject::new(fault)
        .at(number, offset, record.len() as u64)
        .raw_bytes(record, decode.limits.reject_raw)
        .from_source(&decode.source)
        .by("dbf")
}
