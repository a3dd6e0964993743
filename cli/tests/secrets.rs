//! A secret in the address of a place reaches no message and no file.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod work;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use work::{Ran, Work};

const CANARY: &str = "CANARY7f3a";

/// A server that gives the same table to every GET, and 404 for `missing`. Returns its port.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut lines =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let body = "id,fee\n1,2.50\n2,x\n";
            let status = if first.contains("missing") { "404 Not Found" } else { "200 OK" };
            let shown = if first.starts_with("HEAD") { "" } else { body };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"1\"\r\n", body.len());
            let _ = write!(stream, "{head}Connection: close\r\n\r\n{shown}");
        }
    });
    port
}

fn tell_nothing(ran: &Ran, what: &str) {
    assert!(!ran.out.contains(CANARY), "{what}: {}", ran.out);
    assert!(!ran.err.contains(CANARY), "{what}: {}", ran.err);
}

/// Every file below the folder but the configuration, which holds the secret itself.
fn files_tell_nothing(folder: &Path) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files_tell_nothing(&path);
        } else if path.file_name().unwrap() != "x.toml" {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn a_token_in_a_query_stays_out_of_summary_receipt_rejects_and_ledger() {
    let work = Work::new();
    work.write("schema.toml", "[[field]]\nname = \"id\"\ntype = \"int64\"\n[[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n");
    let port = server();
    let url = format!("http://127.0.0.1:{port}/a.csv?token={CANARY}&v=2");
    let convert = ["convert", &url, "out.csv", "-o", "schema=schema.toml", "--receipt", "r.json"];
    let ran = work.run(&convert);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("?token=***&v=***"), "{}", ran.err);
    tell_nothing(&ran, "convert");
    assert!(work.read("out.csv.rejects.ndjson").contains("?token=***"));
    assert!(work.read("r.json").contains("?token=***"));
    let missing = url.replace("a.csv", "missing.csv");
    let nowhere = format!("http://127.0.0.1:1/a.csv?token={CANARY}");
    let login = format!("http://clerk:{CANARY}@127.0.0.1:{port}/a.csv");
    for args in [
        vec!["convert", &missing, "-"],
        vec!["convert", &nowhere, "-", "-o", "tries=1"],
        vec!["convert", "out.csv", &nowhere, "-O", "tries=1"],
        vec!["convert", &login, "-"],
        vec!["convert", "out.csv", &login],
        vec!["inspect", &url],
        vec!["inspect", &url, "--json"],
    ] {
        tell_nothing(&work.run(&args), &args.join(" "));
    }
    work.write(
        "x.toml",
        format!(
            "[[flow]]\nname = \"a\"\nfrom = \"{url}\"\nto = \"sqlite:out.db#t\"\n\
             [flow.read]\nschema = \"schema.toml\"\n"
        ),
    );
    for args in [["run", "x.toml", "--plan"].as_slice(), &["check", "x.toml"], &["run", "x.toml"]] {
        tell_nothing(&work.run(args), &args.join(" "));
    }
    files_tell_nothing(&work.path(""));
}

#[test]
fn two_queries_of_one_address_are_two_sources() {
    let work = Work::new();
    let port = server();
    for region in ["1", "2", "1"] {
        let url = format!("http://127.0.0.1:{port}/a.csv?region={region}");
        let ran = work.run(&["convert", &url, "sqlite:out.db#t"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    // The third is the first again and delivers nothing.
    let rows = work.run(&["convert", "sqlite:out.db#t", "-"]).out.lines().count();
    assert_eq!(rows, 4);
}
