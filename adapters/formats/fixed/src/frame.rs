//! Bytes to records: where each one starts and ends, without looking at its fields.

use fenhe_text::Encoding;
use memchr::{memchr, memchr2};

use crate::layout::Layout;
use crate::options::{BlankLines, Count, FixedOptions, FrameBy, LineEnd};

/// Finds records in a window of bytes that starts at a record.
#[derive(Clone, Debug)]
pub(crate) struct Framer {
    mode: Mode,
    /// Length of a record, in the unit of the layout.
    length: usize,
    /// Lengths that records may have, in the unit of the layout.
    lengths: Vec<usize>,
    encoding: Encoding,
    characters: bool,
    comment: Vec<u8>,
    pass_blank: bool,
    /// Whether line ends may stand in values.
    line_ends_are_data: bool,
    /// Longest record.
    limit: usize,
    /// The bytes that end a line: LF, or NEL and LF of EBCDIC.
    ends: (u8, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A record ends at its line end.
    Lines,
    /// A record ends after its length, and the line end follows.
    Counted,
    /// A record ends after its length, and the next one follows.
    Unseparated,
}

/// The records of a block, as places in the window.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Where each record starts.
    pub(crate) starts: Vec<u32>,
    /// Where its content ends.
    pub(crate) ends: Vec<u32>,
    /// Where the next one starts.
    pub(crate) nexts: Vec<u32>,
    /// Lines that are no records: before which record of the block, and how many.
    pub(crate) passed: Vec<(usize, u64)>,
    /// Records that are broken as such, in order.
    pub(crate) broken: Vec<(usize, Broken)>,
    /// Whether the last record has no line end because the stream ended.
    pub(crate) open: bool,
    /// Bytes of the records, line ends included.
    pub(crate) bytes: u64,
    /// Lines that end with LF alone, and with CRLF.
    pub(crate) line_ends: (u64, u64),
}

/// Why a record is broken as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The stream ends inside it.
    Tail,
    /// No line end where its length says, or one where there must be none.
    LineEnd,
    /// Longer than the limit.
    TooLong,
}

/// One thing found at the start of the rest of a window.
enum Found {
    Record {
        content: usize,
        next: usize,
        broken: Option<Broken>,
    },
    /// A line that is no record.
    Line {
        next: usize,
    },
    /// What stands behind the last record: 1A, line ends.
    End {
        next: usize,
    },
    More,
}

impl Framer {
    pub(crate) fn new(layout: &Layout, options: &FixedOptions, limit: u64) -> Self {
        let mode = match (layout.line_end, options.frame) {
            (LineEnd::None, _) => Mode::Unseparated,
            (_, FrameBy::Lines) => Mode::Lines,
            (_, FrameBy::Length) => Mode::Counted,
        };
        let ebcdic = layout.encoding.newline();
        let comment = options.comment.as_deref().unwrap_or_default();
        let lengths: Vec<usize> = layout.records.iter().map(|r| r.length).collect();
        Self {
            mode,
            length: lengths.iter().copied().max().unwrap_or(0),
            lengths,
            encoding: layout.encoding,
            characters: layout.count == Count::Characters && layout.encoding.is_multi_byte(),
            comment: layout.encoding.encode(comment).unwrap_or_default(),
            line_ends_are_data: options.frame == FrameBy::Length,
            pass_blank: options.blank_lines == BlankLines::Skip,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            ends: ebcdic.map_or((b'\n', b'\n'), |e| (e.next_line, e.line_feed)),
        }
    }

    /// Whether parts can be cut without reading from the start.
    pub(crate) fn splits(&self) -> bool {
        self.mode == Mode::Lines || (self.mode == Mode::Unseparated && !self.characters)
    }

    /// Finds up to `max` records in `window`; returns how many bytes were taken. Nothing taken: more bytes are needed.
    ///
    /// It stops at the record with which the records of the block reach `budget` bytes.
    pub(crate) fn block(
        &self,
        window: &[u8],
        end: bool,
        max: usize,
        budget: u64,
        frames: &mut Frames,
    ) -> usize {
        frames.clear();
        let mut at = 0;
        while frames.starts.len() < max && frames.bytes < budget {
            let Some(rest) = window.get(at..).filter(|r| !r.is_empty()) else { break };
            match self.one(rest, end, &mut frames.line_ends) {
                Found::Record { content, next, broken } => {
                    if let Some(broken) = broken {
                        frames.broken.push((frames.starts.len(), broken));
                    }
                    frames.open = next == content && self.mode != Mode::Unseparated;
                    frames.push(at, at + content, at + next);
                    at += next;
                }
                Found::Line { next } => {
                    frames.pass(1);
                    at += next;
                }
                Found::End { next } => {
                    frames.pass(0);
                    at += next;
                }
                Found::More => break,
            }
        }
        at
    }

