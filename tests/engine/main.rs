//! The engine against files on disk and a platform in memory that fails on demand.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conforms;
mod contract;
mod exchange;
mod files;
mod guarantees;
mod platform;
mod pump;
mod reconcile;
mod resume;
mod support;
mod together;
mod wrappers;
