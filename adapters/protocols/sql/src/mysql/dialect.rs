use arrow_schema::Field;
use fenhe_core::{Error, Kind, Result};

use super::native;
use crate::Dialect;

/// How MySQL and MariaDB spell things.
///
/// ```
/// use fenhe_sql::{Dialect, MysqlDialect};
/// assert_eq!(MysqlDialect.quote("费用`; DROP TABLE x").unwrap(), "`费用``; DROP TABLE x`");
/// assert!(MysqlDialect.quote("a\0b").is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MysqlDialect;

/// Characters of a name.
const NAME: usize = 64;

impl Dialect for MysqlDialect {
    fn quote(&self, name: &str) -> Result<String> {
        if name.is_empty()
            || name.chars().count() > NAME
            || name.contains('\0')
            || name.ends_with(' ')
        {
            return Err(Error::new(
                Kind::Config,
                "sql.name",
                format!("{name:?} cannot be the name of a table or column"),
            )
            .hint("names have 1 to 64 characters and no blank at the end"));
        }
        Ok(format!("`{}`", name.replace('`', "``")))
    }

    fn parameter(&self, _: usize) -> String {
        "?".into()
    }

    fn declare(&self, field: &Field) -> Result<String> {
        native::declare(field)
    }

    fn on_conflict(&self, key: &[String], others: &[String]) -> String {
        let names = if others.is_empty() { key } else { others };
        let set: Vec<_> = names.iter().map(|name| format!("{name} = VALUES({name})")).collect();
        format!("ON DUPLICATE KEY UPDATE {}", set.join(", "))
    }

    fn fresh_id(&self) -> &'static str {
        "UUID()"
    }

    fn serial(&self, name: &str) -> String {
        format!("{name} BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY")
    }
}
