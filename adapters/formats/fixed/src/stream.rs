//! The bytes fed and not used yet: a chunk, and what was left of those before it.

use bytes::Bytes;
use fenhe_core::{Error, Kind, Result};

/// Windows are cut here, so that places in them fit 32 bits.
const WINDOW: usize = 1 << 30;

/// The bytes fed: the last chunk, and what was left of those before it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    chunk: Bytes,
    at: usize,
    carry: Vec<u8>,
    /// How many bytes at the end of the carry are a copy of chunk bytes before `at`.
    borrowed: usize,
    pub(crate) end: bool,
    pub(crate) discard: Option<Discard>,
}

/// A record longer than the limit, of which only the beginning is kept.
#[derive(Debug)]
pub(crate) struct Discard {
    pub(crate) length: u64,
    pub(crate) kept: Vec<u8>,
}

impl Stream {
    pub(crate) fn feed(&mut self, bytes: Bytes) -> Result<()> {
        if self.at < self.chunk.len() || self.end {
            return Err(Error::new(Kind::Internal, "fixed.feed", "input out of turn"));
        }
        self.chunk = bytes;
        self.at = 0;
        self.borrowed = 0;
        Ok(())
    }

    pub(crate) fn rest(&self) -> &[u8] {
        self.chunk.get(self.at..).unwrap_or_default()
    }

    /// Everything fed and not used, as one piece.
    pub(crate) fn all(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.carry);
        let rest = self.rest().len();
        all.extend_from_slice(self.rest());
        self.at = self.chunk.len();
        self.carry.clone_from(&all);
        self.borrowed = self.borrowed.saturating_add(rest);
        all
    }

    /// Uses up bytes from the front.
    pub(crate) fn skip(&mut self, bytes: usize) {
        let old = bytes.min(self.carry.len());
        self.carry.drain(..old);
        self.at = self.at.saturating_add(bytes - old).min(self.chunk.len());
        self.borrowed = self.borrowed.min(self.carry.len());
    }

    /// What to look for records in: the carry, or else the rest of the chunk.
    pub(crate) fn window(&mut self) -> Option<Window> {
        if !self.carry.is_empty() {
            return Some(Window::Carry(std::mem::take(&mut self.carry)));
        }
        let to = self.chunk.len().min(self.at.saturating_add(WINDOW));
        (self.at < to).then(|| Window::Chunk(self.chunk.slice(self.at..to)))
    }

    /// Takes back a window of which the first bytes are used.
    pub(crate) fn give_back(&mut self, window: Window, taken: usize) {
        match window {
            Window::Chunk(_) => self.at += taken,
            Window::Carry(mut carry) => {
                let left = carry.len().saturating_sub(taken);
                if taken > 0 && left <= self.borrowed {
                    // The rest is still in the chunk: read on there.
                    self.at -= left;
                    self.borrowed = 0;
                    carry.clear();
                } else {
                    carry.drain(..taken);
                }
                self.carry = carry;
            }
        }
    }

    /// Moves bytes of the chunk to the carry; false when there are none.
    pub(crate) fn refill(&mut self) -> bool {
        let step = self.carry.len().max(4096);
        let more = self.chunk.slice(self.at..self.chunk.len().min(self.at.saturating_add(step)));
        self.carry.extend_from_slice(&more);
        self.at += more.len();
        self.borrowed += more.len();
        !more.is_empty()
    }

    pub(crate) fn start_discard(&mut self, keep: u64) {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let mut kept = std::mem::take(&mut self.carry);
        let mut length = kept.len() as u64;
        if kept.is_empty() {
            let rest = self.rest();
            length = rest.len() as u64;
            kept = rest.get(..keep.min(rest.len())).unwrap_or_default().to_vec();
            self.at = self.chunk.len();
        }
        kept.truncate(keep);
        self.borrowed = 0;
        self.discard = Some(Discard { length, kept });
    }
}

/// Bytes to look for records in.
#[derive(Debug)]
pub(crate) enum Window {
    Chunk(Bytes),
    Carry(Vec<u8>),
}

impl AsRef<[u8]> for Window {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Chunk(bytes) => bytes,
            Self::Carry(bytes) => bytes,
        }
    }
}
