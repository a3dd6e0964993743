//! Unchanged tables come back byte for byte, memo files included.
// Helpers of tests panic like the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use common::{SHARED, companions, decode, format};
use fenhe_core::{EncodeOptions, Format, Limits};

/// The files that an encoder makes of what a decoder gave.
fn rewritten(decoded: &common::Decoded, words: &[&str]) -> BTreeMap<Option<String>, BytesMut> {
    let schema = decoded.schema.clone().unwrap();
    let mut encoder =
        format(words).encoder(EncodeOptions { schema, limits: Limits::default() }).unwrap();
    let mut out = BytesMut::new();
    let mut files: BTreeMap<Option<String>, BytesMut> = BTreeMap::new();
    for batch in &decoded.batches {
        let refused = encoder.encode(batch, &mut out).unwrap();
        assert!(refused.is_empty(), "{}", refused[0]);
    }
    let patches = encoder.finish(&mut out).unwrap();
    for more in encoder.companions() {
        files.entry(Some(more.extension)).or_default().extend_from_slice(&more.bytes);
    }
    files.insert(None, out);
    for patch in patches {
        let at = usize::try_from(patch.offset).unwrap();
        files.get_mut(&patch.companion).unwrap()[at..at + patch.bytes.len()]
            .copy_from_slice(&patch.bytes);
    }
    files
}

#[test]
fn shared_tables_come_back_byte_for_byte() {
    let Some(folder) = fenhe_testkit::shared::data("dbf") else { return };
    let (mut plain, mut raw, mut memo) = (0, 0, 0);
    for case in SHARED {
        let path = folder.join(case.path);
        let bytes = Bytes::from(std::fs::read(&path).unwrap());
        for (extra, expected, count) in [
            (&["deleted=true"][..], case.plain, &mut plain),
            (&["deleted=true", "raw=true"], case.raw, &mut raw),
        ] {
            let words: Vec<&str> = case.words.iter().chain(extra).copied().collect();
            let decoded = decode(bytes.clone(), companions(&path), &words);
            assert!(decoded.error.is_none() && decoded.rejects.is_empty(), "{}", case.path);
            let files = rewritten(&decoded, &[]);
            let same = files[&None] == bytes;
            assert_eq!(
                same,
                expected,
                "{} with {extra:?}: {}",
                case.path,
                difference(&files[&None], &bytes)
            );
            *count += usize::from(same);
            if extra.len() > 1 {
                continue;
            }
            for companion in companions(&path) {
                let mut before = vec![0; usize::try_from(companion.data.size()).unwrap()];
                companion.data.read_at(0, &mut before).unwrap();
                let after = files.get(&Some(companion.extension.clone()));
                let same = after.is_some_and(|a| a[..] == before[..]);
                let what = after.map(|a| difference(a, &before));
                assert_eq!(same, case.memo, "{} .{}: {what:?}", case.path, companion.extension);
                memo += usize::from(same);
            }
        }
    }
    println!(
        "tables identical: {plain} plain, {raw} with raw=true, of {}; memo files: {memo}",
        SHARED.len()
    );
}

fn difference(a: &[u8], b: &[u8]) -> String {
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    format!("{} and {} bytes, first difference at {at}", a.len(), b.len())
}
