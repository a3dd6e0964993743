//! The program killed at enumerated system calls and at random moments, then run to its end: nothing lost, nothing
//! there twice, the books close, and sums and digest of the receipt are those of the rows at the target, also where the
//! target refused some. Who counts is not the program: `sqlite3` by its library, `psql`, `mariadb`, a
//! platform behind HTTP that lives in this test, and for files in parts the lines of the parts that are listed.
//!
//! `strace` puts the kills. A hundred kills for each of five targets; fewer fail the test.

#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod platform;
mod targets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use targets::Target;

/// Kills that count, for each target.
const KILLS: usize = 100;
/// Of these at system calls, spread over all that a run makes.
const AT_CALLS: usize = 60;
const ROWS: u64 = 1_200;
/// Every so many rows one is no row.
const BROKEN: u64 = 97;
/// Every so many rows one is refused by the target, where that can refuse.
const REFUSED: u64 = 89;
/// What changes anything outside of the process.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,ftruncate,rename,unlink,openat,sendto,writev";

#[test]
#[ignore = "needs strace"]
fn sqlite_loses_and_repeats_nothing() {
    crash(&targets::Sqlite);
}

#[test]
#[ignore = "needs strace"]
fn files_in_parts_lose_and_repeat_nothing() {
    crash(&targets::Parts);
}

#[test]
#[ignore = "needs strace"]
fn http_with_keys_loses_and_repeats_nothing() {
    crash(&targets::Http::start());
}

#[test]
#[ignore = "needs strace and PostgreSQL (tests/services.sh up)"]
fn postgres_loses_and_repeats_nothing() {
    crash(&targets::Postgres);
}

#[test]
#[ignore = "needs strace and MariaDB (tests/services.sh up)"]
fn mariadb_loses_and_repeats_nothing() {
    crash(&targets::MariaDb);
}

fn crash(target: &dyn Target) {
    let work = Work::new(target);
    let (calls, length) = work.rehearse(target);
    let mut moments = Moments { state: 1, length };
    let (mut kills, mut runs) = (0, 0);
    let mut plan = spread(&calls, AT_CALLS).into_iter();
    while kills < KILLS {
        runs += 1;
        assert!(runs < 4 * KILLS, "{}: only {kills} of {runs} runs were killed", target.name());
        work.clear(target);
        let killed = match plan.next() {
            Some((call, number)) => work.kill_at_call(&call, number),
            None => work.kill_after(moments.next()),
        };
        kills += usize::from(killed);
        work.finish(target);
    }
    println!("{}: crash runs: {kills} lost: 0 duplicated: 0", target.name());
}

struct Work {
    folder: tempfile::TempDir,
}

