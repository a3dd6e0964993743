//! Decode, encode, compare.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use fenhe_core::{Companion, EncodeOptions, Limits};

use super::Case;

/// Decode then encode gives the same bytes for a lossless case, and the same rows for every other.
pub fn round_trip(case: &Case) {
    if !case.format.info().write {
        return;
    }
    let first = case.decode();
    let Some(schema) = first.schema.clone() else {
        return;
    };
    let mut encoder = case
        .format
        .encoder(EncodeOptions { schema, limits: Limits::default() })
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let mut files: BTreeMap<Option<String>, BytesMut> = BTreeMap::new();
    let mut out = BytesMut::new();
    for batch in &first.batches {
        let refused =
            encoder.encode(batch, &mut out).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert!(refused.is_empty(), "{}: its own rows are refused: {}", case.name, refused[0]);
        for more in encoder.companions() {
            files.entry(Some(more.extension)).or_default().extend_from_slice(&more.bytes);
        }
    }
    let patches = encoder.finish(&mut out).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    for more in encoder.companions() {
        files.entry(Some(more.extension)).or_default().extend_from_slice(&more.bytes);
    }
    files.insert(None, out);
    for patch in patches {
        let file = files.get_mut(&patch.companion).expect("a patch of a file that exists");
        let at = usize::try_from(patch.offset).unwrap();
        file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let main = files.remove(&None).unwrap_or_default().freeze();
    if case.lossless {
        assert_same_bytes(&case.name, &main, &case.bytes);
        for (extension, bytes) in &files {
            let name = extension.as_deref().unwrap_or_default();
            let before = case.options.companion(&[name]).expect("a companion that was there");
            let mut old = vec![0; usize::try_from(before.data.size()).unwrap()];
            before.data.read_at(0, &mut old).unwrap();
            assert_same_bytes(&format!("{} .{name}", case.name), bytes, &old);
        }
    }
    let mut options = case.options.clone();
    options.size = Some(main.len() as u64);
    for (extension, bytes) in files {
        let extension = extension.unwrap_or_default();
        options.companions.retain(|c| c.extension != extension);
        options.companions.push(Companion { extension, data: Arc::new(bytes.freeze()) });
    }
    let again = Case { bytes: main, options, ..case.clone() }.decode();
    assert_eq!(again.rows, first.rows, "{}: rows differ after encode and decode", case.name);
}

fn assert_same_bytes(name: &str, got: &[u8], wanted: &[u8]) {
    if got == wanted {
        return;
    }
    let at =
        got.iter().zip(wanted).position(|(a, b)| a != b).unwrap_or(got.len().min(wanted.len()));
    let around = |bytes: &[u8]| {
        let to = bytes.len().min(at + 24);
        String::from_utf8_lossy(&bytes[at.saturating_sub(24).min(to)..to]).into_owned()
    };
    panic!(
        "{name}: other bytes after decode and encode, from byte {at} ({} for {} bytes): {:?} for {:?}",
        got.len(),
        wanted.len(),
        around(got),
        around(wanted)
    );
}
