//! What the room promises beyond the suites, table by table.
// Helpers of tests panic like the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::{Bytes, BytesMut};
use common::table::{Table, dbase3, fpt, vfp};
use common::{decode, decode_with, format};
use fenhe_core::{
    Companion, DecodeOptions, EncodeOptions, Encoder, Format, Input, Kind, Limits, Output, Sample,
};
use fenhe_dbf::{DbfOptions, TablePatch};

fn companion(extension: &str, bytes: Vec<u8>) -> Companion {
    Companion { extension: extension.into(), data: Arc::new(Bytes::from(bytes)) }
}

fn read(table: &Table, words: &[&str]) -> common::Decoded {
    let companions = table.memo.iter().map(|(e, m)| companion(e, m.clone())).collect();
    decode(table.bytes().into(), companions, words)
}

/// What is said last of a table read to its end.
fn last_note(table: &Table, words: &[&str]) -> String {
    let mut decoder = format(words).decoder(DecodeOptions::default()).unwrap();
    let mut inputs = vec![Input::EndOfStream, Input::Bytes(table.bytes().into())];
    loop {
        match decoder.next().unwrap() {
            Output::NeedInput => decoder.feed(inputs.pop().unwrap()).unwrap(),
            Output::Batch(_) => {}
            Output::Done => return decoder.notes().pop().unwrap(),
        }
    }
}

fn people() -> Table {
    dbase3(&[("NAME", b'C', 8, 0), ("AGE", b'N', 3, 0)])
        .row(b' ', b"\xD5\xC5\xC8\xFD     41")
        .row(b'*', b"gone      0")
        .row(b' ', b"\xC0\xEE\xCB\xC4      7")
}

#[test]
fn deleted_rows_are_counted_and_shown_on_request() {
    let left = read(&people(), &[]);
    assert_eq!(left.rows.len(), 2);
    assert_eq!(left.numbers, [1, 3]);
    let shown = read(&people(), &["deleted=true"]);
    let marks: Vec<_> = shown.rows.iter().map(|r| r["_deleted"].as_bool().unwrap()).collect();
    assert_eq!(marks, [false, true, false]);
}

#[test]
fn types_of_visual_foxpro_are_read_with_their_null_flags() {
    let got = read(&vfp(), &["encoding=gbk"]);
    assert!(got.rejects.is_empty() && got.error.is_none());
    let [first, second, third] = &got.rows[..] else { panic!("three rows") };
    assert_eq!(first["NAME"], "中国");
    assert_eq!(first["CODE"], "ab");
    assert_eq!(first["BIN"], "01020304");
    assert_eq!(first["FEE"], 1.0);
    assert_eq!(first["SEEN"], "2026-01-02T00:00:00");
    assert_eq!(first["NOTE"], "备注");
    assert!(second["NAME"].is_null() && second["CODE"].is_null() && second["NOTE"].is_null());
    assert_eq!(second["BIN"], "09");
    assert_eq!((&third["CODE"], &third["BIN"]), (&"abcde".into(), &"".into()));
    assert!(got.schema.unwrap().field_with_name("_NullFlags").is_err());
}

#[test]
fn the_code_page_follows_the_order_of_trust() {
    let mut table = dbase3(&[("C", b'C', 4, 0)]).row(b' ', b"\xD6\xD0\xB9\xFA");
    let value = |table: &Table, words: &[&str], cpg: Option<&str>| {
        let companions = cpg.map(|c| companion("cpg", c.into())).into_iter().collect();
        decode(table.bytes().into(), companions, words).rows[0]["C"].as_str().unwrap().to_owned()
    };
    assert_eq!(value(&table, &[], None), "中国");
    assert_eq!(value(&table, &[], Some("866")), "╓╨╣·");
    assert_eq!(value(&table, &["encoding=windows-1252"], Some("866")), "ÖÐ¹ú");
    table.language = 0x03;
    assert_eq!(value(&table, &[], None), "ÖÐ¹ú");
    // Nothing is said: the content decides.
    table.language = 0x00;
    assert_eq!(value(&table, &[], None), "中国");
}

