use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use fenhe_core::Error;
use fenhe_mapping::{Context, Mapped, Mapping};

pub(crate) fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// One column `A` of these texts.
pub(crate) fn column(values: &[&str]) -> RecordBatch {
    let values: Vec<Option<&str>> = values.iter().copied().map(Some).collect();
    batch(&[("A", text(&values))])
}

pub(crate) fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns.iter().map(|(name, array)| (*name, Arc::clone(array), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

pub(crate) fn parse(fields: &str) -> Mapping {
    Mapping::parse(fields, "m.toml").unwrap()
}

pub(crate) fn map(mapping: &str, batch: &RecordBatch) -> Mapped {
    map_with(mapping, batch, &Context::default())
}

pub(crate) fn map_with(mapping: &str, batch: &RecordBatch, context: &Context) -> Mapped {
    let mapper = parse(mapping).bind(&batch.schema(), context).unwrap();
    mapper.apply(batch).unwrap()
}

/// What binding says against a mapping for this batch.
pub(crate) fn refused(mapping: &str, batch: &RecordBatch) -> Error {
    parse(mapping).bind(&batch.schema(), &Context::default()).unwrap_err()
}

/// The field `a`, made from column `A` by these steps, as text; a rejected row stays out.
pub(crate) fn steps(steps: &str, values: &[&str]) -> (Vec<Option<String>>, Vec<(usize, String)>) {
    let mapped =
        map(&format!("[fields]\na = {{ from = \"A\", steps = [{steps}] }}"), &column(values));
    let plain = arrow_cast::cast(mapped.records.column(0), &arrow_schema::DataType::Utf8).unwrap();
    let faults = mapped.faults.iter().map(|f| (f.row, f.fault.code.to_string())).collect();
    (owned(plain.as_string::<i32>()), faults)
}

/// As [`steps`], for steps that take every value.
pub(crate) fn taken(list: &str, values: &[&str]) -> Vec<Option<String>> {
    let (taken, faults) = steps(list, values);
    assert_eq!(faults, []);
    taken
}

pub(crate) fn owned(array: &StringArray) -> Vec<Option<String>> {
    array.iter().map(|value| value.map(str::to_owned)).collect()
}

pub(crate) fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

/// The texts of a column of the result.
pub(crate) fn texts(mapped: &Mapped, name: &str) -> Vec<Option<String>> {
    let array = mapped.records.column_by_name(name).unwrap();
    assert_eq!(array.len(), mapped.records.num_rows());
    owned(arrow_cast::cast(array, &arrow_schema::DataType::Utf8).unwrap().as_string::<i32>())
}
