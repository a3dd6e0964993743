//! UTF-16, what spreadsheets call "Unicode text": transcoded in front, so that all else sees UTF-8, while offsets,
//! positions and raw bytes are those of the source.

mod front;
mod map;
mod units;

use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Batch, DecodeOptions, Decoder, Encoder, Error, Input, Output, Patch, Position, RecordBatch,
    Reject, Result, SchemaRef,
};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;
use serde::{Deserialize, Serialize};

use crate::batch::{TOKEN, Token};
use crate::decode::CsvDecoder;
use crate::encode::CsvEncoder;
use crate::options::CsvOptions;

pub(crate) use front::{Front, found};
use map::Map;
use units::Units;

/// What a position in UTF-16 holds besides: the places in the text as the decoder inside counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WideAt {
    big: bool,
    prologue: u64,
    offset: u64,
}

impl WideAt {
    pub(crate) fn encoding(self) -> Encoding {
        if self.big { Encoding::UTF_16BE } else { Encoding::UTF_16LE }
    }
}

/// Whether text is transcoded before it is cut.
pub(crate) fn is_wide(encoding: Encoding) -> bool {
    encoding == Encoding::UTF_16LE || encoding == Encoding::UTF_16BE
}

/// The sample as UTF-8.
pub(crate) fn transcoded(encoding: Encoding, sample: &[u8], complete: bool) -> Vec<u8> {
    let mut units = Units::new(encoding);
    let mut text = Vec::with_capacity(sample.len());
    units.push(sample, &mut text);
    if complete {
        units.end(&mut text);
    }
    text
}

/// Decodes one stream of UTF-16.
pub(crate) struct WideDecoder {
    inner: CsvDecoder,
    encoding: Encoding,
    units: Units,
    map: Map,
    limit: u64,
    /// The prologue of positions, in the text and in the source.
    prologue: Option<(u64, u64)>,
    /// The prologue that a resumed decoder is fed first: what of it is still to come, and its text so far.
    first: Option<(u64, Vec<u8>)>,
    /// The end, which has to wait for bytes fed before it.
    end: Option<Input>,
    poisoned: bool,
}

impl WideDecoder {
    pub(crate) fn new(
        mut options: CsvOptions,
        pools: Pools,
        mut open: DecodeOptions,
        encoding: Encoding,
    ) -> Result<Self> {
        let limit = open.limits.reject_raw;
        let (mut map, mut prologue, mut first) = (Map::default(), None, None);
        if let Some(position) = &open.from {
            let token: Token = position.read("csv", TOKEN)?;
            let Some(at) = token.wide else { return Err(other_encoding()) };
            if at.big != (encoding == Encoding::UTF_16BE) {
                return Err(other_encoding());
            }
            map = Map::from(at.offset, position.offset());
            prologue = Some((at.prologue, position.prologue()));
            first = Some((position.prologue(), Vec::new()));
            let inside = Position::new("csv", TOKEN, &Token { wide: None, ..token })?;
            open.from = Some(inside.resume_at(at.prologue, at.offset));
        }
        options.encoding = Some(encoding.name().to_owned());
        Ok(Self {
            inner: CsvDecoder::new(options, pools, open)?,
            encoding,
            units: Units::new(encoding),
            map,
            limit,
            prologue,
            first,
            end: None,
            poisoned: false,
        })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let mut text = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        if let Some((left, mut seen)) = self.first.take() {
            let now = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (head, tail) = rest.split_at(now);
            self.units.push(head, &mut seen);
            let left = left - now as u64;
            if left > 0 {
                self.first = Some((left, seen));
                return Ok(());
            }
            // The source is cut between characters, the text where the first decoder had seen enough.
            let most =
                self.prologue.map_or(0, |(text, _)| usize::try_from(text).unwrap_or(usize::MAX));
            seen.truncate(most);
            (text, rest) = (seen, tail);
            self.units = Units::new(self.encoding);
        }
        let before = text.len();
        self.units.push(rest, &mut text);
        self.hand_on(text, before)
    }

