//! When to try again: full jitter under a budget of attempts and time.

use std::time::{Duration, Instant};

use fenhe_core::{Error, Retry};

use crate::HttpConfig;

/// The first wait is at most this long; it doubles.
const FIRST: Duration = Duration::from_millis(200);

/// No wait is longer, unless the service asks for it.
const LONGEST: Duration = Duration::from_secs(30);

/// What is left of the budget of one request.
#[derive(Debug)]
pub(crate) struct Budget {
    tries: u32,
    left: u32,
    until: Instant,
}

impl Budget {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        let tries = config.tries.max(1);
        Self {
            tries,
            left: tries - 1,
            until: Instant::now() + Duration::from_millis(config.retry_ms),
        }
    }

    /// How long to wait before trying again; the error comes back when there is no sense in it.
    pub(crate) fn wait(&mut self, error: Error) -> Result<Duration, Error> {
        let Retry::Later(asked) = error.retry() else { return Err(error) };
        let attempt = self.tries.saturating_sub(self.left).saturating_sub(1).min(16);
        let most = FIRST.saturating_mul(1 << attempt).min(LONGEST);
        // Full jitter: callers that failed together do not come back together.
        let wait = most.mul_f64(fastrand::f64()).max(asked.unwrap_or_default());
        let late = Instant::now().checked_add(wait).is_none_or(|then| then > self.until);
        if self.left == 0 || late {
            return Err(error);
        }
        self.left -= 1;
        Ok(wait)
    }
}

/// `Retry-After` in seconds (RFC 9110 clause 10.2.3). A date is not used: it needs both clocks to agree.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
