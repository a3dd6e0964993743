//! Names of types as people write them.

use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Kind, Result, nearest};

const KNOWN: [&str; 13] = [
    "text", "bool", "int16", "int32", "int64", "float32", "float64", "decimal", "date", "time",
    "timestamp", "binary", "integer",
];

/// The type of this name: `text`, `bool`, `int64`, `decimal(12,2)`, `date`, `timestamp` and so on.
///
/// # Errors
/// [`Kind::Config`] with code `type.unknown`, naming the nearest.
pub fn parse_type(text: &str) -> Result<DataType> {
    let plain: String = text.to_ascii_lowercase().split_whitespace().collect();
    let (name, inner) = match plain.strip_suffix(')').and_then(|t| t.split_once('(')) {
        Some((name, inner)) => (name, Some(inner)),
        None => (plain.as_str(), None),
    };
    let unknown = || {
        let error = Error::new(Kind::Config, "type.unknown", format!("there is no type {text}"));
        match nearest(name, KNOWN) {
            Some(near) if near != name => error.hint(format!("did you mean {near}?")),
            _ => error.hint("types are text, bool, int16, int32, int64, float32, float64, decimal(12,2), date, time, timestamp(ms), binary"),
        }
    };
    Ok(match (name, inner) {
        ("text", None) => DataType::Utf8,
        ("bool", None) => DataType::Boolean,
        ("int8", None) => DataType::Int8,
        ("int16", None) => DataType::Int16,
        ("int32", None) => DataType::Int32,
        ("int64" | "integer", None) => DataType::Int64,
        ("float32", None) => DataType::Float32,
        ("float64", None) => DataType::Float64,
        ("date", None) => DataType::Date32,
        ("binary", None) => DataType::Binary,
        ("time", None) => DataType::Time32(TimeUnit::Second),
        ("timestamp", None) => DataType::Timestamp(TimeUnit::Millisecond, None),
        ("timestamp", Some(unit)) => DataType::Timestamp(unit_of(unit).ok_or_else(unknown)?, None),
        ("decimal", Some(inner)) => decimal(inner).ok_or_else(unknown)?,
        _ => return Err(unknown()),
    })
}

/// The name of a type, as short as a person would write it.
pub fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".into(),
        DataType::Boolean => "bool".into(),
        DataType::Date32 => "date".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time".into(),
        DataType::Timestamp(unit, None) => format!("timestamp({})", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp({}, {zone})", unit_name(*unit)),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".into(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("decimal({p},{s})"),
        other => other.to_string().to_ascii_lowercase(),
    }
}

fn decimal(inner: &str) -> Option<DataType> {
    let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
    let (precision, scale): (u8, i8) = (precision.parse().ok()?, scale.parse().ok()?);
    let fits = scale >= 0 && scale.unsigned_abs() <= precision;
    match precision {
        1..=38 if fits => Some(DataType::Decimal128(precision, scale)),
        39..=76 if fits => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

fn unit_of(text: &str) -> Option<TimeUnit> {
    [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .find(|unit| unit_name(*unit) == text)
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_read_back() {
        for name in ["text", "bool", "int32", "decimal(12,2)", "decimal(40,0)", "date", "timestamp(us)"] {
            assert_eq!(type_name(&parse_type(name).unwrap()), name);
        }
        let error = parse_type("decmal(3,1)").unwrap_err();
        assert!(error.to_string().contains("decimal"), "{error}");
        assert!(parse_type("decimal(2,3)").is_err());
    }
}
