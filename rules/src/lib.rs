#![doc = include_str!("../README.md")]

mod date;
mod element;
pub mod identifiers;
mod tables;

pub use date::{BadDate, Date};
pub use element::{BadElement, DataElement, ElementKind};
pub use tables::{Code, CodeTable};
