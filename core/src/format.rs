//! Formats: bytes to batches and back, synchronous and without input or output of their own.

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::{Bytes, BytesMut};

use crate::{
    Batch, ControlTotal, Error, FormatInfo, Limits, Options, Position, ReadAt, Reject, Result,
    Source,
};

/// A format with its options set: a factory of decoders and encoders.
///
/// # Behavior
/// - Nothing here blocks, starts threads, opens files or keeps global state.
/// - The same bytes, options and schema give the same batches, rejects and offsets, however the bytes are cut into chunks.
pub trait Format: Debug + Send + Sync + 'static {
    /// Name and needs. Cheap.
    fn info(&self) -> FormatInfo;

    /// Looks at a sample and says what is in it and why it thinks so.
    ///
    /// # Behavior
    /// - The schema (and settled options) it returns can be given to [`decoder`](Self::decoder).
    /// - An option that the caller set is never contradicted, only commented on.
    ///
    /// # Errors
    /// [`Invalid`](crate::Kind::Invalid) when the sample cannot be this format.
    fn infer(&self, sample: &Sample) -> Result<Evidence>;

    /// Starts decoding one stream.
    ///
    /// # Errors
    /// [`Config`](crate::Kind::Config) when options and schema do not fit each other.
    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>>;

    /// Options that a name with this extension (lower case, without the dot) implies when it is written: `tsv` has tabs.
    /// What the caller says goes above them.
    fn options_for(&self, extension: &str) -> Options {
        let _ = extension;
        Options::new()
    }

    /// Starts encoding one stream.
    ///
    /// # Errors
    /// [`Config`](crate::Kind::Config) for a schema that the format cannot hold.
    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        let _ = options;
        Err(Error::unsupported(self.info().name, "encoder"))
    }

    /// How to find record boundaries, so that chunks decode in parallel; `None` when only a sequential decoder can.
    /// The options are those that the decoders of the parts will get: what their schema settles is not looked for again.
    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        let _ = options;
        None
    }

    /// How to find what stands before the records, so that one of them decodes by itself as a [`Part`]; `None` when records do
    /// not stand alone. A stream that must not be cut (its trailer has totals) may still have such records.
    fn record_splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        self.splitter(options)
    }
}

/// Bytes that a decoder is fed.
#[derive(Clone, Debug)]
pub enum Input {
    /// The next bytes of the stream, of any length but zero.
    Bytes(Bytes),
    /// The whole object, for formats that need random access; sent once, before `EndOfStream`.
    Object(Arc<dyn ReadAt>),
    /// A message transport says that the message is complete.
    EndOfMessage,
    /// The true end of the stream.
    EndOfStream,
}

/// What a decoder has to give.
#[derive(Debug)]
pub enum Output {
    /// A batch; ask again at once.
    Batch(Batch),
    /// Nothing until more is fed.
    NeedInput,
    /// The end: all records are out, and every later call says the same.
    Done,
}

/// A push decoder of one stream.
///
/// # Behavior
/// - `feed` may be called again only after [`next`](Self::next) returned [`Output::NeedInput`].
/// - A record error is a [`Reject`] in a batch and decoding goes on.
/// - A framing error without a way to resynchronise is an error; from then on the decoder is poisoned and every
///   call returns [`Poisoned`](crate::Kind::Poisoned). The records before the fault were handed out first.
/// - A stream that ends inside a record gives a reject (or an error where the boundary is unknown), never silence.
/// - Memory held is bounded by the limits, not by the stream.
pub trait Decoder: Send {
    /// The schema of every batch, as soon as it is known.
    fn schema(&self) -> Option<SchemaRef>;

    /// Takes input.
    ///
    /// # Errors
    /// [`Poisoned`](crate::Kind::Poisoned) after a fatal error, [`Internal`](crate::Kind::Internal) when called out of turn.
    fn feed(&mut self, input: Input) -> Result<()>;

    /// Gives the next batch.
    ///
    /// # Errors
    /// Fatal errors only.
    fn next(&mut self) -> Result<Output>;

    /// Makes a decoder of one part ready for another one of the same stream: it keeps what it found out, and its memory.
    ///
    /// # Behavior
    /// - `true`, only once [`Output::Done`] was returned: it is like a new decoder with that part, but for the notes on the
    ///   stream as a whole, which it does not give again.
    /// - `false`: nothing changed, and a new decoder is needed.
    fn restart(&mut self, part: &Part) -> bool {
        let _ = part;
        false
    }

    /// What the stream says about its totals, complete once [`Output::Done`] was returned.
    fn declared(&self) -> Vec<ControlTotal> {
        Vec::new()
    }

    /// Findings about the stream as a whole that lost nothing, for people: "header counts 100 records, the file holds 97".
    ///
    /// A note that counts begins with its number, and what it says of single records or names stands behind a `: `: so the
    /// notes of the parts of a stream add up to one.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An encoder of one stream.
pub trait Encoder: Send {
    /// Appends the rows to `out` and returns those that the format cannot hold. Their `record` is the
    /// row number in this batch, from 1; all other rows are in `out`.
    ///
    /// # Errors
    /// [`Config`](crate::Kind::Config) for a batch of another schema; fatal errors of the stream.
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>>;

