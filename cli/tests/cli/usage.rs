//! What is said of wrong words, and of what is there.

use serde_json::Value;

use crate::people;
use crate::work::Work;

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
