//! Records one by one: signs, padding, cut characters, totals, broken files.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::BytesMut;
use fenhe_core::{
    ControlTotal, DecodeOptions, EncodeOptions, Format, Input, Kind, Options, Output, RecordBatch,
    Reject,
};
use fenhe_fixed::Fixed;
use fenhe_testkit::rows;
use fenhe_text::Encoding;

struct Read {
    rows: Vec<String>,
    batches: Vec<RecordBatch>,
    rejects: Vec<Reject>,
    totals: Vec<ControlTotal>,
    notes: Vec<String>,
}

fn format(layout: &str, more: &[(&str, &str)]) -> Fixed {
    try_format(layout, more).unwrap()
}

fn try_format(layout: &str, more: &[(&str, &str)]) -> fenhe_core::Result<Fixed> {
    let mut options = Options::new();
    options.set("layout", serde_json::json!({"name": "test.toml", "text": layout}));
    for (key, value) in more {
        options.set(*key, *value);
    }
    Fixed::from_options(&options)
}

fn read(format: &Fixed, bytes: &[u8]) -> Read {
    read_in(format, bytes, bytes.len())
}

fn read_in(format: &Fixed, bytes: &[u8], chunk: usize) -> Read {
    let mut decoder = format.decoder(DecodeOptions::default()).unwrap();
    let mut inputs: Vec<Input> =
        bytes.chunks(chunk.max(1)).map(|c| Input::Bytes(c.to_vec().into())).collect();
    inputs.push(Input::EndOfStream);
    let mut inputs = inputs.into_iter();
    let (mut batches, mut rejects) = (Vec::new(), Vec::new());
    loop {
        match decoder.next().unwrap() {
            Output::NeedInput => decoder.feed(inputs.next().unwrap()).unwrap(),
            Output::Done => break,
            Output::Batch(batch) => {
                batches.push(batch.records);
                rejects.extend(batch.rejects);
            }
        }
    }
    Read {
        rows: rows(&batches),
        batches,
        rejects,
        totals: decoder.declared(),
        notes: decoder.notes(),
    }
}

fn write(format: &Fixed, batches: &[RecordBatch]) -> (Vec<u8>, Vec<Reject>) {
    let schema = batches[0].schema();
    let mut encoder =
        format.encoder(EncodeOptions { schema, limits: fenhe_core::Limits::default() }).unwrap();
    let (mut out, mut rejects) = (BytesMut::new(), Vec::new());
    for batch in batches {
        rejects.extend(encoder.encode(batch, &mut out).unwrap());
    }
    encoder.finish(&mut out).unwrap();
    (out.to_vec(), rejects)
}

fn one_field(encoding: &str, length: usize, more: &str) -> String {
    format!(
        "[layout]\nencoding = \"{encoding}\"\nline_end = \"lf\"\n[[field]]\nname = \"v\"\nlength = {length}\n{more}\n"
    )
}

#[test]
fn a_layout_needs_no_head() {
    let layout = "[[field]]\nname = \"a\"\nlength = 2\n[[field]]\nname = \"n\"\nlength = 3\ntype = \"int32\"\n";
    let got = read(&format(layout, &[]), b"ab012\ncd  7\n");
    assert_eq!(got.rows, ["{\"a\":\"ab\",\"n\":12}", "{\"a\":\"cd\",\"n\":7}"]);
}

#[test]
fn values_that_were_replaced_or_left_out_are_counted() {
    let layout = "[layout]\nline_end = \"lf\"\n[[field]]\nname = \"a\"\nlength = 2\n\
        [[field]]\nname = \"n\"\nlength = 3\ntype = \"int32\"\n\
        [[field]]\nname = \"m\"\nlength = 1\ntype = \"int32\"\nrequired = true\n";
    // The third record is refused for its last field, and what else it holds is not lost.
    let bytes = b"ab0121\n\xFF\xFF x71\nab x7x\ncd x71\n";
    let told =
        |values: u64| format!("{values} values could not be read and were replaced or left out");
    let got = read(&format(layout, &[("invalid", "null")]), bytes);
    assert_eq!((got.rows.len(), got.rejects.len()), (3, 1));
    assert_eq!(got.notes, [told(3)]);
    let got = read(&format(layout, &[("invalid", "replace")]), bytes);
    assert_eq!((got.rows.len(), got.rejects.len()), (1, 3));
    assert!(got.notes.is_empty(), "{:?}", got.notes);
    let got = read(&format(layout, &[("invalid", "replace")]), b"\xFF\xFF0121\n");
    assert_eq!(got.notes, [told(1)]);
}

