//! The promises of every format, on COBOL data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{decoded, format};
use fenhe_core::DecodeOptions;
use fenhe_testkit::format::{Broken, Case, conforms};
use serde_json::{Value, json};

const PERSON: &str = "
       01  PERSON.
           05  ID        PIC 9(4) COMP.
           05  NAME      PIC X(6).
           05  TAX       PIC S9(3)V99 COMP-3.
           05  BORN      PIC 9(8).
           05  BALANCE   PIC S9(5)V9.
           05  RATE      COMP-2.";

/// One record of PERSON, written by hand from the manuals.
fn person(id: u16, name: &[u8; 6], tax: [u8; 3], last: u8) -> Vec<u8> {
    let mut record = id.to_be_bytes().to_vec();
    record.extend_from_slice(name);
    record.extend_from_slice(&tax);
    record.extend_from_slice(b"\xF2\xF0\xF0\xF1\xF0\xF2\xF0\xF3");
    record.extend_from_slice(&[0xF0, 0xF0, 0xF1, 0xF2, 0xF3, last]);
    record.extend_from_slice(&[0xC2, 0x76, 0xA0, 0, 0, 0, 0, 0]);
    record
}

fn people() -> Vec<Vec<u8>> {
    vec![
        person(1, b"\xC1\xD5\xD5\x40\x40\x40", [0x12, 0x34, 0x5C], 0xC4),
        person(2, b"\xC2\xD6\xC2\x40\x40\x40", [0x00, 0x00, 0x1D], 0xD4),
        person(3, b"\xE9\x40\x51\x40\x40\x40", [0x99, 0x99, 0x9C], 0xC0),
        person(9_999, b"\x40\x40\x40\x40\x40\x40", [0x00, 0x00, 0x0C], 0xC9),
        person(5, b"\xC1\xC2\xC3\xC4\xC5\xC6", [0x01, 0x00, 0x0D], 0xD1),
    ]
}

fn with_descriptor(records: &[Vec<u8>]) -> Vec<u8> {
    let head = |r: &Vec<u8>| [((r.len() + 4) as u16).to_be_bytes().as_slice(), &[0, 0]].concat();
    records.iter().flat_map(|r| [head(r), r.clone()].concat()).collect()
}

fn case(name: &str, copybook: &str, options: Value, bytes: Vec<u8>) -> Case {
    Case::new(name, format(copybook, &options), bytes)
}

const TABLES: &str = "
       01  R.
           05  N         PIC 9.
           05  KIND      PIC X.
           05  BODY-A.
               10  A1    PIC 9(3).
               10  A2    PIC X(2).
           05  BODY-B REDEFINES BODY-A.
               10  B1    PIC X(5).
           05  FILLER    PIC X(2).
           05  ROWS OCCURS 0 TO 3 DEPENDING ON N.
               10  M     PIC 9.
               10  CELL  OCCURS 0 TO 2 DEPENDING ON M PIC 9(2).
               10  NOTE  PIC X OCCURS 2.
           05  TAIL      PIC X(2).";

fn tables() -> Vec<Vec<u8>> {
    [&b"0A123xy..T1"[..], b"1B hey ..0abT2", b"2A007zz..112ab23456cdT3", b"1B     ..22233mnT4"]
        .iter()
        .map(|r| r.to_vec())
        .collect()
}

/// A table of variable size in what redefines; PART-A of two bytes otherwise.
const BRANCHES: &str = "
       01  R.
           05  KIND     PIC X.
           05  PART-A   PIC X(2).
           05  PART-B   REDEFINES PART-A.
               10  N    PIC 9.
               10  P    PIC 9(2) OCCURS 0 TO 3 DEPENDING ON N.
           05  TAIL-R   PIC X.";

fn branches() -> Case {
    let records = [&b"Axyt"[..], b"B0t", b"B21122t", b"B3112233t", b"Azzt"].map(<[u8]>::to_vec);
    let options = json!({"encoding": "ascii", "record_format": "V", "select": ["PART-A:KIND=A", "PART-B:KIND=B"]});
    case("branches", BRANCHES, options, with_descriptor(&records))
}

