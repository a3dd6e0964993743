//! Records walked by hand and records read by quick-xml: the same rows, the same refusals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Options};
use fenhe_testkit::format::{Random, decode};
use fenhe_xml::Xml;

/// Rows, record numbers and codes of rejects, and the code of the fatal error.
type Outcome = (Vec<String>, Vec<(u64, String)>, Option<String>);

fn read(bytes: Vec<u8>) -> Outcome {
    let options = Options::from_pairs(["record=/r/p", "types=text"]).unwrap();
    let format = Xml::from_options(&options).unwrap();
    let schema = {
        let fields = ["@k", "n", "m"]
            .map(|n| arrow_schema::Field::new(n, arrow_schema::DataType::Utf8, true));
        std::sync::Arc::new(arrow_schema::Schema::new(fields.to_vec()))
    };
    let open = DecodeOptions { schema: Some(schema), ..DecodeOptions::default() };
    let decoder = format.decoder(open).unwrap();
    let got = decode(decoder, vec![Input::Bytes(Bytes::from(bytes)), Input::EndOfStream]);
    let rejects = got.rejects.iter().map(|r| (r.record, r.fault.code.to_string())).collect();
    (got.rows, rejects, got.error.map(|e| e.code().to_owned()))
}

#[test]
fn whatever_is_broken_the_walker_accepts_no_more_and_no_less() {
    let good = "<p k=\"1\">\n  <n>a 中 b</n>\n  <m>1</m>\n</p>";
    let pieces: [&[u8]; 22] = [
        b"<",
        b">",
        b"&",
        b"&amp;",
        b"&#0;",
        b"&x;",
        b"]]>",
        b"\0",
        b"\x0c",
        b"\r\n",
        b"/",
        b"\"",
        b"'",
        b"<!--x-->",
        b"<![CDATA[<]]>",
        b"<?x?>",
        b"<n>",
        b"</n>",
        b"<m/>",
        b" k='2'",
        b"\xEF\xBF\xBF",
        b"x",
    ];
    let mut random = Random(11);
    let mut refused = 0;
    for _ in 0..4_000 {
        let mut record = good.as_bytes().to_vec();
        for _ in 0..1 + random.below(2) {
            // Behind the name of the record, which has to stay for the comparison.
            let at = 3 + usize::try_from(random.below(record.len() as u64 - 3)).unwrap();
            let piece = pieces[usize::try_from(random.below(22)).unwrap()];
            let cut = usize::try_from(random.below(3)).unwrap().min(record.len() - at);
            record.splice(at..at + cut, piece.iter().copied());
        }
        let document = |record: &[u8], good: &str| {
            [b"<r>", good.as_bytes(), good.as_bytes(), record, b"\n", good.as_bytes(), b"</r>"]
                .concat()
        };
        let walked = read(document(&record, good));
        // A declaration on every record keeps the walker away from it.
        let declare = |text: &[u8]| [b"<p xmlns:z=\"z\"", &text[2..]].concat();
        let slow = String::from_utf8(declare(good.as_bytes())).unwrap();
        let by_quick_xml = read(document(&declare(&record), &slow));
        assert_eq!(walked, by_quick_xml, "{}", String::from_utf8_lossy(&record));
        refused += usize::from(walked.2.is_some());
    }
    assert!(refused > 500, "only {refused} documents were broken");
}
