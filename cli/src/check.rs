use std::path::PathBuf;

use fenhe::core::Result;
use fenhe::{ExchangeConfig, Registry};

use crate::{out, report};

/// Check configurations without touching any data
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Configuration files
    #[arg(required = true, value_name = "FILE.toml")]
    files: Vec<PathBuf>,
}

pub(crate) fn check(args: &Args) -> Result<u8> {
    let registry = Registry::with_defaults();
    let mut code = 0;
    for file in &args.files {
        let checked = ExchangeConfig::load(file).and_then(|config| {
            config.check(&registry)?;
            explained(&config)
        });
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

/// The names of the flows, and a line for every field.
fn explained(config: &ExchangeConfig) -> Result<String> {
    let mappings = config.mappings()?;
    let names: Vec<&str> = mappings.iter().map(|(name, _)| *name).collect();
    let mut text = format!("({})\n", names.join(", "));
    for (name, mapping) in &mappings {
        for line in mapping.explain() {
            text.push_str(&format!("  {name}.{line}\n"));
        }
    }
    Ok(text)
}
