//! The published suite over sheets that the writer made, and a second reader's word for them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, Time32MillisecondArray, TimestampMillisecondArray,
};
use bytes::{Bytes, BytesMut};
use calamine::{Data, DataType, Reader, Xlsx};
use fenhe_core::{EncodeOptions, Format, Input, Limits};
use fenhe_excel::{Excel, ExcelOptions, FormulaGuard};
use fenhe_testkit::format::{Case, conforms, decode};

fn batch(rows: i64) -> RecordBatch {
    let some = |i: i64| i % 5 != 2;
    let columns: [(&str, ArrayRef); 8] = [
        ("编号", Arc::new(Int64Array::from_iter_values(0..rows))),
        (
            "姓名",
            Arc::new(
                (0..rows).map(|i| some(i).then(|| format!("欧阳 <{i}>"))).collect::<StringArray>(),
            ),
        ),
        (
            "fee",
            Arc::new(
                (0..rows)
                    .map(|i| Some(i128::from(i) * 1_001 - 7))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(18, 2)
                    .unwrap(),
            ),
        ),
        ("rate", Arc::new(Float64Array::from_iter((0..rows).map(|i| Some(i as f64 / 7.0))))),
        (
            "day",
            Arc::new((0..rows).map(|i| some(i).then_some(i as i32 * 400)).collect::<Date32Array>()),
        ),
        (
            "at",
            Arc::new(TimestampMillisecondArray::from_iter_values(
                (0..rows).map(|i| 1_767_322_096_789 + i * 86_399_999),
            )),
        ),
        (
            "time",
            Arc::new(Time32MillisecondArray::from_iter_values(
                (0..rows).map(|i| 1_234 * i as i32 + 1),
            )),
        ),
        ("ok", Arc::new((0..rows).map(|i| Some(i % 3 == 0)).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
}

fn written(format: &Excel, batch: &RecordBatch) -> Bytes {
    let options = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = format.encoder(options).unwrap();
    let mut file = BytesMut::new();
    let half = batch.num_rows() / 2;
    for (from, n) in [(0, half), (half, batch.num_rows() - half)] {
        let refused = encoder.encode(&batch.slice(from, n), &mut file).unwrap();
        assert!(refused.is_empty(), "{refused:?}");
    }
    encoder.finish(&mut file).unwrap();
    file.freeze()
}

#[test]
fn a_sheet_conforms_and_reads_as_it_was_written() {
    let format = Excel::default();
    let batch = batch(23);
    let file = written(&format, &batch);
    let got = decode(
        format.decoder(Default::default()).unwrap(),
        vec![Input::Object(Arc::new(file.clone())), Input::EndOfStream],
    );
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(got.schema.unwrap().fields(), batch.schema().fields());
    assert_eq!(got.rows, fenhe_testkit::rows([&batch]));
    let format: Arc<dyn Format> = Arc::new(format);
    let cases = [Case::new("written", Arc::clone(&format), file)];
    let fatal = [
        Case::new("no file at all", Arc::clone(&format), &b""[..]),
        Case::new("text", Arc::clone(&format), &b"id,name\n1,a\n"[..]),
    ];
    conforms(&cases, &[], &fatal);
}

#[test]
fn another_reader_finds_the_values_that_were_written() {
    let batch = batch(12);
    let file = written(&Excel::default(), &batch);
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(file)).unwrap();
    let range = book.worksheet_range("Sheet1").unwrap();
    assert_eq!(range.get_size(), (13, 8));
    let row: Vec<&Data> = range.rows().nth(4).unwrap().iter().collect();
    assert_eq!(row[0].as_i64(), Some(3));
    assert_eq!(row[1].as_string().as_deref(), Some("欧阳 <3>"));
    assert_eq!(row[2].as_f64(), Some(29.96));
    assert_eq!(row[7], &Data::Bool(true));
    // 1,200 days after 1970-01-01 is 1973-04-15, serial 26,769.
    assert!(matches!(row[4], Data::DateTime(day) if day.as_f64() == 26_769.0));
}

#[test]
fn texts_that_start_like_formulas_are_guarded_unless_told() {
    let texts = ["=1+1", "+86", "-", "@a", "\ttab", "＝1", "plain"];
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
    for (guard, refused, first) in [
        (FormulaGuard::Escape, 0, "'=1+1"),
        (FormulaGuard::Reject, 6, "plain"),
        (FormulaGuard::Off, 0, "=1+1"),
    ] {
        let format = Excel::new(ExcelOptions { formula_guard: guard, ..Default::default() });
        let options = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
        let mut encoder = format.encoder(options).unwrap();
        let mut out = BytesMut::new();
        assert_eq!(encoder.encode(&batch, &mut out).unwrap().len(), refused);
        encoder.finish(&mut out).unwrap();
        let mut book: Xlsx<_> =
            calamine::open_workbook_from_rs(std::io::Cursor::new(out.freeze())).unwrap();
        let range = book.worksheet_range("Sheet1").unwrap();
        assert_eq!(range.get_value((1, 0)), Some(&Data::String(first.into())));
        assert!(book.worksheet_formula("Sheet1").unwrap().is_empty());
    }
}
