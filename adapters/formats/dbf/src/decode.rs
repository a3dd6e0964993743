//! Bytes to records: the stream, its end, and the books. What is in a record is for `columns`.

use bytes::{Buf, Bytes, BytesMut};
use fenhe_core::{
    Batch, ControlTotal, DecodeOptions, Decoder, Error, Fault, Input, Kind, Output, Position,
    Reject, Result, SchemaRef, Span,
};
use fenhe_text::Encoding;
use fenhe_values::FaultMask;

use crate::codepage::Settled;
use crate::columns::{Block, Columns};
use crate::error;
use crate::header::Header;
use crate::options::{DbfOptions, Trust};
use crate::table;

/// Records of one pass over the columns.
const BLOCK: usize = 512;

/// Bytes of records looked at to tell the code page.
const SAMPLE: usize = 256 << 10;

const END_MARK: u8 = 0x1A;
const LIVE: u8 = b' ';
const DELETED: u8 = b'*';

/// What a position holds.
#[derive(serde::Serialize, serde::Deserialize)]
struct Token {
    records: u64,
    encoding: String,
}

/// Decodes one table.
#[derive(Debug)]
pub(crate) struct TableDecoder {
    options: DbfOptions,
    decode: DecodeOptions,
    state: State,
    /// Bytes taken out of `chunk` because they are less than what is needed at once.
    pending: BytesMut,
    chunk: Bytes,
    ended: bool,
    poisoned: bool,
    /// A fatal error that waits until the records before it are out.
    failure: Option<Error>,
    records: Option<Records>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum State {
    Header,
    Encoding(Box<Header>),
    Records,
    Tail,
    Drain,
    Done,
}

/// The records of a table whose header is known.
#[derive(Debug)]
struct Records {
    header: Header,
    columns: Columns,
    /// Records read, from the start of the table.
    done: u64,
    /// Records to read.
    expected: u64,
    batch_rows: usize,
    batch_bytes: usize,
    block: usize,
    books: Books,
    faults: FaultMask,
    starts: Vec<usize>,
    odd_marks: u64,
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

impl TableDecoder {
    pub(crate) fn new(options: DbfOptions, decode: DecodeOptions) -> Result<Self> {
        let mut decoder = Self {
            options,
            decode,
            state: State::Header,
            pending: BytesMut::new(),
            chunk: Bytes::new(),
            ended: false,
            poisoned: false,
            failure: None,
            records: None,
            notes: Vec::new(),
        };
        if let Some(from) = &decoder.decode.from {
            let _: Token = from.read("dbf", 1)?;
        }
        if let Some(part) = &decoder.decode.part {
            decoder.pending.extend_from_slice(&part.prologue);
        }
        Ok(decoder)
    }

