#![doc = include_str!("../README.md")]

mod blocking;
mod dialect;
mod sqlite;
mod statement;

pub use dialect::Dialect;
pub use sqlite::{Journal, Sqlite, SqliteConfig, SqliteDialect, Types};
