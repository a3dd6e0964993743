#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod ipc;
mod object;
mod output;
mod parquet;

pub use ipc::{Ipc, IpcOptions};
pub use parquet::{Compression, Parquet, ParquetOptions};
