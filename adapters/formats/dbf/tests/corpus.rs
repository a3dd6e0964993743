//! Every table of the shared test data, against what another reader (dbfread) made of it.
// Helpers of tests panic like the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::path::Path;

use common::{Decoded, decode_file};
use serde_json::Value;

/// What a case needs beyond its own options, and why (README, "Known deviations").
const SPECIAL: &[(&str, &[&str])] = &[
    // The memo file is not in the data; dbfread was told to go on without it.
    ("books", &["missing_memo=null"]),
    // The table holds 81, which is nothing in the code page of its language byte; dbfread replaces it.
    ("cp850", &["invalid=replace"]),
    // Language byte 00, and two memos hold one byte each above 7F, of two code pages: dbfread replaces them.
    ("dbase3_83_memo", &["invalid=replace"]),
];

/// Cases in which dbfread is wrong, checked by `the_peer_is_wrong_there` instead.
const PEER_WRONG: &[&str] = &["stations_deleted", "foxbase_02"];

#[test]
fn every_shared_table_reads_as_expected() {
    let Some(folder) = fenhe_testkit::shared::data("dbf") else { return };
    let (mut passed, mut listed) = (0, 0);
    for case in cases(&folder) {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        if PEER_WRONG.contains(&name.as_str()) {
            listed += 1;
            continue;
        }
        let decoded = decode_file(&table(&case), &words(&case, &name));
        assert!(decoded.error.is_none(), "{name}: {:?}", decoded.error);
        assert!(decoded.rejects.is_empty(), "{name}: {}", decoded.rejects[0]);
        let expected = json(&case.join("expected/dbfread.json"));
        compare(&name, &decoded, &expected);
        passed += 1;
    }
    println!("shared tables: {passed} as expected, {listed} where the peer is wrong");
    assert!(passed >= 17 && listed == PEER_WRONG.len(), "fewer cases than there are");
}

#[test]
fn the_peer_is_wrong_there() {
    let Some(folder) = fenhe_testkit::shared::data("dbf") else { return };
    // The record length leaves out the deletion mark: dbfread loses step after the first deleted row.
    let stations = decode_file(&table(&folder.join("stations_deleted")), &["deleted=true"]);
    let names: Vec<_> =
        stations.rows.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        [
            "Van Dorn Street",
            "Franconia-Springfield",
            "Federal Center SW",
            "Judiciary Sq",
            "Capitol South",
            "Metro Center"
        ]
    );
    let deleted: Vec<_> = stations.rows.iter().map(|r| r["_deleted"].as_bool().unwrap()).collect();
    assert_eq!(deleted, [true, false, false, false, false, false]);
    // dbfread has no dBASE II; the summary gives the fields, the values were read off the bytes.
    let people = decode_file(&table(&folder.join("foxbase_02")), &[]);
    assert_eq!(people.rows.len(), 9);
    assert_eq!(people.rows[0]["EMP:NMBR"], 2);
    assert_eq!(people.rows[0]["LAST"], "Stegman");
    assert_eq!(people.rows[0]["HIREDATE"], "07/31/82");
    assert_eq!(people.rows[0]["PAYRATE"], 6.0);
    let summary =
        std::fs::read_to_string(folder.join("foxbase_02/expected/dbase_02_summary.txt")).unwrap();
    for name in people.rows[0].as_object().unwrap().keys() {
        assert!(summary.contains(name), "{name}");
    }
}

#[test]
fn a_table_without_its_memo_file_is_refused_with_a_way_on() {
    let Some(folder) = fenhe_testkit::shared::data("dbf") else { return };
    let decoded = decode_file(&table(&folder.join("books")), &[]);
    let error = decoded.error.unwrap();
    assert_eq!(error.code(), "dbf.memo_missing");
    assert!(error.to_string().contains("missing_memo=null"), "{error}");
}

fn cases(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("case.json").is_file())
        .collect();
    all.sort();
    all
}

