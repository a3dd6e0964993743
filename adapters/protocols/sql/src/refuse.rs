//! Rows that a database refuses, as rejects.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use fenhe_core::schema::with_offsets;
use fenhe_core::{Error, Fault, Kind, Raw, Reject, Result, WriteRequest};

/// Refuses a batch of another schema than was announced.
pub(crate) fn same_schema(records: &RecordBatch, announced: &SchemaRef) -> Result<()> {
    let columns = |schema: &SchemaRef| -> Vec<_> {
        schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
    };
    if columns(records.schema_ref()) == columns(announced) {
        return Ok(());
    }
    Err(Error::new(Kind::Config, "sql.schema", "the batch has another schema than was announced"))
}

/// The reject of one row.
pub(crate) fn refusal(
    records: &RecordBatch,
    row: usize,
    number: u64,
    fault: Fault,
    request: &WriteRequest,
) -> Result<Reject> {
    let raw = ndjson(&records.slice(row, 1))?;
    let mut reject = Reject::new(fault).at(number, 0, 0).raw_bytes(&raw, request.limits.reject_raw);
    reject.raw_is = Raw::Row;
    reject.dataset.clone_from(&request.dataset);
    Ok(reject)
}

/// One row as NDJSON.
fn ndjson(row: &RecordBatch) -> Result<Vec<u8>> {
    let row = &with_offsets(row)?;
    let mut out = Vec::new();
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(&mut out);
    writer.write(row)?;
    writer.finish()?;
    drop(writer);
    while out.last() == Some(&b'\n') {
        out.pop();
    }
    Ok(out)
}
