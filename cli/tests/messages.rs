//! What people read: every fault once, in words that say what to do.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod work;

use work::Work;

#[test]
fn an_error_is_told_once() {
    let work = Work::new();
    work.write("in.csv", "id,name\n1,\"open\n");
    work.write("x.toml", "[[flow]]\nname = \"a\"\nfrom = \"in.csv\"\nto = \"sqlite:x.db#t\"\n[flow.fields]\nid = \"nix\"\n");
    for args in [
        ["convert", "in.csv", "out.csv", "-o", "quote=\"", "-o", "delimiter=,"].as_slice(),
        &["convert", "in.csv", "sqlite:x.db#t", "-O", "key=nix"],
        &["convert", "nix.csv", "out.csv"],
        &["run", "x.toml"],
    ] {
        let ran = work.run(args);
        let said = format!("{}{}", ran.out, ran.err);
        assert_ne!(ran.code, 0, "{said}");
        let error = ran.err.lines().find(|line| line.starts_with("error:")).unwrap();
        let code = &error[error.find('[').unwrap()..=error.find(']').unwrap()];
        assert_eq!(said.matches(code).count(), 1, "{args:?}: {said}");
    }
}

#[test]
fn values_that_were_passed_over_are_told_though_all_else_is_clean() {
    let work = Work::new();
    work.write("schema.toml", "[[field]]\nname = \"id\"\ntype = \"int64\"\n");
    work.write("in.ndjson", "{\"id\":1,\"extra\":\"x\"}\n{\"id\":2,\"extra\":\"y\"}\n");
    let ran = work.run(&[
        "convert",
        "in.ndjson",
        "out.csv",
        "-o",
        "schema=schema.toml",
        "-o",
        "unknown=ignore",
    ]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("2 values under keys"), "{}", ran.err);
}

#[test]
fn a_missing_trailer_is_called_that() {
    let work = Work::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/registry/");
    let layout = std::fs::read_to_string(format!("{example}fee.layout.toml")).unwrap();
    let data = std::fs::read(format!("{example}data/FEE.TXT")).unwrap();
    work.write("fee.layout.toml", layout);
    let cut = data[..data.len() - 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    work.write("FEE.TXT", &data[..=cut]);
    let ran = work.run(&["convert", "FEE.TXT", "null:", "-o", "layout=fee.layout.toml"]);
    assert!(ran.err.contains("the trailer record is missing"), "{}", ran.err);
    assert!(!ran.err.contains("declares ,"), "{}", ran.err);
}

#[test]
fn different_faults_of_a_record_are_different_reasons() {
    let work = Work::new();
    work.write("in.csv", "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3\n1\n");
    let ran = work.run(&["convert", "in.csv", "null:", "-o", "delimiter=,", "-o", "header=true"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("3 x record: expected 3 fields, found such as 2 fields"),
        "{}",
        ran.err
    );
}

#[test]
fn a_limit_is_raised_by_its_name() {
    let work = Work::new();
    work.write("in.csv", format!("a,b\n1,{}\n", "x".repeat(3 << 20)));
    let ran = work.run(&["convert", "in.csv", "out.csv"]);
    assert_ne!(ran.code, 0);
    let named = ran.err.contains("--limit field=")
        || std::fs::read_to_string(work.path("out.csv.rejects.ndjson"))
            .is_ok_and(|text| text.contains("limit"));
    assert!(named, "{}", ran.err);
    let ran = work.run(&["convert", "in.csv", "out.csv", "--limit", "field=4MiB"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(work.read("out.csv").len(), (3 << 20) + 7);
}
