#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod checker;
mod date;
mod element;
pub mod identifiers;
pub mod rule;
mod tables;

pub use checker::{Checker, Context, Findings, KeySet};
pub use date::{BadDate, Date};
pub use element::{BadElement, DataElement, ElementKind};
pub use rule::{Bound, Operator, Rule, Severity, Unit};
pub use tables::{Code, CodeTable};
