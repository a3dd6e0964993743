//! What database servers have in common: addresses, transport security, the writing loop.

mod address;
mod config;
mod marker;
mod session;
mod tls;
mod values;
mod writer;

pub use config::{ServerConfig, Tls, Tombstone};

pub(crate) use address::Address;
pub(crate) use session::{Failure, Session};
pub(crate) use tls::Transport;
pub(crate) use values::{Values, Wrong, without_rejects};
pub(crate) use writer::{DELETED, Plan, ServerWriter, Task, loaded};
