#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod agreed;
pub mod blocking;
mod books;
mod checkpoint;
mod claims;
mod clock;
mod config;
mod contract;
mod durable;
mod fields;
mod files;
mod guarantee;
mod keys;
pub mod ndjson;
mod null;
mod place;
mod pump;
mod reasons;
mod receipt;
mod reconcile;
mod registry;
#[cfg(feature = "excel")]
mod reject_workbook;
mod rejects;
mod replay;
mod run;
mod sent;
mod stdio;
mod totals;
mod typed;
mod types;
pub mod wrap;

pub use fenhe_contract as contracts;
#[cfg(feature = "copybook")]
pub use fenhe_copybook as copybook;
pub use fenhe_core as core;
pub use fenhe_ledger as ledger;
pub use fenhe_mapping as mapping;

pub use agreed::AgreedTotal;
pub use books::{Accounts, Books, Entry, Outcome};
pub use checkpoint::Checkpoint;
pub use claims::{Access, Claims};
pub use clock::utc;
pub use config::{ExchangeConfig, Prepared, Settings, usual_mode, write_mode};
pub use contract::Finding;
pub use fields::{BoundFields, Fields};
pub use files::{Files, MakeFormat};
pub use guarantee::Level;
pub use keys::{Keys, Reference};
pub use null::Null;
pub use place::Place;
pub use pump::{
    Budget, Control, Ended, Flow, Hours, Input, KeepRows, MadeBy, OnError, Outline, Output, Policy,
    Progress, Protection, RejectFile, Replay, outline, pump, pump_together,
};
pub use reasons::Reason;
pub use receipt::{FlowReceipt, ReadBack, Receipt, RowsProof, Side, Status, run_id, write_receipt};
pub use reconcile::{Difference, Reconciled, Row, reconcile};
pub use registry::{OpenPlace, Opened, Opening, Purpose, Registry, Scheme, SourceEnd, TargetEnd};
#[cfg(feature = "excel")]
pub use reject_workbook::reject_workbook;
pub use rejects::{Keep, RejectLog, Rejected};
pub use replay::{Corrections, Resent};
pub use run::Ran;
pub use sent::{Replayed, Sent};
pub use stdio::Stdio;
pub use totals::{Column, Totals};
pub use types::{parse_type, type_name};
