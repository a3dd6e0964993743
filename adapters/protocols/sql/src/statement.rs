//! Statements, put together from the words of a dialect.

use arrow_schema::Schema;
use fenhe_core::Result;

use crate::Dialect;

/// `CREATE TABLE` for a schema, with the key as primary key.
pub(crate) fn create_table(
    dialect: &dyn Dialect,
    table: &str,
    schema: &Schema,
    key: &[String],
) -> Result<String> {
    create(dialect, &dialect.quote(table)?, schema, key, Vec::new())
}

/// `CREATE TABLE` for a name that is quoted already, with more declarations behind those of the schema.
pub(crate) fn create(
    dialect: &dyn Dialect,
    table: &str,
    schema: &Schema,
    key: &[String],
    more: Vec<String>,
) -> Result<String> {
    let mut parts = Vec::with_capacity(schema.fields().len() + 1);
    for field in schema.fields() {
        let required =
            if field.is_nullable() && !key.contains(field.name()) { "" } else { " NOT NULL" };
        parts.push(format!(
            "{} {}{required}",
            dialect.quote(field.name())?,
            dialect.declare(field)?
        ));
    }
    parts.extend(more);
    if !key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", list(dialect, key)?));
    }
    Ok(format!("CREATE TABLE {table} ({})", parts.join(", ")))
}

/// `INSERT` of one row; with a key it replaces the row of the same key.
pub(crate) fn insert(
    dialect: &dyn Dialect,
    table: &str,
    columns: &[String],
    key: Option<&[String]>,
) -> Result<String> {
    let values: Vec<_> = (1..=columns.len()).map(|n| dialect.parameter(n)).collect();
    let mut sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        dialect.quote(table)?,
        list(dialect, columns)?,
        values.join(", ")
    );
    if let Some(key) = key {
        let quote = |names: Vec<&String>| {
            names.into_iter().map(|n| dialect.quote(n)).collect::<Result<Vec<_>>>()
        };
        let others = quote(columns.iter().filter(|c| !key.contains(c)).collect())?;
        sql.push(' ');
        sql.push_str(&dialect.on_conflict(&quote(key.iter().collect())?, &others));
    }
    Ok(sql)
}

/// Names, quoted, with commas.
pub(crate) fn list(dialect: &dyn Dialect, names: &[String]) -> Result<String> {
    let quoted: Vec<_> = names.iter().map(|n| dialect.quote(n)).collect::<Result<_>>()?;
    Ok(quoted.join(", "))
}
