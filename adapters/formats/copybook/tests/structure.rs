//! Other names, parts of a blocked file, and records as trees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{decoded, format};
use fenhe_core::{DecodeOptions, Input, Part};
use fenhe_testkit::format::decode;
use serde_json::json;

const NAMES: &str = "       01  R.
           05  A    PIC X(2).
           05  G.
               10  B  PIC 9(2).
               10  C  PIC 9(3) COMP-3.
           05  D    PIC X.
       66  AB RENAMES A THRU B.
       66  G-TEXT RENAMES G.
       66  AMOUNT RENAMES C.
";

#[test]
fn items_of_level_66_are_columns_on_request() {
    let bytes = b"xy07\x12\x3Cz".to_vec();
    let plain = decoded(&format(NAMES, &json!({"encoding": "ascii"})), bytes.clone());
    assert_eq!(plain.rows, [r#"{"A":"xy","G":{"B":7,"C":123},"D":"z"}"#]);
    let options = json!({"encoding": "ascii", "renames": "columns"});
    let all = decoded(&format(NAMES, &options), bytes.clone());
    assert_eq!(
        all.rows,
        [r#"{"A":"xy","G":{"B":7,"C":123},"D":"z","AB":"xy07","G-TEXT":"07\u0012<","AMOUNT":123}"#]
    );
    let asked = DecodeOptions {
        columns: Some(vec!["AMOUNT".into(), "A".into()]),
        ..DecodeOptions::default()
    };
    let decoder = format(NAMES, &options).decoder(asked).unwrap();
    let some = decode(decoder, vec![Input::Bytes(bytes.into()), Input::EndOfStream]);
    assert_eq!(some.rows, [r#"{"AMOUNT":123,"A":"xy"}"#]);
}

#[test]
fn a_wrong_renames_is_shown_at_its_line() {
    for (clause, word) in [
        ("66 W RENAMES D THRU A.", "does not end behind"),
        ("66 W RENAMES NIX.", "no item NIX"),
        ("66 W RENAMES T.", "in a table"),
    ] {
        let text = format!("01 R.\n 05 A PIC X.\n 05 T PIC X OCCURS 2.\n 05 D PIC X.\n {clause}");
        let book = fenhe_copybook::Copybook::parse(&text).unwrap();
        let error = fenhe_copybook::Layout::new(&book, &Default::default()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(error.to_string().contains("5"), "{error}");
    }
}

/// Two blocks of two records and one of one, each record a letter and a digit.
fn blocks() -> Vec<u8> {
    let block = |records: &[&[u8]]| {
        let data: Vec<u8> =
            records.iter().flat_map(|r| [&[0, r.len() as u8 + 4, 0, 0][..], r].concat()).collect();
        [&[0, data.len() as u8 + 4, 0, 0][..], &data].concat()
    };
    [block(&[b"a1", b"b2"]), block(&[b"c3", b"d4"]), block(&[b"e5"])].concat()
}

#[test]
fn a_blocked_file_is_cut_between_blocks_only() {
    let options = json!({"encoding": "ascii", "record_format": "VB"});
    let format = format("01 R.\n 05 K PIC X.\n 05 N PIC 9.", &options);
    let bytes = blocks();
    let whole = decoded(&format, bytes.clone());
    let mut splitter = format.splitter(&DecodeOptions::default()).unwrap();
    // The block of two records has 16 bytes: nothing before them, all of one block after them.
    for (length, end, records) in
        [(15, None, 0), (16, Some(16), 2), (31, Some(16), 2), (32, Some(32), 4), (42, Some(42), 5)]
    {
        let found = splitter.last_boundary(&bytes[..length], length == bytes.len());
        assert_eq!(found.map(|b| b.end), end, "{length}");
        assert_eq!(found.map_or(0, |b| b.records), records, "{length}");
    }
    let part = |from: usize, to: usize, first_record: u64| {
        let last = to == bytes.len();
        let part = Part {
            offset: from as u64,
            first_record,
            last,
            first_line: 1,
            prologue: Default::default(),
        };
        let options = DecodeOptions { part: Some(part), ..DecodeOptions::default() };
        let bytes = bytes[from..to].to_vec();
        decode(
            format.decoder(options).unwrap(),
            vec![Input::Bytes(bytes.into()), Input::EndOfStream],
        )
        .rows
    };
    assert_eq!([part(0, 16, 1), part(16, 42, 3)].concat(), whole.rows);
}

const ORDERS: &str = "       01  HEADER.
           05  T        PIC X.
           05  NAME     PIC X(4).
       01  ITEM.
           05  T        PIC X.
           05  PRICE    PIC 9(4).
       01  NOTE.
           05  T        PIC X.
           05  TEXT-N   PIC X(4).
       01  TRAILER.
           05  T        PIC X.
           05  COUNT-N  PIC 9(4).
";

fn nested() -> serde_json::Value {
    json!({"encoding": "ascii", "nest": true,
        "select": ["HEADER:T=H", "ITEM:T=I", "NOTE:T=N", "TRAILER:T=T"],
        "parents": ["ITEM:HEADER", "NOTE:ITEM"]})
}

#[test]
fn children_are_lists_in_the_record_that_they_belong_to() {
    let format = format(ORDERS, &nested());
    let got = decoded(&format, b"HANN I0001Nx   Ny   I0002HBOB HCAT I0003T0007".to_vec());
    assert_eq!(
        got.rows,
        [
            r#"{"HEADER":{"T":"H","NAME":"ANN","ITEM":[{"T":"I","PRICE":1,"NOTE":[{"T":"N","TEXT-N":"x"},{"T":"N","TEXT-N":"y"}]},{"T":"I","PRICE":2,"NOTE":[]}]},"TRAILER":null}"#,
            r#"{"HEADER":{"T":"H","NAME":"BOB","ITEM":[]},"TRAILER":null}"#,
            r#"{"HEADER":{"T":"H","NAME":"CAT","ITEM":[{"T":"I","PRICE":3,"NOTE":[]}]},"TRAILER":null}"#,
            r#"{"HEADER":null,"TRAILER":{"T":"T","COUNT-N":7}}"#,
        ]
    );
    assert_eq!(got.numbers, [1, 6, 7, 9]);
    // Nine records: four rows, and five that are in one of them.
    assert_eq!((got.read, got.rejects.len()), (9, 0));
}

/// What all records begin with stays with each of them.
#[test]
fn segments_of_one_record_keep_their_common_part() {
    let book = "01 R.\n 05 KEY-N PIC 9.\n 05 T PIC X.\n 05 MAIN.\n 10 NAME PIC X(3).\n 05 PART REDEFINES MAIN.\n 10 T PIC X.\n 10 N PIC 9(2).";
    let options = json!({"encoding": "ascii", "nest": true, "select": ["MAIN:R.T=M", "PART:R.T=P"], "parents": ["PART:MAIN"]});
    let got = decoded(&format(book, &options), b"1MANN1Px071Py082MBOB".to_vec());
    assert_eq!(
        got.rows,
        [
            r#"{"KEY-N":1,"T":"M","MAIN":{"NAME":"ANN","PART":[{"KEY-N":1,"T":"P","T_2":"x","N":7},{"KEY-N":1,"T":"P","T_2":"y","N":8}]}}"#,
            r#"{"KEY-N":2,"T":"M","MAIN":{"NAME":"BOB","PART":[]}}"#,
        ]
    );
}

/// A child before any parent, a child and its child after a parent that is rejected, and a rejected child.
#[test]
fn children_without_a_parent_are_kept_under_an_empty_one() {
    let format = format(ORDERS, &nested());
    let got = decoded(&format, b"I0001HANN I00x2Nz   I0004".to_vec());
    assert_eq!(got.rejects.len(), 1);
    assert_eq!((got.rejects[0].record, got.rejects[0].fault.field.as_str()), (3, "ITEM.PRICE"));
    assert_eq!(
        got.rows,
        [
            r#"{"HEADER":{"T":null,"NAME":null,"ITEM":[{"T":"I","PRICE":1,"NOTE":[]}]},"TRAILER":null}"#,
            r#"{"HEADER":{"T":"H","NAME":"ANN","ITEM":[{"T":null,"PRICE":null,"NOTE":[{"T":"N","TEXT-N":"z"}]},{"T":"I","PRICE":4,"NOTE":[]}]},"TRAILER":null}"#,
        ]
    );
    assert_eq!(got.read, 5);
}

#[test]
fn batches_end_between_trees_and_reading_goes_on_there() {
    let format = format(ORDERS, &nested());
    let bytes = b"HANN I0001Nx   I0002HBOB I0003I0004I0005HCAT HDOG I0006".to_vec();
    let whole = decoded(&format, bytes.clone()).rows;
    assert_eq!(whole.len(), 4);
    let limits = fenhe_core::Limits { batch_rows: 2, ..Default::default() };
    for chunk in [1, 7, 100] {
        let mut options = DecodeOptions { limits: limits.clone(), ..DecodeOptions::default() };
        let feed = |from: usize| {
            let chunks = bytes[from..].chunks(chunk).map(|c| Input::Bytes(c.to_vec().into()));
            chunks.chain([Input::EndOfStream]).collect::<Vec<_>>()
        };
        let got = decode(format.decoder(options.clone()).unwrap(), feed(0));
        assert_eq!(got.rows, whole, "chunks of {chunk}");
        assert!(got.batches.len() >= 3);
        for (position, rows, _) in &got.positions {
            options.from = Some(position.clone());
            let from = usize::try_from(position.offset()).unwrap();
            let rest = decode(format.decoder(options.clone()).unwrap(), feed(from));
            assert_eq!(rest.rows, whole[*rows..], "chunks of {chunk}, from {from}");
        }
    }
}

#[test]
fn a_tree_longer_than_a_record_may_be_is_refused() {
    let format = format(ORDERS, &nested());
    let bytes = [b"HANN ".to_vec(), b"I0001".repeat(50)].concat();
    let limits =
        fenhe_core::Limits { batch_rows: 2, batch_bytes: 10, record: 100, ..Default::default() };
    let options = DecodeOptions { limits, ..DecodeOptions::default() };
    let inputs = bytes.chunks(20).map(|c| Input::Bytes(c.to_vec().into()));
    let got =
        decode(format.decoder(options).unwrap(), inputs.chain([Input::EndOfStream]).collect());
    let error = got.error.unwrap();
    assert_eq!(error.kind(), fenhe_core::Kind::Limit, "{error}");
    assert!(error.to_string().contains("record"), "{error}");
}

#[test]
fn trees_of_asked_columns_and_what_is_no_tree() {
    let asked = DecodeOptions { columns: Some(vec!["TRAILER".into()]), ..DecodeOptions::default() };
    let decoder = format(ORDERS, &nested()).decoder(asked).unwrap();
    let input = vec![Input::Bytes(b"HANN I0001T0007".to_vec().into()), Input::EndOfStream];
    assert_eq!(
        decode(decoder, input).rows,
        [r#"{"TRAILER":null}"#, r#"{"TRAILER":{"T":"T","COUNT-N":7}}"#]
    );
    for (change, word) in [
        (json!({"parents": ["ITEM:HEADER", "HEADER:ITEM"]}), "its own ancestor"),
        (json!({"parents": []}), "needs parents"),
        (json!({"flatten": true}), "neither flatten nor raw"),
    ] {
        let mut options = nested();
        for (key, value) in change.as_object().unwrap() {
            options[key] = value.clone();
        }
        let made = fenhe_copybook::CopybookFormat::from_options(&common::with(ORDERS, &options));
        let error = match made {
            Err(error) => error,
            Ok(format) => match fenhe_core::Format::decoder(&format, DecodeOptions::default()) {
                Err(error) => error,
                Ok(_) => panic!("{change} is taken"),
            },
        };
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// Kind A: a fixed part of two bytes. Kind B: as many pairs as its counter says. Both before a last item.
const BRANCHES: &str = "       01  R.
           05  KIND     PIC X.
           05  PART-A   PIC X(2).
           05  PART-B   REDEFINES PART-A.
               10  N    PIC 9.
               10  P    PIC 9(2) OCCURS 0 TO 3 DEPENDING ON N.
           05  TAIL-R   PIC X.
";

#[test]
fn tables_of_variable_size_may_be_in_what_redefines() {
    let rules = json!(["PART-A:KIND=A", "PART-B:KIND=B"]);
    let options = json!({"encoding": "ascii", "variable_occurs": "shift", "select": rules});
    let bytes = b"Axyt B0t B21122t B3112233tAzzt".iter().copied().filter(|b| *b != b' ').collect();
    let got = decoded(&format(BRANCHES, &options), bytes);
    assert_eq!(
        got.rows,
        [
            r#"{"KIND":"A","PART-A":"xy","PART-B":null,"TAIL-R":"t"}"#,
            r#"{"KIND":"B","PART-A":null,"PART-B":{"N":0,"P":[]},"TAIL-R":"t"}"#,
            r#"{"KIND":"B","PART-A":null,"PART-B":{"N":2,"P":[11,22]},"TAIL-R":"t"}"#,
            r#"{"KIND":"B","PART-A":null,"PART-B":{"N":3,"P":[11,22,33]},"TAIL-R":"t"}"#,
            r#"{"KIND":"A","PART-A":"zz","PART-B":null,"TAIL-R":"t"}"#,
        ]
    );
}
