//! What is found out by looking, and what can be written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use bytes::BytesMut;
use fenhe_core::{DecodeOptions, EncodeOptions, Evidence, Format, Limits, Options, Reject, Sample};
use fenhe_csv::Csv;
use fenhe_text::Encoding;

fn format(pairs: &[&str]) -> Csv {
    Csv::from_options(&Options::from_pairs(pairs.iter().copied()).unwrap()).unwrap()
}

fn look(bytes: Vec<u8>) -> Evidence {
    let sample = Sample { bytes: bytes.into(), complete: true, ..Sample::default() };
    format(&[]).infer(&sample).unwrap()
}

fn option(evidence: &Evidence, name: &str) -> String {
    evidence.options.get(name).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn dialects_are_found_and_explained() {
    let people = "编号,姓名,住址\n1,张伟,北京市海淀区中关村大街\n2,李娜,上海市浦东新区世纪大道\n";
    let gbk = Encoding::GB18030.encode(people).unwrap();
    let cases: [(Vec<u8>, [&str; 4]); 10] = [
        (people.as_bytes().to_vec(), ["UTF-8", ",", "\"", "true"]),
        (gbk, ["GB18030", ",", "\"", "true"]),
        (people.replace(',', "|!").into_bytes(), ["UTF-8", "|!", "\"", "true"]),
        (people.replace(',', "\t").into_bytes(), ["UTF-8", "\\t", "\"", "true"]),
        (people.replace(',', "\x1f").into_bytes(), ["UTF-8", "\\x1f", "\"", "true"]),
        (
            Encoding::GB18030.encode(&people.replace(',', "|")).unwrap(),
            ["GB18030", "|", "\"", "true"],
        ),
        (b"a;b\n1,5;2,25\n3,0;4,75\n".to_vec(), ["UTF-8", ";", "\"", "true"]),
        (b"1,2.5,x\n2,3.5,y\n".to_vec(), ["UTF-8", ",", "\"", "false"]),
        (b"'a','b'\n'1,2','x'\n'3,4','y'\n".to_vec(), ["UTF-8", ",", "'", "true"]),
        (b"one\ntwo\nthree\n".to_vec(), ["UTF-8", "none", "\"", "true"]),
    ];
    for (bytes, [encoding, delimiter, quote, header]) in cases {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let found = look(bytes);
        let all = ["encoding", "delimiter", "quote", "header"].map(|name| option(&found, name));
        assert_eq!(
            all,
            [encoding, delimiter, quote, header],
            "{text}\n{}",
            found.reasons.join("\n")
        );
        assert!(found.reasons.iter().any(|r| r.starts_with("delimiter")), "{:?}", found.reasons);
    }
}

#[test]
fn backslash_escapes_are_told_from_doubled_quotes() {
    let found = look(b"a,b\n1,\"x \\\"y\\\", z\"\n2,\"v \\\"w\\\"\"\n".to_vec());
    assert_eq!(option(&found, "escape"), "\\\\");
    let found = look(b"a,b\n1,\"x \"\"y\"\", z\"\n".to_vec());
    assert_eq!(option(&found, "escape"), "doubled");
}

#[test]
fn columns_say_why_they_have_their_type() {
    let found = look("id,单价,born\n1,1.50,20260102\n2,2.25,19991231\n".as_bytes().to_vec());
    let columns = &found.datasets[0].columns;
    assert_eq!(columns.len(), 3);
    assert_eq!(columns[2], ("born".to_owned(), "2 of 2 values are dates YYYYMMDD".to_owned()));
    assert_eq!(found.datasets[0].records, Some(2));
}

fn write(pairs: &[&str], batch: &RecordBatch) -> (Vec<u8>, Vec<Reject>) {
    let open = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = format(pairs).encoder(open).unwrap();
    let mut out = BytesMut::new();
    let rejects = encoder.encode(batch, &mut out).unwrap();
    assert!(encoder.finish(&mut out).unwrap().is_empty());
    (out.to_vec(), rejects)
}

fn sample() -> RecordBatch {
    let names: ArrayRef =
        Arc::new(StringArray::from(vec![Some("张,伟"), Some(""), None, Some("=1+\"x\"")]));
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(-1), Some(2), None, Some(4)]));
    let fees = Decimal128Array::from(vec![Some(1_250), None, Some(-5), Some(0)])
        .with_precision_and_scale(10, 2)
        .unwrap();
    RecordBatch::try_from_iter([("id", ids), ("name", names), ("fee", Arc::new(fees) as ArrayRef)])
        .unwrap()
}

#[test]
fn rows_of_other_formats_are_written_as_rfc_4180_says() {
    let (bytes, rejects) = write(&[], &sample());
    assert!(rejects.is_empty());
    let wanted = "id,name,fee\n-1,\"张,伟\",12.50\n2,\"\",\n,,-0.05\n4,\"=1+\"\"x\"\"\",0.00\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
}

