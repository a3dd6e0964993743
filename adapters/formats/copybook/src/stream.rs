//! The bytes fed: the last chunk, and what was left of those before it.

use bytes::Bytes;
use fenhe_core::{Error, Kind, Result};

/// Windows are cut here, so that places in them fit 32 bits.
const WINDOW: usize = 1 << 30;

/// A stream in chunks, looked at in windows.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    chunk: Bytes,
    at: usize,
    carry: Vec<u8>,
    /// How many bytes at the end of the carry are a copy of chunk bytes before `at`.
    borrowed: usize,
    pub(crate) end: bool,
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

impl Stream {
    pub(crate) fn feed(&mut self, bytes: Bytes) -> Result<()> {
        if self.at < self.chunk.len() || self.end {
            return Err(Error::new(Kind::Internal, "copybook.feed", "input out of turn"));
        }
        self.chunk = bytes;
        self.at = 0;
        self.borrowed = 0;
        Ok(())
    }

    /// Bytes at hand.
    pub(crate) fn len(&self) -> usize {
        self.carry.len() + self.chunk.len() - self.at
    }

    /// Uses up bytes from the front; says how many there were.
    pub(crate) fn skip(&mut self, bytes: u64) -> u64 {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let old = bytes.min(self.carry.len());
        self.carry.drain(..old);
        let new = (bytes - old).min(self.chunk.len() - self.at);
        self.at += new;
        self.borrowed = self.borrowed.min(self.carry.len());
        (old + new) as u64
    }

    /// What to look for records in: the carry, or else the rest of the chunk; and how much of it may be used
    /// when the last `held` bytes of all are not records; and whether nothing comes after it.
    pub(crate) fn window(&mut self, held: usize) -> Option<(Window, usize, bool)> {
        let free = self.len().saturating_sub(held);
        if free == 0 {
            return None;
        }
        if !self.carry.is_empty() {
            let carry = std::mem::take(&mut self.carry);
            let usable = carry.len().min(free);
            return Some((Window::Carry(carry), usable, self.end && usable == free));
        }
        let usable = free.min(WINDOW);
        let window = Window::Chunk(self.chunk.slice(self.at..self.at + usable));
        Some((window, usable, self.end && usable == free))
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
        let free = self.chunk.len().saturating_sub(self.at);
        let step = self.carry.len().max(4096).min(free);
        let more = self.chunk.slice(self.at..self.at + step);
        self.carry.extend_from_slice(&more);
        self.at += more.len();
        self.borrowed += more.len();
        !more.is_empty()
    }

    /// Keeps what is left of the chunk, because the next one comes.
    pub(crate) fn keep(&mut self) {
        let rest = self.chunk.slice(self.at..);
        self.carry.extend_from_slice(&rest);
        self.at = self.chunk.len();
        self.borrowed = 0;
    }
}
