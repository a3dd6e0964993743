//! Columns by name and type, whatever a place calls or stores them as: for reading back what was delivered, and for
//! lists that people corrected.

use fenhe_core::Result;
use fenhe_mapping::{FieldMapping, Mapping, Unlisted};

use crate::fields::Fields;
use crate::types::parse_type;

/// Fields that bring columns (name, type, whether a value is required) into these types; a type without a name stays
/// as it is.
pub(crate) fn typed<'a>(
    columns: impl IntoIterator<Item = (&'a str, &'a str, bool)>,
) -> Result<Fields> {
    let field = |(name, kind, required): (&str, &str, bool)| FieldMapping {
        data_type: parse_type(kind).ok(),
        required,
        ..FieldMapping::renamed(name, name)
    };
    let fields = columns.into_iter().map(field).collect();
    Ok(Fields::from(Mapping { fields, unlisted: Unlisted::Drop }))
}
