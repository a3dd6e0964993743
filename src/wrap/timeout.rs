use std::future::Future;
use std::time::Duration;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Committed, ControlTotal, Dataset, Error, Exchange, Info, Kind, Message, Position,
    ReadRequest, Reader, Reject, Result, Retry, WriteRequest, Writer,
};

/// An exchange whose calls end in time, one way or the other.
///
/// # Behavior
/// - A read that took too long may be tried again: [`Retry::Later`]. `next` is cancel-safe, nothing is lost.
/// - A call, write or commit that took too long is in doubt. After a write or commit that was cut off the
///   writer answers [`Poisoned`](fenhe_core::Kind::Poisoned).
#[derive(Clone, Debug)]
pub struct Timeout<E> {
    inner: E,
    each: Duration,
}

impl<E: Exchange> Timeout<E> {
    /// Wraps an exchange; `each` is the time for one call.
    pub fn new(inner: E, each: Duration) -> Self {
        Self { inner, each }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<E: Exchange> Exchange for Timeout<E> {
    fn info(&self) -> Info {
        self.inner.info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        within(self.each, Retry::Later(None), self.inner.discover()).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let inner = within(self.each, Retry::Later(None), self.inner.read(request)).await?;
        Ok(Box::new(TimedReader { inner, each: self.each }))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let inner = within(self.each, Retry::Later(None), self.inner.write(request)).await?;
        Ok(Box::new(TimedWriter { inner, each: self.each, cut_off: false }))
    }

    async fn call(&self, message: Message) -> Result<Message> {
        within(self.each, Retry::InDoubt, self.inner.call(message)).await
    }
}

struct TimedReader {
    inner: Box<dyn Reader>,
    each: Duration,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Reader for TimedReader {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        within(self.each, Retry::Later(None), self.inner.next()).await
    }

    async fn commit(&mut self, upto: &Position) -> Result<()> {
        within(self.each, Retry::InDoubt, self.inner.commit(upto)).await
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.inner.declared()
    }
}

struct TimedWriter {
    inner: Box<dyn Writer>,
    each: Duration,
    cut_off: bool,
}

impl TimedWriter {
    fn alive(&self) -> Result<()> {
        match self.cut_off {
            true => Err(Error::poisoned("a writer that did not answer in time")),
            false => Ok(()),
        }
    }

    fn note<T>(&mut self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.cut_off |= error.code() == CODE)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Writer for TimedWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.alive()?;
        let result = within(self.each, Retry::InDoubt, self.inner.write(batch)).await;
        self.note(result)
    }

    async fn flush(&mut self) -> Result<()> {
        self.alive()?;
        let result = within(self.each, Retry::InDoubt, self.inner.flush()).await;
        self.note(result)
    }

    fn refused(&mut self) -> Vec<Reject> {
        self.inner.refused()
    }

    fn mark(&mut self, position: &Position) {
        self.inner.mark(position);
    }

    async fn commit(&mut self) -> Result<Committed> {
        self.alive()?;
        let result = within(self.each, Retry::InDoubt, self.inner.commit()).await;
        self.note(result)
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        self.alive()?;
        within(self.each, Retry::Later(None), self.inner.watermark()).await
    }

    async fn close(self: Box<Self>) -> Result<Committed> {
        self.alive()?;
        within(self.each, Retry::InDoubt, self.inner.close()).await
    }
}

const CODE: &str = "engine.timeout";

async fn within<T>(
    each: Duration,
    advice: Retry,
    call: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    match tokio::time::timeout(each, call).await {
        Ok(result) => result,
        Err(_) => {
            let message = format!("no answer within {} s", each.as_secs_f32());
            Err(Error::new(Kind::Timeout, CODE, message).retry_advice(advice))
        }
    }
}
