//! What mapping and checking cost beside decoding: 12 fields of the register in GB 18030, with number, code and date rules.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::ref_option,
    missing_docs,
    reason = "a program for the terminal"
)]

use std::path::Path;

use arrow_schema::SchemaRef;
use fenhe_core::Format;
use fenhe_mapping::{Context, Mapper, Mapping};
use fenhe_rules::{Checker, Date, Rule};
use fenhe_testkit::generate;

use crate::common::{self, Files, cpu, decode_each, median, setting};

/// Of the register as it is decoded, with its types.
const TYPED: &str = include_str!("typed.toml");
/// Of the register as text, where the mapping reads dates, amounts and numbers as well.
const TEXT: &str = include_str!("text.toml");
const RULES: &str = include_str!("rules.toml");

#[derive(serde::Deserialize)]
struct Rules {
    rule: Vec<Rule>,
}

pub(crate) fn run(files: &Files) {
    if !common::wanted("mapping") {
        return;
    }
    let (format, typed, path) = common::subject("csv-gb18030", files);
    let text = common::text_schema();
    compare("mapping", &*format, typed, &path, TYPED);
    compare("mapping-text", &*format, Some(text), &path, TEXT);
}

/// Decoding alone against decoding, mapping and checking.
fn compare(name: &str, format: &dyn Format, schema: Option<SchemaRef>, path: &Path, mapping: &str) {
    let mapping = Mapping::parse(mapping, name).expect("a mapping");
    let mapper = mapping.bind(&generate_schema(&schema), &Context::default()).expect("bound");
    let rules: Rules = toml::from_str(RULES).expect("rules");
    let plain = || common::decode_file(format, schema.clone(), path);
    let mapped = || map_and_check(&mapper, &rules.rule, format, schema.clone(), path);
    assert_eq!(plain(), mapped(), "{name}: every row is mapped and right");
    let rounds = setting("FENHE_BENCH_ROUNDS").and_then(|v| v.parse().ok()).unwrap_or(5);
    let (mut decoded, mut all, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let a = cpu(plain);
        let b = cpu(mapped);
        decoded.push(a);
        all.push(b);
        ratios.push(b / a);
    }
    let size = std::fs::metadata(path).expect("the file").len() as f64 / 1e6;
    println!(
        "{name:<14} {size:>7.1} MB  decoded {:>6.3} s  mapped and checked as well {:>6.3} s  ratio {:.2}",
        median(decoded),
        median(all),
        median(ratios)
    );
}

fn generate_schema(schema: &Option<SchemaRef>) -> SchemaRef {
    schema.clone().unwrap_or_else(generate::schema)
}

fn map_and_check(
    mapper: &Mapper,
    rules: &[Rule],
    format: &dyn Format,
    schema: Option<SchemaRef>,
    path: &Path,
) -> usize {
    let today = Date::from_civil(2026, 1, 2).expect("a day");
    let context = fenhe_rules::Context::on(today);
    let mut checker = Checker::new(mapper.schema(), rules, context).expect("rules");
    let mut rows = 0;
    decode_each(format, schema, path, |batch| {
        let mapped = mapper.apply(&batch).expect("mapped");
        assert!(mapped.faults.is_empty(), "{:?}", mapped.faults.first());
        let findings = checker.check(&mapped.records).expect("checked");
        rows += mapped.records.num_rows() - findings.rejected().count_set_bits();
    });
    assert!(checker.counts().iter().all(|count| *count == 0), "{:?}", checker.counts());
    rows
}
