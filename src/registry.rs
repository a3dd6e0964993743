//! Which formats and places there are: a value, made by the caller, without process-wide state.

mod attach;
mod defaults;
#[cfg(feature = "http")]
mod http;
mod open;
mod recognise;
#[cfg(feature = "sql")]
mod sql;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fenhe_core::{Error, Exchange, Format, FormatInfo, Kind, Options, Result, Store, nearest};

use crate::files::MakeFormat;
use crate::place::Place;

pub use open::{Opening, SourceEnd, TargetEnd};

/// Formats by name and extension, places by URI scheme.
///
/// ```
/// use fenhe::Registry;
/// let registry = Registry::with_defaults();
/// assert!(registry.schemes().any(|scheme| scheme.name == "file"));
/// assert!(Registry::empty().formats().next().is_none());
/// ```
#[derive(Clone)]
pub struct Registry {
    formats: Vec<FormatEntry>,
    schemes: BTreeMap<String, Scheme>,
}

/// A registered format.
#[derive(Clone)]
struct FormatEntry {
    info: FormatInfo,
    make: MakeFormat,
}

/// A registered URI scheme.
#[derive(Clone)]
pub struct Scheme {
    /// The scheme, lower case.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Whether it can be read.
    pub read: bool,
    /// Whether it can be written.
    pub write: bool,
    /// Options that the place takes; all others go to the format.
    pub options: &'static [&'static str],
    /// Opens a place.
    pub open: OpenPlace,
}

/// Opens a place with the options that belong to it.
pub type OpenPlace = Arc<dyn Fn(&Place, &Options, Purpose) -> Result<Opened> + Send + Sync>;

/// What a place is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Whether it is written.
    pub write: bool,
    /// Whether the person named a format, so that bytes are wanted rather than rows.
    pub format: bool,
}

/// An opened place.
#[derive(Clone, Debug)]
pub enum Opened {
    /// Bytes by name, which need a format.
    Store {
        /// Where the objects are.
        store: Arc<dyn Store>,
        /// Name of the object, or a pattern.
        name: String,
        /// The content can be had only once.
        once: bool,
    },
    /// Rows.
    Exchange {
        /// The system.
        exchange: Arc<dyn Exchange>,
        /// Dataset in it.
        dataset: String,
    },
}

impl Registry {
    /// A registry of nothing.
    pub fn empty() -> Self {
        Self { formats: Vec::new(), schemes: BTreeMap::new() }
    }

    /// Adds a format; one of the same name is replaced.
    ///
    /// # Errors
    /// What `make` says about no options at all: it has to bear them, to tell its name.
    pub fn add_format(
        &mut self,
        make: impl Fn(&Options) -> Result<Arc<dyn Format>> + Send + Sync + 'static,
    ) -> Result<()> {
        let info = make(&Options::new())?.info();
        self.formats.retain(|entry| entry.info.name != info.name);
        self.formats.push(FormatEntry { info, make: Arc::new(make) });
        Ok(())
    }

    /// Adds a scheme; one of the same name is replaced.
    pub fn add_scheme(&mut self, scheme: Scheme) {
        self.schemes.insert(scheme.name.clone(), scheme);
    }

    /// The formats, in the order of registration.
    pub fn formats(&self) -> impl Iterator<Item = &FormatInfo> {
        self.formats.iter().map(|entry| &entry.info)
    }

    /// The schemes, in the order of names.
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.schemes.values()
    }

    /// A format by name, with its options set. Files that options name are read, relative to `base`.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `registry.format` for an unknown name, and what the format says of its options.
    pub fn format_at(&self, name: &str, options: &Options, base: &Path) -> Result<Arc<dyn Format>> {
        let entry = self.entry(name)?;
        (entry.make)(&attach::files(options, &entry.info, base)?)
    }

    /// The options of a format with the files that they name read, relative to `base`.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `registry.format` for an unknown name; what reading the files says.
    pub fn options_at(&self, name: &str, options: &Options, base: &Path) -> Result<Options> {
        attach::files(options, &self.entry(name)?.info, base)
    }

    fn entry(&self, name: &str) -> Result<&FormatEntry> {
        let lower = name.to_ascii_lowercase();
        if let Some(entry) = self.formats.iter().find(|entry| entry.info.name == lower) {
            return Ok(entry);
        }
        // `tsv` is csv with another name; the first format of the extension is meant.
        if let Some(entry) =
            self.formats.iter().find(|e| e.info.extensions.contains(&lower.as_str()))
        {
            return Ok(entry);
        }
        let names: Vec<&str> = self.formats.iter().map(|entry| entry.info.name).collect();
        let error =
            Error::new(Kind::Config, "registry.format", format!("there is no format {name}"));
        Err(match nearest(&lower, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("formats are {}", names.join(", "))),
        })
    }

    pub(crate) fn scheme(&self, place: &Place) -> Result<&Scheme> {
        self.schemes.get(place.scheme()).ok_or_else(|| {
            let names: Vec<&str> = self.schemes.keys().map(String::as_str).collect();
            let message = format!("there is no place of the kind {}:", place.scheme());
            let error = Error::new(Kind::Config, "registry.scheme", message);
            match nearest(place.scheme(), names.iter().copied()) {
                Some(near) => error.hint(format!("did you mean {near}:?")),
                None => error.hint(format!(
                    "kinds are {}; for a file of this name write ./{}",
                    names.join(", "),
                    place.text()
                )),
            }
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("formats", &self.formats().map(|info| info.name).collect::<Vec<_>>())
            .field("schemes", &self.schemes.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheme").field("name", &self.name).finish_non_exhaustive()
    }
}
