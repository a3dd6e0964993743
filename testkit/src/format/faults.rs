//! Broken, cut and flipped input.

use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Limits, Sample};

use super::{Broken, Case, decode};

/// Cut at every byte (of the first 8 KiB): no panic, an end, and every row but the last as before.
pub fn truncation(case: &Case) {
    let whole = case.decode();
    let ends = case.bytes.len().min(8 << 10);
    for end in 0..ends {
        let cut_bytes = case.bytes.slice(..end);
        let mut options = case.options.clone();
        options.size = Some(end as u64);
        let Ok(decoder) = case.format.decoder(options) else {
            continue;
        };
        let cut = decode(decoder, case.feed([cut_bytes]));
        let sure = cut.rows.len().saturating_sub(1).min(whole.rows.len());
        assert!(
            cut.rows.len() <= whole.rows.len() + 1,
            "{}: cut at byte {end}: more rows than before",
            case.name
        );
        if cut.schema == whole.schema {
            assert_eq!(cut.rows[..sure], whole.rows[..sure], "{}: cut at byte {end}", case.name);
        }
    }
}

/// One flipped bit a byte (of the first 4 KiB): no panic, an end, balanced books.
pub fn flipped_bits(case: &Case) {
    for at in 0..case.bytes.len().min(4 << 10) {
        let mut bytes = case.bytes.to_vec();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(decoder) = case.format.decoder(case.options.clone()) {
            decode(decoder, case.feed([bytes.into()]));
        }
    }
}

/// Every broken record is a reject with the right number, offset and code; every other one is delivered.
pub fn rejects_and_goes_on(broken: &Broken) {
    let name = &broken.case.name;
    let got = broken.case.decode();
    let found: Vec<_> =
        got.rejects.iter().map(|r| (r.record, r.offset, r.fault.code.as_ref())).collect();
    assert_eq!(found, broken.rejects, "{name}: rejects (record, offset, code)");
    assert_eq!(got.rows.len(), broken.rows, "{name}: rows delivered");
    for reject in &got.rejects {
        assert!(!reject.fault.expected.is_empty(), "{name}: a reject without what was expected");
        let from = usize::try_from(reject.offset).unwrap();
        let to = from + usize::try_from(reject.length).unwrap();
        let raw = broken.case.bytes.get(from..to).unwrap_or_default();
        if !reject.raw_cut {
            assert_eq!(reject.raw, raw, "{name}: record {}: raw bytes", reject.record);
        }
    }
}

/// After a fatal error every call says `Poisoned` (checked by [`decode`]), and the error says where.
pub fn poisoned_after_a_fatal_error(case: &Case) {
    let got = decode(case.decoder(), case.feed([case.bytes.clone()]));
    let error = got.error.unwrap_or_else(|| panic!("{}: decodes without a fatal error", case.name));
    assert!(
        error.offset().is_some() || error.record().is_some(),
        "{}: the fatal error does not say where: {error}",
        case.name
    );
}

/// For fuzzers: any bytes at all, in chunks of a size that the last byte chooses, under small limits. The decoder
/// may refuse them; it may not panic, hang, or give batches whose books do not balance.
pub fn anything(format: Arc<dyn Format>, data: &[u8]) {
    let Some((choice, data)) = data.split_last() else { return };
    let bytes = Bytes::copy_from_slice(data);
    let limits =
        Limits { record: 4 << 10, field: 1 << 10, fields: 64, batch_rows: 16, ..Limits::default() };
    let size = Some(bytes.len() as u64);
    let sample = Sample {
        bytes: bytes.clone(),
        complete: true,
        object: Some(Arc::new(bytes.clone())),
        size,
        limits: limits.clone(),
        ..Sample::default()
    };
    let schema =
        format.infer(&sample).ok().and_then(|e| e.datasets.into_iter().next()).map(|d| d.schema);
    let schema = if choice & 1 == 0 { schema } else { None };
    let Ok(decoder) =
        format.decoder(DecodeOptions { schema, size, limits, ..DecodeOptions::default() })
    else {
        return;
    };
    let chunk = usize::from(choice >> 1) + 1;
    let case = Case::new("anything", format, bytes.clone());
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        chunks.push(rest.split_to(chunk.min(rest.len())));
    }
    decode(decoder, case.feed(chunks));
}
