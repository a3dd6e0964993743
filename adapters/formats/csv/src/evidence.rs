//! What was settled about a sample, for people.

use fenhe_core::{Evidence, Found, Options, Result};

use crate::detect;
use crate::dialect::Escape;
use crate::settle::Settled;

/// The evidence of a settled sample.
pub(crate) fn of(settled: Settled, sample: &[u8], complete: bool) -> Result<Evidence> {
    let body = sample.get(settled.prologue..).unwrap_or_default();
    let fit = detect::fit(&settled.syntax, body, complete);
    let counted = complete.then(|| {
        let mut records = 0;
        detect::records(&settled.syntax, body, true, usize::MAX, |_, _| records += 1);
        records
    });
    let found = Found {
        name: String::new(),
        schema: settled.schema.clone(),
        records: counted,
        columns: settled.columns.clone(),
    };
    Ok(Evidence {
        datasets: vec![found],
        confidence: confidence(&settled, &fit),
        options: options(&settled),
        reasons: settled.reasons,
    })
}

/// Several columns that agree are good evidence; one column could be any text.
fn confidence(settled: &Settled, fit: &detect::Fit) -> u8 {
    let agreement = fit.usual * 100 / fit.records.max(1);
    let most = if settled.names.len() > 1 { 95 } else { 30 };
    u8::try_from(agreement.min(most)).unwrap_or(0)
}

/// The settled options in their spelling on the command line.
fn options(settled: &Settled) -> Options {
    let dialect = &settled.dialect;
    let mut options = Options::new();
    options.set("encoding", dialect.encoding.clone());
    options.set("delimiter", literal(&dialect.delimiter));
    options
        .set("quote", dialect.quote.map_or_else(|| "none".to_owned(), |c| literal(&c.to_string())));
    let escape = match dialect.escape {
        Escape::Doubled => "doubled".to_owned(),
        Escape::None => "none".to_owned(),
        Escape::C => "c".to_owned(),
        Escape::Char(c) => literal(&c.to_string()),
    };
    options.set("escape", escape);
    options.set("header", dialect.header.to_string());
    options.set("blank_lines", if dialect.blank_is_record { "record" } else { "skip" });
    options
}

fn literal(text: &str) -> String {
    let spell = |c: char| match c {
        '\t' => "\\t".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    };
    if text.is_empty() { "none".into() } else { text.chars().map(spell).collect() }
}
