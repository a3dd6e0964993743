//! What `fenhe check` finds before anything runs, the line that it names, and the exit codes of wrong words.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod work;

use work::Work;

const LAYOUT: &str = "[layout]\nname = \"x\"\n[[field]]\nname = \"id\"\nlength = 3\n";

fn folder() -> Work {
    let work = Work::new();
    work.write("in.csv", "id,name\n1,张三\n2,李四\n");
    work.write("in.txt", "001\n002\n");
    work.write("bad.toml", "[[field]]\nname = \"id\"\nlenght = 3\n");
    work.write("layout.toml", LAYOUT);
    work
}

/// The configuration, and what is to be said: line, column, code, a word.
fn cases() -> Vec<(String, (u64, u64), &'static str, &'static str)> {
    let flow = |from: &str, to: &str, rest: &str| {
        format!("[[flow]]\nname = \"a\"\nfrom = \"{from}\"\nto = \"{to}\"\n{rest}")
    };
    let csv = |rest: &str| flow("in.csv", "out.csv", rest);
    let fields = "[flow.fields]\nperson_id = \"id\"\n[flow.write]\nkey = [\"persn_id\"]\n";
    vec![
        (csv("[flow.read]\ndelimitr = \";\"\n"), (6, 1), "core.option", "did you mean delimiter?"),
        (
            flow("in.txt", "out.csv", "[flow.read]\nlayuot = \"layout.toml\"\n"),
            (6, 1),
            "core.option",
            "did you mean layout?",
        ),
        (
            flow("unknown", "out.csv", "[flow.read]\ndelimitr = \";\"\n"),
            (6, 1),
            "core.option",
            "did you mean delimiter?",
        ),
        (csv("[flow.read]\nencoding = \"foo\"\n"), (6, 1), "core.option", "utf-8, gbk"),
        (csv("[flow.write]\nencoding = \"foo\"\n"), (6, 1), "core.option", "utf-8, gbk"),
        (
            flow("in.txt", "out.csv", "[flow.read]\nlayout = \"nix.toml\"\n"),
            (6, 1),
            "registry.attachment",
            "nix.toml",
        ),
        (
            flow("in.txt", "out.csv", "[flow.read]\nlayout = \"bad.toml\"\n"),
            (6, 1),
            "fixed.layout",
            "bad.toml line 3",
        ),
        (
            flow("in.csv", "sqlite:x.db#t", fields),
            (8, 7),
            "exchange.key",
            "did you mean person_id?",
        ),
        (flow("in.csv", "sqlite:x.db", ""), (4, 6), "sql.name", "sqlite:x.db#TABLE"),
        (flow("in.csv", "x.db", ""), (4, 6), "sql.name", "x.db#TABLE"),
        (csv("guarantee = \"L2\"\n"), (5, 13), "engine.guarantee", "L1"),
        (format!("guarantee = \"L2\"\n{}", csv("")), (1, 13), "engine.guarantee", "L1"),
        (format!("threads = 0\n{}", csv("")), (1, 11), "exchange.threads", "1 or more"),
        (
            format!("[limits]\nbatch_rows = 0\n{}", csv("")),
            (2, 14),
            "core.limit_value",
            "batch_rows",
        ),
        (format!("[limits]\nrecrod = 1\n{}", csv("")), (2, 1), "core.limit_name", "record"),
        (csv("[flow.write]\nformat = \"cvs\"\n"), (6, 10), "registry.format", "formats are csv"),
        (flow("in.csv", "x.zip!/a.csv", ""), (4, 6), "place.archive", ".gz"),
    ]
}

#[test]
fn check_and_run_name_the_line_of_what_cannot_run() {
    for (text, (line, column), code, word) in cases() {
        let work = folder();
        work.write("x.toml", &text);
        for command in ["check", "run"] {
            let ran = work.run(&[command, "x.toml"]);
            let said = format!("{command}\n{text}\n{}{}", ran.out, ran.err);
            assert_eq!(ran.code, 2, "{said}");
            assert!(ran.err.contains(&format!("[{code}]")), "{said}");
            assert!(ran.err.contains(word), "{said}");
            assert!(ran.err.contains(&format!("x.toml, line {line}, column {column})")), "{said}");
            assert_eq!(ran.err.matches("error:").count(), 1, "{said}");
        }
        assert!(!work.path("out.csv").exists() && !work.path("x.db").exists());
    }
}

