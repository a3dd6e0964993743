//! Receipts, rows and the file, as others use them.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod file;
mod receipts;
mod rows;
