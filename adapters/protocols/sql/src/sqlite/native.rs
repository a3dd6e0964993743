//! Column types: what a declaration means, and what an Arrow type is declared as.

use arrow_schema::{DataType, Field, TimeUnit};
use fenhe_core::Result;
use fenhe_core::schema::LENGTH;

use super::error::config;

/// Digits that a double holds exactly, whatever they are (C `DBL_DIG`).
pub(crate) const DOUBLE_DIGITS: u8 = 15;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Native {
    Integer,
    Real,
    Text,
    Blob,
    Boolean,
    /// Exact number. SQLite keeps it as an integer or a double, or, with `text`, as its digits.
    Decimal {
        precision: u8,
        scale: i8,
        text: bool,
    },
    Date,
    Time,
    Timestamp {
        unit: TimeUnit,
        zone: bool,
    },
    /// A declaration without figures or meaning: text that looks like a number becomes one.
    Number,
    /// No declaration: values keep the type that they come with.
    Untyped,
}

impl Native {
    /// What a declared type means. The order of the tests is that of SQLite's rules of affinity
    /// (<https://www.sqlite.org/datatype3.html> section 3.1), with typed names taken out before.
    pub(crate) fn of(declared: &str) -> Self {
        let upper = declared.trim().to_uppercase();
        let (word, figures) = split(&upper);
        let first = figures.first().copied();
        match word {
            "" => return Self::Untyped,
            "NUMERIC" | "DECIMAL" | "NUMBER" if figures.is_empty() => return Self::Number,
            "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" | "DECIMAL_TEXT" => {
                return decimal(&figures, word == "DECIMAL_TEXT");
            }
            "DATE" => return Self::Date,
            "TIME" => return Self::Time,
            "BOOL" | "BOOLEAN" => return Self::Boolean,
            "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" => {
                let zone = word == "TIMESTAMPTZ" || upper.ends_with("WITH TIME ZONE");
                return Self::Timestamp { unit: unit(first), zone };
            }
            _ => {}
        }
        let has = |part: &str| upper.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Number
        }
    }

    /// The Arrow type of its values. An untyped column has to be looked at first.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Text | Self::Number | Self::Untyped => DataType::Utf8,
            Self::Blob => DataType::Binary,
            Self::Boolean => DataType::Boolean,
            Self::Decimal { precision, scale, .. } => DataType::Decimal128(precision, scale),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { unit, zone } => DataType::Timestamp(unit, zone.then(|| "UTC".into())),
        }
    }

    /// Whether a column keeps values of an Arrow type as they are. Where SQLite would change them by its
    /// affinity (`007` in an integer column becomes 7) the answer is no.
    pub(crate) fn keeps(self, arrow: &DataType) -> bool {
        use DataType as D;
        let free = matches!(self, Self::Untyped | Self::Text);
        match arrow {
            D::Null => true,
            D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 => {
                free || matches!(
                    self,
                    Self::Integer | Self::Real | Self::Number | Self::Decimal { .. }
                )
            }
            D::Int64 | D::UInt32 | D::UInt64 => {
                free || matches!(self, Self::Integer | Self::Number | Self::Decimal { .. })
            }
            D::Boolean => {
                matches!(self, Self::Boolean | Self::Integer | Self::Number | Self::Untyped)
            }
            D::Float32 | D::Float64 => matches!(self, Self::Real | Self::Number | Self::Untyped),
            D::Decimal128(_, scale) => match self {
                Self::Decimal { scale: held, .. } => *scale <= held,
                Self::Integer => *scale == 0,
                _ => free,
            },
            D::Utf8 | D::LargeUtf8 | D::Utf8View => matches!(self, Self::Text | Self::Untyped),
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
                matches!(self, Self::Blob | Self::Untyped)
            }
            D::Date32 => free || self == Self::Date,
            D::Time64(_) | D::Time32(_) => free || self == Self::Time,
            D::Timestamp(_, zone) => {
                free || matches!(self, Self::Timestamp { zone: held, .. } if held == zone.is_some())
            }
            _ => false,
        }
    }
}

/// The declaration for a field of a new table. Reading it back gives the same Arrow type, apart from small
/// integers (64 bits), the small float (64 bits) and the view and large layouts.
pub(crate) fn declare(field: &Field) -> Result<String> {
    use DataType as D;
    Ok(match field.data_type() {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => {
            "INTEGER".into()
        }
        D::Boolean => "BOOLEAN".into(),
        D::Float32 | D::Float64 => "DOUBLE".into(),
        D::Null => "TEXT".into(),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => match field.metadata().get(LENGTH) {
            Some(length) if length.parse::<u32>().is_ok() => format!("VARCHAR({length})"),
            _ => "TEXT".into(),
        },
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => "BLOB".into(),
        // Up to 15 digits SQLite keeps numbers exactly and compares them as numbers. Beyond, a double
        // would lose digits; the type name with TEXT in it makes SQLite keep the digits themselves.
        D::Decimal128(precision, scale @ 0..) if *precision <= DOUBLE_DIGITS => {
            format!("DECIMAL({precision},{scale})")
        }
        D::Decimal128(precision, scale @ 0..) => format!("DECIMAL_TEXT({precision},{scale})"),
        D::Date32 => "DATE".into(),
        D::Time32(_) | D::Time64(TimeUnit::Microsecond) => "TIME".into(),
        D::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => "(0)",
                TimeUnit::Millisecond => "(3)",
                TimeUnit::Microsecond => "",
                TimeUnit::Nanosecond => "(9)",
            };
            // The grammar of SQLite knows no words after the digits.
            let zone = if zone.is_some() { "TZ" } else { "" };
            format!("TIMESTAMP{zone}{digits}")
        }
        other => {
            return Err(config("sql.type", format!("SQLite has no column for {other}"))
                .at_field(field.name())
                .hint("map the field to text, number, date, time or bytes first"));
        }
    })
}

