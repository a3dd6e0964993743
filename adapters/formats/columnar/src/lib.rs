#![doc = include_str!("../README.md")]

mod ipc;
mod object;
mod output;
mod parquet;

pub use ipc::{Ipc, IpcOptions};
pub use parquet::{Compression, Parquet, ParquetOptions};
