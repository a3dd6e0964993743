//! The push decoder: sampling, settling, then running.

use bytes::{Bytes, BytesMut};
use fenhe_core::{
    DecodeOptions, Decoder, Error, Input, Kind, Limits, Output, Part, Result, SchemaRef,
};
use fenhe_kernels::Pools;
use fenhe_values::Columns;

use crate::batch::{Pending, TOKEN, Token};
use crate::options::CsvOptions;
use crate::run::Run;
use crate::settle::{Settled, dialect_of, settle};
use crate::table::Policy;
use crate::tail::Tail;

/// Bytes looked at before the first record is decoded, when something has to be found out.
pub(crate) const SAMPLE: usize = 1 << 20;

/// Decodes one delimited stream.
pub(crate) struct CsvDecoder {
    options: CsvOptions,
    pools: Pools,
    open: DecodeOptions,
    stage: Stage,
    /// Whether input may be fed.
    hungry: bool,
    /// Where a position was given.
    from: Option<(Token, u64)>,
    tail: Tail,
    notes: Vec<String>,
}

enum Stage {
    /// Collects the start of the stream; so much of it is enough.
    Sampling {
        held: Held,
        enough: usize,
        ended: bool,
    },
    Running(Box<Run>),
    Done(Box<Run>),
    Poisoned,
}

/// The start of the stream: one chunk as it was fed, if that was enough, else a copy of several.
enum Held {
    One(Bytes),
    Several(BytesMut),
}

impl CsvDecoder {
    pub(crate) fn new(options: CsvOptions, pools: Pools, open: DecodeOptions) -> Result<Self> {
        if open.from.is_some() && open.part.is_some() {
            return Err(Error::new(
                Kind::Config,
                "csv.position",
                "a part of a stream has no position to go on from",
            ));
        }
        let known = open.schema.as_deref().is_some_and(|schema| dialect_of(schema).is_some());
        let mut held = BytesMut::new();
        let mut enough = if known { 0 } else { SAMPLE };
        let mut from = None;
        if let Some(position) = &open.from {
            let token: Token = position.read("csv", TOKEN)?;
            enough = usize::try_from(position.prologue()).unwrap_or(usize::MAX);
            if !known && !token.sampled {
                let error = Error::new(
                    Kind::Config,
                    "csv.position",
                    "this position needs the schema of the first run",
                );
                return Err(error.hint("give the schema of the batches that came before it"));
            }
            from = Some((token, position.offset()));
        }
        if let Some(part) = &open.part {
            held.extend_from_slice(&part.prologue);
        }
        // A part, or a single record, has nothing of the tail.
        let tail = Tail::new(if open.part.is_some() { 0 } else { options.skip_tail });
        let stage = Stage::Sampling { held: Held::Several(held), enough, ended: false };
        Ok(Self { options, pools, open, stage, hungry: false, from, tail, notes: Vec::new() })
    }

    /// Settles once there is enough to see, and starts to run.
    fn start(&mut self) -> Result<bool> {
        let Stage::Sampling { held, enough, ended } = &mut self.stage else { return Ok(true) };
        let resumed = self.from.is_some();
        if !*ended && held.bytes().len() < *enough || (resumed && held.bytes().len() < *enough) {
            return if *ended { Err(cut_prologue()) } else { Ok(false) };
        }
        let complete = match self.from {
            Some((token, _)) => token.complete,
            None => *ended && (held.bytes().len() <= *enough || *enough == 0),
        };
        let sample = if *enough == 0 {
            held.bytes()
        } else {
            held.bytes().get(..*enough).unwrap_or(held.bytes())
        };
        let Some(settled) = settle(&self.options, &self.open, sample, complete)? else {
            let most = usize::try_from(self.open.limits.record).unwrap_or(usize::MAX);
            if resumed || held.bytes().len() > most {
                return Err(Error::limit(
                    "record",
                    self.open.limits.record,
                    held.bytes().len() as u64,
                )
                .at_offset(0));
            }
            if *ended && complete {
                return Err(crate::error::no_header(held.bytes().len() as u64));
            }
            *enough = if *enough == 0 { 0 } else { enough.saturating_mul(2) };
            // With more at hand already, look again at once.
            return if *ended || (*enough > 0 && held.bytes().len() >= *enough) {
                self.start()
            } else {
                Ok(false)
            };
        };
        let held = held.take();
        let ended = *ended;
        self.run(settled, held, ended)?;
        Ok(true)
    }

