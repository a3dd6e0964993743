#![no_main]
//! COBOL data over any bytes, and the parser of copybooks over any text.

use std::sync::Arc;

use fenhe_copybook::CopybookFormat;
use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(format) = format(COPYBOOK) {
        fenhe_testkit::format::anything(Arc::new(format), data);
    }
    // A copybook that is text at all is read or refused.
    if let Ok(text) = std::str::from_utf8(data) {
        format(text);
    }
});

fn format(copybook: &str) -> Option<CopybookFormat> {
    let mut options = Options::from_pairs(["record_format=V", "encoding=cp037"]).ok()?;
    options.set("copybook", serde_json::json!({ "name": "record.cpy", "text": copybook }));
    CopybookFormat::from_options(&options).ok()
}

const COPYBOOK: &str = "
       01  RECORD-1.
           05  ID-NO        PIC 9(6).
           05  NAME         PIC X(10).
           05  AMOUNT       PIC S9(7)V99 COMP-3.
           05  COUNT-OF     PIC 9(2).
           05  LINES-OF OCCURS 0 TO 9 TIMES DEPENDING ON COUNT-OF.
               10  UNIT     PIC S9(4) COMP.
               10  PRICE    PIC S9(5)V9.
";
