//! Records to columns: one pass a column over a block of records, the type looked at once a column.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, SchemaRef};
use fenhe_core::{Fault, Result};
use fenhe_kernels::{
    AppendError, BinaryColumn, BooleanColumn, Pools, PrimitiveColumn, StringColumn,
};
use fenhe_text::{Encoding, Invalid, Table, Utf8Buf};
use fenhe_values::{FaultKind, FaultMask};

use crate::error;
use crate::explain;
use crate::fields;
use crate::memo::{MemoFault, MemoFile, pointer};
use crate::nullflags::Bits;
use crate::options::Trim;
use crate::types::Shape;

/// Rows that columns start with; they grow as the file proves to have more.
const FIRST_ROWS: usize = 64;

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
    scratch: Utf8Buf,
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
    fn record(&self, start: usize) -> &'a [u8] {
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
    pub(crate) fn new(schema: SchemaRef, places: Vec<Place>, reading: Reading) -> Self {
        let pools = Pools::default();
        let column = |place: Place| Column { build: Build::new(&place.data_type, &pools), place };
        Self { schema, list: places.into_iter().map(column).collect(), reading, rows: 0 }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
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
    fn new(data_type: &DataType, pools: &Pools) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringColumn::new(pools, FIRST_ROWS, 0)),
            DataType::Int64 | DataType::Timestamp(..) => {
                Self::Int64(PrimitiveColumn::new(pools, FIRST_ROWS))
            }
            DataType::Decimal128(..) => Self::Int128(PrimitiveColumn::new(pools, FIRST_ROWS)),
            DataType::Int32 | DataType::Date32 => {
                Self::Int32(PrimitiveColumn::new(pools, FIRST_ROWS))
            }
            DataType::Float64 => Self::Double(PrimitiveColumn::new(pools, FIRST_ROWS)),
            DataType::Boolean => Self::Boolean(BooleanColumn::new(pools, FIRST_ROWS)),
            _ => Self::Bytes(BinaryColumn::new(pools, FIRST_ROWS, 0)),
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

/// One column over one block.
struct Pass<'p, 'b> {
    block: &'p Block<'b>,
    place: &'p Place,
    reading: &'p mut Reading,
    faults: &'p mut FaultMask,
}

