//! Every workbook of the shared test data against what independent readers (openpyxl, xlrd) say.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Options};
use fenhe_excel::Excel;
use fenhe_testkit::format::decode;
use serde_json::Value;

fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    (0..batch.num_rows())
        .map(|row| {
            let text = |column: &arrow_array::ArrayRef| {
                let column = column.as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            batch.columns().iter().map(text).collect()
        })
        .collect()
}

/// The cell in the words of this room, as far as the other reader says which it is.
fn same(found: Option<&str>, peer: &Value) -> bool {
    let seconds = |text: &str| {
        let parts: Option<Vec<f64>> = text.split(':').map(|p| p.parse().ok()).collect();
        parts.map(|p| p.iter().fold(0.0, |sum, part| sum * 60.0 + part))
    };
    match (peer, found) {
        (Value::Null, found) => found.is_none(),
        (Value::String(text), found) => found.unwrap_or("") == text,
        (Value::Number(number), Some(found)) => {
            let found: Option<f64> = found.parse().ok();
            found.is_some_and(|f| (f - number.as_f64().unwrap()).abs() <= f.abs() * 1e-15)
        }
        (Value::Bool(truth), Some(found)) => found == if *truth { "TRUE" } else { "FALSE" },
        (Value::Object(object), Some(found)) => {
            if let Some(when) = object.get("datetime") {
                let when = when.as_str().unwrap();
                when == found || when.strip_suffix("T00:00:00") == Some(found)
            } else if let Some(time) = object.get("time") {
                time.as_str().unwrap() == found
            } else if let Some(length) = object.get("timedelta_s") {
                seconds(found) == length.as_f64()
            } else {
                false
            }
        }
        // xlrd: kind and value.
        (Value::Array(pair), found) => {
            let value = &pair[1];
            match (pair[0].as_str().unwrap(), found) {
                ("empty" | "blank", found) => found.is_none(),
                ("text", found) => found.unwrap_or("") == value.as_str().unwrap(),
                ("number", Some(_)) => same(found, value),
                ("date" | "xldate", Some(found)) => dated(found, value),
                ("bool" | "boolean", Some(found)) => {
                    let truth = value.as_bool().unwrap_or(value.as_f64() == Some(1.0));
                    found == if truth { "TRUE" } else { "FALSE" }
                }
                ("error", Some(found)) => match value.as_str() {
                    Some(text) => found == text,
                    None => {
                        let names = [
                            (0, "#NULL!"),
                            (7, "#DIV/0!"),
                            (15, "#VALUE!"),
                            (23, "#REF!"),
                            (29, "#NAME?"),
                            (36, "#NUM!"),
                            (42, "#N/A"),
                        ];
                        let code = value.as_i64();
                        names.iter().any(|(c, n)| Some(*c) == code && *n == found)
                    }
                },
                _ => false,
            }
        }
        _ => false,
    }
}

fn dated(found: &str, value: &Value) -> bool {
    match value {
        Value::Object(object) if object.contains_key("iso") => {
            let when = object["iso"].as_str().unwrap();
            // xlrd knows no lengths of time: what is shown as hours is compared by its seconds.
            let hours: Option<Vec<f64>> = found.split(':').map(|p| p.parse().ok()).collect();
            let length = hours.map(|p| p.iter().fold(0.0, |sum, part| sum * 60.0 + part));
            let serial = object["serial"].as_f64().unwrap() * 86_400.0;
            when == found
                || when.strip_suffix("T00:00:00") == Some(found)
                || length.is_some_and(|length| (length - serial).abs() < 1e-3)
        }
        Value::Object(_) => same(Some(found), value),
        Value::String(when) => when == found || when.strip_suffix("T00:00:00") == Some(found),
        // A serial: what matters is that it was taken for a date at all.
        _ => found.contains('-') || found.contains(':'),
    }
}

fn blank(cell: &Value) -> bool {
    match cell {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(pair) => {
            matches!(pair[0].as_str(), Some("empty" | "blank")) || pair[1].as_str() == Some("")
        }
        _ => false,
    }
}

fn check(file: &Path, peer: &Value) -> Result<usize, String> {
    let bytes = Bytes::from(fs::read(file).unwrap());
    let mut cells = 0;
    for sheet in peer["sheets"].as_array().unwrap() {
        let name = sheet["name"].as_str().unwrap();
        let options = Options::from_pairs(["header=false", "types=text"]).unwrap();
        let decoder = Excel::from_options(&options)
            .unwrap()
            .decoder(DecodeOptions { dataset: Some(name.into()), ..Default::default() })
            .unwrap();
        let got = decode(decoder, vec![Input::Object(Arc::new(bytes.clone())), Input::EndOfStream]);
        if let Some(error) = got.error {
            // The other readers list chart sheets as empty ones.
            if error.code() == "excel.sheet" && sheet["rows"].as_array().unwrap().is_empty() {
                continue;
            }
            return Err(format!("{name}: {error}"));
        }
        if let Some(reject) = got.rejects.first() {
            return Err(format!("{name}: {reject}"));
        }
        let found: Vec<_> = got.batches.iter().flat_map(texts).collect();
        let found: Vec<_> =
            found.into_iter().filter(|row| row.iter().any(Option::is_some)).collect();
        let wanted: Vec<Vec<&Value>> = sheet["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_array().unwrap().iter().collect::<Vec<_>>())
            .filter(|row: &Vec<&Value>| row.iter().any(|cell| !blank(cell)))
            .collect();
        let lead = wanted
            .iter()
            .filter_map(|row| row.iter().position(|cell| !blank(cell)))
            .min()
            .unwrap_or(0);
        // A cell with an empty text stands in the file, so its column is there.
        let width = found.first().map_or(0, Vec::len);
        let lead = if wanted.first().is_some_and(|row| row.len() == width) { 0 } else { lead };
        if found.len() != wanted.len() {
            return Err(format!("{name}: {} rows for {}", found.len(), wanted.len()));
        }
        for (at, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            for (column, cell) in wanted.iter().skip(lead).enumerate() {
                let value = found.get(column).and_then(Option::as_deref);
                if !(same(value, cell) || (blank(cell) && value.is_none())) {
                    return Err(format!("{name}: row {at}, column {column}: {value:?} for {cell}"));
                }
                cells += usize::from(!blank(cell));
            }
        }
    }
    Ok(cells)
}

#[test]
fn every_case_of_the_shared_data_reads_as_the_independent_readers_say() {
    let Some(folder) = fenhe_testkit::shared::data("excel") else { return };
    let mut cases: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    let (mut agree, mut cells, mut differ) = (0, 0, Vec::new());
    for case in &cases {
        let file = fs::read_dir(case)
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| p.extension().is_some_and(|e| e == "xls" || e == "xlsx"))
            .unwrap();
        let peer = fs::read(case.join("expected/peer.json")).unwrap();
        match check(&file, &serde_json::from_slice(&peer).unwrap()) {
            Ok(count) => (agree, cells) = (agree + 1, cells + count),
            Err(why) => differ.push(format!("{}: {why}", case.display())),
        }
    }
    println!("{agree} of {} cases, {cells} cells agree", cases.len());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(cases.len() >= 25 && cells > 900, "{} cases, {cells} cells", cases.len());
}
