//! Exchanges: run, run again, broken off; secrets.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::work::{Ran, Work};
use crate::{EXCHANGE, exchange, rows};

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
    let grep = Command::new("grep").args(["-rla", "canary-"]).arg(work.path("")).output();
    assert_eq!(String::from_utf8(grep.unwrap().stdout).unwrap(), "", "files with the secret");
}
