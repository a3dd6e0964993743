#![doc = include_str!("../README.md")]

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
