//! Binary workbooks, written by a small writer of the tests' own after MS-XLSB; calamine reads them beside us.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use calamine::{Data, Reader, Xlsb};
use common::xlsb::{
    Sheet, archive, cell, parts, record, rk, row, sheet, strings_part, styles_part, wide, words,
};
use fenhe_core::{DecodeOptions, Format, Input, Limits, Options};
use fenhe_excel::Excel;
use fenhe_testkit::format::{Case, Decoded, conforms, decode};

const GENERAL: u32 = 0;
const DAY: u32 = 1;
const MONEY: u32 = 2;
const TIME: u32 = 3;
const OWN_MOMENT: u32 = 4;
const PERCENT: u32 = 5;

fn styles() -> Vec<u8> {
    styles_part(
        &[(164, "yyyy\"年\"m\"月\"d\"日\" hh:mm:ss"), (165, "0.00")],
        &[0, 14, 165, 21, 164, 10],
    )
}

fn book(sheets: &[Sheet], strings: &[&str], of_1904: bool) -> Vec<u8> {
    archive(&parts(sheets, strings_part(strings), styles(), of_1904, &[]))
}

fn read(file: &[u8], options: &[&str]) -> Decoded {
    read_with(file, options, Limits::default())
}

fn read_with(file: &[u8], options: &[&str], limits: Limits) -> Decoded {
    let options = Options::from_pairs(options.iter().copied()).unwrap();
    let open = DecodeOptions { limits, ..Default::default() };
    let decoder = Excel::from_options(&options).unwrap().decoder(open).unwrap();
    let object = Arc::new(Bytes::copy_from_slice(file));
    decode(decoder, vec![Input::Object(object), Input::EndOfStream])
}

fn shared(column: u32, number: u32) -> Vec<u8> {
    cell(7, column, GENERAL, &number.to_le_bytes())
}

fn real(column: u32, style: u32, number: f64) -> Vec<u8> {
    cell(5, column, style, &number.to_le_bytes())
}

/// A cell of each kind of record; `wanted` is what the sheet says, by hand.
fn every_kind() -> (Vec<u8>, Vec<&'static str>, Vec<&'static str>) {
    let strings = vec!["编号", "姓名", "fee", "day", "at", "time", "ok", "rate", "欧阳𠮷", ""];
    let head = (0..8).flat_map(|n| shared(n, n)).collect::<Vec<u8>>();
    let rich = [&[1][..], &wide("李四"), &words(&[1, 0])].concat();
    let formula = |value: &[u8]| [value, &[0, 0], &words(&[0, 0])].concat();
    let rows = [
        row(0, false),
        head,
        row(1, false),
        cell(2, 0, GENERAL, &rk(1, false)),
        shared(1, 8),
        cell(2, 2, MONEY, &rk(-1250, true)),
        cell(2, 3, DAY, &rk(44_197, false)),
        real(4, OWN_MOMENT, 44_197.5),
        real(5, TIME, 0.25),
        cell(4, 6, GENERAL, &[1]),
        real(7, PERCENT, 0.1875),
        row(2, false),
        cell(2, 0, GENERAL, &rk(-536_870_912, false)),
        cell(6, 1, GENERAL, &wide("_x0041_ 张")),
        real(2, MONEY, 0.1),
        cell(1, 3, DAY, &[]),
        cell(9, 4, OWN_MOMENT, &formula(&44_198.0_f64.to_le_bytes())),
        cell(10, 6, GENERAL, &formula(&[0])),
        // A record that no version knows yet stands among the cells.
        record(4000, &[1, 2, 3]),
        real(7, PERCENT, -1.0),
        row(9, false),
        cell(5, 0, GENERAL, &3.0_f64.to_le_bytes()),
        cell(62, 1, GENERAL, &rich),
        cell(2, 2, MONEY, &(1.5_f64.to_bits() >> 32).to_le_bytes()[..4]),
        shared(5, 9),
        row(10, false),
        cell(8, 1, GENERAL, &formula(&wide("公式"))),
    ]
    .concat();
    let wanted = vec![
        r#"{"编号":1,"姓名":"欧阳𠮷","fee":-12.50,"day":"2021-01-01","at":"2021-01-01T12:00:00","time":"06:00:00","ok":true,"rate":0.1875}"#,
        r#"{"编号":-536870912,"姓名":"_x0041_ 张","fee":0.10,"day":null,"at":"2021-01-02T00:00:00","time":null,"ok":false,"rate":-1.0000}"#,
        r#"{"编号":3,"姓名":"李四","fee":1.50,"day":null,"at":null,"time":null,"ok":null,"rate":null}"#,
        r#"{"编号":null,"姓名":"公式","fee":null,"day":null,"at":null,"time":null,"ok":null,"rate":null}"#,
    ];
    (rows, strings, wanted)
}

