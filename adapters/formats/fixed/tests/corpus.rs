//! Files of other projects, from the shared test data and from `corpus/`.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use fenhe_core::{Attachment, DecodeOptions, Format, Input, Options, Output, Reject};
use fenhe_fixed::Fixed;
use serde_json::Value;

/// The rows of a file as text cells, and what was rejected.
fn read(format: &Fixed, bytes: &[u8]) -> (Vec<Vec<Option<String>>>, Vec<Reject>, Vec<String>) {
    let mut decoder = format.decoder(DecodeOptions::default()).unwrap();
    let mut inputs = vec![Input::EndOfStream, Input::Bytes(bytes.to_vec().into())];
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    loop {
        match decoder.next().unwrap() {
            Output::NeedInput => decoder.feed(inputs.pop().unwrap()).unwrap(),
            Output::Done => break,
            Output::Batch(batch) => {
                for row in 0..batch.rows() {
                    let cell = |c: &Arc<dyn arrow_array::Array>| {
                        (!c.is_null(row)).then(|| c.as_string::<i32>().value(row).to_owned())
                    };
                    rows.push(batch.records.columns().iter().map(cell).collect());
                }
                rejects.extend(batch.rejects);
            }
        }
    }
    let schema = decoder.schema().unwrap();
    (rows, rejects, schema.fields().iter().map(|f| f.name().clone()).collect())
}

fn options(pairs: &[&str]) -> Options {
    Options::from_pairs(pairs.iter().copied()).unwrap()
}

fn words(values: &Value) -> String {
    values.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join(",")
}

fn csvkit(folder: &Path) {
    let mut options = Options::new();
    let text = fs::read_to_string(folder.join("testfixed_schema.csv")).unwrap();
    let layout = Attachment { name: "testfixed_schema.csv".into(), text };
    options.set("schema", serde_json::to_value(layout).unwrap());
    let format = Fixed::from_options(&options).unwrap();
    let (rows, rejects, names) = read(&format, &fs::read(folder.join("testfixed.txt")).unwrap());
    assert!(rejects.is_empty(), "{}", rejects[0]);
    let expected = fs::read_to_string(folder.join("expected/testfixed_converted.csv")).unwrap();
    let mut found = vec![names.join(",")];
    let line = |row: &Vec<Option<String>>| {
        row.iter().map(|c| c.clone().unwrap_or_default()).collect::<Vec<_>>().join(",")
    };
    found.extend(rows.iter().map(line));
    assert_eq!(found, expected.lines().collect::<Vec<_>>());
}

fn readr(folder: &Path, case: &Value) {
    let widths = format!("widths={}", words(&case["options"]["widths"]));
    let format = Fixed::from_options(&options(&[&widths, "names=name,state,ssn"])).unwrap();
    let (rows, rejects, _) = read(&format, &fs::read(folder.join("fwf-sample.txt")).unwrap());
    assert!(rejects.is_empty(), "{}", rejects[0]);
    // readr's own page of `read_fwf` prints these rows for widths 20, 10 and 12.
    let expected = [
        ["John Smith", "WA", "418-Y11-4111"],
        ["Mary Hartford", "CA", "319-Z19-4341"],
        ["Evan Nolan", "IL", "219-532-c301"],
    ];
    assert_eq!(rows, expected.map(|row| row.map(|cell| Some(cell.to_owned())).to_vec()));
}

