use std::path::PathBuf;

use fenhe::core::Result;
use fenhe::{ExchangeConfig, Registry};

use crate::{contract, out, report};

/// Check exchanges, contracts and overlays without touching any data; two contracts are compared
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Exchanges, contracts or overlays; of two contracts, the older version first
    #[arg(required = true, value_name = "FILE.toml")]
    files: Vec<PathBuf>,
    /// Of two contracts, print the comparison as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn check(args: &Args) -> Result<u8> {
    if let [before, after] = args.files.as_slice()
        && contract::is_one(before)
        && contract::is_one(after)
    {
        return compare(args, before, after);
    }
    let registry = Registry::with_defaults();
    let mut code = 0;
    for file in &args.files {
        let checked = match contract::is_one(file) {
            true => contract::explain(file).map(|text| format!("\n{text}")),
            false => exchange(file, &registry),
        };
        match checked {
            Ok(text) => out::data(&format!("{}: ok {text}", file.display()))?,
            Err(error) => {
                report::error(&error);
                code = 2;
            }
        }
    }
    Ok(code)
}

fn exchange(file: &std::path::Path, registry: &Registry) -> Result<String> {
    let config = ExchangeConfig::load(file)?;
    config.check(registry)?;
    explained(&config)
}

/// The names of the flows, and a line for every field.
fn explained(config: &ExchangeConfig) -> Result<String> {
    let mappings = config.mappings()?;
    let names: Vec<&str> = mappings.iter().map(|(name, _)| *name).collect();
    let mut text = format!("({})\n", names.join(", "));
    for (name, contract) in config.contracts()? {
        let totals = match contract.totals() {
            [] => String::new(),
            totals => format!(", control totals {}", totals.join(", ")),
        };
        text.push_str(&format!(
            "  {name}: contract {} {}, {} fields, {} rules, key {}{totals}\n",
            contract.name(),
            contract.version(),
            contract.fields().len(),
            contract.rules().len(),
            contract.key().join(", ")
        ));
    }
    for (name, place, key) in config.references() {
        text.push_str(&format!("  reference {name}: {place} by {}\n", key.join(", ")));
    }
    for (name, mapping) in &mappings {
        for line in mapping.explain() {
            text.push_str(&format!("  {name}.{line}\n"));
        }
    }
    Ok(text)
}

/// What the second version changes, and whether its number says so.
fn compare(args: &Args, before: &std::path::Path, after: &std::path::Path) -> Result<u8> {
    let found = contract::compare(before, after)?;
    match args.json {
        true => out::json(&found)?,
        false => out::data(&contract::of_comparison(&found))?,
    }
    match found.is_sound() {
        true => Ok(0),
        false => Err(contract::unsound(&found)),
    }
}
