//! Corrected rows and the records that they are about.

use std::collections::BTreeMap;

use bytes::Bytes;
use fenhe_core::{Raw, Reject, Result, nearest};
use fenhe_ledger::OpenReject;
use fenhe_text::Encoding;
use sha2::{Digest, Sha256};

use super::corrections::{Corrections, Line};
use super::list::OWN;
use super::raw;
use super::waiting::{Shape, Values, Waiting, text_of};
use crate::config::Prepared;
use crate::pump::{Outline, outline};

/// One corrected row.
#[derive(Clone, Debug)]
pub(super) struct Correction {
    pub(super) record: u64,
    pub(super) shape: Shape,
    pub(super) values: Vec<(String, Option<String>)>,
    /// What it was rejected as, and the bytes that take the place of the old ones.
    pub(super) again: Option<(Reject, Bytes)>,
}

/// The corrected rows of one delivery.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) delivery: String,
    pub(super) prepared: &'a Prepared,
    pub(super) rows: Vec<Correction>,
}

/// Both ends of a flow, as far as a correction has to know them.
struct Ends {
    outline: Outline,
    encoding: Option<Encoding>,
}

/// The rows of the list by the delivery that they belong to, and how many of them correct nothing.
///
/// # Errors
/// [`Kind::Config`](fenhe_core::Kind) with the line: `replay.unknown` for a record that is no open reject, `replay.flow` for one of another
/// flow, `replay.twice` for one that stands there twice, `replay.list` for values that have no place.
pub(super) async fn assign<'a>(
    flows: &'a [Prepared],
    open: &[OpenReject],
    corrections: &Corrections,
) -> Result<(Vec<Part<'a>>, u64)> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<(&str, u64), u64> = BTreeMap::new();
    let mut by_record: BTreeMap<u64, Vec<&OpenReject>> = BTreeMap::new();
    for one in open {
        by_record.entry(one.reject.record).or_default().push(one);
    }
    for line in corrections.lines() {
        let all = by_record.get(&line.record).map_or(&[][..], Vec::as_slice);
        let (one, prepared) = record_of(line, all, flows, corrections)?;
        if let Some(before) = seen.insert((one.delivery.as_str(), line.record), line.at) {
            let what = format!("record {} stands in line {before} already", line.record);
            let error = corrections.wrong("replay.twice", line.at, what);
            return Err(error.hint("keep one of both lines"));
        }
        found.push((line, one, prepared));
    }
    let mut ends: BTreeMap<&str, Ends> = BTreeMap::new();
    for (_, _, prepared) in &found {
        if !ends.contains_key(prepared.flow.name.as_str()) {
            let encoding = raw::encoding_of(prepared, &prepared.flow.limits).await?;
            let outline = outline(&prepared.flow).await?;
            ends.insert(&prepared.flow.name, Ends { outline, encoding });
        }
    }
    corrections.check_columns(&ends.values().map(|ends| &ends.outline).collect::<Vec<_>>())?;
    let mut parts: BTreeMap<&str, Part<'a>> = BTreeMap::new();
    let mut left_out = 0;
    for (line, one, prepared) in found {
        let Some(ends) = ends.get(prepared.flow.name.as_str()) else { continue };
        let Some(row) = corrected(line, one, ends, corrections)? else {
            left_out += 1;
            continue;
        };
        let part = || Part { delivery: one.delivery.clone(), prepared, rows: Vec::new() };
        parts.entry(one.delivery.as_str()).or_insert_with(part).rows.push(row);
    }
    Ok((parts.into_values().collect(), left_out))
}

