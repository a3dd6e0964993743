//! Decompression that counts what goes in and what comes out.

use std::io::{self, BufReader, Read, Take};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fenhe_core::{Error, Kind, Result};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};

use crate::error;
use crate::name::has_extension;
use crate::version::Watched;

/// Compressed bytes read at a time.
const INPUT: usize = 128 << 10;

/// The ratio is looked at after this many inflated bytes: small files may be nothing but blanks.
const GRACE: u64 = 1 << 20;

/// Memory for the window of a zstd stream: 128 MiB, what the format's own tool accepts.
const ZSTD_WINDOW_LOG: u32 = 27;

/// A compressed stream format, known by the end of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Zstd,
}

impl Codec {
    pub(crate) fn of(name: &str) -> Option<Self> {
        if has_extension(name, ".gz") {
            return Some(Self::Gzip);
        }
        has_extension(name, ".zst").then_some(Self::Zstd)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Inflated bytes, under the limit on the ratio.
pub(crate) struct Inflated {
    decoder: Box<dyn Read + Send>,
    pub(crate) format: &'static str,
    taken: Arc<AtomicU64>,
    given: u64,
    ratio: u64,
}

impl Inflated {
    /// A `.gz` (all members) or `.zst` (all frames) file.
    pub(crate) fn stream(file: Watched, codec: Codec, ratio: u64) -> io::Result<Self> {
        let (input, taken) = counted(file);
        let decoder: Box<dyn Read + Send> = match codec {
            Codec::Gzip => Box::new(MultiGzDecoder::new(input)),
            Codec::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Self { decoder, format: codec.name(), taken, given: 0, ratio })
    }

    /// A deflated or stored zip entry, checked against its size and CRC-32 (APPNOTE 4.4.7, 4.4.9).
    pub(crate) fn entry(
        data: Take<Watched>,
        deflated: bool,
        size: u64,
        crc: u32,
        ratio: u64,
    ) -> Self {
        let (input, taken) = counted(data);
        let inner: Box<dyn Read + Send> =
            if deflated { Box::new(DeflateDecoder::new(input)) } else { Box::new(input) };
        let decoder =
            Checked { inner, crc: crc32fast::Hasher::new(), seen: 0, size, expected: crc };
        Self { decoder: Box::new(decoder), format: "zip", taken, given: 0, ratio }
    }

    /// Skips `count` bytes; false when the stream ends before.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<bool> {
        Ok(io::copy(&mut self.by_ref().take(count), &mut io::sink())? == count)
    }
}

impl Read for Inflated {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buf)?;
        self.given = self.given.saturating_add(n as u64);
        let taken = self.taken.load(Ordering::Relaxed).max(1);
        if self.given > GRACE && self.given > taken.saturating_mul(self.ratio) {
            let limit = Error::limit("inflate_ratio", self.ratio, self.given.div_ceil(taken));
            return Err(error::through_io(limit.at_offset(self.given)));
        }
        Ok(n)
    }
}

/// Counts what a decoder takes.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Compares size and checksum at the end.
struct Checked {
    inner: Box<dyn Read + Send>,
    crc: crc32fast::Hasher,
    seen: u64,
    size: u64,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        if n > 0 || buf.is_empty() {
            self.crc.update(buf.get(..n).unwrap_or_default());
            self.seen = self.seen.saturating_add(n as u64);
            return Ok(n);
        }
        if self.seen == self.size && self.crc.clone().finalize() == self.expected {
            return Ok(0);
        }
        Err(error::through_io(checksum()))
    }
}

fn counted<R: Read>(inner: R) -> (BufReader<Counted<R>>, Arc<AtomicU64>) {
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner, taken: Arc::clone(&taken) };
    (BufReader::with_capacity(INPUT, counted), taken)
}

fn checksum() -> Error {
    Error::new(Kind::Invalid, "file.checksum", "size or checksum of the zip entry do not agree")
        .hint("the archive is damaged: copy or make it again")
}

/// Refuses a position behind the end: the object is not the one that the position was made for.
pub(crate) fn behind_the_end(from: u64) -> Result<()> {
    Err(Error::new(Kind::Changed, "file.shorter", "the file ends before the position to read from")
        .at_offset(from))
}