/// `DECIMAL(12, 2) UNSIGNED` as `DECIMAL` and `[12, 2]`.
fn split(declared: &str) -> (&str, Vec<i64>) {
    let end = declared.find(|c: char| c == '(' || c.is_whitespace()).unwrap_or(declared.len());
    let word = declared.get(..end).unwrap_or_default();
    let inside = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let figures = inside
        .map(|(figures, _)| figures.split(',').map_while(|f| f.trim().parse().ok()).collect());
    (word, figures.unwrap_or_default())
}

/// A scale is 0 when it is not said (SQL:2016 6.1, syntax rule 20).
fn decimal(figures: &[i64], text: bool) -> Native {
    let precision =
        figures.first().and_then(|p| u8::try_from(*p).ok()).filter(|p| (1..=38).contains(p));
    let scale = figures.get(1).map_or(Some(0), |s| i8::try_from(*s).ok());
    match (precision, scale) {
        (Some(precision), Some(scale)) if scale >= 0 && scale.cast_unsigned() <= precision => {
            Native::Decimal { precision, scale, text }
        }
        _ if text => Native::Text,
        _ => Native::Number,
    }
}

fn unit(digits: Option<i64>) -> TimeUnit {
    match digits {
        Some(0) => TimeUnit::Second,
        Some(1..=3) => TimeUnit::Millisecond,
        Some(7..) => TimeUnit::Nanosecond,
        _ => TimeUnit::Microsecond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_mean_what_the_rules_of_affinity_say() {
        // The examples of datatype3.html section 3.1.1, and typed names.
        let cases = [
            ("INT", Native::Integer),
            ("UNSIGNED BIG INT", Native::Integer),
            ("VARYING CHARACTER(255)", Native::Text),
            ("NVARCHAR(100)", Native::Text),
            ("CLOB", Native::Text),
            ("BLOB", Native::Blob),
            ("DOUBLE PRECISION", Native::Real),
            ("FLOAT", Native::Real),
            ("", Native::Untyped),
            ("NUMERIC", Native::Number),
            ("decimal(10, 5)", Native::Decimal { precision: 10, scale: 5, text: false }),
            ("NUMBER(8)", Native::Decimal { precision: 8, scale: 0, text: false }),
            ("DECIMAL_TEXT(30,4)", Native::Decimal { precision: 30, scale: 4, text: true }),
            ("DECIMAL(99,2)", Native::Number),
            ("date", Native::Date),
            ("DATETIME", Native::Timestamp { unit: TimeUnit::Microsecond, zone: false }),
            (
                "TIMESTAMP(3) WITH TIME ZONE",
                Native::Timestamp { unit: TimeUnit::Millisecond, zone: true },
            ),
            (
                "TIMESTAMP WITH TIME ZONE",
                Native::Timestamp { unit: TimeUnit::Microsecond, zone: true },
            ),
            ("TIMESTAMPTZ(0)", Native::Timestamp { unit: TimeUnit::Second, zone: true }),
            ("BOOLEAN", Native::Boolean),
            ("STRING", Native::Number),
        ];
        for (declared, native) in cases {
            assert_eq!(Native::of(declared), native, "{declared}");
        }
    }

    #[test]
    fn what_is_declared_for_a_type_reads_back_as_it() {
        use DataType as D;
        let types = [
            D::Int64,
            D::Float64,
            D::Utf8,
            D::Binary,
            D::Boolean,
            D::Decimal128(12, 2),
            D::Decimal128(38, 10),
            D::Date32,
            D::Time64(TimeUnit::Microsecond),
            D::Timestamp(TimeUnit::Second, None),
            D::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        ];
        let database = rusqlite::Connection::open_in_memory().unwrap();
        for (number, arrow) in types.into_iter().enumerate() {
            let declared = declare(&Field::new("x", arrow.clone(), true)).unwrap();
            let table = format!("CREATE TABLE t{number} (x {declared} NOT NULL)");
            database.execute_batch(&table).unwrap();
            let native = Native::of(&declared);
            assert_eq!(native.arrow(), arrow);
            assert!(native.keeps(&arrow), "{arrow}");
        }
    }
}
