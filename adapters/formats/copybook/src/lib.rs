#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod batch;
mod columns;
mod copybook;
mod decode;
mod doctor;
mod edit;
mod encode;
mod error;
mod expand;
mod format;
mod frame;
mod image;
mod layout;
mod nested;
mod options;
mod patch;
mod print;
mod rows;
mod schema;
mod segments;
mod splitter;
mod storage;
mod stream;
mod tree;
mod value;
mod wrap;
mod write;

pub use copybook::{
    Category, Condition, Copybook, Figurative, Item, MAX_TEXT, OccursClause, ParseOptions, Picture,
    Renames, SignClause, SourceForm, Usage, Value,
};
pub use doctor::{Failure, Hypothesis, doctor};
pub use format::CopybookFormat;
pub use layout::{Field, Layout, Table};
pub use options::{
    AsciiSign, BinarySize, ByteOrder, CopybookOptions, Edited, Fillers, Floats, Invalid, Long,
    LowValues, NSymbol, NullFill, PointerSize, RecordFormat, Redefines, RenamedItems, Short, Trunc,
    VariableOccurs,
};
pub use storage::{Storage, ZonedSign};