    /// Ends the stream: trailers go to `out`; bytes given out earlier that must change come back as patches.
    ///
    /// # Errors
    /// Fatal errors of the stream.
    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>>;

    /// Bytes for companion files since the last call, to be appended in this order (may be called after every `encode` and after `finish`).
    fn companions(&mut self) -> Vec<CompanionBytes> {
        Vec::new()
    }
}

/// Bytes to replace in what an encoder already gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Extension of the companion file, `None` for the main one.
    pub companion: Option<String>,
    /// Offset from the start of that file.
    pub offset: u64,
    /// The new bytes; the length stays.
    pub bytes: Bytes,
}

/// Bytes to append to a companion file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanionBytes {
    /// Extension, lower case, without the dot.
    pub extension: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// Finds record boundaries in raw bytes without decoding.
///
/// # Behavior
/// - Only asked for chunks that start at a record boundary after [`prologue`](Self::prologue) bytes.
/// - A chunk cut at [`last_boundary`](Self::last_boundary) decodes the same alone, by a decoder opened with
///   [`DecodeOptions::part`], as in the stream.
pub trait Splitter: Send {
    /// The header bytes (and lines) that come before the first record, given the start of the stream; no records
    /// in it. `None`: more is needed.
    ///
    /// # Errors
    /// [`Invalid`](crate::Kind::Invalid) when the header cannot be read.
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>>;

    /// End of the last whole record in the chunk, and how many records that makes; `None` when it holds no whole record.
    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary>;
}

/// Where a chunk can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// Bytes up to and including the last whole record.
    pub end: usize,
    /// Records in them.
    pub records: u64,
    /// Line ends in them, for formats that number lines.
    pub lines: u64,
}

/// How to decode one stream.
#[derive(Clone, Debug, Default)]
pub struct DecodeOptions {
    /// Name and fingerprint of the source, for rejects and errors.
    pub source: Arc<Source>,
    /// Size of the stream in bytes, if known.
    pub size: Option<u64>,
    /// Schema to decode to; `None`: the format's own, or inferred from the first bytes.
    pub schema: Option<SchemaRef>,
    /// The dataset (record type, sheet) to decode, for formats with several in one stream.
    pub dataset: Option<String>,
    /// Only these columns, in this order.
    pub columns: Option<Vec<String>>,
    /// Go on after this position: the decoder is fed the first [`Position::prologue`] bytes of the stream,
    /// then the bytes from [`Position::offset`] on.
    pub from: Option<Position>,
    /// Decode a part of a stream that was cut by a [`Splitter`].
    pub part: Option<Part>,
    /// Companion files.
    pub companions: Vec<Companion>,
    /// Limits of the run (rows of a batch among them).
    pub limits: Limits,
}

/// Where a part that was cut by a [`Splitter`] lies in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The header bytes of the stream ([`Splitter::prologue`]); they are not fed again.
    pub prologue: Bytes,
    /// Byte offset of the part in the stream.
    pub offset: u64,
    /// Number of its first record, from 1.
    pub first_record: u64,
    /// Number of its first line, from 1, for formats that number lines.
    pub first_line: u64,
    /// Whether the stream ends with this part.
    pub last: bool,
}

/// A file that belongs to the main one.
#[derive(Clone, Debug)]
pub struct Companion {
    /// Extension, lower case, without the dot.
    pub extension: String,
    /// Its bytes.
    pub data: Arc<dyn ReadAt>,
}

impl DecodeOptions {
    /// The companion with one of these extensions, in the order of preference.
    pub fn companion(&self, extensions: &[&str]) -> Option<&Companion> {
        extensions
            .iter()
            .find_map(|e| self.companions.iter().find(|c| c.extension.eq_ignore_ascii_case(e)))
    }
}

/// How to encode one stream.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// Schema of every batch, with the `fenhe.*` metadata of where it came from.
    pub schema: SchemaRef,
    /// Limits of the run.
    pub limits: Limits,
}

/// The start of a stream, to look at.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its first bytes.
    pub bytes: Bytes,
    /// Whether these are all.
    pub complete: bool,
    /// The whole object, when random access is at hand.
    pub object: Option<Arc<dyn ReadAt>>,
    /// Size of the stream, if known.
    pub size: Option<u64>,
    /// Name of the source.
    pub name: String,
    /// Companion files.
    pub companions: Vec<Companion>,
    /// Limits of the run.
    pub limits: Limits,
}

/// What a format found in a sample, and why it thinks so.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The datasets; formats with one stream have one.
    pub datasets: Vec<Found>,
    /// How sure it is that the stream has this format, 0 to 100.
    pub confidence: u8,
    /// Options that were settled by looking, in their spelling on the command line.
    pub options: crate::Options,
    /// Sentences for people, most important first: "encoding gbk: 312 valid double-byte characters, no error".
    pub reasons: Vec<String>,
}

/// One dataset found in a sample.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name, empty for the only one.
    pub name: String,
    /// Its schema.
    pub schema: SchemaRef,
    /// Number of records, if the header says it or the sample is complete.
    pub records: Option<u64>,
    /// For single columns, why they have their type.
    pub columns: Vec<(String, String)>,
}
