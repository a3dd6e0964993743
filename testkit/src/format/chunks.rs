//! The same result, however the bytes are cut.

use fenhe_core::{DecodeOptions, Decoder, Part};

use super::{Case, Random, decode, decoded::decode_with};

/// The same rows, record numbers, rejects and offsets, however the bytes are cut.
pub fn rechunking(case: &Case) {
    if case.format.info().whole_object {
        return;
    }
    let whole = decode(case.decoder(), case.feed([case.bytes.clone()]));
    let mut random = Random(case.bytes.len() as u64 + 1);
    for size in [1, 2, 3, 7, 4_096, 0] {
        let mut chunks = Vec::new();
        let mut rest = case.bytes.clone();
        while !rest.is_empty() {
            let n = if size == 0 { 1 + random.below(97) as usize } else { size };
            chunks.push(rest.split_to(n.min(rest.len())));
        }
        if size < 3 && chunks.len() > 20_000 {
            continue;
        }
        let cut = decode(case.decoder(), case.feed(chunks));
        let what = format!("{}: chunks of {size} bytes", case.name);
        assert_eq!(cut.rows, whole.rows, "{what}: rows differ");
        assert_eq!(cut.numbers, whole.numbers, "{what}: record numbers differ");
        assert_eq!(cut.rejects, whole.rejects, "{what}: rejects differ");
        assert_eq!(
            cut.error.map(|e| e.to_string()),
            whole.error.as_ref().map(ToString::to_string),
            "{what}: the fatal error differs"
        );
    }
}

/// Chunks cut by the splitter decode alone as they do in the stream.
pub fn parts_decode_alike(case: &Case) {
    let Some(mut splitter) = case.format.splitter(&case.options) else {
        return;
    };
    let whole = case.decode();
    for (size, kept) in [(16, false), (16, true), (257, false), (257, true), (1 << 20, true)] {
        let mut before: Option<Box<dyn Decoder>> = None;
        let prologue = splitter
            .prologue(&case.bytes, true)
            .unwrap_or_else(|e| panic!("{}: {e}", case.name))
            .unwrap_or_else(|| panic!("{}: no prologue in the whole stream", case.name));
        let mut part = Part {
            prologue: case.bytes.slice(..prologue.end),
            offset: prologue.end as u64,
            first_record: 1,
            first_line: 1 + prologue.lines,
            last: false,
        };
        let (mut all, mut numbers, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = case.bytes.slice(prologue.end..);
        let mut want = size;
        while !rest.is_empty() {
            let window = rest.slice(..want.min(rest.len()));
            part.last = window.len() == rest.len();
            let (end, records, lines) = match splitter.last_boundary(&window, part.last) {
                Some(b) if !part.last => (b.end, b.records, b.lines),
                Some(b) => (rest.len(), b.records, b.lines),
                None if part.last => (rest.len(), 0, 0),
                None => {
                    want *= 2;
                    continue;
                }
            };
            let mut decoder = match before.take() {
                Some(decoder) => decoder,
                None => {
                    let options =
                        DecodeOptions { part: Some(part.clone()), ..case.options.clone() };
                    case.format.decoder(options).unwrap_or_else(|e| panic!("{}: {e}", case.name))
                }
            };
            let got = decode_with(&mut *decoder, case.feed([rest.split_to(end)]));
            assert!(got.error.is_none(), "{}: part at {}: {:?}", case.name, part.offset, got.error);
            if !part.last {
                assert_eq!(got.read, records, "{}: the splitter counts otherwise", case.name);
            }
            all.extend(got.rows);
            numbers.extend(got.numbers);
            rejects.extend(got.rejects);
            part.offset += end as u64;
            part.first_record += records;
            part.first_line += lines;
            before = (kept && decoder.restart(&part)).then_some(decoder);
            want = size;
        }
        assert_eq!(all, whole.rows, "{}: parts of {size} bytes: rows differ", case.name);
        assert_eq!(numbers, whole.numbers, "{}: parts of {size} bytes: numbers differ", case.name);
        assert_eq!(rejects, whole.rejects, "{}: parts of {size} bytes: rejects differ", case.name);
    }
}
