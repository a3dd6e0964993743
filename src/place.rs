//! Names of places: plain paths, `scheme:rest`, `-`, each with an optional `#dataset`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Result};
use sha2::{Digest, Sha256};

/// Where data are or shall go, as a person names it.
///
/// ```
/// use fenhe::Place;
/// let place = Place::parse("sqlite:platform.db#residents");
/// assert_eq!((place.scheme(), place.rest(), place.dataset()), ("sqlite", "platform.db", "residents"));
/// let place = Place::parse("data/人口.DBF");
/// assert_eq!((place.scheme(), place.rest(), place.dataset()), ("file", "data/人口.DBF", ""));
/// assert_eq!(Place::parse("-").scheme(), "stdio");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    text: String,
    scheme: String,
    rest: String,
    dataset: String,
    base: PathBuf,
}

impl Place {
    /// Reads the name of a place; relative paths count from the working directory.
    pub fn parse(text: &str) -> Self {
        Self::relative_to(text, Path::new(""))
    }

    /// Reads the name of a place whose relative paths count from `base` (the folder of a configuration).
    pub fn relative_to(text: &str, base: &Path) -> Self {
        let (scheme, rest) = match scheme_of(text) {
            _ if text == "-" => ("stdio", "-"),
            Some(scheme) if !base.join(text).exists() => {
                let rest = text.get(scheme.len() + 1..).unwrap_or_default();
                (scheme, rest)
            }
            _ if is_database(text) => ("sqlite", text),
            _ => ("file", text),
        };
        let (rest, dataset) = split_dataset(scheme, rest, base);
        Self {
            text: text.into(),
            scheme: scheme.to_ascii_lowercase(),
            rest: rest.into(),
            dataset: dataset.into(),
            base: base.into(),
        }
    }

    /// The name as it was given, without what may be secret: the password, and the values of a query.
    ///
    /// ```
    /// let place = fenhe::Place::parse("https://clerk:s3cret@host/fee.csv?token=s3cret&v=2");
    /// assert_eq!(place.text(), "https://clerk:***@host/fee.csv?token=***&v=***");
    /// ```
    pub fn text(&self) -> String {
        without_query_values(&without_password(&self.text))
    }

    /// What tells this place from others without showing a secret: [`text`](Self::text), and a digest of the query if
    /// there is one. A password is no part of it: the place stays the same when it changes.
    pub fn identity(&self) -> String {
        match query(&self.text) {
            Some(query) => {
                let digest = hex::encode(Sha256::digest(self.text.get(query).unwrap_or_default()));
                let short: String = digest.chars().take(16).collect();
                format!("{} {short}", self.text())
            }
            None => self.text(),
        }
    }

    /// The whole URI as it was given, secrets included: for the adapter, never for messages.
    pub fn uri(&self) -> &str {
        match self.text.rsplit_once('#') {
            Some((uri, dataset)) if !self.dataset.is_empty() && dataset == self.dataset => uri,
            _ => &self.text,
        }
    }

    /// Refuses a database without a table: rows are written to one.
    pub(crate) fn has_table(&self) -> Result<()> {
        let database = self.scheme == "sqlite" || is_server(&self.scheme);
        if !database || !self.dataset.is_empty() {
            return Ok(());
        }
        let error =
            Error::new(Kind::Config, "sql.name", "the place names no table of the database");
        Err(error
            .source_name(self.text())
            .hint(format!("name it after a #: {}#TABLE", self.text())))
    }

    /// Refuses a zip archive: it is read, not written.
    pub(crate) fn is_no_archive(&self) -> Result<()> {
        let name = self.rest.to_lowercase();
        if !name.contains(".zip!/") && !name.ends_with(".zip") {
            return Ok(());
        }
        Err(Error::new(Kind::Config, "place.archive", "a zip archive is read, not written")
            .source_name(self.text())
            .hint("write the file itself, with .gz or .zst at the end of its name to compress it"))
    }

    /// The scheme in lower case: `file` for plain paths, `stdio` for `-`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What follows the scheme, without the dataset.
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// The dataset after `#`, empty if there is none.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// The rest as a path in the file system. `file:///x` and `file:x` both work.
    pub fn path(&self) -> PathBuf {
        let rest = match self.rest.strip_prefix("//") {
            Some(absolute) if absolute.starts_with('/') => absolute,
            _ => &self.rest,
        };
        self.base.join(rest)
    }

    /// The folder that relative paths count from.
    pub fn base(&self) -> &Path {
        &self.base
    }
}

