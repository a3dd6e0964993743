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
            Ok(config.flows().collect::<Vec<_>>().join(", "))
        });
        match checked {
            Ok(flows) => out::data(&format!("{}: ok ({flows})\n", file.display()))?,
            Err(error) => {
                report::error(&error);
                code = 2;
            }
        }
    }
    Ok(code)
}
