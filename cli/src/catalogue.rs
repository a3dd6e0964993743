use std::path::{Path, PathBuf};

use fenhe::core::arrow::array::RecordBatch;
use fenhe::core::{
    Batch, Error, Kind, Limits, Options, Position, ReadRequest, Result, Span, WriteMode,
    WriteRequest,
};
use fenhe::{Opening, Place, Registry};
use fenhe_contract::sheet::{self, Resource};
use fenhe_contract::{Contract, Document, NoFiles};

use crate::out;
use crate::out::printable;

/// Make contracts out of a catalogue sheet that a department filled in, or a sheet out of contracts
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A sheet (.xlsx, .csv, ...), or contracts (.toml, .json); what is read is told by the extension
    #[arg(required = true, value_name = "FROM")]
    from: Vec<String>,
    /// The contract, a folder for several of them, or the sheet
    #[arg(value_name = "TO")]
    to: String,
    /// Of a sheet with several datasets, only the one of this name
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// The format of the sheet; otherwise told by name or content
    #[arg(long = "as", value_name = "FORMAT")]
    format: Option<String>,
    /// Option of the sheet: for reading, or for writing
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// Write over what is there
    #[arg(long)]
    force: bool,
}

pub(crate) async fn catalogue(args: Args) -> Result<u8> {
    let contracts = args.from.iter().filter(|from| is_contract(from)).count();
    match (args.from.as_slice(), is_contract(&args.to)) {
        ([sheet], _) if contracts == 0 && (is_contract(&args.to) || is_folder(&args.to)) => {
            to_contracts(&args, sheet).await
        }
        (all, false) if contracts == all.len() && !is_folder(&args.to) => to_sheet(&args).await,
        _ => Err(Error::new(
            Kind::Config,
            "catalogue.ends",
            "either one sheet is made into contracts, or contracts into a sheet",
        )
        .hint("contracts end in .toml or .json; several contracts go into a folder: contracts/")),
    }
}

fn is_contract(name: &str) -> bool {
    let end = Path::new(name).extension().map(|end| end.to_ascii_lowercase());
    end.is_some_and(|end| end == "toml" || end == "json")
}

fn is_folder(name: &str) -> bool {
    name.ends_with(['/', '\\']) || Path::new(name).is_dir()
}

/// The rows of a sheet, and the number of each among the records.
struct Sheet {
    name: String,
    batches: Vec<RecordBatch>,
    records: Vec<u64>,
}

async fn to_contracts(args: &Args, from: &str) -> Result<u8> {
    let sheet = read(args, from).await?;
    let named = |error: Error| error.source_name(sheet.name.clone());
    let mut resources = sheet::read(&sheet.batches).map_err(named)?;
    if let Some(name) = &args.resource {
        let known = names(&resources);
        resources.retain(|one| one.draft.title == *name || one.draft.name == *name);
        if resources.is_empty() {
            let message = format!("the sheet has no dataset {name}");
            let error = Error::new(Kind::Config, "catalogue.resource", message);
            return Err(named(error.hint(format!("it has {known}"))));
        }
    }
    if resources.is_empty() {
        return Err(named(Error::new(Kind::Invalid, "catalogue.empty", "the sheet has no items")));
    }
    if resources.len() > 1 && !is_folder(&args.to) {
        let message = format!("the sheet has {} datasets: {}", resources.len(), names(&resources));
        return Err(named(Error::new(Kind::Config, "catalogue.several", message)).hint(
            "name a folder for their contracts (contracts/), or one of them with --resource",
        ));
    }
    let contracts = checked(&sheet, resources)?;
    let mut texts: Vec<(PathBuf, String, &Contract)> = Vec::new();
    for contract in &contracts {
        let path = match is_folder(&args.to) {
            true => Path::new(&args.to).join(format!("{}.contract.toml", contract.name())),
            false => PathBuf::from(&args.to),
        };
        if texts.iter().any(|(other, _, _)| *other == path) {
            let message = format!("two datasets of the sheet are called {}", contract.name());
            return Err(named(Error::new(Kind::Invalid, "catalogue.twice", message)));
        }
        free(&path, args.force)?;
        let json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        let text = if json { contract.to_json()? } else { contract.to_toml()? };
        texts.push((path, text, contract));
    }
    for (path, text, contract) in &texts {
        save(path, text)?;
        out::data(&printable(&format!(
            "{}: {} {}, {} fields\n",
            path.display(),
            contract.title(),
            contract.version(),
            contract.fields().len()
        )))?;
        for line in contract.catalogue().review(contract.title()) {
            out::message(&printable(&format!("{}: {line}", contract.title())));
        }
    }
    Ok(0)
}