#[test]
fn signs_are_read_and_written_where_cobol_puts_them() {
    // Sign tables: Micro Focus and GnuCOBOL manuals (ASCII), IBM Enterprise COBOL Language Reference (zones C, D, F).
    let cases = [
        ("overpunch", "00123", "1.23"),
        ("overpunch", "0012s", "-1.23"),
        ("overpunch", "0000p", "0.00"),
        ("overpunch_leading", "p0123", "-1.23"),
        ("overpunch_ebcdic", "0012C", "1.23"),
        ("overpunch_ebcdic", "0012L", "-1.23"),
        ("overpunch_ebcdic", "0012}", "-1.20"),
        ("overpunch_ebcdic", "0012{", "1.20"),
        ("overpunch_ebcdic_leading", "J0123", "-101.23"),
        ("leading_separate", "+0123", "1.23"),
        ("leading_separate", "-0123", "-1.23"),
        ("trailing_separate", "0123+", "1.23"),
        ("trailing_separate", "0123-", "-1.23"),
        ("leading", "00123", "1.23"),
        ("leading", "-0123", "-1.23"),
        ("none", "00123", "1.23"),
    ];
    for (sign, field, value) in cases {
        let layout = one_field(
            "gbk",
            5,
            &format!("type = \"decimal(5,2)\"\nimplied = 2\nsign = \"{sign}\""),
        );
        let format = format(&layout, &[]);
        let line = format!("{field}\n");
        let found = read(&format, line.as_bytes());
        assert_eq!(found.rows, [format!("{{\"v\":{value}}}")], "{sign} {field}");
        // Minus zero is zero, and zero is written with a plus.
        if field != "0000p" {
            assert_eq!(write(&format, &found.batches).0, line.as_bytes(), "{sign} {field}");
        }
    }
    for (sign, field) in [
        ("overpunch", "0012A"),
        ("overpunch_ebcdic", "0012s"),
        ("none", "-0123"),
        ("overpunch", "0012-"),
    ] {
        let layout = one_field(
            "gbk",
            5,
            &format!("type = \"decimal(5,2)\"\nimplied = 2\nsign = \"{sign}\""),
        );
        let found = read(&format(&layout, &[]), format!("{field}\n").as_bytes());
        assert_eq!(found.rejects[0].fault.code, "value.not_a_number", "{sign} {field}");
    }
}

#[test]
fn ebcdic_records_without_separators_are_read_and_written() {
    let layout = "[layout]\nencoding = \"ibm037\"\nline_end = \"none\"\n\
        [[field]]\nname = \"name\"\nlength = 6\n\
        [[field]]\nname = \"n\"\nlength = 3\ntype = \"int32\"\nsign = \"overpunch_ebcdic\"\n\
        [[field]]\nname = \"d\"\nlength = 8\ntype = \"date\"\n";
    let format = format(layout, &[]);
    let mut bytes = vec![0xC8, 0xC5, 0xD3, 0xD3, 0xD6, 0x40, 0xF1, 0xF2, 0xD3];
    bytes.extend(b"\xF2\xF0\xF2\xF6\xF0\xF1\xF0\xF2");
    let found = read(&format, &bytes);
    // F1 F2 D3 is -123: IBM Enterprise COBOL Language Reference, USAGE DISPLAY with an overpunched sign.
    assert_eq!(found.rows, ["{\"name\":\"HELLO\",\"n\":-123,\"d\":\"2026-01-02\"}"]);
    assert_eq!(write(&format, &found.batches).0, bytes);
}

#[test]
fn half_a_character_at_the_end_of_a_field_is_a_reject_or_left_out() {
    let layout = one_field("gbk", 5, "");
    let line = b"\xD6\xD0\xB9\xFA\xC8\n";
    let found = read(&format(&layout, &[]), line);
    assert_eq!(found.rejects[0].fault.code, "fixed.cut_character");
    assert_eq!(
        (found.rejects[0].record, found.rejects[0].offset, found.rejects[0].length),
        (1, 0, 6)
    );
    let found = read(&format(&layout, &[("cut", "drop")]), line);
    assert_eq!(found.rows, ["{\"v\":\"中国\"}"]);
    let found = read(&format(&layout, &[("invalid", "null")]), line);
    assert_eq!(found.rows, ["{\"v\":null}"]);
}

