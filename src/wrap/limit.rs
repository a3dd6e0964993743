use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Committed, ControlTotal, Dataset, Exchange, Info, Message, Position, ReadRequest,
    Reader, Reject, Result, WriteRequest, Writer,
};
use tokio::time::Instant;

/// An exchange that is asked no more than so many rows (or calls) a second: legacy systems have other work to do.
///
/// Reads, writes and calls share the rate. A batch goes through whole and is paid for afterwards.
#[derive(Clone, Debug)]
pub struct Limit<E> {
    inner: E,
    rate: Rate,
}

impl<E: Exchange> Limit<E> {
    /// Wraps an exchange; `a_second` below 1 counts as 1.
    pub fn new(inner: E, a_second: u32) -> Self {
        Self { inner, rate: Rate { a_second: a_second.max(1), free_at: Arc::default() } }
    }
}

/// When the next row may go.
#[derive(Clone, Debug)]
struct Rate {
    a_second: u32,
    free_at: Arc<Mutex<Option<Instant>>>,
}

impl Rate {
    /// Waits until earlier rows are paid for.
    async fn wait(&self) {
        let until = *self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    fn pay(&self, rows: usize) {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let from = free_at.filter(|at| *at > now).unwrap_or(now);
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        *free_at = Some(from + Duration::from_secs_f64(f64::from(rows) / f64::from(self.a_second)));
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<E: Exchange> Exchange for Limit<E> {
    fn info(&self) -> Info {
        self.inner.info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        self.inner.discover().await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let inner = self.inner.read(request).await?;
        Ok(Box::new(LimitedReader { inner, rate: self.rate.clone() }))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let inner = self.inner.write(request).await?;
        Ok(Box::new(LimitedWriter { inner, rate: self.rate.clone() }))
    }

    async fn call(&self, message: Message) -> Result<Message> {
        self.rate.wait().await;
        self.rate.pay(1);
        self.inner.call(message).await
    }
}

struct LimitedReader {
    inner: Box<dyn Reader>,
    rate: Rate,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Reader for LimitedReader {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        self.rate.wait().await;
        let batch = self.inner.next().await?;
        self.rate.pay(batch.as_ref().map_or(0, Batch::rows));
        Ok(batch)
    }

    async fn commit(&mut self, upto: &Position) -> Result<()> {
        self.inner.commit(upto).await
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.inner.declared()
    }
}

struct LimitedWriter {
    inner: Box<dyn Writer>,
    rate: Rate,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Writer for LimitedWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.rate.wait().await;
        self.inner.write(batch).await?;
        self.rate.pay(batch.rows());
        Ok(())
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
        self.inner.commit().await
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        self.inner.watermark().await
    }

    async fn close(self: Box<Self>) -> Result<Committed> {
        self.inner.close().await
    }
}
