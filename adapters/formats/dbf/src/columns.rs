//! Records to columns: one pass a column over a block of records, the type looked at once a column.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, SchemaRef};
use fenhe_core::{Fault, Result};
use fenhe_kernels::{BinaryColumn, BooleanColumn, Pools, PrimitiveColumn, StringColumn};
use fenhe_text::{Encoding, Invalid, Table, Utf8Buf};
use fenhe_values::FaultMask;

use crate::explain;
use crate::fields;
use crate::memo::MemoFile;
use crate::nullflags::Bits;
use crate::options::Trim;
use crate::pass::Pass;
use crate::types::Shape;

/// The records of one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// Bytes that hold them.
    pub(crate) data: &'a [u8],
    /// Where each of them starts.
    pub(crate) starts: &'a [usize],
    /// Bytes of a record.
    pub(crate) length: usize,
}

/// Where a column comes from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) shape: Option<Shape>,
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) bits: Bits,
    pub(crate) data_type: DataType,
}

/// What all columns share.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) encoding: Encoding,
    pub(crate) table: Option<Table>,
    pub(crate) invalid: Invalid,
    pub(crate) trim: Trim,
    pub(crate) round_seconds: bool,
    pub(crate) memo: Option<MemoFile>,
    /// Values that could not be read and became null or U+FFFD.
    pub(crate) unreadable: u64,
    pub(crate) scratch: Utf8Buf,
}

/// The columns of a batch under way.
#[derive(Debug)]
pub(crate) struct Columns {
    schema: SchemaRef,
    list: Vec<Column>,
    reading: Reading,
    rows: usize,
}

#[derive(Debug)]
struct Column {
    place: Place,
    build: Build,
}

#[derive(Debug)]
enum Build {
    Text(StringColumn),
    Bytes(BinaryColumn),
    Int64(PrimitiveColumn<i64>),
    Int128(PrimitiveColumn<i128>),
    Int32(PrimitiveColumn<i32>),
    Double(PrimitiveColumn<f64>),
    Boolean(BooleanColumn),
}

impl<'a> Block<'a> {
    #[inline]
    pub(crate) fn record(&self, start: usize) -> &'a [u8] {
        self.data.get(start..start + self.length).unwrap_or_default()
    }
}

impl Reading {
    pub(crate) fn new(
        encoding: Encoding,
        memo: Option<MemoFile>,
        options: &crate::DbfOptions,
    ) -> Self {
        Self {
            encoding,
            table: encoding.table(),
            invalid: options.invalid,
            trim: options.trim,
            round_seconds: options.round_seconds,
            memo,
            unreadable: 0,
            scratch: Utf8Buf::default(),
        }
    }

    /// The text of a C field.
    #[inline]
    pub(crate) fn trimmed<'f>(&self, field: &'f [u8]) -> &'f [u8] {
        match self.trim {
            Trim::Right => fields::trim_end(field),
            Trim::Both => fields::trim_start(fields::trim_end(field)),
            Trim::None => field,
        }
    }
}

impl Columns {
    /// With room for so many rows; they grow if it takes more.
    pub(crate) fn new(
        schema: SchemaRef,
        places: Vec<Place>,
        reading: Reading,
        pools: &Pools,
        rows: usize,
    ) -> Self {
        let column =
            |place: Place| Column { build: Build::new(&place.data_type, pools, rows), place };
        Self { schema, list: places.into_iter().map(column).collect(), reading, rows: 0 }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Counts unreadable values from here on.
    pub(crate) fn forget_unreadable(&mut self) {
        self.reading.unreadable = 0;
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the records of a block; marks those with a value that cannot be read.
    ///
    /// # Errors
    /// Errors of the memo file's place, and a column beyond 2 GiB.
    pub(crate) fn append(&mut self, block: &Block<'_>, faults: &mut FaultMask) -> Result<()> {
        faults.reset(block.starts.len());
        for column in &mut self.list {
            column.append(block, &mut self.reading, faults)?;
        }
        self.rows += block.starts.len();
        Ok(())
    }

    /// Everything wrong with one record.
    pub(crate) fn explain(&mut self, record: &[u8]) -> Result<Vec<Fault>> {
        let mut all = Vec::new();
        for column in &self.list {
            all.extend(explain::fault(&column.place, record, &mut self.reading)?);
        }
        Ok(all)
    }

    /// Takes rows back.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        for column in &mut self.list {
            column.build.truncate(rows);
        }
    }

    /// Bytes of text and binary values so far.
    pub(crate) fn heap(&self) -> usize {
        let of = |column: &Column| match &column.build {
            Build::Text(text) => text.text_len(),
            _ => 0,
        };
        self.list.iter().map(of).sum()
    }

