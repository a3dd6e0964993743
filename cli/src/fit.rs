use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fenhe::core::{Error, Kind, Limits, Options, ReadRequest, Reader, Result, nearest};
use fenhe::{Access, Claims, Opening, Place, Reference, Registry, SourceEnd, utc};
use fenhe_contract::{Contract, Document};
use fenhe_fit::report::{ContractFit, Item, Report, Status};
use fenhe_fit::{Fit, Profile, Profiler};
use fenhe_mapping::{Context, Mapping};
use fenhe_rules::{Date, Rule};

use crate::report::number;
use crate::table::Table;
use crate::{out, report};

/// Show what a system can supply to a contract, what is missing, and how good its rows are
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The system: a path, a URI
    #[arg(value_name = "PLACE")]
    place: String,
    /// The contract (or overlay); may be given several times
    #[arg(long = "contract", required = true, value_name = "FILE")]
    contracts: Vec<PathBuf>,
    /// A mapping that is written already; its fields are taken as they are
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// How people call the system, for the report; otherwise the name of its file or table
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another connected system that may hold the same, perhaps with its name before; may be given several times
    #[arg(long, value_name = "[NAME=]PLACE")]
    also: Vec<String>,
    /// Keys of another dataset, for rules of the kind reference: as the contract calls them, perhaps with the columns of the
    /// key, otherwise those that the contract compares; may be given several times
    #[arg(long = "reference", value_name = "NAME[:COLUMN,...]=PLACE")]
    references: Vec<String>,
    /// Write the report as one HTML page, Chinese and English
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// The format of the system; otherwise told by name or content
    #[arg(long = "as", value_name = "FORMAT")]
    format: Option<String>,
    /// Option for reading
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// Limit of what is read; sizes may end in KiB, MiB, GiB. May be given several times
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    /// The day of the check instead of today
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<String>,
}

pub(crate) async fn fit(args: Args) -> Result<u8> {
    match asked(&args) {
        Ok(asked) => report_on(args, asked).await,
        // What is asked for is configuration: a file that is not there too.
        Err(error) => {
            report::error(&error);
            Ok(2)
        }
    }
}

/// What a system is held against.
struct Asked {
    today: Date,
    contracts: Vec<Contract>,
    mapping: Option<Mapping>,
}

fn asked(args: &Args) -> Result<Asked> {
    Ok(Asked {
        today: day(args.day.as_deref())?,
        contracts: args.contracts.iter().map(|path| contract(path)).collect::<Result<_>>()?,
        mapping: args.mapping.as_deref().map(mapping).transpose()?,
    })
}

async fn report_on(args: Args, asked: Asked) -> Result<u8> {
    let Asked { today, contracts, mapping } = asked;
    let limits = crate::limits(&args.limits)?;
    let opening = Opening {
        format: args.format.clone(),
        options: Options::from_pairs(args.options.iter().map(String::as_str))?,
        threads: 1,
        limits: limits.clone(),
        ..Opening::default()
    };
    let registry = Registry::with_defaults();
    let source = registry.source(&Place::parse(&args.place), &opening).await?;
    let name = args.name.clone().unwrap_or_else(|| short(&args.place));
    let mut claims = Claims::default();
    claims.add_source("PLACE", &Place::parse(&args.place), source.files.as_ref()).await?;
    let profile = profile(&source, &name, today, &limits).await?;
    let mut others = Vec::new();
    for place in &args.also {
        let (name, place) = named(place);
        let opening = Opening { threads: 1, limits: limits.clone(), ..Opening::default() };
        let other = registry.source(&Place::parse(&place), &opening).await?;
        claims.add_source("--also", &Place::parse(&place), other.files.as_ref()).await?;
        others.push(self::profile(&other, &name, today, &limits).await?);
    }
    for file in args.contracts.iter().chain(&args.mapping) {
        claims.add("contract or mapping", file, Access::Read);
    }
    if let Some(page) = &args.html {
        claims.add("--html", page, Access::Write);
    }
    claims.check()?;
    let context = Context::default();
    let mut rules = fenhe_rules::Context::on(today);
    for text in &args.references {
        let (name, keys) = reference(text, &contracts, &registry, &limits).await?;
        rules.references.insert(name, keys);
    }
    let mut fit = Fit::new(&profile, &contracts, &others, mapping.as_ref(), &context, &rules)?;
    let mut reader = read(&source, &limits).await?;
    while let Some(batch) = reader.next().await? {
        fit.check(&batch)?;
    }
    let report = fit.finish();
    if let Some(path) = &args.html {
        std::fs::write(path, report.html())
            .map_err(|error| Error::from(error).source_name(path.display().to_string()))?;
    }
    match args.json {
        true => out::json(&report)?,
        false => out::data(&as_text(&report, args.html.as_deref()))?,
    }
    Ok(0)
}

