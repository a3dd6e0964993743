#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

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
