//! The rejects of a delivery as a workbook for people.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use arrow_schema::Schema;
use fenhe_core::{Error, Kind, Limits, Reject, Result};

use crate::config::Prepared;
use crate::pump::outline;
use crate::rejects::{Rejected, sync_folder};
use crate::replay::{encoding_of, sheet};

/// Writes the rejects of one delivery, as they lie in the file of rejects `log`, into a workbook `to` that a clerk can correct and
/// send back (see [`fenhe_excel::reject_workbook`]); how many they are. The workbook takes the place of an older one only when it is whole.
/// Without rejects none is written.
///
/// # Errors
/// Input/output errors; [`Kind::Limit`] for more rejects than a sheet can have, or more bytes of them than `limits.memory`: the
/// file of rejects has them all.
pub fn reject_workbook(
    log: &Path,
    delivery: &str,
    schema: &Schema,
    to: &Path,
    limits: &Limits,
) -> Result<u64> {
    let rejects = read(log, delivery, limits)?;
    if rejects.is_empty() {
        return Ok(0);
    }
    put(&fenhe_excel::reject_workbook(schema, &rejects)?, to)?;
    Ok(rejects.len() as u64)
}

/// Writes the rejects of a delivery as a workbook that `fenhe replay` takes when it is corrected; how many they are.
/// Only records that `is_open`.
pub(crate) async fn flow_workbook(
    prepared: &Prepared,
    delivery: &str,
    is_open: impl Fn(u64) -> bool,
    to: &Path,
) -> Result<u64> {
    let flow = &prepared.flow;
    let Some(log) = &flow.rejects else { return Ok(0) };
    let mut rejects = read(&log.path, delivery, &flow.limits)?;
    rejects.retain(|reject| is_open(reject.record));
    if rejects.is_empty() {
        return Ok(0);
    }
    let encoding = encoding_of(prepared, &flow.limits).await?;
    let (schema, marks) = sheet(&rejects, delivery, &outline(flow).await?, encoding);
    put(&fenhe_excel::reject_workbook_with(&schema, &rejects, &marks)?, to)?;
    Ok(rejects.len() as u64)
}

/// The workbook is there as a whole or not at all.
fn put(book: &[u8], to: &Path) -> Result<()> {
    let named = |error: std::io::Error| Error::from(error).source_name(to.display().to_string());
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(named)?;
    part.write_all(book).and_then(|()| part.as_file().sync_all()).map_err(named)?;
    part.persist(to).map_err(|error| named(error.error))?;
    sync_folder(to)
}

fn read(log: &Path, delivery: &str, limits: &Limits) -> Result<Vec<Reject>> {
    let named = |error: Error| error.source_name(log.display().to_string());
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(named(error.into())),
    };
    let mut lines = BufReader::new(file);
    let (mut rejects, mut line, mut number, mut held) = (Vec::new(), Vec::new(), 0, 0);
    loop {
        line.clear();
        // Raw bytes stand in a line by two digits each.
        let most = limits.reject_raw.saturating_mul(2).saturating_add(1 << 20);
        let n =
            (&mut lines).take(most).read_until(b'\n', &mut line).map_err(|e| named(e.into()))?;
        if n == 0 {
            return Ok(rejects);
        }
        number += 1;
        let found: Rejected = serde_json::from_slice(&line).map_err(|cause| {
            let what = "this line of the file of rejects is no reject";
            named(Error::new(Kind::Invalid, "rejects.damaged", what).at_line(number, 1))
                .caused_by(cause)
        })?;
        if found.delivery == delivery {
            // A cell takes some hundred bytes beside its text, and the workbook is made in memory.
            held += 1024 + 4 * n as u64;
            Limits::check("memory", limits.memory, held)
                .map_err(|error| named(error).hint("the file of rejects holds them all"))?;
            rejects.push(found.reject);
        }
    }
}
