//! Keys of rows that a target returned and that cannot be read in their types.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{Batch, Limits, Position, Raw, Reject, Result, Source, Span};
use fenhe_ledger::{RowEncoder, unpack_keys};
use serde_json::value::RawValue;

use crate::fields::BoundFields;
use crate::totals::Column;
use crate::typed::typed;

/// Reads keys out of raw rows.
pub(super) struct RawKeys {
    key: Vec<String>,
    text: SchemaRef,
    mapping: BoundFields,
    rows: RowEncoder,
}

impl RawKeys {
    /// For a key out of columns of a receipt.
    pub(super) fn of(columns: &[Column], key: &[String]) -> Result<Self> {
        let kind = |name: &String| columns.iter().find(|column| column.name == *name);
        let typed_columns = key.iter().filter_map(|name| {
            kind(name).map(|column| (name.as_str(), column.kind.as_str(), false))
        });
        let fields = typed(typed_columns)?;
        let text = key.iter().map(|name| Field::new(name, DataType::Utf8, true));
        let text: SchemaRef = Arc::new(Schema::new(text.collect::<Vec<_>>()));
        let mapping = fields.bind(&text)?;
        let rows = RowEncoder::columns(mapping.schema(), key)?;
        Ok(Self { key: key.to_vec(), text, mapping, rows })
    }

    /// The key of a row that was rejected, encoded; `None` when it cannot be read either.
    pub(super) fn key(&mut self, reject: &Reject) -> Result<Option<Vec<u8>>> {
        if reject.raw_is != Raw::Row || reject.raw_cut {
            return Ok(None);
        }
        let Ok(row) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&reject.raw) else {
            return Ok(None);
        };
        let value = |name: &String| row.get(name).and_then(|value| text_of(value));
        let columns =
            self.key.iter().map(|name| Arc::new(StringArray::from(vec![value(name)])) as ArrayRef);
        let records = RecordBatch::try_new(Arc::clone(&self.text), columns.collect())?;
        let span = Span { first: 1, read: 1, ..Span::default() };
        let batch = Batch::new(records, Vec::new(), span, Position::new("reconcile", 1, &1)?)?;
        let batch = self.mapping.apply(batch, &Source::named(""), &Limits::default())?;
        Ok(unpack_keys(&self.rows.packed(&batch.records)?).pop())
    }
}

/// A value as it is spelled; a number keeps its digits.
fn text_of(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        other => Some(other.to_owned()),
    }
}
