use std::fmt::Debug;

use arrow_schema::Field;
use fenhe_core::Result;

/// What one kind of database spells in its own way. All statements are put together from these words, so that a
/// second database is a second dialect and a second driver, and values are always bound, never spelled.
pub trait Dialect: Debug + Send + Sync + 'static {
    /// A name in quotes.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `sql.name` for what the database cannot have as a name.
    fn quote(&self, name: &str) -> Result<String>;

    /// The placeholder of the parameter with this number, from 1.
    fn parameter(&self, number: usize) -> String;

    /// The column type for values of an Arrow field.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `sql.type` for a type that the database cannot hold.
    fn declare(&self, field: &Field) -> Result<String>;

    /// What follows the values of an insert, so that a row with a known key replaces the old one. Names are quoted.
    fn on_conflict(&self, key: &[String], others: &[String]) -> String;

    /// A new identifier of a row, as an expression.
    fn fresh_id(&self) -> &'static str;

    /// The declaration of a column (its name is quoted) that counts the rows of a new table and is its primary key.
    fn serial(&self, name: &str) -> String;

    /// A text as a literal, for the few places of the configuration where a value cannot be bound.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `sql.literal` for text with a backslash or control characters.
    fn literal(&self, text: &str) -> Result<String> {
        if text.chars().any(|c| c == '\\' || c.is_control()) {
            return Err(fenhe_core::Error::new(
                fenhe_core::Kind::Config,
                "sql.literal",
                "a configured value has a backslash or control characters",
            ));
        }
        Ok(format!("'{}'", text.replace('\'', "''")))
    }
}
