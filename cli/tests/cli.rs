//! The built program: exit codes, what goes to which stream, and what is left behind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

struct Work {
    folder: tempfile::TempDir,
}

impl Work {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fenhe"));
        command.args(args).current_dir(self.folder.path());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.command(args).stdin(Stdio::null()).output().unwrap().into()
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Rows of id, name, fee; one in `broken` has letters in its fee.
fn people(n: usize, broken: usize) -> String {
    let mut text = String::from("id,name,fee\n");
    for i in 1..=n {
        let fee =
            if i % broken == 0 { "x".to_owned() } else { format!("{}.{:02}", i % 977, i % 100) };
        writeln!(text, "{i},张{i},{fee}").unwrap();
    }
    text
}

const SCHEMA: &str = "[[field]]\nname = \"id\"\ntype = \"int64\"\n\
    [[field]]\nname = \"name\"\ntype = \"text\"\n\
    [[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n";

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
fn wrong_usage_and_wrong_names_exit_2_and_name_the_nearest() {
    let work = Work::new();
    work.write("in.csv", people(3, 10));
    for (args, word) in [
        (vec!["convert", "in.csv"], "TO"),
        (vec!["convret"], "convert"),
        (vec!["convert", "in.csv", "out.csv", "--from", "csf"], "csv"),
        (vec!["convert", "in.csv", "out.csv", "-o", "delimitr=;"], "delimiter"),
        (vec!["convert", "in.csv", "out.csv", "-o", "delimiter"], "key=value"),
        (vec!["convert", "in.csv", "nul:"], "null:"),
        (vec!["inspect", "in.csv", "--as", "cvs"], "csv"),
    ] {
        let ran = work.run(&args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(word), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_table_that_is_not_there_is_no_table_without_columns() {
    let work = Work::new();
    let database = rusqlite::Connection::open(work.path("p.db")).unwrap();
    database
        .execute_batch("CREATE TABLE person (id INTEGER); CREATE TABLE fee (id INTEGER)")
        .unwrap();
    let ran = work.run(&["inspect", "sqlite:p.db#persn"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("did you mean person?"), "{}", ran.err);
    // SQLite does not care about the case of names.
    assert_eq!(work.run(&["inspect", "sqlite:p.db#PERSON"]).code, 0);
    work.write("in.csv", people(3, 10));
    assert_eq!(work.run(&["inspect", "in.csv#Sheet2"]).code, 2);
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
fn a_missing_file_exits_1_and_a_wrong_column_2() {
    let work = Work::new();
    work.write("in.csv", people(3, 10));
    let ran = work.run(&["convert", "nowhere.csv", "out.csv"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("nowhere.csv"), "{}", ran.err);
    let ran = work.run(&["convert", "in.csv", "out.csv", "--columns", "id,nme"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean name?"), "{}", ran.err);
    assert!(!work.path("out.csv").exists());
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
fn inspect_shows_columns_and_why() {
    let work = Work::new();
    work.write("in.csv", people(50, 1_000));
    let ran = work.run(&["inspect", "in.csv", "--head", "2"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for word in ["format csv", "name", "张2", "2.02"] {
        assert!(ran.out.contains(word), "no {word} in {}", ran.out);
    }
    let ran = work.run(&["inspect", "in.csv", "--json", "--head", "1"]);
    let seen: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(seen["format"], "csv");
    assert_eq!(seen["datasets"][0]["columns"][1]["name"], "name");
    assert_eq!(seen["datasets"][0]["rows"][0]["name"], "张1");
}

/// The register of the example: GBK, memo notes, four broken and two struck-off records.
fn register() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/registry/data/RK.DBF").into()
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

#[test]
fn adapters_are_listed() {
    let work = Work::new();
    let ran = work.run(&["adapters", "--json"]);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> =
        listed["formats"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    for name in ["csv", "fixed", "dbf", "json", "parquet", "arrow"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(work.run(&["adapters"]).out.contains("null:"));
}

#[test]
fn check_points_at_line_and_column() {
    let work = Work::new();
    work.write("good.toml", "[[flow]]\nname = \"a\"\nfrom = \"in.csv\"\nto = \"null:\"\n");
    work.write("bad.toml", "[[flow]]\nname = \"a\"\nfrom = \"in.csv\"\nto = \"null:\"\n[flow.read]\nformat = \"csv\"\n  delimitr = \";\"\n");
    let ran = work.run(&["check", "good.toml", "bad.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, "good.toml: ok (a)\n"));
    assert!(ran.err.contains("bad.toml, line 7, column 3"), "{}", ran.err);
    assert!(ran.err.contains("delimiter"), "{}", ran.err);
}

const EXCHANGE: &str = r#"
name = "people"
rejects = "out/rejects.ndjson"
receipt = "out/receipt.json"

[budget]
rejects = 100

[[flow]]
name = "person"
from = "in.csv"
to = "sqlite:out/platform.db#person"

[flow.read]
schema = "schema.toml"

[flow.write]
key = ["person_id"]

[flow.fields]
person_id = { from = "id", required = true, title = "编号" }
name = "name"
fee = "fee"
"#;

fn rows(db: &Path) -> (i64, i64) {
    let db = rusqlite::Connection::open(db).unwrap();
    let query = "SELECT count(*), count(DISTINCT person_id) FROM person";
    db.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn exchange(n: usize) -> Work {
    let work = Work::new();
    work.write("in.csv", people(n, 1_000));
    work.write("schema.toml", SCHEMA);
    work.write("exchange.toml", EXCHANGE);
    std::fs::create_dir_all(work.path("out")).unwrap();
    work
}

#[test]
fn an_exchange_runs_and_a_second_run_delivers_nothing_twice() {
    let work = exchange(20_000);
    let plan = work.run(&["run", "exchange.toml", "--plan"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(plan.out.contains("编号") && plan.out.contains("upsert by person_id"), "{}", plan.out);
    assert!(!work.path("out/platform.db").exists());
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for word in ["20,000", "19,980", "20", "complete", "L2"] {
        assert!(ran.out.contains(word), "no {word} in {}", ran.out);
    }
    assert_eq!(rows(&work.path("out/platform.db")), (19_980, 19_980));
    let rejects = work.read("out/rejects.ndjson");
    assert_eq!(rejects.lines().count(), 20);
    let again = work.run(&["run", "exchange.toml"]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert!(again.out.contains("already delivered"), "{}", again.out);
    assert_eq!(rows(&work.path("out/platform.db")), (19_980, 19_980));
    assert_eq!(work.read("out/rejects.ndjson"), rejects);
    let restart = work.run(&["run", "exchange.toml", "--restart"]);
    assert_eq!(restart.code, 0, "{}{}", restart.out, restart.err);
    assert_eq!(rows(&work.path("out/platform.db")), (19_980, 19_980));
    assert_eq!(work.read("out/rejects.ndjson").lines().count(), 20);
}

#[test]
fn without_a_budget_any_reject_exits_3() {
    let work = exchange(2_000);
    work.write("exchange.toml", EXCHANGE.replace("[budget]\nrejects = 100\n", ""));
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    // So does the run after it: the rejects are still there.
    assert_eq!(work.run(&["run", "exchange.toml"]).code, 3);
}

#[test]
fn an_unknown_column_in_a_configuration_is_reported_at_its_line() {
    let work = exchange(10);
    work.write("exchange.toml", EXCHANGE.replace("name = \"name\"", "name = \"nmae\""));
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("line 22, column 1"), "{}", ran.err);
}

/// Killed at some moment, again and again: at the end everything is there once.
#[test]
fn killed_runs_lose_and_repeat_nothing() {
    let work = exchange(60_000);
    let mut kills = 0;
    for delay in [5, 20, 40, 60, 80, 100, 150, 200] {
        let mut child = work
            .command(&["run", "exchange.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ran = work.run(&["run", "exchange.toml", "--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(rows(&work.path("out/platform.db")), (59_940, 59_940));
    let rejects = work.read("out/rejects.ndjson");
    let mut records: Vec<u64> = rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].as_u64().unwrap())
        .collect();
    records.sort_unstable();
    assert_eq!(records, (1..=60).map(|i| i * 1_000).collect::<Vec<u64>>());
    let receipt: Value = serde_json::from_str(&ran.out).unwrap();
    let books = &receipt["flows"][0]["books"];
    assert_eq!((books["read"].as_u64(), books["delivered"].as_u64()), (Some(60_000), Some(59_940)));
    assert_eq!(receipt["flows"][0]["balanced"], true);
    let verified = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    println!("killed {kills} of 8 runs: 0 lost, 0 twice");
}

#[cfg(unix)]
#[test]
fn an_interrupt_commits_and_the_next_run_goes_on() {
    let work = exchange(400_000);
    let child = work
        .command(&["run", "exchange.toml", "--threads", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As soon as the platform exists the run is under way.
    let db = work.path("out/platform.db-wal");
    for _ in 0..2_000 {
        if db.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    if ran.code != 0 {
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("interrupted"), "{}", ran.out);
        let receipt: Value = serde_json::from_str(&work.read("out/receipt.json")).unwrap();
        assert_eq!(receipt["status"], "interrupted");
        let verified = work.run(&["verify", "out/.fenhe/ledger.db"]);
        assert_eq!(verified.code, 0, "{}", verified.out);
    }
    let ran = work.run(&["run", "exchange.toml"]);
    assert_ne!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(rows(&work.path("out/platform.db")).0, 399_600);
}

/// A platform that refuses three of a hundred rows, and a second one that takes them all, from one reading.
fn two_platforms(work: &Work) {
    let mut csv = String::from("XH,XM,JE\n");
    for i in 1..=100 {
        let fee = if [17, 42, 99].contains(&i) { i + 1_000 } else { i };
        writeln!(csv, "{i:03},张{i},{fee}.50").unwrap();
    }
    work.write("fees.csv", csv);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    strict
        .execute_batch(
            "CREATE TABLE fee (id TEXT PRIMARY KEY, name TEXT, amount DECIMAL(12,2) CHECK (amount < 1000))",
        )
        .unwrap();
    work.write(
        "exchange.toml",
        "name = \"fees\"\nreceipt = \"out/receipt.json\"\nrejects = \"out/rejects.ndjson\"\n\
         [ledger]\nread_back = true\nhash = \"sm3\"\n\
         [budget]\nrejects = 2\n\
         [[flow]]\nname = \"fees\"\nfrom = \"fees.csv\"\n[flow.read]\ntypes = \"text\"\n\
         [[flow.target]]\nname = \"strict\"\nto = \"sqlite:strict.db#fee\"\n\
         [flow.target.write]\nkey = [\"id\"]\n\
         [flow.target.fields]\nid = \"XH\"\nname = \"XM\"\namount = { from = \"JE\", type = \"decimal(12,2)\" }\n\
         [[flow.target]]\nname = \"plain\"\nto = \"sqlite:plain.db#payment\"\n\
         [flow.target.write]\nkey = [\"number\"]\n\
         [flow.target.fields]\nnumber = \"XH\"\nyuan = { from = \"JE\", type = \"decimal(12,2)\", required = true }\n",
    );
}

#[test]
fn refused_rows_come_back_as_a_list_are_corrected_and_net_off() {
    let work = Work::new();
    two_platforms(&work);
    let first = work.run(&["run", "exchange.toml"]);
    assert_eq!(first.code, 3, "{}{}", first.out, first.err);
    let receipt: Value = serde_json::from_str(&work.read("out/receipt.json")).unwrap();
    let books = |flow: usize| {
        let books = &receipt["flows"][flow]["books"];
        (books["read"].as_u64(), books["delivered"].as_u64())
    };
    assert_eq!((books(0), books(1)), ((Some(100), Some(97)), (Some(100), Some(100))));
    assert_eq!(receipt["flows"][0]["read_back"]["agrees"], true);
    assert!(first.out.contains("at the target"), "{}", first.out);

    let listed = work.run(&["replay", "exchange.toml"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    for record in ["17", "42", "99"] {
        assert!(listed.out.contains(&format!("  {record}")), "{}", listed.out);
    }
    let exported = work.run(&["replay", "out/.fenhe/ledger.db", "--export", "list.csv"]);
    assert_eq!(exported.code, 0, "{}{}", exported.out, exported.err);
    // A person puts two right; the third stays as it is.
    let list = work.read("list.csv").replace("1017.50", "17.50").replace("1099.50", "99.50");
    work.write("corrected.csv", list);
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "corrected.csv"]);
    assert_eq!(
        replayed.code, 0,
        "one reject is within the budget: {}{}",
        replayed.out, replayed.err
    );
    assert!(replayed.out.contains("the books balance"), "{}", replayed.out);
    let replay: Value = serde_json::from_str(&work.read("out/receipt.replay.json")).unwrap();
    let flow = &replay["flows"][0];
    assert_eq!(
        (flow["books"]["read"].as_u64(), flow["books"]["delivered"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(flow["replay_of"], receipt["flows"][0]["delivery"]);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    let sum = |sql| strict.query_row(sql, [], |row| row.get::<_, f64>(0)).unwrap();
    assert_eq!(sum("SELECT count(*) FROM fee"), 99.0);
    assert_eq!(sum("SELECT amount FROM fee WHERE id = '017'"), 17.5);

    // The same list again sends nothing; a second correction closes the books.
    let again = work.run(&["replay", "exchange.toml", "--corrected", "corrected.csv"]);
    assert_eq!(again.code, 2, "record 17 is no open reject any more: {}{}", again.out, again.err);
    let exported = work.run(&["replay", "exchange.toml", "--export", "rest.ndjson"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let rest = work.read("rest.ndjson");
    assert_eq!(rest.lines().count(), 1);
    work.write("rest.ndjson", rest.replace("1042.50", "42.50"));
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "rest.ndjson"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    let none = |line: &str| line.trim_start().starts_with("still rejected") && line.ends_with(" 0");
    assert!(replayed.out.lines().any(none), "{}", replayed.out);
    let once_more = work.run(&["run", "exchange.toml"]);
    assert_eq!(once_more.code, 0, "nothing is open any more: {}", once_more.out);
    assert!(work.run(&["replay", "exchange.toml"]).out.starts_with("no record"));

    // The chain of four receipts is sound, and the platform returns what was delivered.
    let chain = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(chain.code, 0, "{}", chain.out);
    assert!(chain.out.contains("4 receipts, sound"), "{}", chain.out);
    let reconcile = |flow: &str, place: &str| {
        work.run(&["reconcile", "out/receipt.json", place, "--flow", flow])
    };
    let same = reconcile("fees.strict", "sqlite:strict.db#fee");
    assert_eq!(same.code, 0, "{}{}", same.out, same.err);
    // What the replays brought stands on the side of the receipt, with the ledger and without it.
    work.write("alone.json", work.read("out/receipt.json"));
    let place = "sqlite:strict.db#fee";
    let alone = work.run(&["reconcile", "alone.json", place, "--flow", "fees.strict"]);
    assert_eq!(alone.code, 0, "{}{}", alone.out, alone.err);
    let paid = format!("{:.2}", sum("SELECT sum(amount) FROM fee"));
    for text in [&same.out, &alone.out, &once_more.out] {
        let figures = |of: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(of)).unwrap();
            line.split_whitespace().map(|word| word.replace(',', "")).collect::<Vec<_>>()
        };
        assert_eq!(figures("rows")[1..3], ["100", "100"], "{text}");
        assert!(figures("sum of amount")[3..].iter().all(|sum| *sum == paid), "{text}");
    }
    strict.execute("UPDATE fee SET name = '李四' WHERE id = '063'", []).unwrap();
    let other = reconcile("fees.strict", "sqlite:strict.db#fee");
    assert_eq!(other.code, 4, "{}", other.out);
    assert!(other.out.contains("changed  063  record 63"), "{}", other.out);
}

/// The rows of a workbook as this program reads them.
fn workbook(work: &Work, name: &str) -> Vec<String> {
    let ran = work.run(&["convert", name, "-", "--to", "csv", "-o", "types=text"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn rejects_of_an_exchange_become_workbooks_that_are_corrected_and_sent_again() {
    let work = Work::new();
    two_platforms(&work);
    let text = work.read("exchange.toml").replace("rejects.ndjson", "bad.xlsx");
    work.write("exchange.toml", text);
    let plan = work.run(&["run", "exchange.toml", "--plan"]);
    for path in ["out/bad.xlsx.ndjson", "out/bad.fees.strict.xlsx", "out/bad.fees.plain.xlsx"] {
        assert!(plan.out.contains(path), "{}", plan.out);
    }
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("3 rejected records to be corrected: out/bad.fees.strict.xlsx"),
        "{}",
        ran.err
    );
    assert_eq!(work.read("out/bad.xlsx.ndjson").lines().count(), 3);
    assert!(!work.path("out/bad.fees.plain.xlsx").exists(), "nothing was refused there");
    let lines = workbook(&work, "out/bad.fees.strict.xlsx");
    assert_eq!(lines[0], "id,name,amount,_source,_row,_reason,_raw,_delivery,_record,_shape");
    let records = [("017", 17), ("042", 42), ("099", 99)];
    assert_eq!(lines.len(), 1 + records.len(), "{lines:?}");
    for (line, (id, n)) in lines[1..].iter().zip(records) {
        assert!(line.starts_with(&format!("{id},张{n},{}.50,", n + 1_000)), "{line}");
        assert!(line.ends_with(&format!(",{n},target")), "{line}");
    }

    // What a clerk is at work on is not overwritten by a run that delivers nothing.
    let book = std::fs::read(work.path("out/bad.fees.strict.xlsx")).unwrap();
    work.write("out/bad.fees.strict.xlsx", "at work");
    assert_eq!(work.run(&["run", "exchange.toml"]).code, 3);
    assert_eq!(work.read("out/bad.fees.strict.xlsx"), "at work");
    work.write("out/bad.fees.strict.xlsx", book);

    // Two rows are put right; the third goes back as it is and stays open.
    let text = lines.join("\n").replace("1017.50", "17.50").replace("1099.50", "99.50");
    work.write("right.csv", text + "\n");
    let ran = work.run(&["convert", "right.csv", "right.xlsx", "-o", "types=text"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "right.xlsx"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    let sum = |sql| strict.query_row(sql, [], |row| row.get::<_, f64>(0)).unwrap();
    assert_eq!(sum("SELECT count(*) FROM fee"), 99.0);
    assert_eq!(sum("SELECT amount FROM fee WHERE id = '017'"), 17.5);

    // Asked for again, the workbook holds what is still open.
    std::fs::remove_file(work.path("out/bad.fees.strict.xlsx")).unwrap();
    work.run(&["run", "exchange.toml"]);
    let lines = workbook(&work, "out/bad.fees.strict.xlsx");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("042,"), "{lines:?}");
}

#[test]
fn a_workbook_holds_records_that_never_became_rows_as_they_were_read() {
    let work = exchange(3_000);
    work.write("exchange.toml", EXCHANGE.replace("rejects.ndjson", "rejects.xlsx"));
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 0, "within the budget: {}{}", ran.out, ran.err);
    let lines = workbook(&work, "out/rejects.xlsx");
    assert!(lines[0].starts_with("person_id,name,fee,_source,_row,"), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].contains(",\"1000,张1000,x\","), "{lines:?}");
    assert!(lines[1].contains("value.not_a_number"), "{lines:?}");

    // The books are not touched by a workbook that cannot be made, and the run does not say that all is well.
    std::fs::remove_file(work.path("out/rejects.xlsx")).unwrap();
    std::fs::create_dir(work.path("out/rejects.xlsx")).unwrap();
    let ran = work.run(&["run", "exchange.toml", "--restart"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2,997") && ran.out.contains("no workbook"), "{}", ran.out);
    assert_eq!(work.read("out/rejects.xlsx.ndjson").lines().count(), 3);
}

#[test]
fn rows_of_a_sheet_are_corrected_under_the_names_of_the_sheet() {
    let work = Work::new();
    work.write("schema.toml", SCHEMA);
    work.write("in.csv", "id,name,fee\n1,张,1.00\n2,李,l2.50\n");
    assert_eq!(work.run(&["convert", "in.csv", "in.xlsx", "-o", "types=text"]).code, 0);
    let text = EXCHANGE.replace("rejects.ndjson", "bad.xlsx").replace("in.csv", "in.xlsx");
    work.write("exchange.toml", text);
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let lines = workbook(&work, "out/bad.xlsx");
    assert!(lines[0].starts_with("id,name,fee,_source,"), "{lines:?}");
    assert!(lines[1].starts_with("2,李,l2.50,"), "{lines:?}");
    assert!(lines[1].ends_with(",2,source"), "{lines:?}");
    work.write("right.csv", lines.join("\n").replace("l2.50", "12.50"));
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "right.csv"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    assert_eq!(rows(&work.path("out/platform.db")), (2, 2));
}

#[test]
fn the_books_of_a_ledger_are_compared_with_its_receipts() {
    let work = Work::new();
    two_platforms(&work);
    work.run(&["run", "exchange.toml"]);
    work.run(&["replay", "exchange.toml", "--export", "list.csv"]);
    work.write("list.csv", work.read("list.csv").replace("1017.50", "17.50"));
    work.run(&["replay", "exchange.toml", "--corrected", "list.csv"]);
    // And a run that finds everything delivered.
    work.run(&["run", "exchange.toml"]);
    let ledger = work.path("out/.fenhe/ledger.db");
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    let cases = [
        ("DELETE FROM reject WHERE record = 17", "rejects sql.check"),
        ("UPDATE reject SET code = 'sql.other' WHERE record = 42", "rejects sql.other"),
        ("UPDATE delivery SET delivered = delivered + 1", "delivered 98, not 97"),
        ("UPDATE delivery SET read = read + 1, delivered = delivered + 1", "read 101, not 100"),
        ("UPDATE delivery SET complete = 0", "complete false, not true"),
        ("UPDATE delivery SET fingerprint = 'x'", "fingerprint"),
        ("UPDATE delivery SET run = 'x'", "the receipt of its run is gone"),
        ("DELETE FROM delivery WHERE flow = 'fees.plain'", "is gone"),
        ("DELETE FROM row_index WHERE delivery = (SELECT min(delivery) FROM delivery)", "is gone"),
        ("DELETE FROM row_index", "the row index of 1 batches is gone"),
        ("UPDATE row_index SET digests = zeroblob(length(digests))", "does not fit its digest"),
        ("UPDATE row_index SET keys = substr(keys, 8)", "does not fit its digest"),
        ("DELETE FROM position WHERE pipeline LIKE '%plain'", "its position is gone"),
        (
            "UPDATE position SET checkpoint = json_set(checkpoint, '$.columns[2].sum', '1.00')",
            "its position differs from receipt",
        ),
        ("DELETE FROM batch", "records read of its batches 0, not 100"),
        (
            "UPDATE batch SET digest = replace(digest, substr(digest, 5, 4), 'abcd')",
            "digest of its batches",
        ),
        ("UPDATE batch SET rows = rows + 1", "rows of its batches"),
        ("DELETE FROM replay WHERE record = 17", "records sent again 2, not 3"),
        ("UPDATE run SET status = 'failed'", "ended otherwise than receipt"),
        ("DELETE FROM run", "is gone"),
    ];
    for (change, what) in cases {
        std::fs::copy(&ledger, work.path("touched.db")).unwrap();
        let touched = rusqlite::Connection::open(work.path("touched.db")).unwrap();
        assert!(touched.execute(change, []).unwrap() > 0, "{change}");
        drop(touched);
        let found = work.run(&["verify", "touched.db"]);
        assert_eq!(found.code, 4, "{change}: {}", found.out);
        let named = |line: &str| line.contains("THE BOOKS DIFFER") && line.contains(what);
        assert!(found.out.lines().any(named), "{change}: {}", found.out);
    }
    // A delivery that starts over forgets what was sent again of it, and that is no fault.
    assert_eq!(work.run(&["run", "exchange.toml", "--restart"]).code, 3);
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    // Row by row nothing is kept any more, and it can be seen that this was meant.
    let thinned = rusqlite::Connection::open(&ledger).unwrap();
    let thin = "UPDATE row_index SET digests = x'', keys = NULL, records = NULL";
    assert!(thinned.execute(thin, []).unwrap() > 0);
    drop(thinned);
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    let place = "sqlite:plain.db#payment";
    let whole = work.run(&["reconcile", "out/receipt.json", place, "--flow", "fees.plain"]);
    assert_eq!(whole.code, 0, "{}", whole.out);
    assert!(whole.out.contains("the rows are the ones that were delivered"), "{}", whole.out);
    // A broken chain is worse than books that differ.
    let touched = rusqlite::Connection::open(work.path("touched.db")).unwrap();
    touched.execute("DELETE FROM receipt WHERE sequence = 2", []).unwrap();
    drop(touched);
    assert_eq!(work.run(&["verify", "touched.db"]).code, 1);
}

#[test]
fn a_receipt_that_was_touched_is_not_sound() {
    let work = Work::new();
    two_platforms(&work);
    work.run(&["run", "exchange.toml"]);
    let sound = work.run(&["verify", "out/receipt.json"]);
    assert_eq!(sound.code, 0, "{}{}", sound.out, sound.err);
    let text = work.read("out/receipt.json");
    work.write("cut.json", text.strip_suffix('\n').unwrap());
    let cut = work.run(&["verify", "cut.json"]);
    assert_eq!(cut.code, 1);
    assert!(cut.out.contains("the line feed at the end is missing"), "{}", cut.out);
    work.write("out/receipt.json", text.replace("\"delivered\":97", "\"delivered\":98"));
    let touched = work.run(&["verify", "out/receipt.json"]);
    assert_eq!(touched.code, 1);
    assert!(touched.out.contains("NOT SOUND"), "{}", touched.out);
    let compared = work.run(&[
        "reconcile",
        "out/receipt.json",
        "sqlite:strict.db#fee",
        "--flow",
        "fees.strict",
    ]);
    assert_eq!(compared.code, 1, "figures that were altered are compared with nothing");
}

/// A web server that keeps what it was sent and says yes to everything.
fn platform() -> (String, std::sync::Arc<std::sync::Mutex<String>>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/in/people", listener.local_addr().unwrap());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let kept = std::sync::Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            let whole = |request: &[u8]| {
                let text = String::from_utf8_lossy(request).to_lowercase();
                let (head, body) = text.split_once("\r\n\r\n")?;
                let length = head.split("content-length: ").nth(1)?.lines().next()?;
                (body.len() >= length.parse().unwrap()).then_some(())
            };
            while whole(&request).is_none() {
                match stream.read(&mut buffer).unwrap() {
                    0 => break,
                    n => request.extend_from_slice(&buffer[..n]),
                }
            }
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&request));
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        }
    });
    (url, seen)
}

#[cfg(unix)]
#[test]
fn secrets_of_a_service_reach_it_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let work = Work::new();
    let (url, seen) = platform();
    let own = |name: &str, mode| {
        std::fs::set_permissions(work.path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    work.write("in/people.csv", "id,name\n1,张三\n2,李四\n");
    work.write("in/keys/api.key", "canary-key\n");
    own("in/keys/api.key", 0o600);
    work.write(
        "in/exchange.toml",
        format!(
            "[[flow]]\nname = \"people\"\nfrom = \"people.csv\"\nto = \"{url}\"\n[flow.write]\n\
             bearer_env = \"FENHE_CANARY\"\nheader_file = [\"X-Api-Key=keys/api.key\"]\n"
        ),
    );
    let with_token = |args: &[&str]| -> Ran {
        let mut command = work.command(args);
        command.env("FENHE_CANARY", "canary-token").stdin(Stdio::null()).output().unwrap().into()
    };
    let mut shown = String::new();
    let mut take = |ran: Ran, code: i32| {
        assert_eq!(ran.code, code, "{}", ran.err);
        shown.push_str(&ran.out);
        shown.push_str(&ran.err);
        ran
    };
    take(with_token(&["check", "in/exchange.toml"]), 0);
    take(with_token(&["run", "in/exchange.toml", "--plan"]), 0);
    take(with_token(&["run", "in/exchange.toml", "--json"]), 0);
    let convert = |option: &str| {
        with_token(&["convert", "in/people.csv", &url, "-O", option, "--receipt", "receipt.json"])
    };
    take(convert("header_env=X-Api-Key=FENHE_CANARY"), 0);
    let requests = seen.lock().unwrap().to_lowercase();
    assert!(requests.contains("authorization: bearer canary-token\r\n"), "{requests}");
    assert!(requests.contains("x-api-key: canary-key\r\n"), "{requests}");
    assert!(requests.contains("x-api-key: canary-token\r\n"), "{requests}");

    // What is wrong with a secret is told by line and name, without it.
    let ran = take(work.run(&["run", "in/exchange.toml"]), 2);
    assert!(
        ran.err.contains("exchange.toml, line 6, column 1") && ran.err.contains("FENHE_CANARY"),
        "{}",
        ran.err
    );
    own("in/keys/api.key", 0o644);
    let ran = take(with_token(&["check", "in/exchange.toml"]), 2);
    assert!(
        ran.err.contains("exchange.toml, line 7, column 1") && ran.err.contains("chmod 600"),
        "{}",
        ran.err
    );
    take(convert("headers=Authorization: canary"), 2);
    take(convert("bearer_env=canary-token"), 2);
    assert!(!shown.contains("canary"), "{shown}");

    std::fs::remove_dir_all(work.path("in/keys")).unwrap();
    let grep = Command::new("grep").args(["-rla", "canary-"]).arg(work.folder.path()).output();
    assert_eq!(String::from_utf8(grep.unwrap().stdout).unwrap(), "", "files with the secret");
}
