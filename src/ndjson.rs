//! Rows as the neutral text form: one JSON object a line, nulls written out.

use arrow_array::RecordBatch;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use fenhe_core::schema::with_offsets;
use fenhe_core::{Raw, Reject, Result};

/// All rows of the batch, each with its line end. Times of a named zone are written in UTC.
///
/// # Errors
/// [`Kind::Internal`](fenhe_core::Kind::Internal) for a column type that has no JSON form.
pub fn rows(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(&with_offsets(batch)?)?;
    writer.finish()?;
    Ok(writer.into_inner())
}

/// The reject with the row as raw bytes, unless it has its own.
///
/// # Errors
/// Those of [`rows`]: a reject without its row could not be replayed, so the run has to stop.
pub(crate) fn with_row(
    reject: Reject,
    batch: &RecordBatch,
    row: usize,
    limit: u64,
) -> Result<Reject> {
    if !reject.raw.is_empty() || row >= batch.num_rows() {
        return Ok(reject);
    }
    let line = rows(&batch.slice(row, 1))?;
    let mut reject = reject.raw_bytes(line.strip_suffix(b"\n").unwrap_or(&line), limit);
    reject.raw_is = Raw::Row;
    Ok(reject)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Date32Array, Decimal128Array, StringArray, TimestampMillisecondArray,
    };
    use fenhe_core::Fault;

    use super::*;

    #[test]
    fn decimals_keep_every_digit_and_nulls_are_written() {
        let fee = Decimal128Array::from(vec![Some(1_234_500), None])
            .with_precision_and_scale(12, 2)
            .unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("name", Arc::new(StringArray::from(vec![Some("王\"五"), None])) as ArrayRef, true),
            ("fee", Arc::new(fee), true),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None])), true),
        ])
        .unwrap();
        let text = String::from_utf8(rows(&batch).unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"name\":\"王\\\"五\",\"fee\":12345.00,\"day\":\"1970-01-01\"}\n{\"name\":null,\"fee\":null,\"day\":null}\n"
        );
    }
    #[test]
    fn times_of_a_named_zone_have_their_text() {
        let times = |zone: &str| -> ArrayRef {
            Arc::new(TimestampMillisecondArray::from(vec![1_767_323_045_678]).with_timezone(zone))
        };
        // date -u -d @1767323045
        for zone in ["UTC", "+00:00", "Asia/Shanghai"] {
            let batch = RecordBatch::try_from_iter([("at", times(zone))]).unwrap();
            let reject = Reject::new(Fault::new("x.y", "", "a", "b"));
            let reject = with_row(reject, &batch, 0, 1_000).unwrap();
            let text = String::from_utf8(reject.raw.to_vec()).unwrap();
            assert_eq!(text, "{\"at\":\"2026-01-02T03:04:05.678Z\"}", "{zone}");
            assert_eq!(reject.raw_is, Raw::Row);
        }
    }
}
