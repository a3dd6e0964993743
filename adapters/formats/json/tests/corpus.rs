//! Cases of RFC 8259 and of files as they come, one by one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::BytesMut;
use fenhe_core::{DecodeOptions, EncodeOptions, Format, Input, Limits, Options, Output, Sample};
use fenhe_json::Json;
use fenhe_testkit::format::{Decoded, decode};

fn json(options: &[&str]) -> Json {
    Json::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap()
}

fn read_with(options: &[&str], decode_options: DecodeOptions, bytes: impl AsRef<[u8]>) -> Decoded {
    let bytes = bytes::Bytes::copy_from_slice(bytes.as_ref());
    let mut inputs = vec![Input::EndOfStream];
    if !bytes.is_empty() {
        inputs.insert(0, Input::Bytes(bytes));
    }
    decode(json(options).decoder(decode_options).unwrap(), inputs)
}

fn read(options: &[&str], fields: Vec<Field>, bytes: impl AsRef<[u8]>) -> Decoded {
    let schema = Some(Arc::new(Schema::new(fields)) as SchemaRef);
    read_with(options, DecodeOptions { schema, ..DecodeOptions::default() }, bytes)
}

fn codes(got: &Decoded) -> Vec<(u64, String, String)> {
    got.rejects
        .iter()
        .map(|r| (r.record, r.fault.code.to_string(), r.fault.field.clone()))
        .collect()
}

