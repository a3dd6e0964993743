//! Columns that nobody named, kept together as JSON text.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_schema::{DataType, Field, FieldRef, SchemaRef};
use fenhe_core::schema::with_offsets;
use fenhe_core::{Error, Kind, Result};

/// One object a row, with the columns that have a value.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    field: FieldRef,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl Extension {
    pub(crate) fn new(name: &str, source: &SchemaRef, columns: Vec<usize>) -> Result<Self> {
        let schema = Arc::new(source.project(&columns)?);
        Ok(Self { field: Arc::new(Field::new(name, DataType::Utf8, false)), columns, schema })
    }

    pub(crate) fn field(&self) -> FieldRef {
        Arc::clone(&self.field)
    }

    pub(crate) fn array(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        let columns = self.columns.iter().filter_map(|index| batch.columns().get(*index).cloned());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let part = RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns.collect(),
            &options,
        )?;
        let mut writer = WriterBuilder::new().build::<_, LineDelimited>(Vec::new());
        writer.write(&with_offsets(&part)?)?;
        writer.finish()?;
        let wrong = || Error::new(Kind::Internal, "mapping.extension", "rows without their JSON");
        let text = String::from_utf8(writer.into_inner()).map_err(|_| wrong())?;
        let mut lines: Vec<&str> = text.lines().collect();
        if self.columns.is_empty() {
            lines = vec!["{}"; rows];
        }
        if lines.len() != rows {
            return Err(wrong());
        }
        Ok(Arc::new(StringArray::from(lines)))
    }
}
