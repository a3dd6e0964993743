//! One document: its records are cut out while it streams by, whatever its size.
//!
//! Outside records the grammar is checked byte by byte; inside one only strings and brackets are followed, and the
//! record itself is checked when it is read.

mod inside;
mod outer;

use bytes::Bytes;
use fenhe_core::{Error, Limits, Result};
use fenhe_text::{Encoding, PrivateUse};

use crate::error::{document, no_records, truncated};
use crate::frame::{BLOCK, Bad, Block, Carry, Frame, Framed};
use crate::lines::unit;
use inside::Inside;
pub(crate) use outer::State;
use outer::{Event, Outer};

/// Encodings in which a byte from 81 on takes the next one with it (four-byte codes are two such pairs).
const PAIRS: [Encoding; 5] =
    [Encoding::GBK, Encoding::CP936, Encoding::GB18030, Encoding::GB18030_2005, Encoding::BIG5];
/// In place of bytes that are part of a longer character.
const OTHER: u8 = 0x80;
/// In place of the second byte of a unit of UTF-16.
const SECOND: u8 = 0xff;

/// Cuts a document into records.
#[derive(Debug)]
pub(crate) struct Document {
    chunk: Bytes,
    /// The chunk with only the characters of ASCII left, for encodings where a byte alone does not tell.
    classes: Option<Vec<u8>>,
    at: usize,
    /// Offset of `chunk[at]` in the stream, and its line.
    offset: u64,
    line: u64,
    /// Offset behind the last record given, and its line.
    given: (u64, u64),
    outer: Outer,
    /// The record that has begun, with its offset and line.
    inside: Option<(Inside, u64, u64)>,
    carry: Carry,
    fault: Option<Error>,
    ended: bool,
    encoding: Encoding,
    /// The last chunk ended between the two bytes of a character.
    pending: bool,
    most: u64,
}

impl Document {
    pub(crate) fn new(
        limits: &Limits,
        encoding: Encoding,
        path: Vec<Vec<u8>>,
        (offset, line): (u64, u64),
        state: Option<State>,
    ) -> Self {
        Self {
            chunk: Bytes::new(),
            classes: None,
            at: 0,
            offset,
            line,
            given: (offset, line),
            outer: Outer::new(path, limits, state),
            inside: None,
            carry: Carry::new(limits),
            fault: None,
            ended: false,
            encoding,
            pending: false,
            most: limits.record,
        }
    }

