use serde_json::Value;

use crate::support::{Work, query};

const CONTRACT: &str = "name = \"fee\"\nversion = \"1\"\nkey = [\"id\"]\n\
    [[field]]\nname = \"id\"\ntype = \"an..10\"\n\
    [[field]]\nname = \"dept\"\ntype = \"an6\"\n\
    rules = [{ rule = \"reference\", to = \"department\", severity = \"reject\" }]\n\
    [[field]]\nname = \"kind\"\ntype = \"an2\"\n\
    rules = [{ rule = \"reference\", to = \"kind\" }]\n";

const EXCHANGE: &str = "[budget]\nrejects = 5\n\
    [reference.department]\nfrom = \"sqlite:org.db#department\"\nfield = \"code\"\n\
    [reference.kind]\nfrom = \"kinds.csv\"\nkey = [\"DM\"]\n\
    [reference.kind.read]\ntypes = \"text\"\nencoding = \"gbk\"\n\
    [[flow]]\nname = \"fees\"\nfrom = \"fees.csv\"\nto = \"sqlite:p.db#fee\"\n\
    contract = \"fee.contract.toml\"\n[flow.read]\ntypes = \"text\"\n";

fn work() -> Work {
    let work = Work::new();
    work.write("fee.contract.toml", CONTRACT);
    work.write("exchange.toml", EXCHANGE);
    // 001002 is in no table, kind 09 in no list; a row without a department refers to nothing.
    work.write(
        "fees.csv",
        "id,dept,kind\n1,001001,01\n2,001002,01\n3,,02\n4,001003,09\n5,001003,\n",
    );
    // "种类" in GBK.
    work.write("kinds.csv", b"DM,\xd6\xd6\xc0\xe0\r\n01,\xd6\xd6\r\n02,\xc0\xe0\r\n");
    work.sqlite("org.db")
        .execute_batch(
            "CREATE TABLE department (id INTEGER, code TEXT);
             INSERT INTO department VALUES (1, '001001'), (2, '001003'), (3, NULL), (4, '001003');",
        )
        .unwrap();
    work
}

#[test]
fn unknown_references_are_rejected_or_counted_as_the_rule_says() {
    let work = work();
    work.ends("run exchange.toml", 0);
    let rows = query(&work.sqlite("p.db"), "SELECT id FROM fee ORDER BY id");
    assert_eq!(rows, ["1", "3", "4", "5"]);
    let receipt: Value = work.json("exchange.receipt.json");
    let flow = &receipt["flows"][0];
    assert_eq!(flow["books"]["rejected"]["rules.reference"], 1);
    assert_eq!(flow["reasons"][0]["first"], 2);
    assert_eq!(flow["reasons"][0]["expected"], "a key of department");
    let finding = &flow["findings"][0];
    assert_eq!(
        (&finding["field"], &finding["rows"], &finding["first"]),
        (&"kind".into(), &1.into(), &4.into())
    );

    // The department is entered: the same rejected row is good when it comes again.
    work.sqlite("org.db").execute("INSERT INTO department VALUES (5, '001002')", []).unwrap();
    work.ends("replay exchange.toml --export list.csv", 0);
    work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(query(&work.sqlite("p.db"), "SELECT count(*) FROM fee"), ["5"]);
}

#[test]
fn keys_that_changed_make_another_delivery_only_where_they_decide() {
    let work = work();
    work.ends("run exchange.toml", 0);
    let again = work.ends("run exchange.toml", 0);
    assert!(again.out.contains("already delivered"), "{}", again.out);
    work.write("kinds.csv", "DM,x\n01,\n");
    let again = work.ends("run exchange.toml", 0);
    assert!(again.out.contains("already delivered"), "a warning keeps no row back: {}", again.out);
    work.sqlite("org.db").execute("INSERT INTO department VALUES (5, '001002')", []).unwrap();
    let again = work.ends("run exchange.toml", 0);
    assert!(!again.out.contains("already delivered"), "{}", again.out);
    assert_eq!(query(&work.sqlite("p.db"), "SELECT count(*) FROM fee"), ["5"]);
}

