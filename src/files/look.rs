//! What is there by a name, and how it begins.

use fenhe_core::{Entry, Error, Format, Kind, Limits, Result, Sample, Store};

use super::identity::start_of;
use super::{Copies, companions, parts};

/// Bytes that a format is shown to recognise it. 256 KiB.
pub(super) const SAMPLE: u64 = 256 << 10;

/// The object of this name, else those that match it as a pattern, else its sealed parts.
pub(crate) async fn entries(store: &dyn Store, name: &str) -> Result<Vec<Entry>> {
    let pattern = name.contains(['*', '?', '[']);
    let error = match store.head(name).await {
        Ok(entry) => return Ok(vec![entry]),
        Err(error) => error,
    };
    match error.kind() {
        Kind::NotFound | Kind::Config | Kind::Unsupported if pattern => store.list(name).await,
        Kind::NotFound => parts::entries(store, name).await?.ok_or(error),
        _ => Err(error),
    }
}

/// The start of an object, as formats want to see it.
pub(crate) async fn sample(
    store: &dyn Store,
    entry: &Entry,
    format: &dyn Format,
    copies: &Copies,
    limits: &Limits,
) -> Result<Sample> {
    let info = format.info();
    let mut stream = store.get(&entry.name, 0).await?;
    // One more byte than is shown tells whether it is all.
    let start = start_of(&mut *stream, SAMPLE + 1).await?;
    let complete = (start.len() as u64) <= SAMPLE;
    let object = match info.whole_object {
        true => Some(store.open(&entry.name).await?),
        false => None,
    };
    let shown = usize::try_from(SAMPLE).unwrap_or(usize::MAX).min(start.len());
    Ok(Sample {
        bytes: start.slice(..shown),
        complete,
        object,
        size: entry.size.or(complete.then_some(start.len() as u64)),
        name: entry.name.clone(),
        companions: companions::open(store, &entry.name, info.companions, copies).await?,
        limits: limits.clone(),
    })
}

pub(crate) fn not_found(name: &str) -> Error {
    Error::new(Kind::NotFound, "files.not_found", format!("nothing is there by the name {name}"))
        .hint("check the name, and the folder that a relative path counts from")
}
