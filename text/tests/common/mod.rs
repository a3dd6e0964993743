//! What several tests share: the program `iconv` as an independent reader, and the shared data.

#![allow(dead_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What glibc's `iconv` makes of `bytes`, dropping what it cannot read; `None` (and a printed line) when the
/// program is absent or does not know the page.
pub(crate) fn iconv(page: &str, bytes: &[u8]) -> Option<String> {
    let text = run(&["-c", "-f", page, "-t", "UTF-8"], bytes)?;
    Some(String::from_utf8(text).expect("iconv writes UTF-8"))
}

/// What glibc's `iconv` writes for `text`.
pub(crate) fn iconv_to(page: &str, text: &str) -> Option<Vec<u8>> {
    run(&["-c", "-f", "UTF-8", "-t", page], text.as_bytes())
}

fn run(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("iconv")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|_| println!("skipped: the program iconv is not present"))
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    if output.stdout.is_empty() {
        println!("skipped: iconv does not know {arguments:?}");
        return None;
    }
    Some(output.stdout)
}

/// Whether the program is glibc's: other implementations have other tables.
pub(crate) fn is_glibc() -> bool {
    let version = Command::new("iconv").arg("--version").output();
    let glibc = version.is_ok_and(|o| {
        String::from_utf8_lossy(&o.stdout).contains("GLIBC")
            || String::from_utf8_lossy(&o.stdout).contains("GNU libc")
    });
    if !glibc {
        println!("skipped: iconv of glibc is not present");
    }
    glibc
}

/// Each code through `iconv`: one entry a code, empty where it reads nothing.
///
/// A code stands between its number and two line ends, so that a reader which skips one byte too many
/// after an error does not shift what follows.
pub(crate) fn iconv_each(page: &str, codes: &[Vec<u8>]) -> Option<Vec<String>> {
    let mut input = Vec::new();
    for (number, code) in codes.iter().enumerate() {
        input.extend_from_slice(format!("{number}:").as_bytes());
        input.extend_from_slice(code);
        input.extend_from_slice(b"\n\n");
    }
    let text = iconv(page, &input)?;
    let mut each = vec![String::new(); codes.len()];
    for line in text.split('\n').filter(|l| !l.is_empty()) {
        let (number, read) = line.split_once(':').unwrap_or_else(|| panic!("{page}: {line:?}"));
        each[number.parse::<usize>().unwrap_or_else(|_| panic!("{page}: {line:?}"))] =
            read.to_owned();
    }
    Some(each)
}

/// Each code of an EBCDIC page through `iconv`, with 25 (a line feed) between.
pub(crate) fn iconv_each_ebcdic(page: &str, codes: &[Vec<u8>]) -> Option<Vec<String>> {
    let input: Vec<u8> = codes.iter().flat_map(|c| c.iter().copied().chain([0x25])).collect();
    let text = iconv(page, &input)?;
    let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    assert_eq!(lines.len(), codes.len() + 1, "{page}: one line a code");
    Some(lines)
}

/// A directory of the shared data, or `None` with a printed line.
pub(crate) fn shared(case: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FENHE_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let dir = root.join("data/csv").join(case);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("skipped: shared data not present");
    None
}
