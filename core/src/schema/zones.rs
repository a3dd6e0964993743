//! Names of time zones as offsets, for writers that know no table of zones.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, RecordBatch,
    RecordBatchOptions, StructArray,
};
use arrow_schema::{DataType, FieldRef, Fields, Schema, TimeUnit};

use crate::Result;

/// The zone that stands in for names: points in time are kept as UTC, whatever the zone of their type.
const OFFSET: &str = "+00:00";

/// The batch with every time zone spelled as an offset: `UTC` and the names of places become `+00:00`, also within
/// structs and lists. Only the type changes; the points in time stay the same, and no value is copied.
///
/// Writers of text that have no table of zones (that of Arrow among them) refuse names.
///
/// ```
/// use std::sync::Arc;
/// use fenhe_core::arrow::array::{ArrayRef, RecordBatch, TimestampSecondArray};
/// let times: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0]).with_timezone("UTC"));
/// let batch = RecordBatch::try_from_iter([("at", times)])?;
/// let batch = fenhe_core::schema::with_offsets(&batch)?;
/// assert_eq!(batch.schema().field(0).data_type().to_string(), "Timestamp(s, \"+00:00\")");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
///
/// # Errors
/// Those of Arrow, for arrays that contradict their type.
pub fn with_offsets(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema_ref();
    if !schema.fields().iter().any(|field| has_name(field.data_type())) {
        return Ok(batch.clone());
    }
    let (fields, columns) = retyped(schema.fields(), batch.columns())?;
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)?)
}

/// Whether a zone by name is somewhere in the type.
fn has_name(kind: &DataType) -> bool {
    match kind {
        DataType::Timestamp(_, Some(zone)) => !is_offset(zone),
        DataType::Struct(fields) => fields.iter().any(|field| has_name(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_name(item.data_type()),
        _ => false,
    }
}

/// `+HH:MM`, `+HHMM` or `+HH`.
fn is_offset(zone: &str) -> bool {
    let Some(digits) = zone.strip_prefix(['+', '-']) else { return false };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    plain && matches!(digits.len(), 2 | 4 | 5)
}

fn retyped(fields: &Fields, columns: &[ArrayRef]) -> Result<(Vec<FieldRef>, Vec<ArrayRef>)> {
    let (mut new_fields, mut new_columns) = (Vec::new(), Vec::new());
    for (field, column) in fields.iter().zip(columns) {
        let column = array(column)?;
        new_fields.push(like(field, &column));
        new_columns.push(column);
    }
    Ok((new_fields, new_columns))
}

fn like(field: &FieldRef, array: &ArrayRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(array.data_type().clone()))
}

fn array(old: &ArrayRef) -> Result<ArrayRef> {
    if !has_name(old.data_type()) {
        return Ok(Arc::clone(old));
    }
    Ok(match old.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => timestamps::<TimestampSecondType>(old),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            timestamps::<TimestampMillisecondType>(old)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            timestamps::<TimestampMicrosecondType>(old)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => timestamps::<TimestampNanosecondType>(old),
        DataType::Struct(fields) => {
            let old = old.as_struct();
            let (fields, columns) = retyped(fields, old.columns())?;
            let nulls = old.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.into(), columns, nulls, old.len())?)
        }
        DataType::List(item) => list::<i32>(item, old)?,
        DataType::LargeList(item) => list::<i64>(item, old)?,
        DataType::FixedSizeList(item, size) => {
            let old = old.as_fixed_size_list();
            let values = array(old.values())?;
            let nulls = old.nulls().cloned();
            Arc::new(FixedSizeListArray::try_new(like(item, &values), *size, values, nulls)?)
        }
        DataType::Map(item, sorted) => {
            let old = old.as_map();
            let entries = array(&(Arc::new(old.entries().clone()) as ArrayRef))?;
            let (offsets, nulls) = (old.offsets().clone(), old.nulls().cloned());
            let field = like(item, &entries);
            let entries = entries.as_struct().clone();
            Arc::new(MapArray::try_new(field, offsets, entries, nulls, *sorted)?)
        }
        _ => Arc::clone(old),
    })
}

fn timestamps<T: ArrowTimestampType>(old: &ArrayRef) -> ArrayRef {
    Arc::new(old.as_primitive::<T>().clone().with_timezone(OFFSET))
}

fn list<O: OffsetSizeTrait>(item: &FieldRef, old: &ArrayRef) -> Result<ArrayRef> {
    let old = old.as_list::<O>();
    let values = array(old.values())?;
    let (offsets, nulls) = (old.offsets().clone(), old.nulls().cloned());
    Ok(Arc::new(GenericListArray::<O>::try_new(like(item, &values), offsets, values, nulls)?))
}

#[cfg(test)]
mod tests {
    use arrow_array::{StringArray, TimestampMillisecondArray};
    use arrow_buffer::OffsetBuffer;
    use arrow_schema::Field;

    use super::*;

    fn times(zone: &str) -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(vec![Some(1), None]).with_timezone(zone))
    }

    #[test]
    fn offsets_are_told_from_names() {
        for zone in ["+00:00", "-0930", "+08"] {
            assert!(is_offset(zone), "{zone}");
        }
        for zone in ["UTC", "Z", "Asia/Shanghai", "", "+", "+8", "UTC+8"] {
            assert!(!is_offset(zone), "{zone}");
        }
    }

    #[test]
    fn values_are_shared_and_metadata_kept() {
        let field = Field::new("at", times("UTC").data_type().clone(), true)
            .with_metadata([("k".to_owned(), "v".to_owned())].into());
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let schema = Schema::new(vec![field, Field::new("t", DataType::Utf8, false)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![times("UTC"), text]).unwrap();
        let new = with_offsets(&batch).unwrap();
        let before = batch.column(0).as_primitive::<TimestampMillisecondType>();
        let after = new.column(0).as_primitive::<TimestampMillisecondType>();
        assert_eq!(before.values().inner().as_ptr(), after.values().inner().as_ptr());
        assert_eq!(after.timezone(), Some("+00:00"));
        assert_eq!(new.schema().field(0).metadata()["k"], "v");
    }

    #[test]
    fn nested_zones_are_found() {
        let at = Field::new("at", times("Asia/Shanghai").data_type().clone(), true);
        let inner: ArrayRef =
            Arc::new(StructArray::from(vec![(Arc::new(at), times("Asia/Shanghai"))]));
        let item = Arc::new(Field::new("item", inner.data_type().clone(), false));
        let list =
            GenericListArray::<i32>::try_new(item, OffsetBuffer::from_lengths([1, 1]), inner, None)
                .unwrap();
        let batch = RecordBatch::try_from_iter([("l", Arc::new(list) as ArrayRef)]).unwrap();
        let new = with_offsets(&batch).unwrap();
        let kind = new.schema().field(0).data_type().to_string();
        assert!(kind.contains("+00:00") && !kind.contains("Shanghai"), "{kind}");
    }
}
