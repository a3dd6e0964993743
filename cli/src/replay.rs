use std::path::{Path, PathBuf};

use fenhe::core::{
    Batch, Error, Kind, Limits, Options, Position, Result, Span, WriteMode, WriteRequest,
};
use fenhe::ledger::{Ledger, OpenReject};
use fenhe::{Corrections, ExchangeConfig, Opening, Place, Prepared, Registry, Resent, Settings};

use crate::progress::Watch;
use crate::table::Table;
use crate::{cores, out, report};

/// List rejected records that nobody has delivered since, and send corrected ones again
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration, or the ledger, which knows it
    #[arg(value_name = "EXCHANGE.toml|LEDGER.db")]
    file: PathBuf,
    /// Only this flow
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Write the list to correct: .csv, .ndjson, .xlsx
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// The corrected list, to be sent again
    #[arg(long, value_name = "FILE", conflicts_with = "export")]
    corrected: Option<PathBuf>,
    /// Print JSON: the list, what was exported, or the receipt
    #[arg(long)]
    json: bool,
}

pub(crate) async fn replay(args: Args) -> Result<u8> {
    let registry = Registry::with_defaults();
    let config = ExchangeConfig::load(&configuration(&args.file)?)?;
    if let Some(name) = &args.flow {
        known(&config, name)?;
    }
    let wanted = |flow: &str| args.flow.as_ref().is_none_or(|name| name == flow);
    let mut open = config.open_rejects()?;
    open.retain(|one| wanted(&one.flow));
    let settings = Settings { threads: cores(), restart: false };
    if args.corrected.is_none() && args.export.is_none() {
        match args.json {
            true => out::json(&open.iter().map(Listed::of).collect::<Vec<_>>())?,
            false => out::data(&listed(&open))?,
        }
        return Ok(0);
    }
    let mut flows = config.prepare(&registry, &settings).await?;
    flows.retain(|prepared| wanted(&prepared.flow.name));
    match (&args.corrected, &args.export) {
        (Some(file), _) => send(&config, &registry, &flows, file, args.json).await,
        (None, Some(file)) => export(&registry, &flows, &open, file, args.json).await,
        (None, None) => Ok(0),
    }
}

/// Refuses the name of a flow that the exchange does not have.
fn known(config: &ExchangeConfig, name: &str) -> Result<()> {
    let names: Vec<&str> = config.flows().collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::new(Kind::Config, "replay.flow", format!("there is no flow {name}"))
        .source_name(config.file().display().to_string())
        .hint(format!("--flow with one of: {}", names.join(", "))))
}

/// The configuration itself, or the one that the ledger was last written by.
fn configuration(file: &Path) -> Result<PathBuf> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        return Ok(file.into());
    }
    match Ledger::open_existing(file)?.configuration()? {
        Some(path) => Ok(path.into()),
        None => Err(Error::new(
            Kind::NotFound,
            "replay.configuration",
            "the ledger does not say which configuration it was written by",
        )
        .hint("name the configuration instead")),
    }
}

/// A record that waits, in JSON.
#[derive(serde::Serialize)]
struct Listed<'a> {
    flow: &'a str,
    delivery: &'a str,
    record: u64,
    code: &'a str,
    field: &'a str,
    expected: &'a str,
    found: &'a str,
}

impl<'a> Listed<'a> {
    fn of(open: &'a OpenReject) -> Self {
        let fault = &open.reject.fault;
        Self {
            flow: &open.flow,
            delivery: &open.delivery,
            record: open.reject.record,
            code: &fault.code,
            field: &fault.field,
            expected: &fault.expected,
            found: &fault.found,
        }
    }
}

fn listed(open: &[OpenReject]) -> String {
    if open.is_empty() {
        return "no record waits for correction\n".into();
    }
    let mut table = Table::new(&["flow", "record", "field", "expected", "found", "code"]).right(1);
    for OpenReject { flow, reject, .. } in open {
        let fault = &reject.fault;
        table.row([
            flow.clone(),
            reject.record.to_string(),
            fault.field.clone(),
            fault.expected.clone(),
            fault.found.clone(),
            fault.code.to_string(),
        ]);
    }
    table.text(0)
}

async fn export(
    registry: &Registry,
    flows: &[Prepared],
    open: &[OpenReject],
    file: &Path,
    json: bool,
) -> Result<u8> {
    let names: std::collections::BTreeSet<&str> =
        open.iter().map(|one| one.flow.as_str()).collect();
    if names.len() > 1 {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::new(
            Kind::Config,
            "replay.flow",
            "a list holds the rejects of one flow",
        )
        .hint(format!("--flow with one of: {names}")));
    }
    let flow = flows.iter().find(|prepared| names.contains(prepared.flow.name.as_str()));
    let Some(prepared) = flow else {
        match json {
            true => out::json(&serde_json::json!({ "records": 0 }))?,
            false => out::data("no record waits for correction\n")?,
        }
        return Ok(0);
    };
    let list = prepared.correction_list(open).await?;
    let place = Place::parse(&file.display().to_string());
    let target = registry.target(&place, &Opening::default())?;
    let request = WriteRequest {
        dataset: target.dataset,
        schema: list.schema(),
        mode: WriteMode::Replace,
        key: Vec::new(),
        pipeline: String::new(),
        limits: Limits::default(),
    };
    let mut writer = target.exchange.write(request).await?;
    let span = Span { first: 1, read: list.num_rows() as u64, ..Span::default() };
    let batch = Batch::new(list, Vec::new(), span, Position::new("fenhe", 1, &0)?)?;
    writer.write(&batch).await?;
    let written = writer.close().await?;
    let path = file.display().to_string();
    match json {
        true => out::json(&serde_json::json!({ "records": written.rows, "file": path }))?,
        false => out::data(&format!("{} records to correct: {path}\n", written.rows))?,
    }
    Ok(0)
}

async fn send(
    config: &ExchangeConfig,
    registry: &Registry,
    flows: &[Prepared],
    file: &Path,
    json: bool,
) -> Result<u8> {
    let mut options = Options::new();
    options.set("types", "text");
    let opening = Opening { options, threads: 1, ..Opening::default() };
    let list = registry.source(&Place::parse(&file.display().to_string()), &opening).await?;
    let corrections = Corrections::read(&list, &opening.limits).await?;
    let watch = Watch::start(&[]).await;
    let ran = config.replay(flows, &corrections, &watch.control).await;
    watch.end();
    let Resent { ran, left_out } = ran?;
    if left_out > 0 {
        out::message(&format!(
            "{left_out} rows of the list correct nothing: they are left out and stay open"
        ));
    }
    let Some(ran) = ran else {
        match json {
            true => out::json(&serde_json::json!({ "flows": [], "left_out": left_out }))?,
            false => out::data("nothing to send\n")?,
        }
        return Ok(0);
    };
    for (flow, error) in &ran.errors {
        out::message(&format!("flow {flow} failed:"));
        report::error(error);
    }
    match json {
        true => out::json(&ran.receipt)?,
        false => {
            out::data(&report::receipt(&ran.receipt))?;
            for flow in &ran.receipt.flows {
                let Some(delivery) = &flow.replay_of else { continue };
                if let Some(books) = config.delivery_books(delivery)? {
                    out::data(&report::netted(&flow.flow, &books))?;
                }
            }
            out::data(&format!("receipt: {}\n", config.replay_receipt().display()))?;
        }
    }
    Ok(ran.receipt.exit_code())
}
