#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

pub mod codepage;
mod columns;
mod decode;
mod encode;
mod error;
mod explain;
mod fields;
mod fill;
mod format;
mod header;
pub mod memo;
mod memo_write;
mod nullflags;
mod options;
mod pass;
mod patch;
mod plan;
mod records;
mod schema;
mod spell;
mod splitter;
mod table;
mod types;
mod unchanged;
mod version;

pub use format::Dbf;
pub use header::{Descriptor, FLAG_INDEX, Header};
pub use options::{DbfOptions, MissingMemo, Trim, Trust, UpdateDate};
pub use patch::TablePatch;
pub use version::{Dialect, MemoKind};