#[test]
fn the_dialect_can_be_chosen() {
    let (bytes, rejects) = write(
        &[
            "encoding=gbk",
            "delimiter=;",
            "decimal=,",
            "line_end=crlf",
            "always_quote=true",
            "header=false",
            "final_newline=false",
        ],
        &sample(),
    );
    assert!(rejects.is_empty());
    let wanted = "\"-1\";\"张,伟\";\"12,50\"\r\n\"2\";\"\";\"\"\r\n\"\";;\"-0,05\"\r\n\"4\";\"=1+\"\"x\"\"\";\"0,00\"";
    assert_eq!(Encoding::GBK.decode(&bytes).unwrap(), wanted);
    let (bytes, rejects) = write(&["quote=none", "escape=c", "delimiter=tab"], &sample());
    assert!(rejects.is_empty());
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "id\tname\tfee\n-1\t张,伟\t12.50\n2\t\t\n\t\t-0.05\n4\t=1+\"x\"\t0.00\n"
    );
}

#[test]
fn what_the_dialect_cannot_hold_is_a_reject_and_the_other_rows_are_written() {
    let (bytes, rejects) = write(&["quote=none"], &sample());
    let found: Vec<_> =
        rejects.iter().map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str())).collect();
    assert_eq!(found, [(1, "csv.unquotable", "name")]);
    assert_eq!(String::from_utf8(bytes).unwrap(), "id,name,fee\n2,,\n,,-0.05\n4,=1+\"x\",0.00\n");
    let rare: ArrayRef = Arc::new(StringArray::from(vec!["张", "𠮷"]));
    let batch = RecordBatch::try_from_iter([("name", rare)]).unwrap();
    let (bytes, rejects) = write(&["encoding=gbk"], &batch);
    assert_eq!(
        (rejects.len(), rejects[0].record, rejects[0].fault.code.as_ref()),
        (1, 2, "value.bad_characters")
    );
    assert_eq!(bytes, b"name\n\xD5\xC5\n");
}

#[test]
fn formulas_are_guarded_only_when_asked_and_only_in_texts() {
    let (bytes, _) = write(&["formula_guard=escape"], &sample());
    assert!(String::from_utf8(bytes).unwrap().ends_with("4,\"'=1+\"\"x\"\"\",0.00\n"));
    let (bytes, rejects) = write(&["formula_guard=reject"], &sample());
    assert_eq!(
        (rejects.len(), rejects[0].record, rejects[0].fault.code.as_ref()),
        (1, 4, "csv.formula")
    );
    assert!(String::from_utf8(bytes).unwrap().contains("\n-1,"), "a negative number is no formula");
}

#[test]
fn a_splitter_of_settled_options_cuts_behind_the_header_alone() {
    let text = "a,b\n1,\"x\ny\"\n2,z\n3,\"un".as_bytes();
    let found = look(text.get(..20).unwrap().to_vec());
    let format = Csv::from_options(&found.options).unwrap();
    let mut splitter = format.splitter(&DecodeOptions::default()).unwrap();
    let header = splitter.prologue(&text[..4], false).unwrap().unwrap();
    assert_eq!((header.end, header.records, header.lines), (4, 0, 1));
    let cut = splitter.last_boundary(&text[4..], false).unwrap();
    assert_eq!((cut.end, cut.records, cut.lines), (12, 2, 3));
}

/// The rows of a file, in the schema that reading gives them.
fn read_rows(pairs: &[&str], text: &str) -> RecordBatch {
    let csv = format(pairs);
    let decoder = csv.decoder(fenhe_core::DecodeOptions::default()).unwrap();
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let inputs = vec![fenhe_core::Input::Bytes(bytes), fenhe_core::Input::EndOfStream];
    let mut got = fenhe_testkit::format::decode(decoder, inputs);
    assert!(got.rejects.is_empty(), "{:?}", got.rejects);
    got.batches.remove(0)
}

#[test]
fn what_the_writer_is_told_stands_above_the_spelling_of_the_source() {
    let source = "id;fee;day;note\n1;1234,50;31/12/2025;\n2;0,05;01/02/2026;x\n";
    let rows = read_rows(&["dates=DD/MM/YYYY"], source);
    let written = |pairs: &[&str]| String::from_utf8(write(pairs, &rows).0).unwrap();
    // Unchanged, it is the file again.
    assert_eq!(written(&[]), source);
    assert_eq!(
        written(&["decimal=.", "dates=YYYY-MM-DD", "nulls=NULL"]),
        "id;fee;day;note\n1;1234.50;2025-12-31;NULL\n2;0.05;2026-02-01;x\n"
    );
    assert_eq!(
        written(&["dates=YYYYMMDD", "delimiter=|"]),
        "id|fee|day|note\n1|1234,50|20251231|\n2|0,05|20260201|x\n"
    );
    let schema = serde_json::json!({
        "name": "out.toml",
        "text": "[[field]]\nname = \"day\"\ntype = \"date\"\npattern = \"DD.MM.YYYY\"\n",
    });
    let mut options = Options::from_pairs(["dates=YYYYMMDD"]).unwrap();
    options.set("schema", schema);
    let open = EncodeOptions { schema: rows.schema(), limits: Limits::default() };
    let mut encoder = Csv::from_options(&options).unwrap().encoder(open).unwrap();
    let mut out = BytesMut::new();
    encoder.encode(&rows, &mut out).unwrap();
    assert!(String::from_utf8_lossy(&out).contains(";31.12.2025;"), "{out:?}");
}

