#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod batch;
mod columns;
mod decode;
mod encode;
mod error;
mod format;
mod frame;
mod infer;
mod layout;
mod options;
mod prepare;
mod splitter;
mod stream;
mod totals;
mod write;

pub use format::Fixed;
pub use layout::{FieldLayout, Justify, Layout, RecordLayout, Role, Sign, Total, TotalOf, When};
pub use options::{BlankLines, Count, Cut, Fillers, FixedOptions, FrameBy, LineEnd, Long, Short};
