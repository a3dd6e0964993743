//! Columns as the rules look at them: text, or a lane of whole numbers in one unit. The type is switched on once a column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayAccessor};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::Date;

/// Nanoseconds of a day.
pub(super) const DAY: i128 = 86_400_000_000_000;

/// What the numbers of a lane count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Numbers with so many digits after the point.
    Number(i8),
    /// Nanoseconds since 1970-01-01.
    Time,
    /// Floating point numbers; they are no lane, but have an order.
    Float,
}

/// Whole numbers and which of them are there.
pub(super) struct Numbers {
    pub(super) values: Vec<i128>,
    pub(super) nulls: Option<NullBuffer>,
}

impl Lane {
    /// The lane of a type; `None` for those without one.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        use DataType as T;
        Some(match data_type {
            T::Int8 | T::Int16 | T::Int32 | T::Int64 => Self::Number(0),
            T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => Self::Number(0),
            T::Decimal128(_, scale) => Self::Number(*scale),
            T::Date32 | T::Date64 | T::Timestamp(..) => Self::Time,
            T::Float32 | T::Float64 => Self::Float,
            _ => return None,
        })
    }
}

impl Numbers {
    /// The column as numbers of its [`Lane`]; of text as dates, where text that is none is absent.
    /// Floating point columns have none: all absent.
    pub(super) fn of(array: &dyn Array) -> Self {
        let time = |unit: &TimeUnit| match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        };
        use DataType as T;
        match array.data_type() {
            T::Int8 => primitive::<Int8Type>(array, i128::from),
            T::Int16 => primitive::<Int16Type>(array, i128::from),
            T::Int32 => primitive::<Int32Type>(array, i128::from),
            T::Int64 => primitive::<Int64Type>(array, i128::from),
            T::UInt8 => primitive::<UInt8Type>(array, i128::from),
            T::UInt16 => primitive::<UInt16Type>(array, i128::from),
            T::UInt32 => primitive::<UInt32Type>(array, i128::from),
            T::UInt64 => primitive::<UInt64Type>(array, i128::from),
            T::Decimal128(..) => primitive::<Decimal128Type>(array, |value| value),
            T::Date32 => primitive::<Date32Type>(array, |days| i128::from(days) * DAY),
            T::Date64 => primitive::<Date64Type>(array, |ms| i128::from(ms) * 1_000_000),
            T::Timestamp(unit, _) => {
                let factor = time(unit);
                let scaled = |ticks| i128::from(ticks) * factor;
                match unit {
                    TimeUnit::Second => primitive::<TimestampSecondType>(array, scaled),
                    TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, scaled),
                    TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, scaled),
                    TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, scaled),
                }
            }
            _ if is_text(array.data_type()) => text_dates(array),
            _ => Self {
                values: vec![0; array.len()],
                nulls: Some(NullBuffer::new_null(array.len())),
            },
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<i128> {
        match &self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => self.values.get(row).copied(),
        }
    }

    /// Rows whose number is there and `wrong`.
    pub(super) fn find(&self, mut wrong: impl FnMut(i128) -> bool) -> BooleanBuffer {
        let found = self.values.iter().map(|value| wrong(*value)).collect();
        present(found, self.nulls.as_ref())
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Rows whose text is there, not blank, and `wrong`.
pub(super) fn find_text(array: &dyn Array, wrong: impl FnMut(&str) -> bool) -> BooleanBuffer {
    match array.data_type() {
        DataType::LargeUtf8 => scan(array.as_string::<i64>(), wrong),
        DataType::Utf8View => scan(array.as_string_view(), wrong),
        DataType::Utf8 => scan(array.as_string::<i32>(), wrong),
        _ => BooleanBuffer::new_unset(array.len()),
    }
}

/// Text column, for rules that look at several columns of a row.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(&'a dyn Array);

impl<'a> Text<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Self {
        Self(array)
    }

    /// The text of the row, unless it is absent.
    pub(super) fn get(self, row: usize) -> Option<&'a str> {
        if row >= self.0.len() || self.0.is_null(row) {
            return None;
        }
        let text = match self.0.data_type() {
            DataType::LargeUtf8 => self.0.as_string::<i64>().value(row),
            DataType::Utf8View => self.0.as_string_view().value(row),
            DataType::Utf8 => self.0.as_string::<i32>().value(row),
            _ => return None,
        };
        (!is_blank(text)).then_some(text)
    }
}

/// Whether text has nothing but blanks (of any width).
#[inline]
pub(super) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'!'..=b'~') => false,
        Some(_) => text.chars().all(char::is_whitespace),
    }
}

/// `found`, without the rows that are null.
pub(super) fn present(found: BooleanBuffer, nulls: Option<&NullBuffer>) -> BooleanBuffer {
    match nulls {
        Some(nulls) => &found & nulls.inner(),
        None => found,
    }
}

fn scan<'a, A>(array: A, mut wrong: impl FnMut(&str) -> bool) -> BooleanBuffer
where
    A: ArrayAccessor<Item = &'a str>,
{
    let nulls = array.nulls();
    BooleanBuffer::collect_bool(array.len(), |row| {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return false;
        }
        let text = array.value(row);
        !is_blank(text) && wrong(text)
    })
}

fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    number: impl Fn(T::Native) -> i128,
) -> Numbers {
    let array = array.as_primitive::<T>();
    Numbers {
        values: array.values().iter().map(|value| number(*value)).collect(),
        nulls: array.nulls().cloned(),
    }
}

fn text_dates(array: &dyn Array) -> Numbers {
    let mut values = vec![0; array.len()];
    let mut dates = values.iter_mut();
    let text = Text::new(array);
    let valid = BooleanBuffer::collect_bool(array.len(), |row| {
        let slot = dates.next();
        match (slot, text.get(row).and_then(|text| Date::from_text(text.as_bytes()))) {
            (Some(slot), Some(date)) => {
                *slot = i128::from(date.days()) * DAY;
                true
            }
            _ => false,
        }
    });
    Numbers { values, nulls: Some(NullBuffer::new(valid)) }
}