#[test]
fn what_is_inferred_says_why_and_warns() {
    let mut table = dbase3(&[("C", b'C', 24, 0)])
        .row(b' ', b"\xB1\xB1\xBE\xA9\xCA\xD0\xB3\xAF\xD1\xF4\xC7\xF8            ");
    let infer = |table: &Table| {
        let bytes = Bytes::from(table.bytes());
        let size = Some(bytes.len() as u64);
        let sample =
            Sample { bytes, complete: true, size, name: "RK.DBF".into(), ..Sample::default() };
        format(&[]).infer(&sample).unwrap()
    };
    table.language = 0x00;
    let found = infer(&table);
    assert_eq!(found.options.get("encoding").unwrap(), "CP936");
    assert!(
        found.reasons.iter().any(|r| r.contains("1 records by the header, 1 by the size")),
        "{:?}",
        found.reasons
    );
    table.language = 0x03;
    let warned = infer(&table);
    assert!(warned.options.is_empty());
    assert!(warned.reasons.iter().any(|r| r.contains("try encoding=gbk")), "{:?}", warned.reasons);
}

#[test]
fn unreadable_values_are_refused_replaced_or_left_out() {
    let table = dbase3(&[("C", b'C', 5, 0), ("N", b'N', 3, 0), ("L", b'L', 1, 0)])
        .row(b' ', b"\xD6\xD0\xB9\xFA\xC8  1T")
        .row(b' ', b"fine  x2T")
        .row(b' ', b"fine   2X");
    let refused = read(&table, &[]);
    let codes: Vec<_> = refused
        .rejects
        .iter()
        .map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            (1, "value.bad_characters", "C"),
            (2, "value.not_a_number", "N"),
            (3, "value.not_a_boolean", "L")
        ]
    );
    for reject in &refused.rejects {
        assert!(!reject.to_string().contains("fine"), "no payload in {reject}");
        assert_eq!(reject.raw.len(), 10);
    }
    let replaced = read(&table, &["invalid=replace"]);
    assert_eq!(replaced.rows[0]["C"], "中国\u{FFFD}");
    assert!(replaced.rows[1]["N"].is_null() && replaced.rows[2]["L"].is_null());
    let nulls = read(&table, &["invalid=null"]);
    assert!(nulls.rows[0]["C"].is_null() && nulls.rejects.is_empty());
    // Values, however many characters of each were replaced.
    let told = "3 values could not be read and were replaced or left out";
    for words in ["invalid=replace", "invalid=null"] {
        assert_eq!(last_note(&table, &[words]), told, "{words}");
    }
    let twice = dbase3(&[("C", b'C', 5, 0)]).row(b' ', b"a\xFFb\xFFc");
    let told = last_note(&twice, &["invalid=replace", "encoding=gbk"]);
    assert_eq!(told, "1 values could not be read and were replaced or left out");
}

#[test]
fn one_broken_record_in_a_hundred_costs_one_record_in_a_hundred() {
    let mut table = dbase3(&[("N", b'N', 6, 0), ("C", b'C', 4, 0)]);
    for n in 0..5000 {
        let value = if n % 100 == 50 { "  oops".to_owned() } else { format!("{n:6}") };
        table = table.row(b' ', format!("{value}abcd").as_bytes());
    }
    let got = read(&table, &[]);
    assert_eq!((got.rows.len(), got.rejects.len()), (4950, 50));
    let numbers: Vec<_> = got.rejects.iter().map(|r| r.record).collect();
    assert_eq!(numbers, (0..50).map(|n| n * 100 + 51).collect::<Vec<u64>>());
    for (row, number) in got.rows.iter().zip(&got.numbers) {
        assert_eq!(row["N"].as_u64().unwrap(), number - 1);
    }
}

#[test]
fn counts_that_lie_are_told_with_both_numbers() {
    let mut table = people();
    table.count = Some(5);
    let fewer = read(&table, &["deleted=true"]);
    assert_eq!(fewer.rows.len(), 3);
    let error = fewer.error.unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Truncated, "dbf.count"));
    assert!(error.message().contains("counts 5 records, the file holds 3"), "{error}");
    assert_eq!(read(&table, &["trust=header"]).error.unwrap().code(), "dbf.count");
    let all = read(&table, &["trust=file_size", "deleted=true"]);
    assert!(all.error.is_none());
    assert_eq!(all.rows.len(), 3);

    table.count = Some(1);
    let more = read(&table, &[]);
    assert_eq!(more.rows.len(), 1);
    assert!(more.error.unwrap().message().contains("counts 1 records, the file holds 3"));
    assert_eq!(read(&table, &["trust=header"]).rows.len(), 1);
    assert_eq!(read(&table, &["trust=file_size", "deleted=true"]).rows.len(), 3);
}

