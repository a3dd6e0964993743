use arrow_schema::Field;
use fenhe_core::Result;

use super::error::config;
use super::native;
use crate::Dialect;

/// How SQLite spells things.
///
/// ```
/// use fenhe_sql::{Dialect, SqliteDialect};
/// assert_eq!(SqliteDialect.quote("费用\"; DROP TABLE x").unwrap(), "\"费用\"\"; DROP TABLE x\"");
/// assert!(SqliteDialect.quote("a\0b").is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SqliteDialect;

/// Bytes of a name. SQLite has no limit of its own; the strictest of the usual servers allows 128 characters.
const NAME_BYTES: usize = 512;

impl Dialect for SqliteDialect {
    fn quote(&self, name: &str) -> Result<String> {
        if name.is_empty() || name.len() > NAME_BYTES || name.contains('\0') {
            return Err(config(
                "sql.name",
                format!("{name:?} cannot be the name of a table or column"),
            ));
        }
        Ok(format!("\"{}\"", name.replace('"', "\"\"")))
    }

    fn parameter(&self, number: usize) -> String {
        format!("?{number}")
    }

    fn declare(&self, field: &Field) -> Result<String> {
        native::declare(field)
    }

    fn on_conflict(&self, key: &[String], others: &[String]) -> String {
        let key = key.join(", ");
        if others.is_empty() {
            return format!("ON CONFLICT ({key}) DO NOTHING");
        }
        let set: Vec<_> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        format!("ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
    }

    fn fresh_id(&self) -> &'static str {
        "lower(hex(randomblob(16)))"
    }

    fn serial(&self, name: &str) -> String {
        format!("{name} INTEGER PRIMARY KEY AUTOINCREMENT")
    }
}
