//! What a correction list may hold, and what is refused before anything is sent.

use crate::support::{Work, query};

/// A flow into a table that takes a row twice: no key keeps them apart.
const APPEND: &str = "[budget]\nrejects = 9\n[[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"sqlite:p.db#t\"\n\
    [flow.read]\ntypes = \"text\"\ndelimiter = \",\"\n[flow.write]\nmode = \"append\"\n[flow.fields]\nno = \"id\"\n\
    amt = { from = \"amt\", type = \"decimal(8,2)\" }\n";

/// Record 2 cannot be mapped, record 3 cannot be decoded.
const IN: &str = "id,amt\n1,1.00\n2,x\n3,3.00,\n4,4.00\n";

fn work(exchange: &str, input: &str) -> Work {
    let work = Work::new();
    work.write("exchange.toml", exchange);
    work.write("in.csv", input);
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.csv", 0);
    work
}

fn rows(work: &Work) -> Vec<String> {
    query(&work.sqlite("p.db"), "SELECT no, amt FROM t ORDER BY no")
}

#[test]
fn a_record_that_stands_twice_is_refused() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n");
    let list = work.read("list.csv").replace(",2,x", ",2,2.00");
    let (_, line) = list.trim_end().split_once('\n').unwrap();
    work.write("list.csv", format!("{list}{line}\n"));
    let refused = work.ends("replay exchange.toml --corrected list.csv", 2);
    assert!(refused.err.contains("replay.twice"), "{}", refused.err);
    assert!(refused.err.contains("line 3") && refused.err.contains("in line 2"), "{}", refused.err);
    assert_eq!(rows(&work), ["1|1"]);
    // Also when one of both does not say the delivery.
    let (_, undelivered) = line.split_once(',').unwrap();
    work.write("list.csv", format!("{list},{undelivered}\n"));
    let refused = work.ends("replay exchange.toml --corrected list.csv", 2);
    assert!(refused.err.contains("replay.twice"), "{}", refused.err);
    work.write("list.csv", list);
    work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(rows(&work), ["1|1", "2|2"]);
}

#[test]
fn lines_are_those_of_the_file_also_behind_values_of_several_lines() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n3,y\n");
    let list = work.read("list.csv");
    let rows: Vec<&str> = list.lines().collect();
    let [head, two, three] = rows.as_slice() else { panic!("{list}") };
    // A reason of three lines, in a column that is nobody's value, and a line feed in a heading.
    let head = format!("\"_re\nmark\",{head}");
    let two = format!("\"look\nat\nthis\",{two}");
    let refused = |list: String, code: &str, lines: &[&str]| {
        work.write("wrong.csv", list);
        let ran = work.ends("replay exchange.toml --corrected wrong.csv", 2);
        let all = lines.iter().all(|line| ran.err.contains(line));
        assert!(ran.err.contains(code) && all, "{}", ran.err);
    };
    let twice = format!("{head}\n{two}\n,{three}\n,{three}\n");
    refused(twice, "replay.twice", &["line 7, column 1", "stands in line 6 already"]);
    let broken = format!("{head}\n{two}\n,{three},more\n");
    refused(broken, "replay.list", &["line 6, column 1"]);
    let other = format!("{head}\n{two}\n,{}\n", three.replace(",3,", ",nix,"));
    refused(other, "replay.list", &["line 6, column 1"]);
}

#[test]
fn blank_lines_that_somebody_put_in_are_lines() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n3,y\n");
    let list = work.read("list.csv").replace(",2,x", ",2,2.00").replace(",3,y", ",3,3.00");
    let rows: Vec<&str> = list.lines().collect();
    let [head, two, three] = rows.as_slice() else { panic!("{list}") };
    for end in ["\n", "\r\n"] {
        // Lines 2 and 3 are blank, 5 as well; the third record is named twice, in lines 6 and 8.
        let lines = [*head, "", "", two, "", three, "", three, ""];
        work.write("wrong.csv", lines.join(end));
        let ran = work.ends("replay exchange.toml --corrected wrong.csv", 2);
        let told = ran.err.contains("line 8") && ran.err.contains("stands in line 6 already");
        assert!(ran.err.contains("replay.twice") && told, "{}", ran.err);
        // Above the header, and beside a value of two lines; a mark of the encoding stands before all of it.
        let (head, two) = (format!("_remark,{head}"), format!("\"a{end}b\",{two}"));
        let broken = format!(",{},more", three);
        let lines = ["\u{feff}", "", &head, "", &two, "", &broken];
        work.write("wrong.csv", lines.join(end));
        let ran = work.ends("replay exchange.toml --corrected wrong.csv", 2);
        assert!(ran.err.contains("line 8, column 1"), "{}", ran.err);
    }
    // They are no records, and no reason to refuse a list; a line of blanks is.
    work.write("blanks.csv", [*head, "", two, "   ", three].join("\n"));
    let ran = work.ends("replay exchange.toml --corrected blanks.csv", 2);
    assert!(ran.err.contains("replay.list") && ran.err.contains("line 4"), "{}", ran.err);
    work.write("right.csv", ["", *head, "", two, "", "", three, "", ""].join("\n"));
    work.ends("replay exchange.toml --corrected right.csv", 0);
    assert_eq!(self::rows(&work), ["1|1", "2|2", "3|3"]);
}

