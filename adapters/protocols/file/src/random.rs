//! Random access: the file itself, or a temporary copy of what a compressed file holds.

use std::fs::File;
use std::io::{self, Write};

use fenhe_core::{Limits, ReadAt, Result};

use crate::FilesConfig;
use crate::error;
use crate::stream::Content;
use crate::version::Watched;

/// Bytes of one file at any place.
#[derive(Debug)]
pub(crate) struct FileAt {
    file: Watched,
    size: u64,
    name: String,
}

impl FileAt {
    pub(crate) fn new(file: Watched, name: &str) -> Result<Self> {
        let size = file.file.metadata().map_err(|e| error::io(e, name))?.len();
        Ok(Self { file, size, name: name.into() })
    }

    /// Copies a stream (compressed, or a pipe) into a temporary file, up to the limit.
    pub(crate) fn spool(mut content: Content, name: &str, config: &FilesConfig) -> Result<Self> {
        let failed = |e| error::io(e, name);
        let mut file = match &config.spool_folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
        .map_err(failed)?;
        let mut buf = vec![0; config.chunk_bytes];
        let mut size = 0_u64;
        loop {
            let n = content.read(&mut buf, name)?;
            if n == 0 {
                break;
            }
            size = size.saturating_add(n as u64);
            Limits::check("spool_bytes", config.spool_bytes, size)?;
            file.write_all(buf.get(..n).unwrap_or_default()).map_err(failed)?;
        }
        Ok(Self { file: Watched::new(file).map_err(failed)?, size, name: name.into() })
    }
}

impl ReadAt for FileAt {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match read_at(&self.file.file, rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(error::io(e, &self.name).at_offset(offset)),
            }
        }
        self.file.check().map_err(|e| error::io(e, &self.name).at_offset(offset))?;
        Ok(done)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}