#[test]
fn a_key_that_signs_nothing_is_found_before_the_run() {
    let work = folder();
    work.write("seed.key", "ed25519:abc");
    work.write("good.key", format!("ed25519:{}", "07".repeat(32)));
    work.write("open.key", format!("ed25519:{}", "07".repeat(32)));
    for (name, mode) in [("seed.key", 0o600), ("good.key", 0o600), ("open.key", 0o644)] {
        private(&work.path(name), mode);
    }
    let flow = "[[flow]]\nname = \"a\"\nfrom = \"in.csv\"\nto = \"out.csv\"\n";
    let mut cases = vec![
        ("key_file = \"nix.key\"", 12, "exchange.key_file", "nix.key"),
        ("key_file = \"seed.key\"", 12, "ledger.key", "sm2:"),
        // PATH is set everywhere, and no key.
        ("key_env = \"PATH\"", 11, "ledger.key", "sm2:"),
    ];
    if cfg!(unix) {
        cases.push(("key_file = \"open.key\"", 12, "exchange.key_file", "chmod 600"));
    }
    for (key, column, code, word) in cases {
        work.write("x.toml", format!("[ledger]\n{key}\n{flow}"));
        for command in ["check", "run"] {
            let ran = work.run(&[command, "x.toml"]);
            let said = format!("{command} {key}\n{}{}", ran.out, ran.err);
            assert_ne!(ran.code, 0, "{said}");
            assert!(ran.err.contains(&format!("[{code}]")) && ran.err.contains(word), "{said}");
            assert!(ran.err.contains(&format!("x.toml, line 2, column {column})")), "{said}");
        }
    }
    let twice = "[ledger]\nkey_env = \"PATH\"\nkey_file = \"good.key\"\n";
    work.write("x.toml", format!("{twice}{flow}"));
    let ran = work.run(&["check", "x.toml"]);
    assert!(ran.err.contains("x.toml, line 3, column 12)"), "{}", ran.err);
    // A variable belongs to the place where the exchange runs: check cannot know it, a run has to.
    work.write("x.toml", format!("[ledger]\nkey_env = \"FENHE_KEY_OF_NOBODY\"\n{flow}"));
    assert_eq!(work.run(&["check", "x.toml"]).code, 0);
    let ran = work.run(&["run", "x.toml"]);
    assert!(ran.code == 2 && ran.err.contains("[exchange.key_env]"), "{}", ran.err);
    assert!(ran.err.contains("x.toml, line 2, column 11)"), "{}", ran.err);
    assert!(!work.path("out.csv").exists() && !work.path(".fenhe/ledger.db").exists());
    work.write("x.toml", format!("[ledger]\nkey_file = \"good.key\"\n{flow}"));
    for command in ["check", "run"] {
        assert_eq!(work.run(&[command, "x.toml"]).code, 0);
    }
}

#[cfg(unix)]
fn private(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &std::path::Path, _: u32) {}

#[test]
fn what_is_right_is_said_to_be_right() {
    let work = folder();
    work.write(
        "x.toml",
        "threads = 1\n[limits]\nrecord = \"1MiB\"\nrejects = 0\n\
         [[flow]]\nname = \"a\"\nfrom = \"in.txt\"\nto = \"sqlite:x.db#t\"\nguarantee = \"L2\"\n\
         [flow.read]\nlayout = \"layout.toml\"\n[flow.write]\nkey = [\"id\"]\n\
         [flow.fields]\nid = \"id\"\n",
    );
    let ran = work.run(&["check", "x.toml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = work.run(&["run", "x.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn what_shows_up_only_with_the_data_is_named_with_its_line_too() {
    let work = folder();
    let write = |rest: &str| {
        let head = "[[flow]]\nname = \"a\"\nfrom = \"in.csv\"\nto = \"sqlite:x.db#t\"\n";
        work.write("x.toml", format!("{head}{rest}"));
    };
    for (rest, line, code) in [
        ("[flow.write]\nkey = [\"nix\"]\n", 6, "exchange.key"),
        ("[flow.write]\ndeleted = \"nix\"\n", 6, "core.column"),
        ("[flow.fields]\nid = \"nix\"\n", 6, "mapping.unknown"),
    ] {
        write(rest);
        for args in [["run", "x.toml"].as_slice(), &["run", "x.toml", "--plan"]] {
            let ran = work.run(args);
            // The plan does not open the target.
            if code == "core.column" && args.len() == 3 {
                continue;
            }
            assert_eq!(ran.code, 2, "{rest}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(&format!("line {line}, ")), "{rest}: {}", ran.err);
            assert!(ran.err.contains(code), "{rest}: {}", ran.err);
        }
    }
}

#[test]
fn wrong_words_of_a_conversion_exit_2_and_say_what_to_do() {
    let work = folder();
    let made = work.run(&["convert", "in.csv", "sqlite:p.db#t"]);
    assert_eq!(made.code, 0, "{}", made.err);
    for (args, words) in [
        ("in.csv out.csv --columns nix", "columns are id, name"),
        ("in.csv out.csv --columns nmae", "did you mean name?"),
        ("in.csv#nix out.csv", "nix"),
        ("sqlite:p.db#nix out.csv", "nix"),
        ("in.csv p.db", "p.db#TABLE"),
        ("in.csv x.zip!/a.csv", ".gz"),
        ("in.csv out.zip --to csv", ".gz"),
        ("in.csv out.csv -O mode=upsert -O key=id", "replace"),
        ("in.csv sqlite:q.db#t -O key=nix", "fields are id, name"),
        ("in.csv out.csv --limit recrod=1", "did you mean record?"),
        ("in.csv out.csv --limit record=big", "64MiB"),
        ("in.csv out.csv --limit batch_rows=0", "batch_rows"),
        ("in.csv out.csv -o encoding=foo", "utf-8, gbk"),
    ] {
        let args: Vec<&str> = std::iter::once("convert").chain(args.split(' ')).collect();
        let ran = work.run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
    let ran = work.run(&["convert", "in.csv", "out.csv", "--columns", ""]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}