fn cases() -> Vec<Case> {
    let people = people();
    let flat: Vec<u8> = people.concat();
    let v = with_descriptor(&people);
    let mut vb = Vec::new();
    let block = |records: &[Vec<u8>]| {
        let data = with_descriptor(records);
        [((data.len() + 4) as u16).to_be_bytes().as_slice(), &[0, 0], &data].concat()
    };
    vb.extend(block(&people[..2]));
    vb.extend(block(&people[2..]));
    // The third record spans two blocks.
    let mut vbs = Vec::new();
    let segment = |code: u8, data: &[u8]| {
        [((data.len() + 4) as u16).to_be_bytes().as_slice(), &[code, 0], data].concat()
    };
    for segments in [
        vec![segment(0, &people[0]), segment(0, &people[1]), segment(1, &people[2][..10])],
        vec![segment(3, &people[2][10..20])],
        vec![segment(2, &people[2][20..]), segment(0, &people[3])],
    ] {
        let data = segments.concat();
        vbs.extend([((data.len() + 4) as u16).to_be_bytes().as_slice(), &[0, 0], &data].concat());
    }
    let select = json!(["BODY-A:KIND=A", "BODY-B:KIND=B"]);
    let ascii = |more: Value| {
        let mut options = json!({"encoding": "ascii", "select": select});
        for (k, v) in more.as_object().unwrap() {
            options[k] = v.clone();
        }
        options
    };
    let shifted = with_descriptor(&tables());
    let types = "
       01  HEAD.
           05  T   PIC X.
           05  N   PIC 9(3).
       01  ITEM.
           05  T   PIC X.
           05  S   PIC X(5).";
    let typed = json!({"encoding": "ascii", "record_format": "lines", "select": ["HEAD:HEAD.T=H", "ITEM:ITEM.T=I"]});
    let lines = b"H001\nIabc\nIde\nH002\nI\xD6\xD0\n".to_vec();
    let mut gbk = typed.clone();
    gbk["encoding"] = json!("gbk");
    let mixed = "01 R.\n 05 NAME PIC X(10).\n 05 G PIC G(2) DISPLAY-1.\n 05 U PIC N(2) NATIONAL.";
    let chinese =
        b"\x0E\x5B\xCF\x4D\x9B\x0F\xC1\xF1\x40\x40\x5B\xCF\x4D\x9B\x4E\x2D\x56\xFD".repeat(3);
    let header = [&[9u8; 7][..], &flat, &[8; 3]].concat();
    let mut prefixed = Vec::new();
    people.iter().for_each(|r| prefixed.extend([&b"<<"[..], r, b">"].concat()));
    vec![
        case("fixed", PERSON, json!({}), flat.clone()).lossless(),
        case("fixed raw", PERSON, json!({"raw": true}), flat.clone()).lossless(),
        case("fixed flat", PERSON, json!({"flatten": true}), flat.clone()).lossless(),
        case("V", PERSON, json!({"record_format": "V"}), v).lossless(),
        branches().lossless(),
        case("VB", PERSON, json!({"record_format": "VB"}), vb),
        case("VBS", PERSON, json!({"record_format": "VBS"}), vbs),
        case("header and trailer", PERSON, json!({"file_header": 7, "file_trailer": 3}), header),
        case(
            "prefix and suffix",
            PERSON,
            json!({"record_prefix": 2, "record_suffix": 1, "raw": true}),
            prefixed,
        )
        .lossless(),
        case(
            "V shifted tables",
            TABLES,
            ascii(json!({"record_format": "V", "raw": true})),
            shifted.clone(),
        )
        .lossless(),
        case(
            "V shifted tables without raw",
            TABLES,
            ascii(json!({"record_format": "V"})),
            shifted.clone(),
        ),
        case(
            "shifted by content",
            TABLES,
            ascii(json!({"variable_occurs": "shift", "raw": true})),
            tables().concat(),
        )
        .lossless(),
        case(
            "flat tables",
            TABLES,
            ascii(json!({"record_format": "V", "flatten": true, "raw": true})),
            shifted,
        )
        .lossless(),
        case(
            "all alternatives",
            TABLES,
            json!({"encoding": "ascii", "record_format": "V", "raw": true}),
            with_descriptor(&tables()),
        )
        .lossless(),
        case("record types", types, gbk.clone(), lines.clone()),
        case("one record type", types, gbk, lines).dataset("ITEM"),
        case("Chinese", mixed, json!({"encoding": "ibm935"}), chinese).lossless(),
    ]
}

fn broken() -> Vec<Broken> {
    let mut bytes = people().concat();
    bytes[8 + 33] = 0xAA;
    bytes[2 * 33 + 15] = 0x40;
    bytes.truncate(5 * 33 - 4);
    let fixed = Broken {
        case: case("broken numbers and a cut record", PERSON, json!({}), bytes),
        rejects: vec![
            (2, 33, "copybook.packed"),
            (3, 66, "copybook.zoned"),
            (5, 132, "copybook.truncated_tail"),
        ],
        rows: 2,
    };
    let records: Vec<Vec<u8>> = [
        &b"0A123xy..T1"[..],
        b"9A123xy..T1",
        b"0C123xy..T1",
        b"0A12?xy..T1",
        b"0A123",
        b"0A123xy..T1more",
    ]
    .iter()
    .map(|r| r.to_vec())
    .collect();
    let options = json!({"encoding": "ascii", "record_format": "V", "select": ["BODY-A:KIND=A", "BODY-B:KIND=B"]});
    let variable = Broken {
        case: case("broken tables and alternatives", TABLES, options, with_descriptor(&records)),
        rejects: vec![
            (2, 15, "copybook.occurs_count"),
            (3, 30, "copybook.redefines"),
            (4, 45, "copybook.zoned"),
            (5, 60, "copybook.short"),
            (6, 69, "copybook.long"),
        ],
        rows: 1,
    };
    vec![fixed, variable]
}

fn fatal() -> Vec<Case> {
    let mut v = with_descriptor(&people());
    v[37] = 0;
    v[38] = 2;
    vec![case("a descriptor below its own length", PERSON, json!({"record_format": "V"}), v)]
}

