//! Memo files: dBASE III and IV (`.dbt`), FoxPro (`.fpt`). Bytes to memos, no text.
//!
//! ```text
//! DBT III  512 bytes: 0-3 next block LE           entry: text, 1A (usually twice)
//! DBT IV   0-3 next block LE, 20-21 block size LE entry: FF FF 08 00, length LE (these 8 included), data
//! FPT      0-3 next block BE, 6-7 block size BE   entry: type BE, length BE, data
//! ```
//! Entries do not point to each other, so there is no chain to run in circles.

use std::sync::Arc;

use fenhe_core::{Fault, ReadAt, Result, read_exact_at};

use crate::error;
use crate::version::MemoKind;

/// Blocks in front of the first memo.
pub(crate) const HEADER: u64 = 512;

/// The end mark of dBASE III.
pub(crate) const END: u8 = 0x1A;

/// How much is read at once; memos are mostly short and stand in the order of the records.
const WINDOW: usize = 64 << 10;

/// An open memo file.
#[derive(Debug)]
pub struct MemoFile {
    kind: MemoKind,
    data: Arc<dyn ReadAt>,
    size: u64,
    block: u64,
    limit: u64,
    header: Vec<u8>,
    window: Vec<u8>,
    window_at: u64,
}

/// Why a memo cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoFault {
    /// The field is no block number.
    #[error("no block number")]
    Pointer,
    /// The block is in the header or behind the end of the file.
    #[error("a block outside the memo file")]
    Outside,
    /// The entry does not start as one must.
    #[error("a block that does not start a memo")]
    Entry,
    /// The memo would end behind the file.
    #[error("a length that reaches beyond the memo file")]
    Length,
    /// Longer than the limit.
    #[error("a memo longer than the limit")]
    Limit,
    /// No end mark up to the end of the file.
    #[error("no end mark up to the end of the memo file")]
    Endless,
}

impl MemoFault {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pointer => "dbf.memo_pointer",
            Self::Outside => "dbf.memo_outside",
            Self::Entry => "dbf.memo_entry",
            Self::Length => "dbf.memo_length",
            Self::Limit => "core.limit",
            Self::Endless => "dbf.memo_end",
        }
    }

    pub(crate) fn fault(self, field: &str) -> Fault {
        let expected = match self {
            Self::Pointer => "a block number or blanks",
            Self::Outside => "a block within the memo file",
            Self::Entry => "the start of a memo in that block",
            Self::Length => "a memo that ends within the memo file",
            Self::Limit => "a memo within the limit memo",
            Self::Endless => "the end mark 1A",
        };
        Fault::new(self.code(), field, expected, self.to_string())
    }
}

impl MemoFile {
    /// Opens a memo file; memos above `limit` bytes are refused.
    ///
    /// # Errors
    /// `dbf.memo_header` for a file shorter than its header or a block size of 0; errors of the place.
    pub fn open(kind: MemoKind, data: Arc<dyn ReadAt>, limit: u64) -> Result<Self> {
        let size = data.size();
        let header = read_exact_at(&*data, 0..size.min(HEADER), HEADER)?;
        let word = |at: usize| header.get(at..at + 2).and_then(|b| b.first_chunk::<2>()).copied();
        let block = match kind {
            MemoKind::Dbt3 => Some(512),
            MemoKind::Dbt4 => word(20).map(u16::from_le_bytes),
            MemoKind::Fpt => word(6).map(u16::from_be_bytes),
        };
        let block = match (block, kind) {
            (None, _) => {
                return Err(error::memo_header("the memo file is shorter than its header"));
            }
            (Some(0), MemoKind::Dbt4) => 512,
            (Some(0), _) => return Err(error::memo_header("the memo file has a block size of 0")),
            (Some(n), _) => u64::from(n),
        };
        let window = Vec::new();
        Ok(Self { kind, data, size, block, limit, header, window, window_at: 0 })
    }

    /// The layout.
    #[must_use]
    pub fn kind(&self) -> MemoKind {
        self.kind
    }

    /// Bytes of a block.
    #[must_use]
    pub fn block_size(&self) -> u64 {
        self.block
    }

