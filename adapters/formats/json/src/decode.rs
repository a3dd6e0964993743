//! The decoder: settles what the stream is by its first bytes, then frames, reads and hands out batches.

use arrow_schema::SchemaRef;
use bytes::{Bytes, BytesMut};
use fenhe_core::{DecodeOptions, Decoder, Error, Input, Kind, Output, Result, schema};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use crate::array::{Document, can_cut};
use crate::error::config;
use crate::infer;
use crate::lines::Lines;
use crate::options::{JsonOptions, Shape};
use crate::run::{Framer, Run, Token};
use crate::settle;

/// Bytes that are looked at before the first record is read, when there is something to settle.
pub(crate) const SAMPLE: usize = 256 << 10;
/// Bytes that a byte order mark or the start of UTF-16 needs.
const MARK: usize = 4;

/// Decodes one stream of JSON.
pub(crate) struct JsonDecoder {
    json: JsonOptions,
    pools: Pools,
    options: DecodeOptions,
    /// What was decoded before, when this decoder goes on behind it.
    token: Option<Token>,
    prologue: usize,
    schema: Option<SchemaRef>,
    head: BytesMut,
    run: Option<Run>,
    poisoned: bool,
}

impl JsonDecoder {
    pub(crate) fn new(json: JsonOptions, pools: Pools, options: DecodeOptions) -> Result<Self> {
        json.path()?;
        let given = match (&json.schema, &options.schema) {
            (Some(file), None) => Some(settle::schema_file(file)?),
            (_, given) => given.clone(),
        };
        let schema = given.map(|given| settle::with_rest(&given, json.unknown)).transpose()?;
        if options.part.is_some() && (schema.is_none() || json.shape != Shape::Lines) {
            return Err(config("a part of a stream needs the schema and shape=lines"));
        }
        // Unknown columns are said at once, as far as the columns are known.
        if let Some(schema) = &schema {
            schema::project(schema, options.columns.as_deref())?;
        }
        let token: Option<Token> = options.from.as_ref().map(|p| p.read("json", 1)).transpose()?;
        let prologue = options
            .from
            .as_ref()
            .map_or(0, |p| usize::try_from(p.prologue()).unwrap_or(usize::MAX));
        let head = BytesMut::new();
        Ok(Self { json, pools, options, token, prologue, schema, head, run: None, poisoned: false })
    }

    /// Whether the first bytes are enough.
    fn settled(&self, ended: bool) -> bool {
        let wanted = match (&self.token, &self.options.part) {
            (Some(_), _) => self.prologue,
            (None, Some(_)) => 0,
            (None, None) if self.schema.is_none() || self.json.shape == Shape::Auto => SAMPLE,
            (None, None) => MARK,
        };
        ended || self.head.len() >= wanted
    }

    /// Starts to read records.
    fn begin(&mut self) -> Result<()> {
        let mut head = std::mem::take(&mut self.head).freeze();
        let sample = match &self.token {
            Some(_) => head.split_to(self.prologue.min(head.len())),
            None => head.slice(..head.len().min(SAMPLE)),
        };
        // The same whatever the chunks: a shorter sample is the whole stream.
        let whole = sample.len() < SAMPLE;
        let start = self.start(&sample, whole)?;
        let inferred = self.schema.is_none();
        let full = match &self.schema {
            Some(schema) => schema.clone(),
            None => {
                let (_, bom) = settle::encoding(&self.json, &sample)?;
                let found = infer::schema(
                    &self.json,
                    &sample,
                    (start.encoding, bom),
                    start.shape,
                    whole,
                    &self.options.limits,
                )?;
                settle::with_rest(&found, self.json.unknown)?
            }
        };
        if self.token.is_none() {
            head = head.slice(start.bom.min(head.len())..);
        }
        let framer = self.framer(&start)?;
        let prologue = match &self.token {
            Some(_) => self.prologue as u64,
            None if inferred => sample.len() as u64,
            None => 0,
        };
        let mut run = Run::new(
            &self.json,
            &self.options,
            &self.pools,
            full,
            framer,
            start.encoding,
            prologue,
        )?;
        (run.record, run.shape) = (start.record, start.shape);
        run.feed(head);
        self.run = Some(run);
        Ok(())
    }