#[test]
fn a_record_that_the_file_ends_in_is_a_reject() {
    let bytes = people().bytes();
    let cut = Bytes::from(bytes).slice(..people().header().len() + 12 * 2 + 5);
    let got = decode(cut.clone(), vec![], &["trust=file_size"]);
    assert_eq!(got.rejects.len(), 1);
    assert_eq!(
        (got.rejects[0].record, got.rejects[0].fault.code.as_ref()),
        (3, "dbf.truncated_record")
    );
    assert_eq!(decode(cut, vec![], &[]).error.unwrap().code(), "dbf.count");
}

#[test]
fn bytes_behind_the_end_mark_are_no_records() {
    let table = people().end(b"\x1aold bytes of a sector, more than one record of them");
    let got = read(&table, &["deleted=true"]);
    assert!(got.error.is_none());
    assert_eq!(got.rows.len(), 3);
}

#[test]
fn a_missing_memo_file_matters_only_to_memo_columns() {
    let mut table =
        dbase3(&[("ID", b'N', 4, 0), ("NOTE", b'M', 10, 0)]).row(b' ', b"   1         8");
    let error = read(&table, &[]).error.unwrap();
    assert_eq!(
        (error.kind(), error.code(), error.field()),
        (Kind::NotFound, "dbf.memo_missing", Some("NOTE"))
    );
    assert!(read(&table, &["missing_memo=null"]).rows[0]["NOTE"].is_null());
    let bytes = Bytes::from(table.bytes());
    let options = DecodeOptions { columns: Some(vec!["ID".into()]), ..DecodeOptions::default() };
    assert_eq!(decode_with(bytes, options, &[]).rows[0]["ID"], 1);
    table.memo = Some(("fpt".into(), fpt(64, &["note".into()])));
    assert_eq!(read(&table, &[]).rows[0]["NOTE"], "note");
}

#[test]
fn memos_that_point_nowhere_are_rejects() {
    let mut table = dbase3(&[("NOTE", b'M', 10, 0)])
        .row(b' ', b"         8")
        .row(b' ', b"      9999")
        .row(b' ', b"         1")
        .row(b' ', b"      oops")
        .row(b' ', b"         9");
    let mut memo = fpt(64, &["note".into()]);
    memo.extend(1u32.to_be_bytes());
    memo.extend(u32::MAX.to_be_bytes());
    table.memo = Some(("fpt".into(), memo));
    let got = read(&table, &[]);
    assert_eq!(got.rows.len(), 1);
    let codes: Vec<_> = got.rejects.iter().map(|r| r.fault.code.as_ref()).collect();
    assert_eq!(
        codes,
        ["dbf.memo_outside", "dbf.memo_outside", "dbf.memo_pointer", "dbf.memo_length"]
    );
}

fn encode(
    schema: Schema,
    columns: Vec<ArrayRef>,
    words: &[&str],
) -> (Vec<u8>, Option<Vec<u8>>, usize) {
    let schema = Arc::new(schema);
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    let mut encoder =
        format(words).encoder(EncodeOptions { schema, limits: Limits::default() }).unwrap();
    let mut out = BytesMut::new();
    let refused = encoder.encode(&batch, &mut out).unwrap().len();
    let (main, memo) = finish(encoder, out);
    (main, memo, refused)
}

