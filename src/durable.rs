//! Files of a run that outlive it: begun afresh, replaced as a whole, made durable. What is neither file nor folder (a pipe, a
//! device) is written through and stays what it is.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Result};

use crate::claims::destination;

/// Replaces a file so that a reader sees the old one or the whole new one. A link is followed.
pub(crate) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if is_pipe_or_device(path) {
        return OpenOptions::new().write(true).open(path)?.write_all(content);
    }
    let path = match path.is_symlink() {
        true => destination(path),
        false => path.to_path_buf(),
    };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&part, &path)?;
    folder_synced(&path)
}

/// Takes away what an earlier run wrote. Only a regular file is taken away: a link stays and what it leads to is emptied,
/// a pipe or device is written through.
pub(crate) fn start_afresh(path: &Path) -> Result<()> {
    let there = match std::fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if there.is_file() {
        return Ok(std::fs::remove_file(path)?);
    }
    match std::fs::metadata(path) {
        Ok(behind) if behind.is_file() => {
            Ok(OpenOptions::new().write(true).truncate(true).open(path).map(drop)?)
        }
        Ok(behind) if behind.is_dir() => Err(is_folder()),
        // Nothing behind the link yet, a pipe, a device.
        _ => Ok(()),
    }
}

fn is_folder() -> Error {
    Error::new(Kind::Config, "rejects.folder", "this is a folder, not a file")
        .hint("name a file for the rejects")
}

/// Whether something is there that is neither file nor folder: it is written through, never replaced.
pub(crate) fn is_pipe_or_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Pipes and devices have nothing to be made durable.
pub(crate) fn sync_data(file: &File) -> std::io::Result<()> {
    if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
}

/// Makes the entry of a file in its folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    Ok(folder_synced(path)?)
}

fn folder_synced(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Runs a blocking call off the executor.
pub(crate) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => Ok(result?),
        Err(error) => {
            Err(Error::new(Kind::Internal, "engine.task", "a background call ended early")
                .caused_by(error))
        }
    }
}
