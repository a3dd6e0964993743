//! The decoder: bytes to records to batches.

mod records;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use fenhe_core::{DecodeOptions, Decoder, Error, Input, Kind, Limits, Output, Position, Result};
use serde::{Deserialize, Serialize};

use crate::batch::BatchBuilder;
use crate::error;
use crate::format::Setup;
use crate::frame::{Frame, Framer};
use crate::rows::Shaper;
use crate::stream::{self, Stream};
use records::Plain;

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
    /// Memory for a window in ASCII.
    spare: Vec<u8>,
    plain: Option<Plain>,
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
        let parents = setup.parents()?;
        let batch =
            BatchBuilder::new(layout, &setup.options, &setup.rules, record, &parents, &decode)?;
        let plain = Plain::new(&framer, &shaper).filter(|_| parents.is_empty());
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
            spare: Vec::new(),
            plain,
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
        if let Some(plain) = self.plain
            && self.step_plain(plain)?
        {
            return Ok(true);
        }
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
                result.and_then(|()| self.batch.check_tree()).map(|()| true)
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
            if self.lost.is_some() || self.batch.is_full() || !self.input.refill() {
                return None;
            }
        }
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
            if self.step()? || self.batch.is_full() {
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
