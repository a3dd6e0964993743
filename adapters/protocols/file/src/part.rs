//! A file that appears whole or not at all: `.name.part` beside the target, synced, then renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Result};

use crate::error;
use crate::version::identity;

/// Attempts to open a part file that other writers keep renaming away.
const ATTEMPTS: u32 = 16;

/// The target of a write.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) file: File,
    target: PathBuf,
    name: String,
    /// The temporary file; `None` once it has its final name, and for pipes and devices, which are written straight.
    temporary: Option<PathBuf>,
    straight: bool,
}

impl Part {
    /// Starts a file for `target`. What an earlier, dead writer left under the temporary name is overwritten.
    pub(crate) fn create(target: PathBuf, name: &str) -> Result<Self> {
        let failed = |e| error::io(e, name);
        match fs::metadata(&target) {
            Ok(there) if there.is_dir() => return Err(error::folder().source_name(name)),
            Ok(there) if !there.is_file() => {
                let file = OpenOptions::new().write(true).open(&target).map_err(failed)?;
                return Ok(Self {
                    file,
                    target,
                    name: name.into(),
                    temporary: None,
                    straight: true,
                });
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let temporary = temporary_name(&target);
        let file = locked(&temporary, name)?;
        let part =
            Self { file, target, name: name.into(), temporary: Some(temporary), straight: false };
        part.file.set_len(0).map_err(failed)?;
        Ok(part)
    }

    /// Whether bytes already written can be changed.
    pub(crate) fn can_patch(&self) -> bool {
        !self.straight
    }

    pub(crate) fn sync(&self) -> Result<()> {
        if self.straight {
            return Ok(());
        }
        self.file.sync_all().map_err(|e| error::io(e, &self.name))
    }

    /// Gives the synced file its final name and makes the name durable.
    pub(crate) fn appear(&mut self) -> Result<fs::Metadata> {
        let failed = |e| error::io(e, &self.name);
        self.sync()?;
        if let Some(temporary) = &self.temporary {
            if let Ok(old) = fs::metadata(&self.target) {
                // The file keeps its permissions when its content is replaced.
                self.file.set_permissions(old.permissions()).map_err(failed)?;
            }
            fs::rename(temporary, &self.target).map_err(failed)?;
            self.temporary = None;
            sync_folder_of(&self.target)
                .map_err(|e| failed(e).retry_advice(fenhe_core::Retry::InDoubt))?;
        }
        self.file.metadata().map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing can be done about a failure here; the next writer overwrites the rest.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Makes a change of names in the folder of `path` durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn temporary_name(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".part");
    target.with_file_name(name)
}

/// The temporary file, locked against other writers of the same target.
fn locked(path: &Path, name: &str) -> Result<File> {
    let failed = |e| error::io(e, name);
    for _ in 0..ATTEMPTS {
        // Read access as well: some file systems lock only what can be read.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(name)),
            // A file system without locks: the rename is still atomic.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        // Its writer may have renamed the file between opening and locking it.
        let opened = identity(&file.metadata().map_err(failed)?);
        if fs::symlink_metadata(path).is_ok_and(|m| m.is_file() && identity(&m) == opened) {
            return Ok(file);
        }
    }
    Err(busy(name))
}

fn busy(name: &str) -> Error {
    Error::new(Kind::Conflict, "file.busy", "another writer is writing this file")
        .source_name(name)
        .hint("wait for it to end")
}
