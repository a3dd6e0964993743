//! The list of rejects that people correct: one row a record, with the values as text.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
#[cfg(feature = "excel")]
use fenhe_core::Reject;
use fenhe_core::Result;
use fenhe_ledger::OpenReject;
use fenhe_text::Encoding;

use super::raw;
use super::waiting::{Shape, Waiting, text_of};
use crate::pump::Outline;

pub(super) const DELIVERY: &str = "_delivery";
pub(super) const RECORD: &str = "_record";
pub(super) const SHAPE: &str = "_shape";
pub(super) const TEXT: &str = "_raw";
pub(super) const BYTES: &str = "_bytes";
/// Columns that hold no values.
pub(super) const OWN: [&str; 12] = [
    DELIVERY,
    RECORD,
    SHAPE,
    "_code",
    "_field",
    "_expected",
    "_found",
    TEXT,
    BYTES,
    "_source",
    "_row",
    "_reason",
];

/// The open rejects of one flow as a list to correct. Columns that begin with `_` say what it is about; the others hold the
/// values: under the names of the source where the record was refused before the target saw it, under those of the target
/// where it was refused there. A record that never became a row has its bytes in `_raw` as text of this encoding and in
/// `_bytes` as digits, to be corrected in either, and the fields of the target to be filled in instead.
///
/// # Errors
/// Those of Arrow.
pub(super) fn correction_list(
    open: &[OpenReject],
    outline: &Outline,
    encoding: Option<Encoding>,
) -> Result<RecordBatch> {
    let rows: Vec<Waiting<'_>> = open.iter().map(|open| Waiting::of(open, outline)).collect();
    let names = value_names(rows.iter().map(|row| row.shape), outline);
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let own = |value: &dyn Fn(&OpenReject, &Waiting<'_>) -> Option<String>| -> ArrayRef {
        let values = open.iter().zip(&rows).map(|(open, row)| value(open, row));
        Arc::new(values.collect::<StringArray>())
    };
    columns.push((DELIVERY, own(&|o, _| Some(o.delivery.clone()))));
    columns.push((RECORD, own(&|o, _| Some(o.reject.record.to_string()))));
    columns.push((SHAPE, own(&|_, row| Some(row.shape.name().into()))));
    columns.push(("_code", own(&|o, _| Some(o.reject.fault.code.to_string()))));
    columns.push(("_field", own(&|o, _| Some(o.reject.fault.field.clone()))));
    columns.push(("_expected", own(&|o, _| Some(o.reject.fault.expected.clone()))));
    columns.push(("_found", own(&|o, _| Some(o.reject.fault.found.clone()))));
    columns.push((TEXT, own(&|_, row| raw::text_of(row.bytes?, encoding))));
    columns.push((BYTES, own(&|_, row| row.bytes.map(raw::digits_of))));
    for name in names {
        let values = rows.iter().map(|row| row.values.get(name).and_then(|raw| text_of(raw)));
        columns.push((name, Arc::new(values.collect::<StringArray>())));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// The columns that hold values, in the order of their schemas.
fn value_names(shapes: impl Iterator<Item = Shape> + Clone, outline: &Outline) -> Vec<&str> {
    let wants = |shape| {
        shapes.clone().any(|other| other == shape || other == Shape::Raw && shape == Shape::Target)
    };
    let mut names: Vec<&str> = Vec::new();
    for shape in [Shape::Source, Shape::Target] {
        let fields = shape.columns(outline).fields().iter().map(|field| field.name().as_str());
        names.extend(fields.filter(|_| wants(shape)));
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name) && !OWN.contains(name));
    names
}

/// What a workbook of rejects has to hold so that it can be taken for a list: the columns of the values, and those that
/// say which record a row is about.
#[cfg(feature = "excel")]
pub(crate) fn sheet(
    rejects: &[Reject],
    delivery: &str,
    outline: &Outline,
    encoding: Option<Encoding>,
) -> (Schema, Vec<(&'static str, Vec<String>)>) {
    let rows: Vec<Waiting<'_>> =
        rejects.iter().map(|reject| Waiting::once(reject, outline)).collect();
    let names = value_names(rows.iter().map(|row| row.shape), outline);
    let fields = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true));
    let column = |value: &dyn Fn(&Waiting<'_>) -> String| -> Vec<String> {
        rows.iter().map(value).collect()
    };
    let mut marks = Vec::new();
    if rows.iter().any(|row| row.bytes.is_some()) {
        // What a cell cannot hold whole must not come back as a correction.
        let whole = |text: Option<String>| {
            text.filter(|text| text.encode_utf16().count() <= CELL).unwrap_or_default()
        };
        let text = |row: &Waiting<'_>| whole(row.bytes.and_then(|b| raw::text_of(b, encoding)));
        marks.push((TEXT, column(&text)));
        marks.push((BYTES, column(&|row| whole(row.bytes.map(raw::digits_of)))));
    }
    marks.push((DELIVERY, column(&|_| delivery.to_owned())));
    marks.push((RECORD, column(&|row| row.last.record.to_string())));
    marks.push((SHAPE, column(&|row| row.shape.name().to_owned())));
    (Schema::new(fields.collect::<Vec<_>>()), marks)
}

/// Characters that a cell of a sheet holds.
#[cfg(feature = "excel")]
const CELL: usize = 32_767;