    fn run(&mut self, settled: Settled, held: Bytes, ended: bool) -> Result<()> {
        let limits = &self.open.limits;
        let rows = usize::try_from(limits.batch_rows.min(65_536)).unwrap_or(8_192);
        let columns = Columns::new(&settled.specs, settled.syntax.encoding, &self.pools, rows)?;
        let (mut first, mut offset, mut line) = (1, settled.prologue as u64, 1 + settled.lines);
        let mut body = settled.prologue;
        if let Some((token, at)) = self.from {
            let fed = self.open.from.as_ref().map_or(0, |position| position.prologue());
            (first, offset, line) = (token.record, at, token.line);
            body = usize::try_from(fed).unwrap_or(usize::MAX);
        }
        if let Some(part) = &self.open.part {
            (first, offset, line) = (part.first_record, part.offset, part.first_line);
            body = part.prologue.len();
        }
        let policy = Policy {
            ragged: self.options.ragged,
            stray: self.options.stray_quotes,
            unterminated: self.options.unterminated,
            // Places in a window are 32 bits wide.
            limits: Limits { record: limits.record.min(1 << 30), ..limits.clone() },
        };
        let schema = SchemaRef::clone(&settled.schema);
        let pending =
            Pending::new(columns, schema, self.open.source.clone(), first, offset, limits);
        let mut run = Run::new(settled, policy, pending, offset, line);
        let body = held.slice(body.min(held.len())..);
        run.feed(self.tail.let_go(body));
        if ended {
            self.notes.extend(self.tail.end());
            run.end(true);
        }
        self.stage = Stage::Running(Box::new(run));
        Ok(())
    }

    fn try_next(&mut self) -> Result<Output> {
        if !self.start()? {
            self.hungry = true;
            return Ok(Output::NeedInput);
        }
        let run = match &mut self.stage {
            Stage::Running(run) => run,
            Stage::Done(_) => return Ok(Output::Done),
            Stage::Sampling { .. } | Stage::Poisoned => return Err(Error::poisoned("csv")),
        };
        if let Some(batch) = run.next()? {
            return Ok(Output::Batch(batch));
        }
        if !run.is_over() {
            self.hungry = true;
            return Ok(Output::NeedInput);
        }
        if let Stage::Running(run) = std::mem::replace(&mut self.stage, Stage::Poisoned) {
            self.stage = Stage::Done(run);
        }
        Ok(Output::Done)
    }
}

impl Decoder for CsvDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        match &self.stage {
            Stage::Running(run) | Stage::Done(run) => Some(SchemaRef::clone(&run.settled().schema)),
            Stage::Sampling { .. } | Stage::Poisoned => None,
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        if matches!(self.stage, Stage::Poisoned) {
            return Err(Error::poisoned("csv"));
        }
        if !std::mem::take(&mut self.hungry) {
            return Err(Error::new(
                Kind::Internal,
                "csv.feed",
                "input was fed before it was asked for",
            ));
        }
        match (input, &mut self.stage) {
            (Input::Bytes(bytes), Stage::Sampling { held, .. }) => held.add(bytes),
            (Input::Bytes(bytes), Stage::Running(run)) => run.feed(self.tail.let_go(bytes)),
            (Input::EndOfStream | Input::EndOfMessage, Stage::Sampling { ended, .. }) => {
                *ended = true
            }
            (Input::EndOfMessage, Stage::Running(run)) => {
                self.notes.extend(self.tail.end());
                run.end(false);
            }
            (Input::EndOfStream, Stage::Running(run)) => {
                self.notes.extend(self.tail.end());
                run.end(true);
            }
            // The stream is what was fed as bytes.
            _ => {}
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Output> {
        if matches!(self.stage, Stage::Poisoned) {
            return Err(Error::poisoned("csv"));
        }
        self.try_next().map_err(|error| {
            self.stage = Stage::Poisoned;
            error.source_name(self.open.source.name.clone())
        })
    }

    fn restart(&mut self, part: &Part) -> bool {
        let whole = self.open.part.is_none();
        match std::mem::replace(&mut self.stage, Stage::Poisoned) {
            Stage::Done(mut run) if !whole => {
                run.restart(part);
                self.stage = Stage::Running(run);
                self.open.part = Some(part.clone());
                (self.hungry, self.notes) = (false, Vec::new());
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        let values = match &self.stage {
            Stage::Running(run) | Stage::Done(run) => run.note(),
            Stage::Sampling { .. } | Stage::Poisoned => None,
        };
        self.notes.iter().cloned().chain(values).collect()
    }
}

impl Held {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes,
            Self::Several(bytes) => bytes,
        }
    }

    fn add(&mut self, bytes: Bytes) {
        match self {
            Self::Several(held) if held.is_empty() => *self = Self::One(bytes),
            Self::Several(held) => held.extend_from_slice(&bytes),
            Self::One(first) => {
                let mut held = BytesMut::with_capacity(first.len() + bytes.len());
                held.extend_from_slice(first);
                held.extend_from_slice(&bytes);
                *self = Self::Several(held);
            }
        }
    }

    fn take(&mut self) -> Bytes {
        match std::mem::replace(self, Self::Several(BytesMut::new())) {
            Self::One(bytes) => bytes,
            Self::Several(bytes) => bytes.freeze(),
        }
    }
}

fn cut_prologue() -> Error {
    Error::new(
        Kind::Truncated,
        "csv.position",
        "the stream ends before the prologue of the position",
    )
}