#[test]
fn one_value_of_each_type_reads_exactly_or_is_refused() {
    let decimal = DataType::Decimal128(38, 2);
    let cases: &[(DataType, &str, Result<&str, &str>)] = &[
        (DataType::Int64, "9223372036854775807", Ok("9223372036854775807")),
        (DataType::Int64, "9223372036854775808", Err("value.out_of_range")),
        (DataType::Int64, "-9223372036854775808", Ok("-9223372036854775808")),
        (DataType::UInt64, "18446744073709551615", Ok("18446744073709551615")),
        (DataType::UInt64, "-1", Err("value.out_of_range")),
        (DataType::UInt8, "256", Err("value.out_of_range")),
        (DataType::Int64, "1.0", Ok("1")),
        (DataType::Int64, "1.5", Err("value.too_many_fraction_digits")),
        (DataType::Int64, "15e-1", Err("value.too_many_fraction_digits")),
        (DataType::Int64, "1e3", Ok("1000")),
        (DataType::Int64, "-0", Ok("0")),
        (DataType::Int64, "1e400", Err("value.out_of_range")),
        (DataType::Int64, "01", Err("json.syntax")),
        (DataType::Int64, "+1", Err("json.syntax")),
        (DataType::Int64, "\"1\"", Err("json.type")),
        (DataType::Int64, "true", Err("json.type")),
        (DataType::Int64, "[1]", Err("json.type")),
        (DataType::Int64, "null", Ok("null")),
        (
            decimal.clone(),
            "123456789012345678901234567890123456.78",
            Ok("123456789012345678901234567890123456.78"),
        ),
        (decimal.clone(), "1234567890123456789012345678901234567.8", Err("value.out_of_range")),
        (decimal.clone(), "0.1", Ok("0.10")),
        (decimal.clone(), "0.1000", Ok("0.10")),
        (decimal.clone(), "0.125", Err("value.too_many_fraction_digits")),
        (decimal, "1.25e1", Ok("12.50")),
        (DataType::Float64, "1e400", Err("value.out_of_range")),
        (DataType::Float64, "1e-3", Ok("0.001")),
        (DataType::Float64, "NaN", Err("json.syntax")),
        (DataType::Float64, "Infinity", Err("json.syntax")),
        (DataType::Boolean, "false", Ok("false")),
        (DataType::Boolean, "\"true\"", Err("json.type")),
        (DataType::Boolean, "0", Err("json.type")),
        (DataType::Boolean, "True", Err("json.syntax")),
        (DataType::Date32, "\"2024-02-29\"", Ok("\"2024-02-29\"")),
        (DataType::Date32, "\"2025-02-29\"", Err("value.no_such_date")),
        (DataType::Date32, "\"\"", Err("value.not_a_date")),
        (DataType::Date32, "20240229", Err("json.type")),
        (DataType::Binary, "\"00ff\"", Ok("\"00ff\"")),
        (DataType::Binary, "\"0\"", Err("value.not_binary")),
        (DataType::Utf8, "\"\"", Ok("\"\"")),
        (DataType::Utf8, r#""\u5f20\u4e09""#, Ok("\"张三\"")),
        (DataType::Utf8, r#""\ud800""#, Err("json.surrogate")),
        (DataType::Utf8, "\"a\tb\"", Err("json.syntax")),
        (DataType::Utf8, "'a'", Err("json.syntax")),
        (DataType::Utf8, "nul", Err("json.syntax")),
        (DataType::Utf8, "{\"a\":}", Err("json.syntax")),
    ];
    for (data_type, value, expected) in cases {
        for shape in ["lines", "array"] {
            let record = format!("{{\"v\":{value}}}");
            let text = if shape == "array" { format!("[{record}]") } else { record };
            let got = read(
                &[&format!("shape={shape}")],
                vec![Field::new("v", data_type.clone(), true)],
                text,
            );
            if let Some(error) = &got.error {
                // A bracket too few or too many is a matter of the document.
                assert!(shape == "array" && expected.is_err(), "{data_type} {value}: {error}");
                continue;
            }
            match expected {
                Ok(text) => {
                    assert_eq!(got.rows, [format!("{{\"v\":{text}}}")], "{data_type} {value}")
                }
                Err(code) => {
                    assert_eq!(got.rows.len(), 0, "{data_type} {value}");
                    assert_eq!(got.rejects[0].fault.code, *code, "{data_type} {value}");
                }
            }
        }
    }
}

#[test]
fn nesting_is_limited_and_two_hundred_levels_are_a_reject_of_one_record() {
    let deep = |n: usize| format!("{{\"v\":{}{}}}", "[".repeat(n), "]".repeat(n));
    let v = || vec![Field::new("w", DataType::Int64, true)];
    let text = [deep(127), deep(128), deep(200), "{\"w\":1}".into()].join("\n");
    let got = read(&["shape=lines"], v(), &text);
    assert_eq!(got.numbers, [1, 4]);
    assert_eq!(got.rejects[0].fault.code, "core.limit");
    let got = read(&["shape=array"], v(), format!("[{}]", text.replace('\n', ",")));
    assert_eq!(got.numbers, [1, 4]);
    // A stack would not bear a million levels.
    let got = read(&["shape=array"], v(), format!("[{},{{\"w\":1}}]", deep(1_000_000)));
    assert_eq!((got.numbers, got.rejects[0].fault.code.as_ref()), (vec![2], "core.limit"));
}

#[test]
fn faults_name_the_path_of_the_field() {
    let fee = Field::new("fee", DataType::Decimal128(9, 2), false);
    let item = Field::new("item", DataType::Struct(vec![fee].into()), true);
    let person = Field::new(
        "person",
        DataType::Struct(vec![Field::new("born", DataType::Date32, true)].into()),
        true,
    );
    let fields = vec![person, Field::new("fees", DataType::List(Arc::new(item)), true)];
    let lines = [
        r#"{"person":{"born":"2026-02-30"}}"#,
        r#"{"person":null,"fees":[{"fee":1},null,{"fee":1.234}]}"#,
        r#"{"fees":[{"fee":1},{"fee":"x"}]}"#,
        r#"{"fees":[{"fee":1},{}]}"#,
        r#"{"fees":[{"fee":1},{"fee":null}],"person":{"born":"x"}}"#,
        r#"{"fees":[null]}"#,
        r#"{"person":{"born":"2026-02-03","born":"2026-02-03"}}"#,
        r#"{"fees":{}}"#,
    ];
    let got = read(&["shape=lines"], fields, lines.join("\n"));
    let expected = [
        (1, "value.no_such_date", "person.born"),
        (2, "value.too_many_fraction_digits", "fees[2].fee"),
        (3, "json.type", "fees[1].fee"),
        (4, "value.missing", "fees[1].fee"),
        (5, "value.not_a_date", "person.born"),
        (7, "json.duplicate_key", "person.born"),
        (8, "json.type", "fees"),
    ];
    let expected: Vec<_> = expected.map(|(n, c, f)| (n, c.to_owned(), f.to_owned())).to_vec();
    assert_eq!(codes(&got), expected);
    assert_eq!(got.rejects[4].also[0].field, "fees[1].fee");
    assert_eq!(got.rows, [r#"{"person":null,"fees":[null]}"#]);
}

#[test]
fn unknown_keys_are_passed_over_refused_or_kept() {
    let v = || vec![Field::new("v", DataType::Int64, true)];
    let text = "{\"x\": [1, \"a b\"], \"v\":1,\"\\u0079\":2}\n{\"v\":2}";
    let got = read(&["shape=lines"], v(), text);
    assert_eq!(got.rows, [r#"{"v":1}"#, r#"{"v":2}"#]);
    let got = read(&["shape=lines", "unknown=reject"], v(), text);
    assert_eq!((got.numbers, got.rejects[0].fault.code.as_ref()), (vec![2], "json.unknown_key"));
    let got = read(&["shape=lines", "unknown=keep"], v(), text);
    assert_eq!(got.rows[0], r#"{"v":1,"_extra":"{\"x\":[1,\"a b\"],\"\\u0079\":2}"}"#);
    assert_eq!(got.rows[1], r#"{"v":2,"_extra":null}"#);
}

#[test]
fn a_bad_character_is_a_reject_of_its_record_only() {
    let v = || vec![Field::new("v", DataType::Utf8, true)];
    let got =
        read(&["shape=lines"], v(), b"{\"v\":\"a\"}\n{\"v\":\"\xff\"}\n{\"v\":\"\xe5\xbc\xa0\"}");
    assert_eq!((got.rows.len(), got.rejects[0].offset, got.rejects[0].line), (2, 10, Some(2)));
    assert_eq!(got.rejects[0].fault.code, "json.encoding");
    assert!(got.rejects[0].fault.found.contains("byte 6 "), "{}", got.rejects[0]);
    // 0x81 0x20 is no pair of GBK; the character 檤 (99 7C) and 乗 (81 5C, a backslash) are.
    let got = read(
        &["shape=array", "encoding=gbk"],
        v(),
        b"[{\"v\":\"\x81\x20\"},{\"v\":\"\x99\x7c\x81\x5c\"}]",
    );
    assert_eq!(got.rows, ["{\"v\":\"檤乗\"}"]);
    assert_eq!(got.rejects[0].fault.code, "json.encoding");
}

#[test]
fn a_record_or_field_beyond_its_limit_is_a_reject_and_the_next_one_is_read() {
    let limits = Limits { record: 64, field: 16, fields: 3, reject_raw: 10, ..Limits::default() };
    let long = format!("{{\"v\":\"{}\"}}", "x".repeat(200));
    let lines = [
        "{\"v\":\"a\"}",
        &long,
        "{\"v\":\"aaaaaaaaaaaaaaaaa\"}",
        "{\"a\":1,\"b\":1,\"c\":1,\"d\":1}",
        "{\"v\":\"b\"}",
    ];
    for (shape, text) in
        [("shape=lines", lines.join("\n")), ("shape=array", format!("[{}]", lines.join(",")))]
    {
        for chunk in [7, 1_000] {
            let schema: SchemaRef =
                Arc::new(Schema::new(vec![Field::new("v", DataType::Utf8, true)]));
            let options = DecodeOptions {
                schema: Some(schema),
                limits: limits.clone(),
                ..DecodeOptions::default()
            };
            let mut inputs: Vec<Input> =
                text.as_bytes().chunks(chunk).map(|c| Input::Bytes(c.to_vec().into())).collect();
            inputs.push(Input::EndOfStream);
            let got = decode(json(&[shape]).decoder(options).unwrap(), inputs);
            assert_eq!(got.numbers, [1, 5], "{shape}");
            assert!(got.rejects.iter().all(|r| r.fault.code == "core.limit"), "{shape}");
            assert_eq!((got.rejects[0].raw.len(), got.rejects[0].raw_cut), (10, true));
        }
    }
}

#[test]
fn records_before_a_fault_of_the_document_are_delivered() {
    let v = vec![Field::new("v", DataType::Int64, true)];
    let got = read(&["shape=array"], v, "[{\"v\":1},\n{\"v\":2}\n{\"v\":3}]");
    assert_eq!(got.rows.len(), 2);
    let error = got.error.unwrap();
    assert_eq!((error.code(), error.offset()), ("json.document", Some(18)));
    assert!(error.to_string().contains("line 3"), "{error}");
}

#[test]
fn messages_are_documents_of_their_own() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]));
    for (shape, first, second) in
        [("lines", "{\"v\":1}", "{\"v\":2}"), ("array", "[{\"v\":1}]", "{\"v\":2}")]
    {
        let options = DecodeOptions { schema: Some(schema.clone()), ..DecodeOptions::default() };
        let mut decoder = json(&[&format!("shape={shape}")]).decoder(options).unwrap();
        for (text, record) in [(first, 1), (second, 2)] {
            decoder.feed(Input::Bytes(text.as_bytes().to_vec().into())).unwrap();
            assert!(matches!(decoder.next().unwrap(), Output::NeedInput));
            decoder.feed(Input::EndOfMessage).unwrap();
            let Output::Batch(batch) = decoder.next().unwrap() else { panic!("no batch") };
            assert_eq!((batch.span.first, batch.rows()), (record, 1));
            assert!(matches!(decoder.next().unwrap(), Output::NeedInput));
        }
        decoder.feed(Input::EndOfStream).unwrap();
        assert!(matches!(decoder.next().unwrap(), Output::Done));
    }
}

#[test]
fn types_follow_from_the_values() {
    let text = concat!(
        r#"{"n":1,"big":18446744073709551616,"d":1.50,"e":1e3,"day":"2026-01-02","at":"2026-01-02T03:04:05.678Z","s":"1","mixed":1,"none":null,"list":[1],"o":{"a":true},"empty":{}}"#,
        "\n",
        r#"{"n":-5,"d":10,"at":"2026-01-02T03:04:05+08:00","day":"2026-01-03","mixed":"a","list":[],"o":{"b":[]}}"#,
    );
    let sample = Sample { bytes: text.into(), complete: true, ..Sample::default() };
    let evidence = json(&[]).infer(&sample).unwrap();
    let found = &evidence.datasets[0];
    let types: Vec<String> =
        found.schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    assert_eq!(
        types[..9],
        [
            "n Int64",
            "big Decimal128(38, 0)",
            "d Decimal128(38, 2)",
            "e Float64",
            "day Date32",
            "at Timestamp(ms, \"+00:00\")",
            "s Utf8",
            "mixed Utf8",
            "none Utf8",
        ]
    );
    assert!(types[9].starts_with("list List(Int64"), "{}", types[9]);
    assert!(types[10].starts_with("o Struct("), "{}", types[10]);
    assert_eq!(found.records, Some(2));
    assert_eq!(evidence.options.get("shape").unwrap(), "lines");
    assert!(found.columns[2].1.contains("2 after it"), "{:?}", found.columns[2]);
    let got = read_with(
        &[],
        DecodeOptions { schema: Some(found.schema.clone()), ..DecodeOptions::default() },
        text,
    );
    assert!(
        got.rows[0].contains(r#""mixed":"1""#) && got.rows[1].contains(r#""mixed":"\"a\"""#),
        "{:?}",
        got.rows
    );
}

#[test]
fn bytes_that_are_no_json_are_not_taken_for_it() {
    for text in ["a,b\n1,2\n", "<a/>", "5\n6\n", "[1,2]"] {
        let sample = Sample { bytes: text.into(), complete: true, ..Sample::default() };
        assert_eq!(json(&[]).infer(&sample).unwrap_err().code(), "json.not_json", "{text}");
    }
}

#[test]
fn a_gbk_stream_is_recognised() {
    let bytes = fenhe_text::Encoding::GBK
        .encode(&"{\"姓名\":\"张三\",\"地址\":\"北京市朝阳区建国路的房子\"}\n".repeat(20))
        .unwrap();
    let sample = Sample { bytes: bytes.into(), complete: true, ..Sample::default() };
    let evidence = json(&[]).infer(&sample).unwrap();
    let encoding = evidence.options.get("encoding").unwrap().as_str().unwrap();
    assert!(["gbk", "gb18030", "cp936"].contains(&encoding), "{encoding}");
    assert_eq!(evidence.datasets[0].schema.field(0).name(), "姓名");
}

#[test]
fn a_schema_file_gives_types_and_spellings() {
    let mut options = Options::from_pairs(["shape=lines"]).unwrap();
    let text = "[[field]]\nname=\"born\"\ntype=\"date\"\npattern=[\"YYYYMMDD\"]\nnulls=[\"不详\"]\n[[field]]\nname=\"fee\"\ntype=\"decimal(9,2)\"\n";
    options.set("schema", serde_json::json!({"name": "r.toml", "text": text}));
    let format = Json::from_options(&options).unwrap();
    let decoder = format.decoder(DecodeOptions::default()).unwrap();
    let lines = "{\"born\":\"20260102\",\"fee\":1.5}\n{\"born\":\"不详\"}\n{\"born\":\"\"}";
    let got = decode(decoder, vec![Input::Bytes(lines.into()), Input::EndOfStream]);
    assert_eq!(got.rows, [r#"{"born":"2026-01-02","fee":1.50}"#, r#"{"born":null,"fee":null}"#]);
    assert_eq!(got.rejects[0].fault.code, "value.not_a_date");
}

#[test]
fn rows_are_written_as_asked() {
    let fields = vec![
        Field::new("名", DataType::Utf8, true),
        Field::new("d", DataType::Decimal128(9, 3), true),
        Field::new("b", DataType::Binary, true),
        Field::new(
            "t",
            DataType::Timestamp(arrow_schema::TimeUnit::Millisecond, Some("+08:00".into())),
            true,
        ),
    ];
    let text = "{\"名\":\"张\\\"三\\n\\u0001𠮷\",\"d\":-0.5,\"b\":\"00FF\",\"t\":\"2026-01-02T03:04:05.600+08:00\"}\n{}";
    let got = read(&["shape=lines"], fields, text);
    let write = |options: &[&str]| {
        let schema = got.schema.clone().unwrap();
        let mut encoder =
            json(options).encoder(EncodeOptions { schema, limits: Limits::default() }).unwrap();
        let mut out = BytesMut::new();
        for batch in &got.batches {
            assert!(encoder.encode(batch, &mut out).unwrap().is_empty());
        }
        encoder.finish(&mut out).unwrap();
        out.to_vec()
    };
    let row = "{\"名\":\"张\\\"三\\n\\u0001𠮷\",\"d\":-0.500,\"b\":\"00ff\",\"t\":\"2026-01-02T03:04:05.6+08:00\"}";
    let nulls = "{\"名\":null,\"d\":null,\"b\":null,\"t\":null}";
    assert_eq!(String::from_utf8(write(&[])).unwrap(), format!("{row}\n{nulls}\n"));
    assert_eq!(String::from_utf8(write(&["nulls=omit"])).unwrap(), format!("{row}\n{{}}\n"));
    assert_eq!(
        String::from_utf8(write(&["shape=array"])).unwrap(),
        format!("[\n{row},\n{nulls}\n]\n")
    );
    let path = String::from_utf8(write(&["record=/data/list"])).unwrap();
    assert_eq!(path, format!("{{\"data\":{{\"list\":[\n{row},\n{nulls}\n]}}}}\n"));
    let gbk = write(&["encoding=gbk"]);
    let expected = fenhe_text::Encoding::GBK
        .encode(&format!("{}\n{nulls}\n", row.replace('𠮷', "\\ud842\\udfb7")))
        .unwrap();
    assert_eq!(gbk, expected);
}

#[test]
fn a_value_that_json_does_not_have_is_a_reject_of_its_row() {
    use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    let column: ArrayRef = Arc::new(Float64Array::from(vec![1.5, f64::NAN, f64::INFINITY, 2.0]));
    let batch = RecordBatch::try_from_iter([("v", column)]).unwrap();
    let options = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = json(&[]).encoder(options).unwrap();
    let mut out = BytesMut::new();
    let rejects = encoder.encode(&batch, &mut out).unwrap();
    let found: Vec<_> = rejects.iter().map(|r| (r.record, r.fault.field.as_str())).collect();
    assert_eq!(found, [(2, "v"), (3, "v")]);
    assert_eq!(out, "{\"v\":1.5}\n{\"v\":2}\n");
}

#[test]
fn text_of_which_every_line_is_an_object_is_hardly_anything_else() {
    let look = |bytes: &'static str| {
        let sample = Sample { bytes: bytes.into(), complete: true, ..Sample::default() };
        json(&[]).infer(&sample).map_or(0, |found| found.confidence)
    };
    // Delimited text is never surer than 95.
    assert!(look("{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n") > 95);
    assert!(look("{\"a\":1,\"b\":2}\n{\"a\":3,\"b\"\n{\"a\":3,\"b\":1}\n") < 95);
    assert_eq!(look("a,b\n1,2\n"), 0);
}

/// The notes of a stream read to its end.
fn notes(options: &[&str], bytes: &'static str) -> Vec<String> {
    let fields = vec![Field::new("a", DataType::Int64, true)];
    let schema = Some(Arc::new(Schema::new(fields)) as SchemaRef);
    let open = DecodeOptions { schema, ..DecodeOptions::default() };
    let mut decoder = json(options).decoder(open).unwrap();
    let mut inputs = vec![Input::EndOfStream, Input::Bytes(bytes.into())];
    loop {
        match decoder.next().unwrap() {
            Output::NeedInput => decoder.feed(inputs.pop().unwrap()).unwrap(),
            Output::Batch(_) => {}
            Output::Done => return decoder.notes(),
        }
    }
}

#[test]
fn values_without_a_column_are_told_with_their_keys_and_the_first_record() {
    let lines = "{\"a\":1}\n{\"a\":2,\"b\":3}\n{\"b\":1,\"c\":{\"d\":1}}\n{\"z\":1,\"a\":\"x\"}\n";
    let told = notes(&["shape=lines"], lines);
    let [note] = told.as_slice() else { panic!("{told:?}") };
    // The last record is a reject: what it holds is not lost.
    assert!(note.starts_with("3 values ") && note.ends_with("keys are b, c"), "{note}");
    for words in ["in record 2", "unknown=keep"] {
        assert!(note.contains(words), "{words}: {note}");
    }
    assert!(notes(&["shape=lines", "unknown=keep"], "{\"a\":1,\"b\":2}\n").is_empty());
}

#[test]
fn nesting_beyond_the_limit_is_called_by_its_name() {
    let deep = format!("{{\"a\":{}1{}}}\n", "[".repeat(200), "]".repeat(200));
    let sample = Sample { bytes: deep.into(), complete: true, ..Sample::default() };
    let error = json(&[]).infer(&sample).unwrap_err();
    assert_eq!(error.code(), "core.limit");
    assert!(error.to_string().contains("128") && error.to_string().contains("depth"), "{error}");
}