fn table(case: &Path) -> std::path::PathBuf {
    let json = json(&case.join("case.json"));
    let files = json["files"].as_array().unwrap();
    let mut names =
        files.iter().filter(|f| f["role"] == "input").map(|f| f["name"].as_str().unwrap());
    case.join(names.find(|n| n.to_lowercase().ends_with(".dbf")).unwrap())
}

fn words(case: &Path, name: &str) -> Vec<&'static str> {
    let json = json(&case.join("case.json"));
    let mut words: Vec<&'static str> = json["options"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| &*format!("{k}={}", v.as_str().unwrap()).leak())
        .collect();
    words.extend(SPECIAL.iter().filter(|(n, _)| *n == name).flat_map(|(_, w)| w.iter().copied()));
    words
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn compare(name: &str, decoded: &Decoded, expected: &Value) {
    let rows = expected["rows"].as_array().unwrap();
    assert_eq!(decoded.rows.len(), rows.len(), "{name}: rows");
    let fields: Vec<(&str, bool)> = expected["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["name"].as_str().unwrap(), f["type"] == "0"))
        .collect();
    let schema = decoded.schema.as_ref().unwrap();
    // dbfread keeps rows by name: of fields with one name it has the last one's value, in the first one's place.
    let mut columns: Vec<(&str, Option<usize>)> = Vec::new();
    let mut next = 0;
    for (name, hidden) in fields {
        let column = (!hidden).then(|| {
            next += 1;
            next - 1
        });
        match columns.iter_mut().find(|(n, _)| *n == name) {
            Some(before) => before.1 = column,
            None => columns.push((name, column)),
        }
    }
    assert_eq!(schema.fields().len(), next, "{name}: columns");
    for (at, (row, wanted)) in decoded.rows.iter().zip(rows).enumerate() {
        let wanted = wanted.as_array().unwrap();
        assert_eq!(columns.len(), wanted.len(), "{name}: columns");
        for ((_, column), wanted) in columns.iter().zip(wanted) {
            let Some(column) = column.map(|at| schema.field(at).name()) else { continue };
            let value = &row[column];
            assert!(same(name, value, wanted), "{name}: row {at}, {column}: {value} for {wanted}");
        }
    }
}

fn same(case: &str, value: &Value, wanted: &Value) -> bool {
    if let Some(decimal) = wanted.get("decimal") {
        return number(value) == decimal.as_str().unwrap().parse().ok();
    }
    match (value, wanted) {
        (Value::Number(_), Value::Number(_)) => {
            let (a, b) = (number(value).unwrap(), number(wanted).unwrap());
            (a - b).abs() <= 1e-12 * a.abs().max(1.0)
        }
        // dbfread takes the length of a dBASE IV memo without the 8 bytes it counts, and stops at 1F instead.
        (Value::String(a), Value::String(b)) if case == "dbase4_8b_memo" => {
            a == b || b.strip_prefix(a.as_str()).is_some_and(|rest| rest.len() <= 2)
        }
        (Value::String(a), Value::String(b)) => a == b || timestamp(a) == timestamp(b),
        _ => value == wanted,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.to_string().parse().ok()
}

/// `2006-04-19T11:55:56.000` and `2006-04-19 11:55:56` are the same.
fn timestamp(text: &str) -> String {
    text.replace(' ', "T").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
fn every_own_table_reads_as_written_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let lines = |file: &str| -> Vec<Value> {
            let text = std::fs::read_to_string(case.join(file)).unwrap();
            text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
        };
        let options = std::fs::read_to_string(case.join("options.toml")).unwrap();
        let words: Vec<String> =
            options.lines().map(|l| l.replace(" = ", "=").replace('"', "")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let got = decode_file(&case.join("input.dbf"), &words);
        assert!(got.error.is_none(), "{name}: {:?}", got.error);
        assert_eq!(got.rows, lines("expect.ndjson"), "{name}: rows");
        let rejects: Vec<Value> = got
            .rejects
            .iter()
            .map(|r| serde_json::json!({"record": r.record, "offset": r.offset, "field": r.fault.field, "code": r.fault.code}))
            .collect();
        assert_eq!(rejects, lines("rejects.ndjson"), "{name}: rejects");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
