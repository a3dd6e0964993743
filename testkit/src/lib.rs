#![doc = include_str!("../README.md")]
// A suite reports a broken promise by panicking: it runs inside tests.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

pub mod exchange;
pub mod format;
pub mod generate;
pub mod memory;
mod neutral;
pub mod peer;
pub mod shared;
pub mod store;

pub use neutral::{ndjson, rows};