    /// The first 512 bytes.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The memo of a block.
    ///
    /// # Errors
    /// The outer error is one of the place and ends the reading; the inner one is of this memo alone.
    pub fn read(&mut self, block: u32) -> Result<Result<&[u8], MemoFault>> {
        let at = u64::from(block).saturating_mul(self.block);
        if at < HEADER || at >= self.size {
            return Ok(Err(MemoFault::Outside));
        }
        match self.kind {
            MemoKind::Dbt3 => self.until_end_mark(at),
            MemoKind::Dbt4 | MemoKind::Fpt => match self.entry(at)? {
                Ok(length) => {
                    self.fill(at + 8, length)?;
                    Ok(self.peek(at + 8, length).ok_or(MemoFault::Length))
                }
                Err(fault) => Ok(Err(fault)),
            },
        }
    }

    /// Length of the data behind the 8 bytes of an entry.
    fn entry(&mut self, at: u64) -> Result<Result<usize, MemoFault>> {
        self.fill(at, 8)?;
        let Some(head) = self.peek(at, 8).and_then(|b| b.first_chunk::<8>()).copied() else {
            return Ok(Err(MemoFault::Length));
        };
        let [a, b, c, d, e, f, g, h] = head;
        let length = match self.kind {
            MemoKind::Fpt if u32::from_be_bytes([a, b, c, d]) > 2 => None,
            MemoKind::Fpt => Some(u32::from_be_bytes([e, f, g, h])),
            // The length counts its own 8 bytes; writers differ in the third and fourth byte of the mark.
            _ if (a, b) != (0xFF, 0xFF) => None,
            _ => u32::from_le_bytes([e, f, g, h]).checked_sub(8),
        };
        let Some(length) = length.map(u64::from) else { return Ok(Err(MemoFault::Entry)) };
        if at + 8 + length > self.size {
            return Ok(Err(MemoFault::Length));
        }
        if length > self.limit {
            return Ok(Err(MemoFault::Limit));
        }
        Ok(usize::try_from(length).map_err(|_| MemoFault::Limit))
    }

    fn until_end_mark(&mut self, at: u64) -> Result<Result<&[u8], MemoFault>> {
        let mut seen = 0usize;
        loop {
            let left = usize::try_from(self.size - at).unwrap_or(usize::MAX);
            let reach = (seen + 4096).min(left);
            self.fill(at, reach)?;
            let more = self.peek(at, reach).and_then(|b| b.get(seen..)).unwrap_or_default();
            if let Some(end) = more.iter().position(|b| *b == END) {
                return Ok(self.peek(at, seen + end).ok_or(MemoFault::Endless));
            }
            if reach as u64 > self.limit {
                return Ok(Err(MemoFault::Limit));
            }
            if reach == left {
                return Ok(Err(MemoFault::Endless));
            }
            seen = reach;
        }
    }

    /// Bytes that are in the window.
    fn peek(&self, at: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.window_at)?).ok()?;
        self.window.get(from..from.checked_add(length)?)
    }

    /// Makes sure that `length` bytes (checked against size and limit) are in the window.
    fn fill(&mut self, at: u64, length: usize) -> Result<()> {
        if self.peek(at, length).is_some() {
            return Ok(());
        }
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = length.max(WINDOW).min(left);
        self.window.clear();
        self.window.resize(wanted, 0);
        self.window_at = at;
        let mut done = 0;
        while let Some(rest) = self.window.get_mut(done..).filter(|r| !r.is_empty()) {
            match self.data.read_at(at + done as u64, rest)? {
                0 => break,
                n => done += n,
            }
        }
        self.window.truncate(done);
        Ok(())
    }
}