#[test]
fn ragged_records_do_not_hide_the_delimiter() {
    let found = look(b"id,name,age\n1,a,3\n2,b\n3,c,4,5\n4,d,5,\n5,e,6\n".to_vec());
    assert_eq!(option(&found, "delimiter"), ",", "{:?}", found.reasons);
    assert_eq!(found.datasets[0].schema.fields().len(), 3);
    // Lines without a delimiter in the first of them, and prose with a comma here and there, stay one column.
    for text in
        ["title\na, b\nc, d, e\nf, g, h, i\n", "one, two\nthree\nfour\nfive\nsix, seven, eight\n"]
    {
        let found = look(text.as_bytes().to_vec());
        assert_eq!(option(&found, "delimiter"), "none", "{text}: {:?}", found.reasons);
    }
}

#[test]
fn trailer_lines_have_no_say_in_types() {
    let bytes = b"id;amount\n1;1234,56\n2;-7,10\nTotal;1\n".to_vec();
    let sample = Sample { bytes: bytes.into(), complete: true, ..Sample::default() };
    let csv = format(&["skip_tail=1", "comment=#"]);
    let found = csv.infer(&sample).unwrap();
    let types: Vec<String> =
        found.datasets[0].schema.fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Decimal128(18, 2)"], "{:?}", found.datasets[0].columns);
    assert_eq!(found.datasets[0].records, Some(2));
    // The options of the evidence say the same again, those that were given too.
    let again = Csv::from_options(&found.options).unwrap();
    assert_eq!((again.options().skip_tail, again.options().comment.as_deref()), (1, Some("#")));
    assert_eq!(again.infer(&sample).unwrap().datasets[0].schema, found.datasets[0].schema);
}

#[test]
fn amounts_with_dots_between_thousands_are_decimals() {
    let text = "id;amount\n1;1.234,56\n2;-7,10\n3;1.000.000,00\n";
    let rows = read_rows(&[], text);
    let amounts: &Decimal128Array = rows.column(1).as_any().downcast_ref().unwrap();
    assert_eq!(
        (amounts.scale(), amounts.values().as_ref()),
        (2, &[123_456, -710, 100_000_000][..])
    );
}

#[test]
fn the_line_of_a_spreadsheet_names_the_delimiter() {
    for (text, delimiter) in
        [("sep=;\r\nid;n\r\n1;a,b\r\n", ";"), ("\u{feff}SEP=|\nid|n\n1|a\n", "|")]
    {
        let found = look(text.as_bytes().to_vec());
        assert_eq!(option(&found, "delimiter"), delimiter);
        let names: Vec<_> =
            found.datasets[0].schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["id", "n"]);
        assert_eq!(found.datasets[0].records, Some(1));
        assert!(found.reasons.iter().any(|r| r.contains("sep=")), "{:?}", found.reasons);
        // It comes back with the file.
        let rows = read_rows(&["types=text"], text);
        assert_eq!(String::from_utf8(write(&[], &rows).0).unwrap(), text);
    }
    // Whoever passes over it by hand passes over it once.
    let rows = read_rows(&["types=text", "skip_lines=1"], "sep=;\nid;n\n1;a\n");
    assert_eq!((rows.num_rows(), rows.schema().field(1).name().as_str()), (1, "n"));
}

#[test]
fn a_header_may_lack_a_name() {
    for (text, names) in [
        ("id,n,\n1,a,\n2,b,\n", ["id", "n", "column_3"]),
        ("a,b,\nx,y,\nz,w,\n", ["a", "b", "column_3"]),
        (",a,b\n0,x,y\n1,z,w\n", ["column_1", "a", "b"]),
    ] {
        let found = look(text.as_bytes().to_vec());
        assert_eq!(option(&found, "header"), "true", "{text}");
        let have: Vec<_> =
            found.datasets[0].schema.fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(have, names);
        let name = names.iter().find(|name| name.starts_with("column_")).unwrap();
        assert!(found.reasons.iter().any(|r| r.contains(name)), "{:?}", found.reasons);
    }
    // Rows of text with a gap are no header.
    let found = look(b"Smith,,London\nMiller,Ann,\nBrown,Eve,Paris\n".to_vec());
    assert_eq!(option(&found, "header"), "false", "{:?}", found.reasons);
    assert!(found.reasons.iter().any(|r| r.contains("header=true")), "{:?}", found.reasons);
}
