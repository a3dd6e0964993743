//! Renames and types: from the columns of a source to the field names of a platform.

mod cast;

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{Batch, Error, Fault, Kind, Limits, Reject, Result, Source, nearest, schema};

use crate::ndjson::row_reject;

/// Which columns a flow delivers, under which names and types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// The fields of the target, in the order of delivery.
    pub rules: Vec<FieldRule>,
    /// What happens to columns that no rule names.
    pub unlisted: Unlisted,
}

/// One field of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// Name at the target.
    pub name: String,
    /// Name at the source.
    pub from: String,
    /// Type at the target; `None`: as the source has it.
    pub data_type: Option<DataType>,
    /// Whether a row without a value is rejected.
    pub required: bool,
    /// Title for people.
    pub title: Option<String>,
}

/// What happens to columns of the source that no rule names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// They are left out, and the receipt lists them.
    #[default]
    Drop,
    /// They are delivered under their own names, after the listed ones.
    Keep,
    /// They are an error before anything is read.
    Refuse,
}

impl Fields {
    /// The columns of the source that are needed, `None` for all.
    pub fn wanted(&self) -> Option<Vec<String>> {
        if self.rules.is_empty() || self.unlisted == Unlisted::Keep {
            return None;
        }
        let mut wanted: Vec<String> = Vec::new();
        for rule in &self.rules {
            if !wanted.contains(&rule.from) {
                wanted.push(rule.from.clone());
            }
        }
        Some(wanted)
    }

    /// Columns of `source` that are left out.
    pub fn left_out(&self, source: &Schema) -> Vec<String> {
        match self.wanted() {
            None => Vec::new(),
            Some(wanted) => source
                .fields()
                .iter()
                .map(|f| f.name().clone())
                .filter(|name| !wanted.contains(name))
                .collect(),
        }
    }

    /// Checks the rules against a schema.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `fields.unknown` for a column that the source does not have (the nearest
    /// is named), `fields.unlisted` for one that nobody named, `fields.type` for a type that it cannot become.
    pub fn bind(&self, source: &SchemaRef) -> Result<Mapping> {
        if self.unlisted == Unlisted::Refuse && !self.left_out(source).is_empty() {
            return Err(Error::new(
                Kind::Config,
                "fields.unlisted",
                format!("no field is made from: {}", self.left_out(source).join(", ")),
            )
            .hint("name them under fields, or set unlisted = \"drop\""));
        }
        let mut columns = Vec::new();
        for rule in &self.rules {
            columns.push(bind_rule(rule, source)?);
        }
        if self.rules.is_empty() || self.unlisted == Unlisted::Keep {
            let used: Vec<usize> = columns.iter().map(|c: &Bound| c.index).collect();
            columns.extend(
                source.fields().iter().enumerate().filter(|(index, _)| !used.contains(index)).map(
                    |(index, field)| Bound {
                        index,
                        field: Arc::clone(field),
                        from: field.data_type().clone(),
                    },
                ),
            );
        }
        let fields: Vec<_> = columns.iter().map(|c| Arc::clone(&c.field)).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, source.metadata().clone()));
        Ok(Mapping { columns, schema })
    }
}

fn bind_rule(rule: &FieldRule, source: &SchemaRef) -> Result<Bound> {
    let Ok(index) = source.index_of(&rule.from) else {
        let names: Vec<&str> = source.fields().iter().map(|f| f.name().as_str()).collect();
        let error = Error::new(
            Kind::Config,
            "fields.unknown",
            format!("the source has no column {}", rule.from),
        )
        .at_field(&rule.name);
        return Err(match nearest(&rule.from, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("columns are {}", names.join(", "))),
        });
    };
    let old = source.field(index);
    let data_type = rule.data_type.clone().unwrap_or_else(|| old.data_type().clone());
    cast::possible(old.data_type(), &data_type).map_err(|e| e.at_field(&rule.name))?;
    let nullable = !rule.required && old.is_nullable();
    let mut field =
        Field::new(&rule.name, data_type.clone(), nullable).with_metadata(old.metadata().clone());
    if let Some(title) = &rule.title {
        field = schema::with(field, schema::TITLE, title);
    }
    Ok(Bound { index, field: Arc::new(field), from: old.data_type().clone() })
}