#[test]
fn padding_is_taken_away_on_its_side_only() {
    let text = |more: &str, line: &[u8]| {
        read(&format(&one_field("gbk", 6, more), &[]), line).rows[0].clone()
    };
    assert_eq!(text("pad = \"_\"", b"__ab__\n"), "{\"v\":\"__ab\"}");
    assert_eq!(text("pad = \"0\"\njustify = \"right\"", b"000120\n"), "{\"v\":\"120\"}");
    assert_eq!(text("pad = \"\u{3000}\"", b"\xD6\xD0\xA1\xA1\xA1\xA1\n"), "{\"v\":\"中\"}");
    assert_eq!(text("trim = \"none\"", b" ab   \n"), "{\"v\":\" ab   \"}");
    assert_eq!(text("pad = \"*\"\ntype = \"decimal(6,2)\"", b"**1.50\n"), "{\"v\":1.50}");
}

const TOTALS: &str = "[layout]\nname = \"fee\"\nversion = \"2\"\nline_end = \"lf\"\n\
    [[record]]\nname = \"row\"\nwhen = { at = 1, equals = \"D\" }\n\
    [[record.field]]\nname = \"k\"\nlength = 1\n\
    [[record.field]]\nname = \"fee\"\nlength = 6\ntype = \"decimal(6,2)\"\n\
    [[record.field]]\nname = \"age\"\nlength = 3\ntype = \"int16\"\n\
    [[record]]\nname = \"end\"\nwhen = { at = 1, equals = \"T\" }\n\
    [[record.field]]\nname = \"k\"\nlength = 1\n\
    [[record.field]]\nname = \"n\"\nlength = 3\ntype = \"int32\"\n\
    [[record.field]]\nname = \"sum\"\nlength = 8\ntype = \"decimal(8,2)\"\n\
    [record.totals]\nrecords = \"n\"\nsums = { sum = \"row.fee\" }\n";

fn total(of: &str, declared: &str, counted: &str, unreadable: u64) -> ControlTotal {
    ControlTotal { of: of.into(), declared: declared.into(), counted: counted.into(), unreadable }
}

#[test]
fn totals_count_every_record_read() {
    let format = format(TOTALS, &[]);
    let good = "D 12.50 10\nD -2.50 11\nT  2   10.00\n";
    assert_eq!(
        read(&format, good.as_bytes()).totals,
        [total("records", "2", "2", 0), total("row.fee", "10.00", "10.00", 0)]
    );
    // The second record is rejected for its age, but its fee can be read.
    let rejected = "D 12.50 10\nD -2.50 xx\nT  2   10.00\n";
    let found = read(&format, rejected.as_bytes());
    assert_eq!(found.rejects.len(), 1);
    assert_eq!(found.rejects[0].adapter, "fixed fee/2");
    assert!(found.totals.iter().all(ControlTotal::agrees));
    let lost = "D 12.50 10\nT  2   10.00\n";
    let found = read(&format, lost.as_bytes());
    assert_eq!(
        found.totals,
        [total("records", "2", "1", 0), total("row.fee", "10.00", "12.50", 0)]
    );
    let unreadable = "D 12.50 10\nD -x.50 11\nT  2   10.00\n";
    assert_eq!(
        read(&format, unreadable.as_bytes()).totals[1],
        total("row.fee", "10.00", "12.50", 1)
    );
    // A file that was cut before its trailer agrees with nothing.
    assert_eq!(read(&format, b"D 12.50 10\n").totals[0], total("records", "", "1", 0));
}

#[test]
fn totals_survive_a_resume() {
    let format = format(TOTALS, &[]);
    let bytes = b"D 12.50 10\nD -2.50 11\nT  2   10.00\n";
    let limits = fenhe_core::Limits { batch_rows: 1, ..fenhe_core::Limits::default() };
    let mut decoder = format.decoder(DecodeOptions { limits, ..DecodeOptions::default() }).unwrap();
    decoder.feed(Input::Bytes(bytes.to_vec().into())).ok();
    let Output::Batch(first) = decoder.next().unwrap() else { panic!("no batch") };
    let from = usize::try_from(first.position.offset()).unwrap();
    let mut decoder = format
        .decoder(DecodeOptions { from: Some(first.position), ..DecodeOptions::default() })
        .unwrap();
    decoder.feed(Input::Bytes(bytes[from..].to_vec().into())).unwrap();
    while !matches!(decoder.next().unwrap(), Output::NeedInput) {}
    decoder.feed(Input::EndOfStream).unwrap();
    while !matches!(decoder.next().unwrap(), Output::Done) {}
    assert!(decoder.declared().iter().all(ControlTotal::agrees), "{:?}", decoder.declared());
}

