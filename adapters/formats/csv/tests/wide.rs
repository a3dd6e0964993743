//! UTF-16: what spreadsheets call "Unicode text".

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use fenhe_core::{DecodeOptions, EncodeOptions, Format, Input, Limits, Options, Sample};
use fenhe_csv::Csv;
use fenhe_testkit::format::{Broken, Case, conforms, decode, rechunking, resumes_everywhere};
use fenhe_text::Encoding;

const PEOPLE: &str = "id\tname\tfee\r\n1\t王小明\t12.50\r\n2\tMüller\t0.05\r\n3\t\"\u{20087}\t\"\t-7.00\r\n4\t\t1.00\r\n";

fn csv(pairs: &[&str]) -> Csv {
    Csv::from_options(&Options::from_pairs(pairs.iter().copied()).unwrap()).unwrap()
}

/// As spreadsheets write it: with the mark.
fn wide(encoding: Encoding, text: &str) -> Vec<u8> {
    [encoding.bom(), &encoding.encode(text).unwrap()].concat()
}

#[test]
fn wide_streams_keep_every_promise() {
    for (encoding, label) in
        [(Encoding::UTF_16LE, "encoding=utf-16le"), (Encoding::UTF_16BE, "encoding=utf-16be")]
    {
        let bytes = wide(encoding, PEOPLE);
        let settled =
            ["types=text", label, "delimiter=tab", "quote=\"", "escape=doubled", "header=true"];
        let said = Case::new("said", Arc::new(csv(&settled)), bytes.clone()).lossless();
        let bare = encoding.encode(PEOPLE).unwrap();
        let bare = Case::new("without mark", Arc::new(csv(&settled)), bare).lossless();
        // Two records, and the one between has half a pair: its record is refused at its place in the source.
        let mut half = encoding.encode("a\tb\n1\tx\n2\t?y\n3\tz\n").unwrap();
        let at = encoding.encode("a\tb\n1\tx\n2\t").unwrap().len();
        let unit = 0xD800_u16;
        let unit =
            if encoding == Encoding::UTF_16BE { unit.to_be_bytes() } else { unit.to_le_bytes() };
        half[at..at + 2].copy_from_slice(&unit);
        let broken = Broken {
            case: Case::new("half a pair", Arc::new(csv(&settled)), half),
            rejects: vec![(2, 16, "value.bad_characters")],
            rows: 2,
        };
        let ragged = Broken {
            case: Case::new(
                "ragged",
                Arc::new(csv(&settled)),
                wide(encoding, "a\tb\n中\t2\n3\n\u{20087}\t5\n6\t7\t8\n9\t0\n"),
            ),
            // The mark, "a\tb\n" and "中\t2\n" are 9 units; "3\n" has 2, the next record 5 with its pair.
            rejects: vec![(2, 18, "csv.fields"), (4, 32, "csv.fields")],
            rows: 3,
        };
        conforms(&[said, bare], &[broken, ragged], &[]);
        // Nobody says anything: the stream tells.
        let found = Case::new("found", Arc::new(csv(&[])), bytes).lossless();
        rechunking(&found);
        resumes_everywhere(&found);
        fenhe_testkit::format::round_trip(&found);
    }
}

#[test]
fn it_is_recognised_and_explained() {
    let sample = Sample {
        bytes: wide(Encoding::UTF_16LE, PEOPLE).into(),
        complete: true,
        ..Sample::default()
    };
    let found = csv(&[]).infer(&sample).unwrap();
    let option = |name: &str| found.options.get(name).unwrap().as_str().unwrap().to_owned();
    assert_eq!((option("encoding"), option("delimiter")), ("UTF-16LE".into(), "\\t".into()));
    assert!(found.reasons[0].contains("byte order mark"), "{:?}", found.reasons);
    assert_eq!(found.datasets[0].records, Some(4));
    let types: Vec<String> =
        found.datasets[0].schema.fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Utf8", "Decimal128(18, 2)"]);
    let again = Csv::from_options(&found.options).unwrap();
    assert!(again.splitter(&DecodeOptions::default()).is_none());
}

#[test]
fn rejects_hold_the_bytes_of_the_source() {
    let bytes = wide(Encoding::UTF_16LE, "a,b\n1,x\n2\n3,z\n");
    let inputs = vec![Input::Bytes(Bytes::from(bytes)), Input::EndOfStream];
    let decoder = csv(&["types=text"]).decoder(DecodeOptions::default()).unwrap();
    let got = decode(decoder, inputs);
    let [reject] = got.rejects.as_slice() else { panic!("{:?}", got.rejects) };
    assert_eq!((reject.record, reject.line, reject.offset, reject.length), (2, Some(3), 18, 4));
    assert_eq!(&reject.raw[..], b"2\0\n\0");
}

#[test]
fn other_rows_can_be_written_wide_with_a_mark() {
    let decoder = csv(&["types=text"]).decoder(DecodeOptions::default()).unwrap();
    let text = "id,name\n1,王\u{20087}\n";
    let got = decode(decoder, vec![Input::Bytes(text.into()), Input::EndOfStream]);
    for (pairs, mark) in
        [(&["encoding=utf-16le"][..], true), (&["encoding=utf-16le", "bom=false"], false)]
    {
        let open = EncodeOptions { schema: got.batches[0].schema(), limits: Limits::default() };
        let mut encoder = csv(pairs).encoder(open).unwrap();
        let mut out = BytesMut::new();
        assert!(encoder.encode(&got.batches[0], &mut out).unwrap().is_empty());
        encoder.finish(&mut out).unwrap();
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mark: &[u8] = if mark { &[0xFF, 0xFE] } else { &[] };
        assert_eq!(out, [mark, &units].concat());
    }
}

#[test]
fn a_long_stream_goes_on_from_every_batch() {
    // More than is looked at before the first record, so that the sample ends inside of characters.
    let rows: String = (0..60_000).map(|n| format!("{n},王小明李秀英,{}.50\n", n % 900)).collect();
    let bytes = Bytes::from(wide(Encoding::UTF_16BE, &format!("id,name,fee\n{rows}")));
    let format = csv(&[]);
    let whole = decode(
        format.decoder(DecodeOptions::default()).unwrap(),
        bytes
            .chunks(100_001)
            .map(|c| Input::Bytes(bytes.slice_ref(c)))
            .chain([Input::EndOfStream])
            .collect(),
    );
    assert_eq!(whole.rows.len(), 60_000);
    for (position, seen, _) in whole.positions.iter().step_by(3) {
        let [first, from] =
            [position.prologue(), position.offset()].map(|n| usize::try_from(n).unwrap());
        assert_eq!(from % 2, 0);
        let open = DecodeOptions { from: Some(position.clone()), ..DecodeOptions::default() };
        let mut inputs = vec![Input::Bytes(bytes.slice(..first))];
        if from < bytes.len() {
            inputs.push(Input::Bytes(bytes.slice(from..)));
        }
        inputs.push(Input::EndOfStream);
        let rest = decode(format.decoder(open).unwrap(), inputs);
        assert!(rest.rows == whole.rows[*seen..], "from {from}");
    }
}