#[test]
fn records_that_nobody_corrected_are_left_out() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,2.00,\n3\n");
    let sent = work.ends("replay exchange.toml --corrected list.csv", 0);
    assert!(sent.out.contains("nothing to send"), "{}", sent.out);
    assert!(sent.err.contains("2 rows of the list correct nothing"), "{}", sent.err);
    assert!(!work.path("exchange.receipt.replay.json").exists());
    let sent = work.ends("replay exchange.toml --corrected list.csv --json", 0);
    let json: serde_json::Value = serde_json::from_str(&sent.out).unwrap();
    assert_eq!((&json["flows"], &json["left_out"]), (&serde_json::json!([]), &2.into()));
    assert_eq!(rows(&work), ["1|1"], "no blank row");
    // Beside one that is corrected.
    work.write("list.csv", work.read("list.csv").replace("\"2,2.00,\"", "\"2,2.00\""));
    let sent = work.ends("replay exchange.toml --corrected list.csv", 0);
    assert!(sent.err.contains("1 rows of the list correct nothing"), "{}", sent.err);
    assert_eq!(rows(&work), ["1|1", "2|2"]);
    // A row of the source whose cells were emptied is no row either.
    let other = self::work(APPEND, "id,amt\n1,1.00\n2,x\n");
    other.write("list.csv", other.read("list.csv").replace(",2,x", ",,"));
    other.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(rows(&other), ["1|1"]);
}

#[test]
fn columns_of_values_are_those_of_the_flow() {
    let work = work(APPEND, IN);
    let list = work.read("list.csv").replace(",x,", ",2.00,");
    let refused = |list: String, column: &str, near: &str| {
        work.write("wrong.csv", list);
        let ran = work.ends("replay exchange.toml --corrected wrong.csv", 2);
        assert!(ran.err.contains("replay.list") && ran.err.contains(column), "{}", ran.err);
        assert!(ran.err.contains(near), "{}", ran.err);
        assert_eq!(rows(&work), ["1|1", "4|4"]);
    };
    refused(list.replacen(",amt", ",amtt", 1), "field amtt", "did you mean amt?");
    refused(list.replacen("_shape", "_shap", 1), "field _shap", "did you mean _shape?");
    // A row that has to go through the mapping needs the columns of the source.
    work.ends("convert list.csv narrow.csv -o types=text --columns _delivery,_record,_shape,_raw,_bytes,id,no", 0);
    refused(work.read("narrow.csv"), "record 2 needs the column amt", "line 2");
    // A value under a name of the target is not one of such a row.
    let (head, rest) = list.split_once('\n').unwrap();
    let (line, rest) = rest.split_once('\n').unwrap();
    assert!(head.ends_with(",id,amt,no") && line.ends_with(",2,2.00,"), "{list}");
    refused(format!("{head}\n{line}7\n{rest}"), "field no", "shape source");
}

#[test]
fn the_ledger_says_what_a_record_was_refused_as() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n");
    let list = work.read("list.csv").replace(",source,", ",target,").replace(",2,x", ",2,2.00");
    work.write("list.csv", list);
    let refused = work.ends("replay exchange.toml --corrected list.csv", 2);
    assert!(refused.err.contains("has the shape source, not target"), "{}", refused.err);
    assert_eq!(rows(&work), ["1|1"]);
}

#[test]
fn a_record_that_is_not_open_is_named_with_its_line() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n3,y\n");
    work.write("list.csv", work.read("list.csv").replace(",3,source", ",77,source"));
    let refused = work.ends("replay exchange.toml --corrected list.csv", 2);
    assert!(
        refused.err.contains("replay.unknown") && refused.err.contains("line 3"),
        "{}",
        refused.err
    );
    assert_eq!(rows(&work), ["1|1"]);
}

