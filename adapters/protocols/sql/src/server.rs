//! What database servers have in common: addresses, transport security, the writing loop.

mod address;
mod config;
mod session;
mod tls;
mod values;
mod writer;

pub use config::{ServerConfig, Tls};

pub(crate) use address::Address;
pub(crate) use session::{Failure, Session, fatal};
pub(crate) use tls::{Transport, untrusted};
pub(crate) use values::{Values, Wrong, without_rejects};
pub(crate) use writer::{Plan, ServerWriter, Task};