/// A contract, or an overlay with its base.
fn contract(path: &Path) -> Result<Contract> {
    match Document::load(path)? {
        Document::Contract(contract) => Ok(*contract),
        Document::Overlay(overlay) => overlay.contract().cloned(),
    }
}

fn mapping(path: &Path) -> Result<Mapping> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).source_name(shown.clone()))?;
    Mapping::parse(text.strip_prefix('\u{feff}').unwrap_or(&text), &shown)
}

fn day(given: Option<&str>) -> Result<Date> {
    let text =
        given.map_or_else(|| utc(SystemTime::now()).chars().take(10).collect(), String::from);
    text.parse().map_err(|_| {
        Error::new(Kind::Config, "fit.day", "the day is no day of the calendar")
            .hint("write YYYY-MM-DD")
    })
}

/// `NAME=PLACE`, or a place and its short name. A path or URI before the sign is none.
fn named(text: &str) -> (String, String) {
    match text.split_once('=') {
        Some((name, place)) if !name.is_empty() && !name.contains(['/', ':', '?', '.', '\\']) => {
            (name.to_owned(), place.to_owned())
        }
        _ => (short(text), text.to_owned()),
    }
}

/// The keys of another dataset.
async fn reference(
    text: &str,
    contracts: &[Contract],
    registry: &Registry,
    limits: &Limits,
) -> Result<(String, std::sync::Arc<fenhe_rules::KeySet>)> {
    let wrong = |message: String| Error::new(Kind::Config, "fit.reference", message);
    let Some((named, place)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(wrong(format!("{text} names no keys")).hint("write NAME[:COLUMN,...]=PLACE"));
    };
    let (name, columns) = named.split_once(':').unwrap_or((named, ""));
    let rules = contracts.iter().flat_map(Contract::rules).filter_map(|rule| match rule {
        Rule::Reference(rule) => Some(rule),
        _ => None,
    });
    let Some(rule) = rules.clone().find(|rule| rule.to == name) else {
        let error = wrong(format!("no contract refers to keys of {name}"));
        return Err(match nearest(name, rules.map(|rule| rule.to.as_str())) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        });
    };
    let columns: Vec<&str> = match columns {
        "" => rule.fields.iter().map(String::as_str).collect(),
        some => some.split(',').map(str::trim).collect(),
    };
    let opening = Opening { threads: 1, limits: limits.clone(), ..Opening::default() };
    let source = registry.source(&Place::parse(place), &opening).await?;
    let read = Reference::read(&source.input, &columns, limits.key_memory, limits).await;
    Ok((name.to_owned(), read.map_err(|error| error.source_name(source.input.name.clone()))?.keys))
}

/// The last part of a place, which is how people call it.
fn short(place: &str) -> String {
    let text = Place::parse(place).text();
    text.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(&text).to_owned()
}

async fn read(source: &SourceEnd, limits: &Limits) -> Result<Box<dyn Reader>> {
    let (dataset, limits) = (source.input.dataset.clone(), limits.clone());
    source.input.exchange.read(ReadRequest { dataset, limits, ..ReadRequest::default() }).await
}

