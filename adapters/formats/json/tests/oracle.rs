//! Against an independent reader: what `serde_json` accepts is a row with the same values, everything else a reject.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{DecodeOptions, Format, Input};
use fenhe_json::{Json, JsonOptions, Shape, Unknown};
use fenhe_testkit::format::{Random, anything, decode};
use fenhe_testkit::generate;
use proptest::prelude::*;
use serde_json::Value;

fn schema() -> SchemaRef {
    let inner = Field::new("s", DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        Field::new("s", DataType::Utf8, true),
        Field::new("i", DataType::Int64, true),
        Field::new("b", DataType::Boolean, true),
        Field::new("l", DataType::List(Arc::new(Field::new("item", DataType::Int64, true))), true),
        Field::new("o", DataType::Struct(vec![inner].into()), true),
    ]))
}

/// The row that the schema makes of a value; `None` when it is to be refused.
fn expected(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line).ok()?;
    let object = value.as_object()?;
    let get = |name: &str| object.get(name).cloned().unwrap_or(Value::Null);
    let null_or = |v: &Value, test: &dyn Fn(&Value) -> bool| v.is_null() || test(v);
    let (s, i, b, l, o) = (get("s"), get("i"), get("b"), get("l"), get("o"));
    let good = null_or(&s, &Value::is_string)
        && null_or(&i, &Value::is_i64)
        && null_or(&b, &Value::is_boolean)
        && null_or(&l, &|v| {
            v.as_array().is_some_and(|a| a.iter().all(|v| null_or(v, &Value::is_i64)))
        })
        && null_or(&o, &|v| {
            v.as_object().is_some_and(|o| o.get("s").is_none_or(|v| null_or(v, &Value::is_string)))
        });
    let o = if o.is_null() {
        o
    } else {
        serde_json::json!({"s": o.get("s").cloned().unwrap_or(Value::Null)})
    };
    good.then(|| serde_json::json!({"s": s, "i": i, "b": b, "l": l, "o": o}))
}

fn check(lines: &[String], shape: Shape, chunk: usize) -> Result<(), TestCaseError> {
    let text = match shape {
        Shape::Array => format!("[{}]", lines.join(",")),
        _ => lines.join("\n"),
    };
    let format = Json::new(JsonOptions { shape, ..JsonOptions::default() });
    let decoder = format
        .decoder(DecodeOptions { schema: Some(schema()), ..DecodeOptions::default() })
        .unwrap();
    let mut inputs: Vec<Input> =
        text.as_bytes().chunks(chunk).map(|c| Input::Bytes(c.to_vec().into())).collect();
    inputs.push(Input::EndOfStream);
    let got = decode(decoder, inputs);
    prop_assert!(got.error.is_none(), "{:?}", got.error);
    let rows: Vec<Value> = got.rows.iter().map(|r| serde_json::from_str(r).unwrap()).collect();
    let wanted: Vec<Value> = lines.iter().filter_map(|line| expected(line)).collect();
    prop_assert_eq!(rows, wanted, "{}", text);
    prop_assert_eq!(got.read, lines.len() as u64);
    Ok(())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\"\\\\\u{1}-\u{7f}张𠮷\\n/{}\\[\\],:]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[sib]", inner, 0..3).prop_map(Value::from_iter),
        ]
    })
}

fn record() -> impl Strategy<Value = String> {
    let some = prop::collection::btree_map("[sibloxé]", value(), 0..6)
        .prop_map(|map| Value::from_iter(map).to_string());
    let fit = (
        prop::option::of("[a\"\\\\\t张𠮷]{0,20}"),
        prop::option::of(any::<i64>()),
        prop::option::of(prop::collection::vec(prop::option::of(any::<i64>()), 0..4)),
        prop::option::of(prop::option::of("[a-c张]{0,3}")),
    )
        .prop_map(|(s, i, l, o)| {
            serde_json::json!({"l": l, "s": s, "i": i, "o": o.map(|s| serde_json::json!({"s": s}))})
                .to_string()
        });
    prop_oneof![2 => some, 3 => fit]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn records_read_as_the_other_reader_reads_them(
        records in prop::collection::vec(record(), 1..12),
        chunk in prop_oneof![1..9usize, Just(4_096)],
        array: bool,
    ) {
        check(&records, if array { Shape::Array } else { Shape::Lines }, chunk)?;
    }

    #[test]
    fn damaged_lines_are_refused_where_the_other_reader_refuses_them(
        records in prop::collection::vec((record(), any::<prop::sample::Index>(), "[ -~]"), 1..8),
    ) {
        let damaged: Vec<String> = records
            .into_iter()
            .map(|(record, at, byte)| {
                let places: Vec<usize> = record.char_indices().map(|(i, _)| i).collect();
                let at = *at.get(&places);
                let next = record[at..].chars().next().map_or(0, char::len_utf8);
                format!("{}{byte}{}", &record[..at], &record[at + next..])
            })
            .filter(|line| match serde_json::from_str::<Value>(line) {
                // A second value of the same key: the other reader takes the last one. Floats and exponents: its own type.
                Ok(value) => plain(&value) && same_keys(line, &value),
                // RFC 8259 allows numbers of any size, the other reader's type does not.
                Err(_) => serde_json::from_str::<serde::de::IgnoredAny>(line).is_err(),
            })
            .filter(|line| !line.trim().is_empty())
            .collect();
        check(&damaged, Shape::Lines, 4_096)?;
    }
}

