//! What the options promise, on sheets that another project's writer made.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{Format, Input, Options};
use fenhe_excel::Excel;
use fenhe_testkit::format::{Decoded, decode};
use rust_xlsxwriter::{Format as Style, Table, Workbook};

fn read(file: &[u8], options: &[&str]) -> Decoded {
    let options = Options::from_pairs(options.iter().copied()).unwrap();
    let decoder = Excel::from_options(&options).unwrap().decoder(Default::default()).unwrap();
    let object = Arc::new(Bytes::copy_from_slice(file));
    let got = decode(decoder, vec![Input::Object(object), Input::EndOfStream]);
    assert!(got.error.is_none(), "{:?}", got.error);
    got
}

fn merged() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let style = Style::new();
    sheet.merge_range(0, 1, 0, 2, "地址", &style).unwrap();
    sheet.write_row(0, 0, ["姓名"]).unwrap();
    sheet.write_row(1, 1, ["市", "街"]).unwrap();
    sheet.merge_range(2, 0, 3, 0, "李", &style).unwrap();
    sheet.write_row(2, 1, ["北京", "一"]).unwrap();
    sheet.write_row(3, 1, ["上海", "二"]).unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn header_rows_are_joined_and_merged_cells_filled_when_asked() {
    let first = read(&merged(), &["header=2"]);
    assert_eq!(
        first.rows,
        [
            r#"{"姓名":"李","地址.市":"北京","地址.街":"一"}"#,
            r#"{"姓名":null,"地址.市":"上海","地址.街":"二"}"#
        ]
    );
    let filled = read(&merged(), &["header=2", "merged=fill"]);
    assert_eq!(filled.rows[1], r#"{"姓名":"李","地址.市":"上海","地址.街":"二"}"#);
}

#[test]
fn tables_ranges_and_hidden_rows_are_what_was_asked_for() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "a report of some kind").unwrap();
    for row in 3..7_u32 {
        sheet.write_number(row, 1, row).unwrap();
        sheet.write_string(row, 2, format!("t{row}")).unwrap();
    }
    let table = Table::new().set_name("Fees").set_columns(&[
        rust_xlsxwriter::TableColumn::new().set_header("n"),
        rust_xlsxwriter::TableColumn::new().set_header("t"),
    ]);
    sheet.add_table(2, 1, 6, 2, &table).unwrap();
    sheet.write_string(9, 5, "a remark").unwrap();
    sheet.set_row_hidden(4).unwrap();
    let file = book.save_to_buffer().unwrap();
    let all = ["3", "4", "5", "6"].map(|n| format!("{{\"n\":{n},\"t\":\"t{n}\"}}"));
    assert_eq!(read(&file, &["table=Fees"]).rows, all);
    assert_eq!(read(&file, &["range=B3:C7"]).rows, all);
    let shown = read(&file, &["table=Fees", "hidden=skip"]);
    assert_eq!((shown.rows.len(), shown.read, shown.numbers), (3, 4, vec![1, 3, 4]));
}
