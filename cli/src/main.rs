#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod adapters;
mod catalogue;
mod check;
mod contract;
mod convert;
mod copybook;
mod fit;
mod inspect;
mod out;
mod progress;
mod reconcile;
mod replay;
mod report;
mod run;
mod table;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fenhe::core::{Error, Kind, Limits, Result};

/// Moves data between the systems departments already have, and proves that nothing was lost.
#[derive(Parser)]
#[command(name = "fenhe", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Args),
    Convert(convert::Args),
    Check(check::Args),
    Fit(fit::Args),
    Catalogue(catalogue::Args),
    Run(run::Args),
    Verify(verify::Args),
    Reconcile(reconcile::Args),
    Replay(replay::Args),
    Adapters(adapters::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores().max(2))
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Inspect(args) => inspect::inspect(args).await,
            Command::Convert(args) => convert::convert(args).await,
            Command::Check(args) => check::check(&args),
            Command::Fit(args) => fit::fit(args).await,
            Command::Catalogue(args) => catalogue::catalogue(args).await,
            Command::Run(args) => run::run(args).await,
            Command::Verify(args) => verify::verify(&args),
            Command::Reconcile(args) => reconcile::reconcile(args).await,
            Command::Replay(args) => replay::replay(args).await,
            Command::Adapters(args) => adapters::adapters(&args),
        }
    });
    // A blocked read of standard input must not keep the program from ending.
    runtime.shutdown_background();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error),
    }
}

/// Says what went wrong, and returns 2 for what the caller can put right in words or configuration, else 1.
fn failed(error: &Error) -> ExitCode {
    // The reader of our output went away: that is its right.
    if error.code() == out::CLOSED {
        return ExitCode::SUCCESS;
    }
    report::error(error);
    ExitCode::from(code_of(error))
}

fn code_of(error: &Error) -> u8 {
    match (error.kind(), error.code()) {
        (Kind::Config, _) => 2,
        // Names that the caller gave, and modes that a target does not have.
        (_, "core.column" | "files.dataset" | "sql.table" | "core.unsupported") => 2,
        _ => 1,
    }
}

/// Limits out of `name=value` words.
fn limits(pairs: &[String]) -> Result<Limits> {
    let mut limits = Limits::default();
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            let message = format!("the limit {pair} has no value");
            return Err(Error::new(Kind::Config, "core.limit_value", message)
                .hint("write --limit record=64MiB"));
        };
        limits.set(name.trim(), value)?;
    }
    Ok(limits)
}

/// Cores that this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