/// Rules bound to the schema of a source.
#[derive(Clone, Debug)]
pub struct Mapping {
    columns: Vec<Bound>,
    schema: SchemaRef,
}

#[derive(Clone, Debug)]
struct Bound {
    index: usize,
    field: Arc<Field>,
    from: DataType,
}

impl Mapping {
    /// The schema of the mapped batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The batch with columns renamed and typed. A row with a value that its type cannot hold, or without a
    /// required value, becomes a reject; no value is ever rounded or cut.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the batch has another schema than the one bound to.
    pub fn apply(&self, batch: Batch, source: &Arc<Source>, limits: &Limits) -> Result<Batch> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let mut bad: Vec<(usize, Fault)> = Vec::new();
        for column in &self.columns {
            let array = batch.records.columns().get(column.index).ok_or_else(other_schema)?;
            if *array.data_type() != column.from {
                return Err(other_schema());
            }
            let array = cast::column(array, &column.field, &mut bad)?;
            if !column.field.is_nullable() && array.null_count() > 0 {
                missing(&array, column.field.name(), &mut bad);
            }
            arrays.push(array);
        }
        if bad.is_empty() {
            let records = self.records(arrays, batch.rows())?;
            return Ok(Batch { records, ..batch });
        }
        self.without(bad, arrays, batch, source, limits)
    }

    /// The cold path: rejects the bad rows and keeps the others.
    fn without(
        &self,
        mut bad: Vec<(usize, Fault)>,
        arrays: Vec<ArrayRef>,
        batch: Batch,
        source: &Arc<Source>,
        limits: &Limits,
    ) -> Result<Batch> {
        bad.sort_by_key(|(row, _)| *row);
        let mut numbers = batch.record_numbers();
        let mut keep = vec![true; batch.rows()];
        let mut rejects = batch.rejects;
        let mut bad = bad.into_iter().peekable();
        while let Some((row, fault)) = bad.next() {
            let mut also = Vec::new();
            while let Some((_, fault)) = bad.next_if(|(next, _)| *next == row) {
                also.push(fault);
            }
            let number = numbers.get(row).copied().unwrap_or_default();
            let reject = row_reject(&batch.records, row, number, fault, limits.reject_raw);
            rejects.push(reject.and(also).from_source(source).by("fields"));
            if let Some(kept) = keep.get_mut(row) {
                *kept = false;
            }
        }
        rejects.sort_by_key(|reject: &Reject| reject.record);
        let mut kept = keep.iter();
        numbers.retain(|_| kept.next().copied().unwrap_or(true));
        let filter = BooleanArray::from(keep);
        let arrays = arrays
            .iter()
            .map(|array| arrow_select::filter::filter(array, &filter))
            .collect::<Result<Vec<_>, _>>()?;
        let records = self.records(arrays, numbers.len())?;
        Batch::with_ordinals(records, rejects, batch.span, batch.position, numbers)
    }

    fn records(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

fn missing(array: &ArrayRef, name: &str, bad: &mut Vec<(usize, Fault)>) {
    for row in (0..array.len()).filter(|row| array.is_null(*row)) {
        // A value that could not be cast was reported already.
        if !bad.iter().any(|(other, fault)| *other == row && fault.field == name) {
            bad.push((row, Fault::new("fields.required", name, "a value", "none")));
        }
    }
}

fn other_schema() -> Error {
    Error::new(
        Kind::Internal,
        "fields.schema",
        "a batch has another schema than the source announced",
    )
}

#[cfg(test)]
mod tests;
