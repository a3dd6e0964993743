//! The records of a binary part (MS-XLSB 2.1.4), one by one from the inflated windows.

use fenhe_core::{Limits, Result};

use crate::container::{Part, u32_at};
use crate::error::{damaged, limit, truncated};

/// The records of one part. A record is held whole; its size is bounded before it is gathered.
pub(super) struct Records {
    stream: Part,
    part: String,
    bytes: Vec<u8>,
    at: usize,
    /// Offset of the held bytes in the part.
    base: u64,
    most: u64,
}

/// One record.
pub(super) struct Record<'a> {
    pub(super) number: u16,
    pub(super) body: &'a [u8],
    pub(super) offset: u64,
    /// Its bytes with the head.
    pub(super) length: u64,
}

impl Records {
    pub(super) fn new(stream: Part, limits: &Limits) -> Self {
        let part = stream.name().to_owned();
        Self { stream, part, bytes: Vec::new(), at: 0, base: 0, most: limits.record }
    }

    /// Name of the part.
    pub(super) fn part(&self) -> &str {
        &self.part
    }

    /// Where the next record starts.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The next record; `None` at the end of the part.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        let (number, head, length) = loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            match head(rest) {
                Some((number, head, length)) if rest.len() >= head + length => {
                    break (number, head, length);
                }
                Some((_, _, length)) if length as u64 > self.most => {
                    let error = limit("record", self.most, length as u64, &self.part);
                    return Err(error.at_offset(self.offset()));
                }
                _ => {}
            }
            if !self.more()? {
                if self.at == self.bytes.len() {
                    return Ok(None);
                }
                return Err(truncated(&self.part, self.offset()));
            }
        };
        let offset = self.offset();
        let from = self.at + head;
        self.at = from + length;
        let body = self.bytes.get(from..self.at).unwrap_or_default();
        Ok(Some(Record { number, body, offset, length: (head + length) as u64 }))
    }

    /// Reads what is left, for the check sum of the part.
    pub(super) fn drain(&mut self) -> Result<()> {
        while self.next()?.is_some() {}
        Ok(())
    }

    fn more(&mut self) -> Result<bool> {
        self.bytes.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        Ok(self.stream.read(&mut self.bytes)? > 0)
    }
}

/// Number of the record, bytes of its head and of its body; `None` when the head is not all there. The number has one or two
/// bytes, the size one to four, of seven bits each.
#[inline]
fn head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let first = *bytes.first()?;
    let (number, mut at) = match first & 0x80 {
        0 => (u16::from(first), 1),
        _ => (u16::from(first & 0x7F) | u16::from(*bytes.get(1)? & 0x7F) << 7, 2),
    };
    let mut size = 0_usize;
    for shift in [0, 7, 14, 21] {
        let byte = *bytes.get(at)?;
        at += 1;
        size |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((number, at, size))
}

/// A wide string (2.5.168) at `at`, and where it ends. `None`: it is longer than the record.
pub(super) fn wide(body: &[u8], at: usize) -> Option<(Wide<'_>, usize)> {
    let length = usize::try_from(u32_at(body.get(at..)?.get(..4)?, 0)).ok()?;
    let end = at.checked_add(4)?.checked_add(length.checked_mul(2)?)?;
    Some((Wide(body.get(at + 4..end)?), end))
}

/// A wide string that may be null (2.5.169): no text then.
pub(super) fn wide_or_null(body: &[u8], at: usize) -> Option<(Option<Wide<'_>>, usize)> {
    if u32_at(body.get(at..)?.get(..4)?, 0) == u32::MAX {
        return Some((None, at + 4));
    }
    wide(body, at).map(|(text, end)| (Some(text), end))
}

/// UTF-16, little-endian.
#[derive(Clone, Copy)]
pub(super) struct Wide<'a>(&'a [u8]);

impl Wide<'_> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Appends the text; `false`, with nothing appended, when half a character stands in it.
    #[inline]
    pub(super) fn push_to(self, out: &mut String) -> bool {
        let before = out.len();
        let units = self.0.chunks_exact(2).filter_map(<[u8]>::first_chunk);
        for character in char::decode_utf16(units.map(|unit| u16::from_le_bytes(*unit))) {
            match character {
                Ok(character) => out.push(character),
                Err(_) => {
                    out.truncate(before);
                    return false;
                }
            }
        }
        true
    }

    /// A name or code of the part: half a character is a fault of the part.
    pub(super) fn name(self, part: &str, offset: u64) -> Result<String> {
        let mut text = String::new();
        if self.push_to(&mut text) {
            return Ok(text);
        }
        Err(damaged(part, "a name is no UTF-16", offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_those_of_the_specification() {
        // 2.1.4: BrtBeginSheet is 129 (81 01), BrtRowHdr is 0; sizes go on while the high bit is set.
        assert_eq!(head(&[0x81, 0x01, 0x00]), Some((129, 3, 0)));
        assert_eq!(head(&[0x00, 0x19]), Some((0, 2, 25)));
        assert_eq!(head(&[0x13, 0x80, 0x01]), Some((19, 3, 128)));
        assert_eq!(head(&[0x13, 0xFF, 0xFF, 0xFF, 0xFF]), Some((19, 5, (1 << 28) - 1)));
        assert_eq!(head(&[0x13, 0xFF, 0xFF]), None);
        assert_eq!(head(&[0x81]), None);
    }
}
