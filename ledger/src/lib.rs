#![doc = include_str!("../README.md")]

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