    fn advance(&mut self) -> Result<Output> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Header => match self.header()? {
                    Some(header) => self.state = State::Encoding(Box::new(header)),
                    None => {
                        self.state = State::Header;
                        return Ok(Output::NeedInput);
                    }
                },
                State::Encoding(header) => match self.settle(&header)? {
                    Some(settled) => {
                        self.open(*header, settled)?;
                        self.state = State::Records;
                    }
                    None => {
                        self.state = State::Encoding(header);
                        return Ok(Output::NeedInput);
                    }
                },
                State::Records => {
                    self.state = State::Records;
                    if let Some(output) = self.read_records()? {
                        return Ok(output);
                    }
                }
                State::Tail => {
                    self.state = State::Tail;
                    if let Some(output) = self.look_behind()? {
                        return Ok(output);
                    }
                }
                State::Drain => {
                    self.pending.clear();
                    self.chunk.clear();
                    if !self.ended {
                        self.state = State::Drain;
                        return Ok(Output::NeedInput);
                    }
                    if let Some(error) = self.failure.take() {
                        return Err(error);
                    }
                }
                State::Done => return Ok(Output::Done),
            }
        }
    }

    /// Moves input to `pending` until it holds `wanted` bytes; whether it does.
    fn gather(&mut self, wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.pending.len()).min(self.chunk.len());
        self.pending.extend_from_slice(&self.chunk.split_to(missing));
        self.pending.len() >= wanted
    }

    fn header(&mut self) -> Result<Option<Header>> {
        let mut wanted = 12;
        loop {
            let enough = self.gather(wanted);
            match Header::length_of(&self.pending)? {
                Some(length) if length > wanted => wanted = length,
                Some(length) if enough => {
                    let raw = self.pending.split_to(length).freeze();
                    return Header::parse(raw, &self.decode.limits).map(Some);
                }
                _ if self.ended => {
                    return Err(error::header_cut(wanted as u64, self.pending.len() as u64));
                }
                _ => return Ok(None),
            }
        }
    }

    /// The code page; `None` while more content is needed to tell it.
    fn settle(&mut self, header: &Header) -> Result<Option<Settled>> {
        if let Some(from) = &self.decode.from {
            let token: Token = from.read("dbf", 1)?;
            let encoding = Encoding::for_label(&token.encoding);
            return Ok(Some(match encoding {
                Some(encoding) => Settled::new(encoding, "as before the interruption"),
                None => table::undecided(header),
            }));
        }
        if let Some(settled) = table::encoding(header, &self.options, &self.decode)? {
            return Ok(Some(settled));
        }
        let most = header.record_length.saturating_mul(header.records as usize);
        let enough = self.gather(most.min(SAMPLE.max(header.record_length)));
        if !enough && !self.ended {
            return Ok(None);
        }
        let found = table::sniff(header, &self.pending);
        Ok(Some(found.unwrap_or_else(|| table::undecided(header))))
    }

    fn open(&mut self, header: Header, settled: Settled) -> Result<()> {
        let (columns, notes) = table::open(&header, settled.encoding, &self.options, &self.decode)?;
        self.notes.extend(header.notes.iter().cloned());
        self.notes.push(settled.reason);
        self.notes.extend(notes);
        let done = match (&self.decode.from, &self.decode.part) {
            (Some(from), _) => from.read::<Token>("dbf", 1)?.records,
            (None, Some(part)) => part.first_record.saturating_sub(1),
            (None, None) => 0,
        };
        let counted = u64::from(header.records);
        let expected = if self.options.trust == Trust::FileSize { u64::MAX } else { counted };
        self.note_counts(&header);
        let records = Records::new(header, columns, &self.options, &self.decode, done, expected);
        self.records = Some(records);
        Ok(())
    }

    fn note_counts(&mut self, header: &Header) {
        let (counted, size) = (u64::from(header.records), self.decode.size);
        if let Some(held) = size.map(|size| header.records_in(size)).filter(|held| *held != counted)
        {
            self.notes
                .push(format!("the header counts {counted} records, the file has room for {held}"));
        }
    }

    /// Reads until a batch is full or the input is used up.
    fn read_records(&mut self) -> Result<Option<Output>> {
        let Some(records) = &mut self.records else { return Ok(Some(Output::Done)) };
        loop {
            if self.failure.is_some() || records.is_full() {
                return self.hand_out();
            }
            if records.done >= records.expected {
                self.state = State::Tail;
                return Ok(None);
            }
            let length = records.header.record_length;
            if !self.pending.is_empty() && self.pending.len() < length {
                let missing = (length - self.pending.len()).min(self.chunk.len());
                self.pending.extend_from_slice(&self.chunk.split_to(missing));
            }
            let from_pending = !self.pending.is_empty();
            let data = if from_pending { &self.pending[..] } else { &self.chunk[..] };
            if data.len() < length {
                if !from_pending {
                    self.pending.extend_from_slice(&self.chunk);
                    self.chunk.clear();
                }
                if !self.ended {
                    return Ok(Some(Output::NeedInput));
                }
                self.state = State::Tail;
                return Ok(None);
            }
            if data.first() == Some(&END_MARK) && records.done >= u64::from(records.header.records)
            {
                records.expected = records.done;
                continue;
            }
            match records.take(data, &self.decode) {
                Ok(used) if from_pending => self.pending.advance(used),
                Ok(used) => self.chunk.advance(used),
                Err(error) => self.failure = Some(error),
            }
        }
    }

    /// Gives out the batch under way, then the error that waits.
    fn hand_out(&mut self) -> Result<Option<Output>> {
        let batch = match &mut self.records {
            Some(records) => records.batch(&self.decode)?,
            None => None,
        };
        match (batch, self.failure.take()) {
            (Some(batch), failure) => {
                self.failure = failure;
                Ok(Some(Output::Batch(batch)))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// All records that are expected are read, or the stream has ended: what stands behind them?
    fn look_behind(&mut self) -> Result<Option<Output>> {
        let Some(records) = &mut self.records else { return Ok(Some(Output::Done)) };
        let length = records.header.record_length;
        let whole = records.done >= records.expected && {
            let missing = length.saturating_sub(self.pending.len()).min(self.chunk.len());
            self.pending.extend_from_slice(&self.chunk.split_to(missing));
            self.pending.len() >= length
        };
        if records.done >= records.expected && !whole && !self.ended {
            return Ok(Some(Output::NeedInput));
        }
        let counted = u64::from(records.header.records);
        let (offset, first) = (records.offset(), self.pending.first().copied());
        let trust = self.options.trust;
        let last = self.decode.part.as_ref().is_none_or(|p| p.last);
        if whole
            && matches!(first, Some(LIVE | DELETED))
            && records.done == counted
            && trust != Trust::FileSize
        {
            let held = self.decode.size.map(|size| records.header.records_in(size));
            if trust == Trust::Both {
                self.failure = Some(error::more(counted, held, offset));
            } else {
                self.notes.push(format!(
                    "record {} and those behind it are not counted by the header and left",
                    counted + 1
                ));
            }
        } else if records.done < records.expected {
            let held = records.done;
            if !matches!(first, None | Some(END_MARK)) {
                records.cut_off(&self.pending, &self.decode);
            }
            if trust != Trust::FileSize && last {
                self.failure = Some(error::fewer(counted, held, offset));
            }
        } else if !matches!((first, self.pending.len()), (None, _) | (Some(END_MARK), 1)) {
            self.notes.push("there are bytes behind the last record".into());
        }
        if records.odd_marks > 0 {
            self.notes.push(format!(
                "{} records have a deletion mark that is neither blank nor *: read as live",
                records.odd_marks
            ));
        }
        let unreadable = records.columns.reading().unreadable;
        if unreadable > 0 {
            self.notes.push(format!(
                "{unreadable} values could not be read and were replaced or left out"
            ));
        }
        let batch = records.batch(&self.decode)?;
        self.state = State::Drain;
        // The error is due at once: what follows cannot change it.
        self.ended |= self.failure.is_some();
        Ok(batch.map(Output::Batch))
    }

    fn fatal(&mut self, error: Error) -> Error {
        self.poisoned = true;
        match error.source_name_of() {
            None if !self.decode.source.name.is_empty() => {
                error.source_name(&self.decode.source.name)
            }
            _ => error,
        }
    }
}

impl Decoder for TableDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        self.records.as_ref().map(|r| SchemaRef::clone(r.columns.schema()))
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        if self.poisoned {
            return Err(Error::poisoned("dbf"));
        }
        if self.ended || !self.chunk.is_empty() {
            let error = Error::new(Kind::Internal, "dbf.feed", "fed out of turn");
            return Err(self.fatal(error));
        }
        match input {
            Input::Bytes(bytes) => self.chunk = bytes,
            Input::EndOfMessage | Input::EndOfStream => self.ended = true,
            Input::Object(_) => {
                let error = Error::new(Kind::Internal, "dbf.feed", "a table is read as a stream");
                return Err(self.fatal(error));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Output> {
        if self.poisoned {
            return Err(Error::poisoned("dbf"));
        }
        self.advance().map_err(|error| self.fatal(error))
    }

    fn declared(&self) -> Vec<ControlTotal> {
        Vec::new()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

impl Records {
    fn new(
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

    fn is_full(&self) -> bool {
        self.books.read >= self.batch_rows as u64
            || (self.block == 1 && self.columns.heap() >= self.batch_bytes)
    }

    /// Byte offset of the next record.
    fn offset(&self) -> u64 {
        self.offset_of(self.done)
    }

    fn offset_of(&self, records: u64) -> u64 {
        let length = self.header.record_length as u64;
        (self.header.length as u64).saturating_add(records.saturating_mul(length))
    }

    /// Reads whole records from the start of `data`, at most one block; returns the bytes used.
    fn take(&mut self, data: &[u8], decode: &DecodeOptions) -> Result<usize> {
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
    fn cut_off(&mut self, bytes: &[u8], decode: &DecodeOptions) {
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
    fn batch(&mut self, decode: &DecodeOptions) -> Result<Option<Batch>> {
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
        self.books.ordinals.reserve(books.ordinals.len().min(decode.limits.batch_rows as usize));
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
