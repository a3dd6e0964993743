//! The part of the document that is in memory: as UTF-8, with the way back to the bytes of the source.

use std::borrow::Cow;

use fenhe_text::{Encoding, Utf8Buf};
use memchr::memmem;

/// Bytes decoded between two places whose offset in the source is noted.
const BLOCK: usize = 4 << 10;

/// Text whose end moves on with the input and whose start follows what was read.
#[derive(Debug)]
pub(crate) struct Window {
    encoding: Encoding,
    text: Utf8Buf,
    spare: Utf8Buf,
    /// Bytes of an unfinished character (UTF-8), or all bytes of the text and behind it (other encodings).
    source: Vec<u8>,
    /// Other encodings: bytes of `source` that are decoded.
    decoded: usize,
    /// Other encodings: places of the text and of `source` that belong together.
    marks: Vec<(usize, usize)>,
    bad: Vec<Broken>,
    /// Where the last of the characters stands that are valid UTF-8 and still not allowed (U+FFFE, U+FFFF).
    forbidden: Option<usize>,
    /// Offset of the text's first byte in the source.
    base: u64,
    place: Place,
}

/// Line and column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// Bytes that are no character; U+FFFD stands for them in the text.
#[derive(Debug)]
struct Broken {
    at: usize,
    bytes: Vec<u8>,
}

