//! One file or table into another.

use std::io::{Read, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::work::{Ran, Work};
use crate::{EXCHANGE, SCHEMA, exchange, people};

/// The register of the example: GBK, memo notes, four broken and two struck-off records.
fn register() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/registry/data/RK.DBF").into()
}

#[test]
fn a_clean_conversion_is_silent_and_exits_0() {
    let work = Work::new();
    work.write("in.csv", people(100, 1_000));
    let ran = work.run(&["convert", "in.csv", "out.tsv", "-O", "delimiter=\t"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(work.read("out.tsv"), people(100, 1_000).replace(',', "\t"));
}

#[test]
fn standard_output_holds_data_only() {
    let work = Work::new();
    work.write("in.csv", people(1_000, 100));
    work.write("schema.toml", SCHEMA);
    let args = ["convert", "in.csv", "-", "--to", "csv", "-o", "schema=schema.toml"];
    let ran = work.run(&args);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let expected: String = people(1_000, 100)
        .lines()
        .filter(|l| !l.ends_with(",x"))
        .fold(String::new(), |t, l| t + l + "\n");
    assert_eq!(ran.out, expected);
    assert!(ran.err.contains("rejected") && ran.err.contains("--rejects"), "{}", ran.err);
}

#[test]
fn one_percent_broken_records_lie_in_the_rejects_with_their_bytes() {
    let work = Work::new();
    work.write("in.csv", people(10_000, 100));
    work.write("schema.toml", SCHEMA);
    let args = [
        "convert",
        "in.csv",
        "null:",
        "-o",
        "schema=schema.toml",
        "--rejects",
        "r.ndjson",
        "--receipt",
        "receipt.json",
    ];
    let ran = work.run(&args);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let input = people(10_000, 100);
    let lines: Vec<Value> =
        work.read("r.ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 100);
    for (i, line) in lines.iter().enumerate() {
        let number = (i + 1) * 100;
        assert_eq!(line["record"], number);
        assert_eq!(line["field"], "fee");
        let at = usize::try_from(line["offset"].as_u64().unwrap()).unwrap();
        let length = usize::try_from(line["length"].as_u64().unwrap()).unwrap();
        assert!(input[at..at + length].starts_with(&format!("{number},张{number},x")));
    }
    let receipt: Value = serde_json::from_str(&work.read("receipt.json")).unwrap();
    let books = &receipt["flows"][0]["books"];
    assert_eq!((books["read"].as_u64(), books["delivered"].as_u64()), (Some(10_000), Some(9_900)));
}

#[test]
fn the_first_reject_can_end_everything() {
    let work = Work::new();
    work.write("in.csv", people(1_000, 100));
    work.write("schema.toml", SCHEMA);
    let ran = work.run(&[
        "convert",
        "in.csv",
        "out.csv",
        "-o",
        "schema=schema.toml",
        "--on-error",
        "fail",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("record 100"), "{}", ran.err);
    assert!(!work.path("out.csv").exists());
}

/// A fault that is found after decoding has no place in the bytes, and none is made up.
#[test]
fn a_reject_of_the_mapping_names_its_record_and_no_byte() {
    let work = exchange(10);
    work.write("schema.toml", SCHEMA.replace("decimal(12,2)", "text"));
    let typed =
        EXCHANGE.replace("fee = \"fee\"", "fee = { from = \"fee\", type = \"decimal(12,2)\" }");
    work.write("exchange.toml", &typed);
    work.write("in.csv", people(10, 4));
    assert_eq!(work.run(&["run", "exchange.toml"]).code, 0);
    let rejects = work.read("out/rejects.ndjson");
    let first: Value = serde_json::from_str(rejects.lines().next().unwrap()).unwrap();
    assert_eq!((&first["record"], &first["code"]), (&4.into(), &"mapping.cast".into()), "{first}");
    assert!(first.get("offset").is_none() && first.get("length").is_none(), "{first}");
    work.write("exchange.toml", typed.replace("[budget]\nrejects = 100", "on_error = \"fail\""));
    let ran = work.run(&["run", "exchange.toml", "--restart"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("record 4: fee: expected"), "{}", ran.err);
}

#[test]
fn any_number_of_threads_writes_the_same_file() {
    let work = Work::new();
    work.write("in.csv", people(150_000, 100));
    work.write("schema.toml", SCHEMA);
    for threads in ["1", "2", "3"] {
        let (out, rejects) = (format!("out{threads}.csv"), format!("r{threads}.ndjson"));
        let args = [
            "convert",
            "in.csv",
            &out,
            "-o",
            "schema=schema.toml",
            "--threads",
            threads,
            "--rejects",
            &rejects,
        ];
        assert_eq!(work.run(&args).code, 3);
    }
    for threads in [2, 3] {
        assert!(
            work.read("out1.csv") == work.read(&format!("out{threads}.csv")),
            "{threads} threads"
        );
        // Batches are cut elsewhere; everything else is the same.
        let lines = |n: u32| -> Vec<Value> {
            let text = work.read(&format!("r{n}.ndjson"));
            let parsed = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
            parsed
                .map(|mut line| {
                    line.as_object_mut().unwrap().remove("batch").map(|_| line).unwrap()
                })
                .collect()
        };
        assert!(lines(1) == lines(threads), "{threads} threads");
    }
}

#[test]
fn a_storm_of_rejects_stops_a_conversion_unless_more_is_allowed() {
    let work = Work::new();
    work.write("in.csv", people(3_000, 10));
    work.write("schema.toml", SCHEMA);
    let convert = ["convert", "in.csv", "out.csv", "-o", "schema=schema.toml"];
    let ran = work.run(&convert);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("engine.reject_storm"), "{}", ran.err);
    assert!(!work.path("out.csv").exists());
    let ran = work.run(&[&convert[..], &["--max-rejects", "20"]].concat());
    assert_eq!(ran.code, 3, "{}", ran.err);
}

#[test]
fn columnar_files_hold_the_same_rows() {
    let work = Work::new();
    work.write("in.csv", people(20_000, 1_000_000));
    for name in ["out.parquet", "out.arrow", "out.ndjson", "out.csv.gz", "out.db#people"] {
        assert_eq!(work.run(&["convert", "in.csv", name]).code, 0, "{name}");
        let back = work.run(&["convert", name, "-", "--to", "csv"]);
        assert_eq!(back.code, 0, "{name}: {}", back.err);
        assert!(back.out == people(20_000, 1_000_000), "{name}: {:.200}", back.out);
    }
}

#[test]
fn columns_are_chosen_in_the_order_asked_for() {
    let work = Work::new();
    work.write("in.csv", people(2, 10));
    let ran = work.run(&["convert", "in.csv", "-", "--to", "csv", "--columns", "fee,id"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "fee,id\n1.01,1\n2.02,2\n"), "{}", ran.err);
}

#[test]
fn standard_input_is_recognised_and_read_once() {
    let work = Work::new();
    let mut child = work
        .command(&["convert", "-", "-", "--to", "csv", "--columns", "id"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // More than is remembered for recognising.
    let text = people(100_000, 1_000_000);
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let ran = Ran::from(child.wait_with_output().unwrap());
    writing.join().unwrap();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 100_001);
    assert_eq!(ran.out.lines().last(), Some("100000"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let work = Work::new();
    work.write("in.csv", people(200_000, 1_000_000));
    let mut child = work
        .command(&["convert", "in.csv", "-", "--to", "csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 64];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut start).unwrap();
    drop(stdout);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_table_with_notes_is_written_with_its_memo_file_and_read_back() {
    let work = Work::new();
    assert_eq!(work.run(&["convert", &register(), "COPY.DBF", "-O", "encoding=gbk"]).code, 3);
    assert!(work.path("COPY.DBF").exists());
    let memo = ["COPY.FPT", "COPY.DBT"].into_iter().find(|name| work.path(name).exists());
    assert!(memo.is_some(), "no memo file");
    let rows = |from: &str| work.run(&["convert", from, "-", "--to", "ndjson"]).out;
    let (first, second) = (rows(&register()), rows("COPY.DBF"));
    assert_eq!(first.lines().count(), 294);
    assert_eq!(first, second);
}

#[test]
fn a_header_that_counts_is_patched_on_the_way_to_standard_output() {
    let work = Work::new();
    let args = ["convert", &register(), "-", "--to", "dbf", "--columns", "SFZH,NSR"];
    let output = work.command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    // Number of records, bytes 4 to 7 of the header, little endian: all rows but the one with a broken amount
    // and the two that are struck off.
    assert_eq!(output.stdout[4..8], 297_u32.to_le_bytes());
    let with_notes = work.run(&["convert", &register(), "-", "--to", "dbf"]);
    assert_eq!((with_notes.code, with_notes.out.as_str()), (1, ""));
    assert!(with_notes.err.contains("stdio.companion"), "{}", with_notes.err);
}
