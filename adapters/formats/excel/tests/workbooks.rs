//! Workbooks of unusual kinds: strict ones, of 1904, with hidden parts, with a password; and lists to choose from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use bytes::{Bytes, BytesMut};
use common::zip;
use fenhe_core::{EncodeOptions, Format, Input, Kind, Limits, Options};
use fenhe_excel::{Excel, ExcelOptions};
use fenhe_testkit::format::{Decoded, decode};
use rust_xlsxwriter::{Format as Style, Workbook};

fn excel(options: &[&str]) -> Excel {
    Excel::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap()
}

fn read(file: &[u8], options: &[&str]) -> Decoded {
    let decoder = excel(options).decoder(Default::default()).unwrap();
    let object = Arc::new(Bytes::copy_from_slice(file));
    decode(decoder, vec![Input::Object(object), Input::EndOfStream])
}

/// A workbook of one sheet, in the namespaces of the strict or the transitional schemas.
fn book(strict: bool, of_1904: bool, formats: &[u32], rows: &str) -> Vec<u8> {
    let (main, rel) = match strict {
        true => (
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
        false => (
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        ),
    };
    let xfs: String = formats.iter().map(|id| format!("<xf numFmtId=\"{id}\"/>")).collect();
    let own = "<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;\"/></numFmts>";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{rel}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = |inside: String| {
        format!("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inside}</Relationships>")
            .into_bytes()
    };
    zip(&[
        ("_rels/.rels", relations(relation("a", "officeDocument", "xl/workbook.xml"))),
        (
            "xl/workbook.xml",
            format!("<workbook xmlns=\"{main}\" xmlns:r=\"{rel}\" conformance=\"strict\"><workbookPr date1904=\"{of_1904}\"/><sheets><sheet name=\"表\" sheetId=\"1\" r:id=\"s\"/></sheets></workbook>")
                .into_bytes(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            relations(relation("s", "worksheet", "worksheets/sheet1.xml") + &relation("t", "styles", "styles.xml")),
        ),
        (
            "xl/styles.xml",
            format!("<styleSheet xmlns=\"{main}\">{own}<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs>{xfs}</cellXfs></styleSheet>")
                .into_bytes(),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>")
                .into_bytes(),
        ),
    ])
}

fn text(reference: &str, text: &str) -> String {
    format!("<c r=\"{reference}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn number(reference: &str, style: usize, number: &str) -> String {
    format!("<c r=\"{reference}\" s=\"{style}\"><v>{number}</v></c>")
}

#[test]
fn a_strict_workbook_has_its_days_as_iso_8601() {
    let iso = |reference: &str, value: &str| {
        format!("<c r=\"{reference}\" s=\"1\" t=\"d\"><v>{value}</v></c>")
    };
    let rows = [
        format!("<row r=\"1\">{}{}{}</row>", text("A1", "日"), text("B1", "at"), text("C1", "n")),
        format!(
            "<row r=\"2\">{}{}{}</row>",
            iso("A2", "2026-01-02"),
            iso("B2", "2026-01-02T03:04:05"),
            number("C2", 0, "1")
        ),
        format!(
            "<row r=\"3\">{}{}{}</row>",
            iso("A3", "1899-12-31"),
            iso("B3", "2026-02-28T23:59:59"),
            number("C3", 0, "2")
        ),
    ]
    .concat();
    let got = read(&book(true, false, &[0, 14], &rows), &[]);
    assert!(got.error.is_none() && got.rejects.is_empty(), "{:?} {:?}", got.error, got.rejects);
    assert_eq!(
        got.rows,
        [
            r#"{"日":"2026-01-02","at":"2026-01-02T03:04:05","n":1}"#,
            r#"{"日":"1899-12-31","at":"2026-02-28T23:59:59","n":2}"#
        ]
    );
}

#[test]
fn serials_count_from_1904_where_the_workbook_says_so() {
    let rows = [
        format!("<row r=\"1\">{}{}</row>", text("A1", "day"), text("B1", "own")),
        format!("<row r=\"2\">{}{}</row>", number("A2", 1, "0"), number("B2", 2, "42735.5")),
        format!("<row r=\"3\">{}{}</row>", number("A3", 1, "60"), number("B3", 2, "1")),
    ]
    .concat();
    // ISO/IEC 29500-1, 18.17.4.1: 0 is 1904-01-01, and there is no day that never was; 42,735 is 2021-01-01.
    let got = read(&book(false, true, &[0, 14, 164], &rows), &[]);
    assert!(got.rejects.is_empty(), "{:?}", got.rejects);
    assert_eq!(
        got.rows,
        [
            r#"{"day":"1904-01-01","own":"2021-01-01T12:00:00"}"#,
            r#"{"day":"1904-03-01","own":"1904-01-02T00:00:00"}"#
        ]
    );
}

#[test]
fn hidden_columns_rows_and_sheets_are_data_unless_told() {
    let mut workbook = Workbook::new();
    let first = workbook.add_worksheet().set_name("藏").unwrap();
    first.write_row(0, 0, ["secret"]).unwrap();
    first.set_hidden(true);
    let sheet = workbook.add_worksheet().set_name("人").unwrap();
    sheet.set_active(true);
    sheet.write_row(0, 0, ["a", "b", "c"]).unwrap();
    for row in 1..5_u32 {
        sheet.write_row(row, 0, [row * 10, row * 10 + 1, row * 10 + 2]).unwrap();
    }
    sheet.set_column_hidden(1).unwrap();
    sheet.set_row_hidden(2).unwrap();
    sheet.set_row_hidden(4).unwrap();
    let file = workbook.save_to_buffer().unwrap();
    let kept = read(&file, &[]);
    assert_eq!(kept.rows.len(), 4);
    assert_eq!(kept.rows[1], r#"{"a":20,"b":21,"c":22}"#);
    let skipped = read(&file, &["hidden=skip"]);
    assert_eq!(skipped.rows, [r#"{"a":10,"c":12}"#, r#"{"a":30,"c":32}"#]);
    // Hidden rows are counted: they were read and skipped.
    assert_eq!((skipped.read, skipped.numbers), (4, vec![1, 3]));
    let asked = read(&file, &["sheet=藏", "header=true"]);
    assert_eq!(asked.schema.unwrap().field(0).name(), "secret");
}

#[test]
fn a_header_of_three_rows_is_joined_by_its_merged_cells() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let style = Style::new();
    sheet.merge_range(0, 0, 2, 0, "编号", &style).unwrap();
    sheet.merge_range(0, 1, 0, 4, "缴费", &style).unwrap();
    sheet.merge_range(1, 1, 1, 2, "2025", &style).unwrap();
    sheet.merge_range(1, 3, 1, 4, "2026", &style).unwrap();
    sheet.write_row(2, 1, ["单位", "个人", "单位", "个人"]).unwrap();
    sheet.write_row(3, 0, [1, 2, 3, 4, 5]).unwrap();
    let file = workbook.save_to_buffer().unwrap();
    let got = read(&file, &["header=3"]);
    assert_eq!(
        got.rows,
        [
            r#"{"编号":1,"缴费.2025.单位":2,"缴费.2025.个人":3,"缴费.2026.单位":4,"缴费.2026.个人":5}"#
        ]
    );
}

/// A part of a zip archive, inflated by other code than the reader's.
fn part(file: &[u8], name: &str) -> Option<String> {
    let at = file.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02").map(|(at, _)| at);
    for at in at {
        let word =
            |n: usize| u32::from_le_bytes(file[at + n..at + n + 4].try_into().unwrap()) as usize;
        let half = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
        if &file[at + 46..at + 46 + half(at + 28)] != name.as_bytes() {
            continue;
        }
        let (size, local) = (word(20), word(42));
        let from = local + 30 + half(local + 26) + half(local + 28);
        let mut text = String::new();
        let body = &file[from..from + size];
        flate2::read::DeflateDecoder::new(body).read_to_string(&mut text).unwrap();
        return Some(text);
    }
    None
}

#[test]
fn code_tables_become_lists_to_choose_from() {
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(["男", "女"]));
    let other: ArrayRef = Arc::new(StringArray::from_iter_values(["x", "y"]));
    let batch = RecordBatch::try_from_iter([("性别", column), ("b", other)]).unwrap();
    let values = ["男", "女", "未说明"].map(str::to_owned).to_vec();
    // A list of more than 255 characters cannot stand in the validation itself.
    let long: Vec<String> = (0..100).map(|n| format!("第{n}项")).collect();
    let codes = BTreeMap::from([("性别".to_owned(), values), ("b".to_owned(), long.clone())]);
    let format = Excel::new(ExcelOptions { codes, ..Default::default() });
    let mut file = BytesMut::new();
    let options = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = format.encoder(options).unwrap();
    encoder.encode(&batch, &mut file).unwrap();
    encoder.finish(&mut file).unwrap();
    let sheet = part(&file, "xl/worksheets/sheet1.xml").unwrap();
    // 18.3.1.32 and 18.3.1.33 of ISO/IEC 29500-1: a validation by list for the cells below the header of each column.
    let rules: Vec<&str> = sheet.split("<dataValidation ").skip(1).collect();
    assert_eq!(rules.len(), 2, "{sheet}");
    assert!(rules.iter().all(|rule| rule.contains("type=\"list\"")), "{sheet}");
    assert!(rules[0].contains("sqref=\"A2:A1048576\""), "{sheet}");
    assert!(rules[0].contains("<formula1>\"男,女,未说明\"</formula1>"), "{sheet}");
    assert!(rules[1].contains("sqref=\"B2:B1048576\""), "{sheet}");
    assert!(rules[1].contains("codes'!$A$1:$A$100</formula1>"), "{sheet}");
    // The long list stands on a hidden sheet.
    let listed = read(&file, &["sheet=codes", "header=false", "types=text"]);
    let wanted: Vec<String> = long.iter().map(|v| format!("{{\"column_1\":\"{v}\"}}")).collect();
    assert_eq!(listed.rows, wanted);
    let workbook = part(&file, "xl/workbook.xml").unwrap();
    assert!(
        workbook.contains("name=\"codes\"") && workbook.contains("state=\"hidden\""),
        "{workbook}"
    );
    assert_eq!(read(&file, &[]).rows, [r#"{"性别":"男","b":"x"}"#, r#"{"性别":"女","b":"y"}"#]);
}

#[test]
fn a_password_is_a_clear_error() {
    // The streams that MS-OFFCRYPTO 1.3.3 puts into a compound file.
    let file = common::compound("EncryptedPackage", &[7; 5_000]);
    let error = read(&file, &[]).error.unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Unsupported, "excel.encrypted"));
    assert!(error.to_string().contains("remove the password"), "{error}");
}

#[test]
fn rejects_name_record_row_and_cell_and_the_rest_goes_on() {
    let rows = [
        format!("<row r=\"3\">{}{}</row>", text("B3", "n"), text("C3", "day")),
        format!("<row r=\"4\">{}{}</row>", number("B4", 0, "1"), number("C4", 1, "44197")),
        format!(
            "<row r=\"5\">{}{}</row>",
            number("B5", 0, "2"),
            "<c r=\"C5\" s=\"1\" t=\"e\"><v>#N/A</v></c>"
        ),
        // Day 60 of 1900 never was; an account number has lost its end.
        format!("<row r=\"7\">{}{}</row>", number("B7", 0, "3"), number("C7", 1, "60")),
        format!(
            "<row r=\"8\">{}{}</row>",
            number("B8", 0, "6222020200112233445"),
            number("C8", 1, "44198")
        ),
        format!(
            "<row r=\"9\">{}{}{}</row>",
            number("B9", 0, "5"),
            number("C9", 1, "44199"),
            text("F9", "x")
        ),
        format!("<row r=\"10\">{}</row>", number("B10", 0, "6")),
    ];
    let schema =
        "[[field]]\nname = \"n\"\ntype = \"int64\"\n[[field]]\nname = \"day\"\ntype = \"date\"\n";
    let file = book(false, false, &[0, 14], &rows.concat());
    let schema = fenhe_core::Attachment { name: "s.toml".into(), text: schema.into() };
    let options = ExcelOptions {
        schema: Some(schema),
        range: Some("B3:C99".into()),
        header: Some("true".into()),
        ..Default::default()
    };
    let decoder = Excel::new(options).decoder(Default::default()).unwrap();
    let object = Arc::new(Bytes::from(file));
    let got = decode(decoder, vec![Input::Object(object), Input::EndOfStream]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(
        got.rows,
        [r#"{"n":1,"day":"2021-01-01"}"#, r#"{"n":5,"day":"2021-01-03"}"#, r#"{"n":6,"day":null}"#]
    );
    assert_eq!((got.read, got.numbers), (6, vec![1, 5, 6]));
    // Places in the part are those of the rows' first bytes.
    let head = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>";
    let at = |n: usize| (head.len() + rows[..n].concat().len()) as u64;
    let wanted = [
        (2, 5, at(2), "excel.error_value", "表!C5"),
        (3, 7, at(3), "value.no_such_date", "表!C7"),
        (4, 8, at(4), "excel.digits_lost", "表!B8"),
    ];
    assert_eq!(got.rejects.len(), wanted.len());
    for (reject, (record, line, offset, code, cell)) in got.rejects.iter().zip(wanted) {
        let place = (reject.record, reject.line, reject.offset, reject.fault.code.as_ref());
        assert_eq!(place, (record, Some(line), offset, code));
        assert!(reject.fault.found.ends_with(&format!("in cell {cell}")), "{}", reject.fault);
    }
    let raw: serde_json::Value = serde_json::from_slice(&got.rejects[0].raw).unwrap();
    assert_eq!(raw, serde_json::json!({"n": "2", "day": "#N/A"}));
}
