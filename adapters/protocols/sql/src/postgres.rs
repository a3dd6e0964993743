//! PostgreSQL, by its own protocol.

mod catalogue;
mod connection;
mod decode;
mod dialect;
mod encode;
mod error;
mod exchange;
mod native;
mod numeric;
mod plan;
mod reader;
mod session;
mod target;

pub use dialect::PostgresDialect;
pub use exchange::Postgres;
