//! From the name of a place to the end of a flow.

use std::sync::Arc;

use fenhe_core::{
    Capability, Entry, Error, Exchange, Format, Kind, Limits, Options, Result, Store,
};

use super::recognise::extension;
use super::{FormatEntry, Opened, Purpose, Registry, attach};
use crate::files::{Copies, Files, entries, not_found};
use crate::place::Place;
use crate::pump::Input;

/// How to open a place.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Name of the format; `None`: by extension or content.
    pub format: Option<String>,
    /// Options of the place and of the format together.
    pub options: Options,
    /// Threads that decode; 0 counts as 1.
    pub threads: usize,
    /// Limits of the run.
    pub limits: Limits,
    /// For files as a target: rows are added, in sealed parts ([`Files::in_parts`]).
    pub append: bool,
}

/// A place opened for reading.
#[derive(Clone, Debug)]
pub struct SourceEnd {
    /// The reading end of a flow.
    pub input: Input,
    /// The files, when it is a format over a store.
    pub files: Option<Files>,
    /// Name of the format.
    pub format: Option<&'static str>,
    /// Why this format was chosen.
    pub reason: Option<String>,
}

/// A place opened for writing.
#[derive(Clone, Debug)]
pub struct TargetEnd {
    /// The system.
    pub exchange: Arc<dyn Exchange>,
    /// Dataset in it.
    pub dataset: String,
    /// How the person named it, without secrets.
    pub name: String,
    /// The files, when it is a format over a store.
    pub files: Option<Files>,
}

/// What can be told of a source without touching it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Name of the format, where name or extension tell it.
    pub(crate) format: Option<&'static str>,
    /// What the source promises.
    pub(crate) capability: Capability,
}

impl Registry {
    /// Checks how a place is to be read: its kind, the options, and the files that these name.
    ///
    /// # Errors
    /// [`Kind::Config`] for unknown names and options, and what a format says about its options.
    pub(crate) fn known(&self, place: &Place, with: &Opening) -> Result<Known> {
        let (opened, options) = self.open(place, with, false)?;
        let (store, name, once) = match opened {
            Opened::Exchange { exchange, .. } => {
                no_options_left(place, &options)?;
                return Ok(Known { format: None, capability: exchange.info().capability });
            }
            Opened::Store { store, name, once } => (store, name, once),
        };
        let candidates = match &with.format {
            Some(format) => vec![self.entry(format)?],
            None => self.candidates(&name),
        };
        let mut refused: Option<Error> = None;
        for entry in &candidates {
            match files(entry, Arc::clone(&store), name.clone(), place, &options) {
                Ok(files) => {
                    let files = if once { files.once() } else { files };
                    let format = (candidates.len() == 1).then_some(entry.info.name);
                    return Ok(Known { format, capability: files.info().capability });
                }
                // Of several formats the one that knows the options, or almost, is meant.
                Err(error) => {
                    let meant =
                        error.code() != "core.option" || error.message().contains("did you mean");
                    if meant || refused.is_none() {
                        refused = Some(error);
                    }
                }
            }
        }
        Err(refused.unwrap_or_else(|| {
            Error::new(Kind::Config, "registry.unknown_format", "there is no format to read it")
        }))
    }

    /// Opens a place for reading.
    ///
    /// # Errors
    /// [`Kind::Config`] for unknown names and options, [`Kind::NotFound`] when nothing is there.
    pub async fn source(&self, place: &Place, with: &Opening) -> Result<SourceEnd> {
        let (opened, options) = self.open(place, with, false)?;
        let (store, name, once) = match opened {
            Opened::Exchange { exchange, dataset } => {
                no_options_left(place, &options)?;
                let input =
                    Input { exchange, dataset, name: place.text(), fingerprint: String::new() };
                return Ok(SourceEnd { input, files: None, format: None, reason: None });
            }
            Opened::Store { store, name, once } => (store, name, once),
        };
        let copies = Copies::default();
        let (entry, reason) = match &with.format {
            Some(format) => (self.entry(format)?, None),
            None => {
                let first = first_object(&*store, &name).await?;
                let looking =
                    self.recognise(&*store, &first, place, &options, &copies, &with.limits);
                let chosen = looking.await?;
                (chosen.entry, Some(chosen.reason))
            }
        };
        let files = files(entry, store, name, place, &options)?
            .having(copies)
            .threads(with.threads)
            .limits(with.limits.clone());
        let files = if once { files.once() } else { files };
        let files = files.shown_as(place.text());
        let input = Input {
            dataset: place.dataset().into(),
            name: place.text(),
            fingerprint: files.fingerprint().await?,
            exchange: Arc::new(files.clone()),
        };
        Ok(SourceEnd { input, files: Some(files), format: Some(entry.info.name), reason })
    }