fn univocity_twins(folder: &Path, case: &Value) {
    let comment = format!("comment={}", case["options"]["comment"].as_str().unwrap());
    let both = |widths: &str| {
        let format = Fixed::from_options(&options(&[widths, &comment])).unwrap();
        let (unix, none, _) = read(&format, &fs::read(folder.join("essential.txt")).unwrap());
        let (dos, no, _) = read(&format, &fs::read(folder.join("essential-dos.txt")).unwrap());
        assert!(none.is_empty() && no.is_empty());
        assert_eq!(unix, dos, "twins must give identical rows");
        unix
    };
    // One heading line and five records; blank and comment lines are none.
    assert_eq!(both(&format!("widths={}", words(&case["options"]["widths"]))).len(), 6);
    // The first column of the file is 11 wide, whatever its comment says.
    let rows = both("widths=11,38,20,8");
    let cells = |row: [&str; 4]| row.map(|c| (!c.is_empty()).then(|| c.to_owned())).to_vec();
    assert_eq!(rows[1], cells(["2013-FEB-28", "Harry Dong", "15000.99", "8.786"]));
    assert_eq!(rows[3], cells(["2012-SEP-1", "Willie Stroker", "15000.00", "6"]));
}

fn univocity_padding(folder: &Path, case: &Value) {
    let widths = format!("widths={}", words(&case["options"]["widths"]));
    let padding = format!("padding={}", case["options"]["padding"].as_str().unwrap());
    // One value holds a line end, so records are counted, not cut at line ends.
    let format =
        Fixed::from_options(&options(&[&widths, &padding, "comment=#", "frame=length"])).unwrap();
    let (rows, rejects, _) = read(&format, &fs::read(folder.join("example.txt")).unwrap());
    assert!(rejects.is_empty(), "{}", rejects[0]);
    let listing = fs::read_to_string(folder.join("expected/example001ParseAll.txt")).unwrap();
    let mut found = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.iter().map(|c| c.as_deref().unwrap_or("null")).collect();
        found += &format!("{} [{}]\n-----------------------\n", number + 1, cells.join(", "));
    }
    assert_eq!(found.trim_end(), listing.replace("\r\n", "\n").trim_end());
}

#[test]
fn every_shared_case_reads_as_its_source_says() {
    let Some(folder) = fenhe_testkit::shared::data("fixed_width") else { return };
    let mut cases: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    let (mut passed, mut unknown) = (0, Vec::new());
    for case in cases {
        let text = fs::read_to_string(case.join("case.json")).unwrap();
        let about: Value = serde_json::from_str(&text).unwrap();
        match about["id"].as_str().unwrap() {
            "csvkit_testfixed" => csvkit(&case),
            "readr_fwf_sample" => readr(&case, &about),
            "univocity_essential_fixed" => univocity_twins(&case, &about),
            "univocity_example_fixed" => univocity_padding(&case, &about),
            other => {
                unknown.push(other.to_owned());
                continue;
            }
        }
        passed += 1;
    }
    println!(
        "fixed_width: {passed} cases pass, {} not known to this test {unknown:?}",
        unknown.len()
    );
    assert_eq!(passed, 4);
}

#[test]
fn every_case_of_our_own_reads_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut cases = 0;
    for case in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        let text = |name: &str| fs::read_to_string(case.join(name)).unwrap();
        let mut options = Options::new();
        options.set(
            "layout",
            serde_json::json!({ "name": "layout.toml", "text": text("layout.toml") }),
        );
        let format = Arc::new(Fixed::from_options(&options).unwrap());
        let bytes = fs::read(case.join("input.dat")).unwrap();
        let found = fenhe_testkit::format::decode(
            format.decoder(DecodeOptions::default()).unwrap(),
            vec![Input::Bytes(bytes.into()), Input::EndOfStream],
        );
        assert_eq!(
            found.rows,
            text("expect.ndjson").lines().collect::<Vec<_>>(),
            "{}",
            case.display()
        );
        let rejects: Vec<Value> = found
            .rejects
            .iter()
            .map(|r| {
                let (field, code) = (&r.fault.field, &r.fault.code);
                serde_json::json!({ "record": r.record, "offset": r.offset, "field": field, "code": code })
            })
            .collect();
        let expected: Vec<Value> =
            text("rejects.ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(rejects, expected, "{}", case.display());
        cases += 1;
    }
    assert!(cases >= 2);
}