#[test]
fn a_flow_is_one_of_the_exchange_and_takes_its_own_records_only() {
    let work = Work::new();
    let flow = |name: &str| {
        format!(
            "[[flow]]\nname = \"{name}\"\nfrom = \"{name}.csv\"\nto = \"sqlite:p.db#{name}\"\n\
             [flow.read]\ntypes = \"text\"\n[flow.fields]\nno = {{ from = \"id\", type = \"int64\" }}\n"
        )
    };
    work.write("exchange.toml", format!("[budget]\nrejects = 9\n{}{}", flow("a"), flow("b")));
    work.write("a.csv", "id\n1\nx\n");
    work.write("b.csv", "id\n1\ny\n");
    work.ends("run exchange.toml", 0);
    for ask in ["", " --json", " --export list.csv", " --corrected list.csv"] {
        let unknown = work.ends(&format!("replay exchange.toml --flow zz{ask}"), 2);
        assert!(unknown.err.contains("zz") && unknown.err.contains("a, b"), "{}", unknown.err);
    }
    work.ends("replay exchange.toml --flow b --export list.csv", 0);
    work.write("list.csv", work.read("list.csv").replace(",y", ",2"));
    let foreign = work.ends("replay exchange.toml --flow a --corrected list.csv", 2);
    assert!(foreign.err.contains("replay.flow"), "{}", foreign.err);
    assert!(foreign.err.contains("belongs to the flow b"), "{}", foreign.err);
    let count = |table: &str| query(&work.sqlite("p.db"), &format!("SELECT count(*) FROM {table}"));
    assert_eq!((count("a"), count("b")), (vec!["1".to_owned()], vec!["1".to_owned()]));
    work.ends("replay exchange.toml --flow b --corrected list.csv", 0);
    assert_eq!((count("a"), count("b")), (vec!["1".to_owned()], vec!["2".to_owned()]));
}

#[test]
fn json_is_json_also_when_nothing_waits() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,x\n");
    let json =
        |ran: &str| -> serde_json::Value { serde_json::from_str(&work.ends(ran, 0).out).unwrap() };
    let listed = json("replay exchange.toml --json");
    assert_eq!((&listed[0]["record"], &listed[0]["field"]), (&2.into(), &"amt".into()));
    assert_eq!(json("replay exchange.toml --export list.csv --json")["records"], 1);
    work.write("list.csv", work.read("list.csv").replace(",2,x", ",2,2.00"));
    assert_eq!(json("replay exchange.toml --corrected list.csv --json")["flows"][0]["flow"], "f");
    assert_eq!(json("replay exchange.toml --json"), serde_json::json!([]));
    assert_eq!(json("replay exchange.toml --export list.csv --json")["records"], 0);
}

/// A contract whose rule a corrected row has to meet like any other. GB 11643 has 11010519491231002X as its example.
fn residents() -> Work {
    let work = Work::new();
    work.write(
        "c.contract.toml",
        "name = \"c\"\nversion = \"1\"\nkey = [\"no\"]\n[[field]]\nname = \"no\"\ntype = \"an18\"\n\
         rules = [{ rule = \"identifier\", kind = \"citizen\", severity = \"reject\" }]\n\
         [[field]]\nname = \"name\"\ntype = \"c..10\"\n",
    );
    work.write(
        "exchange.toml",
        "[budget]\nrejects = 9\n[[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"sqlite:p.db#t\"\n\
         contract = \"c.contract.toml\"\n[flow.read]\ntypes = \"text\"\n[flow.fields]\nno = \"BH\"\nname = \"XM\"\n",
    );
    work.write("in.csv", "BH,XM\n110105194912310021,张三\n11010519491231002X,李四,\n");
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.ndjson", 0);
    work
}

fn residents_of(work: &Work) -> Vec<String> {
    let tables = query(&work.sqlite("p.db"), "SELECT name FROM sqlite_master WHERE name = 't'");
    match tables.is_empty() {
        true => tables,
        false => query(&work.sqlite("p.db"), "SELECT no, name FROM t"),
    }
}

/// The record with this number, as an object.
fn record(work: &Work, list: &str, number: &str) -> serde_json::Value {
    let list = work.read(list);
    let mut rows =
        list.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.find(|row| row["_record"] == number).unwrap()
}

