#![doc = include_str!("../README.md")]

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
