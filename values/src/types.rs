//! Names of types, as written in schema files, contracts and on the command line.

use arrow_schema::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, TimeUnit};
use fenhe_core::{Error, Kind, nearest};

/// Every accepted type name, canonical names first: for error messages and help texts.
pub const TYPE_NAMES: &[&str] = &[
    "text",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "decimal(PRECISION,SCALE)",
    "date",
    "time(s|ms|us|ns)",
    "timestamp(s|ms|us|ns)",
    "timestamp(UNIT, ZONE)",
    "binary",
];

/// A type name that means nothing, with the nearest one that does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no type is called `{name}`{}", near.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownType {
    /// The name as it was given.
    pub name: String,
    /// The nearest known name, when one is near.
    pub near: Option<String>,
}

/// Reads a type name.
///
/// `text` is UTF-8 text. `decimal(12,2)` has 12 digits of which 2 follow the mark (more than 38 digits take 256 bits).
/// `timestamp` counts milliseconds unless told otherwise; `timestamp(us, +08:00)` is a moment, written in that zone.
///
/// # Errors
/// [`UnknownType`] names the nearest known type.
///
/// ```
/// use arrow_schema::DataType;
/// use fenhe_values::{parse_type, type_name};
/// assert_eq!(parse_type("decimal(12, 2)")?, DataType::Decimal128(12, 2));
/// assert_eq!(type_name(&DataType::Date32).as_deref(), Some("date"));
/// assert_eq!(parse_type("decmial(5,2)").unwrap_err().near.as_deref(), Some("decimal(PRECISION,SCALE)"));
/// # Ok::<(), fenhe_values::UnknownType>(())
/// ```
pub fn parse_type(name: &str) -> Result<DataType, UnknownType> {
    let lower = name.trim().to_ascii_lowercase();
    let (head, arguments) = match lower.split_once('(') {
        Some((head, rest)) => match rest.strip_suffix(')') {
            Some(inside) => (head.trim(), inside.split(',').map(str::trim).collect::<Vec<_>>()),
            None => return Err(unknown(name)),
        },
        None => (lower.as_str(), Vec::new()),
    };
    simple_type(head, &arguments)
        .or_else(|| decimal_type(head, &arguments))
        .or_else(|| time_type(head, &arguments, name))
        .ok_or_else(|| unknown(name))
}

/// Why a column of this type is neither read nor written as text, in words of the person who chose it.
pub(crate) fn no_spelling(field: &str, data_type: &DataType) -> Error {
    let error = if data_type.is_nested() {
        Error::new(Kind::Config, "value.type", "a nested column has no spelling as text")
            .hint("choose other columns (--columns), or write json, xml or parquet")
    } else {
        let message = format!("values of type {data_type} have no spelling as text");
        Error::new(Kind::Unsupported, "value.type", message)
    };
    error.at_field(field)
}

/// The canonical name of a type: the inverse of [`parse_type`]. `None` for types that have no spelling as text (lists,
/// structs, and so on).
#[must_use]
pub fn type_name(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".into(),
        DataType::Boolean => "bool".into(),
        DataType::Int8 => "int8".into(),
        DataType::Int16 => "int16".into(),
        DataType::Int32 => "int32".into(),
        DataType::Int64 => "int64".into(),
        DataType::UInt8 => "uint8".into(),
        DataType::UInt16 => "uint16".into(),
        DataType::UInt32 => "uint32".into(),
        DataType::UInt64 => "uint64".into(),
        DataType::Float32 => "float32".into(),
        DataType::Float64 => "float64".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision},{scale})")
        }
        DataType::Date32 => "date".into(),
        DataType::Time32(unit) | DataType::Time64(unit) => format!("time({})", unit_name(*unit)),
        DataType::Timestamp(unit, None) => format!("timestamp({})", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp({}, {zone})", unit_name(*unit)),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".into(),
        _ => return None,
    })
}

fn simple_type(head: &str, arguments: &[&str]) -> Option<DataType> {
    if !arguments.is_empty() {
        return None;
    }
    Some(match head {
        "text" | "string" | "utf8" => DataType::Utf8,
        "bool" | "boolean" => DataType::Boolean,
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" => DataType::Int32,
        "int64" | "int" | "integer" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" => DataType::Float32,
        "float64" | "double" => DataType::Float64,
        "date" => DataType::Date32,
        "binary" | "bytes" => DataType::Binary,
        _ => return None,
    })
}