#[test]
fn cobol_data_keep_the_promises_of_a_format() {
    conforms(&cases(), &broken(), &fatal());
}

#[test]
fn values_are_those_of_the_manuals() {
    let got = decoded(&format(PERSON, &json!({})), people().concat());
    assert_eq!(
        got.rows[0],
        r#"{"ID":1,"NAME":"ANN","TAX":123.45,"BORN":20010203,"BALANCE":123.4,"RATE":-118.625}"#
    );
    assert_eq!(
        got.rows[4],
        r#"{"ID":5,"NAME":"ABCDEF","TAX":-10.00,"BORN":20010203,"BALANCE":-123.1,"RATE":-118.625}"#
    );
    // A reader takes what the field holds, more than the PICTURE has digits for.
    let large = decoded(
        &format(PERSON, &json!({})),
        person(65_535, b"\xC1\xC1\xC1\xC1\xC1\xC1", [0, 0, 0x0C], 0xC0),
    );
    assert!(large.rows[0].contains(r#""ID":65535"#), "{}", large.rows[0]);
}

/// 64 bits without sign reach 18,446,744,073,709,551,615, the whole block of them too.
#[test]
fn the_upper_half_of_64_bits_without_sign_stays_above_zero() {
    let book =
        "01 R.\n 05 W PIC 9(18) COMP-5.\n 05 D PIC 9(16)V99 COMP.\n 05 N PIC 9(16)V99 COMP-5.";
    let format = format(book, &json!({"native": "little"}));
    let numbers = [u64::MAX, 1 << 63, u64::MAX - 123_455, i64::MAX.cast_unsigned(), 5];
    let spelled: Vec<String> = numbers
        .iter()
        .map(|n| {
            let cents = format!("{}.{:02}", n / 100, n % 100);
            format!(r#"{{"W":{n},"D":{cents},"N":{cents}}}"#)
        })
        .collect();
    let record = |n: &u64| [n.to_le_bytes(), n.to_be_bytes(), n.to_le_bytes()].concat();
    for (number, spelled) in numbers.iter().zip(&spelled) {
        assert_eq!(decoded(&format, record(number)).rows, std::slice::from_ref(spelled));
    }
    let all = decoded(&format, numbers.iter().flat_map(record).collect());
    assert_eq!(all.rows, spelled);
    assert!(all.rejects.is_empty());
}

#[test]
fn chinese_in_mixed_ebcdic_double_byte_and_national_items() {
    let text = "01 R.\n 05 NAME PIC X(10).\n 05 G PIC G(2) DISPLAY-1.\n 05 U PIC N(2) NATIONAL.";
    let bytes =
        b"\x0E\x5B\xCF\x4D\x9B\x0F\xC1\xF1\x40\x40\x5B\xCF\x4D\x9B\x4E\x2D\x56\xFD".to_vec();
    let got = decoded(&format(text, &json!({"encoding": "cp935"})), bytes);
    assert_eq!(got.rows, [r#"{"NAME":"中国A1","G":"中国","U":"中国"}"#]);
}

#[test]
fn tables_are_lists_and_only_what_is_in_use() {
    let options = json!({"encoding": "ascii", "record_format": "V", "select": ["BODY-A:KIND=A", "BODY-B:KIND=B"]});
    let got = decoded(&format(TABLES, &options), with_descriptor(&tables()));
    assert_eq!(
        got.rows[2],
        r#"{"N":2,"KIND":"A","BODY-A":{"A1":7,"A2":"zz"},"BODY-B":null,"ROWS":[{"M":1,"CELL":[12],"NOTE":["a","b"]},{"M":2,"CELL":[34,56],"NOTE":["c","d"]}],"TAIL":"T3"}"#
    );
}

#[test]
fn children_know_their_parent() {
    let types = "01 R.\n 05 T PIC X.\n 05 H PIC 9(3).\n 05 I REDEFINES H PIC X(3).";
    let options = json!({"encoding": "ascii", "record_format": "lines", "select": ["H:T=H", "I:T=I"], "parents": ["I:H"]});
    let got = decoded(&format(types, &options), b"H001\nIabc\nIdef\nH002\nIghi\n".to_vec());
    let parents: Vec<Value> = got
        .rows
        .iter()
        .map(|r| serde_json::from_str::<Value>(r).unwrap()["_parent"].clone())
        .collect();
    assert_eq!(parents, [Value::Null, json!(1), json!(1), Value::Null, json!(4)]);
}

#[test]
fn the_book_is_asked_for_its_limits() {
    let text = "01 R.\n 05 A PIC X(1000) OCCURS 1000.\n 05 B PIC X.";
    let format = format(text, &json!({}));
    let limits = fenhe_core::Limits { record: 1 << 16, ..fenhe_core::Limits::default() };
    let error = format.decoder(DecodeOptions { limits, ..DecodeOptions::default() }).err().unwrap();
    assert_eq!(error.kind(), fenhe_core::Kind::Limit, "{error}");
}
