mod fields;

use std::mem::MaybeUninit;
use std::ops::Range;

use super::Validated;
use super::extend::{extend_from_window, extend_short, extend_step, widen};
use crate::table::{DoubleByteTable, Entry, SingleByteTable, entry_len};
pub use fields::EvenFields;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The top bits of bytes 0, 2, 4 and 6.
const LEAD_BITS: u64 = 0x0080_0080_0080_0080;

/// Three bytes of UTF-8, in an [`Entry`].
const LONG: Entry = 3;

/// A growable buffer whose content is always valid UTF-8.
///
/// Every way in either takes text that is valid already, or checks it, or writes characters of a table; so columns are
/// built from it without validating again. A `push` that fails leaves the buffer as it was, except
/// [`push_double_byte`](Self::push_double_byte) and [`push_single_byte`](Self::push_single_byte), which keep what stands
/// before the failure so that the caller can decide about one character and go on.
///
/// ```
/// use fenhe_kernels::Utf8Buf;
///
/// let mut text = Utf8Buf::default();
/// text.push_str("分");
/// text.push_ascii(b"/").unwrap();
/// assert_eq!(text.push_ascii("合".as_bytes()), Err(0));
/// text.push_utf8("合".as_bytes()).unwrap();
/// assert_eq!(text.as_str(), "分/合");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Utf8Buf {
    /// Invariant: valid UTF-8. Only this module appends to it.
    bytes: Vec<u8>,
}

impl Utf8Buf {
    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// An empty buffer that uses the memory of `recycled`, whose content is dropped.
    #[must_use]
    pub fn reusing(mut recycled: Vec<u8>) -> Self {
        recycled.clear();
        Self { bytes: recycled }
    }

