//! Column types: what a type of the server means, and what an Arrow type is declared as.

use arrow_schema::{DataType, Field, TimeUnit};
use fenhe_core::{Error, Kind, Result};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Native {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    /// Exact number; without figures any number of digits.
    Numeric(Option<(u16, i16)>),
    Text,
    Bytea,
    Date,
    /// Digits of the fraction of a second.
    Time(u8),
    Timestamp {
        digits: u8,
        zone: bool,
    },
    /// Everything else goes both ways as the text that the server writes and reads.
    Other,
}

impl Native {
    /// The type with this identifier and modifier (`pg_attribute.atttypid`, `atttypmod`).
    pub(crate) fn of(oid: u32, modifier: i32) -> Self {
        // Identifiers of `pg_type.dat`, which never change.
        match oid {
            16 => Self::Boolean,
            21 => Self::Int2,
            23 => Self::Int4,
            20 => Self::Int8,
            700 => Self::Float4,
            701 => Self::Float8,
            1700 => Self::Numeric(figures(modifier)),
            25 | 1042 | 1043 => Self::Text,
            17 => Self::Bytea,
            1082 => Self::Date,
            1083 => Self::Time(digits(modifier)),
            1114 => Self::Timestamp { digits: digits(modifier), zone: false },
            1184 => Self::Timestamp { digits: digits(modifier), zone: true },
            _ => Self::Other,
        }
    }

    /// The Arrow type of its values.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric(figures) => match figures.and_then(decimal) {
                Some((precision, scale)) => DataType::Decimal128(precision, scale),
                None => DataType::Utf8,
            },
            Self::Text | Self::Other => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_) => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { digits, zone } => {
                DataType::Timestamp(unit(digits), zone.then(|| "UTC".into()))
            }
        }
    }

    /// Whether values are read as the text that the server writes.
    pub(crate) fn as_text(self) -> bool {
        match self {
            Self::Other => true,
            Self::Numeric(figures) => figures.and_then(decimal).is_none(),
            _ => false,
        }
    }

    /// Whether a column keeps values of an Arrow type as they are, or refuses them one by one.
    pub(crate) fn keeps(self, arrow: &DataType) -> bool {
        use DataType as D;
        match arrow {
            D::Null => true,
            D::Boolean => self == Self::Boolean,
            D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 => {
                self.whole() || matches!(self, Self::Float8 | Self::Text)
            }
            D::Int64 | D::UInt32 | D::UInt64 => self.whole() || self == Self::Text,
            D::Float32 => matches!(self, Self::Float4 | Self::Float8),
            D::Float64 => self == Self::Float8,
            D::Decimal128(_, scale) => match self {
                Self::Numeric(Some((_, held))) => i16::from(*scale) <= held,
                Self::Numeric(None) => *scale >= 0,
                Self::Int2 | Self::Int4 | Self::Int8 => *scale == 0,
                Self::Text => *scale >= 0,
                _ => false,
            },
            D::Utf8 | D::LargeUtf8 | D::Utf8View => matches!(self, Self::Text | Self::Other),
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
                self == Self::Bytea
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

    fn whole(self) -> bool {
        match self {
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Numeric(None) => true,
            Self::Numeric(Some((_, scale))) => scale >= 0,
            _ => false,
        }
    }
}

/// The declaration for a field of a new table. Reading it back gives the same Arrow type, apart from what the
/// server has not: 8 bits, integers without sign, nanoseconds (a value that has some is refused).
pub(crate) fn declare(field: &Field) -> Result<String> {
    use DataType as D;
    Ok(match field.data_type() {
        D::Boolean => "boolean".into(),
        D::Int8 | D::Int16 | D::UInt8 => "smallint".into(),
        D::Int32 | D::UInt16 => "integer".into(),
        D::Int64 | D::UInt32 => "bigint".into(),
        D::UInt64 => "numeric(20,0)".into(),
        D::Float32 => "real".into(),
        D::Float64 => "double precision".into(),
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Null => "text".into(),
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => "bytea".into(),
        D::Decimal128(precision, scale @ 0..) => format!("numeric({precision},{scale})"),
        D::Date32 => "date".into(),
        D::Time32(_) | D::Time64(_) => "time".into(),
        D::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { " with time zone" } else { "" };
            format!("timestamp({}){zone}", fraction(*unit))
        }
        other => {
            return Err(Error::new(
                Kind::Config,
                "sql.type",
                format!("PostgreSQL has no column for {other}"),
            )
            .at_field(field.name())
            .hint("map the field to text, number, date, time or bytes first"));
        }
    })
}

/// `numeric(p,s)`: the modifier is `(p << 16 | s & 0x7ff) + 4` (`numerictypmodin` of the server).
fn figures(modifier: i32) -> Option<(u16, i16)> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let precision = u16::try_from(packed >> 16).ok()?;
    let scale = i16::try_from(((packed & 0x7ff) ^ 0x400) - 0x400).ok()?;
    Some((precision, scale))
}

fn decimal((precision, scale): (u16, i16)) -> Option<(u8, i8)> {
    let fits = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
    fits.then(|| Some((u8::try_from(precision).ok()?, i8::try_from(scale).ok()?)))?
}

fn digits(modifier: i32) -> u8 {
    u8::try_from(modifier).ok().filter(|digits| *digits <= 6).unwrap_or(6)
}

fn unit(digits: u8) -> TimeUnit {
    match digits {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        _ => TimeUnit::Microsecond,
    }
}

/// Digits that values of a unit need. Nanoseconds are checked value by value.
fn fraction(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond | TimeUnit::Nanosecond => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_mean_what_the_server_made_of_them() {
        // select atttypmod from pg_attribute, for numeric(12,2), numeric(38,38), numeric(5,-2), numeric.
        for (modifier, native) in [
            (786_438, Some((12, 2))),
            (2_490_410, Some((38, 38))),
            (329_730, Some((5, -2))),
            (-1, None),
        ] {
            assert_eq!(Native::of(1_700, modifier), Native::Numeric(native), "{modifier}");
        }
        assert_eq!(Native::of(1_114, 3), Native::Timestamp { digits: 3, zone: false });
        assert_eq!(Native::of(1_114, -1).arrow(), DataType::Timestamp(TimeUnit::Microsecond, None));
    }

    #[test]
    fn columns_that_would_round_are_not_taken() {
        let stamp = |unit| DataType::Timestamp(unit, None);
        let whole = Native::Timestamp { digits: 0, zone: false };
        assert!(
            whole.keeps(&stamp(TimeUnit::Second)) && !whole.keeps(&stamp(TimeUnit::Millisecond))
        );
        assert!(!Native::Numeric(Some((12, 2))).keeps(&DataType::Decimal128(12, 3)));
        assert!(!Native::Int4.keeps(&DataType::Utf8) && !Native::Float8.keeps(&DataType::Int64));
    }
}
