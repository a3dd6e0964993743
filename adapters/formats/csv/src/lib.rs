#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod batch;
mod count;
mod decode;
mod detect;
mod dialect;
mod encode;
mod error;
mod evidence;
mod format;
mod index;
mod infer;
mod options;
mod rows;
mod run;
mod settle;
mod spell;
mod split;
mod splitter;
mod table;
mod tail;
mod wide;

pub use format::Csv;
pub use options::{
    BlankLines, CsvOptions, FormulaGuard, LineEnd, Ragged, Stray, Types, Unterminated,
};
