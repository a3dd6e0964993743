#![doc = include_str!("../README.md")]

mod date;
pub mod identifiers;

pub use date::{BadDate, Date};
