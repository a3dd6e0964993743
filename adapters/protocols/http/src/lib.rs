#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod client;
mod config;
mod error;
mod exchange;
mod outcome;
mod retry;
mod secret;
mod store;
mod stream;
mod tls;
mod writer;

pub use config::{Body, HttpConfig, Redirects};
pub use exchange::Http;
pub use store::HttpStore;
