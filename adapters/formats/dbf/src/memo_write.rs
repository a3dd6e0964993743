//! Memo files, written: one entry after the other, never in between.

use bytes::{Bytes, BytesMut};
use fenhe_core::{CompanionBytes, Patch};

use crate::memo::{END, HEADER};
use crate::version::MemoKind;

/// What an entry of an FPT file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Picture = 0,
    Text = 1,
    Object = 2,
}

/// Appends memos.
#[derive(Debug)]
pub(crate) struct MemoWriter {
    kind: MemoKind,
    extension: String,
    block: u64,
    /// Fill up the last block of the file.
    filled: bool,
    /// Bytes given out or waiting, without the padding that is due.
    length: u64,
    due: usize,
    out: BytesMut,
}

impl MemoWriter {
    /// A file whose header starts with `header` (empty: a fresh one).
    pub(crate) fn new(kind: MemoKind, block: u16, header: &[u8], filled: bool) -> Self {
        let stored = match kind {
            MemoKind::Dbt3 => None,
            MemoKind::Dbt4 => {
                header.get(20..22).and_then(|b| b.first_chunk()).map(|b| u16::from_le_bytes(*b))
            }
            MemoKind::Fpt => {
                header.get(6..8).and_then(|b| b.first_chunk()).map(|b| u16::from_be_bytes(*b))
            }
        };
        let block = match (kind, stored) {
            (MemoKind::Dbt3, _) => 512,
            (_, Some(n)) if n > 0 => n,
            _ => block.max(1),
        };
        let length = if kind == MemoKind::Dbt4 { HEADER.max(block.into()) } else { HEADER };
        let mut out = BytesMut::from(header);
        out.resize(usize::try_from(length).unwrap_or(512), 0);
        let size = match kind {
            MemoKind::Dbt3 => None,
            MemoKind::Dbt4 => out.get_mut(20..22).map(|to| (to, block.to_le_bytes())),
            MemoKind::Fpt => out.get_mut(6..8).map(|to| (to, block.to_be_bytes())),
        };
        if let Some((to, bytes)) = size {
            to.copy_from_slice(&bytes);
        }
        let extension = kind.extension().to_owned();
        let mut writer = Self { kind, extension, block: block.into(), filled, length, due: 0, out };
        writer.fill_up();
        writer
    }

    /// Whether the layout can hold this memo.
    pub(crate) fn holds(&self, data: &[u8]) -> bool {
        self.kind != MemoKind::Dbt3 || !data.contains(&END)
    }

    /// Appends a memo; returns its block.
    pub(crate) fn append(&mut self, data: &[u8], kind: EntryKind) -> Option<u32> {
        let block = u32::try_from((self.length + self.due as u64) / self.block).ok()?;
        self.flush_padding();
        let before = self.out.len();
        let length = u32::try_from(data.len()).ok()?;
        match self.kind {
            MemoKind::Dbt3 => {}
            MemoKind::Dbt4 => {
                self.out.extend_from_slice(&[0xFF, 0xFF, 0x08, 0x00]);
                self.out.extend_from_slice(&length.checked_add(8)?.to_le_bytes());
            }
            MemoKind::Fpt => {
                self.out.extend_from_slice(&(kind as u32).to_be_bytes());
                self.out.extend_from_slice(&length.to_be_bytes());
            }
        }
        self.out.extend_from_slice(data);
        if self.kind == MemoKind::Dbt3 {
            self.out.extend_from_slice(&[END, END]);
        }
        self.length += (self.out.len() - before) as u64;
        self.fill_up();
        Some(block)
    }

    /// Bytes since the last call.
    pub(crate) fn take(&mut self) -> Option<CompanionBytes> {
        let bytes: Bytes = self.out.split().freeze();
        (!bytes.is_empty()).then(|| CompanionBytes { extension: self.extension.clone(), bytes })
    }

    /// Ends the file: the padding that is due, and the number of the next free block.
    pub(crate) fn finish(&mut self) -> Option<Patch> {
        let end = self.length + self.due as u64;
        if self.filled {
            self.flush_padding();
        }
        let next = u32::try_from(end / self.block).ok()?;
        let bytes = match self.kind {
            MemoKind::Fpt => next.to_be_bytes(),
            MemoKind::Dbt3 | MemoKind::Dbt4 => next.to_le_bytes(),
        };
        let companion = Some(self.extension.clone());
        Some(Patch { companion, offset: 0, bytes: Bytes::copy_from_slice(&bytes) })
    }

    fn fill_up(&mut self) {
        let over = self.length % self.block;
        self.due = if over == 0 { 0 } else { usize::try_from(self.block - over).unwrap_or(0) };
    }

    fn flush_padding(&mut self) {
        self.out.resize(self.out.len() + self.due, 0);
        self.length += self.due as u64;
        self.due = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memo::MemoFile;

    #[test]
    fn what_is_written_is_read_again() {
        for (kind, block) in
            [(MemoKind::Dbt3, 512), (MemoKind::Dbt4, 1024), (MemoKind::Fpt, 64), (MemoKind::Fpt, 1)]
        {
            let mut writer = MemoWriter::new(kind, block, &[], true);
            let long = vec![b'x'; 3000];
            let memos: [&[u8]; 4] = [b"one", b"", &long, "两".as_bytes()];
            let blocks: Vec<_> =
                memos.iter().map(|m| writer.append(m, EntryKind::Text).unwrap()).collect();
            let patch = writer.finish().unwrap();
            let mut bytes = writer.take().unwrap().bytes.to_vec();
            bytes[..4].copy_from_slice(&patch.bytes);
            assert!(bytes.len().is_multiple_of(usize::from(block)));
            let mut file = MemoFile::open(kind, Arc::new(Bytes::from(bytes)), 1 << 20).unwrap();
            for (block, memo) in blocks.iter().zip(memos) {
                assert_eq!(file.read(*block).unwrap(), Ok(memo), "{kind:?} {block}");
            }
        }
    }

    #[test]
    fn a_memo_of_dbase_three_cannot_hold_its_end_mark() {
        let writer = MemoWriter::new(MemoKind::Dbt3, 512, &[], true);
        assert!(!writer.holds(b"a\x1ab") && writer.holds(b"ab"));
    }
}
