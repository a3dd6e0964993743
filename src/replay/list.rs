//! The list of rejects that people correct: one row a record, with the values as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use fenhe_core::{Error, Kind, Limits, Raw, ReadRequest, Reject, Result};
use fenhe_ledger::OpenReject;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::pump::{Input, Outline};

const DELIVERY: &str = "_delivery";
const RECORD: &str = "_record";
const SHAPE: &str = "_shape";
const OWN: [&str; 11] = [
    DELIVERY,
    RECORD,
    SHAPE,
    "_code",
    "_field",
    "_expected",
    "_found",
    "_raw",
    "_source",
    "_row",
    "_reason",
];

/// Whose names the values of a row have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Columns of the source: the row goes through the mapping.
    Source,
    /// Fields of the target.
    Target,
}

/// One corrected row.
#[derive(Clone, Debug)]
pub(super) struct Correction {
    pub(super) delivery: Option<String>,
    pub(super) record: u64,
    pub(super) shape: Shape,
    pub(super) values: Vec<(String, Option<String>)>,
}

/// Corrected rows, read from a list.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    rows: Vec<Correction>,
}

/// The open rejects of one flow as a list to correct. Columns that begin with `_` say what it is about; the others hold the
/// values: under the names of the source where the record was refused before the mapping, under those of the target
/// where it was refused there. A record that never became a row has its bytes in `_raw`, and the fields of the
/// target to be filled in.
///
/// # Errors
/// Those of Arrow.
pub fn correction_list(open: &[OpenReject], outline: &Outline) -> Result<RecordBatch> {
    let rows: Vec<(Shape, Values)> =
        open.iter().map(|open| values_of(&open.reject, outline)).collect();
    let names = value_names(rows.iter().map(|(shape, _)| *shape), outline);
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let own = |value: &dyn Fn(&OpenReject, Shape) -> Option<String>| -> ArrayRef {
        let values = open.iter().zip(&rows).map(|(open, (shape, _))| value(open, *shape));
        Arc::new(values.collect::<StringArray>())
    };
    columns.push((DELIVERY, own(&|o, _| Some(o.delivery.clone()))));
    columns.push((RECORD, own(&|o, _| Some(o.reject.record.to_string()))));
    columns.push((SHAPE, own(&|_, shape| Some(shape.name().into()))));
    columns.push(("_code", own(&|o, _| Some(o.reject.fault.code.to_string()))));
    columns.push(("_field", own(&|o, _| Some(o.reject.fault.field.clone()))));
    columns.push(("_expected", own(&|o, _| Some(o.reject.fault.expected.clone()))));
    columns.push(("_found", own(&|o, _| Some(o.reject.fault.found.clone()))));
    columns.push(("_raw", own(&|o, _| raw_text(o))));
    for name in names {
        let values = rows.iter().map(|(_, values)| values.get(name).and_then(|raw| text_of(raw)));
        columns.push((name, Arc::new(values.collect::<StringArray>())));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// Values of a row as they are spelled: a number keeps its digits.
type Values = BTreeMap<String, Box<RawValue>>;

fn values_of(reject: &Reject, outline: &Outline) -> (Shape, Values) {
    let row: Values = match reject.raw_is {
        Raw::Row => serde_json::from_slice(&reject.raw).unwrap_or_default(),
        Raw::Source => return (Shape::Target, Values::new()),
    };
    let all_in = |schema: &Schema| row.keys().all(|name| schema.index_of(name).is_ok());
    // The mapping refuses rows as they came, and so do formats that read cells; a target those that it was given.
    let shape = match &*reject.adapter {
        "fields" | "mapping" => Shape::Source,
        _ if all_in(&outline.source) && !all_in(&outline.target) => Shape::Source,
        _ => Shape::Target,
    };
    (shape, row)
}

/// The columns that hold values, in the order of their schemas.
fn value_names(shapes: impl Iterator<Item = Shape> + Clone, outline: &Outline) -> Vec<&str> {
    let wants = |shape| shapes.clone().any(|other| other == shape);
    let mut names: Vec<&str> = Vec::new();
    for (shape, schema) in [(Shape::Source, &outline.source), (Shape::Target, &outline.target)] {
        let fields = schema.fields().iter().map(|field| field.name().as_str());
        names.extend(fields.filter(|_| wants(shape)));
    }
    let mut seen = std::collections::BTreeSet::new();
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
) -> (Schema, [(&'static str, Vec<String>); 3]) {
    let shapes: Vec<Shape> = rejects.iter().map(|reject| values_of(reject, outline).0).collect();
    let names = value_names(shapes.iter().copied(), outline);
    let fields = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true));
    let marks = [
        (DELIVERY, vec![delivery.to_owned(); rejects.len()]),
        (RECORD, rejects.iter().map(|reject| reject.record.to_string()).collect()),
        (SHAPE, shapes.into_iter().map(|shape| shape.name().to_owned()).collect()),
    ];
    (Schema::new(fields.collect::<Vec<_>>()), marks)
}

fn text_of(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        other => Some(other.to_owned()),
    }
}

/// The bytes of a record that never became a row: as text if they are UTF-8 or GB 18030, else hexadecimal.
fn raw_text(open: &OpenReject) -> Option<String> {
    if open.reject.raw_is == Raw::Row {
        return None;
    }
    let raw = &open.reject.raw;
    let text = match std::str::from_utf8(raw) {
        Ok(text) => Some(text.to_owned()),
        Err(_) => fenhe_text::Encoding::GB18030.decode(raw).ok().map(|text| text.into_owned()),
    };
    let plain = text.filter(|text| !text.contains('\0'));
    Some(plain.unwrap_or_else(|| hex::encode(raw)).trim_end_matches(['\r', '\n']).to_owned())
}

impl Corrections {
    /// Reads a corrected list, whose columns must all be text.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with code `replay.list` when it lacks the column `_record` or a row is damaged; those of
    /// reading it.
    pub async fn read(list: &Input, limits: &Limits) -> Result<Self> {
        let request = ReadRequest {
            dataset: list.dataset.clone(),
            limits: limits.clone(),
            ..ReadRequest::default()
        };
        let mut reader = list.exchange.read(request).await?;
        let mut rows = Vec::new();
        while let Some(batch) = reader.next().await? {
            if let Some(reject) = batch.rejects.first() {
                return Err(wrong(&list.name, format!("the list itself is damaged: {reject}")));
            }
            take(&batch.records, &list.name, &mut rows)?;
            Limits::check("rejects", limits.rejects, rows.len() as u64)?;
        }
        Ok(Self { rows })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> &[Correction] {
        &self.rows
    }
}

fn take(batch: &RecordBatch, name: &str, rows: &mut Vec<Correction>) -> Result<()> {
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let schema = batch.schema_ref();
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        columns.push((field.name(), arrow_cast::cast(array, &DataType::Utf8)?));
    }
    let of = |name: &str, row: usize| -> Option<String> {
        let (_, array) = columns.iter().find(|(other, _)| *other == name)?;
        let text = array.as_string::<i32>();
        let value = (!text.is_null(row)).then(|| text.value(row).to_owned());
        value.filter(|value| !value.is_empty())
    };
    for row in 0..batch.num_rows() {
        let record =
            of(RECORD, row).and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
                wrong(name, format!("row {} has no number of a record in {RECORD}", row + 1))
            })?;
        let shape = match of(SHAPE, row).as_deref() {
            Some("source") => Shape::Source,
            None | Some("target") => Shape::Target,
            Some(_) => return Err(wrong(name, format!("{SHAPE} is source or target"))),
        };
        let values = columns.iter().filter(|(name, _)| !OWN.contains(name));
        rows.push(Correction {
            delivery: of(DELIVERY, row),
            record,
            shape,
            values: values.map(|(name, _)| ((*name).to_owned(), of(name, row))).collect(),
        });
    }
    Ok(())
}

/// What identifies corrected rows: the same list is not sent twice.
pub(super) fn fingerprint(rows: &[Correction]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    for row in rows {
        add(&row.record.to_string());
        add(row.shape.name());
        for (name, value) in &row.values {
            add(name);
            add(value.as_deref().unwrap_or("\0"));
        }
    }
    hex::encode(hash.finalize())
}

fn wrong(name: &str, what: String) -> Error {
    Error::new(Kind::Invalid, "replay.list", what).source_name(name.to_owned())
}
