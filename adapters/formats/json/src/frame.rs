//! Blocks of records: where each one stands in the source, and its text.

use bytes::Bytes;
use fenhe_core::Limits;
use fenhe_text::{Encoding, Invalid, Utf8Buf};

/// Bytes of a block: small enough for the cache, large enough to spread the cost of a block.
pub(crate) const BLOCK: usize = 256 << 10;

/// Some records, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The bytes of the source that hold the records whose `at` is a range of it.
    pub(crate) source: Bytes,
    /// The text of the records, UTF-8 unless a record breaks it: the source, or what it was decoded to.
    pub(crate) text: Bytes,
    /// The records, in order.
    pub(crate) records: Vec<Frame>,
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Byte offset in the stream.
    pub(crate) offset: u64,
    /// Bytes in the stream.
    pub(crate) length: u64,
    /// Line on which it starts, from 1.
    pub(crate) line: u64,
    /// Where it starts in the source of the block; it may be longer than what is kept of it.
    pub(crate) at: usize,
    /// Where its text is.
    pub(crate) text: (usize, usize),
    /// Why it cannot be read at all.
    pub(crate) bad: Bad,
}

/// Why a record cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    No,
    /// Longer than the limit.
    TooLong,
    /// Not in the encoding, from this byte of the record on.
    Encoding(usize),
}

/// What a framer has to give.
#[derive(Debug)]
pub(crate) enum Framed {
    Block(Block),
    NeedInput,
    End,
}

impl Block {
    /// A block whose text is its source.
    pub(crate) fn new(source: Bytes, records: Vec<Frame>) -> Self {
        Self { text: source.clone(), source, records }
    }

    /// The bytes of a record as far as they are kept.
    pub(crate) fn raw(&self, frame: &Frame) -> &[u8] {
        let rest = self.source.get(frame.at..).unwrap_or_default();
        let length = usize::try_from(frame.length).unwrap_or(usize::MAX);
        rest.get(..length.min(rest.len())).unwrap_or(rest)
    }

    /// The same block in UTF-8.
    pub(crate) fn decoded(mut self, encoding: Encoding) -> Self {
        let mut text = Utf8Buf::with_capacity(self.source.len());
        for frame in self.records.iter_mut().filter(|f| f.bad == Bad::No) {
            let start = text.len();
            let bytes = self.source.get(frame.text.0..frame.text.1).unwrap_or_default();
            match encoding.decode_into(bytes, Invalid::Reject, &mut text) {
                Ok(_) => frame.text = (start, text.len()),
                Err(bad) => {
                    frame.bad = Bad::Encoding(frame.text.0.saturating_sub(frame.at) + bad.at);
                    frame.text = (0, 0);
                }
            }
        }
        self.text = Bytes::copy_from_slice(text.as_str().as_bytes());
        self
    }

    /// The same block without the text of records that break UTF-8, which are marked.
    #[cold]
    pub(crate) fn without_bad_text(mut self) -> Self {
        let mut text = Vec::with_capacity(self.text.len());
        for frame in self.records.iter_mut().filter(|f| f.bad == Bad::No) {
            let bytes = self.text.get(frame.text.0..frame.text.1).unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(_) => {
                    frame.text = (text.len(), text.len() + bytes.len());
                    text.extend_from_slice(bytes);
                }
                Err(e) => {
                    frame.bad =
                        Bad::Encoding(frame.text.0.saturating_sub(frame.at) + e.valid_up_to());
                    frame.text = (0, 0);
                }
            }
        }
        self.text = text.into();
        self
    }
}

/// The part of a record that lies in earlier chunks. It stops growing at the record limit.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    bytes: Vec<u8>,
    /// Bytes of the record so far, kept or not.
    length: u64,
    most: u64,
    keep: usize,
}

impl Carry {
    pub(crate) fn new(limits: &Limits) -> Self {
        let keep = usize::try_from(limits.reject_raw).unwrap_or(usize::MAX);
        Self { bytes: Vec::new(), length: 0, most: limits.record, keep }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length <= self.most {
            self.bytes.extend_from_slice(bytes);
            return;
        }
        let room = self.keep.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.bytes.truncate(self.keep);
    }

    /// The record as a block of its own.
    pub(crate) fn take(&mut self, offset: u64, line: u64) -> Block {
        let bytes = Bytes::from(std::mem::take(&mut self.bytes));
        let length = std::mem::take(&mut self.length);
        let bad = if length > self.most { Bad::TooLong } else { Bad::No };
        let text = if bad == Bad::No { (0, bytes.len()) } else { (0, 0) };
        Block::new(bytes, vec![Frame { offset, length, line, at: 0, text, bad }])
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.length = 0;
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