    /// Length in bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds nothing.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes it can hold without growing.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for `additional` bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        debug_assert!(std::str::from_utf8(&self.bytes).is_ok());
        // SAFETY: the invariant of the type.
        unsafe { std::str::from_utf8_unchecked(&self.bytes) }
    }

    /// The text as bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The buffer itself, for [`Pool::freeze`](crate::Pool::freeze).
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Empties it and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Takes everything from byte `len` on away. Returns false, and does nothing, if `len` is inside a character;
    /// a `len` beyond the end changes nothing.
    #[inline]
    #[must_use = "false: nothing was truncated"]
    pub fn truncate(&mut self, len: usize) -> bool {
        let between = self.is_boundary(len);
        if between {
            self.bytes.truncate(len);
        }
        between
    }

    /// Whether a character starts or the text ends at byte `at`, or `at` is beyond the end.
    #[inline]
    #[must_use]
    pub fn is_boundary(&self, at: usize) -> bool {
        // 10xxxxxx is a continuation byte.
        self.bytes.get(at).is_none_or(|byte| byte & 0xC0 != 0x80)
    }

    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        extend_short(&mut self.bytes, text.as_bytes());
    }

    /// Appends a character.
    #[inline]
    pub fn push_char(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Appends bytes that must be ASCII.
    ///
    /// # Errors
    /// The position in `source` of the first byte above 0x7F; nothing is appended.
    #[inline]
    pub fn push_ascii(&mut self, source: &[u8]) -> Result<(), usize> {
        if source.len() <= 16 {
            let step = widen(source);
            if non_ascii(&step, source.len()) {
                return Err(first_non_ascii(source));
            }
            extend_step(&mut self.bytes, &step, source.len());
            return Ok(());
        }
        self.push_long_ascii(source)
    }

    /// Appends `window[range]`, which must be ASCII. With at least 16 bytes of window from the start of the range on
    /// (see [`PaddedBytes`](crate::PaddedBytes)) this is quicker than [`push_ascii`](Self::push_ascii).
    ///
    /// # Errors
    /// The position within the range of the first byte above 0x7F; nothing is appended.
    ///
    /// # Panics
    /// If the range is not within the window.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a documented panic")]
    pub fn push_ascii_in(&mut self, window: &[u8], range: Range<usize>) -> Result<(), usize> {
        let piece = &window[range.clone()];
        match window[range.start..].first_chunk::<16>() {
            Some(step) if piece.len() <= 16 => {
                if non_ascii(step, piece.len()) {
                    return Err(first_non_ascii(piece));
                }
                extend_step(&mut self.bytes, step, piece.len());
                Ok(())
            }
            _ => self.push_ascii(piece),
        }
    }

    /// Appends bytes that must be valid UTF-8 by themselves.
    ///
    /// # Errors
    /// The position in `source` of the first byte that is not part of valid UTF-8; nothing is appended.
    #[inline]
    pub fn push_utf8(&mut self, source: &[u8]) -> Result<(), usize> {
        if source.len() <= 16 {
            let step = widen(source);
            if !non_ascii(&step, source.len()) {
                extend_step(&mut self.bytes, &step, source.len());
                return Ok(());
            }
        }
        self.push_str(Validated::check(source)?.as_str());
        Ok(())
    }

    /// Appends a part of a window that was checked before.
    ///
    /// # Errors
    /// If an end of the range is inside a character or outside the window: that end. Nothing is appended.
    #[inline(always)]
    pub fn push_validated(
        &mut self,
        window: Validated<'_>,
        range: Range<usize>,
    ) -> Result<(), usize> {
        if window.slice(range.clone()).is_none() {
            return Err(bad_end(window, range));
        }
        extend_from_window(&mut self.bytes, window.as_bytes(), range.start, range.end);
        Ok(())
    }

    /// Appends bytes of a one-byte code page.
    ///
    /// # Errors
    /// The position in `source` of the first byte the table does not hold; everything before it is appended.
    #[inline]
    pub fn push_single_byte(
        &mut self,
        source: &[u8],
        table: &SingleByteTable,
    ) -> Result<(), usize> {
        let (read, written) = single_byte(source, table, self.room(source.len()));
        self.keep(written);
        if read == source.len() { Ok(()) } else { Err(read) }
    }

    /// Appends bytes of a two-byte code page (ASCII below 0x80).
    ///
    /// # Errors
    /// The position in `source` of the first sequence the table does not hold; everything before it is appended.
    #[inline]
    pub fn push_double_byte(
        &mut self,
        source: &[u8],
        table: &DoubleByteTable,
    ) -> Result<(), usize> {
        if self.push_short_ascii(source) {
            return Ok(());
        }
        let (read, written) = double_byte(source, table, self.room(source.len()));
        self.keep(written);
        if read == source.len() { Ok(()) } else { Err(read) }
    }

    /// Appends up to 32 bytes of ASCII: codes and numbers, which columns of text hold in every encoding. False, and nothing
    /// is appended, if it is anything else.
    #[inline(always)]
    fn push_short_ascii(&mut self, source: &[u8]) -> bool {
        if !source.first().is_some_and(u8::is_ascii) {
            return false;
        }
        let (head, tail) = match source.split_first_chunk::<16>() {
            Some((head, tail)) if tail.len() <= 16 && !non_ascii(head, 16) => (Some(head), tail),
            Some(_) => return false,
            None => (None, source),
        };
        let step = widen(tail);
        if non_ascii(&step, tail.len()) {
            return false;
        }
        if let Some(head) = head {
            extend_step(&mut self.bytes, head, 16);
        }
        extend_step(&mut self.bytes, &step, tail.len());
        true
    }

    /// Room for the characters of `len` bytes of a code page, and for one write of 16 bytes behind them.
    #[inline(always)]
    fn room(&mut self, len: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.reserve(len.saturating_mul(3).saturating_add(16));
        self.bytes.spare_capacity_mut()
    }

    /// Takes the first `written` bytes of the spare room in. Called only with what [`single_byte`] and
    /// [`double_byte`] return for that room.
    #[inline(always)]
    fn keep(&mut self, written: usize) {
        assert!(written <= self.bytes.capacity() - self.bytes.len());
        let end = self.bytes.len() + written;
        // SAFETY: the bytes are within the capacity (checked above) and initialised: the two functions advance `written`
        // by no more than they have just stored at that place, without gaps. They store ASCII bytes and whole characters
        // of a table (see `Entry`), so the buffer stays valid UTF-8.
        unsafe { self.bytes.set_len(end) };
    }

    #[inline(never)]
    fn push_long_ascii(&mut self, source: &[u8]) -> Result<(), usize> {
        if !source.is_ascii() {
            return Err(first_non_ascii(source));
        }
        self.bytes.extend_from_slice(source);
        Ok(())
    }
}

