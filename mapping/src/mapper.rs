//! A mapping bound to a schema, applied to batches.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, Scalar, StringArray,
    UInt32Array,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, FieldRef, SchemaRef};
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_kernels::Pools;

use crate::cast;
use crate::extension::Extension;
use crate::work::{self, Pass, Work, is_blank, spelled};

/// A compiled mapping. It remembers nothing between batches: one can serve several threads, and several of them one read.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use arrow_array::cast::AsArray;
/// use fenhe_mapping::{Context, Mapping};
///
/// let mapping = Mapping::parse(r#"
///     [fields.sex_code]
///     from = "XB"
///     steps = ["trim", { code = { "男" = "1", "女" = "2" } }]
/// "#, "m.toml")?;
/// let sexes: ArrayRef = Arc::new(StringArray::from(vec!["男", "女 ", "M"]));
/// let batch = RecordBatch::try_from_iter([("XB", sexes)])?;
/// let mapper = mapping.bind(&batch.schema(), &Context::default())?;
/// let mapped = mapper.apply(&batch)?;
/// assert_eq!(mapped.records.column(0).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["1", "2"]);
/// assert_eq!(
///     mapped.faults[0].fault.to_string(),
///     "sex_code: expected a value of the code table, found 1 ASCII characters [mapping.code]"
/// );
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Mapper {
    pub(crate) lines: Vec<Line>,
    pub(crate) extension: Option<Extension>,
    pub(crate) schema: SchemaRef,
    pub(crate) source: SchemaRef,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) pools: Pools,
}

/// What became of one batch.
#[derive(Debug)]
pub struct Mapped {
    /// The rows that could be mapped, in their order.
    pub records: RecordBatch,
    /// The rows that could not, in their order, one entry a row.
    pub faults: Vec<RowFaults>,
    /// Which rows `records` holds; `None`: all.
    pub kept: Option<BooleanArray>,
    /// How often something stood in for a value in the rows of `records`.
    pub replaced: Vec<Replaced>,
}

/// A row that could not be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFaults {
    /// Its index in the batch.
    pub row: usize,
    /// The first thing wrong with it, in the order of the fields.
    pub fault: Fault,
    /// What else is.
    pub also: Vec<Fault>,
}

/// How often something stood in for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The field.
    pub field: String,
    /// What stood in, and why.
    pub what: String,
    /// In how many rows.
    pub rows: u64,
}

/// Something that may stand in for a value.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) field: String,
    pub(crate) what: String,
}

/// One field, compiled.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) field: FieldRef,
    pub(crate) start: Start,
    pub(crate) when: Option<Condition>,
    pub(crate) steps: Vec<Box<dyn Work>>,
    /// Type after the steps.
    pub(crate) from: DataType,
    /// One value, and the number under which its use is counted.
    pub(crate) default: Option<(ArrayRef, usize)>,
    pub(crate) required: bool,
}

/// Where the values of a field come from.
#[derive(Debug)]
pub(crate) enum Start {
    Column(usize),
    Join(Vec<usize>, String),
    First(Vec<usize>),
    Constant(ArrayRef),
}

/// Which rows have a value.
#[derive(Debug)]
pub(crate) enum Condition {
    OneOf(usize, Vec<String>),
    Blank(usize, bool),
}

impl Mapper {
    /// The schema of the mapped batches.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of a batch as the target wants them. A row with a value that a step or a type cannot take, or without
    /// a required value, is left out and told among the faults; no value is ever rounded or cut to fit.
    ///
    /// # Errors
    /// [`Kind::Internal`] with code `mapping.schema` when the batch has another schema than the one bound to.
    /// [`Kind::Limit`] when a column would need 2 GiB of text.
    pub fn apply(&self, batch: &RecordBatch) -> Result<Mapped> {
        let types = batch.columns().iter().map(|column| column.data_type());
        if !types.eq(self.source.fields().iter().map(|field| field.data_type())) {
            return Err(other_schema());
        }
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        let mut bad: Vec<(usize, Fault)> = Vec::new();
        let mut replaced: Vec<(usize, usize)> = Vec::new();
        for line in &self.lines {
            let mut pass = Pass {
                pools: &self.pools,
                field: line.field.name(),
                bad: Vec::new(),
                replaced: Vec::new(),
            };
            arrays.push(line.run(batch, &mut pass)?);
            bad.append(&mut pass.bad);
            replaced.append(&mut pass.replaced);
        }
        if let Some(extension) = &self.extension {
            arrays.push(extension.array(batch)?);
        }
        let kept = match bad.is_empty() {
            true => None,
            false => Some(keep_good(&mut arrays, &bad, batch.num_rows())?),
        };
        let rows = kept.as_ref().map_or(batch.num_rows(), BooleanArray::true_count);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let replaced = self.count(&replaced, kept.as_ref());
        Ok(Mapped { records, faults: by_row(bad), kept, replaced })
    }

