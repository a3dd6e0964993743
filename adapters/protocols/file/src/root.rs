//! From a checked name to a path below the root, links included.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Result};

use crate::error;
use crate::{FilesConfig, Symlinks};

/// The folder that names are relative to.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    pub(crate) symlinks: Symlinks,
}

impl Root {
    pub(crate) fn new(config: &FilesConfig) -> Self {
        Self { folder: config.root.clone(), symlinks: config.symlinks }
    }

    /// The path of something that exists.
    pub(crate) fn existing(&self, name: &str) -> Result<PathBuf> {
        let path = self.join(name);
        self.allow(&path, name)?;
        fs::metadata(&path).map_err(|e| error::io(e, name))?;
        Ok(path)
    }

    /// The path of something to be written; missing folders are made. A link leads to what it names.
    pub(crate) fn target(&self, name: &str) -> Result<PathBuf> {
        let path = self.join(name);
        if let Some(folder) = path.parent() {
            // The nearest folder that exists decides whether the way stays below the root.
            let known = folder.ancestors().find(|f| fs::symlink_metadata(f).is_ok());
            self.allow(known.unwrap_or(&self.folder), name)?;
            fs::create_dir_all(folder).map_err(|e| error::io(e, name))?;
        }
        if fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
            self.allow(&path, name)?;
            return fs::canonicalize(&path).map_err(|e| error::io(e, name));
        }
        Ok(path)
    }

    /// Whether the policy lets the links on the way to `path` be followed.
    pub(crate) fn allow(&self, path: &Path, name: &str) -> Result<()> {
        let refused = |what: &str| {
            Err(Error::new(Kind::Permission, "file.symlink", what)
                .source_name(name)
                .hint("set symlinks=follow if the link is yours"))
        };
        match self.symlinks {
            Symlinks::Follow => Ok(()),
            Symlinks::Refuse => {
                let below = path.strip_prefix(&self.folder).unwrap_or(path);
                let mut at = self.folder.clone();
                for part in below.components() {
                    at.push(part);
                    if fs::symlink_metadata(&at).is_ok_and(|m| m.is_symlink()) {
                        return refused("a symbolic link is on the way");
                    }
                }
                Ok(())
            }
            Symlinks::Within => {
                let root = fs::canonicalize(&self.folder).map_err(|e| error::io(e, name))?;
                let real = fs::canonicalize(path).map_err(|e| error::io(e, name))?;
                if real.starts_with(root) {
                    return Ok(());
                }
                refused("a symbolic link leads out of the folder")
            }
        }
    }

    /// The path with the spelling that the disk has: a part that exists only under its GB18030 bytes, as
    /// old systems write names, is found under them.
    fn join(&self, name: &str) -> PathBuf {
        let mut path = self.folder.clone();
        for part in name.split('/') {
            let plain = path.join(part);
            let legacy = (!part.is_ascii()).then(|| legacy_bytes(part)).flatten();
            path = match legacy.map(|bytes| path.join(bytes)) {
                Some(legacy) if !exists(&plain) && exists(&legacy) => legacy,
                _ => plain,
            };
        }
        path
    }
}

/// A name on disk as text: UTF-8, else GB18030 if that gives the same bytes back.
///
/// # Errors
/// [`Kind::Invalid`] for bytes that are neither.
pub(crate) fn text_of(name: &OsStr, folder: &str) -> Result<String> {
    if let Some(text) = name.to_str() {
        return Ok(text.into());
    }
    decode_legacy(name).ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "file.name_encoding",
            "the folder holds a name that is neither UTF-8 nor GB18030",
        )
        .source_name(folder)
        .hint("rename the file")
    })
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(unix)]
fn decode_legacy(name: &OsStr) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;
    let text = encoding_rs::GB18030
        .decode_without_bom_handling_and_without_replacement(name.as_bytes())?;
    (legacy_bytes(&text)? == *name).then(|| text.into_owned())
}

#[cfg(unix)]
fn legacy_bytes(name: &str) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    let (bytes, _, unmappable) = encoding_rs::GB18030.encode(name);
    (!unmappable).then(|| OsString::from_vec(bytes.into_owned()))
}

#[cfg(not(unix))]
fn decode_legacy(_: &OsStr) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn legacy_bytes(_: &str) -> Option<OsString> {
    None
}
