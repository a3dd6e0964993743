//! Column types: what a type of the server means, and what an Arrow type is declared as.

use arrow_schema::{DataType, Field, TimeUnit};
use fenhe_core::schema::LENGTH;
use fenhe_core::{Error, Kind, Result};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Native {
    Boolean,
    /// A whole number that is read as 16, 32 or 64 bits.
    Int(u8),
    /// 64 bits without sign.
    Unsigned,
    Float,
    Double,
    Decimal(u8, u8),
    Text,
    Bytes,
    Date,
    /// Digits of the fraction of a second.
    Time(u8),
    Timestamp {
        digits: u8,
        zone: bool,
    },
}

impl Native {
    /// What a row of `information_schema.COLUMNS` means.
    pub(crate) fn of(
        kind: &str,
        whole: &str,
        precision: Option<u64>,
        scale: Option<u64>,
        digits: Option<u64>,
    ) -> Self {
        let unsigned = whole.contains("unsigned");
        let digits = digits.and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
        let figures = || Some((u8::try_from(precision?).ok()?, u8::try_from(scale?).ok()?));
        match kind {
            "tinyint" if whole == "tinyint(1)" => Self::Boolean,
            "tinyint" | "year" => Self::Int(16),
            "smallint" if !unsigned => Self::Int(16),
            "smallint" | "mediumint" => Self::Int(32),
            "int" if !unsigned => Self::Int(32),
            "int" => Self::Int(64),
            "bigint" if !unsigned => Self::Int(64),
            "bigint" => Self::Unsigned,
            "float" => Self::Float,
            "double" => Self::Double,
            "decimal" => match figures() {
                Some((p @ 1..=38, s)) => Self::Decimal(p, s),
                _ => Self::Text,
            },
            "date" => Self::Date,
            "time" => Self::Time(digits),
            "datetime" => Self::Timestamp { digits, zone: false },
            "timestamp" => Self::Timestamp { digits, zone: true },
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit"
            | "geometry" | "point" | "polygon" | "linestring" => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// The Arrow type of its values.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int(16) => DataType::Int16,
            Self::Int(32) => DataType::Int32,
            Self::Int(_) => DataType::Int64,
            Self::Unsigned => DataType::UInt64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(p, s) => DataType::Decimal128(p, s.cast_signed()),
            Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_) => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { digits, zone } => {
                let unit = match digits {
                    0 => TimeUnit::Second,
                    1..=3 => TimeUnit::Millisecond,
                    _ => TimeUnit::Microsecond,
                };
                DataType::Timestamp(unit, zone.then(|| "UTC".into()))
            }
        }
    }

    /// Whether a column keeps values of an Arrow type as they are, or refuses them one by one.
    pub(crate) fn keeps(self, arrow: &DataType) -> bool {
        use DataType as D;
        let whole = matches!(self, Self::Int(_) | Self::Unsigned | Self::Decimal(..));
        match arrow {
            D::Null => true,
            D::Boolean => self == Self::Boolean,
            D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 => {
                whole || matches!(self, Self::Double | Self::Text)
            }
            D::Int64 | D::UInt32 | D::UInt64 => whole || self == Self::Text,
            D::Float32 => matches!(self, Self::Float | Self::Double),
            D::Float64 => self == Self::Double,
            D::Decimal128(_, scale) => match self {
                Self::Decimal(_, held) => *scale >= 0 && scale.unsigned_abs() <= held,
                Self::Int(_) | Self::Unsigned => *scale == 0,
                Self::Text => *scale >= 0,
                _ => false,
            },
            D::Utf8 | D::LargeUtf8 | D::Utf8View => self == Self::Text,
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
                self == Self::Bytes
            }
            D::Date32 => self == Self::Date,
            D::Time32(unit) | D::Time64(unit) => {
                matches!(self, Self::Time(held) if fraction(*unit) <= held)
            }
            D::Timestamp(unit, zone) => matches!(
                self,
                Self::Timestamp { digits, zone: held } if held == zone.is_some() && fraction(*unit) <= digits
            ),
            _ => false,
        }
    }
}

/// The declaration for a field of a new table. Text of a known length is a `VARCHAR`.
pub(crate) fn declare(field: &Field) -> Result<String> {
    use DataType as D;
    let length = field
        .metadata()
        .get(LENGTH)
        .and_then(|l| l.parse::<u16>().ok())
        .filter(|l| (1..=4_096).contains(l));
    Ok(match field.data_type() {
        D::Boolean => "BOOLEAN".into(),
        D::Int8 => "TINYINT".into(),
        D::Int16 | D::UInt8 => "SMALLINT".into(),
        D::Int32 | D::UInt16 => "INT".into(),
        D::Int64 | D::UInt32 => "BIGINT".into(),
        D::UInt64 => "BIGINT UNSIGNED".into(),
        D::Float32 => "FLOAT".into(),
        D::Float64 => "DOUBLE".into(),
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Null => {
            // Compared by code points: other collations take letters of both cases for the same key.
            let kind = length.map_or("LONGTEXT".into(), |l| format!("VARCHAR({l})"));
            format!("{kind} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        }
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
            length.map_or("LONGBLOB".into(), |l| format!("VARBINARY({l})"))
        }
        D::Decimal128(precision, scale @ 0..) => format!("DECIMAL({precision},{scale})"),
        D::Date32 => "DATE".into(),
        D::Time32(unit) | D::Time64(unit) => format!("TIME({})", fraction(*unit)),
        D::Timestamp(unit, None) => format!("DATETIME({})", fraction(*unit)),
        D::Timestamp(unit, Some(_)) => format!("TIMESTAMP({})", fraction(*unit)),
        other => {
            return Err(Error::new(
                Kind::Config,
                "sql.type",
                format!("MySQL has no column for {other}"),
            )
            .at_field(field.name())
            .hint("map the field to text, number, date, time or bytes first"));
        }
    })
}

/// Digits that values of a unit need. Nanoseconds are checked value by value.
fn fraction(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond | TimeUnit::Nanosecond => 6,
    }
}
