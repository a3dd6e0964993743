//! Schema, columns, positions and inference.

use std::sync::Arc;

use arrow_array::RecordBatch;
use fenhe_core::{DecodeOptions, Kind, Position, Sample};

use super::{Case, decode, with_batch_rows};
use crate::rows;

/// Every batch has the decoder's schema, whatever the batch size.
pub fn schema_is_stable(case: &Case) {
    let whole = case.decode();
    for batch_rows in [1, 3] {
        let small = Case { options: with_batch_rows(case, batch_rows), ..case.clone() }.decode();
        assert_eq!(
            small.schema, whole.schema,
            "{}: the schema depends on the batch size",
            case.name
        );
        assert_eq!(small.rows, whole.rows, "{}: rows depend on the batch size", case.name);
        let largest = small.batches.iter().map(RecordBatch::num_rows).max().unwrap_or(0);
        assert!(largest as u64 <= batch_rows, "{}: a batch of {largest} rows", case.name);
    }
}

/// Only the asked columns, in the asked order; an unknown one is `NotFound` at once.
pub fn columns_can_be_chosen(case: &Case) {
    let whole = case.decode();
    let Some(schema) = whole.schema else { return };
    let mut names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    names.reverse();
    names.truncate(2);
    if whole.rejects.is_empty() {
        let options = DecodeOptions { columns: Some(names.clone()), ..case.options.clone() };
        let some = Case { options, ..case.clone() }.decode();
        let wanted: Vec<usize> = names.iter().map(|n| schema.index_of(n).unwrap()).collect();
        let projected: Vec<_> = whole.batches.iter().map(|b| b.project(&wanted).unwrap()).collect();
        assert_eq!(some.rows, rows(&projected), "{}: chosen columns differ", case.name);
    }
    let columns = Some(vec!["no such column".to_owned()]);
    let options = DecodeOptions { columns, ..case.options.clone() };
    let refused = match case.format.decoder(options) {
        Err(error) => error,
        // A format that learns its columns from the stream can only say it then.
        Ok(decoder) => decode(decoder, case.feed([case.bytes.clone()]))
            .error
            .unwrap_or_else(|| panic!("{}: an unknown column is accepted", case.name)),
    };
    assert_eq!(refused.kind(), Kind::NotFound, "{}: {refused}", case.name);
}

/// Going on from any position gives exactly the rest.
pub fn resumes_everywhere(case: &Case) {
    let options = with_batch_rows(case, 2);
    let case = Case { options, ..case.clone() };
    let whole = case.decode();
    let step = whole.positions.len().div_ceil(40).max(1);
    for (at, rows_before, rejects_before) in whole.positions.iter().step_by(step) {
        let text = through_text(at);
        let options = DecodeOptions { from: Some(text), ..case.options.clone() };
        let decoder = case.format.decoder(options).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let from = |n: u64| usize::try_from(n).unwrap().min(case.bytes.len());
        let chunks = if case.format.info().whole_object {
            vec![case.bytes.clone()]
        } else {
            vec![case.bytes.slice(..from(at.prologue())), case.bytes.slice(from(at.offset())..)]
        };
        let rest = decode(decoder, case.feed(chunks));
        let what = format!("{}: resumed after row {rows_before}", case.name);
        assert!(rest.error.is_none(), "{what}: {:?}", rest.error);
        assert_eq!(rest.rows, whole.rows[*rows_before..], "{what}: rows differ");
        assert_eq!(rest.numbers, whole.numbers[*rows_before..], "{what}: record numbers differ");
        assert_eq!(rest.rejects, whole.rejects[*rejects_before..], "{what}: rejects differ");
    }
}

/// What `infer` says about the stream can be given to the decoder, and decodes the same stream.
pub fn infers_what_it_decodes(case: &Case) {
    let sample = Sample {
        bytes: case.bytes.clone(),
        complete: true,
        object: Some(Arc::new(case.bytes.clone())),
        size: Some(case.bytes.len() as u64),
        name: case.name.clone(),
        companions: case.options.companions.clone(),
        limits: case.options.limits.clone(),
    };
    let evidence =
        case.format.infer(&sample).unwrap_or_else(|e| panic!("{}: infer: {e}", case.name));
    assert!(!evidence.reasons.is_empty(), "{}: infers without giving reasons", case.name);
    let wanted = case.options.dataset.as_deref();
    let found = evidence
        .datasets
        .iter()
        .find(|d| wanted.is_none_or(|w| w == d.name))
        .unwrap_or_else(|| panic!("{}: infers no dataset", case.name));
    let options = DecodeOptions { schema: Some(found.schema.clone()), ..case.options.clone() };
    let decoder = case.format.decoder(options).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let got = decode(decoder, case.feed([case.bytes.clone()]));
    assert!(
        got.error.is_none(),
        "{}: the inferred schema does not decode: {:?}",
        case.name,
        got.error
    );
    assert_eq!(
        got.rows.len(),
        case.decode().rows.len(),
        "{}: other rows by the inferred schema",
        case.name
    );
}

/// A position as another process would see it: through its text.
fn through_text(position: &Position) -> Position {
    let text = serde_json::to_string(position).expect("a position has a text");
    serde_json::from_str(&text).expect("a position is read from its text")
}
