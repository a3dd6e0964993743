//! Excel and XML by the built program: both ways, the evidence, and rejects that a person corrects.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Work(tempfile::TempDir);

impl Work {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the program; its exit code, and both streams in one.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fenhe"));
        let ran = command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        let ran = ran.output().unwrap();
        let text = [ran.stdout, ran.stderr].concat();
        (ran.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    fn convert(&self, args: &[&str]) {
        let all: Vec<&str> = std::iter::once("convert").chain(args.iter().copied()).collect();
        assert_eq!(self.run(&all), (0, String::new()), "{args:?}");
    }
}

const PEOPLE: &str = "\
编号,姓名,fee,born,at,ok,remark
1,欧阳一,12.50,1999-12-31,2026-01-02T03:04:05,true,
2,\"李, 二\",-0.05,2026-02-28,1970-01-01T00:00:00,false,a < b & c
3,王𠮷三,1000000.00,1949-10-01,2000-02-29T23:59:59,true,=1+1
4,,0.10,,,,𠮷
";

const ROWS: &str = r#"{"编号":1,"姓名":"欧阳一","fee":12.50,"born":"1999-12-31","at":"2026-01-02T03:04:05","ok":"true","remark":null}
{"编号":2,"姓名":"李, 二","fee":-0.05,"born":"2026-02-28","at":"1970-01-01T00:00:00","ok":"false","remark":"a < b & c"}
{"编号":3,"姓名":"王𠮷三","fee":1000000.00,"born":"1949-10-01","at":"2000-02-29T23:59:59","ok":"true","remark":"=1+1"}
{"编号":4,"姓名":null,"fee":0.10,"born":null,"at":null,"ok":null,"remark":"𠮷"}
"#;

#[test]
fn rows_come_through_a_workbook_as_they_were() {
    let work = Work::new();
    work.write("in.csv", PEOPLE);
    work.convert(&["in.csv", "direct.ndjson"]);
    assert_eq!(work.read("direct.ndjson"), ROWS);
    // A text that starts like a formula is kept as it is only when asked for.
    work.convert(&["in.csv", "by.xlsx", "-O", "formula_guard=off"]);
    work.convert(&["by.xlsx", "back.ndjson"]);
    assert_eq!(work.read("back.ndjson"), ROWS);
    work.convert(&["by.xlsx", "back.csv"]);
    assert_eq!(work.read("back.csv"), PEOPLE);
    work.convert(&["in.csv", "guarded.xlsx"]);
    work.convert(&["guarded.xlsx", "guarded.ndjson"]);
    assert_eq!(work.read("guarded.ndjson"), ROWS.replace("\"=1+1", "\"'=1+1"));
}

#[test]
fn rows_come_through_an_xml_document_as_they_were() {
    for encoding in ["UTF-8", "GB18030", "UTF-16"] {
        let work = Work::new();
        work.write("in.csv", PEOPLE);
        let option = format!("encoding={encoding}");
        work.convert(&["in.csv", "by.xml", "-O", "record=/人员/人", "-O", &option]);
        work.convert(&["by.xml", "back.ndjson"]);
        assert_eq!(work.read("back.ndjson"), ROWS, "{encoding}");
        work.convert(&["by.xml", "back.csv"]);
        assert_eq!(work.read("back.csv"), PEOPLE, "{encoding}");
        // From one of them to the other.
        work.convert(&["by.xml", "by.xlsx", "-O", "formula_guard=off"]);
        work.convert(&["by.xlsx", "twice.ndjson"]);
        assert_eq!(work.read("twice.ndjson"), ROWS, "{encoding}");
    }
}

#[test]
fn inspect_says_what_a_person_can_follow() {
    let work = Work::new();
    work.write("in.csv", PEOPLE);
    work.convert(&["in.csv", "people.xlsx", "-O", "sheet=人员"]);
    let (code, text) = work.run(&["inspect", "people.xlsx", "--head", "2"]);
    assert_eq!(code, 0, "{text}");
    for words in [
        "xlsx",
        "of one sheet",
        "row 1 holds texts in the columns: the header",
        "人员",
        "numbers shown as days",
        "numbers shown with 2 decimals",
        "欧阳一",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    work.convert(&["in.csv", "people.xml", "-O", "record=/list/person", "-O", "encoding=GB18030"]);
    let (code, text) = work.run(&["inspect", "people.xml", "--head", "2"]);
    assert_eq!(code, 0, "{text}");
    for words in ["GB18030", "/list/person", "decimal", "date", "欧阳一"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

const SCHEMA: &str = "[[field]]\nname = \"编号\"\ntype = \"int64\"\n\
    [[field]]\nname = \"姓名\"\ntype = \"text\"\n\
    [[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n";

#[test]
fn rejects_become_a_workbook_that_is_corrected_and_read_again() {
    let work = Work::new();
    work.write("schema.toml", SCHEMA);
    work.write("in.csv", "编号,姓名,fee\n1,张,1.00\n2,李,l2.50\n3,王,3.00\n四,赵,x\n");
    work.convert(&["in.csv", "in.xlsx", "-o", "types=text"]);
    let args = ["in.xlsx", "out.ndjson", "-o", "schema=schema.toml", "--rejects", "bad.xlsx"];
    let all: Vec<&str> = std::iter::once("convert").chain(args).collect();
    let (code, text) = work.run(&all);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("2 rejected records to be corrected: bad.xlsx"), "{text}");
    // The log is there as well, whole.
    assert_eq!(work.read("bad.xlsx.ndjson").lines().count(), 2);
    work.convert(&["bad.xlsx", "bad.csv"]);
    let bad = work.read("bad.csv");
    let lines: Vec<&str> = bad.lines().collect();
    assert_eq!(lines[0], "编号,姓名,fee,_source,_row,_reason,_raw");
    assert!(lines[1].starts_with("2,李,l2.50,in.xlsx,3,"), "{bad}");
    assert!(lines[1].contains("value.not_a_number") && lines[1].contains("Sheet1!C3"), "{bad}");
    assert!(lines[2].starts_with("四,赵,x,in.xlsx,5,"), "{bad}");

    // The clerk corrects the cells; what stands behind them need not be removed.
    work.write("right.csv", &bad.replace("l2.50", "12.50").replace("四,赵,x", "4,赵,4.00"));
    work.convert(&["right.csv", "right.xlsx", "-o", "types=text"]);
    work.convert(&["right.xlsx", "again.ndjson", "-o", "schema=schema.toml"]);
    assert_eq!(
        work.read("again.ndjson"),
        "{\"编号\":2,\"姓名\":\"李\",\"fee\":12.50}\n{\"编号\":4,\"姓名\":\"赵\",\"fee\":4.00}\n"
    );
    // Nothing rejected: no workbook.
    let clean = ["right.xlsx", "o.ndjson", "-o", "schema=schema.toml", "--rejects", "none.xlsx"];
    work.convert(&clean);
    assert!(!Path::new(&work.path("none.xlsx")).exists());
}
