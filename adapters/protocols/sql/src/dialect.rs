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
}
