//! The promises of every format, kept by this one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use fenhe_core::{Format, Options};
use fenhe_json::Json;
use fenhe_testkit::format::{Broken, Case, conforms};
use fenhe_testkit::generate;

fn json(options: &[&str]) -> Arc<dyn Format> {
    Arc::new(Json::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap())
}

fn nested() -> SchemaRef {
    let item = Field::new(
        "item",
        DataType::Struct(
            vec![
                Field::new("科目", DataType::Utf8, true),
                Field::new("金额", DataType::Decimal128(20, 4), true),
            ]
            .into(),
        ),
        true,
    );
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, Some("+08:00".into())), true),
        Field::new("lines", DataType::List(Arc::new(item)), true),
        Field::new("open", DataType::Boolean, true),
        Field::new("rate", DataType::Float64, true),
    ]))
}

const NESTED: &str = concat!(
    r#"{"id":1,"at":"2026-01-02T03:04:05.678+08:00","lines":[{"科目":"增值税","金额":12.5000},{"科目":null}],"open":true,"rate":1e-3}"#,
    "\r\n",
    "\n",
    r#"  { "rate" : -0.5, "lines" : [] , "id" : 9223372036854775807 } "#,
    "\n",
    r#"{"id":-0,"lines":[null,{}],"at":null,"open":false,"unknown":{"a":[1,"}\n"]}}"#,
    "\n",
    r#"{"id":4,"lines":null,"rate":12e1}"#,
    "\n",
    r#"{"lines":[{"\u91d1\u989d":1.25e2,"科目":"\"引号\"\u0000\ud842\udfb7"}],"id":5}"#,
);

fn registry(rows: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    generate::write_ndjson(&mut bytes, rows, 5).unwrap();
    bytes
}

fn document(lines: &str, before: &str, after: &str) -> String {
    let records: Vec<&str> = lines.lines().filter(|l| !l.trim().is_empty()).collect();
    format!("{before}{}{after}", records.join(" ,\n"))
}

