//! NDJSON: a record ends with its line. No JSON text has a line end inside a string, so every LF is one.

use bytes::Bytes;
use fenhe_core::Limits;
use fenhe_text::Encoding;

use crate::frame::{BLOCK, Bad, Block, Carry, Frame, Framed};

/// Cuts a stream into lines.
#[derive(Debug)]
pub(crate) struct Lines {
    chunk: Bytes,
    at: usize,
    /// Offset of `chunk[at]` in the stream, and the line it is on.
    offset: u64,
    line: u64,
    carry: Carry,
    ended: bool,
    encoding: Encoding,
    most: u64,
}

impl Lines {
    pub(crate) fn new(limits: &Limits, encoding: Encoding, offset: u64, line: u64) -> Self {
        Self {
            chunk: Bytes::new(),
            at: 0,
            offset,
            line,
            carry: Carry::new(limits),
            ended: false,
            encoding,
            most: limits.record,
        }
    }

    /// Takes the next bytes, once [`next`](Self::next) needs them.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        (self.chunk, self.at) = (chunk, 0);
    }

    /// No more bytes: what is left is the last record.
    pub(crate) fn end(&mut self, ended: bool) {
        self.ended = ended;
    }

    /// Offset behind the last record given, and the line that starts there.
    pub(crate) fn place(&self) -> (u64, u64) {
        (self.offset - self.carry.len(), self.line)
    }

    /// The next records, `most` at most.
    pub(crate) fn next(&mut self, most: usize) -> Framed {
        loop {
            if !self.carry.is_empty() || self.line_end(self.at).is_none() {
                match self.straddling() {
                    Some(framed) => return framed,
                    None => continue,
                }
            }
            let block = self.block(most);
            if !block.records.is_empty() {
                return Framed::Block(block);
            }
        }
    }

    /// The line that the carry starts; `None` when it was blank.
    fn straddling(&mut self) -> Option<Framed> {
        let end = self.line_end(self.at);
        let piece =
            self.chunk.slice(self.at.min(self.chunk.len())..end.unwrap_or(self.chunk.len()));
        self.carry.push(&piece);
        self.at += piece.len();
        self.offset += piece.len() as u64;
        if end.is_none() && !self.ended {
            return Some(Framed::NeedInput);
        }
        if self.carry.is_empty() {
            return Some(Framed::End);
        }
        let (offset, line) = (self.offset - self.carry.len(), self.line);
        self.line += u64::from(end.is_some());
        if self.carry.len() <= self.most && blank(self.carry.bytes(), self.encoding) {
            self.carry.clear();
            return None;
        }
        Some(Framed::Block(self.carry.take(offset, line)))
    }

    /// Whole lines of the chunk.
    fn block(&mut self, most: usize) -> Block {
        let first = self.at;
        let mut records = Vec::new();
        while records.len() < most && self.at - first < BLOCK {
            let Some(end) = self.line_end(self.at) else { break };
            let (start, length) = (self.at, (end - self.at) as u64);
            let line = self.chunk.get(start..end).unwrap_or_default();
            if line.first() == Some(&b'{') || !blank(line, self.encoding) {
                let bad = if length > self.most { Bad::TooLong } else { Bad::No };
                let text = (start - first, end - first);
                records.push(Frame {
                    offset: self.offset,
                    length,
                    line: self.line,
                    at: text.0,
                    text,
                    bad,
                });
            }
            self.at = end;
            self.offset += length;
            self.line += 1;
        }
        Block::new(self.chunk.slice(first..self.at), records)
    }

    /// The place behind the next LF of the chunk.
    #[inline]
    fn line_end(&self, from: usize) -> Option<usize> {
        line_end(self.chunk.get(from..)?, self.encoding).map(|end| from + end)
    }
}

/// The place behind the first LF. UTF-16 comes in whole units.
#[inline]
pub(crate) fn line_end(bytes: &[u8], encoding: Encoding) -> Option<usize> {
    match unit(encoding) {
        1 => memchr::memchr(b'\n', bytes).map(|at| at + 1),
        _ => encoding.find_byte(bytes, b'\n', 0).map(|at| at + 2),
    }
}

/// Bytes of a line end.
pub(crate) fn unit(encoding: Encoding) -> usize {
    if encoding.is_ascii_superset() { 1 } else { 2 }
}

/// Whether a line holds nothing but white space.
pub(crate) fn blank(line: &[u8], encoding: Encoding) -> bool {
    let wide = unit(encoding) == 2;
    line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n') || (wide && *b == 0))
}
