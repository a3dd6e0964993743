use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::WrongType;
use super::bits::Bits;
use crate::pool::{PoolElement, Pools};

/// A column of numbers, or of dates, times and decimals stored as integers.
#[derive(Clone, Debug)]
pub struct PrimitiveColumn<T> {
    values: Vec<T>,
    present: Bits,
    pools: Pools,
}

impl<T: ColumnElement> PrimitiveColumn<T> {
    /// An empty column with room for `rows`.
    #[must_use]
    pub fn new(pools: &Pools, rows: usize) -> Self {
        Self {
            values: pools.of::<T>().get(rows),
            present: Bits::new(pools, rows),
            pools: pools.clone(),
        }
    }

    /// Rows.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a value.
    #[inline]
    pub fn append(&mut self, value: T) {
        self.values.push(value);
        self.present.push(true);
    }

    /// Adds an absent value.
    #[inline]
    pub fn append_null(&mut self) {
        self.values.push(T::default());
        self.present.push(false);
    }

    /// Adds a value that may be absent.
    #[inline]
    pub fn append_option(&mut self, value: Option<T>) {
        self.values.push(value.unwrap_or_default());
        self.present.push(value.is_some());
    }

    /// Adds several values.
    pub fn append_slice(&mut self, values: &[T]) {
        self.values.extend_from_slice(values);
        self.present.push_many(true, values.len());
    }

    /// Adds the values of an iterator; says how many there were.
    ///
    /// Iterators of a known length (slices, chunks, ranges and what is mapped from them) fill the memory directly.
    #[inline]
    pub fn append_all(&mut self, values: impl Iterator<Item = T>) -> usize {
        let before = self.values.len();
        self.values.extend(values);
        let added = self.values.len() - before;
        self.present.push_many(true, added);
        added
    }

    /// Adds `count` absent values.
    pub fn append_nulls(&mut self, count: usize) {
        self.values.resize(self.values.len() + count, T::default());
        self.present.push_many(false, count);
    }

    /// The value of a row; `None` if it is absent or there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        self.values.get(row).copied().filter(|_| self.present.get(row) == Some(true))
    }

    /// Takes back all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.present.truncate(rows);
    }

    /// Makes an array of the rows and starts again.
    ///
    /// # Errors
    /// If `data_type` is not stored as `T`; the rows stay in the column.
    pub fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, WrongType> {
        if !T::stores(data_type) {
            return Err(WrongType {
                asked: data_type.clone(),
                element: std::any::type_name::<T>(),
            });
        }
        let pool = self.pools.of::<T>();
        let fresh = pool.get(self.values.len());
        let values = std::mem::replace(&mut self.values, fresh);
        T::array(pool.freeze_scalar(values), self.present.finish_nulls(), data_type)
    }
}

/// An element type of [`PrimitiveColumn`], and the Arrow types that are stored as it.
pub trait ColumnElement: PoolElement {
    /// Whether arrays of `data_type` hold elements of this type.
    fn stores(data_type: &DataType) -> bool;

    /// An array of `data_type`.
    ///
    /// # Errors
    /// If `data_type` is not stored as this type.
    ///
    /// # Panics
    /// If `nulls` does not have as many entries as `values`.
    fn array(
        values: ScalarBuffer<Self>,
        nulls: Option<NullBuffer>,
        data_type: &DataType,
    ) -> Result<ArrayRef, WrongType>;
}

macro_rules! elements {
    ($($element:ident: $($pattern:pat => $arrow:ty),+;)*) => {$(
        impl ColumnElement for $element {
            fn stores(data_type: &DataType) -> bool {
                #[allow(unused_imports)]
                use {DataType::*, TimeUnit::*};
                matches!(data_type, $($pattern)|+)
            }

            fn array(
                values: ScalarBuffer<Self>,
                nulls: Option<NullBuffer>,
                data_type: &DataType,
            ) -> Result<ArrayRef, WrongType> {
                #[allow(unused_imports)]
                use {DataType::*, TimeUnit::*};
                match data_type {
                    $($pattern => Ok(typed::<$arrow>(values, nulls, data_type)),)+
                    _ => Err(WrongType { asked: data_type.clone(), element: stringify!($element) }),
                }
            }
        }
    )*};
}