    /// Takes the next bytes, once [`next`](Self::next) needs them.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        self.classes = classes(&chunk, self.encoding, &mut self.pending);
        (self.chunk, self.at) = (chunk, 0);
    }

    /// Whether the document ends with the bytes fed.
    pub(crate) fn end(&mut self, ended: bool) {
        self.ended = ended;
    }

    /// Offset behind the last record given, and the line it ends on.
    pub(crate) fn place(&self) -> (u64, u64) {
        self.given
    }

    /// What surrounds the last record given.
    pub(crate) fn state(&self) -> State {
        self.outer.snapshot()
    }

    /// Another document follows in the same stream.
    pub(crate) fn restart(&mut self) {
        self.outer.restart();
    }

    /// The next records, `most` at most.
    ///
    /// # Errors
    /// The document is broken outside its records, or ends early. The records before were given.
    pub(crate) fn next(&mut self, most: usize) -> Result<Framed> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let mut records = Vec::new();
        let mut first = self.at;
        while self.at < self.chunk.len() && records.len() < most && self.at - first < BLOCK {
            let step = match self.inside.take() {
                Some(begun) => self.pass(begun),
                None => self.seek().map(|()| Passed::Nothing),
            };
            match step {
                Ok(Passed::Nothing) => {}
                Ok(Passed::Whole(mut frame)) => {
                    if records.is_empty() {
                        first = frame.at;
                    }
                    frame.at -= first;
                    frame.text = (frame.at, self.at - first);
                    records.push(frame);
                }
                Ok(Passed::Carried(block)) => return Ok(Framed::Block(block)),
                Err(fault) if records.is_empty() => return Err(fault),
                // What came before goes first.
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        if !records.is_empty() {
            return Ok(Framed::Block(Block::new(self.chunk.slice(first..self.at), records)));
        }
        match (self.at < self.chunk.len(), self.ended) {
            (true, _) => self.next(most),
            (false, true) => self.finish(),
            (false, false) => Ok(Framed::NeedInput),
        }
    }

    /// Up to the next record, or the end of the chunk.
    fn seek(&mut self) -> Result<()> {
        let wide = unit(self.encoding) == 2;
        while let Some(byte) = self.view().get(self.at).copied() {
            if wide && byte == SECOND {
                self.advance(self.at + 1);
                continue;
            }
            match self.outer.byte(byte) {
                Ok(Event::Passed) => self.advance(self.at + 1),
                Ok(Event::Record) => {
                    self.inside = Some((Inside::new(byte), self.offset, self.line));
                    return Ok(());
                }
                Err(wrong) => return Err(wrong.error(self.offset, self.line)),
            }
        }
        Ok(())
    }

    /// The rest of a record, as far as the chunk holds it.
    fn pass(&mut self, begun: (Inside, u64, u64)) -> Result<Passed> {
        let (mut inside, offset, line) = begun;
        let start = self.at;
        let end = match inside.pass(self.view(), start) {
            Ok(end) => end,
            Err(at) => {
                self.advance(at);
                return Err(document(
                    self.offset,
                    self.line,
                    "the bracket that closes the last one",
                    "another one",
                ));
            }
        };
        let Some(mut end) = end else {
            let piece = self.chunk.slice(start..);
            self.carry.push(&piece);
            self.advance(self.chunk.len());
            self.inside = Some((inside, offset, line));
            return Ok(Passed::Nothing);
        };
        if unit(self.encoding) == 2 && self.view().get(end) == Some(&SECOND) {
            end += 1;
        }
        self.advance(end);
        self.give();
        if self.carry.is_empty() {
            let length = (end - start) as u64;
            let bad = if length > self.most { Bad::TooLong } else { Bad::No };
            return Ok(Passed::Whole(Frame { offset, length, line, at: start, text: (0, 0), bad }));
        }
        let piece = self.chunk.slice(start..end);
        self.carry.push(&piece);
        Ok(Passed::Carried(self.carry.take(offset, line)))
    }

    /// The end of the stream.
    fn finish(&mut self) -> Result<Framed> {
        if let Some((inside, offset, line)) = self.inside.take() {
            if !inside.is_bare() || !self.outer.at_end() {
                let offset = self.offset;
                return Err(truncated(offset, self.line, "a record"));
            }
            self.give();
            return Ok(Framed::Block(self.carry.take(offset, line)));
        }
        self.outer.end().map_err(|wrong| wrong.error(self.offset, self.line))?;
        match self.outer.found() {
            true => Ok(Framed::End),
            false => Err(no_records(self.offset)),
        }
    }

    /// The last record ends here.
    fn give(&mut self) {
        self.given = (self.offset, self.line);
        self.outer.note();
    }

    #[inline]
    fn view(&self) -> &[u8] {
        self.classes.as_deref().unwrap_or(&self.chunk)
    }

    #[inline]
    fn advance(&mut self, to: usize) {
        let passed = self.view().get(self.at..to).unwrap_or_default();
        let lines = match passed {
            [one] => u64::from(*one == b'\n'),
            _ => memchr::memchr_iter(b'\n', passed).count() as u64,
        };
        self.line += lines;
        self.offset += to.saturating_sub(self.at) as u64;
        self.at = to;
    }
}

/// What passing a piece of the chunk gave.
enum Passed {
    Nothing,
    /// A record within the chunk, `at` counted from its start.
    Whole(Frame),
    /// A record that began in an earlier chunk.
    Carried(Block),
}

/// Whether documents in this encoding can be cut without decoding them: a lead byte and what follows it are told apart
/// by counting.
pub(crate) fn can_cut(encoding: Encoding) -> bool {
    !encoding.is_multi_byte()
        || unit(encoding) == 2
        || PAIRS.contains(&encoding.with_private_use(PrivateUse::Accept))
        || encoding == Encoding::UTF_8
}

/// The chunk with everything but ASCII blotted out; `None` where the bytes tell by themselves.
fn classes(chunk: &[u8], encoding: Encoding, pending: &mut bool) -> Option<Vec<u8>> {
    if unit(encoding) == 2 {
        let big = encoding == Encoding::UTF_16BE;
        let class = |pair: &[u8]| match (pair, big) {
            ([0, low], true) | ([low, 0], false) if low.is_ascii() => [*low, SECOND],
            _ => [OTHER, SECOND],
        };
        return Some(chunk.chunks(2).flat_map(class).take(chunk.len()).collect());
    }
    if encoding == Encoding::UTF_8 || !encoding.is_multi_byte() {
        return None;
    }
    let class = |byte: &u8| {
        let lead = !*pending && *byte >= 0x81;
        let class = if *pending || lead { OTHER } else { *byte };
        *pending = lead;
        class
    };
    Some(chunk.iter().map(class).collect())
}
