//! Values of one column into the rows of a buffer. The type is looked at once a column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use fenhe_core::Result;
use fenhe_core::schema::with_offsets;

/// The widest single store.
pub(super) const SLACK: usize = 17;
const NULL: u8 = 0xff;
const LONG: u8 = 0xfd;
const SHORT: usize = 252;

/// A column ready to be written.
pub(super) enum Column {
    /// Numbers that fit 64 bits.
    Narrow(Vec<i64>, Option<NullBuffer>),
    /// Numbers of 128 bits.
    Wide(Vec<i128>, Option<NullBuffer>),
    Float(Vec<f64>, Option<NullBuffer>),
    Bool(ArrayRef),
    Text(ArrayRef),
    LargeText(ArrayRef),
    Binary(ArrayRef),
    LargeBinary(ArrayRef),
    /// Bytes made for the purpose, `None` for null.
    Made(Vec<Option<Vec<u8>>>),
}

impl Column {
    pub(super) fn of(array: &ArrayRef) -> Result<Self> {
        use DataType as T;
        let nulls = || array.logical_nulls();
        macro_rules! narrow {
            ($kind:ty) => {
                Self::Narrow(widened::<$kind, i64>(array), nulls())
            };
        }
        Ok(match array.data_type() {
            T::Int8 => narrow!(Int8Type),
            T::Int16 => narrow!(Int16Type),
            T::Int32 => narrow!(Int32Type),
            T::Int64 => narrow!(Int64Type),
            T::UInt8 => narrow!(UInt8Type),
            T::UInt16 => narrow!(UInt16Type),
            T::UInt32 => narrow!(UInt32Type),
            T::UInt64 => Self::Wide(widened::<UInt64Type, i128>(array), nulls()),
            T::Decimal32(..) => narrow!(Decimal32Type),
            T::Decimal64(..) => narrow!(Decimal64Type),
            T::Decimal128(..) => Self::Wide(widened::<Decimal128Type, i128>(array), nulls()),
            T::Date32 => narrow!(Date32Type),
            T::Date64 => narrow!(Date64Type),
            T::Time32(TimeUnit::Second) => narrow!(Time32SecondType),
            T::Time32(_) => narrow!(Time32MillisecondType),
            T::Time64(TimeUnit::Microsecond) => narrow!(Time64MicrosecondType),
            T::Time64(_) => narrow!(Time64NanosecondType),
            T::Timestamp(TimeUnit::Second, _) => narrow!(TimestampSecondType),
            T::Timestamp(TimeUnit::Millisecond, _) => narrow!(TimestampMillisecondType),
            T::Timestamp(TimeUnit::Microsecond, _) => narrow!(TimestampMicrosecondType),
            T::Timestamp(TimeUnit::Nanosecond, _) => narrow!(TimestampNanosecondType),
            T::Float16 => Self::Float(
                array.as_primitive::<Float16Type>().values().iter().map(|v| v.to_f64()).collect(),
                nulls(),
            ),
            T::Float32 => Self::Float(widened::<Float32Type, f64>(array), nulls()),
            T::Float64 => Self::Float(widened::<Float64Type, f64>(array), nulls()),
            T::Boolean => Self::Bool(array.clone()),
            T::Utf8 => Self::Text(array.clone()),
            T::LargeUtf8 => Self::LargeText(array.clone()),
            T::Binary => Self::Binary(array.clone()),
            T::LargeBinary => Self::LargeBinary(array.clone()),
            T::Utf8View => Self::Made(
                array.as_string_view().iter().map(|v| v.map(|v| v.as_bytes().to_vec())).collect(),
            ),
            T::BinaryView => {
                Self::Made(array.as_binary_view().iter().map(|v| v.map(<[u8]>::to_vec)).collect())
            }
            T::FixedSizeBinary(_) => Self::Made(
                array.as_fixed_size_binary().iter().map(|v| v.map(<[u8]>::to_vec)).collect(),
            ),
            T::Decimal256(..) => Self::Made(
                array
                    .as_primitive::<Decimal256Type>()
                    .iter()
                    .map(|v| v.map(|v| shortest(&v.to_le_bytes())))
                    .collect(),
            ),
            _ => Self::Made(as_json(array)?),
        })
    }