/// The open reject that a line is about, and its flow.
fn record_of<'a, 'b>(
    line: &Line,
    open: &[&'b OpenReject],
    flows: &'a [Prepared],
    corrections: &Corrections,
) -> Result<(&'b OpenReject, &'a Prepared)> {
    let flow_of = |one: &OpenReject| flows.iter().find(|p| p.flow.name == one.flow);
    let fits = |one: &&OpenReject| match &line.delivery {
        Some(name) => *name == one.delivery,
        None => flow_of(one).is_some(),
    };
    let mut found = open.iter().copied().filter(fits);
    let (Some(one), None) = (found.next(), found.next()) else {
        let what = format!("record {} is not one open reject", line.record);
        return Err(corrections.wrong("replay.unknown", line.at, what).hint(
            "take the list of open rejects from the ledger again; keep its columns _delivery and _record",
        ));
    };
    match flow_of(one) {
        Some(prepared) => Ok((one, prepared)),
        None => {
            let what = format!("record {} belongs to the flow {}", line.record, one.flow);
            let names: Vec<&str> = flows.iter().map(|p| p.flow.name.as_str()).collect();
            let hint = format!("this is sent to {} only; nothing was sent", names.join(", "));
            Err(corrections.wrong("replay.flow", line.at, what).hint(hint))
        }
    }
}

/// What a line corrects, `None` if nothing.
fn corrected(
    line: &Line,
    open: &OpenReject,
    ends: &Ends,
    corrections: &Corrections,
) -> Result<Option<Correction>> {
    let waiting = Waiting::of(open, &ends.outline);
    if line.of_rejects {
        return of_reject(line, &waiting, ends, corrections);
    }
    let shape = match line.shape {
        Some(shape) if !waiting.allows(shape) => {
            let what = format!(
                "record {} has the shape {}, not {}",
                line.record,
                waiting.shape.name(),
                shape.name()
            );
            let error = corrections.wrong("replay.list", line.at, what);
            return Err(
                error.hint("leave _shape as it was, or take the list from the ledger again")
            );
        }
        shape => shape.unwrap_or(waiting.shape),
    };
    let filled = line.values.iter().any(|(_, value)| value.is_some());
    if filled {
        corrections.check_row(line, shape, &ends.outline)?;
    }
    if shape != Shape::Raw {
        return Ok(filled.then(|| as_row(line, shape, &waiting, ends)));
    }
    // Fields that were filled in stand for the record, whatever its bytes say.
    let values = line.values.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
    if filled && !waiting.had(values) {
        return Ok(Some(as_row(line, shape, &waiting, ends)));
    }
    // Bytes that became a row in the meantime, which was refused in its turn, are those of the first time.
    let first = (waiting.first.raw_is == Raw::Source).then_some(waiting.first);
    let Some(old) = waiting.bytes.or(first) else { return Ok(None) };
    let bytes = line.given.bytes(old, waiting.first, ends.encoding);
    let bytes = bytes.map_err(|error| error.source_name(corrections.name()).at_line(line.at, 1))?;
    match corrected_bytes(&bytes, &waiting) {
        true => Ok(Some(as_bytes(line, old, bytes))),
        false => Ok(filled.then(|| as_row(line, shape, &waiting, ends))),
    }
}

/// The correction that a line of a file of rejects is.
fn of_reject(
    line: &Line,
    waiting: &Waiting<'_>,
    ends: &Ends,
    corrections: &Corrections,
) -> Result<Option<Correction>> {
    let bytes = line.given.bytes(waiting.first, waiting.first, ends.encoding);
    let bytes = bytes.map_err(|error| error.source_name(corrections.name()).at_line(line.at, 1))?;
    if waiting.first.raw_is == Raw::Source {
        let sent = corrected_bytes(&bytes, waiting);
        return Ok(sent.then(|| as_bytes(line, waiting.first, bytes)));
    }
    let wrong = |what: &str| {
        let what = format!("the bytes of record {} {what}", line.record);
        corrections.wrong("replay.list", line.at, what)
    };
    let row: Values = serde_json::from_slice(&bytes).map_err(|_| wrong("are no row as JSON"))?;
    let shape = waiting.first_shape();
    let schema = shape.columns(&ends.outline);
    if let Some(field) = schema.fields().iter().find(|field| !row.contains_key(field.name())) {
        let error = wrong("have no such field").at_field(field.name().clone());
        return Err(match nearest(field.name(), row.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("{near} stands there")),
            None => error,
        });
    }
    let fields = schema.fields().iter().map(|field| field.name());
    let value = |name: &String| (name.clone(), row.get(name).and_then(|value| text_of(value)));
    let values = fields.map(value).collect();
    Ok(Some(Correction { record: line.record, shape, values, again: None }))
}

/// Whether these bytes are others than those that could not be decoded.
fn corrected_bytes(bytes: &Bytes, waiting: &Waiting<'_>) -> bool {
    !raw::is_of(bytes, waiting.first) && !raw::is_of(bytes, waiting.last)
}

fn as_bytes(line: &Line, old: &Reject, bytes: Bytes) -> Correction {
    let again = Some((old.clone(), bytes));
    Correction { record: line.record, shape: Shape::Raw, values: Vec::new(), again }
}

/// The values of a line. Those under a name that is one of the list's own stay what they were.
fn as_row(line: &Line, shape: Shape, waiting: &Waiting<'_>, ends: &Ends) -> Correction {
    let fields = shape.columns(&ends.outline).fields().iter().map(|field| field.name());
    let value = |name: &String| {
        let value = match OWN.contains(&name.as_str()) {
            true => waiting.values.get(name).and_then(|value| text_of(value)),
            false => line.values.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone()),
        };
        (name.clone(), value)
    };
    let shape = if shape == Shape::Raw { Shape::Target } else { shape };
    Correction { record: line.record, shape, values: fields.map(value).collect(), again: None }
}

/// What identifies corrected rows: the same list is not sent twice.
pub(super) fn fingerprint(rows: &[Correction]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    for row in rows {
        add(&row.record.to_string());
        add(row.shape.name());
        for (name, value) in &row.values {
            add(name);
            add(value.as_deref().unwrap_or("\0"));
        }
        if let Some((_, bytes)) = &row.again {
            add(&hex::encode(bytes));
        }
    }
    hex::encode(hash.finalize())
}