fn decimal_type(head: &str, arguments: &[&str]) -> Option<DataType> {
    let (precision, scale) = match (head, arguments) {
        ("decimal" | "numeric", [precision]) => (precision.parse::<u8>().ok()?, 0),
        ("decimal" | "numeric", [precision, scale]) => {
            (precision.parse::<u8>().ok()?, scale.parse::<u8>().ok()?)
        }
        _ => return None,
    };
    decimal(precision, scale)
}

/// The decimal type of that precision and scale, in the fewest bits; `None` when no type can hold it.
pub(crate) fn decimal(precision: u8, scale: u8) -> Option<DataType> {
    let signed = i8::try_from(scale).ok()?;
    if precision == 0 || scale > precision || precision > DECIMAL256_MAX_PRECISION {
        None
    } else if precision <= DECIMAL128_MAX_PRECISION {
        Some(DataType::Decimal128(precision, signed))
    } else {
        Some(DataType::Decimal256(precision, signed))
    }
}

fn time_type(head: &str, arguments: &[&str], original: &str) -> Option<DataType> {
    let unit = match arguments.first() {
        None if head == "time" => TimeUnit::Second,
        None => TimeUnit::Millisecond,
        Some(&name) => unit_of(name)?,
    };
    match (head, arguments.len()) {
        ("time", 0 | 1) => Some(match unit {
            TimeUnit::Second | TimeUnit::Millisecond => DataType::Time32(unit),
            TimeUnit::Microsecond | TimeUnit::Nanosecond => DataType::Time64(unit),
        }),
        ("timestamp" | "datetime", 0 | 1) => Some(DataType::Timestamp(unit, None)),
        ("timestamp" | "datetime", 2) => {
            // Zone names are case-sensitive (`Asia/Shanghai`), so they come from the original spelling.
            let zone = original.rsplit_once(',')?.1.trim().strip_suffix(')')?.trim();
            (!zone.is_empty()).then(|| DataType::Timestamp(unit, Some(zone.into())))
        }
        _ => None,
    }
}

fn unit_of(name: &str) -> Option<TimeUnit> {
    Some(match name {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    })
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn unknown(name: &str) -> UnknownType {
    let head = name.split('(').next().unwrap_or(name).trim();
    let heads = TYPE_NAMES.iter().map(|t| t.split('(').next().unwrap_or(t));
    // `decimal(99)` is a known name with arguments that do not fit: say how they are written.
    let near = nearest(head, heads)
        .and_then(|h| TYPE_NAMES.iter().find(|t| t.split('(').next() == Some(h)));
    UnknownType { name: name.to_owned(), near: near.map(|t| (*t).to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_the_type_it_names() {
        for (name, data_type) in [
            ("text", DataType::Utf8),
            ("bool", DataType::Boolean),
            ("int8", DataType::Int8),
            ("uint64", DataType::UInt64),
            ("float64", DataType::Float64),
            ("decimal(38,10)", DataType::Decimal128(38, 10)),
            ("decimal(39,0)", DataType::Decimal256(39, 0)),
            ("decimal(76,76)", DataType::Decimal256(76, 76)),
            ("date", DataType::Date32),
            ("time(s)", DataType::Time32(TimeUnit::Second)),
            ("time(ns)", DataType::Time64(TimeUnit::Nanosecond)),
            ("timestamp(us)", DataType::Timestamp(TimeUnit::Microsecond, None)),
            (
                "timestamp(ms, Asia/Shanghai)",
                DataType::Timestamp(TimeUnit::Millisecond, Some("Asia/Shanghai".into())),
            ),
            ("binary", DataType::Binary),
        ] {
            assert_eq!(parse_type(name).as_ref(), Ok(&data_type), "{name}");
            assert_eq!(type_name(&data_type).as_deref(), Some(name));
        }
    }

    #[test]
    fn other_common_names_are_understood() {
        assert_eq!(parse_type("String"), Ok(DataType::Utf8));
        assert_eq!(parse_type("numeric( 5 )"), Ok(DataType::Decimal128(5, 0)));
        assert_eq!(parse_type("timestamp"), Ok(DataType::Timestamp(TimeUnit::Millisecond, None)));
    }

    #[test]
    fn a_slip_names_the_nearest_type() {
        for (slip, near) in [
            ("tetx", Some("text")),
            ("itn64", Some("int64")),
            ("decimal(77,0)", Some("decimal(PRECISION,SCALE)")),
            ("decimal(2,3)", Some("decimal(PRECISION,SCALE)")),
            ("timestmap(ms)", Some("timestamp(s|ms|us|ns)")),
            ("geometry", None),
            ("decimal(1", Some("decimal(PRECISION,SCALE)")),
        ] {
            assert_eq!(parse_type(slip).unwrap_err().near.as_deref(), near, "{slip}");
        }
    }
}
