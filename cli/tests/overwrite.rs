//! What a run must not destroy: its source, its layout, its own outputs, pipes and devices.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod work;

use std::process::Command;

use work::Work;

/// Two records, the second of which has a letter in its fee.
const CSV: &str = "id,fee\n1,2.50\n2,x\n";

const SCHEMA: &str = "[[field]]\nname = \"id\"\ntype = \"int64\"\n\
    [[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n";

fn source() -> Work {
    let work = Work::new();
    work.write("src.csv", CSV);
    work.write("schema.toml", SCHEMA);
    work
}

#[test]
fn a_conversion_refuses_names_that_mean_the_same_file() {
    let work = source();
    std::fs::hard_link(work.path("src.csv"), work.path("hard.csv")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("src.csv", work.path("soft.csv")).unwrap();
    work.write("more.csv.rejects.ndjson", "{\"id\":1}\n");
    for args in [
        "src.csv out.csv --rejects src.csv",
        "src.csv out.csv --rejects ./sub/../src.csv",
        "src.csv out.csv --rejects hard.csv",
        "src.csv out.csv --rejects soft.csv",
        "src.csv out.csv --receipt src.csv",
        "src.csv out.csv --rejects out.csv",
        "src.csv out.csv --receipt out.csv",
        "src.csv out.csv --rejects r.json --receipt r.json",
        "src.csv out.csv --rejects schema.toml",
        "src.csv src.csv",
        "src.csv hard.csv",
        "*.csv all.csv --rejects src.csv",
        "more.csv.rejects.ndjson more.csv",
    ] {
        let mut all = vec!["convert", "-o", "schema=schema.toml"];
        if args.starts_with("more") {
            all.truncate(1);
        }
        all.extend(args.split(' '));
        let ran = work.run(&all);
        assert_eq!(ran.code, 2, "{args}: {}", ran.err);
        assert!(ran.err.contains("engine.same_file"), "{args}: {}", ran.err);
        assert_eq!(work.read("src.csv"), CSV, "{args}");
        assert_eq!(work.read("schema.toml"), SCHEMA, "{args}");
        for made in ["out.csv", "r.json", "more.csv"] {
            assert!(!work.path(made).exists(), "{args} left {made}");
        }
    }
}

#[test]
fn companions_are_files_of_the_source_too() {
    let register = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/registry/data/");
    let work = Work::new();
    for name in ["RK.DBF", "RK.FPT"] {
        std::fs::copy(format!("{register}{name}"), work.path(name)).unwrap();
    }
    let before = std::fs::read(work.path("RK.FPT")).unwrap();
    for args in [["RK.DBF", "out.csv", "--rejects", "RK.FPT"], ["RK.DBF", "RK.FPT", "--to", "csv"]]
    {
        let ran = work.run(&[&["convert"], args.as_slice()].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert_eq!(std::fs::read(work.path("RK.FPT")).unwrap(), before);
    }
}

#[test]
fn an_exchange_refuses_names_that_mean_the_same_file_and_check_finds_them() {
    let flow = |top: &str, to: &str| {
        format!(
            "{top}\n[[flow]]\nname = \"a\"\nfrom = \"src.csv\"\nto = \"{to}\"\n\
             [flow.read]\nformat = \"csv\"\nschema = \"schema.toml\"\n"
        )
    };
    // What the exchange says, and the line that is to be put right.
    let second = "[[flow]]\nname = \"b\"\nfrom = \"src.csv\"\nto = \"./out.csv\"\n";
    let cases = [
        (flow("rejects = \"src.csv\"", "out.csv"), 1),
        (flow("receipt = \"src.csv\"", "out.csv"), 1),
        (flow("receipt = \"x.toml\"", "out.csv"), 1),
        (flow("receipt = \"r\"\nrejects = \"r\"", "out.csv"), 2),
        (flow("ledger = \"out.db\"", "sqlite:out.db#t"), 1),
        (flow("", "src.csv"), 5),
        (flow("rejects = \"schema.toml\"", "out.csv"), 1),
        (flow("", "out.csv") + second, 12),
    ];
    for (text, line) in cases {
        let work = source();
        work.write("x.toml", &text);
        for command in ["check", "run"] {
            let ran = work.run(&[command, "x.toml"]);
            assert_eq!(ran.code, 2, "{command} {text}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains("engine.same_file"), "{command} {text}: {}", ran.err);
            assert!(ran.err.contains(&format!("line {line},")), "{command} {text}: {}", ran.err);
            assert_eq!(work.read("src.csv"), CSV);
            assert_eq!(work.read("x.toml"), text);
            assert_eq!(work.read("schema.toml"), SCHEMA);
        }
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_written_through() {
    use std::os::unix::fs::FileTypeExt;
    let work = source();
    let pipe = work.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let convert = |option: &str, name: &str| {
        work.run(&["convert", "src.csv", "out.csv", "-o", "schema=schema.toml", option, name])
    };
    for option in ["--rejects", "--receipt"] {
        let reader =
            Command::new("cat").arg(&pipe).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let ran = convert(option, "pipe");
        assert_eq!(ran.code, 3, "{}", ran.err);
        let text = reader.wait_with_output().unwrap().stdout;
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1, "{option}");
        assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "{option}");
    }
    // The device that drops everything, under another name; only root can make one.
    let device = work.path("null");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).output().unwrap();
    if !made.status.success() || std::fs::write(&device, "x").is_err() {
        return;
    }
    for option in ["--rejects", "--receipt"] {
        assert_eq!(convert(option, "null").code, 3);
        assert!(std::fs::symlink_metadata(&device).unwrap().file_type().is_char_device());
    }
}

#[test]
fn a_report_overwrites_neither_the_system_nor_the_contract() {
    let work = source();
    let contract =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/registry/resident.contract.toml");
    let text = std::fs::read_to_string(contract).unwrap();
    work.write("c.toml", &text);
    for page in ["src.csv", "c.toml"] {
        let ran = work.run(&["fit", "src.csv", "--contract", "c.toml", "--html", page]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("engine.same_file"), "{}", ran.err);
    }
    assert_eq!((work.read("src.csv").as_str(), work.read("c.toml")), (CSV, text));
}