fn finish(mut encoder: Box<dyn Encoder>, mut out: BytesMut) -> (Vec<u8>, Option<Vec<u8>>) {
    let patches = encoder.finish(&mut out).unwrap();
    let mut main = out.to_vec();
    let memo: Vec<u8> = encoder.companions().iter().flat_map(|c| c.bytes.to_vec()).collect();
    let mut memo = (!memo.is_empty()).then_some(memo);
    for patch in patches {
        let at = usize::try_from(patch.offset).unwrap();
        let file = if patch.companion.is_some() { memo.as_mut().unwrap() } else { &mut main };
        file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    (main, memo)
}

#[test]
fn a_fresh_table_has_the_bytes_that_other_programs_expect() {
    let schema = Schema::new(vec![
        Field::new("姓名", DataType::Utf8, true),
        Field::new("fee", DataType::Decimal128(7, 2), true),
        Field::new("born", DataType::Date32, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![Some("张三"), None])),
        Arc::new(
            Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(7, 2).unwrap(),
        ),
        Arc::new(Date32Array::from(vec![Some(20_455), None])),
    ];
    let (bytes, memo, refused) =
        encode(schema, columns, &["encoding=gbk", "width=6", "date=2026-07-29", "version=dbase3"]);
    assert_eq!((refused, memo), (0, None));
    let mut expected = vec![0x03, 126, 7, 29, 2, 0, 0, 0, 129, 0, 24, 0];
    expected.resize(32, 0);
    expected[29] = 0x4D;
    for (name, kind, length, decimals) in
        [(&b"\xD0\xD5\xC3\xFB"[..], b'C', 6, 0), (b"fee", b'N', 9, 2), (b"born", b'D', 8, 0)]
    {
        let at = expected.len();
        expected.extend(name);
        expected.resize(at + 11, 0);
        expected.extend([kind, 0, 0, 0, 0, length, decimals]);
        expected.resize(at + 32, 0);
    }
    expected.push(0x0D);
    expected.extend(b" \xD5\xC5\xC8\xFD      12.5020260102");
    expected.extend(b"                        \x1a");
    assert_eq!(bytes, expected);
}

#[test]
fn long_text_becomes_a_memo_in_every_dialect_that_has_them() {
    for version in ["dbase3", "dbase4", "foxpro2", "visualfoxpro"] {
        let schema = Schema::new(vec![Field::new("NOTE", DataType::Utf8, true)]);
        let text = "长".repeat(400);
        let column: ArrayRef =
            Arc::new(StringArray::from(vec![Some(text.as_str()), None, Some("短")]));
        let words = [&format!("version={version}"), "encoding=gbk", "width=1000"];
        let (bytes, memo, refused) = encode(schema, vec![column], &words);
        assert_eq!(refused, 0);
        let extension = if version.starts_with("dbase") { "dbt" } else { "fpt" };
        let got = decode(bytes.into(), vec![companion(extension, memo.unwrap())], &[]);
        assert!(got.error.is_none(), "{version}: {:?}", got.error);
        assert_eq!(got.rows[0]["NOTE"], text, "{version}");
        assert!(got.rows[1]["NOTE"].is_null(), "{version}");
        assert_eq!(got.rows[2]["NOTE"], "短", "{version}");
    }
}

#[test]
fn rows_that_do_not_fit_are_refused_and_the_others_written() {
    let schema = Schema::new(vec![
        Field::new("C", DataType::Utf8, true),
        Field::new("N", DataType::Int64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["中国", "中国人", "😀", "ok"])),
        Arc::new(Int64Array::from(vec![1, 2, 3, i64::MIN])),
    ];
    let (bytes, _, refused) = encode(schema, columns, &["width=4"]);
    assert_eq!(refused, 2);
    let got = decode(bytes.into(), vec![], &[]);
    let names: Vec<_> = got.rows.iter().map(|r| r["C"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["中国", "ok"]);
    assert_eq!(got.rows[1]["N"].to_string(), i64::MIN.to_string());
}

#[test]
fn columns_that_no_table_can_hold_are_refused_at_once() {
    let refuse = |fields: Vec<Field>, words: &[&str]| {
        let schema = Arc::new(Schema::new(fields));
        format(words).encoder(EncodeOptions { schema, limits: Limits::default() }).err().unwrap()
    };
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    assert_eq!(refuse(vec![text("A")], &[]).code(), "dbf.width");
    assert_eq!(
        refuse(vec![text("long_name_1"), text("long_name_2")], &["width=9"]).code(),
        "dbf.field_name"
    );
    assert_eq!(refuse(vec![text("😀")], &["width=9"]).code(), "dbf.field_name");
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int32, true)));
    assert_eq!(refuse(vec![Field::new("L", list, true)], &[]).code(), "dbf.type");
    let many = (0..300).map(|n| text(&format!("C{n}"))).collect();
    assert_eq!(refuse(many, &["width=9"]).code(), "dbf.fields");
}

