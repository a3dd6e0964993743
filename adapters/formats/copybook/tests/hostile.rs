//! Any text and any bytes: no panic, an end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use fenhe_copybook::{Copybook, CopybookOptions, Layout, doctor};
use proptest::prelude::*;
use serde_json::json;

const BOOK: &str = "
       01  R.
           05  N      PIC 9(2).
           05  K      PIC X.
           05  A      PIC S9(5)V99 COMP-3.
           05  B      REDEFINES A PIC X(2).
           05  T OCCURS 0 TO 5 DEPENDING ON N.
               10  M  PIC 9 COMP-3.
               10  U  OCCURS 0 TO 3 DEPENDING ON M PIC S9(3) COMP.
           05  F      COMP-1.
           05  E      PIC Z,ZZ9.99CR.
           05  G      PIC G(2) DISPLAY-1.";

const WORDS: [&str; 32] = [
    "01",
    "05",
    "10",
    "49",
    "66",
    "77",
    "88",
    "A",
    "B",
    "FILLER",
    "PIC",
    "X(9)",
    "S9(5)V99",
    "9(99999999)",
    "COMP-3",
    "OCCURS",
    "1",
    "99999",
    "TO",
    "DEPENDING",
    "ON",
    "REDEFINES",
    "VALUE",
    "'x'",
    ".",
    "==",
    "COPY",
    "REPLACING",
    "BY",
    "SYNC",
    "RENAMES",
    "THRU",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_words_parse_or_are_refused(words in proptest::collection::vec(0usize..WORDS.len(), 0..60), sync: bool) {
        let text: Vec<&str> = words.iter().map(|w| WORDS[*w]).collect();
        if let Ok(book) = Copybook::parse(&text.join(" ")) {
            let options = CopybookOptions { sync, ..CopybookOptions::default() };
            if let Ok(layout) = Layout::new(&book, &options) {
                prop_assert!(layout.minimum <= layout.length);
                prop_assert!(!layout.table().is_empty());
            }
        }
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC{0,200}") {
        let _ = Copybook::parse(&text);
    }

}

proptest! {
    // Each looks at the bytes in some hundred ways.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for options in [
            json!({}),
            json!({"record_format": "V", "short": "pad", "low_values": "blank", "nulls": ["blank", "low"]}),
            json!({"record_format": "VB", "flatten": true}),
            json!({"record_format": "VBS", "raw": true}),
            json!({"variable_occurs": "shift", "encoding": "gbk"}),
            json!({"record_format": "D", "encoding": "ascii", "variable_occurs": "pad"}),
            json!({"record_format": "lines", "encoding": "utf-8", "select": ["A:K=1", "B:K=2"]}),
            json!({"length_field": "N", "record_prefix": 1, "record_suffix": 1, "encoding": "ibm1388"}),
            json!({"record_header": "3:1:2:little:-1", "redefines": "first"}),
        ] {
            fenhe_testkit::format::anything(common::format(BOOK, &options), &bytes);
        }
    }
}

#[test]
fn the_doctor_survives_what_is_no_cobol_data() {
    let book = Copybook::parse(BOOK).unwrap();
    for sample in [&b""[..], b"\x00", &[0xFF; 300], b"<html></html>\n"] {
        let found = doctor(&book, sample);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }
}
