//! Names of objects: relative, `/`-separated, no way out of the root.

use fenhe_core::{Error, Kind, Result};

/// What separates an archive from the entry in it.
pub(crate) const IN_ARCHIVE: &str = "!/";

/// A checked name: a file below the root, and perhaps an entry of the archive that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) file: String,
    pub(crate) entry: Option<String>,
}

impl Name {
    /// Checks and normalises a name; `archives` says whether `x.zip!/entry` has its meaning.
    pub(crate) fn parse(name: &str, archives: bool) -> Result<Self> {
        let (file, entry) = match split(name).filter(|_| archives) {
            Some((archive, entry)) => (archive, Some(entry)),
            None => (name, None),
        };
        if entry.is_some_and(|entry| entry.is_empty() || entry.contains('\0')) {
            return Err(refused(name, "names no entry of the archive"));
        }
        Ok(Self { file: normal(file)?, entry: entry.map(Into::into) })
    }
}

/// `a.zip!/b.csv` as `(a.zip, b.csv)`.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    name.match_indices(IN_ARCHIVE).find_map(|(at, _)| {
        let (archive, rest) = name.split_at(at);
        let entry = rest.strip_prefix(IN_ARCHIVE)?;
        has_extension(archive, ".zip").then_some((archive, entry))
    })
}

/// Whether a name ends in an extension (given with its dot, in lower case).
pub(crate) fn has_extension(name: &str, extension: &str) -> bool {
    let at = name.len().saturating_sub(extension.len());
    name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(extension)) && at > 0
}

fn normal(name: &str) -> Result<String> {
    if name.chars().any(char::is_control) {
        return Err(refused(name, "holds a control character"));
    }
    if name.starts_with('/') || (cfg!(windows) && name.contains(['\\', ':'])) {
        return Err(refused(name, "is not relative to the root"));
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(refused(name, "leads out of the folder")),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(refused(name, "names nothing"));
    }
    Ok(parts.join("/"))
}

fn refused(name: &str, why: &str) -> Error {
    Error::new(Kind::Config, "file.name", format!("the name {name:?} {why}"))
        .hint("names are relative to the root of the store, with / between folders and no ..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_dots_and_double_slashes() {
        assert_eq!(Name::parse("./a//数据/b.csv", true).unwrap().file, "a/数据/b.csv");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "/etc/passwd", "../a", "a/../../b", "a\0b", "a\nb", "a.zip!/"] {
            assert_eq!(Name::parse(name, true).unwrap_err().code(), "file.name", "{name:?}");
        }
    }

    #[test]
    fn an_entry_is_named_behind_its_archive() {
        let name = Name::parse("in/A.ZIP!/表/b.csv", true).unwrap();
        assert_eq!((name.file.as_str(), name.entry.as_deref()), ("in/A.ZIP", Some("表/b.csv")));
        assert_eq!(Name::parse("a.zip!/b.csv", false).unwrap().file, "a.zip!/b.csv");
        assert_eq!(Name::parse("odd!/b.csv", true).unwrap().entry, None);
    }
}
