#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod cells;
mod columns;
mod container;
mod dates;
mod decode;
mod encode;
mod error;
mod format;
mod options;
mod rejects;
mod settle;
mod sheet;
mod slow;
mod strings;
mod styles;
mod values;
mod workbook;
mod xls;
mod xlsb;

pub use format::Excel;
pub use options::{ExcelOptions, FormulaGuard, Hidden, Invalid, Merged, Types};
pub use rejects::{reject_workbook, reject_workbook_with};
