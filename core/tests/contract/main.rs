//! What the contract promises of its values.

#![allow(clippy::unwrap_used)]

mod batch;
mod error;
mod options;
mod reject;