/// No numbers but whole ones.
fn plain(value: &Value) -> bool {
    match value {
        Value::Number(n) => n.is_i64(),
        Value::Array(items) => items.iter().all(plain),
        Value::Object(map) => map.values().all(plain),
        _ => true,
    }
}

/// As many colons outside of strings as keys: none came twice.
fn same_keys(line: &str, value: &Value) -> bool {
    fn keys(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(keys).sum(),
            Value::Object(map) => map.len() + map.values().map(keys).sum::<usize>(),
            _ => 0,
        }
    }
    let (mut string, mut escape, mut colons) = (false, false, 0);
    for byte in line.bytes() {
        match byte {
            _ if escape => escape = false,
            b'\\' if string => escape = true,
            b'"' => string = !string,
            b':' if !string => colons += 1,
            _ => {}
        }
    }
    colons == keys(value)
}

/// Pieces of JSON in any order: no panic, no hang, books that balance (checked by the suite).
#[test]
fn any_pieces_in_any_order_are_read_or_refused() {
    const PIECES: [&[u8]; 28] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\n",
        b" ",
        b"\"a\":",
        b"\"b\"",
        b"1",
        b"-",
        b"1.5",
        b"1e9",
        b"true",
        b"null",
        b"nul",
        b"{\"a\":1}\n",
        b"{\"a\":{\"b\":[1]}},",
        b"\\ud800",
        b"\\u4e2d",
        b"\xe5\xbc\xa0",
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"2026-01-02",
    ];
    let formats: Vec<Arc<dyn Format>> = [
        JsonOptions::default(),
        JsonOptions { shape: Shape::Lines, ..JsonOptions::default() },
        JsonOptions { shape: Shape::Array, record: Some("/a".into()), ..JsonOptions::default() },
        JsonOptions { encoding: Some("gb18030".into()), ..JsonOptions::default() },
        JsonOptions {
            encoding: Some("utf-16le".into()),
            unknown: Unknown::Keep,
            ..JsonOptions::default()
        },
    ]
    .map(|options| Arc::new(Json::new(options)) as Arc<dyn Format>)
    .to_vec();
    let mut random = Random(11);
    for _ in 0..400 {
        let mut data = vec![random.number() as u8];
        for _ in 0..random.below(24) {
            data.extend_from_slice(PIECES[random.below(PIECES.len() as u64) as usize]);
        }
        for format in &formats {
            anything(Arc::clone(format), &data);
        }
    }
}

#[test]
fn the_registry_reads_as_arrow_reads_it() {
    let mut text = Vec::new();
    generate::write_ndjson(&mut text, 3_000, 3).unwrap();
    let reader = arrow_json::ReaderBuilder::new(generate::schema()).with_batch_size(8_192);
    let wanted = reader.build(text.as_slice()).unwrap().next().unwrap().unwrap();
    let items = text.trim_ascii().iter().map(|b| if *b == b'\n' { b',' } else { *b });
    let array: Vec<u8> = [b'['].into_iter().chain(items).chain([b']']).collect();
    for (shape, bytes) in [(Shape::Lines, text), (Shape::Array, array)] {
        let format = Json::new(JsonOptions { shape, ..JsonOptions::default() });
        let options =
            DecodeOptions { schema: Some(generate::schema()), ..DecodeOptions::default() };
        let got = decode(
            format.decoder(options).unwrap(),
            vec![Input::Bytes(bytes.into()), Input::EndOfStream],
        );
        assert_eq!(got.batches, std::slice::from_ref(&wanted));
    }
}
