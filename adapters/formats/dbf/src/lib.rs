#![doc = include_str!("../README.md")]

pub mod codepage;
mod columns;
mod decode;
mod error;
mod explain;
mod fields;
mod format;
mod header;
pub mod memo;
mod nullflags;
mod options;
mod schema;
mod splitter;
mod table;
mod types;
mod version;

pub use format::Dbf;
pub use header::{Descriptor, FLAG_INDEX, Header};
pub use options::{DbfOptions, MissingMemo, Trim, Trust, UpdateDate};
pub use version::{Dialect, MemoKind};