#[test]
fn names_are_checked_without_data_and_the_plan_says_what_is_read() {
    let work = work();
    let checked = work.ends("check exchange.toml", 0);
    assert!(checked.out.contains("reference kind: kinds.csv by DM"), "{}", checked.out);
    let plan = work.ends("run exchange.toml --plan", 0);
    for line in [
        "reference department: sqlite:org.db#department by code, 2 keys",
        "reference kind: kinds.csv by DM, 2 keys",
    ] {
        assert!(plan.out.contains(line), "{}", plan.out);
    }
    for file in ["org.db", "kinds.csv", "fees.csv"] {
        std::fs::remove_file(work.path(file)).unwrap();
    }
    work.ends("check exchange.toml", 0);
    // What is changed, where the error is, words of it.
    let cases = [
        (
            "[reference.kind",
            "[reference.kinds",
            (16, 12),
            "there is [reference.kinds]: is that meant?",
        ),
        ("field = \"code\"\n", "", (4, 8), "which column"),
        ("field = \"code\"", "field = \"code\"\nkey = [\"code\"]", (5, 9), "either field or key"),
        ("key = [\"DM\"]", "key = [\"DM\", \"MC\"]", (8, 7), "compares 1"),
        ("sqlite:org", "sqlit:org", (4, 8), "did you mean sqlite:?"),
        ("field = \"code\"", "feld = \"code\"", (5, 1), "field"),
    ];
    for (from, to, (line, column), words) in cases {
        work.write("exchange.toml", EXCHANGE.replace(from, to));
        let wrong = work.ends("check exchange.toml", 2);
        let at = format!("line {line}, column {column})");
        assert!(wrong.err.contains(&at) && wrong.err.contains(words), "{to}: {}", wrong.err);
    }
}

#[test]
fn what_the_keys_themselves_lack_is_said_before_anything_is_delivered() {
    let work = work();
    let cases = [
        (EXCHANGE.replace("field = \"code\"", "field = \"cod\""), "code"),
        (EXCHANGE.replace("[budget]", "[limits]\nkey_memory = 70\n[budget]"), "key_memory"),
        (EXCHANGE.replace("types = \"text\"\nenc", "types = \"infer\"\nenc"), "types = \"text\""),
    ];
    // Without leading zeros the codes are read as numbers.
    work.write("kinds.csv", "DM,x\n11,\n12,\n");
    for (text, word) in cases {
        work.write("exchange.toml", text);
        let wrong = work.run("run exchange.toml");
        assert_ne!(wrong.code, 0);
        assert!(wrong.err.contains(word), "{}", wrong.err);
        assert!(
            !work.path("p.db").exists()
                || query(&work.sqlite("p.db"), "SELECT name FROM sqlite_master WHERE name = 'fee'")
                    .is_empty()
        );
    }
}

#[test]
fn the_fit_report_checks_references_whose_keys_it_is_given() {
    let work = work();
    let fit = "fit fees.csv -o types=text --contract fee.contract.toml --json --day 2026-01-02";
    let without: Value = serde_json::from_str(&work.ends(fit, 0).out).unwrap();
    assert_eq!(without["contracts"][0]["unchecked"].as_array().unwrap().len(), 2);
    let with = format!("{fit} --reference department:code=sqlite:org.db#department");
    let with: Value = serde_json::from_str(&work.ends(&with, 0).out).unwrap();
    let fit_of = &with["contracts"][0];
    assert_eq!(fit_of["unchecked"].as_array().unwrap().len(), 1);
    let quality = fit_of["quality"].as_array().unwrap();
    let found = quality.iter().find(|q| q["code"] == "rules.reference").unwrap();
    assert_eq!((&found["findings"], &found["examples"][0]), (&1.into(), &2.into()));
    let wrong = work.ends(&format!("{fit} --reference departmen=x.csv"), 2);
    assert!(wrong.err.contains("did you mean department?"), "{}", wrong.err);
}