#[test]
fn json_keeps_the_promises_of_a_format() {
    let lines = json(&["shape=lines"]);
    let auto = json(&[]);
    let path = json(&["record=/data/list"]);
    let keep = json(&["shape=lines", "unknown=keep"]);
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(NESTED.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let gbk = |text: &str| encoding_of(text);
    let plain = NESTED.replace(r"\ud842\udfb7", "吉");
    let wrapped = document(
        NESTED,
        r#"{"code":0,"data":{"total":5,"x":[[],{"list":1}],"list":["#,
        r#"]},"msg":"ok"}"#,
    );
    let schema = generate::schema();
    let cases = [
        Case::new("registry lines", lines.clone(), registry(9)).schema(schema.clone()),
        Case::new("registry inferred", auto.clone(), registry(5)),
        Case::new("nested lines", lines.clone(), NESTED).schema(nested()),
        Case::new(
            "nested inferred",
            auto.clone(),
            NESTED.replace("e-3", "").replace("12e1", "120"),
        ),
        Case::new("with a mark", auto.clone(), format!("\u{feff}{NESTED}")).schema(nested()),
        Case::new("the rest kept", keep, NESTED).schema(nested()),
        Case::new("array", auto.clone(), document(NESTED, " [", "]\n")).schema(nested()),
        Case::new(
            "array inferred",
            auto.clone(),
            document(NESTED, "[\n", "\n]").replace("e-3", "").replace("12e1", "120"),
        ),
        Case::new("record path", path.clone(), wrapped).schema(nested()),
        Case::new("one object", auto.clone(), "{\n\"id\": 1,\n\"lines\": []\n}\n").schema(nested()),
        Case::new("text", json(&["types=text"]), NESTED),
        Case::new("utf-16 lines", json(&["shape=lines"]), utf16.clone()).schema(nested()),
        Case::new("utf-16 array", auto.clone(), {
            let text = document(NESTED, "[", "]");
            [0xfe, 0xff]
                .into_iter()
                .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
                .collect::<Vec<u8>>()
        })
        .schema(nested()),
        Case::new("gbk lines", json(&["shape=lines", "encoding=gbk"]), gbk(&plain))
            .schema(nested()),
        Case::new("gb18030 array", json(&["encoding=gb18030"]), gbk(&document(&plain, "[", "]")))
            .schema(nested()),
        Case::new("empty", auto.clone(), ""),
        Case::new("empty array", auto.clone(), "[]"),
    ];
    let broken = [one_percent()];
    let fatal = [
        Case::new("trailing comma", auto.clone(), r#"[{"a":1},]"#),
        Case::new("two documents", auto.clone(), r#"[{"a":1}] []"#),
        Case::new("cut off", auto.clone(), r#"[{"a":1},{"a":2}"#),
        Case::new("another bracket", auto.clone(), r#"[{"a":[1},{"a":2}]"#),
        Case::new("no comma", auto, r#"[{"a":1} {"a":2}]"#),
        Case::new("no such path", path, r#"{"data":{"rows":[]}}"#),
    ];
    conforms(&cases, &broken, &fatal);
}

fn encoding_of(text: &str) -> Vec<u8> {
    fenhe_text::Encoding::GB18030.encode(text).unwrap()
}

/// Every hundredth record is broken, each in another way; numbers, offsets and codes are counted here by hand.
fn one_percent() -> Broken {
    let ways: [(&str, &str); 17] = [
        (r#"{"id":1,"name":"a","fee":1.005}"#, "value.too_many_fraction_digits"),
        (r#"{"id":1.5,"name":"a","fee":1}"#, "value.too_many_fraction_digits"),
        (r#"{"id":9223372036854775808,"name":"a"}"#, "value.out_of_range"),
        (r#"{"id":1,"name":"a","fee":1e400}"#, "value.out_of_range"),
        (r#"{"id":"1","name":"a"}"#, "json.type"),
        (r#"{"id":1,"name":5}"#, "json.type"),
        (r#"{"id":1,"name":"\ud800"}"#, "json.surrogate"),
        (r#"{"id":1,"name":"a\x"}"#, "json.escape"),
        (r#"{"id":1,"name":"a","id":2}"#, "json.duplicate_key"),
        (r#"{"id":1} {"id":2}"#, "json.record"),
        (r#"[1,2]"#, "json.record"),
        (r#"{"id":NaN}"#, "json.type"),
        (r#"{"id":1,"name":"a""#, "json.syntax"),
        (r#"{"id":1,}"#, "json.syntax"),
        (r#"{"id":1,"day":"2025-02-29"}"#, "value.no_such_date"),
        (r#"{"name":"a"}"#, "value.missing"),
        (r#"{"id":null}"#, "value.null_not_allowed"),
    ];
    let ways: Vec<(&str, &str)> = ways
        .into_iter()
        .map(|(line, code)| {
            // NaN is no JSON at all: the grammar is said first.
            (line, if line.contains("NaN") { "json.syntax" } else { code })
        })
        .collect();
    let (mut text, mut rejects, mut rows) = (String::new(), Vec::new(), 0);
    for number in 1..=1_700u64 {
        if number % 100 == 0 {
            let (line, code) = ways[(number / 100 - 1) as usize];
            rejects.push((number, text.len() as u64, code));
            text.push_str(line);
        } else {
            rows += 1;
            text.push_str(&format!(
                r#"{{"id":{number},"name":"姓名{number}","fee":{number}.25,"day":"2026-01-02"}}"#
            ));
        }
        text.push('\n');
    }
    let rejects = rejects
        .into_iter()
        .map(|(n, at, code)| {
            let code: &'static str = Box::leak(code.to_owned().into_boxed_str());
            (n, at, code)
        })
        .collect();
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("fee", DataType::Decimal128(12, 2), true),
        Field::new("day", DataType::Date32, true),
    ]);
    Broken {
        case: Case::new("one percent", json(&["shape=lines"]), text).schema(Arc::new(schema)),
        rejects,
        rows,
    }
}
