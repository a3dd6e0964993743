#![doc = include_str!("../README.md")]

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