#[test]
fn corrected_rows_meet_the_rules_of_the_contract_whatever_their_shape() {
    let work = residents();
    assert_eq!(record(&work, "list.ndjson", "1")["_shape"], "source");
    let list = work.read("list.ndjson");
    // Another wrong check digit under the names of the source; and fields of the target filled in for bytes.
    let mut bytes = record(&work, "list.ndjson", "2");
    assert_eq!(bytes["_shape"], "raw");
    bytes["no"] = "110105194912310023".into();
    bytes["name"] = "李四".into();
    let (first, _) = list.split_once('\n').unwrap();
    let first = first.replace("110105194912310021", "110105194912310022");
    work.write("wrong.ndjson", format!("{first}\n{bytes}\n"));
    let sent = work.run("replay exchange.toml --corrected wrong.ndjson");
    assert_eq!(residents_of(&work), Vec::<String>::new(), "{}{}", sent.out, sent.err);
    let receipt = work.json("exchange.receipt.replay.json");
    assert_eq!(receipt["flows"][0]["books"]["rejected"]["rules.identifier"], 2);
    // The bytes themselves, decoded again, meet them too.
    let mut bytes = record(&work, "list.ndjson", "2");
    bytes["_raw"] = "110105194912310024,李四".into();
    work.write("wrong.ndjson", format!("{bytes}\n"));
    work.run("replay exchange.toml --corrected wrong.ndjson");
    assert_eq!(residents_of(&work), Vec::<String>::new());
    bytes["_raw"] = "11010519491231002X,李四".into();
    work.write("right.ndjson", format!("{bytes}\n"));
    work.ends("replay exchange.toml --corrected right.ndjson", 0);
    assert_eq!(residents_of(&work), ["11010519491231002X|李四"]);
}

#[test]
fn what_is_left_of_a_record_survives_an_attempt_in_vain() {
    let work = residents();
    let before = record(&work, "list.ndjson", "2");
    let mut filled = before.clone();
    filled["no"] = "110105194912310023".into();
    filled["name"] = "李四".into();
    work.write("wrong.ndjson", format!("{filled}\n"));
    work.run("replay exchange.toml --corrected wrong.ndjson");
    work.ends("replay exchange.toml --export list.ndjson", 0);
    let after = record(&work, "list.ndjson", "2");
    // The newest reason beside the first bytes and the last values.
    assert_eq!(after["_code"], "rules.identifier");
    for name in ["_shape", "_raw", "_bytes"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!((&after["no"], &after["name"]), (&filled["no"], &filled["name"]));
    // Both can still be corrected: the bytes where nobody touched the values, else the values.
    let mut bytes = after.clone();
    bytes["_raw"] = "11010519491231002X,李五".into();
    work.write("right.ndjson", format!("{bytes}\n"));
    work.ends("replay exchange.toml --corrected right.ndjson", 0);
    assert_eq!(residents_of(&work), ["11010519491231002X|李五"]);
}

#[test]
fn bytes_are_corrected_in_the_same_list_until_they_are_right() {
    let work = work(APPEND, "id,amt\n1,1.00\n2,2.00,\n");
    let list = work.read("list.csv");
    // First it becomes a row whose amount is none, then it is right; the digits are those of the first time.
    work.write("again.csv", list.replace("\"2,2.00,\"", "\"2,y\""));
    work.ends("replay exchange.toml --corrected again.csv", 0);
    assert_eq!(rows(&work), ["1|1"]);
    work.ends("replay exchange.toml --export rest.ndjson", 0);
    let rest = record(&work, "rest.ndjson", "2");
    assert_eq!(
        (&rest["_shape"], &rest["id"], &rest["amt"]),
        (&"source".into(), &"2".into(), &"y".into())
    );
    work.write("again.csv", list.replace("\"2,2.00,\"", "\"2,2.00\""));
    work.ends("replay exchange.toml --corrected again.csv", 0);
    assert_eq!(rows(&work), ["1|1", "2|2"]);
}

#[test]
fn a_workbook_shows_bytes_in_the_encoding_of_the_source() {
    let work = Work::new();
    let text = APPEND.replace("types = \"text\"", "types = \"text\"\nencoding = \"big5\"");
    work.write("exchange.toml", format!("rejects = \"bad.xlsx\"\n{text}"));
    // 張 in Big5 is B1 69, which GB 18030 reads as another character.
    work.write("in.csv", b"id,amt\n1,1.00\n\xb1\x69,2.00,\n");
    work.ends("run exchange.toml", 0);
    let sheet = |name: &str| work.ends(&format!("convert {name} - --to csv -o types=text"), 0).out;
    let book = sheet("bad.xlsx");
    assert!(book.contains("\"張,2.00,\"") && book.contains("b1692c322e30302c"), "{book}");
    // Untouched, nothing is sent: what a reader makes of the bytes is no correction.
    let sent = work.ends("replay exchange.toml --corrected bad.xlsx", 0);
    assert!(sent.out.contains("nothing to send"), "{}", sent.out);
    work.write("right.csv", book.replace("\"張,2.00,\"", "\"張,2.00\""));
    work.ends("replay exchange.toml --corrected right.csv", 0);
    assert_eq!(rows(&work), ["1|1", "張|2"]);
}