    /// The batch; the columns start again.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        let arrays: Result<Vec<ArrayRef>> =
            self.list.iter_mut().map(|c| c.build.finish(&c.place.data_type)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays?, &options)?)
    }
}

impl Build {
    fn new(data_type: &DataType, pools: &Pools, rows: usize) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringColumn::new(pools, rows, rows.saturating_mul(16))),
            DataType::Int64 | DataType::Timestamp(..) => {
                Self::Int64(PrimitiveColumn::new(pools, rows))
            }
            DataType::Decimal128(..) => Self::Int128(PrimitiveColumn::new(pools, rows)),
            DataType::Int32 | DataType::Date32 => Self::Int32(PrimitiveColumn::new(pools, rows)),
            DataType::Float64 => Self::Double(PrimitiveColumn::new(pools, rows)),
            DataType::Boolean => Self::Boolean(BooleanColumn::new(pools, rows)),
            _ => Self::Bytes(BinaryColumn::new(pools, rows, 0)),
        }
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(c) => c.truncate(rows),
            Self::Bytes(c) => c.truncate(rows),
            Self::Int64(c) => c.truncate(rows),
            Self::Int128(c) => c.truncate(rows),
            Self::Int32(c) => c.truncate(rows),
            Self::Double(c) => c.truncate(rows),
            Self::Boolean(c) => c.truncate(rows),
        }
    }

    fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef> {
        let wrong = |e: fenhe_kernels::WrongType| {
            fenhe_core::Error::new(fenhe_core::Kind::Internal, "dbf.column", e.to_string())
        };
        match self {
            Self::Text(c) => Ok(Arc::new(c.finish())),
            Self::Bytes(c) => Ok(Arc::new(c.finish())),
            Self::Boolean(c) => Ok(Arc::new(c.finish())),
            Self::Int64(c) => c.finish(data_type).map_err(wrong),
            Self::Int128(c) => c.finish(data_type).map_err(wrong),
            Self::Int32(c) => c.finish(data_type).map_err(wrong),
            Self::Double(c) => c.finish(data_type).map_err(wrong),
        }
    }
}

impl Column {
    fn append(
        &mut self,
        block: &Block<'_>,
        reading: &mut Reading,
        faults: &mut FaultMask,
    ) -> Result<()> {
        let place = &self.place;
        let round = reading.round_seconds;
        let mut pass = Pass { block, place, reading, faults };
        match (&mut self.build, place.shape) {
            (Build::Text(to), Some(Shape::Text)) => pass.text(to),
            (Build::Text(to), Some(Shape::Varchar)) => pass.varchar(to),
            (Build::Text(to), _) => pass.memo(to),
            (Build::Bytes(to), Some(Shape::Varbinary)) => pass.varbinary(to),
            (Build::Bytes(to), Some(Shape::MemoBytes)) => pass.memo_bytes(to),
            (Build::Bytes(to), _) => pass.bytes(to),
            (Build::Int64(to), Some(Shape::DateTime)) => {
                pass.values(|f| fields::date_time(f, round), |v| to.append_option(v))
            }
            (Build::Int64(to), _) => pass.values(fields::integer, |v| to.append_option(v)),
            (Build::Int128(to), Some(Shape::Decimal { precision, scale })) => {
                pass.values(|f| fields::decimal(f, precision, scale), |v| to.append_option(v))
            }
            (Build::Int128(to), _) => {
                pass.values(|f| Ok(fields::currency(f)), |v| to.append_option(v))
            }
            (Build::Int32(to), Some(Shape::Date)) => {
                pass.values(fields::date, |v| to.append_option(v))
            }
            (Build::Int32(to), Some(Shape::Int32Seven)) => {
                pass.values(|f| Ok(fields::int32_seven(f)), |v| to.append_option(v))
            }
            (Build::Int32(to), _) => pass.values(|f| Ok(fields::int32(f)), |v| to.append_option(v)),
            (Build::Double(to), Some(Shape::DoubleSeven)) => {
                pass.values(|f| Ok(fields::double_seven(f)), |v| to.append_option(v))
            }
            (Build::Double(to), _) => {
                pass.values(|f| Ok(fields::double(f)), |v| to.append_option(v))
            }
            (Build::Boolean(to), Some(_)) => pass.values(fields::logical, |v| to.append_option(v)),
            (Build::Boolean(to), None) => {
                pass.values(|f| Ok(Some(f.first() == Some(&b'*'))), |v| to.append_option(v))
            }
        }
    }
}