elements! {
    i8: Int8 => Int8Type;
    i16: Int16 => Int16Type;
    i32: Int32 => Int32Type, Date32 => Date32Type, Time32(Second) => Time32SecondType,
        Time32(Millisecond) => Time32MillisecondType, Decimal32(..) => Decimal32Type;
    i64: Int64 => Int64Type, Date64 => Date64Type, Time64(Microsecond) => Time64MicrosecondType,
        Time64(Nanosecond) => Time64NanosecondType, Timestamp(Second, _) => TimestampSecondType,
        Timestamp(Millisecond, _) => TimestampMillisecondType, Timestamp(Microsecond, _) => TimestampMicrosecondType,
        Timestamp(Nanosecond, _) => TimestampNanosecondType, Duration(Second) => DurationSecondType,
        Duration(Millisecond) => DurationMillisecondType, Duration(Microsecond) => DurationMicrosecondType,
        Duration(Nanosecond) => DurationNanosecondType, Decimal64(..) => Decimal64Type;
    i128: Decimal128(..) => Decimal128Type;
    u8: UInt8 => UInt8Type;
    u16: UInt16 => UInt16Type;
    u32: UInt32 => UInt32Type;
    u64: UInt64 => UInt64Type;
    f32: Float32 => Float32Type;
    f64: Float64 => Float64Type;
}

fn typed<A: ArrowPrimitiveType>(
    values: ScalarBuffer<A::Native>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> ArrayRef {
    // The pattern that chose A guarantees that data_type is one of A's.
    Arc::new(PrimitiveArray::<A>::new(values, nulls).with_data_type(data_type.clone()))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_type_is_made_of_the_element_that_stores_it() {
        let pools = Pools::default();
        let zone = Some("Asia/Shanghai".into());
        let mut column = PrimitiveColumn::<i64>::new(&pools, 3);
        for data_type in [
            DataType::Int64,
            DataType::Date64,
            DataType::Time64(TimeUnit::Nanosecond),
            DataType::Timestamp(TimeUnit::Second, None),
            DataType::Timestamp(TimeUnit::Microsecond, zone),
            DataType::Duration(TimeUnit::Millisecond),
            DataType::Decimal64(18, 2),
        ] {
            column.append(-5);
            column.append_null();
            let array = column.finish(&data_type).unwrap();
            assert_eq!(array.data_type(), &data_type);
            assert_eq!((array.len(), array.null_count()), (2, 1));
            assert!(column.is_empty());
        }
        let mut amounts = PrimitiveColumn::<i128>::new(&pools, 0);
        amounts.append(1234);
        let array = amounts.finish(&DataType::Decimal128(15, 2)).unwrap();
        assert_eq!(array.as_primitive::<Decimal128Type>().value_as_string(0), "12.34");
    }

    #[test]
    fn a_type_that_is_stored_otherwise_is_refused_and_the_rows_stay() {
        let mut column = PrimitiveColumn::<i32>::new(&Pools::default(), 0);
        column.append(1);
        let error = column.finish(&DataType::Int64).unwrap_err();
        assert_eq!(error.to_string(), "a column of i32 cannot become an array of Int64");
        assert_eq!(column.len(), 1);
        assert!(column.finish(&DataType::Time32(TimeUnit::Nanosecond)).is_err());
    }

    proptest! {
        #[test]
        fn rows_agree_with_a_vector_of_options(
            batches in proptest::collection::vec(
                (proptest::collection::vec(any::<Option<f64>>(), 0..200), 0usize..220), 1..4)
        ) {
            let mut column = PrimitiveColumn::<f64>::new(&Pools::default(), 100);
            for (mut rows, keep) in batches {
                rows.iter().for_each(|row| column.append_option(*row));
                column.append_slice(&[1.5; 3]);
                column.append_nulls(2);
                prop_assert_eq!(column.append_all(rows.iter().flatten().copied()), rows.iter().flatten().count());
                let again: Vec<_> = rows.iter().flatten().copied().map(Some).collect();
                rows.extend([Some(1.5), Some(1.5), Some(1.5), None, None]);
                rows.extend(again);
                column.truncate(keep);
                rows.truncate(keep);
                prop_assert_eq!(column.get(keep / 2), rows.get(keep / 2).copied().flatten());
                let array = column.finish(&DataType::Float64).unwrap();
                prop_assert_eq!(array.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), rows);
            }
        }
    }
}
