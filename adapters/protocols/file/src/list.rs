//! Objects that match a glob.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use fenhe_core::{Entry, Error, Kind, Result};
use glob::{MatchOptions, Pattern};

use crate::root::{Root, text_of};
use crate::version::{Version, identity};
use crate::{Symlinks, error};

/// As in a shell: `*` stays within a folder, and a leading dot must be written.
const RULES: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Folders below one another that `**` follows.
const DEPTH: usize = 128;

/// A compiled glob.
pub(crate) struct Glob {
    whole: Pattern,
    /// Patterns of the leading folders, up to the first `**`.
    folders: Vec<Pattern>,
    /// Whether there is a `**`.
    deep: bool,
}

impl Glob {
    pub(crate) fn parse(glob: &str) -> Result<Self> {
        let compile = |part: &str| {
            Pattern::new(part).map_err(|e| {
                Error::new(
                    Kind::Config,
                    "file.glob",
                    format!("the pattern {glob:?} is wrong: {}", e.msg),
                )
                .hint("write * ? ** or [abc]; a bracket itself is [[]")
            })
        };
        let parts: Vec<&str> = glob.split('/').collect();
        let deep = parts.contains(&"**");
        let leading = parts.len().saturating_sub(1);
        let folders = parts.iter().take(leading).take_while(|p| **p != "**");
        Ok(Self {
            whole: compile(glob)?,
            folders: folders.map(|p| compile(p)).collect::<Result<_>>()?,
            deep,
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.whole.matches_with(name, RULES)
    }

    /// Whether objects below this folder (so many folders down) can match.
    fn enters(&self, folder: &str, depth: usize) -> bool {
        match self.folders.get(depth) {
            Some(pattern) => pattern.matches_with(folder, RULES),
            None => self.deep && depth < DEPTH && !folder.starts_with('.'),
        }
    }
}

/// The files below the root whose name matches, in order of names.
pub(crate) fn files(root: &Root, glob: &Glob) -> Result<Vec<Entry>> {
    let mut walk = Walk { root, glob, found: Vec::new(), seen: BTreeSet::new() };
    let mut folders = vec![(root.folder.clone(), String::new(), 0)];
    while let Some((path, name, depth)) = folders.pop() {
        walk.folder(&path, &name, depth, &mut folders)?;
    }
    walk.found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(walk.found)
}

struct Walk<'a> {
    root: &'a Root,
    glob: &'a Glob,
    found: Vec<Entry>,
    /// Folders that links led to, so that a circle ends.
    seen: BTreeSet<(u64, u64)>,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        path: &Path,
        name: &str,
        depth: usize,
        folders: &mut Vec<(PathBuf, String, usize)>,
    ) -> Result<()> {
        let items = match fs::read_dir(path) {
            // A folder that was removed meanwhile holds nothing; the root has to be there.
            Err(e) if depth > 0 && e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            items => items.map_err(|e| error::io(e, &path.display().to_string()))?,
        };
        for item in items {
            let item = item.map_err(|e| error::io(e, name))?;
            let part = text_of(&item.file_name(), name)?;
            let full = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
            let Some(metadata) = self.metadata(&item.path(), &full)? else { continue };
            if metadata.is_dir() {
                if self.glob.enters(&part, depth) {
                    folders.push((item.path(), full, depth + 1));
                }
            } else if metadata.is_file() && self.glob.matches(&full) {
                self.found.push(entry(&full, &metadata));
            }
        }
        Ok(())
    }

    /// What the item is, links followed by the policy; `None` for what is no object of this store.
    fn metadata(&mut self, path: &Path, name: &str) -> Result<Option<Metadata>> {
        let gone = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(None),
            _ => Err(error::io(e, name)),
        };
        let metadata = match fs::symlink_metadata(path) {
            Err(e) => return gone(e),
            Ok(metadata) if !metadata.is_symlink() => return Ok(Some(metadata)),
            Ok(_) => match fs::metadata(path) {
                Err(e) => return gone(e),
                Ok(metadata) => metadata,
            },
        };
        let allowed = self.root.allow(path, name).is_ok();
        let enters = metadata.is_file()
            || (self.root.symlinks == Symlinks::Follow && self.seen.insert(identity(&metadata)));
        Ok((allowed && enters).then_some(metadata))
    }
}

/// A file as an entry.
pub(crate) fn entry(name: &str, metadata: &Metadata) -> Entry {
    let version = Version::of(metadata);
    Entry {
        name: name.into(),
        size: metadata.is_file().then_some(version.size),
        version: if metadata.is_file() { version.text() } else { String::new() },
    }
}
