use std::path::{Path, PathBuf};
use std::sync::Arc;

use fenhe::core::arrow::schema::Schema;
use fenhe::core::{Options, Result, WriteMode};
use fenhe::{
    Access, Claims, Fields, Flow, KeepRows, OnError, Opening, Output, Place, Policy, Receipt,
    Registry, RejectFile, Status, pump, utc,
};

use crate::progress::Watch;
use crate::{cores, out, report};

/// Convert one file or table into another
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to read: a path, a URI, or - for standard input
    #[arg(value_name = "FROM")]
    source: String,
    /// What to write: a path, a URI, null: to count only, or - for standard output
    #[arg(value_name = "TO")]
    target: String,
    /// Format to read; otherwise told by name or content
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Format to write; otherwise told by name
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// Option for reading
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    read: Vec<String>,
    /// Option for writing; mode=append|upsert|replace and key=a,b for tables
    #[arg(short = 'O', value_name = "KEY=VALUE")]
    write: Vec<String>,
    /// File of the rejected records [default for files: TO.rejects.ndjson]; NAME.xlsx: they lie in NAME.xlsx.ndjson, and once
    /// more in a workbook in which the cells are marked and explained, to be corrected and read again
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// File of the receipt
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// What a record that cannot be read or written does
    #[arg(long, value_name = "WHAT", default_value = "reject", value_parser = ["fail", "reject"])]
    on_error: String,
    /// Stop when more than so many percent of the records are rejected, looked at from the thousandth record on [default: 5]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    max_rejects: Option<u64>,
    /// Threads that decode [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Limit of what is read; sizes may end in KiB, MiB, GiB. May be given several times
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// Only these columns, in this order
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Deliver from the start, whatever was delivered before
    #[arg(long)]
    restart: bool,
}

pub(crate) async fn convert(args: Args) -> Result<u8> {
    let (flow, files) = prepare(&args).await?;
    let mut receipt = Receipt::begin("convert");
    let watch = Watch::start(std::slice::from_ref(&files)).await;
    let mut ended = pump(&flow, &watch.control).await;
    watch.end();
    let mut explained = Vec::new();
    if let Some(files) = &files {
        ended.receipt.notes.extend(files.take_notes());
        explained = files.evidence(&flow.limits).await?.reasons;
    }
    let quiet = ended.error.as_ref().is_some_and(|error| error.code() == out::CLOSED);
    receipt.add(ended.receipt);
    receipt.ended = utc(std::time::SystemTime::now());
    if let Some(path) = &args.receipt {
        fenhe::write_receipt(path, &receipt.seal(fenhe::ledger::Algorithm::Sha256, None)?)?;
    }
    if quiet {
        return Ok(0);
    }
    let rejected = receipt.flows.iter().any(|flow| flow.books.rejects() > 0);
    if receipt.status != Status::Complete || rejected {
        out::message(report::receipt(&receipt).trim_end());
    } else {
        report::notes_alone(&receipt, &explained);
    }
    if rejected && let Some(book) = workbook(&args) {
        let delivery = receipt.flows.first().map_or("", |flow| flow.delivery.as_str());
        explain(&flow, delivery, book).await?;
    }
    if rejected && flow.rejects.is_none() {
        out::message("the rejected records are not kept: name a file with --rejects");
    }
    match &ended.error {
        Some(error) => {
            report::error(error);
            Ok(crate::code_of(error))
        }
        None => Ok(receipt.exit_code()),
    }
}

/// The workbook of rejects that is asked for.
fn workbook(args: &Args) -> Option<&Path> {
    let path = args.rejects.as_deref()?;
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("xlsx")).then_some(path)
}

/// Writes the workbook of rejects, with the columns of the source.
async fn explain(flow: &Flow, delivery: &str, book: &Path) -> Result<()> {
    let Some(log) = &flow.rejects else { return Ok(()) };
    let datasets = flow.source.exchange.discover().await?;
    let name = &flow.source.dataset;
    let found = datasets.iter().find(|found| name.is_empty() || found.name == *name);
    let schema = found.map_or_else(|| Arc::new(Schema::empty()), |found| found.schema.clone());
    let count = fenhe::reject_workbook(&log.path, delivery, &schema, book, &flow.limits)?;
    out::message(&format!("{count} rejected records to be corrected: {}", book.display()));
    Ok(())
}

async fn prepare(args: &Args) -> Result<(Flow, Option<fenhe::Files>)> {
    let registry = Registry::with_defaults();
    let mut limits = crate::limits(&args.limits)?;
    if let Some(percent) = args.max_rejects {
        limits.rejects_per_mille = percent * 10;
    }
    let mut write = Options::from_pairs(args.write.iter().map(String::as_str))?;
    let (mode, key) = fenhe::write_mode(&mut write)?;
    let to = Opening {
        format: args.to.clone(),
        options: write,
        limits: limits.clone(),
        append: mode == Some(WriteMode::Append),
        ..Opening::default()
    };
    let target = registry.target(&Place::parse(&args.target), &to)?;
    let from = Opening {
        format: args.from.clone(),
        options: Options::from_pairs(args.read.iter().map(String::as_str))?,
        threads: args.threads.unwrap_or_else(cores),
        limits: limits.clone(),
        ..Opening::default()
    };
    let source = registry.source(&Place::parse(&args.source), &from).await?;
    let able = target.exchange.info().capability;
    let mode = mode.unwrap_or_else(|| fenhe::usual_mode(&able, &key));
    let place = Place::parse(&args.target);
    let kept = match (&args.rejects, place.scheme()) {
        (Some(path), _) if workbook(args).is_some() => {
            Some(PathBuf::from(format!("{}.ndjson", path.display())))
        }
        (Some(path), _) => Some(path.clone()),
        (None, "file") => Some(PathBuf::from(format!("{}.rejects.ndjson", place.path().display()))),
        (None, _) => None,
    };
    let mut claims = Claims::default();
    claims.add_source("FROM", &Place::parse(&args.source), source.files.as_ref()).await?;
    claims.add_target("TO", &place, target.files.as_ref());
    for (name, file) in registry.attachments(&source, &from) {
        claims.add(format!("-o {name}"), &file, Access::Read);
    }
    for (role, path) in [
        ("the rejects", kept.as_deref()),
        ("the workbook of rejects", workbook(args)),
        ("the receipt", args.receipt.as_deref()),
    ] {
        if let Some(path) = path {
            claims.add(role, path, Access::Write);
        }
    }
    claims.check()?;
    let fresh = mode == WriteMode::Replace || target.files.is_some();
    let flow = Flow {
        name: "convert".into(),
        // Another source is another pipeline: two files may go into one table.
        pipeline: format!("convert {}", Place::parse(&args.source).identity()),
        plan: Flow::digest([
            format!("{:?} {:?} {:?} {key:?}", args.from, args.read, args.columns).as_str()
        ]),
        fields: Fields::default(),
        columns: args.columns.clone(),
        policy: Policy {
            on_error: if args.on_error == "fail" { OnError::Fail } else { OnError::Reject },
            restart: args.restart,
            ..Policy::default()
        },
        source: source.input,
        target: Output {
            exchange: target.exchange,
            dataset: target.dataset,
            name: target.name,
            mode,
            key,
            present: true,
        },
        rejects: kept.map(|path| RejectFile { path, fresh }),
        ledger: None,
        rows: if args.receipt.is_some() { KeepRows::Digest } else { KeepRows::None },
        replay: None,
        made_by: fenhe::MadeBy::default(),
        limits,
    };
    Ok((flow, source.files))
}
