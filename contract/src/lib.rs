#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

pub mod catalogue;
mod check;
mod compare;
mod compatibility;
mod contract;
mod draft;
mod kind;
mod overlay;
pub mod sheet;
mod text;
mod version;

pub use catalogue::{
    Catalogue, Grade, Sensitivity, Sharing, SharingMode, SharingType, UpdateCycle,
};
pub use compare::{Difference, Relation};
pub use compatibility::{Bump, Change, Compatibility};
pub use contract::{Contract, Field, Lengths};
pub use draft::{Draft, FieldDraft, RuleText, TableText};
pub use kind::FieldType;
pub use overlay::{Divergence, Overlay, OverlayDraft, Verdict};
pub use text::{Document, NoFiles, Tables};
pub use version::Version;

/// The JSON Schema of contracts (draft 2020-12), as published with this version.
pub const SCHEMA: &str = include_str!("../contract.schema.json");
