//! Exchanges by the built program: corrections, keys of other datasets, catalogue sheets, control totals.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod parts;
mod reference;
mod replay;
mod replay_keys;
mod replay_list;
mod support;
mod totals;