/// A scheme has at least two letters, so that `C:\data` stays a path.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut letters = scheme.chars();
    let first = letters.next()?.is_ascii_alphabetic();
    let rest = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (first && rest && scheme.len() > 1).then_some(scheme)
}

/// A plain path to a SQLite file, with or without a table, means the database.
fn is_database(text: &str) -> bool {
    let path = text.split_once('#').map_or(text, |(path, _)| path).to_ascii_lowercase();
    [".db", ".sqlite", ".sqlite3"].iter().any(|end| path.ends_with(end))
}

fn is_server(scheme: &str) -> bool {
    ["postgres", "postgresql", "mysql", "mariadb"].iter().any(|s| scheme.eq_ignore_ascii_case(s))
}

/// `#` is legal in file names: it only starts a dataset when no such file exists.
fn split_dataset<'a>(scheme: &str, rest: &'a str, base: &Path) -> (&'a str, &'a str) {
    match rest.rsplit_once('#') {
        // Tables of a server may be written with their schema.
        Some((place, dataset)) if is_server(scheme) => (place, dataset),
        Some((place, dataset)) if !dataset.contains(['/', '.']) => {
            if scheme == "file" && base.join(rest).exists() {
                return (rest, "");
            }
            (place, dataset)
        }
        _ => (rest, ""),
    }
}

/// `scheme://user:password@host` becomes `scheme://user:***@host`.
fn without_password(text: &str) -> String {
    let parts = text.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split(['/', '?', '#']).next()?;
        let (login, _) = authority.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some((scheme, user, rest.get(login.len()..)?))
    });
    match parts {
        Some((scheme, user, tail)) => format!("{scheme}://{user}:***{tail}"),
        None => text.into(),
    }
}

/// Where the query of a URI stands in it, without its question mark.
fn query(text: &str) -> Option<Range<usize>> {
    let rest = text.find("://")? + 3;
    let start = rest + text.get(rest..)?.find('?')? + 1;
    let end = text.get(start..)?.find('#').map_or(text.len(), |at| start + at);
    Some(start..end)
}

/// `?token=abc&v=2` becomes `?token=***&v=***`; a query that names nothing is hidden as a whole.
fn without_query_values(text: &str) -> String {
    let Some(range) = query(text) else { return text.into() };
    let hide = |part: &str| match part.split_once('=') {
        Some((name, "")) => format!("{name}="),
        Some((name, _)) => format!("{name}=***"),
        None if part.is_empty() => String::new(),
        None => "***".into(),
    };
    let values = text.get(range.clone()).unwrap_or_default();
    let hidden: Vec<String> = values.split('&').map(hide).collect();
    let mut shown = text.to_owned();
    shown.replace_range(range, &hidden.join("&"));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_letter_is_no_scheme() {
        assert_eq!(Place::parse(r"C:\data\RK.DBF").scheme(), "file");
    }

    #[test]
    fn a_password_is_not_shown() {
        let place = Place::parse("https://clerk:s3cret@host/path?x=1");
        assert_eq!(place.text(), "https://clerk:***@host/path?x=***");
        assert!(place.uri().contains("s3cret"));
    }

    #[test]
    fn values_of_a_query_are_not_shown_and_still_tell_places_apart() {
        for (text, shown) in [
            ("https://h/a.csv?token=abc&v=#t", "https://h/a.csv?token=***&v=#t"),
            ("https://h/a.csv?abc", "https://h/a.csv?***"),
            ("postgres://h/d?password=abc#t", "postgres://h/d?password=***#t"),
            ("https://h/in?x=a?b=c", "https://h/in?x=***"),
            ("data/what?abc.csv", "data/what?abc.csv"),
        ] {
            assert_eq!(Place::parse(text).text(), shown);
        }
        let identity = |text: &str| Place::parse(text).identity();
        assert_ne!(identity("https://h/a?region=1"), identity("https://h/a?region=2"));
        assert_eq!(identity("https://u:1@h/a?r=1"), identity("https://u:2@h/a?r=1"));
        assert!(!identity("https://h/a?token=abc").contains("abc"));
        assert_eq!(identity("a.csv"), "a.csv");
    }

    #[test]
    fn relative_paths_count_from_the_configuration() {
        let place = Place::relative_to("file:in.csv", Path::new("/etc/fenhe"));
        assert_eq!(place.path(), Path::new("/etc/fenhe/in.csv"));
    }
}
