//! Which decoder a stream gets when nobody said its encoding.

use bytes::BytesMut;
use fenhe_core::{DecodeOptions, Decoder, Error, Input, Kind, Output, Result, SchemaRef};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use super::{WideDecoder, is_wide};
use crate::decode::CsvDecoder;
use crate::options::CsvOptions;

/// Bytes looked at, as many as detection does.
const LOOKED_AT: usize = 1 << 18;

/// UTF-16, if the start of a stream is that, and why.
pub(crate) fn found(start: &[u8]) -> Option<(Encoding, String)> {
    let start = start.get(..LOOKED_AT).unwrap_or(start);
    let marked = start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]);
    if !marked && memchr::memchr(0, start).is_none() {
        return None;
    }
    let found = fenhe_text::detect(start, None);
    let why = found.evidence.into_iter().next().unwrap_or_default();
    is_wide(found.encoding).then_some((found.encoding, why))
}

/// Waits for enough to see whether the stream is UTF-16.
pub(crate) enum Front {
    Waiting { made: Option<Box<(CsvOptions, Pools, DecodeOptions)>>, held: BytesMut },
    Running { decoder: Box<dyn Decoder>, end: Option<Input> },
}

impl Front {
    /// # Errors
    /// Those of either decoder, for options that no stream can have.
    pub(crate) fn new(options: CsvOptions, pools: Pools, open: DecodeOptions) -> Result<Self> {
        CsvDecoder::new(options.clone(), pools.clone(), open.clone())?;
        let made = Some(Box::new((options, pools, open)));
        Ok(Self::Waiting { made, held: BytesMut::new() })
    }

    fn start(&mut self, end: Option<Input>) -> Result<()> {
        let Self::Waiting { made, held } = self else { return Ok(()) };
        let Some(made) = made.take() else { return Err(Error::poisoned("csv")) };
        let held = std::mem::take(held).freeze();
        let (options, pools, open) = *made;
        let mut decoder: Box<dyn Decoder> = match found(&held) {
            Some((encoding, _)) => Box::new(WideDecoder::new(options, pools, open, encoding)?),
            None => Box::new(CsvDecoder::new(options, pools, open)?),
        };
        if !held.is_empty() {
            decoder.next()?;
            decoder.feed(Input::Bytes(held))?;
        }
        *self = Self::Running { decoder, end };
        Ok(())
    }
}

impl Decoder for Front {
    fn schema(&self) -> Option<SchemaRef> {
        match self {
            Self::Waiting { .. } => None,
            Self::Running { decoder, .. } => decoder.schema(),
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        match (self, input) {
            (Self::Running { decoder, .. }, input) => decoder.feed(input),
            (Self::Waiting { made: None, .. }, _) => Err(Error::poisoned("csv")),
            (front, Input::Bytes(bytes)) => {
                let Self::Waiting { held, .. } = front else { return Ok(()) };
                held.extend_from_slice(&bytes);
                if held.len() < LOOKED_AT { Ok(()) } else { front.start(None) }
            }
            (front, end @ (Input::EndOfStream | Input::EndOfMessage)) => front.start(Some(end)),
            (_, Input::Object(_)) => {
                Err(Error::new(Kind::Internal, "csv.feed", "csv takes a stream of bytes"))
            }
        }
    }

    fn next(&mut self) -> Result<Output> {
        let (decoder, end) = match self {
            Self::Waiting { made: Some(_), .. } => return Ok(Output::NeedInput),
            Self::Waiting { made: None, .. } => return Err(Error::poisoned("csv")),
            Self::Running { decoder, end } => (decoder, end),
        };
        loop {
            match decoder.next()? {
                Output::NeedInput if end.is_some() => {
                    if let Some(end) = end.take() {
                        decoder.feed(end)?;
                    }
                }
                output => return Ok(output),
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        match self {
            Self::Waiting { .. } => Vec::new(),
            Self::Running { decoder, .. } => decoder.notes(),
        }
    }
}
