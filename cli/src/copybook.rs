//! What a copybook says about its records, and how a file might be read by it.

use std::fmt::Write;
use std::path::Path;

use fenhe::copybook::{CopybookFormat, Hypothesis};
use fenhe::core::{Limits, Options, Result};
use fenhe::{Files, Registry};

use crate::out;
use crate::report::number;
use crate::table::Table;

/// Name of the format that copybooks belong to.
pub(crate) const FORMAT: &str = "copybook";

/// Prints the layout of the copybook in the options.
pub(crate) fn layout(registry: &Registry, options: &Options, json: bool) -> Result<()> {
    let format = format(registry, options)?;
    match format.layout() {
        Some(layout) if json => out::json(&layout.json()),
        Some(layout) => out::data(&layout.table()),
        None => Ok(()),
    }
}

/// How the files might be read by the copybook in the options, best first.
pub(crate) async fn advice(
    registry: &Registry,
    options: &Options,
    files: &Files,
) -> Result<Vec<Hypothesis>> {
    let sample = files.sample(&Limits::default()).await?;
    Ok(format(registry, options)?.hypotheses(&sample))
}

pub(crate) fn as_text(advice: &[Hypothesis]) -> String {
    let mut text = String::from("\nhow it might be read (advice: nothing is applied by itself)\n");
    let mut table =
        Table::new(&["score", "records", "options", "first record that fails"]).right(0).right(1);
    for hypothesis in advice {
        let failure = hypothesis.first_failure.as_ref().map_or(String::new(), |failure| {
            format!("{} at byte {}: {}", number(failure.record), failure.offset, failure.reason)
        });
        let words: Vec<String> =
            hypothesis.words().split(' ').map(|word| format!("-o {word}")).collect();
        table.row([
            hypothesis.score.to_string(),
            number(hypothesis.records),
            words.join(" "),
            failure,
        ]);
    }
    let _ = match advice.is_empty() {
        true => writeln!(text, "  no record format and code page gives a single record"),
        false => write!(text, "{}", table.text(2)),
    };
    text
}

fn format(registry: &Registry, options: &Options) -> Result<CopybookFormat> {
    CopybookFormat::from_options(&registry.options_at(FORMAT, options, Path::new("."))?)
}
