#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod bind;
mod cast;
mod extension;
mod grammar;
mod mapper;
mod mapping;
mod step;
mod work;

pub use bind::Context;
pub use grammar::{FieldText, field_at};
pub use mapper::{Mapped, Mapper, Replaced, RowFaults};
pub use mapping::{Condition, DefaultValue, FieldMapping, Mapping, MappingText, Origin, Unlisted};
pub use step::{Algorithm, Codes, Derived, Mask, Operation, Otherwise, Side, Spelling, Step, Unit};
