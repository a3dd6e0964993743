//! Cost of checks: identifiers by the value, rules by the row.
#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Date32Array, RecordBatch, StringArray};
use fenhe_rules::identifiers::{Identifier, Policy, citizen_check, uscc_check};
use fenhe_rules::{Checker, Context, Date, Rule};

const ROWS: usize = 8_192;

#[derive(serde::Deserialize)]
struct File {
    rule: Vec<Rule>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let today = Date::from_days(20_455);
    let policy = Policy::on(today);
    let citizens: Vec<String> = (0..ROWS).filter_map(citizen).collect();
    let codes: Vec<String> = (0..ROWS).filter_map(code).collect();
    for (name, kind, values) in [
        ("citizen number", Identifier::Citizen, &citizens),
        ("credit code", Identifier::Uscc, &codes),
    ] {
        let mut good = 0;
        let ns = best(|| {
            good = values
                .iter()
                .filter(|value| kind.check(black_box(value.as_bytes()), &policy).is_ok())
                .count();
        });
        show(&format!("{name} ({good} of {ROWS} hold)"), ns);
    }
    let births = (0..ROWS).map(|n| Some(birth(n).days())).collect::<Date32Array>();
    let columns: [(&str, ArrayRef); 3] = [
        ("n", Arc::new(StringArray::from(citizens))),
        ("c", Arc::new(StringArray::from(codes))),
        ("d", Arc::new(births)),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    for rule in [
        r#"rule = "identifier", field = "n", kind = "citizen""#,
        r#"rule = "identifier", field = "c", kind = "uscc""#,
        r#"rule = "length", field = "n", max = 18"#,
        r#"rule = "pattern", field = "n", pattern = '[0-9]{17}[0-9X]'"#,
        r#"rule = "date_not_future", field = "d""#,
        r#"rule = "agrees", field = "n", birth = "d""#,
        r#"rule = "unique", fields = ["n"]"#,
    ] {
        let file: File = toml::from_str(&format!("rule = [{{ {rule} }}]"))?;
        let mut checker = Checker::new(&batch.schema(), &file.rule, Context::on(today))?;
        let ns = best(|| {
            black_box(checker.check(black_box(&batch)).is_ok());
        });
        show(rule, ns);
    }
    Ok(())
}

/// Nanoseconds a row of the fastest of some rounds.
fn best(mut round: impl FnMut()) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..100 {
        let start = Instant::now();
        round();
        least = least.min(start.elapsed().as_nanos() as f64 / ROWS as f64);
    }
    least
}

fn show(name: &str, ns: f64) {
    println!("{ns:8.1} ns  {name}");
}

fn birth(n: usize) -> Date {
    Date::from_days(i32::try_from(n * 3 % 40_000).unwrap_or(0) - 20_000)
}

fn citizen(n: usize) -> Option<String> {
    let digits = format!("110101{}{:03}", birth(n).to_string().replace('-', ""), n % 1000);
    let check = citizen_check(digits.as_bytes().try_into().ok()?)?;
    Some(format!("{digits}{}", char::from(check)))
}

fn code(n: usize) -> Option<String> {
    let inner = format!("{n:08}");
    let last = fenhe_rules::identifiers::organisation_check(inner.as_bytes().try_into().ok()?)?;
    let body = format!("91110000{inner}{}", char::from(last));
    let check = uscc_check(body.as_bytes().try_into().ok()?)?;
    Some(format!("{body}{}", char::from(check)))
}
