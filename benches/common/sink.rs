//! Where encoders write to.

use std::io::{Result, Seek, SeekFrom, Write};

/// Drops what is written, or keeps it to be compared.
#[derive(Default)]
pub struct Sink {
    kept: Option<Vec<u8>>,
    at: u64,
    end: u64,
}

impl Sink {
    /// Keeps what is written.
    pub fn keeping() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// What was kept.
    pub fn into_bytes(self) -> Vec<u8> {
        self.kept.unwrap_or_default()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        std::hint::black_box(bytes);
        if let Some(kept) = &mut self.kept {
            let at = self.at as usize;
            kept.resize(kept.len().max(at + bytes.len()), 0);
            kept[at..at + bytes.len()].copy_from_slice(bytes);
        }
        self.at += bytes.len() as u64;
        self.end = self.end.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.end.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}
