//! Blocks of fields to Arrow arrays, a column at a time.

mod fill;
mod memo;
mod places;
mod sink;
mod text;

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal256Array};
use arrow_buffer::{NullBufferBuilder, i256};
use arrow_schema::{DataType, Field};
use fenhe_core::{Error, Kind as ErrorKind, Result};
use fenhe_kernels::{BinaryColumn, BooleanColumn, Pools, PrimitiveColumn};
use fenhe_text::Encoding;

use crate::fault::{FaultKind, FaultMask};
use crate::reader::FieldReader;
use crate::spans::{Source, Spans};
use crate::spec::FieldSpec;
use text::TextColumn;

/// Builds the array of one field.
///
/// A block that has faults is appended like any other, with nulls in the bad rows. When all columns of the block are done and
/// the mask is not empty, take the block back with [`truncate`](Self::truncate) and append it again without the bad rows;
/// [`Columns`](crate::Columns) does that. So good blocks pay nothing for it.
///
/// ```
/// use arrow_schema::DataType;
/// use fenhe_kernels::Pools;
/// use fenhe_text::Encoding;
/// use fenhe_values::{ColumnBuilder, FaultMask, FieldSpec, Source, Spans};
///
/// let spec = FieldSpec::new("fee", DataType::Decimal128(8, 2));
/// let mut column = ColumnBuilder::new(&spec, Encoding::GBK, &Pools::default(), 8192)?;
/// let mut faults = FaultMask::new();
/// faults.reset(3);
/// // Three records of eight bytes; the field is the last six.
/// let block = Source::Bytes(b"A 12.50 B 2,--2 C       ");
/// column.append(block, Spans::Fixed { first: 2, record: 8, length: 6, rows: 3 }, &mut faults);
/// assert_eq!(faults.iter().collect::<Vec<_>>(), [1]);
/// assert_eq!(column.finish()?.len(), 3);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ColumnBuilder {
    reader: FieldReader,
    store: Store,
}

/// The values, by the way they are stored.
#[derive(Debug)]
enum Store {
    I8(PrimitiveColumn<i8>),
    I16(PrimitiveColumn<i16>),
    I32(PrimitiveColumn<i32>),
    I64(PrimitiveColumn<i64>),
    U8(PrimitiveColumn<u8>),
    U16(PrimitiveColumn<u16>),
    U32(PrimitiveColumn<u32>),
    U64(PrimitiveColumn<u64>),
    I128(PrimitiveColumn<i128>),
    I256(WideColumn),
    F32(PrimitiveColumn<f32>),
    F64(PrimitiveColumn<f64>),
    Boolean(BooleanColumn),
    Text(TextColumn),
    Binary(BinaryColumn),
}

/// Decimals of 256 bits: rare enough for plain vectors.
#[derive(Debug, Default)]
struct WideColumn {
    values: Vec<Option<i256>>,
}

/// The same call on whatever the store holds.
macro_rules! each {
    ($store:expr, $column:ident => $body:expr) => {
        match $store {
            Store::I8($column) => $body,
            Store::I16($column) => $body,
            Store::I32($column) => $body,
            Store::I64($column) => $body,
            Store::U8($column) => $body,
            Store::U16($column) => $body,
            Store::U32($column) => $body,
            Store::U64($column) => $body,
            Store::I128($column) => $body,
            Store::I256($column) => $body,
            Store::F32($column) => $body,
            Store::F64($column) => $body,
            Store::Boolean($column) => $body,
            Store::Text($column) => $body,
            Store::Binary($column) => $body,
        }
    };
}

impl ColumnBuilder {
    /// A column for data in `encoding`, with room for `rows` rows.
    ///
    /// # Errors
    /// Those of [`FieldReader::new`].
    pub fn new(spec: &FieldSpec, encoding: Encoding, pools: &Pools, rows: usize) -> Result<Self> {
        let reader = FieldReader::new(spec, encoding)?;
        let store = Store::new(&spec.data_type, encoding, pools, rows);
        let store = store.ok_or_else(|| {
            let message = format!("there is no column of {} for text", spec.data_type);
            Error::new(ErrorKind::Unsupported, "value.type", message).at_field(&spec.name)
        })?;
        Ok(Self { reader, store })
    }

    /// The compiled field: explains faults.
    #[must_use]
    pub fn reader(&self) -> &FieldReader {
        &self.reader
    }

    /// The Arrow field of the column, without metadata.
    #[must_use]
    pub fn field(&self) -> Field {
        let spec = self.reader.spec();
        Field::new(&spec.name, spec.data_type.clone(), spec.nullable)
    }

    /// The number of rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(&self.store, column => column.len())
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the field of every record of a block: a value, a null, or, where the field is bad, a null and a mark in
    /// `faults`, which must have been reset to the number of rows before the first column of the block.
    pub fn append(&mut self, source: Source<'_>, spans: Spans<'_>, faults: &mut FaultMask) {
        fill::block(&self.reader, &mut self.store, source, spans, faults);
    }

