use std::path::PathBuf;

use fenhe_core::{Error, Kind, Limits, Result};
use serde::{Deserialize, Serialize};

/// Where the files are and what is allowed on the way to them.
///
/// ```
/// use fenhe_file::{FilesConfig, Symlinks};
/// let config = FilesConfig::new("/srv/incoming");
/// assert_eq!(config.symlinks, Symlinks::Within);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// The folder that all names are relative to.
    pub root: PathBuf,
    /// Which symbolic links are followed.
    #[serde(default)]
    pub symlinks: Symlinks,
    /// Whether names that end in `.gz`, `.zst` and `.zip` are read (and `.gz`, `.zst` written) through compression.
    #[serde(default)]
    pub compression: Compression,
    /// Compression level for writing; `None`: the usual one of the format (gzip 6, zstd 3).
    #[serde(default)]
    pub level: Option<i32>,
    /// Bytes read at a time, 4 KiB to 64 MiB. 1 MiB.
    #[serde(default = "chunk_bytes")]
    pub chunk_bytes: usize,
    /// Inflated : deflated allowed in `.gz` and `.zst` streams after the first MiB. 1,000, because fixed-width
    /// files are mostly blanks and a stream needs no memory. Zip entries obey `limits.inflate_ratio`.
    #[serde(default = "stream_ratio")]
    pub stream_ratio: u64,
    /// Bytes that one compressed object may take in a temporary file when a format needs random access. 16 GiB.
    #[serde(default = "spool_bytes")]
    pub spool_bytes: u64,
    /// Folder for such temporary files; `None`: the system's.
    #[serde(default)]
    pub spool_folder: Option<PathBuf>,
    /// Limits: `inflate_ratio` and `entries` are used here.
    #[serde(default)]
    pub limits: Limits,
}

/// Which symbolic links are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symlinks {
    /// None.
    Refuse,
    /// Those that lead to places below the root.
    #[default]
    Within,
    /// All. For paths that a person named, not for names that come from a peer.
    Follow,
}

/// Whether compression is seen through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// By the end of the name: `.gz`, `.zst`, `.zip`.
    #[default]
    Auto,
    /// Bytes are read and written as they are.
    None,
}

impl FilesConfig {
    /// The defaults for files below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            symlinks: Symlinks::default(),
            compression: Compression::default(),
            level: None,
            chunk_bytes: chunk_bytes(),
            stream_ratio: stream_ratio(),
            spool_bytes: spool_bytes(),
            spool_folder: None,
            limits: Limits::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(Error::new(Kind::Config, "file.config", what));
        if !(4_096..=64 << 20).contains(&self.chunk_bytes) {
            return wrong("chunk_bytes must lie between 4096 and 67108864");
        }
        if self.stream_ratio == 0 || self.limits.inflate_ratio == 0 {
            return wrong("an inflation ratio of 0 allows nothing");
        }
        Ok(())
    }
}

fn chunk_bytes() -> usize {
    fenhe_kernels::chunk::DEFAULT_CHUNK_BYTES
}

fn stream_ratio() -> u64 {
    1_000
}

fn spool_bytes() -> u64 {
    16 << 30
}
