//! SQLite, embedded.

mod bind;
mod catalogue;
mod columns;
mod config;
mod connection;
mod dialect;
mod error;
mod exchange;
mod instant;
mod native;
mod plan;
mod reader;
mod staged;
mod watermark;
mod writer;

pub use config::{Journal, SqliteConfig, Types};
pub use dialect::SqliteDialect;
pub use exchange::Sqlite;
