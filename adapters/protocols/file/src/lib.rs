#![doc = include_str!("../README.md")]

mod archive;
mod blocking;
mod config;
mod error;
mod inflate;
mod list;
mod name;
mod part;
mod random;
mod root;
mod sink;
mod store;
mod stream;
mod version;

pub use archive::Member;
pub use config::{Compression, FilesConfig, Symlinks};
pub use store::Files;
