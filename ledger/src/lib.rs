#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod algorithm;
mod chain;
mod ledger;
mod rows;
mod seal;
mod sign;

pub use algorithm::Algorithm;
pub use chain::{Expected, Finding, Trouble, verify};
pub use ledger::{
    Audit, BatchRows, Delivery, DeliveryBooks, Ledger, Lock, OpenReject, Planned, PlannedBatch,
    RowIndex, Run, Settled, State, StoredReceipt, unpack_keys,
};
pub use rows::{ROWS_FORM, RowEncoder, RowHashes, RowSet, key_text};
pub use seal::{Chain, Checked, Seal, Signature, check, seal};
pub use sign::{Signer, Verifier};
