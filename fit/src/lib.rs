#![doc = include_str!("../README.md")]

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
