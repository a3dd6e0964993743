#![doc = include_str!("../README.md")]

mod blocking;
mod dialect;
mod front;
#[cfg(feature = "postgres")]
mod postgres;
mod refuse;
#[cfg(feature = "server")]
mod server;
mod sqlite;
mod statement;

pub use dialect::Dialect;
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresDialect};
#[cfg(feature = "server")]
pub use server::{ServerConfig, Tls, Tombstone};
pub use sqlite::{Journal, Sqlite, SqliteConfig, SqliteDialect, Types};