    /// Appends one field: for formats whose values do not lie in one buffer.
    ///
    /// # Errors
    /// What is wrong with it; then nothing is appended.
    pub fn append_value(&mut self, bytes: &[u8]) -> Result<(), FaultKind> {
        let (Ok(end), rows) = (u32::try_from(bytes.len()), self.len()) else {
            return Err(FaultKind::OutOfRange);
        };
        let mut faults = FaultMask::new();
        faults.reset(1);
        self.append(Source::Bytes(bytes), Spans::each(&[0], &[end]), &mut faults);
        if faults.any() {
            self.truncate(rows);
            return Err(self.reader.check(bytes).unwrap_or(FaultKind::ColumnFull));
        }
        Ok(())
    }

    /// Appends a null.
    ///
    /// # Errors
    /// [`FaultKind::NullNotAllowed`] in a required field; then nothing is appended.
    pub fn append_null(&mut self) -> Result<(), FaultKind> {
        if !self.reader.spec().nullable {
            return Err(FaultKind::NullNotAllowed);
        }
        each!(&mut self.store, column => column.append_null());
        Ok(())
    }

    /// Takes back all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        each!(&mut self.store, column => column.truncate(rows));
    }

    /// The array of all rows; the builder is empty then and keeps its room.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] should the store not suit the type, which the constructor rules out.
    pub fn finish(&mut self) -> Result<ArrayRef> {
        let data_type = &self.reader.spec().data_type;
        let wrong = |e| {
            Error::new(ErrorKind::Internal, "value.column", "the column does not suit its type")
                .caused_by(e)
        };
        Ok(match &mut self.store {
            Store::I8(column) => column.finish(data_type).map_err(wrong)?,
            Store::I16(column) => column.finish(data_type).map_err(wrong)?,
            Store::I32(column) => column.finish(data_type).map_err(wrong)?,
            Store::I64(column) => column.finish(data_type).map_err(wrong)?,
            Store::U8(column) => column.finish(data_type).map_err(wrong)?,
            Store::U16(column) => column.finish(data_type).map_err(wrong)?,
            Store::U32(column) => column.finish(data_type).map_err(wrong)?,
            Store::U64(column) => column.finish(data_type).map_err(wrong)?,
            Store::I128(column) => column.finish(data_type).map_err(wrong)?,
            Store::F32(column) => column.finish(data_type).map_err(wrong)?,
            Store::F64(column) => column.finish(data_type).map_err(wrong)?,
            Store::I256(column) => column.finish(data_type),
            Store::Boolean(column) => Arc::new(column.finish()),
            Store::Text(column) => Arc::new(column.finish()),
            Store::Binary(column) => Arc::new(column.finish()),
        })
    }
}

impl Store {
    fn new(data_type: &DataType, encoding: Encoding, pools: &Pools, rows: usize) -> Option<Self> {
        Some(match data_type {
            DataType::Int8 => Self::I8(PrimitiveColumn::new(pools, rows)),
            DataType::Int16 => Self::I16(PrimitiveColumn::new(pools, rows)),
            DataType::Int32 | DataType::Date32 | DataType::Time32(_) => {
                Self::I32(PrimitiveColumn::new(pools, rows))
            }
            DataType::Int64 | DataType::Time64(_) | DataType::Timestamp(..) => {
                Self::I64(PrimitiveColumn::new(pools, rows))
            }
            DataType::UInt8 => Self::U8(PrimitiveColumn::new(pools, rows)),
            DataType::UInt16 => Self::U16(PrimitiveColumn::new(pools, rows)),
            DataType::UInt32 => Self::U32(PrimitiveColumn::new(pools, rows)),
            DataType::UInt64 => Self::U64(PrimitiveColumn::new(pools, rows)),
            DataType::Decimal128(..) => Self::I128(PrimitiveColumn::new(pools, rows)),
            DataType::Decimal256(..) => Self::I256(WideColumn::default()),
            DataType::Float32 => Self::F32(PrimitiveColumn::new(pools, rows)),
            DataType::Float64 => Self::F64(PrimitiveColumn::new(pools, rows)),
            DataType::Boolean => Self::Boolean(BooleanColumn::new(pools, rows)),
            DataType::Utf8 => Self::Text(TextColumn::new(encoding, pools, rows)),
            DataType::Binary => Self::Binary(BinaryColumn::new(pools, rows, 0)),
            _ => return None,
        })
    }
}

impl WideColumn {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn append(&mut self, value: i256) {
        self.values.push(Some(value));
    }

    fn append_null(&mut self) {
        self.values.push(None);
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn finish(&mut self, data_type: &DataType) -> ArrayRef {
        let mut nulls = NullBufferBuilder::new(self.values.len());
        self.values.iter().for_each(|value| nulls.append(value.is_some()));
        let values = self.values.drain(..).map(|value| value.unwrap_or(i256::ZERO)).collect();
        Arc::new(Decimal256Array::new(values, nulls.finish()).with_data_type(data_type.clone()))
    }
}
