//! Exchanges around exchanges: try again, give up in time, go slower.

mod limit;
mod retry;
mod timeout;

pub use limit::Limit;
pub use retry::{Backoff, Retrying};
pub use timeout::Timeout;