    /// Most bytes that any row needs, beside those of [`add_lengths`](Self::add_lengths).
    pub(super) fn fixed(&self) -> usize {
        match self {
            Self::Narrow(..) | Self::Float(..) => 9,
            Self::Wide(..) => 17,
            Self::Bool(_) => 2,
            _ => 5,
        }
    }

    /// Adds the length of every value that has its own.
    pub(super) fn add_lengths(&self, lengths: &mut [usize]) {
        fn add<O: TryInto<usize> + Copy>(offsets: &[O], lengths: &mut [usize]) {
            let place = |offset: O| offset.try_into().unwrap_or_default();
            for (length, pair) in lengths.iter_mut().zip(offsets.windows(2)) {
                if let [from, to] = pair {
                    *length += place(*to) - place(*from);
                }
            }
        }
        match self {
            Self::Text(array) => add(array.as_string::<i32>().value_offsets(), lengths),
            Self::LargeText(array) => add(array.as_string::<i64>().value_offsets(), lengths),
            Self::Binary(array) => add(array.as_binary::<i32>().value_offsets(), lengths),
            Self::LargeBinary(array) => add(array.as_binary::<i64>().value_offsets(), lengths),
            Self::Made(values) => {
                for (length, value) in lengths.iter_mut().zip(values) {
                    *length += value.as_ref().map_or(0, Vec::len);
                }
            }
            _ => {}
        }
    }

    /// Writes every value at the cursor of its row and moves the cursor behind it.
    pub(super) fn write(&self, bytes: &mut [u8], cursors: &mut [usize]) {
        match self {
            Self::Narrow(values, nulls) => numbers(values, nulls.as_ref(), bytes, cursors),
            Self::Wide(values, nulls) => wide(values, nulls.as_ref(), bytes, cursors),
            Self::Float(values, nulls) => floats(values, nulls.as_ref(), bytes, cursors),
            Self::Bool(array) => {
                let values = array.as_boolean().iter();
                each(values.map(|v| v.map(|v| [u8::from(v)])), bytes, cursors);
            }
            Self::Text(array) => each(array.as_string::<i32>().iter(), bytes, cursors),
            Self::LargeText(array) => each(array.as_string::<i64>().iter(), bytes, cursors),
            Self::Binary(array) => each(array.as_binary::<i32>().iter(), bytes, cursors),
            Self::LargeBinary(array) => each(array.as_binary::<i64>().iter(), bytes, cursors),
            Self::Made(values) => each(values.iter().map(Option::as_ref), bytes, cursors),
        }
    }
}

fn widened<P: ArrowPrimitiveType, W: From<P::Native>>(array: &ArrayRef) -> Vec<W> {
    array.as_primitive::<P>().values().iter().map(|v| W::from(*v)).collect()
}

fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// Puts `N` bytes at the cursor; the caller says how many of them count.
fn put<const N: usize>(bytes: &mut [u8], cursor: &mut usize, value: [u8; N], counts: usize) {
    if let Some(place) = bytes.get_mut(*cursor..*cursor + N) {
        place.copy_from_slice(&value);
        *cursor += counts;
    }
}

fn numbers(values: &[i64], nulls: Option<&NullBuffer>, bytes: &mut [u8], cursors: &mut [usize]) {
    for (row, (value, cursor)) in values.iter().zip(cursors).enumerate() {
        if is_null(nulls, row) {
            put(bytes, cursor, [NULL], 1);
            continue;
        }
        // One bit more than the magnitude, for the sign.
        let length = (72 - (value ^ (value >> 63)).leading_zeros()) / 8;
        // The length goes in front of the eight bytes of the number.
        let store = (u128::from(value.cast_unsigned()) << 8) | u128::from(length);
        let store = store.to_le_bytes();
        let mut nine = [0; 9];
        nine.copy_from_slice(store.first_chunk::<9>().unwrap_or(&[0; 9]));
        put(bytes, cursor, nine, length as usize + 1);
    }
}

