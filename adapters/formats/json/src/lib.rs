#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod array;
mod columns;
mod decode;
mod encode;
mod error;
mod escape;
mod format;
mod frame;
mod infer;
mod lines;
mod node;
mod options;
mod record;
mod run;
mod seen;
mod settle;
mod splitter;
mod token;

pub use format::Json;
pub use options::{JsonOptions, Nulls, Shape, Types, Unknown};
