#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

pub mod calendar;
mod column;
mod columns;
mod fault;
pub mod format;
mod infer;
pub mod parse;
mod pattern;
mod reader;
mod schema;
mod spans;
mod spec;
mod types;
mod writer;
mod written;

pub use column::ColumnBuilder;
pub use columns::Columns;
pub use fault::{FaultKind, FaultMask, note_of_forgiven};
pub use infer::{Guess, Guessed};
pub use pattern::{BadPattern, Moment, Pattern};
pub use reader::FieldReader;
pub use schema::{SchemaField, SchemaFile};
pub use spans::{Source, Spans};
pub use spec::{
    BinarySpelling, BooleanSpelling, DateSpelling, FieldSpec, NumberSpelling, SignStyle, Spelling,
    Trim,
};
pub use types::{TYPE_NAMES, UnknownType, parse_type, type_name};
pub use writer::{FieldWriter, TextBlock};
pub use written::plainly_spelled;
