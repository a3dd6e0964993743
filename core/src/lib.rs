#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod batch;
mod error;
mod exchange;
mod format;
mod info;
mod limits;
mod located;
mod options;
mod position;
mod reject;
pub mod schema;
mod secret;
mod store;

pub use arrow_array::RecordBatch;
pub use arrow_schema::SchemaRef;
pub use batch::{Batch, Span};
pub use error::{Error, Kind, Result, Retry};
pub use exchange::{
    Committed, ControlTotal, Dataset, Exchange, ExchangeExt, Message, ReadRequest, Reader,
    WriteMode, WriteRequest, Writer,
};
pub use format::{
    Boundary, Companion, CompanionBytes, DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence,
    Format, Found, Input, Output, Part, Patch, Sample, Splitter,
};
pub use info::{Capability, FormatInfo, Info};
pub use limits::Limits;
pub use located::Located;
pub use options::{Attachment, Options, nearest};
pub use position::Position;
pub use reject::{Fault, Raw, Reject, Source};
pub use secret::Secret;
pub use store::{ByteSink, ByteStream, Entry, ReadAt, Store, read_exact_at};

/// The Arrow crates of this release: one major version for every adapter.
pub mod arrow {
    pub use arrow_array as array;
    pub use arrow_buffer as buffer;
    pub use arrow_schema as schema;
}