    /// Opens a place for writing. Nothing is written or created yet.
    ///
    /// # Errors
    /// [`Kind::Config`] for unknown names and options.
    pub fn target(&self, place: &Place, with: &Opening) -> Result<TargetEnd> {
        let (opened, options) = self.open(place, with, true)?;
        let (store, name, once) = match opened {
            Opened::Exchange { exchange, dataset } => {
                no_options_left(place, &options)?;
                place.has_table()?;
                return Ok(TargetEnd { exchange, dataset, name: place.text(), files: None });
            }
            Opened::Store { store, name, once } => (store, name, once),
        };
        let entry = match (&with.format, self.by_extension(&name, true).as_slice()) {
            (Some(format), _) => self.entry(format)?,
            (None, [first, ..]) => first,
            // The neutral text form, for pipes.
            (None, []) if place.scheme() == "stdio" => self.entry("ndjson")?,
            (None, []) => {
                return Err(Error::new(
                    Kind::Config,
                    "registry.unknown_format",
                    format!("no format is written with the extension .{}", extension(&name)),
                )
                .source_name(place.text())
                .hint("name the format (--to, or format = in a configuration)"));
            }
        };
        let options = implied(entry, with.format.as_deref(), &name, &options)?;
        let files = files(entry, store, name, place, &options)?.shown_as(place.text());
        let files = if with.append && !once { files.in_parts() } else { files };
        Ok(TargetEnd {
            exchange: Arc::new(files.clone()),
            dataset: place.dataset().into(),
            name: place.text(),
            files: Some(files),
        })
    }

    /// Opens the place with its own options; returns those that are left for the format.
    fn open(&self, place: &Place, with: &Opening, write: bool) -> Result<(Opened, Options)> {
        let scheme = self.scheme(place)?;
        if (write && !scheme.write) || (!write && !scheme.read) {
            let what = if write { "written" } else { "read" };
            return Err(Error::new(
                Kind::Config,
                "registry.scheme",
                format!("{}: cannot be {what}", scheme.name),
            ));
        }
        let (own, rest): (Vec<_>, Vec<_>) = with
            .options
            .iter()
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .partition(|(key, _)| scheme.options.contains(&key.as_str()));
        let purpose = Purpose { write, format: with.format.is_some() };
        let opened = (scheme.open)(place, &own.into_iter().collect(), purpose)?;
        Ok((opened, rest.into_iter().collect()))
    }
}

/// The options with those that the extension implies below them: that of the format, if it was named by one
/// (`--to tsv`), else that of the object.
fn implied(
    entry: &FormatEntry,
    format: Option<&str>,
    name: &str,
    options: &Options,
) -> Result<Options> {
    let named = format.map(str::to_ascii_lowercase).filter(|format| format != entry.info.name);
    let extension = named.unwrap_or_else(|| extension(name));
    let mut all = (entry.make)(&Options::new())?.options_for(&extension);
    for (key, value) in options.iter() {
        all.set(key, value.clone());
    }
    Ok(all)
}

fn files(
    entry: &FormatEntry,
    store: Arc<dyn Store>,
    name: String,
    place: &Place,
    options: &Options,
) -> Result<Files> {
    let options = attach::files(options, &entry.info, place.base())?;
    attach::encoding(&options)?;
    let format: Arc<dyn Format> = (entry.make)(&options)?;
    Ok(Files::new(store, name, format).settled_by(Arc::clone(&entry.make), options))
}

async fn first_object(store: &dyn Store, name: &str) -> Result<Entry> {
    entries(store, name).await?.into_iter().next().ok_or_else(|| not_found(name))
}

fn no_options_left(place: &Place, options: &Options) -> Result<()> {
    let Some((name, _)) = options.iter().next() else {
        return Ok(());
    };
    let message = format!("{}: has no option {name}", place.scheme());
    Err(Error::new(Kind::Config, "core.option", message))
}
