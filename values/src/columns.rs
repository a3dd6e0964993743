//! All columns of a record, kept in step.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, SchemaRef};
use fenhe_core::{Error, Fault, Kind as ErrorKind, Result};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use crate::column::ColumnBuilder;
use crate::fault::FaultMask;
use crate::spans::{Source, Spans};
use crate::spec::FieldSpec;

/// The columns of a batch: blocks go in, whole records that failed stay out.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<ColumnBuilder>,
    faults: FaultMask,
    starts: Vec<u32>,
    ends: Vec<u32>,
    rows: usize,
}

/// Values of all columns together for which there is room at first.
const FIRST_VALUES: usize = 4 << 20;

impl Columns {
    /// Columns for data in `encoding`, with room for `rows` rows.
    ///
    /// # Errors
    /// Those of [`ColumnBuilder::new`].
    pub fn new(
        specs: &[FieldSpec],
        encoding: Encoding,
        pools: &Pools,
        rows: usize,
    ) -> Result<Self> {
        // Room for rows is not made in each of thousands of columns.
        let rows = rows.min(FIRST_VALUES / specs.len().max(1));
        let columns = specs
            .iter()
            .map(|spec| ColumnBuilder::new(spec, encoding, pools, rows))
            .collect::<Result<_>>()?;
        Ok(Self {
            columns,
            faults: FaultMask::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            rows: 0,
        })
    }

    /// Appends a block of `rows` records; `spans` tells where the field of each column (by its number) stands.
    ///
    /// Returns the rows that were left out, in the numbering of the block: each has at least one bad field, which
    /// [`faults_of`](Self::faults_of) explains. `rejected` holds rows that the format has refused already; they are left out
    /// as well and are part of the returned mask, which also counts the values of the other rows that were
    /// [forgiven](FaultMask::forgiven).
    pub fn append<'s>(
        &mut self,
        source: Source<'_>,
        rows: usize,
        spans: impl Fn(usize) -> Spans<'s>,
        rejected: &[usize],
    ) -> &FaultMask {
        let before = self.rows;
        self.faults.reset(rows);
        for (number, column) in self.columns.iter_mut().enumerate() {
            column.append(source, spans(number), &mut self.faults);
        }
        rejected.iter().for_each(|row| self.faults.set(*row));
        if self.faults.any() {
            self.append_again(source, before, &spans);
        } else {
            self.rows += rows;
        }
        &self.faults
    }

    /// Every fault of one record of a block, to be asked for rows that [`append`](Self::append) left out.
    #[must_use]
    pub fn faults_of<'s>(
        &self,
        source: Source<'_>,
        row: usize,
        spans: impl Fn(usize) -> Spans<'s>,
    ) -> Vec<Fault> {
        let explain = |(number, column): (usize, &ColumnBuilder)| match spans(number)
            .field(source.bytes(), row)
        {
            Some(bytes) => column.reader().explain(bytes),
            None if spans(number).is_empty_text(row)
                && column.reader().spec().data_type == DataType::Utf8 =>
            {
                None
            }
            None => column.reader().explain_missing(),
        };
        self.columns.iter().enumerate().filter_map(explain).collect()
    }

    /// The rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[ColumnBuilder] {
        &self.columns
    }

    /// A batch of all rows; the columns are empty then and keep their room.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the schema is not that of the columns.
    pub fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let arrays = self
            .columns
            .iter_mut()
            .map(ColumnBuilder::finish)
            .collect::<Result<Vec<ArrayRef>>>()?;
        let options =
            RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options).map_err(|e| {
            Error::new(
                ErrorKind::Internal,
                "value.batch",
                "the columns do not make a batch of the schema",
            )
            .caused_by(e)
        })
    }

    /// The second pass over a block with faults. Good rows cannot fail now: they did not fail before.
    #[cold]
    fn append_again<'s>(
        &mut self,
        source: Source<'_>,
        before: usize,
        spans: &impl Fn(usize) -> Spans<'s>,
    ) {
        let (mut none, mut forgiven) = (FaultMask::new(), 0);
        for (number, column) in self.columns.iter_mut().enumerate() {
            column.truncate(before);
            spans(number).keep(&self.faults, &mut self.starts, &mut self.ends);
            none.reset(self.starts.len());
            column.append(source, Spans::each(&self.starts, &self.ends), &mut none);
            forgiven += none.forgiven();
        }
        self.faults.set_forgiven(forgiven);
        self.rows = before + self.faults.rows() - self.faults.count();
    }
}
