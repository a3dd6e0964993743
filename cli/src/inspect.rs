use std::fmt::Write;

use fenhe::core::arrow::array::RecordBatch;
use fenhe::core::arrow::schema::{Field, Schema};
use fenhe::core::{
    Dataset, Error, Evidence, Found, Kind, Limits, Options, ReadRequest, Result, nearest, schema,
};
use fenhe::{Opening, Place, Registry, SourceEnd, type_name};
use serde_json::{Value, json};

use crate::report::number;
use crate::table::Table;
use crate::{copybook, out};

/// Show what is in a file or system, and the evidence for it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to look at: a path, a URI, or - for standard input
    #[arg(value_name = "PLACE", required_unless_present = "copybook")]
    place: Option<String>,
    /// The format; otherwise told by name or content
    #[arg(long = "as", value_name = "FORMAT")]
    format: Option<String>,
    /// Option for reading
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// The COBOL copybook of the data: its layout is shown, or how PLACE might be read by it
    #[arg(long, value_name = "FILE")]
    copybook: Option<String>,
    /// Show the first rows as well
    #[arg(long, value_name = "N", default_value_t = 0)]
    head: usize,
    /// Limit of what is read; sizes may end in KiB, MiB, GiB. May be given several times
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What was found in a place.
struct Seen {
    reasons: Vec<String>,
    evidence: Option<Evidence>,
    datasets: Vec<Shown>,
}

struct Shown {
    found: Found,
    rows: Vec<RecordBatch>,
    rejects: usize,
}

pub(crate) async fn inspect(args: Args) -> Result<u8> {
    let mut options = Options::from_pairs(args.options.iter().map(String::as_str))?;
    let mut format = args.format.clone();
    if let Some(file) = &args.copybook {
        options.set("copybook", file.as_str());
        format.get_or_insert_with(|| copybook::FORMAT.into());
    }
    let registry = Registry::with_defaults();
    let Some(name) = &args.place else {
        copybook::layout(&registry, &options, args.json)?;
        return Ok(0);
    };
    let by_copybook =
        format.as_deref() == Some(copybook::FORMAT) && options.get("copybook").is_some();
    let limits = crate::limits(&args.limits)?;
    let opening = Opening {
        format,
        options: options.clone(),
        threads: 1,
        limits: limits.clone(),
        ..Opening::default()
    };
    let place = Place::parse(name);
    let source = registry.source(&place, &opening).await?;
    let seen = look(&source, place.dataset(), args.head, &limits).await?;
    let advice = match &source.files {
        Some(files) if by_copybook => Some(copybook::advice(&registry, &options, files).await?),
        _ => None,
    };
    if args.json {
        let mut value = as_json(&place.text(), &source, &seen)?;
        if let (Some(advice), Some(members)) = (advice, value.as_object_mut()) {
            let advice = serde_json::to_value(advice).map_err(std::io::Error::from)?;
            members.insert("hypotheses".to_owned(), advice);
        }
        out::json(&value)?;
    } else {
        let mut text = as_text(&place.text(), &source, &seen)?;
        if let Some(advice) = advice {
            text.push_str(&copybook::as_text(&advice));
        }
        out::data(&text)?;
    }
    Ok(0)
}

async fn look(source: &SourceEnd, only: &str, head: usize, limits: &Limits) -> Result<Seen> {
    let mut reasons: Vec<String> = source.reason.iter().cloned().collect();
    let mut evidence = None;
    let found: Vec<Found> = match &source.files {
        Some(files) => {
            let looked = files.evidence(limits).await?;
            reasons.extend(looked.reasons.iter().cloned());
            evidence.insert(looked).datasets.clone()
        }
        None => source.input.exchange.discover().await?.into_iter().map(found_of).collect(),
    };
    let mut found = found;
    if !only.is_empty() && !found.iter().any(|found| found.name == only) {
        found = vec![unlisted(source, only, &found).await?];
    }
    let mut datasets = Vec::new();
    for found in found.into_iter().filter(|found| only.is_empty() || found.name == only) {
        let (rows, rejects) = match head {
            0 => (Vec::new(), 0),
            _ => first_rows(source, &found.name, head, limits).await?,
        };
        datasets.push(Shown { found, rows, rejects });
    }
    Ok(Seen { reasons, evidence, datasets })
}

/// A dataset that can be read and is not listed: receipts of a front table, a name in other letters.
async fn unlisted(source: &SourceEnd, name: &str, listed: &[Found]) -> Result<Found> {
    if source.files.is_some() {
        return Err(no_dataset(name, listed));
    }
    let request = ReadRequest { dataset: name.into(), ..ReadRequest::default() };
    match source.input.exchange.read(request).await {
        Ok(reader) => {
            let (name, schema) = (name.to_owned(), reader.schema());
            Ok(Found { name, schema, records: None, columns: Vec::new() })
        }
        Err(error) if error.kind() == Kind::NotFound => Err(no_dataset(name, listed)),
        Err(error) => Err(error),
    }
}

fn no_dataset(name: &str, found: &[Found]) -> Error {
    let message = format!("there is no dataset {name}");
    let error = Error::new(Kind::Config, "inspect.dataset", message);
    let names = || found.iter().map(|found| found.name.as_str()).filter(|name| !name.is_empty());
    if names().next().is_none() {
        return error.hint("the place has no names for what it holds: leave out # and the name");
    }
    match nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
    }
}

