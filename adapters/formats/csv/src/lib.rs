#![doc = include_str!("../README.md")]

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