/// The block number of a memo field: ten digits, or four bytes in Visual FoxPro. `None`: no memo.
pub(crate) fn pointer(field: &[u8]) -> Result<Option<u32>, MemoFault> {
    let number = match field {
        [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
        digits => {
            let digits = digits.trim_ascii();
            if digits.iter().all(|b| *b == 0) {
                return Ok(None);
            }
            let number = fenhe_values::parse::uint(digits).map_err(|_| MemoFault::Pointer)?;
            u32::try_from(number).map_err(|_| MemoFault::Outside)?
        }
    };
    // Some writers leave four blanks in a field of four bytes.
    Ok(Some(number).filter(|n| *n != 0 && *n != u32::from_le_bytes(*b"    ")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn open(kind: MemoKind, bytes: Vec<u8>) -> Result<MemoFile> {
        MemoFile::open(kind, Arc::new(Bytes::from(bytes)), 1 << 20)
    }

    fn fpt(block: u16, entries: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 9, 0, 0];
        bytes.extend(block.to_be_bytes());
        bytes.resize(512, 0);
        bytes.extend(entries);
        bytes
    }

    #[test]
    fn an_fpt_entry_is_type_length_and_data() {
        // formats.md, section I: FPT entry 00000001 00000004 D6D0B9FA.
        let entry = [0, 0, 0, 1, 0, 0, 0, 4, 0xD6, 0xD0, 0xB9, 0xFA];
        let mut memo = open(MemoKind::Fpt, fpt(64, &entry)).unwrap();
        assert_eq!(memo.read(8).unwrap(), Ok(&b"\xD6\xD0\xB9\xFA"[..]));
        for (block, fault) in
            [(0, MemoFault::Outside), (9, MemoFault::Outside), (u32::MAX, MemoFault::Outside)]
        {
            assert_eq!(memo.read(block).unwrap(), Err(fault), "{block}");
        }
    }

    #[test]
    fn a_hostile_fpt_asks_for_nothing() {
        assert_eq!(open(MemoKind::Fpt, fpt(0, &[])).unwrap_err().code(), "dbf.memo_header");
        assert_eq!(open(MemoKind::Fpt, vec![0; 4]).unwrap_err().code(), "dbf.memo_header");
        let mut long =
            open(MemoKind::Fpt, fpt(64, &[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1])).unwrap();
        assert_eq!(long.read(8).unwrap(), Err(MemoFault::Length));
        let mut odd = open(MemoKind::Fpt, fpt(64, &[0, 0, 9, 1, 0, 0, 0, 0])).unwrap();
        assert_eq!(odd.read(8).unwrap(), Err(MemoFault::Entry));
        let mut big = fpt(64, &[0, 0, 0, 1, 0, 0x20, 0, 0]);
        big.resize(3 << 20, b'x');
        assert_eq!(open(MemoKind::Fpt, big).unwrap().read(8).unwrap(), Err(MemoFault::Limit));
    }

    #[test]
    fn a_memo_of_dbase_three_ends_at_its_mark() {
        let mut bytes = vec![0; 512];
        bytes.extend(b"first\x1a\x1a");
        bytes.resize(1024, 0);
        bytes.extend([b'x'; 5000]);
        bytes.push(END);
        bytes.extend(b"endless");
        let mut memo = open(MemoKind::Dbt3, bytes).unwrap();
        assert_eq!(memo.read(1).unwrap(), Ok(&b"first"[..]));
        assert_eq!(memo.read(2).unwrap().map(<[u8]>::len), Ok(5000));
        assert_eq!(memo.read(12).unwrap(), Err(MemoFault::Outside));
        assert_eq!(memo.read(11).unwrap().map(<[u8]>::len), Ok(392));
        let mut cut = vec![0; 512];
        cut.extend(b"no mark");
        assert_eq!(open(MemoKind::Dbt3, cut).unwrap().read(1).unwrap(), Err(MemoFault::Endless));
    }

    #[test]
    fn the_length_of_dbase_four_counts_its_own_eight_bytes() {
        let mut bytes = vec![0; 512];
        bytes[20..22].copy_from_slice(&512u16.to_le_bytes());
        bytes.extend(b"\xFF\xFF\x08\x00\x0C\x00\x00\x00memo\x1F\x1F");
        let mut memo = open(MemoKind::Dbt4, bytes.clone()).unwrap();
        assert_eq!(memo.read(1).unwrap(), Ok(&b"memo"[..]));
        bytes[516] = 7;
        assert_eq!(open(MemoKind::Dbt4, bytes).unwrap().read(1).unwrap(), Err(MemoFault::Entry));
    }

    #[test]
    fn a_memo_field_holds_digits_or_four_bytes() {
        for (field, expected) in [
            (&b"        12"[..], Ok(Some(12))),
            (b"0000000012", Ok(Some(12))),
            (b"          ", Ok(None)),
            (b"         0", Ok(None)),
            (&[12, 0, 0, 0], Ok(Some(12))),
            (&[0; 4], Ok(None)),
            (b"    ", Ok(None)),
            (b"       x12", Err(MemoFault::Pointer)),
            (b"9999999999", Err(MemoFault::Outside)),
        ] {
            assert_eq!(pointer(field), expected, "{field:?}");
        }
    }
}