async fn profile(source: &SourceEnd, name: &str, today: Date, limits: &Limits) -> Result<Profile> {
    let mut reader = read(source, limits).await?;
    let mut profiler = Profiler::new(name, &reader.schema(), today);
    while let Some(batch) = reader.next().await? {
        profiler.add(&batch.records)?;
        profiler.reject(&batch.rejects);
    }
    Ok(profiler.finish())
}

fn as_text(report: &Report, html: Option<&Path>) -> String {
    let system = &report.system;
    let mut text = format!(
        "{}: {} records, {} columns\n",
        out::printable(&system.name),
        number(system.read),
        system.columns
    );
    for reason in &system.reasons {
        let _ = writeln!(
            text,
            "  {} cannot be read: {}; records {}",
            number(reason.records),
            out::printable(&reason.what),
            numbers(&reason.examples)
        );
    }
    for fit in &report.contracts {
        text.push('\n');
        text.push_str(&of_contract(fit));
    }
    if !report.unasked.is_empty() {
        let _ = writeln!(text, "\nnobody asks for: {}", report.unasked.join(", "));
    }
    if let Some(path) = html {
        let _ = writeln!(text, "\nreport: {}", path.display());
    }
    text
}

fn of_contract(fit: &ContractFit) -> String {
    let counts = &fit.counts;
    let mut text = format!(
        "{} {} {}: {} items: {} supplied, {} derivable, {} conflicting, {} missing\n",
        fit.contract,
        fit.version,
        fit.title,
        fit.items.len(),
        counts.supplied,
        counts.derivable,
        counts.conflicting,
        counts.missing
    );
    let mut table = Table::default();
    for item in &fit.items {
        let filled = item.filled.map_or(String::new(), |f| format!("{:.1}%", f * 100.0));
        let required = if item.required { "required" } else { "" };
        table.row([
            item.name.clone(),
            item.title.clone(),
            item.kind.clone(),
            required.into(),
            status(item.status).into(),
            item.from.join(", "),
            filled,
            remarks(item),
        ]);
    }
    text.push_str(&table.text(2));
    let rows = &fit.rows;
    let condition = fit.condition().map_or(String::new(), |words| format!(" {}", words.en));
    let _ = writeln!(
        text,
        "  rows: {} read, {} cannot be converted, {} rejected by rules, {} can be delivered{condition}, {} of them without any finding",
        number(rows.read),
        number(rows.unconverted),
        number(rows.rejected),
        number(rows.deliverable),
        number(rows.faultless)
    );
    let mut table = Table::default().right(0);
    for quality in fit.quality.iter().filter(|quality| quality.findings > 0) {
        table.row([
            number(quality.findings),
            format!("{:.2}%", quality.share * 100.0),
            quality.field.clone(),
            quality.check.en.clone(),
            if quality.rejects { "rejects" } else { "warns" }.into(),
            format!("[{}]", quality.code),
            format!("records {}", numbers(&quality.examples)),
        ]);
    }
    text.push_str(&table.text(2));
    for line in &fit.unchecked {
        let _ = writeln!(text, "  not checked: {}", out::printable(line));
    }
    let mapping = fit.mapping.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let _ = write!(text, "  mapping:\n{}", out::printable(&mapping));
    text
}

fn remarks(item: &Item) -> String {
    let mut parts: Vec<String> = item.conflicts.iter().map(|c| c.words.en.clone()).collect();
    parts.extend(item.conversion.iter().map(|words| words.en.clone()));
    parts.extend(
        item.elsewhere.iter().map(|held| format!("{} has it ({})", held.system, held.column)),
    );
    if parts.is_empty() {
        parts.extend(item.reasons.first().map(|words| words.en.clone()));
    }
    parts.join("; ")
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Supplied => "supplied",
        Status::Derivable => "derivable",
        Status::Conflicting => "CONFLICT",
        Status::Missing => "MISSING",
    }
}

fn numbers(examples: &[u64]) -> String {
    examples.iter().map(|n| number(*n)).collect::<Vec<_>>().join(", ")
}
