#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod evaluate;
mod find;
mod fit;
mod html;
mod names;
mod profile;
mod propose;
pub mod report;
mod words;

pub use fit::Fit;
pub use profile::{Column, Profile, Profiler};
pub use report::Report;
pub use words::Words;

/// Record numbers that are given as examples.
const EXAMPLES: usize = 5;
