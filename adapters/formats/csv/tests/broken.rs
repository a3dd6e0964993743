//! Broken streams: nothing is lost, nothing is silent, memory stays bounded.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Kind, Limits, Options, Output};
use fenhe_csv::Csv;
use fenhe_testkit::format::{Decoded, Random, decode};
use proptest::prelude::*;

fn format(pairs: &[&str]) -> Arc<dyn Format> {
    Arc::new(Csv::from_options(&Options::from_pairs(pairs.iter().copied()).unwrap()).unwrap())
}

fn whole(pairs: &[&str], limits: Limits, bytes: &[u8]) -> Decoded {
    let open = DecodeOptions { limits, ..DecodeOptions::default() };
    let decoder = format(pairs).decoder(open).unwrap();
    let bytes = Bytes::copy_from_slice(bytes);
    let inputs = if bytes.is_empty() { vec![] } else { vec![Input::Bytes(bytes)] };
    decode(decoder, inputs.into_iter().chain([Input::EndOfStream]).collect())
}

const SETTLED: [&str; 3] = ["encoding=gb18030", "delimiter=,", "header=true"];

#[test]
fn one_broken_record_in_a_hundred_is_named_exactly_and_all_others_are_delivered() {
    let schema = "[[field]]\nname = \"id\"\ntype = \"int64\"\n[[field]]\nname = \"name\"\ntype = \"text\"\n[[field]]\nname = \"born\"\ntype = \"date\"\n[[field]]\nname = \"fee\"\ntype = \"decimal(10,2)\"\n";
    let mut options = Options::from_pairs(SETTLED).unwrap();
    options.set("schema", serde_json::json!({"name": "fee.toml", "text": schema}));
    let format = Csv::from_options(&options).unwrap();
    let (mut bytes, mut wanted, mut random) =
        (b"id,name,born,fee\n".to_vec(), Vec::new(), Random(3));
    for record in 1..=20_000_u64 {
        let good = [
            &b"\xD5\xC5\xCE\xB0,2026-01-02,12.50"[..],
            b"\"\xD5\xC5,\"\"\xCE\xB0\",2024-02-29,-0.05",
            b",,",
        ];
        let mut rest = good[random.below(3) as usize].to_vec();
        if record % 100 == 7 {
            let kinds = [
                (&b"\xD5\xC5,2026-01-02,12.505"[..], "value.too_many_fraction_digits"),
                (b"\xD5\xC5,2026-02-29,1.00", "value.no_such_date"),
                (b"\xD5\xC5,1.00", "csv.fields"),
                (b"\xD5\xC5,2026-01-02,1.00,9", "csv.fields"),
                (b"\xD5\x20,2026-01-02,1.00", "value.bad_characters"),
                (b"\"x\"y,2026-01-02,1.00", "csv.stray_quote"),
                (b"\xD5\xC5,2026-01-02,twelve", "value.not_a_number"),
            ];
            let (raw, code) = kinds[random.below(7) as usize];
            rest = raw.to_vec();
            wanted.push((record, Some(record + 1), bytes.len() as u64, code.to_owned()));
        }
        bytes.extend_from_slice(format!("{record},").as_bytes());
        bytes.extend_from_slice(&rest);
        bytes.extend_from_slice(if record % 3 == 0 { b"\r\n" } else { b"\n" });
    }
    let chunks: Vec<Input> =
        bytes.chunks(10_007).map(|c| Input::Bytes(Bytes::copy_from_slice(c))).collect();
    let got = decode(
        format.decoder(DecodeOptions::default()).unwrap(),
        chunks.into_iter().chain([Input::EndOfStream]).collect(),
    );
    assert!(got.error.is_none(), "{:?}", got.error);
    let found: Vec<_> = got
        .rejects
        .iter()
        .map(|r| (r.record, r.line, r.offset, r.fault.code.to_string()))
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(got.numbers, (1..=20_000).filter(|n| n % 100 != 7).collect::<Vec<_>>());
    let ids = got.batches.iter().flat_map(|b| {
        b.column(0).as_primitive::<arrow_array::types::Int64Type>().values().to_vec()
    });
    assert_eq!(ids.map(|id| id as u64).collect::<Vec<_>>(), got.numbers);
    for reject in &got.rejects {
        let from = usize::try_from(reject.offset).unwrap();
        assert_eq!(reject.raw, bytes[from..from + reject.length as usize]);
    }
}

#[test]
fn an_open_quote_ends_at_its_place_with_bounded_memory() {
    let limits = Limits { record: 1 << 20, ..Limits::default() };
    let open = DecodeOptions { limits, ..DecodeOptions::default() };
    let mut decoder = format(&["encoding=utf-8", "delimiter=,", "header=true", "types=text"])
        .decoder(open)
        .unwrap();
    let filler = Bytes::from(vec![b'x'; 100 << 10]);
    let mut first = Some(Bytes::from_static(b"a,b\n1,2\n3,\"4"));
    let (mut rows, mut fed) = (0, 0_u64);
    let error = loop {
        match decoder.next() {
            Ok(Output::Batch(batch)) => rows += batch.rows(),
            Ok(Output::NeedInput) => {
                let bytes = first.take().unwrap_or_else(|| filler.clone());
                fed += bytes.len() as u64;
                assert!(fed < 4 << 20, "goes on reading behind the limit");
                decoder.feed(Input::Bytes(bytes)).unwrap();
            }
            Ok(Output::Done) => panic!("done"),
            Err(error) => break error,
        }
    };
    assert_eq!(
        (rows, error.code(), error.offset(), error.record()),
        (1, "csv.unterminated_quote", Some(10), Some(2))
    );
    assert_eq!(decoder.next().unwrap_err().kind(), Kind::Poisoned);
}