    fn count(&self, replaced: &[(usize, usize)], kept: Option<&BooleanArray>) -> Vec<Replaced> {
        if replaced.is_empty() {
            return Vec::new();
        }
        let mut counts = vec![0; self.replacements.len()];
        for (row, slot) in replaced {
            let delivered = kept.is_none_or(|kept| kept.value(*row));
            if let Some(count) = counts.get_mut(*slot).filter(|_| delivered) {
                *count += 1;
            }
        }
        let counted = self.replacements.iter().zip(counts).filter(|(_, rows)| *rows > 0);
        counted
            .map(|(what, rows)| Replaced {
                field: what.field.clone(),
                what: what.what.clone(),
                rows,
            })
            .collect()
    }
}

impl Line {
    /// A column as it is.
    pub(crate) fn same(index: usize, field: &FieldRef) -> Self {
        Self {
            field: Arc::clone(field),
            start: Start::Column(index),
            when: None,
            steps: Vec::new(),
            from: field.data_type().clone(),
            default: None,
            required: false,
        }
    }

    fn run(&self, batch: &RecordBatch, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let mut array = self.start(batch, pass)?;
        if let Some(when) = &self.when {
            let not = when.not_met(batch)?;
            array = arrow_select::nullif::nullif(&array, &BooleanArray::new(not, None))?;
        }
        for step in &self.steps {
            array = step.run(&array, pass)?;
        }
        if *array.data_type() != self.from {
            return Err(other_schema());
        }
        let mut array = cast::column(&array, &self.field, pass.pools, &mut pass.bad)?;
        if array.null_count() > 0 {
            array = self.fill(array, pass)?;
        }
        Ok(array)
    }

    fn start(&self, batch: &RecordBatch, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let column = |index: &usize| batch.columns().get(*index).cloned().ok_or_else(other_schema);
        match &self.start {
            Start::Column(index) => column(index),
            Start::Join(columns, by) => {
                let arrays = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
                work::join(&arrays, by, pass)
            }
            Start::First(columns) => {
                work::first(&columns.iter().map(column).collect::<Result<Vec<_>>>()?)
            }
            Start::Constant(one) => {
                let all = UInt32Array::from_value(0, batch.num_rows());
                Ok(arrow_select::take::take(one, &all, None)?)
            }
        }
    }

    /// The cold path of absent values: the default, or a fault where a value is required.
    fn fill(&self, array: ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let absent: Vec<usize> = (0..array.len()).filter(|row| array.is_null(*row)).collect();
        if let Some((value, slot)) = &self.default {
            pass.replaced.extend(absent.into_iter().map(|row| (row, *slot)));
            let valid = array.nulls().map(|nulls| nulls.inner().clone());
            let valid = valid.unwrap_or_else(|| BooleanBuffer::new_set(array.len()));
            let valid = BooleanArray::new(valid, None);
            return Ok(arrow_select::zip::zip(&valid, &array, &Scalar::new(Arc::clone(value)))?);
        }
        if self.required || !self.field.is_nullable() {
            // A value that a step could not take was told already.
            let mut told: Vec<usize> = pass.bad.iter().map(|(row, _)| *row).collect();
            told.sort_unstable();
            for row in absent.into_iter().filter(|row| told.binary_search(row).is_err()) {
                pass.bad.push((row, Fault::new("mapping.required", pass.field, "a value", "none")));
            }
        }
        Ok(array)
    }
}

impl Condition {
    /// A set bit for every row in which it does not hold.
    fn not_met(&self, batch: &RecordBatch) -> Result<BooleanBuffer> {
        let (Self::OneOf(column, _) | Self::Blank(column, _)) = self;
        let array = batch.columns().get(*column).ok_or_else(other_schema)?;
        let text: StringArray = spelled(array)?;
        Ok(BooleanBuffer::collect_bool(text.len(), |row| {
            let value = text.is_valid(row).then(|| text.value(row));
            match self {
                Self::OneOf(_, words) => {
                    !value.is_some_and(|value| words.iter().any(|word| word == value))
                }
                Self::Blank(_, blank) => value.is_none_or(is_blank) != *blank,
            }
        }))
    }
}

/// Filters the arrays to the rows without a fault, and says which those are.
fn keep_good(arrays: &mut [ArrayRef], bad: &[(usize, Fault)], rows: usize) -> Result<BooleanArray> {
    let mut keep = vec![true; rows];
    for (row, _) in bad {
        if let Some(kept) = keep.get_mut(*row) {
            *kept = false;
        }
    }
    let keep = BooleanArray::from(keep);
    for array in arrays {
        *array = arrow_select::filter::filter(array, &keep)?;
    }
    Ok(keep)
}

/// One entry a row; within a row in the order of the fields.
fn by_row(mut bad: Vec<(usize, Fault)>) -> Vec<RowFaults> {
    bad.sort_by_key(|(row, _)| *row);
    let mut rows: Vec<RowFaults> = Vec::new();
    for (row, fault) in bad {
        match rows.last_mut() {
            Some(last) if last.row == row => last.also.push(fault),
            _ => rows.push(RowFaults { row, fault, also: Vec::new() }),
        }
    }
    rows
}

fn other_schema() -> Error {
    Error::new(
        Kind::Internal,
        "mapping.schema",
        "a batch has another schema than the source announced",
    )
}