#[test]
fn one_broken_record_in_a_hundred_is_found_at_its_place() {
    let layout = "[layout]\nname = \"big\"\nversion = \"1\"\nencoding = \"gbk\"\nrecord_length = 24\nline_end = \"lf\"\n\
        [[field]]\nname = \"id\"\nlength = 8\ntype = \"int64\"\npad = \"0\"\n\
        [[field]]\nname = \"name\"\nlength = 8\n\
        [[field]]\nname = \"fee\"\nlength = 8\ntype = \"decimal(8,2)\"\n";
    let format = format(layout, &[]);
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for record in 1..=20_000_u64 {
        let offset = bytes.len() as u64;
        let mut line = Encoding::GBK
            .encode(&format!("{record:08}张三    {:8.2}\n", record as f64 / 4.0))
            .unwrap();
        if record % 100 == 37 {
            let code = match record / 100 % 5 {
                0 => {
                    line[19] = b'x';
                    "value.not_a_number"
                }
                1 => {
                    line.remove(3);
                    "fixed.short"
                }
                2 => {
                    line.insert(3, b'0');
                    "fixed.long"
                }
                3 => {
                    line[15] = 0xD6;
                    "fixed.cut_character"
                }
                _ => {
                    line[8] = 0xFF;
                    "value.bad_characters"
                }
            };
            expected.push((record, offset, code.to_owned()));
        }
        bytes.extend(line);
    }
    for chunk in [bytes.len(), 1 << 16, 997] {
        let found = read_in(&format, &bytes, chunk);
        let places: Vec<_> =
            found.rejects.iter().map(|r| (r.record, r.offset, r.fault.code.to_string())).collect();
        assert_eq!(places, expected);
        assert_eq!(found.rows.len(), 20_000 - expected.len());
        for reject in &found.rejects {
            let from = usize::try_from(reject.offset).unwrap();
            assert_eq!(reject.raw, bytes[from..from + usize::try_from(reject.length).unwrap()]);
            assert_eq!(reject.line, Some(reject.record));
        }
    }
}

#[test]
fn an_end_of_file_mark_is_no_record() {
    let lines = format(&one_field("gbk", 3, ""), &[]);
    for bytes in [&b"abc\ndef\n\x1A"[..], b"abc\ndef\x1A", b"abc\r\ndef\r\n\x1A\x1A"] {
        let found = read(&lines, bytes);
        assert_eq!((found.rows.len(), found.rejects.len()), (2, 0), "{bytes:?}");
        assert!(found.notes.iter().any(|n| n.contains("end-of-file")), "{:?}", found.notes);
    }
    let packed = format(&one_field("gbk", 3, "").replace("\"lf\"", "\"none\""), &[]);
    let found = read(&packed, b"abcdef\x1A");
    assert_eq!((found.rows.len(), found.rejects.len()), (2, 0));
}

#[test]
fn a_record_length_that_does_not_divide_the_file_is_a_truncated_tail() {
    let packed = format(&one_field("gbk", 4, "").replace("\"lf\"", "\"none\""), &[]);
    let found = read(&packed, b"abcdefghij");
    assert_eq!(found.rows.len(), 2);
    let reject = &found.rejects[0];
    assert_eq!(
        (reject.fault.code.as_ref(), reject.record, reject.offset, reject.length),
        ("fixed.truncated_tail", 3, 8, 2)
    );
}

#[test]
fn a_file_with_line_ends_is_not_read_as_one_without() {
    let text = one_field("gbk", 3, "").replace("\"lf\"", "\"none\"");
    let found = read(&format(&text, &[]), b"abc\ndef\nghi\n");
    // Every record of the shifted file shows it.
    assert!(found.rejects.iter().all(|r| r.fault.code == "fixed.line_end"), "{:?}", found.rejects);
    assert_eq!(found.rejects.len(), 3);
    let found = read(&format(&text, &[("frame", "length")]), b"abca\nb");
    assert_eq!(found.rows, ["{\"v\":\"abc\"}", "{\"v\":\"a\\nb\"}"]);
}