#[test]
fn one_field_is_patched_and_every_other_byte_stays() {
    let before = people().bytes();
    let table = TablePatch::new(&before, &DbfOptions::default()).unwrap();
    let range = table.record(3).unwrap();
    let patches =
        table.field(&before[range], 3, "NAME", Arc::new(StringArray::from(vec!["李五"]))).unwrap();
    let mut after = before.clone();
    for patch in patches {
        let at = usize::try_from(patch.offset).unwrap();
        after[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let changed: Vec<_> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    let start = people().header().len() + 2 * 12 + 1;
    assert_eq!(changed, [start + 2, start + 3]);
    assert_eq!(decode(after.into(), vec![], &[]).rows[1]["NAME"], "李五");
    let too_long: ArrayRef = Arc::new(StringArray::from(vec!["欧阳李五六"]));
    let error = table.field(&before[table.record(1).unwrap()], 1, "NAME", too_long).unwrap_err();
    assert_eq!(error.code(), "dbf.patch");
    assert!(table.record(4).is_none() && table.record(0).is_none());
}

#[test]
fn a_null_is_patched_into_the_null_flags() {
    let before = vfp().bytes();
    let table = TablePatch::new(&before, &DbfOptions::default()).unwrap();
    let record = &before[table.record(3).unwrap()];
    let null: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let patches = table.field(record, 3, "NAME", null).unwrap();
    let mut after = before.clone();
    for patch in patches {
        let at = usize::try_from(patch.offset).unwrap();
        after[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let memo = vfp().memo.unwrap().1;
    let got = decode(after.into(), vec![companion("fpt", memo)], &[]);
    assert!(got.rows[2]["NAME"].is_null());
    assert_eq!(got.rows[2]["CODE"], "abcde");
}

#[test]
fn records_are_appended_over_the_end_mark_unless_an_index_forbids_it() {
    let mut table = people();
    let before = table.bytes();
    let schema = read(&table, &[]).schema.unwrap();
    let patch = TablePatch::new(&before, &DbfOptions::default()).unwrap();
    let (offset, mut encoder) = patch.append(schema.clone(), before.len() as u64, false).unwrap();
    let columns: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from(vec!["王五"])), Arc::new(Int64Array::from(vec![9]))];
    let mut out = BytesMut::new();
    assert!(
        encoder
            .encode(&RecordBatch::try_new(schema.clone(), columns).unwrap(), &mut out)
            .unwrap()
            .is_empty()
    );
    let patches = encoder.finish(&mut out).unwrap();
    let mut after = before[..usize::try_from(offset).unwrap()].to_vec();
    after.extend(&out);
    for patch in patches {
        let at = usize::try_from(patch.offset).unwrap();
        after[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let got = decode(after.into(), vec![], &["deleted=true"]);
    assert!(got.error.is_none());
    assert_eq!(got.rows.len(), 4);
    assert_eq!(got.rows[3]["NAME"], "王五");
    table.flags = 0x01;
    let indexed = TablePatch::new(&table.bytes(), &DbfOptions::default()).unwrap();
    let error = indexed.append(schema.clone(), before.len() as u64, false).err().unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "dbf.index"));
    assert!(indexed.append(schema, before.len() as u64, true).is_ok());
}

#[test]
fn columns_left_out_or_turned_round_give_a_fresh_header_with_their_fields() {
    let table = people();
    let options = DecodeOptions {
        columns: Some(vec!["AGE".into(), "NAME".into()]),
        ..DecodeOptions::default()
    };
    let got = decode_with(table.bytes().into(), options, &[]);
    let schema = got.schema.unwrap();
    let mut encoder =
        format(&[]).encoder(EncodeOptions { schema, limits: Limits::default() }).unwrap();
    let mut out = BytesMut::new();
    for batch in &got.batches {
        assert!(encoder.encode(batch, &mut out).unwrap().is_empty());
    }
    let (bytes, _) = finish(encoder, out);
    let again = decode(bytes.into(), vec![], &[]);
    let fields: Vec<_> = again
        .schema
        .unwrap()
        .fields()
        .iter()
        .map(|f| f.metadata()["fenhe.native_type"].clone())
        .collect();
    assert_eq!(fields, ["N(3,0)", "C(8)"]);
    assert_eq!(again.rows, got.rows);
}

#[test]
fn repeated_names_are_told_apart() {
    let table = dbase3(&[("ID", b'N', 3, 0), ("ID", b'N', 3, 0)]).row(b' ', b"  1  2");
    let got = read(&table, &[]);
    assert_eq!((&got.rows[0]["ID"], &got.rows[0]["ID_2"]), (&1.into(), &2.into()));
}

#[test]
fn every_dialect_reads_what_it_writes() {
    let schema = Schema::new(vec![
        Field::new("XM", DataType::Utf8, true),
        Field::new("ID", DataType::Int32, true),
        Field::new("FEE", DataType::Decimal128(9, 2), true),
        Field::new("OK", DataType::Boolean, true),
        Field::new("AT", DataType::Timestamp(arrow_schema::TimeUnit::Second, None), true),
        Field::new("RATE", DataType::Float64, true),
    ]);
    let columns = || -> Vec<ArrayRef> {
        vec![
            Arc::new(StringArray::from(vec!["张三", "李四"])),
            Arc::new(arrow_array::Int32Array::from(vec![i32::MIN, 7])),
            Arc::new(
                Decimal128Array::from(vec![-1, 99_999]).with_precision_and_scale(9, 2).unwrap(),
            ),
            Arc::new(arrow_array::BooleanArray::from(vec![Some(true), None])),
            Arc::new(arrow_array::TimestampSecondArray::from(vec![1_767_323_045, 0])),
            Arc::new(arrow_array::Float64Array::from(vec![-0.5, 12.25])),
        ]
    };
    for version in ["dbase2", "dbase3", "dbase4", "dbase5", "dbase7", "foxpro2", "visualfoxpro"] {
        let words = [&format!("version={version}"), "encoding=gbk", "width=8"];
        let (bytes, memo, refused) = encode(schema.clone(), columns(), &words);
        assert_eq!((refused, memo), (0, None), "{version}");
        // dBASE II has no language byte.
        let got = decode(bytes.into(), vec![], &["encoding=gbk"]);
        assert!(got.error.is_none() && got.rejects.is_empty(), "{version}: {:?}", got.error);
        let first = &got.rows[0];
        assert_eq!((&first["XM"], &first["ID"]), (&"张三".into(), &i32::MIN.into()), "{version}");
        assert_eq!(
            (&first["FEE"], &first["OK"]),
            (&serde_json::json!(-0.01), &true.into()),
            "{version}"
        );
        assert_eq!(got.rows[1]["FEE"], serde_json::json!(999.99), "{version}");
        assert!(got.rows[1]["OK"].is_null(), "{version}");
        let at = first["AT"].as_str().unwrap().replace('T', " ");
        assert_eq!(at, "2026-01-02 03:04:05", "{version}");
        assert_eq!(got.rows[1]["RATE"], serde_json::json!(12.25), "{version}");
    }
}

#[test]
fn the_record_count_of_the_header_is_a_declared_total() {
    use fenhe_core::{Input, Output};
    let mut decoder = format(&[]).decoder(DecodeOptions::default()).unwrap();
    let mut inputs = [Input::Bytes(people().bytes().into()), Input::EndOfStream].into_iter();
    assert!(decoder.declared().is_empty());
    loop {
        match decoder.next().unwrap() {
            Output::NeedInput => decoder.feed(inputs.next().unwrap()).unwrap(),
            Output::Batch(_) => {}
            Output::Done => break,
        }
    }
    let totals = decoder.declared();
    assert_eq!(totals.len(), 1);
    assert_eq!((totals[0].of.as_str(), totals[0].declared.as_str()), ("records", "3"));
    assert!(totals[0].agrees());
}
