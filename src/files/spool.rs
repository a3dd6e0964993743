//! Temporary files: in front of a sink that only appends, for formats that patch what they wrote, and behind a place
//! without random access.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteSink, Entry, ReadAt, Result};

const CHUNK: usize = 1 << 20;

/// Keeps everything until close.
pub(crate) struct Spool {
    file: File,
    to: Box<dyn ByteSink>,
}

impl Spool {
    pub(crate) fn before(to: Box<dyn ByteSink>) -> Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, to })
    }
}

#[async_trait]
impl ByteSink for Spool {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        Ok(self.file.write_all(&bytes)?)
    }

    async fn patch(&mut self, offset: u64, bytes: Bytes) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(&bytes)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }

    async fn sync(&mut self) -> Result<()> {
        // Nothing is seen before close, and a temporary file does not outlive the process.
        Ok(())
    }

    async fn close(mut self: Box<Self>) -> Result<Entry> {
        self.file.seek(SeekFrom::Start(0))?;
        loop {
            let mut chunk = vec![0; CHUNK];
            let n = self.file.read(&mut chunk)?;
            if n == 0 {
                return self.to.close().await;
            }
            chunk.truncate(n);
            self.to.write(chunk.into()).await?;
        }
    }
}

/// A copy of an object, to be read anywhere.
#[derive(Debug)]
pub(crate) struct Copied {
    file: Mutex<File>,
    size: u64,
}

impl Copied {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { file: Mutex::new(tempfile::tempfile()?), size: 0 })
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.get_mut().unwrap_or_else(PoisonError::into_inner).write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }
}

impl ReadAt for Copied {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}
