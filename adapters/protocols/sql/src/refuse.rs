//! Rows that a database refuses, as rejects.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
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

/// The row with `UTC` spelled as an offset: Arrow's writer knows no names of time zones.
fn with_offsets(row: &RecordBatch) -> Result<RecordBatch> {
    let is_utc = |kind: &DataType| matches!(kind, DataType::Timestamp(_, Some(zone)) if zone.as_ref() == "UTC");
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in row.schema_ref().fields().iter().zip(row.columns()) {
        let kind = match field.data_type() {
            DataType::Timestamp(unit, _) if is_utc(field.data_type()) => {
                DataType::Timestamp(*unit, Some("+00:00".into()))
            }
            other => other.clone(),
        };
        columns.push(arrow_cast::cast(column, &kind)?);
        fields.push(field.as_ref().clone().with_data_type(kind));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
