//! What the legacy side said about a column, kept in Arrow field metadata under `fenhe.*`.

mod zones;

use std::collections::HashMap;

use arrow_schema::{Field, Schema, SchemaRef};

use crate::{Error, Kind, Result};

pub use zones::with_offsets;

/// Native type as the legacy system spells it, e.g. `N(12,2)` or `PIC S9(5)V99 COMP-3`.
pub const NATIVE_TYPE: &str = "fenhe.native_type";
/// Length in the legacy system, in bytes unless its documentation says characters.
pub const LENGTH: &str = "fenhe.length";
/// Character set of the column, by its name in `fenhe-text`.
pub const CHARSET: &str = "fenhe.charset";
/// Code table that the values belong to.
pub const CODE_TABLE: &str = "fenhe.code_table";
/// Sensitivity: masked in errors and ledgers when present.
pub const SENSITIVITY: &str = "fenhe.sensitivity";
/// Title for people.
pub const TITLE: &str = "fenhe.title";
/// Spelling of values in the source (a date pattern, implied decimals), so that it can be written back.
pub const SPELLING: &str = "fenhe.spelling";
/// On the schema: the format that it came from.
pub const FORMAT: &str = "fenhe.format";

/// `field` with one more piece of `fenhe.*` metadata.
///
/// ```
/// use arrow_schema::{DataType, Field};
/// use fenhe_core::schema::{with, NATIVE_TYPE};
/// let field = with(Field::new("fee", DataType::Decimal128(12, 2), true), NATIVE_TYPE, "N(12,2)");
/// assert_eq!(field.metadata()[NATIVE_TYPE], "N(12,2)");
/// ```
pub fn with(field: Field, key: &str, value: impl Into<String>) -> Field {
    let mut metadata: HashMap<_, _> = field.metadata().clone();
    metadata.insert(key.into(), value.into());
    field.with_metadata(metadata)
}

/// The indices of `columns` in `schema`, in the order asked for.
///
/// # Errors
/// [`Kind::NotFound`] with code `core.column`, naming the nearest known column.
pub fn projection(schema: &Schema, columns: &[String]) -> Result<Vec<usize>> {
    columns
        .iter()
        .map(|name| {
            schema.index_of(name).map_err(|_| {
                let names = schema.fields().iter().map(|f| f.name().as_str());
                let error = Error::new(Kind::NotFound, "core.column", format!("no column {name}"));
                match crate::nearest(name, names.clone()) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => {
                        error.hint(format!("columns are {}", names.collect::<Vec<_>>().join(", ")))
                    }
                }
            })
        })
        .collect()
}

/// `schema` with only these columns, in the order asked for; all of them for `None`.
///
/// # Errors
/// As [`projection`].
pub fn project(schema: &SchemaRef, columns: Option<&[String]>) -> Result<SchemaRef> {
    match columns {
        None => Ok(SchemaRef::clone(schema)),
        Some(columns) => Ok(schema.project(&projection(schema, columns)?)?.into()),
    }
}
