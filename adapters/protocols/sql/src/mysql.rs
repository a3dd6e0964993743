//! MySQL and MariaDB, by their common protocol.

mod catalogue;
mod connection;
mod decode;
mod dialect;
mod encode;
mod error;
mod exchange;
mod native;
mod plan;
mod reader;
mod session;
mod target;

pub use dialect::MysqlDialect;
pub use exchange::Mysql;
