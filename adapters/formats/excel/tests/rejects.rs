//! Rows that were refused, corrected by a person, and read again.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use bytes::Bytes;
use calamine::{Data, Reader, Xlsx};
use fenhe_core::{Attachment, Format, Input};
use fenhe_excel::{Excel, ExcelOptions, reject_workbook};
use fenhe_testkit::format::{Decoded, decode};
use rust_xlsxwriter::Workbook;

const SCHEMA: &str = "[[field]]\nname = \"name\"\ntype = \"text\"\n\n[[field]]\nname = \"fee\"\ntype = \"decimal(9,2)\"\n\n[[field]]\nname = \"born\"\ntype = \"date\"\n";

fn read(file: Vec<u8>) -> Decoded {
    let schema = Attachment { name: "s.toml".into(), text: SCHEMA.into() };
    let format = Excel::new(ExcelOptions { schema: Some(schema), ..Default::default() });
    let decoder = format.decoder(Default::default()).unwrap();
    decode(decoder, vec![Input::Object(Arc::new(Bytes::from(file))), Input::EndOfStream])
}

#[test]
fn a_refused_row_names_its_cells_and_comes_back_corrected() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let rows = [
        ["name", "fee", "born"],
        ["=李", "12.50", "2026-01-02"],
        ["欧阳", "12O", "2026-02-30"],
        ["+王", "1.005", "1999-12-31"],
    ];
    for (row, cells) in (0..).zip(rows) {
        sheet.write_row(row, 0, cells).unwrap();
    }
    let got = read(book.save_to_buffer().unwrap());
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(got.rows, [r#"{"name":"=李","fee":12.50,"born":"2026-01-02"}"#]);
    let codes: Vec<_> =
        got.rejects.iter().map(|r| (r.line, r.fault.code.as_ref(), r.also.len())).collect();
    assert_eq!(
        codes,
        [(Some(3), "value.not_a_number", 1), (Some(4), "value.too_many_fraction_digits", 0)]
    );
    assert!(got.rejects[0].to_string().contains("Sheet1!B3"), "{}", got.rejects[0]);
    assert!(got.rejects[0].also[0].to_string().contains("Sheet1!C3"));
    assert!(!got.rejects[0].to_string().contains("12O"), "a value in an error text");

    let file = reject_workbook(got.schema.as_ref().unwrap(), &got.rejects).unwrap();
    let mut peer: Xlsx<_> =
        calamine::open_workbook_from_rs(std::io::Cursor::new(file.clone())).unwrap();
    let range = peer.worksheet_range("rejects").unwrap();
    assert_eq!(range.get_value((1, 1)), Some(&Data::String("12O".into())));
    assert_eq!(range.get_value((2, 0)), Some(&Data::String("+王".into())));
    assert!(range.get_value((1, 5)).unwrap().to_string().contains("value.not_a_number"));
    let again = read(file);
    assert_eq!(again.rejects.len(), 2, "not corrected yet: refused again");
}