impl Window {
    /// An empty window whose first byte will be byte `base` of the source.
    pub(crate) fn new(encoding: Encoding, base: u64, place: Place) -> Self {
        Self {
            encoding,
            text: Utf8Buf::default(),
            spare: Utf8Buf::default(),
            source: Vec::new(),
            decoded: 0,
            marks: vec![(0, 0)],
            bad: Vec::new(),
            forbidden: None,
            base,
            place,
        }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn as_str(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// For values that are not spelled out in the document: appended for a while, behind the text.
    pub(crate) fn with_scratch<T>(&mut self, scratch: &str, read: impl FnOnce(&str) -> T) -> T {
        let len = self.text.len();
        self.text.push_str(scratch);
        let result = read(self.text.as_str());
        let _ = self.text.truncate(len);
        result
    }

    /// Takes the next bytes; `last`: no more come.
    pub(crate) fn push(&mut self, bytes: &[u8], last: bool) {
        let before = self.text.len();
        if self.is_utf8() {
            self.push_utf8(bytes, last);
        } else {
            self.push_other(bytes, last);
        }
        let text = self.text.as_bytes();
        // Forwards: the search backwards has no vector code.
        let found = memmem::find_iter(text.get(before..).unwrap_or_default(), b"\xEF\xBF")
            .map(|at| before + at)
            .filter(|at| matches!(text.get(at + 2), Some(0xBE | 0xBF)))
            .last();
        self.forbidden = found.or(self.forbidden);
    }

    /// Drops the text before `at`.
    pub(crate) fn discard(&mut self, at: usize) {
        if at == 0 {
            return;
        }
        let (place, base) = (self.place_of(at), self.offset(at));
        if !self.is_utf8() {
            let cut = usize::try_from(base - self.base).unwrap_or(0);
            self.source.drain(..cut.min(self.source.len()));
            self.decoded = self.decoded.saturating_sub(cut);
            self.marks.retain(|(text, _)| *text > at);
            for mark in &mut self.marks {
                *mark = (mark.0 - at, mark.1 - cut);
            }
            self.marks.insert(0, (0, 0));
        }
        self.forbidden = self.forbidden.and_then(|place| place.checked_sub(at));
        self.bad.retain(|broken| broken.at >= at);
        for broken in &mut self.bad {
            broken.at -= at;
        }
        self.spare.clear();
        self.spare.push_str(self.text.as_str().get(at..).unwrap_or_default());
        std::mem::swap(&mut self.text, &mut self.spare);
        (self.place, self.base) = (place, base);
    }

    /// Offset in the source of byte `at` of the text.
    pub(crate) fn offset(&self, at: usize) -> u64 {
        if self.is_utf8() {
            let before = || self.bad.iter().take_while(|broken| broken.at < at);
            let replaced: usize = before().map(|broken| broken.bytes.len()).sum();
            let replacements = before().count() * char::REPLACEMENT_CHARACTER.len_utf8();
            return (self.base + (at + replaced) as u64).saturating_sub(replacements as u64);
        }
        self.base + self.source_of(at) as u64
    }

    /// Line and column of byte `at` of the text.
    pub(crate) fn place_of(&self, at: usize) -> Place {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let from = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
        let chars =
            before.get(from..).unwrap_or_default().iter().filter(|b| *b & 0xC0 != 0x80).count();
        let column = if lines == 0 { self.place.column } else { 1 };
        Place { line: self.place.line + lines, column: column + chars as u64 }
    }

    /// The bytes of the source that a part of the text was read from.
    pub(crate) fn raw(&self, from: usize, to: usize) -> Cow<'_, [u8]> {
        if !self.is_utf8() {
            let (from, to) = (self.source_of(from), self.source_of(to));
            return Cow::Borrowed(self.source.get(from..to).unwrap_or_default());
        }
        let text = self.text.as_bytes();
        if !self.broken(from, to) {
            return Cow::Borrowed(text.get(from..to).unwrap_or_default());
        }
        let (mut raw, mut at) = (Vec::new(), from);
        for broken in self.bad.iter().filter(|broken| (from..to).contains(&broken.at)) {
            raw.extend_from_slice(text.get(at..broken.at).unwrap_or_default());
            raw.extend_from_slice(&broken.bytes);
            at = broken.at + char::REPLACEMENT_CHARACTER.len_utf8();
        }
        raw.extend_from_slice(text.get(at..to).unwrap_or_default());
        Cow::Owned(raw)
    }

    /// Whether bytes that are no character stand there.
    pub(crate) fn broken(&self, from: usize, to: usize) -> bool {
        self.bad.iter().any(|broken| (from..to).contains(&broken.at))
    }

    /// Where the first of them stands.
    pub(crate) fn first_broken(&self, from: usize, to: usize) -> Option<usize> {
        self.bad.iter().map(|broken| broken.at).find(|at| (from..to).contains(at))
    }

    /// Whether there are any, or characters that no document may hold: then records have to be read with care.
    pub(crate) fn is_suspect(&self) -> bool {
        !self.bad.is_empty() || self.forbidden.is_some()
    }

    fn is_utf8(&self) -> bool {
        self.encoding == Encoding::UTF_8
    }

    fn push_utf8(&mut self, mut bytes: &[u8], last: bool) {
        while !self.source.is_empty() && !bytes.is_empty() {
            let (first, rest) = bytes.split_at(1);
            self.source.extend_from_slice(first);
            bytes = rest;
            let held = std::mem::take(&mut self.source);
            let whole = self.text.push_utf8(&held).is_ok();
            if !whole && unfinished(&held) == held.len() {
                self.source = held;
            } else if !whole {
                self.push_broken_utf8(&held);
            }
        }
        let tail = if last { 0 } else { unfinished(bytes) };
        let (now, later) = bytes.split_at(bytes.len() - tail);
        if self.text.push_utf8(now).is_err() {
            self.push_broken_utf8(now);
        }
        self.source.extend_from_slice(later);
        if last && !self.source.is_empty() {
            let held = std::mem::take(&mut self.source);
            self.push_broken_utf8(&held);
        }
    }

    #[cold]
    fn push_broken_utf8(&mut self, bytes: &[u8]) {
        for piece in bytes.utf8_chunks() {
            self.text.push_str(piece.valid());
            if !piece.invalid().is_empty() {
                self.push_bad(piece.invalid().to_vec());
            }
        }
    }

    fn push_bad(&mut self, bytes: Vec<u8>) {
        self.bad.push(Broken { at: self.text.len(), bytes });
        self.text.push_char(char::REPLACEMENT_CHARACTER);
    }

    fn push_other(&mut self, bytes: &[u8], last: bool) {
        self.source.extend_from_slice(bytes);
        loop {
            let source = std::mem::take(&mut self.source);
            let rest = source.get(self.decoded..).unwrap_or_default();
            let block = rest.get(..BLOCK).unwrap_or(rest);
            let held = if last && block.len() == rest.len() {
                0
            } else {
                self.encoding.incomplete_tail(block)
            };
            let block = block.get(..block.len() - held.min(block.len())).unwrap_or_default();
            let done = block.is_empty();
            self.push_block(block);
            self.source = source;
            if done {
                return;
            }
        }
    }

    fn push_block(&mut self, mut block: &[u8]) {
        use fenhe_text::Invalid::Reject;
        while !block.is_empty() {
            self.marks.push((self.text.len(), self.decoded));
            let Err(bad) = self.encoding.decode_into(block, Reject, &mut self.text) else {
                self.decoded += block.len();
                return;
            };
            let good = block.get(..bad.at).unwrap_or_default();
            if self.encoding.decode_into(good, Reject, &mut self.text).is_err() {
                // What stands before the first bad byte is good.
                self.push_bad(good.to_vec());
            }
            self.decoded += good.len();
            self.marks.push((self.text.len(), self.decoded));
            let len = bad.len.clamp(1, block.len() - good.len());
            self.push_bad(block.get(good.len()..good.len() + len).unwrap_or_default().to_vec());
            self.decoded += len;
            block = block.get(good.len() + len..).unwrap_or_default();
        }
    }

    /// Byte of `source` that byte `at` of the text was read from.
    fn source_of(&self, at: usize) -> usize {
        let n = self.marks.partition_point(|(text, _)| *text <= at);
        let Some((mut text, mut source)) =
            n.checked_sub(1).and_then(|n| self.marks.get(n)).copied()
        else {
            return 0;
        };
        while text < at && source < self.decoded {
            let rest = self.source.get(source..).unwrap_or_default();
            let len = self.encoding.lead_len(rest).clamp(1, rest.len());
            let piece = rest.get(..len).unwrap_or_default();
            text += self
                .encoding
                .decode(piece)
                .map_or(char::REPLACEMENT_CHARACTER.len_utf8(), |t| t.len());
            source += len;
        }
        source
    }
}

impl Place {
    /// The start of a document.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// Bytes at the end that may be the start of a UTF-8 character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.get(bytes.len().saturating_sub(3)..).unwrap_or_default();
    let last = tail.utf8_chunks().last();
    let Some(cut) = last.map(|piece| piece.invalid()).filter(|cut| !cut.is_empty()) else {
        return 0;
    };
    // A lead byte with too few bytes behind it, all of them good so far.
    match std::str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => cut.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: Encoding, bytes: &[u8], chunk: usize) -> Window {
        let mut window = Window::new(encoding, 10, Place::START);
        for piece in bytes.chunks(chunk) {
            window.push(piece, false);
        }
        window.push(b"", true);
        window
    }

