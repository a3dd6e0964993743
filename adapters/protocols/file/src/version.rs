//! What changes when a file changes.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::UNIX_EPOCH;

use fenhe_core::{Error, Kind};

use crate::error;

/// Device, inode, size and time of the last change of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    device: u64,
    inode: u64,
    pub(crate) size: u64,
    nanoseconds: u128,
}

impl Version {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |age| age.as_nanos());
        let (device, inode) = identity(metadata);
        Self { device, inode, size: metadata.len(), nanoseconds }
    }

    pub(crate) fn text(&self) -> String {
        format!("{:x}-{:x}-{:x}-{:x}", self.device, self.inode, self.size, self.nanoseconds)
    }
}

/// Device and inode, zero where there are none.
#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Device and inode, zero where there are none.
#[cfg(not(unix))]
pub(crate) fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// An open file that notices when someone changes it under the reader.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) file: File,
    /// `None` for pipes and devices, which have no content of their own.
    version: Option<Version>,
}

impl Watched {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let version = metadata.is_file().then(|| Version::of(&metadata));
        Ok(Self { file, version })
    }

    pub(crate) fn version(&self) -> Option<Version> {
        self.version
    }

    /// An error when the file is not the one that was opened any more.
    pub(crate) fn check(&self) -> io::Result<()> {
        let Some(opened) = self.version else { return Ok(()) };
        if Version::of(&self.file.metadata()?) == opened {
            return Ok(());
        }
        Err(error::through_io(
            Error::new(Kind::Changed, "file.changed", "the file changed while it was read").hint(
                "read it when its writer has finished, or let the writer rename it into place",
            ),
        ))
    }
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.check()?;
        Ok(n)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