fn names(resources: &[Resource]) -> String {
    let names = resources.iter().map(|one| one.draft.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

async fn read(args: &Args, from: &str) -> Result<Sheet> {
    let registry = Registry::with_defaults();
    let mut options = Options::from_pairs(args.options.iter().map(String::as_str))?;
    if options.get("types").is_none() && options.get("schema").is_none() {
        options.set("types", "text");
    }
    let limits = Limits::default();
    let opening = Opening {
        format: args.format.clone(),
        options,
        threads: 1,
        limits: limits.clone(),
        ..Opening::default()
    };
    let source = registry.source(&Place::parse(from), &opening).await?;
    let (dataset, name) = (source.input.dataset.clone(), source.input.name.clone());
    let request = ReadRequest { dataset, limits, ..ReadRequest::default() };
    let mut reader = source.input.exchange.read(request).await?;
    let mut sheet = Sheet { name, batches: Vec::new(), records: Vec::new() };
    while let Some(batch) = reader.next().await? {
        if let Some(reject) = batch.rejects.first() {
            let message = format!("a row cannot be read: {reject}");
            return Err(
                Error::new(Kind::Invalid, "catalogue.row", message).source_name(sheet.name.clone())
            );
        }
        sheet.records.extend(batch.record_numbers());
        sheet.batches.push(batch.records);
    }
    Ok(sheet)
}

/// The contracts of the resources; everything that is wrong in the sheet is said before the first is refused.
fn checked(sheet: &Sheet, resources: Vec<Resource>) -> Result<Vec<Contract>> {
    let (mut contracts, mut wrong) = (Vec::new(), Vec::new());
    for resource in resources {
        let title = resource.draft.title.clone();
        for (row, fault) in &resource.faults {
            wrong.push(format!("{}: {fault}", sheet.place(*row, &fault.field)));
        }
        if !resource.faults.is_empty() {
            continue;
        }
        let rows = resource.rows.clone();
        let items: Vec<String> =
            resource.draft.field.iter().map(|field| field.name.clone()).collect();
        match Contract::from_draft(resource.draft, &NoFiles) {
            Ok(contract) => contracts.push(contract),
            Err(error) => {
                let item = error.field().and_then(item_of);
                let place = match item.and_then(|at| Some((rows.get(at)?, items.get(at)?))) {
                    Some((row, item)) => format!("{}, item {item}", sheet.place(*row, "")),
                    None => title,
                };
                let hint = error.hint_text().map_or(String::new(), |hint| format!("; {hint}"));
                wrong.push(format!("{place}: {} [{}]{hint}", error.message(), error.code()));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(contracts);
    }
    for line in &wrong {
        out::message(&printable(line));
    }
    let message = format!("{} mistakes in the sheet, nothing was written", wrong.len());
    Err(Error::new(Kind::Invalid, "catalogue.sheet", message).source_name(sheet.name.clone()))
}

/// The index in `field[3].type`.
fn item_of(path: &str) -> Option<usize> {
    path.strip_prefix("field[")?.split(']').next()?.parse().ok()
}

impl Sheet {
    /// Where a person finds it: the row among those below the heading that hold something, and the letter of the column.
    fn place(&self, row: u64, heading: &str) -> String {
        let at = usize::try_from(row).ok().and_then(|row| row.checked_sub(1));
        let record = at.and_then(|at| self.records.get(at)).copied().unwrap_or(row);
        let row = format!("row {record} below the heading");
        let schema = self.batches.first().map(RecordBatch::schema);
        let column = schema.and_then(|schema| {
            schema.fields().iter().position(|f| sheet::means(f.name(), heading))
        });
        match column {
            Some(column) => format!("{row}, column {}", letters(column)),
            None => row,
        }
    }
}

/// The name of a column in a spreadsheet: A to Z, AA and so on.
fn letters(mut column: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(b'A' + u8::try_from(column % 26).unwrap_or(0));
        match (column / 26).checked_sub(1) {
            Some(rest) => column = rest,
            None => break,
        }
    }
    name.iter().rev().map(|letter| char::from(*letter)).collect()
}

async fn to_sheet(args: &Args) -> Result<u8> {
    let mut contracts = Vec::new();
    for from in &args.from {
        contracts.push(match Document::load(Path::new(from))? {
            Document::Contract(contract) => *contract,
            Document::Overlay(overlay) => overlay.contract().cloned()?,
        });
    }
    let place = Place::parse(&args.to);
    if place.scheme() == "file" {
        free(&place.path(), args.force)?;
    }
    let options = Options::from_pairs(args.options.iter().map(String::as_str))?;
    let opening = Opening { format: args.format.clone(), options, ..Opening::default() };
    let target = Registry::with_defaults().target(&place, &opening)?;
    let sheets = contracts.iter().map(sheet::write).collect::<Result<Vec<_>>>()?;
    let Some(schema) = sheets.first().map(RecordBatch::schema) else { return Ok(0) };
    let request = WriteRequest {
        dataset: target.dataset,
        schema,
        mode: WriteMode::Replace,
        key: Vec::new(),
        pipeline: String::new(),
        limits: Limits::default(),
    };
    let mut writer = target.exchange.write(request).await?;
    let mut first = 1;
    for (number, rows) in sheets.into_iter().enumerate() {
        let span = Span { first, read: rows.num_rows() as u64, ..Span::default() };
        first += span.read;
        let batch = Batch::new(rows, Vec::new(), span, Position::new("fenhe", 1, &number)?)?;
        writer.write(&batch).await?;
        if let Some(reject) = writer.refused().first() {
            return Err(Error::new(
                Kind::Invalid,
                "catalogue.cell",
                format!("the sheet cannot hold an item: {reject}"),
            )
            .source_name(target.name));
        }
    }
    let written = writer.close().await?;
    for contract in &contracts {
        if let Some(line) = left_out(contract) {
            out::message(&printable(&format!("{}: {line}", contract.name())));
        }
    }
    out::data(&printable(&format!("{}: {} items\n", target.name, written.rows)))?;
    Ok(0)
}

/// What of a contract has no column in a sheet.
fn left_out(contract: &Contract) -> Option<String> {
    let fields = || contract.draft().field.iter();
    let rules =
        fields().map(|field| field.rules.len()).sum::<usize>() + contract.draft().rule.len();
    let counted = [
        (rules, "rules"),
        (fields().filter(|field| field.pattern.is_some()).count(), "patterns"),
        (fields().filter(|field| !field.also.is_empty()).count(), "fields with other names"),
        (contract.totals().len(), "control totals"),
        (contract.draft().table.len(), "code tables of its own"),
    ];
    let parts: Vec<String> =
        counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    (!parts.is_empty()).then(|| format!("no column of a sheet holds {}", parts.join(", ")))
}

/// Refuses to write over what is there.
fn free(path: &Path, force: bool) -> Result<()> {
    match path.exists() && !force {
        false => Ok(()),
        true => Err(Error::new(Kind::Config, "catalogue.exists", "there is a file already")
            .source_name(path.display().to_string())
            .hint("--force writes over it")),
    }
}

/// A reader sees the old file or the whole new one.
fn save(path: &Path, text: &str) -> Result<()> {
    let named = |error: std::io::Error| Error::from(error).source_name(path.display().to_string());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(named)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, text).map_err(named)?;
    std::fs::rename(&part, path).map_err(named)
}
