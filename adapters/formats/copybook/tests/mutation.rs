//! Good copybooks and good files with a few bytes changed: no panic, no endless loop, books that balance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use fenhe_copybook::{Copybook, CopybookFormat};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const BOOK: &str = "       01  ACCOUNT.
           05  ID         PIC 9(4).
           05  KIND       PIC X.
           05  N          PIC 9.
           05  BALANCE    PIC S9(5)V99 COMP-3.
           05  DETAIL     PIC X(4).
           05  AMOUNT     REDEFINES DETAIL PIC S9(7) COMP.
           05  ENTRY-T    OCCURS 0 TO 3 DEPENDING ON N.
               10  DAY    PIC 9(2).
               10  SUM-T  PIC S9(3)V9.
       66  BOTH RENAMES ID THRU KIND.
";

/// Three records by hand: two entries, none, and one.
fn records() -> Vec<Vec<u8>> {
    let record = |id: &[u8], kind: u8, entries: &[&[u8]]| {
        let mut bytes = id.to_vec();
        bytes.extend([kind, 0xF0 | entries.len() as u8, 0x00, 0x12, 0x34, 0x5D]);
        bytes.extend([0xC1, 0xC2, 0x40, 0x40]);
        entries.iter().for_each(|e| bytes.extend_from_slice(e));
        bytes
    };
    let entry: &[u8] = &[0xF0, 0xF7, 0xF0, 0xF1, 0xF2, 0xD5];
    vec![
        record(&[0xF0, 0xF0, 0xF0, 0xF1], 0xC1, &[entry, entry]),
        record(&[0xF0, 0xF0, 0xF0, 0xF2], 0xC2, &[]),
        record(&[0xF0, 0xF0, 0xF0, 0xF3], 0xC1, &[entry]),
    ]
}

/// The records in a framing, and the options for it.
fn framed(kind: usize) -> (Value, Vec<u8>) {
    let word = |length: usize| [&((length + 4) as u16).to_be_bytes()[..], &[0, 0]].concat();
    let described = |r: Vec<u8>| [word(r.len()), r].concat();
    let v: Vec<u8> = records().into_iter().flat_map(described).collect();
    match kind {
        0 => (json!({"variable_occurs": "shift", "renames": "columns"}), records().concat()),
        1 => (json!({"record_format": "V", "select": ["DETAIL:KIND=A", "AMOUNT:KIND=B"]}), v),
        2 => (json!({"record_format": "VB", "flatten": true}), [word(v.len()), v].concat()),
        3 => {
            let whole = records().swap_remove(0);
            let head = [word(whole.len() - 5), whole[..whole.len() - 5].to_vec()].concat();
            let tail = [word(5), whole[whole.len() - 5..].to_vec()].concat();
            // First and last segment.
            let (mut head, mut tail) = (head, tail);
            (head[2], tail[2]) = (1, 2);
            let block = |data: Vec<u8>| [word(data.len()), data].concat();
            (json!({"record_format": "VBS", "raw": true}), [block(head), block(tail)].concat())
        }
        _ => {
            let line = |r: Vec<u8>| [r, vec![0x15]].concat();
            let lines = records().into_iter().flat_map(line).collect();
            (json!({"record_format": "lines", "invalid": "null", "nulls": ["blank"]}), lines)
        }
    }
}

#[test]
fn without_a_change_everything_is_read() {
    for (kind, rows) in [(0, 3), (1, 3), (2, 3), (3, 1), (4, 3)] {
        let (options, bytes) = framed(kind);
        let decoded = common::decoded(&common::format(BOOK, &options), bytes);
        assert_eq!(decoded.rejects.len(), 0, "{options}: {:?}", decoded.rejects);
        assert_eq!(decoded.rows.len(), rows, "{options}");
    }
}

fn mutate(bytes: &mut Vec<u8>, changes: &[(Index, u8, u8)]) {
    for (at, how, byte) in changes {
        let at = at.index(bytes.len().max(1));
        match how % 4 {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 => bytes.insert(at.min(bytes.len()), *byte),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            _ => {}
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    proptest::collection::vec((any::<Index>(), 0u8..16, any::<u8>()), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_file_with_changed_bytes_decodes_or_is_refused(kind in 0usize..5, changes in changes()) {
        let (options, mut bytes) = framed(kind);
        mutate(&mut bytes, &changes);
        fenhe_testkit::format::anything(common::format(BOOK, &options), &bytes);
    }

    #[test]
    fn a_copybook_with_changed_characters_parses_or_is_refused(changes in changes()) {
        let mut text = BOOK.as_bytes().to_vec();
        mutate(&mut text, &changes);
        let text = String::from_utf8_lossy(&text);
        let Ok(book) = Copybook::parse(&text) else { return Ok(()) };
        let (_, bytes) = framed(0);
        for options in [json!({}), json!({"variable_occurs": "shift", "flatten": true})] {
            let options = fenhe_copybook::CopybookOptions::from_options(&common::with(&text, &options)).unwrap();
            if let Ok(format) = CopybookFormat::of(&book, options) {
                let length = format.layout().unwrap().length;
                // A changed number of occurrences can make records of a gigabyte: those are refused by the limit.
                if length < 100_000 {
                    fenhe_testkit::format::anything(std::sync::Arc::new(format), &bytes);
                }
            }
        }
    }
}
