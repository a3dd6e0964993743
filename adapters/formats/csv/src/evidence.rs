//! What was settled about a sample, for people.

use fenhe_core::{Error, Evidence, Found, Kind, Options, Result};

use crate::detect;
use crate::dialect::Escape;
use crate::options::CsvOptions;
use crate::settle::Settled;

/// The evidence of a settled sample.
pub(crate) fn of(
    given: &CsvOptions,
    settled: Settled,
    sample: &[u8],
    complete: bool,
) -> Result<Evidence> {
    let body = sample.get(settled.prologue..settled.body_end).unwrap_or_default();
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
        options: options(given, &settled)?,
        reasons: settled.reasons,
    })
}

/// Several columns that agree are good evidence; one column could be any text.
fn confidence(settled: &Settled, fit: &detect::Fit) -> u8 {
    let agreement = fit.usual * 100 / fit.records.max(1);
    let most = if settled.names.len() > 1 { 95 } else { 30 };
    u8::try_from(agreement.min(most)).unwrap_or(0)
}

/// The settled options in their spelling on the command line, and those that were given: together they say it all.
fn options(given: &CsvOptions, settled: &Settled) -> Result<Options> {
    let dialect = &settled.dialect;
    let mut options = given_options(given)?;
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
    Ok(options)
}

/// What was said, but for the schema file, which has no spelling on one line.
fn given_options(given: &CsvOptions) -> Result<Options> {
    let object = |options: &CsvOptions| match serde_json::to_value(options) {
        Ok(serde_json::Value::Object(map)) => Ok(map),
        _ => Err(Error::new(Kind::Internal, "csv.option", "the options have no JSON form")),
    };
    let usual = object(&CsvOptions::default())?;
    let mut options = Options::new();
    for (key, value) in object(given)? {
        if key != "schema" && usual.get(&key) != Some(&value) {
            options.set(&key, value);
        }
    }
    Ok(options)
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