impl AsRef<str> for Utf8Buf {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Write for Utf8Buf {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

/// Whether one of the first `len` (at most 16) bytes is above 0x7F.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 16")]
fn non_ascii(step: &[u8; 16], len: usize) -> bool {
    let high = u128::from_le_bytes(*step) & (u128::from(HIGH_BITS) << 64 | u128::from(HIGH_BITS));
    // The first high byte must lie behind the piece.
    high.trailing_zeros() / 8 < len as u32
}

#[cold]
fn first_non_ascii(source: &[u8]) -> usize {
    source.iter().position(|byte| !byte.is_ascii()).unwrap_or(source.len())
}

#[cold]
fn bad_end(window: Validated<'_>, range: Range<usize>) -> usize {
    if window.as_str().is_char_boundary(range.start) { range.end } else { range.start }
}

/// Writes the characters of `source` to `room` and returns the bytes read and written. Stops at the first byte that the
/// table does not hold, or if the room ends.
#[inline]
fn single_byte(
    source: &[u8],
    table: &SingleByteTable,
    room: &mut [MaybeUninit<u8>],
) -> (usize, usize) {
    let mut written = 0;
    for (read, byte) in source.iter().enumerate() {
        let entry = table.entry(*byte);
        if entry == 0 || !put(room, written, entry.to_le_bytes()) {
            return (read, written);
        }
        written += entry_len(entry);
    }
    (source.len(), written)
}

/// Like [`single_byte`], for two-byte code pages: eight bytes at a time where they are ASCII or four pairs.
#[inline]
#[expect(clippy::indexing_slicing, reason = "what was read is never more than the source")]
fn double_byte(
    source: &[u8],
    table: &DoubleByteTable,
    room: &mut [MaybeUninit<u8>],
) -> (usize, usize) {
    let (mut read, mut written) = (0, 0);
    while let Some(eight) = source.get(read..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        if word & LEAD_BITS == LEAD_BITS {
            // Written out: `map` over an array is a call here.
            let [a, b, c, d, e, f, g, h] = *eight;
            let pairs = [table.pair(a, b), table.pair(c, d), table.pair(e, f), table.pair(g, h)];
            if all_long(pairs) && put(room, written, twelve(pairs)) {
                (read, written) = (read + 8, written + 12);
                continue;
            }
        }
        let ascii = ((word & HIGH_BITS).trailing_zeros() / 8) as usize;
        if ascii > 0 {
            // Eight bytes are stored, those before the first that is not ASCII count.
            if !put(room, written, *eight) {
                return (read, written);
            }
            (read, written) = (read + ascii, written + ascii);
            if ascii == 8 {
                continue;
            }
        }
        let (entry, taken) = character(&source[read..], table);
        if entry == 0 || !put(room, written, entry.to_le_bytes()) {
            return (read, written);
        }
        (read, written) = (read + taken, written + entry_len(entry));
    }
    let tail = &source[read..];
    if tail.first().is_some_and(u8::is_ascii) {
        let [a, b, c, d, e, f, g, h, ..] = widen(tail);
        let eight = [a, b, c, d, e, f, g, h];
        let high = u64::from_le_bytes(eight) & HIGH_BITS;
        // The bytes behind the tail say nothing.
        let ascii = ((high.trailing_zeros() / 8) as usize).min(tail.len());
        if put(room, written, eight) {
            (read, written) = (read + ascii, written + ascii);
        }
    }
    while read < source.len() {
        let (entry, taken) = character(&source[read..], table);
        if entry == 0 || !put(room, written, entry.to_le_bytes()) {
            break;
        }
        (read, written) = (read + taken, written + entry_len(entry));
    }
    (read, written)
}

/// The first character and the bytes it takes; 0 if the table does not hold it.
#[inline(always)]
fn character(rest: &[u8], table: &DoubleByteTable) -> (Entry, usize) {
    match *rest {
        [ascii @ 0..0x80, ..] => (Entry::from(ascii) | 1 << 24, 1),
        [lead, trail, ..] => match table.pair(lead, trail) {
            0 => (table.single(lead), 1),
            pair => (pair, 2),
        },
        [single] => (table.single(single), 1),
        [] => (0, 0),
    }
}

/// Four entries of three bytes without the gaps between them, and four bytes that do not count.
#[inline(always)]
fn twelve(pairs: [Entry; 4]) -> [u8; 16] {
    let [a, b, c, d] = pairs;
    let three = |entry: Entry| u128::from(entry & 0x00FF_FFFF);
    (three(a) | three(b) << 24 | three(c) << 48 | three(d) << 72).to_le_bytes()
}

/// Whether all of them are characters of three bytes.
#[inline(always)]
fn all_long([a, b, c, d]: [Entry; 4]) -> bool {
    let other = |entry: Entry| entry ^ LONG << 24;
    (other(a) | other(b) | other(c) | other(d)) >> 24 == 0
}

/// Stores bytes at `at`; false if there is no room.
#[inline(always)]
fn put<const N: usize>(room: &mut [MaybeUninit<u8>], at: usize, bytes: [u8; N]) -> bool {
    let Some(slot) = room.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) else {
        return false;
    };
    slot.write_copy_of_slice(&bytes);
    true
}

#[cfg(test)]
mod tests;
