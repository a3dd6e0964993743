//! Which format a file has: by its name, else by looking.

use std::sync::Arc;

use fenhe_core::{Entry, Error, Format, Kind, Limits, Options, Result, Store};

use super::{FormatEntry, Registry, attach};
use crate::files::{Copies, sample};
use crate::place::Place;

/// Below this a format would rather guess than know.
const SURE_ENOUGH: u8 = 30;

/// A format chosen for a place, and why.
pub(super) struct Chosen<'a> {
    pub(super) entry: &'a FormatEntry,
    pub(super) reason: String,
}

impl Registry {
    /// The formats that claim the extension of a name, compression aside.
    pub(super) fn by_extension(&self, name: &str, write: bool) -> Vec<&FormatEntry> {
        let extension = extension(name);
        let able = |entry: &&FormatEntry| if write { entry.info.write } else { entry.info.read };
        self.formats
            .iter()
            .filter(able)
            .filter(|entry| entry.info.extensions.contains(&extension.as_str()))
            .collect()
    }

    /// The formats that an object of this name may have: those that claim its extension, else all that are read.
    pub(super) fn candidates(&self, name: &str) -> Vec<&FormatEntry> {
        let claimed = self.by_extension(name, false);
        match claimed.is_empty() {
            true => self.formats.iter().filter(|entry| entry.info.read).collect(),
            false => claimed,
        }
    }

    /// The format of an object: the only one that claims its extension, else the one surest of its content.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `registry.unknown_format` when no format is sure enough.
    pub(super) async fn recognise(
        &self,
        store: &dyn Store,
        entry: &Entry,
        place: &Place,
        options: &Options,
        copies: &Copies,
        limits: &Limits,
    ) -> Result<Chosen<'_>> {
        let candidates = self.candidates(&entry.name);
        if let [only] = candidates.as_slice() {
            let reason =
                format!("format {}: by the extension .{}", only.info.name, extension(&entry.name));
            return Ok(Chosen { entry: only, reason });
        }
        let mut sure: Vec<(u8, &FormatEntry)> = Vec::new();
        let mut refused = None;
        for candidate in candidates {
            match confidence(candidate, store, entry, place, options, copies, limits).await {
                Ok(confidence) => sure.push((confidence, candidate)),
                Err(error) => refused = Some(error),
            }
        }
        sure.sort_by_key(|(confidence, _)| std::cmp::Reverse(*confidence));
        match sure.as_slice() {
            [(confidence, best), rest @ ..] if *confidence >= SURE_ENOUGH => {
                let next = rest.first().map_or(String::new(), |(confidence, next)| {
                    format!(", next {} with {confidence}", next.info.name)
                });
                let name = best.info.name;
                let reason =
                    format!("format {name}: by the content, {confidence} of 100 sure{next}");
                Ok(Chosen { entry: best, reason })
            }
            [] => Err(refused.unwrap_or_else(|| unknown(entry))),
            _ => Err(unknown(entry)),
        }
    }
}

async fn confidence(
    candidate: &FormatEntry,
    store: &dyn Store,
    entry: &Entry,
    place: &Place,
    options: &Options,
    copies: &Copies,
    limits: &Limits,
) -> Result<u8> {
    let options = attach::files(options, &candidate.info, place.base())?;
    let format: Arc<dyn Format> = (candidate.make)(&options)?;
    let sample = sample(store, entry, &*format, copies, limits).await?;
    Ok(format.infer(&sample)?.confidence)
}

fn unknown(entry: &Entry) -> Error {
    Error::new(Kind::Config, "registry.unknown_format", "no format recognises the content")
        .source_name(entry.name.clone())
        .hint("name the format (--as, --from, or format = in a configuration)")
}

/// The extension in lower case, without that of a compression.
pub(super) fn extension(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = [".gz", ".zst"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    let file = plain.rsplit('/').next().unwrap_or(plain);
    file.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_is_no_format() {
        assert_eq!(extension("a/费用.CSV.gz"), "csv");
        assert_eq!(extension("a.b/费用"), "");
    }
}
