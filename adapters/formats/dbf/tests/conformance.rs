//! The suites of the testkit, over tables of every dialect.
// Helpers of tests panic like the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use common::table::{Table, dbase3, vfp};
use common::{companions, format};
use fenhe_core::Companion;
use fenhe_testkit::format::{Broken, Case, conforms};

fn case(name: &str, words: &[&str], table: &Table) -> Case {
    let mut case = Case::new(name, Arc::new(format(words)), table.bytes());
    if let Some((extension, memo)) = &table.memo {
        case = case.companion(extension, memo.clone());
    }
    case
}

#[test]
fn well_formed_tables_conform() {
    let people = dbase3(&[
        ("NAME", b'C', 8, 0),
        ("AGE", b'N', 3, 0),
        ("FEE", b'N', 8, 2),
        ("BORN", b'D', 8, 0),
        ("OK", b'L', 1, 0),
    ])
    .row(b' ', b"\xD5\xC5\xC8\xFD     41   12.5020260102T")
    .row(b' ', b"\xC0\xEE\xCB\xC4      7   -0.05        F")
    .row(b'*', b"gone      0    0.0019991231F")
    .row(b' ', b"                                ".get(..28).unwrap())
    .row(b' ', b"\xCD\xF5\xCE\xE5    100 9999.9919491001T");
    let mut cases = vec![
        case("deleted rows left out", &[], &people),
        case("deleted rows delivered", &["deleted=true"], &people).lossless(),
        case("record bytes delivered", &["deleted=true", "raw=true"], &people).lossless(),
        case("without end mark", &["deleted=true"], &people.clone().end(b"")).lossless(),
        case("empty", &[], &dbase3(&[("NAME", b'C', 8, 0)])).lossless(),
        case("visual foxpro", &[], &vfp()).lossless(),
        case("visual foxpro with record bytes", &["raw=true"], &vfp()).lossless(),
    ];
    for version in [0x03u8, 0x83, 0xF5] {
        let mut table = dbase3(&[("ID", b'N', 4, 0), ("NOTE", b'M', 10, 0)]);
        table.version = version;
        table = table.row(b' ', b"   1         8").row(b' ', b"   2          ");
        table.memo = Some(("fpt".into(), common::table::fpt(64, &["中国".into()])));
        cases.push(case(&format!("memos, version {version:02X}"), &[], &table).lossless());
    }
    conforms(&cases, &[], &[]);
}

#[test]
fn broken_tables_conform() {
    let table = dbase3(&[("N", b'N', 5, 2), ("D", b'D', 8, 0), ("C", b'C', 5, 0)])
        .row(b' ', b"*****20260102good ")
        .row(b' ', b" 1.0020260230\xD6\xD0\xB9\xFA\xC8")
        .row(b' ', b" 1.0020260102\xD6\xD0\xB9\xFA ")
        .row(b' ', b"1.0.020260102good ");
    let start = table.header().len() as u64;
    let rejects = vec![
        (1, start, "dbf.overflow"),
        (2, start + 19, "value.no_such_date"),
        (4, start + 57, "value.not_a_number"),
    ];
    let broken = Broken { case: case("broken values", &[], &table), rejects, rows: 1 };
    let mut lying = table.clone();
    lying.count = Some(u32::MAX);
    let mut few = table.clone();
    few.count = Some(2);
    let mut zero = table.clone();
    zero.record_length = Some(0);
    let mut foreign = table.clone();
    foreign.version = 0x99;
    let memo = dbase3(&[("NOTE", b'M', 10, 0)]).row(b' ', b"         8");
    let mut broken_memo = memo.clone();
    broken_memo.memo = Some(("fpt".into(), common::table::fpt(0, &[])));
    let fatal = [
        case("a count of FFFFFFFF", &[], &lying),
        case("a count too small", &[], &few),
        case("record length 0", &[], &zero),
        case("another version", &[], &foreign),
        case("no memo file", &[], &memo),
        case("a memo file with block size 0", &[], &broken_memo),
    ];
    conforms(&[], &[broken], &fatal);
}

#[test]
fn shared_tables_conform() {
    let Some(folder) = fenhe_testkit::shared::data("dbf") else { return };
    let mut cases = Vec::new();
    for (path, words, lossless) in shared(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        // The sweeps of the suite cut and flip byte by byte: small tables only.
        if bytes.len() > 3_000 {
            continue;
        }
        let mut case = Case::new(name, Arc::new(format(&words)), bytes);
        for Companion { extension, data } in companions(&path) {
            case.options.companions.push(Companion { extension, data });
        }
        case.lossless = lossless;
        cases.push(case);
    }
    println!("shared tables in the suites: {}", cases.len());
    assert!(cases.len() >= 8);
    conforms(&cases, &[], &[]);
}

/// Table, options, and whether the same bytes come back with them.
fn shared(folder: &std::path::Path) -> Vec<(PathBuf, Vec<&'static str>, bool)> {
    let each = |s: &common::Shared| {
        let path = folder.join(s.path);
        let lossless = s.plain && (s.memo || companions(&path).is_empty());
        let words = s.words.iter().copied().chain(["deleted=true"]).collect();
        (path, words, lossless)
    };
    common::SHARED.iter().map(each).collect()
}