    /// Place of the first line end, and how long it is with the CR before it.
    pub(crate) fn line_end(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        let (a, b) = self.ends;
        let at = if a == b { memchr(a, bytes)? } else { memchr2(a, b, bytes)? };
        match at.checked_sub(1).and_then(|before| bytes.get(before)) {
            Some(b'\r') => Some((at - 1, 2)),
            _ => Some((at, 1)),
        }
    }

    fn one(&self, rest: &[u8], end: bool, line_ends: &mut (u64, u64)) -> Found {
        match self.mode {
            Mode::Lines => self.line(rest, end, line_ends),
            Mode::Counted => self.counted(rest, end, line_ends),
            Mode::Unseparated => self.unseparated(rest, end),
        }
    }

    #[inline]
    fn line(&self, rest: &[u8], end: bool, line_ends: &mut (u64, u64)) -> Found {
        let (content, next) = match self.line_end(rest) {
            Some((at, length)) => {
                if length == 2 {
                    line_ends.1 += 1;
                } else {
                    line_ends.0 += 1;
                }
                (at, at + length)
            }
            None if end => return self.last_line(rest),
            None => return Found::More,
        };
        if content > self.limit {
            return Found::Record { content, next, broken: Some(Broken::TooLong) };
        }
        if (content == 0 && self.pass_blank) || self.is_comment(rest) {
            return Found::Line { next };
        }
        Found::Record { content, next, broken: None }
    }

    /// The line that the end of the stream ends. A 1A there is the end-of-file mark of CP/M and DOS.
    fn last_line(&self, rest: &[u8]) -> Found {
        let next = rest.len();
        if self.is_comment(rest) {
            return Found::Line { next };
        }
        let marks = rest.iter().rev().take_while(|b| **b == 0x1A).count();
        if marks == next {
            return Found::End { next };
        }
        let fits = self.lengths.contains(&next) && !self.characters;
        let content = if marks > 0 && !fits { next - marks } else { next };
        let broken = (content > self.limit).then_some(Broken::TooLong);
        Found::Record { content, next: content, broken }
    }

    fn counted(&self, rest: &[u8], end: bool, line_ends: &mut (u64, u64)) -> Found {
        let line = self.line_end(rest);
        if self.is_comment(rest) || matches!(line, Some((0, _))) {
            return match line {
                Some((at, length)) if at == 0 || self.is_comment(rest) => {
                    Found::Line { next: at + length }
                }
                None if end => Found::Line { next: rest.len() },
                _ => Found::More,
            };
        }
        let Some(content) = self.extent(rest, end) else {
            return if end { self.last_line(rest) } else { Found::More };
        };
        match rest.get(content..) {
            Some([b'\r', b'\n', ..]) => {
                line_ends.1 += 1;
                Found::Record { content, next: content + 2, broken: None }
            }
            Some([first, ..]) if *first == self.ends.0 || *first == self.ends.1 => {
                line_ends.0 += 1;
                Found::Record { content, next: content + 1, broken: None }
            }
            // A CR may be half of a line end that goes on in the next chunk.
            None | Some([] | [b'\r']) if !end => Found::More,
            None | Some([]) => Found::Record { content, next: content, broken: None },
            Some(behind) => match self.line_end(behind) {
                Some((at, length)) => Found::Record {
                    content: content + at,
                    next: content + at + length,
                    broken: Some(Broken::LineEnd),
                },
                None if end && behind.iter().all(|b| *b == 0x1A) => {
                    Found::Record { content, next: content, broken: None }
                }
                None if end => Found::Record {
                    content: rest.len(),
                    next: rest.len(),
                    broken: Some(Broken::LineEnd),
                },
                None => Found::More,
            },
        }
    }

