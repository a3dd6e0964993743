use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Committed, ControlTotal, Dataset, Error, Exchange, Info, Message, Position, ReadRequest,
    Reader, Reject, Result, Retry, WriteRequest, Writer,
};

/// How often and how long to try again.
///
/// The pause doubles from `first` to `longest`, and a random part of it is waited ("full jitter"), so that
/// many clients do not come back at the same moment. What the peer asks for (`Retry-After`) is the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Tries in all, the first included. 10.
    pub tries: u32,
    /// First pause. 200 ms.
    pub first: Duration,
    /// Longest pause. 60 s.
    pub longest: Duration,
    /// Time for all tries together. 15 minutes.
    pub total: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            tries: 10,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(60),
            total: Duration::from_secs(15 * 60),
        }
    }
}

/// An exchange that tries again what nothing happened to.
///
/// # Behavior
/// - Only errors whose advice is [`Retry::Later`] are tried again. What may have happened
///   ([`Retry::InDoubt`]) is tried again for a read or a discovery, which change nothing, and for a call or
///   commit only when the capability says `idempotent`.
/// - A write that failed is not repeated: the batch may be half taken, only the engine knows how to go back.
#[derive(Clone, Debug)]
pub struct Retrying<E> {
    inner: E,
    backoff: Backoff,
}

impl<E: Exchange> Retrying<E> {
    /// Wraps an exchange.
    pub fn new(inner: E, backoff: Backoff) -> Self {
        Self { inner, backoff }
    }

    fn idempotent(&self) -> bool {
        self.inner.info().capability.idempotent
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<E: Exchange> Exchange for Retrying<E> {
    fn info(&self) -> Info {
        self.inner.info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        again(&self.backoff, true, || self.inner.discover()).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let inner = again(&self.backoff, true, || self.inner.read(request.clone())).await?;
        Ok(Box::new(RetryingReader { inner, backoff: self.backoff.clone() }))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let inner = again(&self.backoff, false, || self.inner.write(request.clone())).await?;
        let idempotent = self.idempotent();
        Ok(Box::new(RetryingWriter { inner, backoff: self.backoff.clone(), idempotent }))
    }

    async fn call(&self, message: Message) -> Result<Message> {
        again(&self.backoff, self.idempotent(), || self.inner.call(message.clone())).await
    }
}

struct RetryingReader {
    inner: Box<dyn Reader>,
    backoff: Backoff,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Reader for RetryingReader {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let mut tries = Tries::new(&self.backoff, true);
        loop {
            match self.inner.next().await {
                Err(error) => tries.pause(error).await?,
                batch => return batch,
            }
        }
    }

    async fn commit(&mut self, upto: &Position) -> Result<()> {
        // The same position again changes nothing, so doubt is no obstacle.
        let mut tries = Tries::new(&self.backoff, true);
        loop {
            match self.inner.commit(upto).await {
                Err(error) => tries.pause(error).await?,
                done => return done,
            }
        }
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.inner.declared()
    }
}

struct RetryingWriter {
    inner: Box<dyn Writer>,
    backoff: Backoff,
    idempotent: bool,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Writer for RetryingWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.inner.write(batch).await
    }

    async fn flush(&mut self) -> Result<()> {
        self.inner.flush().await
    }

    fn refused(&mut self) -> Vec<Reject> {
        self.inner.refused()
    }

    fn mark(&mut self, position: &Position) {
        self.inner.mark(position);
    }

    async fn commit(&mut self) -> Result<Committed> {
        let mut tries = Tries::new(&self.backoff, self.idempotent);
        loop {
            match self.inner.commit().await {
                Err(error) => tries.pause(error).await?,
                done => return done,
            }
        }
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        let mut tries = Tries::new(&self.backoff, true);
        loop {
            match self.inner.watermark().await {
                Err(error) => tries.pause(error).await?,
                done => return done,
            }
        }
    }

    async fn close(self: Box<Self>) -> Result<Committed> {
        self.inner.close().await
    }
}

impl fmt::Debug for RetryingWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryingWriter").field("backoff", &self.backoff).finish_non_exhaustive()
    }
}

async fn again<T, F: Future<Output = Result<T>>>(
    backoff: &Backoff,
    harmless: bool,
    call: impl Fn() -> F,
) -> Result<T> {
    let mut tries = Tries::new(backoff, harmless);
    loop {
        match call().await {
            Err(error) => tries.pause(error).await?,
            done => return done,
        }
    }
}

/// The tries of one call.
struct Tries<'a> {
    backoff: &'a Backoff,
    /// Repeating what may have happened does no harm.
    harmless: bool,
    done: u32,
    since: Instant,
}

impl<'a> Tries<'a> {
    fn new(backoff: &'a Backoff, harmless: bool) -> Self {
        Self { backoff, harmless, done: 0, since: Instant::now() }
    }

    /// Waits before the next try, or gives the error back when there shall be none.
    async fn pause(&mut self, error: Error) -> Result<()> {
        self.done += 1;
        let asked = match error.retry() {
            Retry::Later(asked) => asked.unwrap_or_default(),
            Retry::InDoubt if self.harmless => Duration::ZERO,
            Retry::Never | Retry::InDoubt => return Err(error),
        };
        let factor = 1_u32.checked_shl(self.done - 1).unwrap_or(u32::MAX);
        let ceiling = self.backoff.first.saturating_mul(factor).min(self.backoff.longest);
        let pause = ceiling.mul_f64(random()).max(asked);
        if self.done >= self.backoff.tries || self.since.elapsed() + pause > self.backoff.total {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// A number from 0 to 1 that differs between clients; nothing secret hangs on it.
fn random() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
