use std::fmt::Write;
use std::path::PathBuf;

use fenhe::core::Result;
use fenhe::core::arrow::schema::Schema;
use fenhe::mapping::{FieldMapping, Origin};
use fenhe::{ExchangeConfig, Prepared, Registry, Settings, outline, type_name};

use crate::progress::Watch;
use crate::table::Table;
use crate::{cores, out, report};

/// Run an exchange: deliver, put rejects aside, write a receipt
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration
    #[arg(value_name = "EXCHANGE.toml")]
    file: PathBuf,
    /// Show what would be done and stop
    #[arg(long)]
    plan: bool,
    /// Deliver from the start, whatever was delivered before
    #[arg(long)]
    restart: bool,
    /// Threads that decode, unless the configuration says
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the receipt as JSON instead of the table
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<u8> {
    let registry = Registry::with_defaults();
    let config = ExchangeConfig::load(&args.file)?;
    config.check(&registry)?;
    let settings = Settings { threads: args.threads.unwrap_or_else(cores), restart: args.restart };
    let flows = config.prepare(&registry, &settings).await?;
    if args.plan {
        return plan(&config, &flows).await;
    }
    let files: Vec<_> = flows.iter().map(|flow| flow.files.clone()).collect();
    let watch = Watch::start(&files).await;
    let ran = config.run(&flows, &watch.control).await;
    watch.end();
    let ran = ran?;
    for (flow, error) in &ran.errors {
        out::message(&format!("flow {flow} failed:"));
        report::error(error);
    }
    for (path, count) in &ran.workbooks {
        out::message(&format!("{count} rejected records to be corrected: {}", path.display()));
    }
    match args.json {
        true => out::json(&ran.receipt)?,
        false => {
            out::data(&report::receipt(&ran.receipt))?;
            out::data(&format!("receipt: {}\n", config.receipt().display()))?;
        }
    }
    let config_only =
        !ran.errors.is_empty() && ran.errors.iter().all(|(_, e)| crate::code_of(e) == 2);
    Ok(match ran.receipt.exit_code() {
        _ if config_only => 2,
        // Everything is delivered, but not everything that was asked for is there.
        0 if !ran.errors.is_empty() => 1,
        code => code,
    })
}

async fn plan(config: &ExchangeConfig, flows: &[Prepared]) -> Result<u8> {
    let mut text = String::new();
    for prepared in flows {
        let flow = &prepared.flow;
        let outline = outline(flow).await.map_err(|error| config.blame(&flow.name, error))?;
        let _ = writeln!(text, "{}: {} -> {}", flow.name, flow.source.name, flow.target.name);
        if let Some(reason) = &prepared.reason {
            let _ = writeln!(text, "  {reason}");
        }
        let mode = format!("{:?}", flow.target.mode).to_lowercase();
        let key = match flow.target.key.as_slice() {
            [] => String::new(),
            key => format!(" by {}", key.join(", ")),
        };
        let _ = writeln!(text, "  {mode}{key}; guarantee {}", outline.guarantee);
        text.push_str(&columns(prepared, &outline.source, &outline.target));
        if !outline.left_out.is_empty() {
            let _ = writeln!(text, "  columns left out: {}", outline.left_out.join(", "));
        }
        text.push('\n');
    }
    text.push_str(&references(config, flows));
    let _ = writeln!(text, "rejects: {}", config.rejects().display());
    for workbook in flows.iter().filter_map(|one| config.reject_workbook(&one.flow.name)) {
        let _ = writeln!(text, "workbook of rejects: {}", workbook.display());
    }
    let _ = writeln!(text, "receipt: {}", config.receipt().display());
    out::data(&text)?;
    Ok(0)
}

/// The keys of other datasets that were read for the rules of contracts.
fn references(config: &ExchangeConfig, flows: &[Prepared]) -> String {
    let mut text = String::new();
    let read = flows.first().map(|prepared| &prepared.flow.fields.keys.references);
    for (name, place, key) in config.references() {
        let keys = match read.and_then(|read| read.get(name)) {
            Some(one) => format!("{} keys", report::number(one.keys.len() as u64)),
            None => "not read, no contract refers to it".into(),
        };
        let _ = writeln!(text, "reference {name}: {place} by {}, {keys}", key.join(", "));
    }
    text
}

fn columns(prepared: &Prepared, source: &Schema, target: &Schema) -> String {
    let mut table = Table::new(&["field", "type", "", "made", "from type", "title"]);
    for field in target.fields() {
        let made = prepared.flow.fields.mapping.fields.iter().find(|f| f.name == *field.name());
        let column = match made.map(|made| &made.origin) {
            Some(Origin::Column(column)) => column.as_str(),
            Some(_) => "",
            None => field.name().as_str(),
        };
        let old = source.field_with_name(column).map(|old| type_name(old.data_type()));
        table.row([
            field.name().clone(),
            type_name(field.data_type()),
            if field.is_nullable() { String::new() } else { "required".into() },
            made.map_or_else(|| "as it is".into(), FieldMapping::explain),
            old.unwrap_or_default(),
            field.metadata().get(fenhe::core::schema::TITLE).cloned().unwrap_or_default(),
        ]);
    }
    table.text(2)
}