    fn unseparated(&self, rest: &[u8], end: bool) -> Found {
        match self.extent(rest, end) {
            Some(content) => {
                // A file with line ends, read as if it had none, would shift from record to record without a sound.
                let record = rest.get(..content).unwrap_or_default();
                let shifted = !self.line_ends_are_data && self.line_end(record).is_some();
                Found::Record { content, next: content, broken: shifted.then_some(Broken::LineEnd) }
            }
            None if !end => Found::More,
            // Editors and transfers add a line end, DOS adds 1A.
            None if rest.iter().all(|b| matches!(b, b'\r' | b'\n' | 0x1A)) => {
                Found::End { next: rest.len() }
            }
            None => {
                Found::Record { content: rest.len(), next: rest.len(), broken: Some(Broken::Tail) }
            }
        }
    }

    /// Bytes of one record of the full length; `None` when there are not so many.
    fn extent(&self, rest: &[u8], end: bool) -> Option<usize> {
        if !self.characters {
            return (rest.len() >= self.length).then_some(self.length);
        }
        let mut step = self.encoding.char_step();
        let mut at = 0;
        for _ in 0..self.length {
            let more = rest.get(at..).filter(|r| !r.is_empty())?;
            at += step.len(more).max(1);
        }
        // The last character may go on in the next chunk.
        (end || at + self.encoding.max_bytes_per_char() <= rest.len()).then_some(at)
    }

    fn is_comment(&self, rest: &[u8]) -> bool {
        !self.comment.is_empty() && rest.starts_with(&self.comment)
    }
}

impl Frames {
    fn clear(&mut self) {
        self.starts.clear();
        self.ends.clear();
        self.nexts.clear();
        self.passed.clear();
        self.broken.clear();
        self.open = false;
        self.bytes = 0;
        self.line_ends = (0, 0);
    }

    fn push(&mut self, start: usize, end: usize, next: usize) {
        // Windows are cut below 4 GiB by the decoder.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.starts.push(place(start));
        self.ends.push(place(end));
        self.nexts.push(place(next));
        self.bytes += next.saturating_sub(start) as u64;
    }

    fn pass(&mut self, lines: u64) {
        match self.passed.last_mut() {
            Some((before, count)) if *before == self.starts.len() => *count += lines,
            _ => self.passed.push((self.starts.len(), lines)),
        }
    }

    /// Records of the block.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Lines passed over before a record of the block.
    pub(crate) fn passed_before(&self, row: usize) -> u64 {
        self.passed.iter().filter(|(at, _)| *at <= row).map(|(_, lines)| lines).sum()
    }

    /// The distance between records, when all of them have `length` bytes and follow each other evenly.
    pub(crate) fn stride(&self, length: usize) -> Option<usize> {
        let (first, next) = (*self.starts.first()? as usize, *self.nexts.first()? as usize);
        let stride = next.checked_sub(first)?;
        let length = u32::try_from(length).ok()?;
        let step = u32::try_from(stride).ok()?;
        let even = self.starts.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step));
        let full = self.starts.iter().zip(&self.ends).all(|(start, end)| end - start == length);
        (even && full && stride >= length as usize).then_some(stride)
    }
}

/// What comes before the first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prologue {
    /// Its length in bytes.
    pub(crate) end: usize,
    /// Lines in it.
    pub(crate) lines: u64,
    /// Where the line with the names stands.
    pub(crate) header: Option<(usize, usize)>,
}

/// The byte order mark, the lines to pass over and the line with the names; `None` while bytes are missing.
pub(crate) fn prologue(
    framer: &Framer,
    options: &FixedOptions,
    start: &[u8],
    end: bool,
) -> Option<Prologue> {
    let mark = framer.encoding.bom();
    let mut found = Prologue::default();
    if !mark.is_empty() {
        if start.len() < mark.len() && mark.starts_with(start) && !end {
            return None;
        }
        if start.starts_with(mark) {
            found.end = mark.len();
        }
    }
    let mut left = u64::from(options.skip_lines);
    let mut wants_names = options.header;
    while left > 0 || wants_names {
        let rest = start.get(found.end..)?;
        let (content, next, lines) = match framer.line_end(rest) {
            Some((at, length)) => (at, at + length, 1),
            None if end => (rest.len(), rest.len(), u64::from(!rest.is_empty())),
            None => return None,
        };
        if left > 0 {
            left -= 1;
        } else if (content > 0 && !framer.is_comment(rest)) || rest.is_empty() {
            found.header = Some((found.end, found.end + content));
            wants_names = false;
        }
        found.end += next;
        found.lines += lines;
        if rest.is_empty() && left == 0 {
            break;
        }
    }
    Some(found)
}
