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
    Delivery, DeliveryBooks, Ledger, Lock, OpenReject, PlannedBatch, Planned, BatchRows, RowIndex, Run,
    Settled, State, StoredReceipt,
};
pub use rows::{RowEncoder, RowHashes, RowSet, ROWS_FORM, key_text};
pub use seal::{Chain, Checked, Seal, Signature, check, seal};
pub use sign::{Signer, Verifier};