#[test]
fn a_line_beyond_the_limit_is_passed_over_and_reported() {
    let layout = one_field("gbk", 3, "");
    let format = format(&layout, &[]);
    let mut bytes = b"abc\n".to_vec();
    bytes.extend(vec![b'x'; 5_000]);
    bytes.extend(b"\ndef\n");
    let limits =
        fenhe_core::Limits { record: 1_000, reject_raw: 10, ..fenhe_core::Limits::default() };
    for chunk in [bytes.len(), 100, 1] {
        let options = DecodeOptions { limits: limits.clone(), ..DecodeOptions::default() };
        let mut decoder = format.decoder(options).unwrap();
        let mut inputs = bytes
            .chunks(chunk)
            .map(|c| Input::Bytes(c.to_vec().into()))
            .chain([Input::EndOfStream]);
        let mut found = (Vec::new(), 0);
        loop {
            match decoder.next().unwrap() {
                Output::NeedInput => decoder.feed(inputs.next().unwrap()).unwrap(),
                Output::Done => break,
                Output::Batch(batch) => {
                    found.1 += batch.rows();
                    found.0.extend(batch.rejects);
                }
            }
        }
        let reject = &found.0[0];
        assert_eq!((found.0.len(), found.1), (1, 2), "chunks of {chunk}");
        assert_eq!(
            (reject.record, reject.offset, reject.length),
            (2, 4, 5_001),
            "chunks of {chunk}"
        );
        assert_eq!(
            (reject.raw.len(), reject.raw_cut, reject.fault.code.as_ref()),
            (10, true, "core.limit")
        );
    }
}

#[test]
fn kept_fillers_give_the_same_bytes_back() {
    let layout = "[layout]\nline_end = \"lf\"\nrecord_length = 12\n[[field]]\nname = \"a\"\nat = 1\nlength = 3\n\
        [[field]]\nname = \"b\"\nat = 6\nlength = 3\n";
    let bytes = b"abc12def3456\nghi  jkl    \n";
    let kept = format(layout, &[("fillers", "keep")]);
    let found = read(&kept, bytes);
    assert_eq!(found.rows[0], "{\"a\":\"abc\",\"b\":\"def\",\"_fillers\":\"313233343536\"}");
    assert_eq!(write(&kept, &found.batches).0, bytes);
    let dropped = format(layout, &[]);
    assert_eq!(write(&dropped, &read(&dropped, bytes).batches).0, b"abc  def    \nghi  jkl    \n");
}

#[test]
fn values_that_do_not_fit_are_rejected_and_never_cut() {
    let wide = format(&one_field("utf-8", 6, ""), &[]);
    let found = read(&wide, "中国\nabcd  \nab   \u{20}\n".as_bytes());
    let narrow = format(&one_field("gbk", 3, ""), &[]);
    let (out, rejects) = write(&narrow, &found.batches);
    assert_eq!(out, b"ab \n");
    let places: Vec<_> = rejects.iter().map(|r| (r.record, r.fault.code.as_ref())).collect();
    assert_eq!(places, [(1, "fixed.too_long"), (2, "fixed.too_long")]);
    let latin = format(&one_field("windows-1252", 9, ""), &[]);
    let (_, rejects) = write(&latin, &found.batches);
    assert_eq!(rejects[0].fault.code, "value.bad_characters");
}

#[test]
fn mistakes_in_a_layout_are_shown_at_line_and_column() {
    let cases = [
        ("[layout]\nname = \"x\"\n[[field]]\nname = \"a\"\nlenght = 3\n", (5, 1), "length"),
        (
            "[layout]\n[[field]]\nname = \"a\"\nlength = 3\ntype = \"decmal(3,1)\"\n",
            (5, 8),
            "decimal",
        ),
        ("[layout]\n[[field]]\nname = \"a\"\nlength = 0\n", (4, 10), ""),
        ("[layout]\n[[field]]\nname = \"a\"\nat = 0\nlength = 1\n", (4, 6), ""),
        ("[layout]\nrecord_length = 2\n[[field]]\nname = \"a\"\nlength = 3\n", (3, 1), ""),
        (
            "[layout]\n[[field]]\nname = \"a\"\nlength = 3\n[[field]]\nname = \"b\"\nat = 2\nlength = 3\n",
            (5, 1),
            "overlay",
        ),
        ("[layout]\nencoding = \"gkb\"\n[[field]]\nname = \"a\"\nlength = 3\n", (2, 12), ""),
    ];
    for (text, place, hint) in cases {
        let error = try_format(text, &[]).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Config, "fixed.layout"), "{error}");
        assert_eq!(error.line(), Some(place), "{error}\n{text}");
        assert_eq!(error.source_name_of(), Some("test.toml"));
        assert!(error.to_string().contains(hint), "{error}");
    }
    let unknown = TOTALS.replace("row.fee", "row.fe");
    let error = try_format(&unknown, &[]).unwrap_err();
    assert!(error.to_string().contains("did you mean fee?"), "{error}");
}

