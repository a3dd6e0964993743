//! Columns by name and type, whatever a place calls or stores them as: for reading back what was delivered, and for
//! lists that people corrected.

use fenhe_core::Result;

use crate::fields::{FieldRule, Fields, Unlisted};
use crate::types::parse_type;

/// Fields that bring columns (name, type, whether a value is required) into these types; a type without a name stays as it is.
pub(crate) fn typed<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> Result<Fields> {
    let rule = |(name, kind, required): (&str, &str, bool)| FieldRule {
        name: name.into(),
        from: name.into(),
        data_type: parse_type(kind).ok(),
        required,
        title: None,
    };
    let rules = columns.into_iter().map(rule).collect();
    Ok(Fields { rules, unlisted: Unlisted::Drop })
}
