//! Names of types as people write them.

use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Result};
use fenhe_values::TYPE_NAMES;

/// The type of this name: `text`, `bool`, `int64`, `decimal(12,2)`, `date`, `timestamp(ms)` and so on.
///
/// ```
/// use fenhe::core::arrow::schema::DataType;
/// assert_eq!(fenhe::parse_type("decimal(12,2)")?, DataType::Decimal128(12, 2));
/// # Ok::<(), fenhe::core::Error>(())
/// ```
///
/// # Errors
/// [`Kind::Config`] with code `type.unknown`, naming the nearest.
pub fn parse_type(text: &str) -> Result<DataType> {
    fenhe_values::parse_type(text).map_err(|unknown| {
        let error = Error::new(Kind::Config, "type.unknown", format!("no type is called {text}"));
        match unknown.near {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("types are {}", TYPE_NAMES.join(", "))),
        }
    })
}

/// The name of a type, as short as a person would write it.
pub fn type_name(kind: &DataType) -> String {
    fenhe_values::type_name(kind).unwrap_or_else(|| match kind {
        DataType::List(item) | DataType::LargeList(item) => {
            format!("list of {}", type_name(item.data_type()))
        }
        DataType::Struct(fields) => format!("{} fields", fields.len()),
        other => other.to_string(),
    })
}
