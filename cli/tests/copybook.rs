//! COBOL data by the built program: the layout of a copybook, how a file might be read, and conversion both ways.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

struct Work {
    folder: tempfile::TempDir,
}

impl Work {
    /// A folder with the copybook, the schema and the people.
    fn new() -> Self {
        let work = Self { folder: tempfile::tempdir().unwrap() };
        for (name, text) in [("cust.cpy", COPYBOOK), ("in.toml", SCHEMA), ("in.csv", PEOPLE)] {
            std::fs::write(work.path(name), text).unwrap();
        }
        work
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Code and both streams.
    fn run(&self, args: &str) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_fenhe"))
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// What a command that must succeed prints.
    fn out(&self, args: &str) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (0, ""), "fenhe {args}\n{out}");
        out
    }
}

const COPYBOOK: &str = "       01  CUSTOMER.
           05  ID         PIC 9(6).
           05  NAME       PIC X(20).
           05  BALANCE    PIC S9(7)V99 COMP-3.
           05  VISITS     PIC 9(8) COMP.
           05  NOTES      OCCURS 2.
               10  NOTE   PIC X(3).
";

const SCHEMA: &str = "[[field]]\nname = \"ID\"\ntype = \"int32\"\n\
    [[field]]\nname = \"NAME\"\ntype = \"text\"\n\
    [[field]]\nname = \"BALANCE\"\ntype = \"decimal(9,2)\"\n\
    [[field]]\nname = \"VISITS\"\ntype = \"int64\"\n\
    [[field]]\nname = \"NOTES_1_NOTE\"\ntype = \"text\"\n\
    [[field]]\nname = \"NOTES_2_NOTE\"\ntype = \"text\"\n";

const PEOPLE: &str = "ID,NAME,BALANCE,VISITS,NOTES_1_NOTE,NOTES_2_NOTE\n\
    1,张伟,-12.34,7,A,BC\n2,LI NA,100.00,65536,X,Y\n3,王小明 A,0.05,0,P,QRS\n";

const OPTIONS: &str = "copybook=cust.cpy encoding=ibm1388 flatten=true";

fn words(flag: &str, more: &str) -> String {
    format!("{OPTIONS} {more}").split_whitespace().map(|word| format!("{flag} {word} ")).collect()
}

/// Offsets and lengths by hand: 6 + 20 + 5 (nine digits and a sign, packed) + 4 + 2 times 3.
#[test]
fn inspect_prints_the_layout_of_a_copybook() {
    let work = Work::new();
    let table = work.out("inspect --copybook cust.cpy");
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [
        vec!["01", "CUSTOMER", "0", "41"],
        vec!["05", "BALANCE", "S9(7)V99", "COMP-3", "26", "5"],
        vec!["05", "VISITS", "9(8)", "COMP", "31", "4"],
        vec!["05", "NOTES", "35", "3", "occurs", "2"],
        vec!["10", "NOTE", "X(3)", "DISPLAY", "35", "3"],
    ] {
        assert!(rows.contains(&row), "no {row:?} in\n{table}");
    }
    let json: Value =
        serde_json::from_str(&work.out("inspect --copybook cust.cpy --json")).unwrap();
    assert_eq!(json["length"], 41);
    let balance = json["fields"].as_array().unwrap().iter().find(|f| f["name"] == "BALANCE");
    let balance = balance.unwrap();
    assert_eq!((&balance["level"], &balance["usage"]), (&5.into(), &"COMP-3".into()));
    assert_eq!((&balance["offset"], &balance["length"]), (&26.into(), &5.into()));
}

#[test]
fn a_mistake_in_a_copybook_is_shown_at_its_line() {
    let work = Work::new();
    std::fs::write(work.path("bad.cpy"), "       01  R.\n           05  A PIC Q(3).\n").unwrap();
    let (code, out, err) = work.run("inspect --copybook bad.cpy");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("bad.cpy") && err.contains("line 2"), "{err}");
    assert_eq!(work.run("inspect").0, 2);
}

#[test]
fn inspect_ranks_how_a_file_might_be_read_and_applies_nothing() {
    let work = Work::new();
    let framing = "record_format=V rdw=little";
    work.out(&format!(
        "convert in.csv data.bin -o schema=in.toml --to copybook {}",
        words("-O", framing)
    ));
    let seen: Value =
        serde_json::from_str(&work.out("inspect data.bin --copybook cust.cpy --json")).unwrap();
    let ranked = seen["hypotheses"].as_array().unwrap();
    let best = &ranked[0];
    assert_eq!((&best["score"], &best["records"]), (&100.into(), &3.into()));
    assert_eq!(best["first_failure"], Value::Null);
    let expected = serde_json::json!({"encoding": "ibm1388", "record_format": "V", "rdw": "little", "rdw_inclusive": "true"});
    assert_eq!(best["options"], expected);
    // The record length of the copybook does not fit: the second record is off by its descriptor.
    let fixed = ranked.iter().find(|h| h["options"]["file_header"] == "4").unwrap();
    assert!(fixed["score"].as_u64().unwrap() < 100);
    assert_eq!(fixed["first_failure"]["record"], 2);
    assert_eq!(fixed["first_failure"]["offset"], 4 + 41);
    let text = work.out("inspect data.bin --copybook cust.cpy");
    assert!(text.contains("-o encoding=ibm1388 -o rdw=little"), "{text}");
    assert!(text.contains("nothing is applied"), "{text}");
    // Without the advice taken, the file is still read as the options at hand say.
    assert_eq!(work.run("convert data.bin null: --from copybook -o copybook=cust.cpy").0, 3);
}

#[test]
fn people_go_to_ebcdic_and_back() {
    let work = Work::new();
    let expected = work.out("convert in.csv - -o schema=in.toml --to ndjson");
    for framing in
        ["record_format=F", "record_format=VB", "record_format=VBS", "record_format=lines"]
    {
        work.out(&format!(
            "convert in.csv out.ebc -o schema=in.toml --to copybook {}",
            words("-O", framing)
        ));
        let back = work.out(&format!(
            "convert out.ebc - --from copybook --to ndjson {}",
            words("-o", framing)
        ));
        assert_eq!(back, expected, "{framing}");
        work.out(&format!(
            "convert out.ebc again.ebc --from copybook {} --to copybook {}",
            words("-o", framing),
            words("-O", framing)
        ));
        let bytes = |name| std::fs::read(work.path(name)).unwrap();
        assert_eq!(bytes("again.ebc"), bytes("out.ebc"), "{framing}");
    }
}

/// The bytes of the second record, by the code chart of page 037 and the definitions of COMP and COMP-3.
#[test]
fn numbers_and_letters_have_the_bytes_that_the_mainframe_expects() {
    let work = Work::new();
    work.out(&format!(
        "convert in.csv out.ebc -o schema=in.toml --to copybook {}",
        words("-O", "")
    ));
    let bytes = std::fs::read(work.path("out.ebc")).unwrap();
    assert_eq!(bytes.len(), 3 * 41);
    let second = &bytes[41..82];
    assert_eq!(second[..6], [0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0xF2]);
    assert_eq!(second[6..12], [0xD3, 0xC9, 0x40, 0xD5, 0xC1, 0x40]);
    assert_eq!(second[26..31], [0x00, 0x00, 0x10, 0x00, 0x0C]);
    assert_eq!(second[31..35], 65536u32.to_be_bytes());
    // Negative, packed; and Chinese between the shift bytes.
    assert_eq!(bytes[26..31], [0x00, 0x00, 0x01, 0x23, 0x4D]);
    assert_eq!((bytes[6], bytes[11]), (0x0E, 0x0F));
}