impl Work {
    fn new(target: &dyn Target) -> Self {
        let work = Self { folder: tempfile::tempdir().unwrap() };
        let mut text = String::from("id,name,fee\n");
        for id in 1..=ROWS {
            let fee = if id % BROKEN == 0 { "x".into() } else { format!("{}.{:02}", id, id % 100) };
            writeln!(text, "{id},张{id},{fee}").unwrap();
        }
        std::fs::write(work.path("in.csv"), text).unwrap();
        std::fs::write(work.path("exchange.toml"), configuration(target)).unwrap();
        work
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, before: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_fenhe");
        let words: Vec<&str> =
            before.iter().copied().chain([program, "run", "exchange.toml", "--json"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// As if nothing had been delivered yet.
    fn clear(&self, target: &dyn Target) {
        let out = self.path("out");
        if out.exists() {
            std::fs::remove_dir_all(&out).unwrap();
        }
        std::fs::create_dir_all(out).unwrap();
        target.clear(self.folder.path());
    }

    /// How often an undisturbed run makes each call in one thread, and how long it takes.
    fn rehearse(&self, target: &dyn Target) -> (BTreeMap<String, usize>, Duration) {
        self.clear(target);
        let trace = self.path("trace");
        let watch = format!("trace={CALLS}");
        let words = [
            "strace",
            "-f",
            "-qq",
            "-o",
            trace.to_str().unwrap(),
            "-e",
            &watch,
            "-e",
            "signal=none",
        ];
        assert!(self.run(&words).status().expect("strace").success(), "{}: a run", target.name());
        self.check(target);
        let text = std::fs::read_to_string(trace).unwrap();
        let mut each: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in text.lines() {
            let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
            if let Some((call, _)) = rest.trim_start().split_once('(') {
                *each.entry((call.into(), thread.into())).or_default() += 1;
            }
        }
        let mut most: BTreeMap<String, usize> = BTreeMap::new();
        for ((call, _), count) in each {
            let known = most.entry(call).or_default();
            *known = count.max(*known);
        }
        most.retain(|call, _| CALLS.split(',').any(|watched| watched == call));
        self.clear(target);
        let before = Instant::now();
        assert!(self.run(&[]).status().unwrap().success());
        (most, before.elapsed())
    }

    fn kill_at_call(&self, call: &str, number: usize) -> bool {
        let (watch, inject) =
            (format!("trace={call}"), format!("inject={call}:signal=KILL:when={number}"));
        let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &watch, "-e", &inject];
        // strace ends as its tracee did.
        !self.run(&words).status().unwrap().success()
    }

    fn kill_after(&self, moment: Duration) -> bool {
        let mut child = self.run(&[]).spawn().unwrap();
        std::thread::sleep(moment);
        let runs = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        runs
    }

    /// Runs to the end, as a clerk would after the machine came back, and looks at what there is.
    fn finish(&self, target: &dyn Target) {
        let status = self.run(&[]).status().unwrap();
        assert!(status.success(), "{}: the run after a crash: {status}", target.name());
        self.check(target);
    }

    fn check(&self, target: &dyn Target) {
        let mut found = target.ids(self.folder.path());
        found.sort_unstable();
        let refused = |id: u64| target.refuses() && id.is_multiple_of(REFUSED);
        let expected: Vec<u64> =
            (1..=ROWS).filter(|id| !id.is_multiple_of(BROKEN) && !refused(*id)).collect();
        assert!(found == expected, "{}: {}", target.name(), differences(&expected, &found));
        let rejects = std::fs::read_to_string(self.path("out/rejects.ndjson")).unwrap();
        let json = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let mut broken: Vec<u64> =
            rejects.lines().map(|line| json(line)["record"].as_u64().unwrap()).collect();
        broken.sort_unstable();
        let rejected: Vec<u64> =
            (1..=ROWS).filter(|id| id.is_multiple_of(BROKEN) || refused(*id)).collect();
        assert_eq!(broken, rejected, "{}: rejects", target.name());
        let receipt = json(&std::fs::read_to_string(self.path("out/receipt.json")).unwrap());
        let flow = &receipt["flows"][0];
        let books = &flow["books"];
        assert_eq!(books["read"], ROWS, "{}: {flow}", target.name());
        assert_eq!(books["delivered"], expected.len(), "{}: {flow}", target.name());
        assert_eq!(flow["balanced"], true, "{}: {flow}", target.name());
        let fen: u64 = expected.iter().map(|id| id * 100 + id % 100).sum();
        let sum = format!("{}.{:02}", fen / 100, fen % 100);
        assert_eq!(flow["columns"][2]["sum"], sum, "{}: {flow}", target.name());
        let counts = |of: &Value| of.as_object().unwrap().values().filter_map(Value::as_u64).sum();
        let (by_code, by_reason): (u64, u64) = (
            counts(&books["rejected"]),
            flow["reasons"].as_array().unwrap().iter().filter_map(|r| r["count"].as_u64()).sum(),
        );
        let all = u64::try_from(rejected.len()).unwrap();
        assert_eq!((by_code, by_reason), (all, all), "{}: {flow}", target.name());
        self.prove(target);
    }

    /// The receipt alone against the target, and the ledger against its receipts.
    fn prove(&self, target: &dyn Target) {
        let ledger = self.path("out/.fenhe/ledger.db");
        self.fenhe(&["verify", ledger.to_str().unwrap()]);
        if !target.readable() {
            return;
        }
        let alone = self.path("alone.json");
        std::fs::copy(self.path("out/receipt.json"), &alone).unwrap();
        let place = target.place();
        let mut words = vec!["reconcile", alone.to_str().unwrap(), place.as_str()];
        words.extend(target.reading());
        self.fenhe(&words);
    }

    fn fenhe(&self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fenhe"));
        output(command.args(words).current_dir(self.folder.path()));
    }
}

fn configuration(target: &dyn Target) -> String {
    format!(
        "name = \"crash\"\nreceipt = \"out/receipt.json\"\nrejects = \"out/rejects.ndjson\"\n\
         [budget]\nrejects = 100\n[limits]\nbatch_rows = 20\n\
         [[flow]]\nname = \"people\"\nfrom = \"in.csv\"\nto = \"{}\"\n\
         [flow.read]\nheader = true\nencoding = \"utf-8\"\ntypes = \"text\"\n\
         [flow.write]\nmode = \"append\"\n{}\n\
         [flow.fields]\nid = {{ type = \"int64\", required = true }}\nname = \"name\"\n\
         fee = {{ type = \"decimal(12,2)\" }}\n",
        target.place(),
        target.options()
    )
}

/// So many places, evenly over all numbers of all calls.
fn spread(calls: &BTreeMap<String, usize>, places: usize) -> Vec<(String, usize)> {
    let all: Vec<(String, usize)> = calls
        .iter()
        .flat_map(|(call, most)| (1..=*most).map(move |number| (call.clone(), number)))
        .collect();
    let step = (all.len() / places).max(1);
    all.into_iter().step_by(step).take(places).collect()
}

fn differences(expected: &[u64], found: &[u64]) -> String {
    let count = |id: &u64| found.iter().filter(|known| *known == id).count();
    let lost: Vec<&u64> = expected.iter().filter(|id| count(id) == 0).collect();
    let twice: Vec<&u64> = expected.iter().filter(|id| count(id) > 1).collect();
    format!("lost: {lost:?} duplicated: {twice:?}")
}

/// Random moments of a run, the same ones every time.
struct Moments {
    state: u64,
    length: Duration,
}

impl Moments {
    fn next(&mut self) -> Duration {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.length.mul_f64((self.state >> 40) as f64 / (1_u64 << 24) as f64)
    }
}

/// A row of the oracle's answer for each id.
fn numbers(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// What a command prints; it has to succeed.
fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the command is installed");
    let said = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
    String::from_utf8(output.stdout).unwrap()
}

/// A database file of the run.
fn database(folder: &Path) -> PathBuf {
    folder.join("out/platform.db")
}