#[test]
fn every_kind_of_cell_is_read_as_the_specification_says() {
    let (rows, strings, wanted) = every_kind();
    let file = book(&[sheet("表", rows)], &strings, false);
    let got = read(&file, &[]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert!(got.rejects.is_empty(), "{:?}", got.rejects);
    assert_eq!(got.rows, wanted);
    let types: Vec<String> =
        got.schema.unwrap().fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(
        types,
        [
            "Int64",
            "Utf8",
            "Decimal128(18, 2)",
            "Date32",
            "Timestamp(ms)",
            "Time32(ms)",
            "Boolean",
            "Decimal128(18, 4)"
        ]
    );
    let format: Arc<dyn Format> = Arc::new(Excel::default());
    conforms(&[Case::new("binary", format, file)], &[], &[]);
}

#[test]
fn another_reader_finds_the_same_cells() {
    let (rows, strings, _) = every_kind();
    let file = book(&[sheet("表", rows)], &strings, false);
    let mut peer: Xlsb<_> = calamine::open_workbook_from_rs(Cursor::new(file.clone())).unwrap();
    let range = peer.worksheet_range("表").unwrap();
    let got = read(&file, &["header=false", "types=text"]);
    assert_eq!(got.rows.len(), 5);
    let mut compared = 0;
    for (line, sheet_row) in got.rows.iter().zip([0, 1, 2, 9, 10]) {
        let ours: serde_json::Value = serde_json::from_str(line).unwrap();
        for column in 0..8 {
            let found = ours[format!("column_{}", column + 1)].as_str().unwrap_or_default();
            let theirs = match range.get_value((sheet_row, column)).unwrap() {
                Data::Empty => String::new(),
                Data::String(text) => text.clone(),
                Data::Bool(truth) => truth.to_string().to_uppercase(),
                Data::Int(number) => number.to_string(),
                Data::Float(number) => number.to_string(),
                // Days and times are compared by hand above; here, that both call them so.
                Data::DateTime(_) => {
                    assert!(found.contains('-') || found.contains(':'), "{found}");
                    found.to_owned()
                }
                other => panic!("{other:?}"),
            };
            if (sheet_row, column) == (9, 1) {
                // A cell with its own rich text (BrtCellRString) is none to calamine.
                assert_eq!((found, theirs.as_str()), ("李四", ""));
                continue;
            }
            assert_eq!(found, theirs, "row {sheet_row}, column {column}");
            compared += usize::from(!theirs.is_empty());
        }
    }
    assert_eq!(compared, 25);
}

#[test]
fn cells_without_a_column_follow_the_last_one() {
    let short = |number: u16, rest: &[u8]| record(number, &[&words(&[0])[..], rest].concat());
    let rows = [
        row(0, false),
        cell(6, 2, 0, &wide("a")),
        short(17, &wide("b")),
        short(18, &0_u32.to_le_bytes()),
        short(12, &[]),
        short(13, &rk(7, false)),
        short(15, &[1]),
        short(16, &2.5_f64.to_le_bytes()),
        short(14, &[0x2A]),
    ]
    .concat();
    let got = read(&book(&[sheet("S", rows)], &["c"], false), &["header=false", "types=text"]);
    assert_eq!(
        got.rows,
        [
            r##"{"column_1":"a","column_2":"b","column_3":"c","column_4":null,"column_5":"7","column_6":"TRUE","column_7":"2.5","column_8":"#N/A"}"##
        ]
    );
}

#[test]
fn days_of_1904_hidden_sheets_merged_cells_and_tables_are_known() {
    let rows = [
        row(2, false),
        cell(6, 1, 0, &wide("日")),
        cell(6, 2, 0, &wide("n")),
        row(3, false),
        cell(2, 1, DAY, &rk(42_735, false)),
        cell(2, 2, 0, &rk(1, false)),
        row(4, true),
        cell(2, 2, 0, &rk(2, false)),
        row(5, false),
        cell(2, 1, DAY, &rk(0, false)),
        cell(2, 2, 0, &rk(3, false)),
        row(6, false),
        cell(2, 2, 0, &rk(6, false)),
    ]
    .concat();
    let first = Sheet {
        // BrtMergeCell: B4:B5.
        after: [record(177, &words(&[1])), record(176, &words(&[3, 4, 1, 1])), record(178, &[])]
            .concat(),
        ..sheet("数据", rows)
    };
    let other = Sheet { state: 2, ..sheet("秘", Vec::new()) };
    // BrtBeginList: B3:C7, one header row and one totals row.
    let table = [
        words(&[2, 6, 1, 2, 0, 1, 1, 1]),
        words(&[0; 8]),
        wide("Fees"),
        wide("Fees"),
        words(&[u32::MAX; 5]),
    ]
    .concat();
    let table = record(343, &table);
    let all = parts(&[first, other], strings_part(&[]), styles(), true, &[table]);
    let file = archive(&all);
    let got = read(&file, &["table=fees"]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(
        got.rows,
        [r#"{"日":"2021-01-01","n":1}"#, r#"{"日":null,"n":2}"#, r#"{"日":"1904-01-01","n":3}"#]
    );
    let filled = read(&file, &["table=Fees", "merged=fill"]);
    assert_eq!(filled.rows[1], r#"{"日":"2021-01-01","n":2}"#);
    let shown = read(&file, &["table=Fees", "hidden=skip"]);
    assert_eq!((shown.rows.len(), shown.read), (2, 3));
    let sample =
        fenhe_core::Sample { bytes: Bytes::from(file), complete: true, ..Default::default() };
    let evidence = Excel::default().infer(&sample).unwrap();
    let names: Vec<&str> = evidence.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["数据", "秘"]);
    assert!(evidence.reasons[0].contains("xlsb"), "{:?}", evidence.reasons);
    assert!(evidence.reasons[0].contains("1 of them hidden"), "{:?}", evidence.reasons);
}

#[test]
fn half_a_character_rejects_its_row_and_no_other() {
    let half = [1, 0, 0, 0, 0x00, 0xD8];
    let rows = [
        row(0, false),
        cell(6, 0, 0, &wide("a")),
        row(1, false),
        cell(6, 0, 0, &half),
        row(2, false),
        cell(7, 0, 0, &[0; 4]),
        row(3, false),
        cell(7, 0, 0, &[1, 0, 0, 0]),
    ]
    .concat();
    let mut strings = record(159, &words(&[2, 2]));
    strings.extend(record(19, &[&[0][..], &half].concat()));
    strings.extend(record(19, &[&[0][..], &wide("好")].concat()));
    let file = archive(&parts(&[sheet("S", rows)], strings, styles(), false, &[]));
    let got = read(&file, &["header=false"]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(got.rows, [r#"{"column_1":"a"}"#, r#"{"column_1":"好"}"#]);
    let lines: Vec<_> = got.rejects.iter().map(|r| (r.line, r.fault.code.as_ref())).collect();
    assert_eq!(lines, [(Some(2), "excel.no_string"), (Some(3), "excel.no_string")]);
}
