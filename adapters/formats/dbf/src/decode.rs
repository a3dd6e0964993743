//! Bytes to records: the stream and its end. Batches are for `records`, what is in a record for `columns`.

use bytes::{Buf, Bytes, BytesMut};
use fenhe_core::{
    ControlTotal, DecodeOptions, Decoder, Error, Input, Kind, Output, Part, Result, SchemaRef,
};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;
use fenhe_values::note_of_forgiven;

use crate::codepage::Settled;
use crate::error;
use crate::header::Header;
use crate::options::{DbfOptions, Trust};
use crate::records::{DELETED, END_MARK, LIVE, Records, Token};
use crate::table;

/// Bytes of records looked at to tell the code page.
const SAMPLE: usize = 256 << 10;

/// Decodes one table.
#[derive(Debug)]
pub(crate) struct TableDecoder {
    options: DbfOptions,
    pools: Pools,
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

impl TableDecoder {
    pub(crate) fn new(options: DbfOptions, pools: Pools, decode: DecodeOptions) -> Result<Self> {
        let mut decoder = Self {
            options,
            pools,
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
        let (columns, notes) =
            table::open(&header, settled.encoding, &self.options, &self.decode, &self.pools)?;
        self.notes.extend(header.notes.iter().cloned());
        self.notes.extend(Some(settled.reason).filter(|reason| !reason.is_empty()));
        self.notes.extend(notes);
        let done = match (&self.decode.from, &self.decode.part) {
            (Some(from), _) => from.read::<Token>("dbf", 1)?.records,
            (None, Some(part)) => part.first_record.saturating_sub(1),
            (None, None) => 0,
        };
        let expected = expected(&header, &self.options);
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
        self.notes.extend(note_of_forgiven(records.columns.reading().unreadable));
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

/// Records to read.
fn expected(header: &Header, options: &DbfOptions) -> u64 {
    if options.trust == Trust::FileSize { u64::MAX } else { header.records.into() }
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

    fn restart(&mut self, part: &Part) -> bool {
        let done =
            matches!(self.state, State::Done) && !self.poisoned && self.decode.part.is_some();
        let Some(records) = self.records.as_mut().filter(|_| done) else { return false };
        records
            .restart(part.first_record.saturating_sub(1), expected(&records.header, &self.options));
        self.state = State::Records;
        self.pending.clear();
        (self.chunk, self.ended, self.notes) = (Bytes::new(), false, Vec::new());
        self.decode.part = Some(part.clone());
        true
    }

    /// The header's record count, unless the caller said which of the two numbers to believe.
    fn declared(&self) -> Vec<ControlTotal> {
        let last = self.decode.part.as_ref().is_none_or(|part| part.last);
        let told = matches!(self.state, State::Done) && self.options.trust == Trust::Both && last;
        let total = |records: &Records| ControlTotal {
            of: "records".into(),
            declared: records.header.records.to_string(),
            counted: records.done.to_string(),
            unreadable: 0,
        };
        self.records.as_ref().filter(|_| told).map(total).into_iter().collect()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