impl<'b> Pass<'_, 'b> {
    /// Each row's record and field; `None` where the null flag is set.
    #[inline]
    fn rows(&self) -> impl Iterator<Item = (&'b [u8], Option<&'b [u8]>)> + use<'b> {
        let block = Block { ..*self.block };
        let (at, end, null) =
            (self.place.at, self.place.at + self.place.length, self.place.bits.null);
        let starts: &'b [usize] = block.starts;
        starts.iter().map(move |start| {
            let record = block.record(*start);
            if null.is_some_and(|bit| bit.is_set(record)) {
                return (record, None);
            }
            (record, Some(record.get(at..end).unwrap_or_default()))
        })
    }

    #[inline]
    fn values<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<Option<T>, FaultKind>,
        mut push: impl FnMut(Option<T>),
    ) -> Result<()> {
        for (row, (_, field)) in self.rows().enumerate() {
            match field.map_or(Ok(None), &parse) {
                Ok(value) => push(value),
                Err(_) => {
                    self.refuse(row);
                    push(None);
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, to: &mut StringColumn) -> Result<()> {
        match self.reading.table {
            Some(Table::Double(table)) => {
                self.texts(to, |to, text| to.append_double_byte(text, table))
            }
            Some(Table::Single(table)) => {
                self.texts(to, |to, text| to.append_single_byte(text, table))
            }
            Some(Table::Utf8) => self.texts(to, |to, text| to.append_utf8(text)),
            Some(Table::Ascii) => self.texts(to, |to, text| to.append_ascii(text)),
            None => self.texts(to, |_, _| Err(AppendError::Invalid { at: 0 })),
        }
    }

    #[inline]
    fn texts(
        &mut self,
        to: &mut StringColumn,
        append: impl Fn(&mut StringColumn, &[u8]) -> Result<(), AppendError>,
    ) -> Result<()> {
        for (row, (_, field)) in self.rows().enumerate() {
            let Some(field) = field else {
                to.append_null();
                continue;
            };
            let text = self.reading.trimmed(field);
            if append(to, text).is_err() {
                self.slowly(to, row, text)?;
            }
        }
        Ok(())
    }

    /// What the table does not hold: rare characters and errors.
    #[cold]
    fn slowly(&mut self, to: &mut StringColumn, row: usize, text: &[u8]) -> Result<()> {
        let Reading { encoding, invalid, scratch, unreadable, .. } = &mut *self.reading;
        scratch.clear();
        match encoding.decode_into(text, *invalid, scratch) {
            Ok(seen) if seen.null => {
                *unreadable += 1;
                to.append_null();
                Ok(())
            }
            Ok(seen) => {
                *unreadable += seen.replaced as u64;
                to.append_str(scratch.as_str()).map_err(|_| error::full())
            }
            Err(_) => {
                self.faults.set(row);
                to.append_null();
                Ok(())
            }
        }
    }

    fn varchar(&mut self, to: &mut StringColumn) -> Result<()> {
        for (row, (record, field)) in self.rows().enumerate() {
            match self.varying(record, field) {
                Ok(Some(text)) => self.slowly(to, row, text)?,
                Ok(None) => to.append_null(),
                Err(()) => {
                    self.refuse(row);
                    to.append_null();
                }
            }
        }
        Ok(())
    }

    fn varbinary(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for (row, (record, field)) in self.rows().enumerate() {
            let value = self.varying(record, field).unwrap_or_else(|()| {
                self.refuse(row);
                None
            });
            to.append_option(value).map_err(|_| error::full())?;
        }
        Ok(())
    }

    fn varying<'f>(&self, record: &[u8], field: Option<&'f [u8]>) -> Result<Option<&'f [u8]>, ()> {
        let Some(field) = field else { return Ok(None) };
        match self.place.bits.short {
            // Without null flags the padding is all there is to go by.
            None => Ok(Some(fields::trim_end(field))),
            Some(bit) => fields::varying(field, bit.is_set(record)).map(Some).ok_or(()),
        }
    }

    fn bytes(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for (_, field) in self.rows() {
            to.append_option(field).map_err(|_| error::full())?;
        }
        Ok(())
    }

    fn memo(&mut self, to: &mut StringColumn) -> Result<()> {
        for (row, (_, field)) in self.rows().enumerate() {
            let mut memo = self.reading.memo.take();
            let read = read_memo(&mut memo, field);
            let done = match read {
                Ok(Ok(Some(bytes))) => self.slowly(to, row, bytes),
                Ok(Ok(None)) => {
                    to.append_null();
                    Ok(())
                }
                Ok(Err(_)) => {
                    self.refuse(row);
                    to.append_null();
                    Ok(())
                }
                Err(error) => Err(error),
            };
            self.reading.memo = memo;
            done?;
        }
        Ok(())
    }

    fn memo_bytes(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for (row, (_, field)) in self.rows().enumerate() {
            let mut memo = self.reading.memo.take();
            let done = match read_memo(&mut memo, field) {
                Ok(Ok(value)) => to.append_option(value).map_err(|_| error::full()),
                Ok(Err(_)) => {
                    self.refuse(row);
                    to.append_null();
                    Ok(())
                }
                Err(error) => Err(error),
            };
            self.reading.memo = memo;
            done?;
        }
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, row: usize) {
        match self.reading.invalid {
            Invalid::Reject => self.faults.set(row),
            Invalid::Replace | Invalid::Null => self.reading.unreadable += 1,
        }
    }
}

/// The memo of a field; `None` when it has none, or when there is no memo file and that was allowed.
pub(crate) fn read_memo<'m>(
    memo: &'m mut Option<MemoFile>,
    field: Option<&[u8]>,
) -> Result<Result<Option<&'m [u8]>, MemoFault>> {
    let (Some(memo), Some(field)) = (memo, field) else { return Ok(Ok(None)) };
    match pointer(field) {
        Ok(Some(block)) => Ok(memo.read(block)?.map(Some)),
        Ok(None) => Ok(Ok(None)),
        Err(fault) => Ok(Err(fault)),
    }
}