fn found_of(dataset: Dataset) -> Found {
    Found {
        name: dataset.name,
        schema: dataset.schema,
        records: dataset.records,
        columns: Vec::new(),
    }
}

async fn first_rows(
    source: &SourceEnd,
    dataset: &str,
    head: usize,
    limits: &Limits,
) -> Result<(Vec<RecordBatch>, usize)> {
    let limits = Limits { batch_rows: head as u64, ..limits.clone() };
    let request = ReadRequest { dataset: dataset.into(), limits, ..ReadRequest::default() };
    let mut reader = source.input.exchange.read(request).await?;
    let (mut rows, mut left, mut rejects) = (Vec::new(), head, 0);
    while left > 0 {
        let Some(batch) = reader.next().await? else {
            break;
        };
        rejects += batch.rejects.len();
        let taken = batch.rows().min(left);
        rows.push(batch.records.slice(0, taken));
        left -= taken;
    }
    Ok((rows, rejects))
}

fn as_text(place: &str, source: &SourceEnd, seen: &Seen) -> Result<String> {
    let mut text = format!("{place}\n");
    for reason in &seen.reasons {
        let _ = writeln!(text, "  {}", out::printable(reason));
    }
    if let Some(evidence) = seen.evidence.as_ref().filter(|evidence| !evidence.options.is_empty()) {
        let settled: Vec<String> =
            evidence.options.iter().map(|(key, value)| option(key, value)).collect();
        let format = source.format.unwrap_or_default();
        let _ = writeln!(text, "  the same, said in words: --as {format} {}", settled.join(" "));
    }
    for shown in &seen.datasets {
        let found = &shown.found;
        let records = found.records.map_or(String::new(), |n| format!(", {} records", number(n)));
        let name = match found.name.as_str() {
            "" => "columns".to_owned(),
            name => format!("{name}: columns"),
        };
        let _ = writeln!(text, "\n{name} {}{records}", found.schema.fields().len());
        text.push_str(&columns(found));
        if !shown.rows.is_empty() {
            text.push('\n');
            text.push_str(&rows(&found.schema, &shown.rows)?);
        }
        if shown.rejects > 0 {
            let _ =
                writeln!(text, "  {} of the records looked at would be rejected", shown.rejects);
        }
    }
    Ok(text)
}

fn option(key: &str, value: &Value) -> String {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(","),
        other => other.to_string(),
    };
    match value.contains([' ', '\t', '\'', '"', '|', ';', '&', '$', '*']) || value.is_empty() {
        true => format!("-o '{key}={}'", value.replace('\'', r"'\''")),
        false => format!("-o {key}={value}"),
    }
}

fn columns(found: &Found) -> String {
    let mut table = Table::new(&["column", "type", "", "there", "title", "because"]);
    for field in found.schema.fields() {
        let why = found.columns.iter().find(|(name, _)| name == field.name());
        table.row([
            field.name().clone(),
            type_name(field.data_type()),
            if field.is_nullable() { String::new() } else { "required".into() },
            metadata(field, schema::NATIVE_TYPE),
            metadata(field, schema::TITLE),
            why.map_or(String::new(), |(_, why)| why.clone()),
        ]);
    }
    table.text(2)
}

fn metadata(field: &Field, key: &str) -> String {
    field.metadata().get(key).cloned().unwrap_or_default()
}

fn rows(schema: &Schema, batches: &[RecordBatch]) -> Result<String> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut table = Table::new(&names);
    for batch in batches {
        for row in row_values(batch)? {
            table.row(names.iter().map(|name| row.get(*name).map_or(String::new(), cell)));
        }
    }
    Ok(table.text(2))
}

/// Rows as JSON objects.
fn row_values(batch: &RecordBatch) -> Result<Vec<Value>> {
    let lines = fenhe::ndjson::rows(batch)?;
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let values = lines.map(serde_json::from_slice).collect::<std::result::Result<_, _>>();
    Ok(values.map_err(std::io::Error::from)?)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn as_json(place: &str, source: &SourceEnd, seen: &Seen) -> Result<Value> {
    let datasets: Vec<Value> = seen
        .datasets
        .iter()
        .map(|shown| {
            let columns: Vec<Value> = shown.found.schema.fields().iter().map(|field| {
                let why = shown.found.columns.iter().find(|(name, _)| name == field.name());
                json!({
                    "name": field.name(),
                    "type": type_name(field.data_type()),
                    "nullable": field.is_nullable(),
                    "metadata": field.metadata().iter().collect::<std::collections::BTreeMap<_, _>>(),
                    "because": why.map(|(_, why)| why),
                })
            }).collect();
            let mut rows: Vec<Value> = Vec::new();
            for batch in &shown.rows {
                rows.extend(row_values(batch)?);
            }
            Ok(json!({"name": shown.found.name, "records": shown.found.records, "columns": columns, "rows": rows}))
        })
        .collect::<Result<_>>()?;
    Ok(json!({
        "place": place,
        "format": source.format,
        "fingerprint": source.input.fingerprint,
        "confidence": seen.evidence.as_ref().map(|evidence| evidence.confidence),
        "options": seen.evidence.as_ref().map(|evidence| &evidence.options),
        "reasons": seen.reasons,
        "datasets": datasets,
    }))
}
