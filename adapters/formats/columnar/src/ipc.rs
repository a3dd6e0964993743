//! Arrow IPC, as file (also known as Feather 2) and as stream.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::ArrowError;
use bytes::BytesMut;
use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Error, Evidence, Format, FormatInfo, Kind,
    Options, Patch, ReadAt, Reject, Result, Sample,
};

use crate::object::{ObjectDecoder, Open, Rows, Wanted, damaged, indices, infer};
use crate::output::Drain;

/// First bytes of an IPC file (Arrow columnar format, "IPC File Format").
const MAGIC: &[u8; 6] = b"ARROW1";
const CHUNK: usize = 1 << 20;

/// The Arrow IPC format. Reading tells file and stream apart by itself.
///
/// ```
/// use fenhe_columnar::{Ipc, IpcOptions};
/// use fenhe_core::Format;
/// assert_eq!(Ipc::new(IpcOptions { stream: true }).info().name, "arrow");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ipc(IpcOptions);

/// Options of [`Ipc`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpcOptions {
    /// Writes the stream instead of the file: no index at the end.
    pub stream: bool,
}

impl Ipc {
    /// The format with these options.
    pub fn new(options: IpcOptions) -> Self {
        Self(options)
    }

    /// The format with options by name.
    ///
    /// # Errors
    /// [`Kind::Config`] for an unknown option or value.
    pub fn from_options(options: &Options) -> Result<Self> {
        Ok(Self(options.parse("arrow")?))
    }
}

impl Format for Ipc {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "arrow",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["arrow", "feather", "ipc", "arrows"],
            media_types: &[
                "application/vnd.apache.arrow.file",
                "application/vnd.apache.arrow.stream",
            ],
            read: true,
            write: true,
            whole_object: true,
            patches: false,
            companions: &[],
            file_options: &[],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        infer(&Opener, sample)
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(ObjectDecoder::new(Opener, options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        let drain = Drain::default();
        let writer = if self.0.stream {
            StreamWriter::try_new(drain.clone(), &options.schema).map(Writer::Stream)
        } else {
            FileWriter::try_new(drain.clone(), &options.schema).map(Writer::File)
        };
        let writer = writer.map_err(|e| {
            Error::new(
                Kind::Config,
                "arrow.schema",
                "Arrow IPC cannot hold one of the column types",
            )
            .caused_by(e)
        })?;
        Ok(Box::new(IpcEncoder { writer, drain }))
    }
}

struct Opener;

impl Open for Opener {
    const NAME: &'static str = "arrow";

    fn open(&self, object: Arc<dyn ReadAt>, wanted: &Wanted) -> Result<Rows> {
        let range = messages(object.as_ref())?;
        let mut messages = Messages::new(object, range);
        // The decoder knows the schema once it has seen the first message, which may come with a batch.
        let first = messages.next().transpose()?;
        let file =
            messages.decoder.schema().ok_or_else(|| damaged(Self::NAME, "it holds no schema"))?;
        let columns = indices(&file, wanted)?;
        let schema = match &columns {
            Some(columns) => Arc::new(file.project(columns)?),
            None => file,
        };
        let batches = first.map(Ok).into_iter().chain(messages);
        let mut skip = wanted.from_row;
        let batches = batches.map(move |batch| {
            let batch =
                batch.map_err(|e| damaged(Self::NAME, "a batch cannot be read").caused_by(e))?;
            let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(batch.num_rows());
            skip -= skipped as u64;
            let batch = batch.slice(skipped, batch.num_rows() - skipped);
            match &columns {
                Some(columns) => Ok(batch.project(columns)?),
                None => Ok(batch),
            }
        });
        Ok(Rows { schema, total: None, batches: Box::new(batches) })
    }
}

/// The record batches of an object, decoded message by message.
///
/// The file reader of the Arrow project allocates what the footer claims; its stream decoder grows with the bytes that
/// are really there. The messages of an IPC file are laid out as in the stream, so that decoder serves both.
struct Messages {
    object: Arc<dyn ReadAt>,
    at: u64,
    end: u64,
    decoder: StreamDecoder,
    chunk: Buffer,
    ended: bool,
}

/// Where the messages lie: in an IPC file between the padded magic and the footer, whose length stands before the
/// closing magic.
fn messages(object: &dyn ReadAt) -> Result<Range<u64>> {
    let size = object.size();
    let mut start = [0; 128];
    let n = object.read_at(0, &mut start)?;
    let start = start.get(..n).unwrap_or_default();
    let Some(padded) = start.strip_prefix(MAGIC) else { return Ok(0..size) };
    let pad = padded.iter().take_while(|b| **b == 0).count();
    let first = MAGIC.len() + pad;
    let mut end = [0; 10];
    let closed = size >= 10 && object.read_at(size - 10, &mut end)? == 10 && end.ends_with(MAGIC);
    let footer = u32::from_le_bytes([end[0], end[1], end[2], end[3]]);
    match size.checked_sub(10 + u64::from(footer)) {
        Some(end) if closed && end >= first as u64 => Ok(first as u64..end),
        _ => Err(damaged("arrow", "its footer is missing or cut off")),
    }
}

impl Messages {
    fn new(object: Arc<dyn ReadAt>, range: Range<u64>) -> Self {
        let Range { start: at, end } = range;
        Self {
            object,
            at,
            end,
            decoder: StreamDecoder::new(),
            chunk: Buffer::default(),
            ended: false,
        }
    }

    fn pull(&mut self) -> Result<Option<RecordBatch>> {
        while !self.ended {
            let broken = |e: ArrowError| damaged("arrow", "a message cannot be read").caused_by(e);
            if let Some(batch) = self.decoder.decode(&mut self.chunk).map_err(broken)? {
                return Ok(Some(batch));
            }
            let left = usize::try_from(self.end - self.at).unwrap_or(CHUNK);
            let mut bytes = vec![0; CHUNK.min(left)];
            let n = self.object.read_at(self.at, &mut bytes)?;
            bytes.truncate(n);
            self.at += n as u64;
            self.chunk = Buffer::from_vec(bytes);
            self.ended = n == 0;
        }
        self.decoder
            .finish()
            .map_err(|e| damaged("arrow", "it ends inside a message").caused_by(e))?;
        Ok(None)
    }
}

impl Iterator for Messages {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pull().inspect_err(|_| self.ended = true).transpose()
    }
}

enum Writer {
    File(FileWriter<Drain>),
    Stream(StreamWriter<Drain>),
}

struct IpcEncoder {
    writer: Writer,
    drain: Drain,
}

impl Encoder for IpcEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        match &mut self.writer {
            Writer::File(writer) => writer.write(batch),
            Writer::Stream(writer) => writer.write(batch),
        }
        .map_err(write_error)?;
        self.drain.take(out);
        Ok(Vec::new())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        match &mut self.writer {
            Writer::File(writer) => writer.finish(),
            Writer::Stream(writer) => writer.finish(),
        }
        .map_err(write_error)?;
        self.drain.take(out);
        Ok(Vec::new())
    }
}

fn write_error(error: ArrowError) -> Error {
    Error::new(
        Kind::Config,
        "arrow.write",
        "Arrow IPC refuses the rows: they do not fit the schema it was opened with",
    )
    .caused_by(error)
}