    /// Where and how to start.
    fn start(&self, sample: &[u8], whole: bool) -> Result<Start> {
        if let Some(token) = &self.token {
            let encoding = token.encoding.parse().map_err(|_| damaged())?;
            let offset = self.options.from.as_ref().map_or(0, fenhe_core::Position::offset);
            return Ok(Start {
                encoding,
                bom: 0,
                shape: token.shape,
                offset,
                line: token.line,
                record: token.record,
            });
        }
        if let Some(part) = &self.options.part {
            let (encoding, _) = settle::encoding(&self.json, &part.prologue)?;
            return Ok(Start {
                encoding,
                bom: 0,
                shape: Shape::Lines,
                offset: part.offset,
                line: part.first_line,
                record: part.first_record,
            });
        }
        let (encoding, bom) = settle::encoding(&self.json, sample)?;
        let shape = match self.json.shape {
            Shape::Auto => {
                settle::shape(&self.json, sample.get(bom..).unwrap_or_default(), encoding, whole)
            }
            shape => shape,
        };
        Ok(Start { encoding, bom, shape, offset: bom as u64, line: 1, record: 1 })
    }

    fn framer(&self, start: &Start) -> Result<Framer> {
        let limits = &self.options.limits;
        if start.shape == Shape::Lines {
            return Ok(Framer::Lines(Lines::new(limits, start.encoding, start.offset, start.line)));
        }
        if !can_cut(start.encoding) {
            return Err(config(format!(
                "a JSON document in {} is not read; convert it to UTF-8 first",
                start.encoding
            )));
        }
        let state = self.token.as_ref().map(|t| t.outer.clone().unwrap_or_default());
        let place = (start.offset, start.line);
        Ok(Framer::Document(Box::new(Document::new(
            limits,
            start.encoding,
            self.json.path()?,
            place,
            state,
        ))))
    }

    fn take(&mut self, input: Input) -> Result<()> {
        if let Some(run) = &mut self.run {
            return run.take(input);
        }
        match input {
            Input::Bytes(bytes) => {
                self.head.extend_from_slice(&bytes);
                if self.settled(false) { self.begin() } else { Ok(()) }
            }
            Input::EndOfMessage | Input::EndOfStream => {
                self.begin()?;
                self.take(input)
            }
            Input::Object(_) => {
                Err(Error::new(Kind::Internal, "core.turn", "json takes a stream of bytes"))
            }
        }
    }
}

impl Decoder for JsonDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        match &self.run {
            Some(run) => Some(run.schema()),
            None => schema::project(self.schema.as_ref()?, self.options.columns.as_deref()).ok(),
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        if self.poisoned {
            return Err(Error::poisoned("json"));
        }
        let source = self.options.source.name.clone();
        self.take(input).map_err(|e| {
            self.poisoned = true;
            named(e, source)
        })
    }

    fn next(&mut self) -> Result<Output> {
        if self.poisoned {
            return Err(Error::poisoned("json"));
        }
        let Some(run) = &mut self.run else { return Ok(Output::NeedInput) };
        run.next().map_err(|e| {
            self.poisoned = true;
            named(e, self.options.source.name.clone())
        })
    }

    fn notes(&self) -> Vec<String> {
        self.run.as_ref().map(Run::notes).unwrap_or_default()
    }
}

/// Where and how to start.
struct Start {
    encoding: Encoding,
    bom: usize,
    shape: Shape,
    offset: u64,
    line: u64,
    record: u64,
}

fn named(error: Error, source: String) -> Error {
    if source.is_empty() { error } else { error.source_name(source) }
}

fn damaged() -> Error {
    Error::new(Kind::Config, "core.position", "position of json is damaged")
}

/// Bytes as they were fed, in whole units of the encoding.
pub(crate) fn whole_units(odd: &mut Option<u8>, chunk: Bytes) -> Bytes {
    if odd.is_none() && chunk.len().is_multiple_of(2) {
        return chunk;
    }
    let mut whole: Vec<u8> = odd.take().into_iter().chain(chunk).collect();
    if !whole.len().is_multiple_of(2) {
        *odd = whole.pop();
    }
    whole.into()
}
