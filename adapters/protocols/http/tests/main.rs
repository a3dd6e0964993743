//! One test binary: a real server, and a peer that misbehaves by script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod content;
mod rows;
#[cfg(unix)]
mod secrets;
mod server;
mod tls;

use fenhe_http::HttpConfig;

/// Quick to give up, so that tests are.
fn config(url: &str) -> HttpConfig {
    let mut config = HttpConfig::new(url);
    (config.tries, config.read_ms, config.retry_ms) = (3, 400, 20_000);
    config
}
