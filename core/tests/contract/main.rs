//! What the contract promises of its values.

mod batch;
mod error;
mod options;
mod reject;