#[test]
fn a_record_without_an_end_is_passed_over_and_counted() {
    let limits = Limits { record: 64, reject_raw: 16, ..Limits::default() };
    let long = "y".repeat(5_000);
    let text = format!("a,b\n1,2\n3,{long}\n5,6\n");
    let got = whole(
        &["encoding=utf-8", "delimiter=,", "header=true", "types=text"],
        limits,
        text.as_bytes(),
    );
    assert_eq!(got.numbers, [1, 3]);
    let reject = &got.rejects[0];
    assert_eq!(
        (reject.record, reject.offset, reject.length, reject.raw.len(), reject.raw_cut),
        (2, 8, 5_003, 16, true)
    );
    assert_eq!(reject.fault.code, "core.limit");
    assert!(reject.to_string().contains("limit record"), "{reject}");
}

#[test]
fn a_field_and_a_number_of_fields_over_the_limit_are_rejects() {
    let limits = Limits { field: 8, fields: 4, ..Limits::default() };
    let text = "a,b\n1,123456789\n2,3\n1,2,3,4,5,6\n4,5\n";
    let got = whole(
        &["encoding=utf-8", "delimiter=,", "header=true", "types=text", "ragged=pad"],
        limits,
        text.as_bytes(),
    );
    let codes: Vec<_> = got
        .rejects
        .iter()
        .map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str()))
        .collect();
    assert_eq!(codes, [(1, "core.limit", "b"), (3, "csv.fields", "")]);
}

#[test]
fn an_empty_stream_says_that_there_is_no_header() {
    let error = whole(&["header=true"], Limits::default(), b"").error.unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Truncated, "csv.header"));
}

#[test]
fn utf_32_is_refused_with_advice() {
    let bytes = b"\xFF\xFE\0\0a\0\0\0,\0\0\0b\0\0\0\n\0\0\0";
    let error = whole(&[], Limits::default(), bytes).error.unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Config, "csv.option"));
    assert!(error.hint_text().is_some());
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&[u8]; 20] = [
        b"a",
        b",",
        b"\n",
        b"\r\n",
        b"\"",
        b"\"\"",
        b"\xD6\xD0",
        b"\x81",
        b"\r",
        b"1,2\n",
        b"1,2\n",
        b"\"x\"\"y\",\"\"\n",
        b"\"q\nr\",b\r\n",
        b"\x1A",
        b"\\",
        b"|",
        b"1|!2\n",
        b"#c\n",
        b"\x81\x7C",
        b"yyyyyyyyyy",
    ];
    proptest::collection::vec((0..PIECES.len()).prop_map(|at| PIECES[at]), 0..80)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]
    #[test]
    fn whatever_the_bytes_are_the_chunks_make_no_difference(
        data in pieces(), dialect in 0usize..5, seed: u64, small: bool, resync: bool, pad: bool, rows in 1u64..6, tail: bool,
    ) {
        let dialects: [&[&str]; 5] = [
            &["delimiter=,", "quote=\""], &["delimiter=|", "quote=none"], &["delimiter=|!", "quote=\"", "comment=#"],
            &["delimiter=,", "quote=\"", "escape=\\"], &["delimiter=,", "quote=\"", "line_end=lf", "blank_lines=record"],
        ];
        let mut pairs = vec!["encoding=gb18030", "header=false", "types=text"];
        pairs.extend(dialects[dialect]);
        pairs.push(if resync { "unterminated=resync" } else { "unterminated=stop" });
        pairs.push(if pad { "ragged=pad" } else { "ragged=reject" });
        if tail {
            pairs.push("skip_tail=2");
        }
        let mut limits = Limits { batch_rows: rows, ..Limits::default() };
        if small {
            limits = Limits { record: 12, field: 6, batch_bytes: 30, ..limits };
        }
        let one = whole(&pairs, limits.clone(), &data);
        let open = DecodeOptions { limits, ..DecodeOptions::default() };
        let mut random = Random(seed);
        let mut rest = Bytes::copy_from_slice(&data);
        let mut inputs = Vec::new();
        while !rest.is_empty() {
            let take = 1 + random.below(if seed % 2 == 0 { 3 } else { 40 }) as usize;
            inputs.push(Input::Bytes(rest.split_to(take.min(rest.len()))));
        }
        inputs.push(Input::EndOfStream);
        let many = decode(format(&pairs).decoder(open).unwrap(), inputs);
        prop_assert_eq!(&one.rows, &many.rows);
        prop_assert_eq!(&one.numbers, &many.numbers);
        prop_assert_eq!(&one.rejects, &many.rejects);
        prop_assert_eq!(one.error.as_ref().map(ToString::to_string), many.error.as_ref().map(ToString::to_string));
        let sizes = |d: &Decoded| d.batches.iter().map(arrow_array::RecordBatch::num_rows).collect::<Vec<_>>();
        prop_assert_eq!(sizes(&one), sizes(&many));
        // Every byte is in a row, a reject, or named as passed over; the numbers have no gap.
        let mut numbers: Vec<u64> = one.numbers.iter().copied().chain(one.rejects.iter().map(|r| r.record)).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=one.read).collect::<Vec<_>>());
    }
}
