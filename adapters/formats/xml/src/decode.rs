//! The push decoder: sampling, settling, then running.

use bytes::{Bytes, BytesMut};
use fenhe_core::{DecodeOptions, Decoder, Error, Input, Kind, Output, Result, SchemaRef};
use fenhe_kernels::Pools;

use crate::options::XmlOptions;
use crate::run::{Run, Start, TOKEN, Token};
use crate::settle::{Known, Settled, settle};
use crate::window::Place;

/// Bytes looked at when path or types have to be found.
pub(crate) const SAMPLE: usize = 1 << 20;
/// Bytes looked at when only the encoding has to be found.
const GLANCE: usize = 64 << 10;

/// Decodes one document.
pub(crate) struct XmlDecoder {
    options: XmlOptions,
    open: DecodeOptions,
    stage: Stage,
    hungry: bool,
    /// Where a position was given.
    from: Option<(Token, u64)>,
    /// Nothing but the encoding has to be found.
    known: bool,
    notes: Vec<String>,
}

enum Stage {
    /// Collects the start of the stream; so much of it is enough.
    Sampling {
        held: BytesMut,
        enough: usize,
        ended: bool,
    },
    Running(Box<Run>),
    Done(Option<SchemaRef>),
    Poisoned(Option<SchemaRef>),
}

impl XmlDecoder {
    pub(crate) fn new(options: XmlOptions, open: DecodeOptions) -> Result<Self> {
        let config = |what: &str| Error::new(Kind::Config, "xml.position", what);
        if open.from.is_some() && open.part.is_some() {
            return Err(config("a part of a stream has no position to go on from"));
        }
        let known = Known::new(&options, &open)?.all();
        let mut enough = if known { GLANCE } else { SAMPLE };
        let mut from = None;
        if let Some(position) = &open.from {
            let token: Token = position.read("xml", TOKEN)?;
            if !known && !token.sampled {
                return Err(config("this position needs the schema of the first run"));
            }
            enough = usize::try_from(position.prologue()).unwrap_or(usize::MAX);
            from = Some((token, position.offset()));
        }
        if open.part.is_some() {
            if !known {
                return Err(config("a part of a document needs its schema and record path"));
            }
            enough = 0;
        }
        let stage = Stage::Sampling { held: BytesMut::new(), enough, ended: false };
        Ok(Self { options, open, stage, hungry: false, from, known, notes: Vec::new() })
    }

    /// Settles once there is enough to see, and starts to run.
    fn start(&mut self) -> Result<bool> {
        let Stage::Sampling { held, enough, ended } = &mut self.stage else { return Ok(true) };
        if held.len() < *enough && !*ended {
            return Ok(false);
        }
        let (held, enough, ended) = (std::mem::take(held).freeze(), *enough, *ended);
        let mut run = match (&self.from, &self.open.part) {
            (Some((token, offset)), _) => self.resumed(token.clone(), *offset, &held)?,
            (None, Some(part)) => {
                let (offset, records, line) = (part.offset, part.first_record - 1, part.first_line);
                let settled = settle(&self.options, &self.open, &part.prologue, false, None)?;
                let (encoding, outline) = (settled.found.encoding, settled.outline.clone());
                let prologue = part.prologue.len() as u64;
                let mut run = self.run(settled, Start { sampled: None, complete: false })?;
                run.go_to(offset, Place { line, column: 1 }, records, outline, prologue, encoding);
                run
            }
            (None, None) => {
                let sample = held.get(..enough).unwrap_or(&held);
                let complete = ended && sample.len() == held.len();
                let settled = settle(&self.options, &self.open, sample, complete, None)?;
                let bom = settled.found.bom;
                let sampled = settled.sampled.then_some(sample.len() as u64);
                let mut run = self.run(settled, Start { sampled, complete })?;
                run.feed(held.slice(bom.min(held.len())..));
                run
            }
        };
        match (&self.from, &self.open.part) {
            (Some(_), _) => run.feed(held.slice(enough.min(held.len())..)),
            (None, Some(_)) => run.feed(held),
            (None, None) => {}
        }
        if ended {
            run.end();
        }
        self.stage = Stage::Running(Box::new(run));
        Ok(true)
    }

    fn resumed(&self, token: Token, offset: u64, held: &Bytes) -> Result<Run> {
        let end =
            usize::try_from(self.open.from.as_ref().map_or(0, fenhe_core::Position::prologue));
        let prologue = held.get(..end.unwrap_or(usize::MAX)).unwrap_or(held);
        let settled =
            settle(&self.options, &self.open, prologue, token.complete, Some(&token.encoding))?;
        let (encoding, mut outline) = (settled.found.encoding, settled.outline.clone());
        outline.restore(token.outline);
        let sampled = (token.sampled && !self.known).then_some(prologue.len() as u64);
        let mut run = self.run(settled, Start { sampled, complete: token.complete })?;
        run.go_to(offset, token.place, token.record, outline, prologue.len() as u64, encoding);
        Ok(run)
    }

    fn run(&self, settled: Settled, start: Start) -> Result<Run> {
        Run::new(&self.options, &self.open, settled, start, &Pools::default())
    }

    fn step(&mut self) -> Result<Output> {
        if !self.start()? {
            return Ok(Output::NeedInput);
        }
        let Stage::Running(run) = &mut self.stage else { return Ok(Output::Done) };
        match run.next()? {
            Some(batch) => Ok(Output::Batch(batch)),
            None if run.is_over() => {
                self.notes = run.notes();
                self.stage = Stage::Done(Some(run.schema()));
                Ok(Output::Done)
            }
            None => Ok(Output::NeedInput),
        }
    }
}

impl Decoder for XmlDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        match &self.stage {
            Stage::Sampling { .. } => None,
            Stage::Running(run) => Some(run.schema()),
            Stage::Done(schema) | Stage::Poisoned(schema) => schema.clone(),
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        if matches!(self.stage, Stage::Poisoned(_)) {
            return Err(Error::poisoned("xml"));
        }
        if !std::mem::take(&mut self.hungry) {
            return Err(Error::new(
                Kind::Internal,
                "core.protocol",
                "fed before it asked for input",
            ));
        }
        match (input, &mut self.stage) {
            (Input::Bytes(bytes), Stage::Sampling { held, .. }) => held.extend_from_slice(&bytes),
            (Input::Bytes(bytes), Stage::Running(run)) => run.feed(bytes),
            (Input::EndOfStream | Input::EndOfMessage, Stage::Sampling { ended, .. }) => {
                *ended = true
            }
            (Input::EndOfStream | Input::EndOfMessage, Stage::Running(run)) => run.end(),
            (Input::Object(_), _) => return Err(Error::unsupported("xml", "random access")),
            (_, Stage::Done(_) | Stage::Poisoned(_)) => {}
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Output> {
        match &self.stage {
            Stage::Poisoned(_) => return Err(Error::poisoned("xml")),
            Stage::Done(_) => return Ok(Output::Done),
            _ => {}
        }
        let output = self.step();
        match &output {
            Ok(output) => self.hungry = matches!(output, Output::NeedInput),
            Err(_) => self.stage = Stage::Poisoned(self.schema()),
        }
        output.map_err(|error| match self.open.source.name.as_str() {
            "" => error,
            name => error.source_name(name),
        })
    }

    fn notes(&self) -> Vec<String> {
        match &self.stage {
            Stage::Running(run) => run.notes(),
            _ => self.notes.clone(),
        }
    }
}
