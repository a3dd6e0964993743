//! Where a read of files stands: which file, what it was, and where in it.

use fenhe_core::{Position, Result};
use serde::{Deserialize, Serialize};

const ADAPTER: &str = "files";
const VERSION: u16 = 1;

/// The token of positions made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    /// Name within the store.
    pub(crate) name: String,
    /// Fingerprint when it was read.
    pub(crate) fingerprint: String,
    /// The decoder's own position.
    pub(crate) inner: Position,
    /// Set where a chunk for parallel decoding ends, so that a resumed read can be parallel again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<Cut>,
}

/// A record boundary found by a splitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut {
    /// Bytes of the header.
    pub(crate) prologue: u64,
    /// Byte offset of the next record.
    pub(crate) offset: u64,
    /// Its number, from 1.
    pub(crate) record: u64,
    /// Its line, from 1.
    pub(crate) line: u64,
}

impl At {
    pub(crate) fn position(&self) -> Result<Position> {
        let position = Position::new(ADAPTER, VERSION, self)?;
        Ok(position.resume_at(self.inner.prologue(), self.inner.offset()))
    }

    pub(crate) fn from_position(position: &Position) -> Result<Self> {
        position.read(ADAPTER, VERSION)
    }
}