    #[test]
    fn text_and_offsets_do_not_depend_on_the_chunks() {
        let cases: [(Encoding, &[u8]); 5] = [
            (Encoding::UTF_8, "a中𠀀\nb".as_bytes()),
            (Encoding::UTF_8, b"a\xE4\xB8b\xFFc\xF0\x9F"),
            (Encoding::GB18030, b"a\xD6\xD0\x82\x35\xF4\x37\nb\xFF\xD6"),
            (Encoding::UTF_16LE, b"a\0\x2D\x4E\x40\xD8\x00\xDC\n\0b\0"),
            (Encoding::BIG5, b"\xA4\xA4a"),
        ];
        for (encoding, bytes) in cases {
            let whole = read(encoding, bytes, 100);
            for chunk in 1..5 {
                let cut = read(encoding, bytes, chunk);
                assert_eq!(cut.as_str(), whole.as_str(), "{encoding} in {chunk}");
                for (at, _) in whole.as_str().char_indices().chain([(whole.len(), ' ')]) {
                    assert_eq!(cut.offset(at), whole.offset(at), "{encoding} in {chunk} at {at}");
                    assert_eq!(cut.raw(0, at).len() as u64 + 10, whole.offset(at));
                }
            }
            assert_eq!(whole.raw(0, whole.len()), bytes, "{encoding}");
        }
    }

    #[test]
    fn what_is_discarded_moves_offset_and_place_on() {
        for (encoding, bytes) in [
            (Encoding::UTF_8, "一二\n三四五".as_bytes().to_vec()),
            (Encoding::GBK, Encoding::GBK.encode("一二\n三四五").unwrap()),
        ] {
            let mut window = read(encoding, &bytes, 3);
            let end = window.offset(window.len());
            window.discard(10);
            assert_eq!(window.as_str(), "四五");
            assert_eq!(window.place_of(3), Place { line: 2, column: 3 });
            assert_eq!(window.offset(6), end);
            window.discard(6);
            assert_eq!((window.len(), window.offset(0)), (0, end));
        }
    }
}
