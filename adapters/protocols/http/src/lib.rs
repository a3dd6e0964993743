#![doc = include_str!("../README.md")]

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
