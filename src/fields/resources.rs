//! What a mapping refers to: datasets to look into, and keys.

use std::path::Path;

use arrow_array::RecordBatch;
use fenhe_core::{Error, Kind, Limits, ReadRequest, Result, Secret};
use fenhe_mapping::{Context, Mapping};

use crate::place::Place;
use crate::registry::{Opening, Registry};

/// A key above this size is none.
const LARGEST_KEY: u64 = 64 << 10;
/// Rows that lookups of one mapping may hold.
const LARGEST_LOOKUP: u64 = 1 << 22;

/// Reads what the mapping refers to; places and paths count from `base`.
///
/// # Errors
/// Those of opening and reading the places, and [`Kind::Config`] with code `mapping.key` for a key that is not there.
pub(crate) async fn resources(
    mapping: &Mapping,
    registry: &Registry,
    base: &Path,
    limits: &Limits,
) -> Result<Context> {
    let mut context = Context::default();
    let at_field = |error: Error, resource: &str| match mapping.field_with(resource) {
        Some(field) => error.at_field(field),
        None => error,
    };
    for place in mapping.lookups() {
        let rows = dataset(place, registry, base, limits).await;
        let rows = rows.map_err(|error| at_field(error, place))?;
        context.lookups.insert(place.to_owned(), rows);
    }
    for name in mapping.secrets() {
        let secret = key(name, base).map_err(|error| at_field(error, name))?;
        context.secrets.insert(name.to_owned(), secret);
    }
    Ok(context)
}

async fn dataset(
    place: &str,
    registry: &Registry,
    base: &Path,
    limits: &Limits,
) -> Result<Vec<RecordBatch>> {
    let opening = Opening { limits: limits.clone(), ..Opening::default() };
    let source = registry.source(&Place::relative_to(place, base), &opening).await?;
    let request = ReadRequest {
        dataset: source.input.dataset,
        limits: limits.clone(),
        ..ReadRequest::default()
    };
    let mut reader = source.input.exchange.read(request).await?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = reader.next().await? {
        if let Some(reject) = batch.rejects.first() {
            let message = format!("a record of the lookup cannot be read: {reject}");
            return Err(Error::new(Kind::Invalid, "mapping.lookup", message));
        }
        rows += batch.rows() as u64;
        Limits::check("lookup_rows", LARGEST_LOOKUP, rows)?;
        batches.push(batch.records);
    }
    Ok(batches)
}

fn key(name: &str, base: &Path) -> Result<Secret> {
    let wrong = |message: String| Error::new(Kind::Config, "mapping.key", message);
    match name.split_once(':') {
        Some(("env", variable)) => std::env::var(variable).map(Secret::new).map_err(|_| {
            wrong(format!("the environment has no variable {variable}"))
                .hint(format!("export {variable} before the run; the key is not written here"))
        }),
        Some(("file", path)) => {
            let path = base.join(path);
            let named =
                |error: std::io::Error| Error::from(error).source_name(path.display().to_string());
            let size = std::fs::metadata(&path).map_err(named)?.len();
            Limits::check("key", LARGEST_KEY, size)?;
            let text = std::fs::read_to_string(&path).map_err(named)?;
            Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
        }
        _ => Err(wrong(format!("{name} names no key")).hint("write env:NAME or file:PATH")),
    }
}