    /// Gives text to the decoder inside; from `new` on it belongs to the map.
    fn hand_on(&mut self, text: Vec<u8>, new: usize) -> Result<()> {
        self.map.add(text.get(new..).unwrap_or_default());
        if text.is_empty() { Ok(()) } else { self.inner.feed(Input::Bytes(Bytes::from(text))) }
    }

    fn in_source(&mut self, mut batch: Batch) -> Result<Batch> {
        let mut place = self.map.walk();
        let (start, length) = (batch.span.offset, batch.span.length);
        batch.span.offset = place.of(start);
        for reject in &mut batch.rejects {
            let end = reject.offset + reject.length;
            reject.offset = place.of(reject.offset);
            reject.length = place.of(end) - reject.offset;
            let raw = units::in_source(self.encoding, &reject.raw);
            let kept = raw.len().min(usize::try_from(self.limit).unwrap_or(usize::MAX) & !1);
            reject.raw_cut |= kept < raw.len();
            reject.raw = Bytes::from(raw).slice(..kept);
        }
        batch.span.length = place.of(start + length) - batch.span.offset;
        let inside = batch.position.offset();
        let end = place.of(inside);
        let prologue = match self.prologue {
            Some(known) => known,
            None => {
                let text = batch.position.prologue();
                *self.prologue.insert((text, self.map.behind(text)))
            }
        };
        let mut token: Token = batch.position.read("csv", TOKEN)?;
        let big = self.encoding == Encoding::UTF_16BE;
        token.wide = Some(WideAt { big, prologue: prologue.0, offset: inside });
        batch.position = Position::new("csv", TOKEN, &token)?.resume_at(prologue.1, end);
        self.map.forget(inside);
        Ok(batch)
    }

    /// An error of the decoder inside, at its place in the source.
    fn error(&mut self, error: Error) -> Error {
        self.poisoned = true;
        match error.offset() {
            Some(at) => error.at_offset(self.map.walk().of(at)),
            None => error,
        }
    }
}

impl Decoder for WideDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        self.inner.schema()
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        if self.poisoned {
            return Err(Error::poisoned("csv"));
        }
        let fed = match input {
            Input::Bytes(bytes) => self.take(&bytes),
            end => {
                let mut text = self.first.take().map(|(_, seen)| seen).unwrap_or_default();
                let before = text.len();
                self.units.end(&mut text);
                self.end = Some(end);
                self.hand_on(text, before)
            }
        };
        fed.map_err(|error| self.error(error))
    }

    fn next(&mut self) -> Result<Output> {
        loop {
            match self.inner.next().map_err(|error| self.error(error))? {
                Output::Batch(batch) => return self.in_source(batch).map(Output::Batch),
                Output::NeedInput => match self.end.take() {
                    Some(end) => self.inner.feed(end)?,
                    None => return Ok(Output::NeedInput),
                },
                Output::Done => return Ok(Output::Done),
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        self.inner.notes()
    }
}

/// Encodes one stream of UTF-16.
pub(crate) struct WideEncoder {
    inner: CsvEncoder,
    encoding: Encoding,
    text: BytesMut,
}

impl WideEncoder {
    pub(crate) fn new(inner: CsvEncoder, encoding: Encoding) -> Self {
        Self { inner, encoding, text: BytesMut::new() }
    }

    fn flush(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&units::in_source(self.encoding, &self.text));
        self.text.clear();
    }
}

impl Encoder for WideEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        let rejects = self.inner.encode(batch, &mut self.text)?;
        self.flush(out);
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        let patches = self.inner.finish(&mut self.text)?;
        self.flush(out);
        Ok(patches)
    }
}

fn other_encoding() -> Error {
    Error::new(
        fenhe_core::Kind::Config,
        "csv.position",
        "this position is of a stream in another encoding",
    )
}
