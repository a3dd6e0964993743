//! Files that others published, with what they read as.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::fs;
use std::path::Path;

use common::shared;
use fenhe_text::{Encoding, detect, is_private_use};

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

#[test]
fn prose_in_four_encodings_reads_as_its_utf8_and_writes_back() {
    let Some(dir) = shared("cpython_cjk_text") else {
        return;
    };
    for (name, page) in [
        ("gbk", Encoding::GBK),
        ("big5", Encoding::BIG5),
        ("shift_jis", Encoding::SHIFT_JIS),
        ("euc_kr", Encoding::EUC_KR),
    ] {
        let bytes = read(dir.join(format!("{name}.txt")));
        let expected =
            String::from_utf8(read(dir.join(format!("expected/{name}-utf8.txt")))).unwrap();
        // CPython reads these two as the standards have them, WHATWG as Microsoft does.
        let expected = match page {
            Encoding::SHIFT_JIS => {
                expected.replace('\u{301C}', "\u{FF5E}").replace('\u{2212}', "\u{FF0D}")
            }
            _ => expected,
        };
        let text = page.decode(&bytes).unwrap();
        assert_eq!(compose_hangul(&text), expected, "{name}");
        assert_eq!(page.encode(&text).unwrap(), bytes, "{name}");
        let found = detect(&bytes, None);
        assert_eq!(found.encoding, page, "{name}: {:#?}", found.evidence);
    }
}

/// Annex 3 of KS X 1001 spells a syllable it has no code for as a filler and three letters. CPython makes one character
/// of the four; WHATWG and glibc (UHC) leave four, and so does this crate, because that is what writes back.
fn compose_hangul(text: &str) -> String {
    const FIRST: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
    const LAST: &str = "\u{3164}ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
    let place =
        |list: &str, c: char| u32::try_from(list.chars().position(|x| x == c).unwrap()).unwrap();
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{3164}' {
            out.push(c);
            continue;
        }
        let mut letter = || chars.next().unwrap();
        let (first, middle, last) = (letter(), letter(), letter());
        let number =
            (place(FIRST, first) * 21 + u32::from(middle) - 0x314F) * 28 + place(LAST, last);
        out.push(char::from_u32(0xAC00 + number).unwrap());
    }
    out
}

#[test]
fn character_lists_read_as_published() {
    for (case, file, page) in [
        ("duckdb_chars_cp437", "test_cp437.csv", Encoding::CP437),
        ("duckdb_chars_cp1251", "test_cp1251.csv", Encoding::WINDOWS_1251),
        ("duckdb_chars_cp1252", "test_cp1252.csv", Encoding::WINDOWS_1252),
        ("duckdb_chars_gbk", "test_glibc-gbk-2.3.3.csv", Encoding::CP936),
    ] {
        let Some(dir) = shared(case) else { return };
        let bytes = read(dir.join(file));
        let expected =
            String::from_utf8(read(dir.join(format!("expected/{file}.utf8.txt")))).unwrap();
        let text = page.decode(&bytes).unwrap();
        assert_eq!(text.chars().count(), expected.chars().count(), "{case}");
        for (ours, theirs) in text.chars().zip(expected.chars()) {
            // The list for GBK was made by an edition with private use for codes that have standard characters now.
            assert!(
                ours == theirs || (page == Encoding::CP936 && is_private_use(theirs)),
                "{case}: {ours:?} {theirs:?}"
            );
        }
        assert_eq!(page.encode(&text).unwrap(), bytes, "{case}");
    }
}

#[test]
fn japanese_addresses_are_recognised_and_read_strictly() {
    let Some(dir) = shared("duckdb_sjis_sample") else {
        return;
    };
    let bytes = read(dir.join("sample.csv"));
    let expected: serde_json::Value =
        serde_json::from_slice(&read(dir.join("expected/sample.csv.rows.json"))).unwrap();
    let rows: Vec<Vec<String>> = serde_json::from_value(expected["rows"].clone()).unwrap();
    assert!(rows.len() > 3);
    let text = Encoding::SHIFT_JIS.decode(&bytes).unwrap();
    for field in rows.iter().flatten() {
        assert!(text.contains(field.as_str()));
    }
    assert_eq!(detect(&bytes, None).encoding, Encoding::SHIFT_JIS);
}
