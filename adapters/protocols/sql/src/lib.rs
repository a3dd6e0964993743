#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod blocking;
mod dialect;
mod front;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod refuse;
#[cfg(feature = "server")]
mod server;
mod sqlite;
mod statement;
mod tombstone;

pub use dialect::Dialect;
#[cfg(feature = "mysql")]
pub use mysql::{Mysql, MysqlDialect};
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresDialect};
#[cfg(feature = "server")]
pub use server::{ServerConfig, Tls};
pub use sqlite::{Journal, Sqlite, SqliteConfig, SqliteDialect, Types};
pub use tombstone::Tombstone;
