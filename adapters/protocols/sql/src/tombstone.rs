//! Rows that are deletions, by a column that marks them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{Fault, Result};
use serde::{Deserialize, Serialize};

/// Marks deletions in a stage.
pub(crate) const DELETED: &str = "_fenhe_deleted";

/// What a row that is marked as deleted does to the row of the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tombstone {
    /// Takes it away. The marker is not a column of the table.
    #[default]
    Delete,
    /// Sets the marker, which is a column of the table, and leaves the other columns as they are.
    Mark,
}

/// The columns of a request that are sent, and the flag of deletion.
pub(crate) fn loaded(
    schema: &SchemaRef,
    marker: Option<usize>,
    marker_is_column: bool,
) -> SchemaRef {
    let Some(marker) = marker else { return Arc::clone(schema) };
    let mut fields: Vec<_> = schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(place, _)| marker_is_column || *place != marker)
        .map(|(_, field)| Arc::clone(field))
        .collect();
    fields.push(Arc::new(Field::new(DELETED, DataType::Boolean, false)));
    Arc::new(Schema::new(fields))
}

/// The rows with the flag of deletion, and those whose marker says neither yes nor no.
pub(crate) fn marked(
    records: &RecordBatch,
    marker: usize,
    marker_is_column: bool,
) -> Result<(RecordBatch, Vec<(usize, Fault)>)> {
    let name = records.schema_ref().field(marker).name();
    let (flags, faults) = deletions(name, records.column(marker))?;
    let schema = loaded(records.schema_ref(), Some(marker), marker_is_column);
    let mut columns: Vec<ArrayRef> = records
        .columns()
        .iter()
        .enumerate()
        .filter(|(place, _)| marker_is_column || *place != marker)
        .map(|(_, column)| Arc::clone(column))
        .collect();
    columns.push(Arc::new(flags));
    Ok((RecordBatch::try_new(schema, columns)?, faults))
}

/// Which rows are deletions, and which rows do not say. Nothing and blanks mean no.
fn deletions(name: &str, array: &ArrayRef) -> Result<(BooleanArray, Vec<(usize, Fault)>)> {
    let text = match array.data_type() {
        DataType::Boolean => {
            let flags = array.as_boolean();
            let marked = (0..flags.len()).map(|row| Some(flags.is_valid(row) && flags.value(row)));
            return Ok((marked.collect(), Vec::new()));
        }
        _ => cast(array, &DataType::Utf8)?,
    };
    let text = text.as_string::<i32>();
    let mut faults = Vec::new();
    let marked = text.iter().enumerate().map(|(row, word)| {
        let marked = meaning(word.unwrap_or_default());
        if marked.is_none() {
            let expected = "a mark for deleted (1, true, Y, D, 是, 删除) or its contrary";
            faults.push((row, Fault::new("sql.marker", name, expected, "another word")));
        }
        Some(marked.unwrap_or_default())
    });
    Ok((marked.collect(), faults))
}

fn meaning(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "d" | "deleted" | "*" | "是" | "删除" => Some(true),
        "" | "0" | "f" | "false" | "n" | "no" | "否" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn words_and_numbers_mark_deletions_and_others_are_faults() {
        let words = StringArray::from(vec![Some("Y"), None, Some(" 删除 "), Some("否"), Some("x")]);
        let (marked, faults) = deletions("del", &(Arc::new(words) as ArrayRef)).unwrap();
        assert_eq!(marked, BooleanArray::from(vec![true, false, true, false, false]));
        assert_eq!(
            faults.iter().map(|(row, f)| (*row, f.code.as_ref())).collect::<Vec<_>>(),
            [(4, "sql.marker")]
        );
        let (marked, faults) =
            deletions("del", &(Arc::new(Int64Array::from(vec![0, 1])) as ArrayRef)).unwrap();
        assert_eq!((marked, faults.len()), (BooleanArray::from(vec![false, true]), 0));
    }
}