#[test]
fn several_record_types_come_back_in_their_order() {
    let format = format(TOTALS, &[("select", "all")]);
    let bytes = b"D 12.50 10\nT  1   12.50\nD  1.00  7\nT  1    1.00\n";
    let found = read(&format, bytes);
    assert_eq!(found.rows.len(), 4);
    assert_eq!(write(&format, &found.batches).0, bytes);
    assert_eq!(found.totals[0], total("records", "2", "2", 0));
}

#[test]
fn a_flat_schema_names_its_columns_and_their_places() {
    let format = format(TOTALS, &[]);
    let schema = Arc::clone(&read(&format, b"D 12.50 10\n").batches[0].schema());
    assert_eq!(schema.field(1).metadata()["fenhe.length"], "6");
}

mod alike {
    //! The uniform fast path, the listed path and the one-record path give the same rows and rejects.

    use proptest::prelude::*;

    use super::*;

    const LAYOUT: &str = "[layout]\nencoding = \"gbk\"\nline_end = \"lf\"\n\
        [[field]]\nname = \"n\"\nlength = 4\ntype = \"int32\"\n\
        [[field]]\nname = \"t\"\nlength = 6\n\
        [[field]]\nname = \"d\"\nlength = 5\ntype = \"decimal(5,2)\"\nsign = \"overpunch\"\n";

    fn field(length: usize) -> impl Strategy<Value = Vec<u8>> {
        let digits = "[0-9]{0,4}".prop_map(String::into_bytes);
        let punched = "[0-9]{4}[p-y]".prop_map(String::into_bytes);
        let chinese = "[张李中国 a-c]{0,3}".prop_map(|t| Encoding::GBK.encode(&t).unwrap());
        let rubbish = proptest::collection::vec(0x20..=0xFFu8, 0..6);
        prop_oneof![4 => digits, 3 => punched, 4 => chinese, 1 => rubbish].prop_map(
            move |mut bytes| {
                bytes.resize(length, b' ');
                bytes
            },
        )
    }

    fn record() -> impl Strategy<Value = Vec<u8>> {
        let whole = (field(4), field(6), field(5)).prop_map(|(a, b, c)| [a, b, c].concat());
        prop_oneof![30 => whole, 1 => proptest::collection::vec(0x20..0x7Fu8, 0..20)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn however_records_are_grouped(records in proptest::collection::vec(record(), 1..80)) {
            let format = format(LAYOUT, &[("blank_lines", "reject")]);
            let bytes: Vec<u8> = records.iter().flat_map(|r| [r.as_slice(), b"\n"].concat()).collect();
            let together = read(&format, &bytes);
            let (mut rows, mut rejects) = (Vec::new(), Vec::new());
            let mut offset = 0;
            for (number, record) in (1..).zip(&records) {
                let alone = read(&format, &[record.as_slice(), b"\n"].concat());
                rows.extend(alone.rows);
                rejects.extend(alone.rejects.into_iter().map(|r| (number, offset, r.fault)));
                offset += record.len() as u64 + 1;
            }
            prop_assert_eq!(&together.rows, &rows);
            let found: Vec<_> = together.rejects.into_iter().map(|r| (r.record, r.offset, r.fault)).collect();
            prop_assert_eq!(found, rejects);
            // A second encoding says the same rows again.
            if let Some(first) = together.batches.first().filter(|b| b.num_rows() > 0) {
                let (out, refused) = write(&format, std::slice::from_ref(first));
                prop_assert!(refused.is_empty());
                prop_assert_eq!(read(&format, &out).rows, rows);
            }
        }
    }
}
