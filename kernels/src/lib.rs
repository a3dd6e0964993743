#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

pub mod chunk;
pub mod column;
pub mod gather;
pub mod index;
pub mod pool;
pub mod simd;
pub mod swar;
pub mod table;
pub mod utf8;

pub use chunk::{Chunk, ChunkPool, PaddedBytes};
pub use column::{
    AppendError, BinaryColumn, BooleanColumn, Full, PrimitiveColumn, StringColumn, WrongType,
};
pub use pool::{Pool, PoolElement, Pools};
pub use simd::Simd;
pub use table::{DoubleByteTable, SingleByteTable};
pub use utf8::{EvenFields, Utf8Buf, Validated};
