//! The neutral text form of rows: one JSON object a line, keys in schema order, absent values `null`.

use arrow_array::RecordBatch;
use arrow_json::{WriterBuilder, writer::LineDelimited};
use fenhe_core::schema::with_offsets;

/// The batch as NDJSON: decimals with every digit, dates `YYYY-MM-DD`, binary as lower-case hexadecimal.
///
/// # Panics
/// When a column has a type without a JSON form.
pub fn ndjson(batch: &RecordBatch) -> String {
    let mut out = Vec::new();
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut out);
    let batch = with_offsets(batch).expect("a batch of sound arrays");
    writer.write(&batch).expect("a batch with a JSON form");
    writer.finish().expect("a batch with a JSON form");
    drop(writer);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// The rows of several batches, one NDJSON line each.
pub fn rows<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Vec<String> {
    let lines = |b| ndjson(b).lines().map(str::to_owned).collect::<Vec<_>>();
    batches.into_iter().filter(|b: &&RecordBatch| b.num_rows() > 0).flat_map(lines).collect()
}
