//! A temporary file in front of a sink that only appends, for formats that patch what they wrote.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteSink, Entry, Result};

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