fn wide(values: &[i128], nulls: Option<&NullBuffer>, bytes: &mut [u8], cursors: &mut [usize]) {
    for (row, (value, cursor)) in values.iter().zip(cursors).enumerate() {
        if is_null(nulls, row) {
            put(bytes, cursor, [NULL], 1);
            continue;
        }
        let length = (136 - (value ^ (value >> 127)).leading_zeros()) / 8;
        let mut store = [0; 17];
        if let Some((first, rest)) = store.split_first_mut() {
            *first = length.to_le_bytes()[0];
            rest.copy_from_slice(&value.to_le_bytes());
        }
        put(bytes, cursor, store, length as usize + 1);
    }
}

fn floats(values: &[f64], nulls: Option<&NullBuffer>, bytes: &mut [u8], cursors: &mut [usize]) {
    for (row, (value, cursor)) in values.iter().zip(cursors).enumerate() {
        if is_null(nulls, row) {
            put(bytes, cursor, [NULL], 1);
            continue;
        }
        let value = match value {
            value if value.is_nan() => f64::NAN,
            value if *value == 0.0 => 0.0,
            value => *value,
        };
        put(bytes, cursor, [8], 1);
        put(bytes, cursor, value.to_le_bytes(), 8);
    }
}

fn each<V: AsRef<[u8]>>(
    values: impl Iterator<Item = Option<V>>,
    bytes: &mut [u8],
    cursors: &mut [usize],
) {
    for (value, cursor) in values.zip(cursors) {
        let Some(value) = value else {
            put(bytes, cursor, [NULL], 1);
            continue;
        };
        let value = value.as_ref();
        match u8::try_from(value.len()) {
            Ok(length) if value.len() <= SHORT => put(bytes, cursor, [length], 1),
            _ => {
                put(bytes, cursor, [LONG], 1);
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                put(bytes, cursor, length.to_le_bytes(), 4);
            }
        }
        if let Some(place) = bytes.get_mut(*cursor..*cursor + value.len()) {
            place.copy_from_slice(value);
            *cursor += value.len();
        }
    }
}

/// As few bytes of a little-endian number as hold its sign.
fn shortest(bytes: &[u8]) -> Vec<u8> {
    let mut short = bytes.to_vec();
    while let [.., before, last] = short.as_slice() {
        let sign = if before & 0x80 == 0 { 0 } else { 0xff };
        if *last != sign {
            break;
        }
        short.pop();
    }
    short
}

/// Nested values as the JSON text of Arrow's writer.
fn as_json(array: &ArrayRef) -> Result<Vec<Option<Vec<u8>>>> {
    let schema = Schema::new(vec![Field::new("v", array.data_type().clone(), true)]);
    let rows = RecordBatch::try_new(schema.into(), vec![array.clone()])?;
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(Vec::new());
    writer.write(&with_offsets(&rows)?)?;
    writer.finish()?;
    let text = writer.into_inner();
    let lines = text.split(|b| *b == b'\n').take(array.len()).enumerate();
    Ok(lines.map(|(row, line)| (!array.is_null(row)).then(|| line.to_vec())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_keep_their_sign() {
        for (value, expected) in [
            (0_i64, &[0_u8][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0]),
            (-128, &[0x80]),
            (-129, &[0x7f, 0xff]),
            (i64::MAX, &i64::MAX.to_le_bytes()),
            (i64::MIN, &i64::MIN.to_le_bytes()),
        ] {
            let mut bytes = [0; 40];
            let mut cursors = [0];
            numbers(&[value], None, &mut bytes, &mut cursors);
            assert_eq!(usize::from(bytes[0]), expected.len(), "{value}");
            assert_eq!(&bytes[1..cursors[0]], expected, "{value}");
            assert_eq!(shortest(&i128::from(value).to_le_bytes()), expected, "{value}");
            let mut cursors = [0];
            wide(&[i128::from(value)], None, &mut bytes, &mut cursors);
            assert_eq!(&bytes[1..cursors[0]], expected, "{value}");
        }
    }
}
