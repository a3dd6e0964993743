//! Rows to arrays.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, UInt64Builder,
};
use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions,
};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use fenhe_core::{Error, Fault, Kind, Reject, Result};

/// The values of one column of a batch.
pub(crate) enum Values {
    I16(Int16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    U64(UInt64Builder),
    F32(Float32Builder),
    F64(Float64Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Boolean(BooleanBuilder),
    Decimal(Decimal128Builder, u8, i8),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(Int64Builder, TimeUnit, bool),
}

/// What is wrong with a value of the database.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It has no form in the type of the column.
    Value(&'static str),
    /// Text that is not UTF-8.
    Encoding,
    /// Larger than the limit of a field.
    Long,
}

impl Values {
    /// An empty column of a type that a database of this crate has.
    pub(crate) fn new(kind: &DataType) -> Result<Self> {
        use DataType as D;
        Ok(match kind {
            D::Int16 => Self::I16(Int16Builder::new()),
            D::Int32 => Self::I32(Int32Builder::new()),
            D::Int64 => Self::I64(Int64Builder::new()),
            D::UInt64 => Self::U64(UInt64Builder::new()),
            D::Float32 => Self::F32(Float32Builder::new()),
            D::Float64 => Self::F64(Float64Builder::new()),
            D::Utf8 => Self::Text(StringBuilder::new()),
            D::Binary => Self::Bytes(BinaryBuilder::new()),
            D::Boolean => Self::Boolean(BooleanBuilder::new()),
            D::Decimal128(p, s) => Self::Decimal(Decimal128Builder::new(), *p, *s),
            D::Date32 => Self::Date(Date32Builder::new()),
            D::Time64(TimeUnit::Microsecond) => Self::Time(Time64MicrosecondBuilder::new()),
            D::Timestamp(unit, zone) => Self::Timestamp(Int64Builder::new(), *unit, zone.is_some()),
            other => {
                return Err(Error::new(
                    Kind::Internal,
                    "sql.type",
                    format!("no column is read as {other}"),
                ));
            }
        })
    }

    pub(crate) fn append_null(&mut self) {
        match self {
            Self::I16(b) => b.append_null(),
            Self::I32(b) => b.append_null(),
            Self::I64(b) | Self::Timestamp(b, ..) => b.append_null(),
            Self::U64(b) => b.append_null(),
            Self::F32(b) => b.append_null(),
            Self::F64(b) => b.append_null(),
            Self::Text(b) => b.append_null(),
            Self::Bytes(b) => b.append_null(),
            Self::Boolean(b) => b.append_null(),
            Self::Decimal(b, ..) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::Time(b) => b.append_null(),
        }
    }

    pub(crate) fn append_text(b: &mut StringBuilder, bytes: &[u8]) -> Result<(), Wrong> {
        b.append_value(std::str::from_utf8(bytes).map_err(|_| Wrong::Encoding)?);
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::I16(b) => Arc::new(b.finish()),
            Self::I32(b) => Arc::new(b.finish()),
            Self::I64(b) => Arc::new(b.finish()),
            Self::U64(b) => Arc::new(b.finish()),
            Self::F32(b) => Arc::new(b.finish()),
            Self::F64(b) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
            Self::Bytes(b) => Arc::new(b.finish()),
            Self::Boolean(b) => Arc::new(b.finish()),
            Self::Decimal(b, p, s) => Arc::new(b.finish().with_precision_and_scale(*p, *s)?),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Timestamp(b, unit, zone) => {
                let (values, zone) = (b.finish(), zone.then_some("UTC"));
                match unit {
                    TimeUnit::Second => stamps::<TimestampSecondType>(values, zone),
                    TimeUnit::Millisecond => stamps::<TimestampMillisecondType>(values, zone),
                    TimeUnit::Microsecond => stamps::<TimestampMicrosecondType>(values, zone),
                    TimeUnit::Nanosecond => stamps::<TimestampNanosecondType>(values, zone),
                }
            }
        })
    }
}

impl Wrong {
    /// The fault of a field.
    pub(crate) fn fault(&self, field: &str, kind: &DataType, limit: u64) -> Fault {
        match self {
            Self::Value(found) => {
                Fault::new("sql.value", field, format!("a value of type {kind}"), *found)
            }
            Self::Encoding => {
                Fault::new("sql.text_encoding", field, "text in UTF-8", "bytes of another encoding")
            }
            Self::Long => Fault::new(
                "core.limit",
                field,
                format!("at most {limit} bytes (limit field)"),
                "more",
            ),
        }
    }
}

/// The rows of a batch without those that were rejected, whose places hold nulls until here.
pub(crate) fn without_rejects(
    schema: &SchemaRef,
    columns: &mut [Values],
    first: u64,
    read: u64,
    rejects: &[Reject],
) -> Result<RecordBatch> {
    let arrays = columns.iter_mut().map(Values::finish).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(usize::try_from(read).ok());
    let nullable = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
    let loose = Schema::new_with_metadata(nullable.collect::<Vec<_>>(), schema.metadata().clone());
    let mut all = RecordBatch::try_new_with_options(Arc::new(loose), arrays, &options)?;
    if !rejects.is_empty() {
        let mut bad = rejects.iter().map(|r| r.record - first).peekable();
        let good: BooleanArray = (0..read).map(|n| Some(bad.next_if_eq(&n).is_none())).collect();
        all = arrow_select::filter::filter_record_batch(&all, &good)?;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(all.num_rows()));
    let arrays = all.columns().to_vec();
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

fn stamps<T: ArrowTimestampType>(values: Int64Array, zone: Option<&str>) -> ArrayRef {
    let (_, values, nulls) = values.into_parts();
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_timezone_opt(zone))
}
