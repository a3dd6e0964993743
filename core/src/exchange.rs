//! The common data-exchange trait.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;

use crate::{Batch, Error, Info, Limits, Position, Reject, Result};

/// A system that data can be exchanged with: a database, a queue, a service, a folder of files.
///
/// # Behavior
/// - Every verb that [`Info::capability`] declares works; every other returns
///   [`Unsupported`](crate::Kind::Unsupported) and has no effect.
/// - All methods take `&self` and may be called at the same time from several tasks.
/// - Dropping a returned future cancels it; no thread or task outlives the exchange and what it gave out.
#[async_trait]
pub trait Exchange: Debug + Send + Sync + 'static {
    /// Name, version and promises. Cheap, no input or output.
    fn info(&self) -> Info;

    /// Lists the datasets.
    ///
    /// # Behavior
    /// - Every name listed can be given to [`read`](Self::read) and has the listed schema there.
    ///
    /// # Errors
    /// [`Unsupported`](crate::Kind::Unsupported) unless `capability.discover`.
    async fn discover(&self) -> Result<Vec<Dataset>> {
        Err(Error::unsupported(self.info().scheme, "discover"))
    }

    /// Opens a dataset for reading.
    ///
    /// # Behavior
    /// - An unknown dataset or column is [`NotFound`](crate::Kind::NotFound) here, not later.
    /// - With `from`, the first record is the one after that position.
    ///
    /// # Errors
    /// [`Unsupported`](crate::Kind::Unsupported) unless `capability.read`.
    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let _ = request;
        Err(Error::unsupported(self.info().scheme, "read"))
    }

    /// Opens a dataset for writing.
    ///
    /// # Behavior
    /// - A schema that the target cannot hold is refused here.
    ///
    /// # Errors
    /// [`Unsupported`](crate::Kind::Unsupported) for a mode that the capability does not declare.
    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let _ = request;
        Err(Error::unsupported(self.info().scheme, "write"))
    }

    /// Sends one message and returns the answer. A server takes an `Arc<dyn Exchange>` and calls this.
    ///
    /// # Errors
    /// [`Unsupported`](crate::Kind::Unsupported) unless `capability.call`.
    async fn call(&self, message: Message) -> Result<Message> {
        let _ = message;
        Err(Error::unsupported(self.info().scheme, "call"))
    }
}

/// An open read of one dataset. Pulling is the backpressure.
#[async_trait]
pub trait Reader: Send {
    /// The schema of every batch, from the first one on.
    fn schema(&self) -> SchemaRef;

    /// The next batch, `None` at the true end of the dataset.
    ///
    /// # Behavior
    /// - Cancel-safe: a dropped future loses no record; the next call returns it.
    /// - After an error that is not worth a retry, and after the end, it stays there: the same kind again, `None` again.
    /// - Batches arrive in source order, without overlap or gap.
    async fn next(&mut self) -> Result<Option<Batch>>;

    /// Tells the source that everything up to the position is safe elsewhere.
    ///
    /// # Behavior
    /// - Without `capability.acknowledge` it does nothing and succeeds.
    /// - The same position again changes nothing.
    async fn commit(&mut self, upto: &Position) -> Result<()>;

    /// What the source itself says about its totals (trailer counts and sums), known at the end at the latest.
    fn declared(&self) -> Vec<ControlTotal> {
        Vec::new()
    }
}

/// An open write to one dataset.
///
/// # Behavior
/// - Dropped without [`commit`](Self::commit) or [`close`](Self::close) it is aborted: what was not committed is not seen by others.
#[async_trait]
pub trait Writer: Send {
    /// Takes the rows of a batch: accepted, not yet durable.
    ///
    /// # Behavior
    /// - The rejects of the batch are not its business.
    /// - An error leaves the target as the last commit left it, or says [`InDoubt`](crate::Retry::InDoubt).
    async fn write(&mut self, batch: &Batch) -> Result<()>;

    /// Waits until the target has taken or refused every row written: a writer may send ahead of the answers.
    ///
    /// # Behavior
    /// - It makes nothing durable.
    async fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Rows of any batch since the last commit whose refusal is known and was not handed out yet. Each refusal is handed
    /// out once, here or in [`Committed::rejects`]: here it can be made durable before the commit is.
    ///
    /// # Behavior
    /// - With `capability.watermark` every refusal is handed out here, after [`flush`](Self::flush) at the latest: the
    ///   position that the commit stores counts it.
    fn refused(&mut self) -> Vec<Reject> {
        Vec::new()
    }

    /// The position that the next commit stores, in place of that of the last batch: what is known only after the refusals
    /// of that batch may be part of it.
    ///
    /// # Behavior
    /// - Without `capability.watermark`, or without a batch since the last commit, it does nothing.
    fn mark(&mut self, position: &Position) {
        let _ = position;
    }

    /// Makes everything written since the last commit durable.
    async fn commit(&mut self) -> Result<Committed>;

    /// The position stored by the last commit of the same pipeline and dataset, in this or an earlier process.
    ///
    /// # Behavior
    /// - Without `capability.watermark` it is always `None`.
    async fn watermark(&mut self) -> Result<Option<Position>> {
        Ok(None)
    }

    /// Commits what is left and ends the write. In mode replace, others see the rows from here on.
    async fn close(self: Box<Self>) -> Result<Committed>;
}

/// One table, queue, sheet, record type or folder of an exchange.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name to be given to `read` and `write`.
    pub name: String,
    /// Columns, with `fenhe.*` metadata about the native types.
    pub schema: SchemaRef,
    /// Parts that can be read independently, empty for one whole.
    pub partitions: Vec<String>,
    /// Columns of the natural key, empty when unknown.
    pub key: Vec<String>,
    /// Number of records if the system knows it cheaply.
    pub records: Option<u64>,
}

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct ReadRequest {
    /// Dataset name; empty when the exchange has only one.
    pub dataset: String,
    /// One of the dataset's partitions, `None` for all.
    pub partition: Option<String>,
    /// Go on after this position.
    pub from: Option<Position>,
    /// Only these columns, in this order; `None` for all.
    pub columns: Option<Vec<String>>,
    /// Limits of the run (rows of a batch among them).
    pub limits: Limits,
}

/// What to write.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// Dataset name.
    pub dataset: String,
    /// Schema of every batch.
    pub schema: SchemaRef,
    /// How rows meet those that are there.
    pub mode: WriteMode,
    /// Columns of the natural key, for upsert.
    pub key: Vec<String>,
    /// Who writes, for watermark and idempotency keys: stable over restarts of the same pipeline.
    pub pipeline: String,
    /// Limits of the run.
    pub limits: Limits,
}

/// How written rows meet the rows that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// Add them.
    #[default]
    Append,
    /// Add or replace by natural key.
    Upsert,
    /// Afterwards the dataset holds exactly these rows.
    Replace,
}

/// What a commit made durable.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// Rows made durable since the commit before.
    pub rows: u64,
    /// Rows that the target refused, one by one, since the commit before.
    pub rejects: Vec<Reject>,
    /// Rows whose fate the target could not tell.
    pub in_doubt: u64,
    /// The position that was stored in the same transaction as the rows (`capability.watermark`): that of
    /// [`Writer::mark`], else of the last batch; of a batch without rows as well.
    pub watermark: Option<Position>,
}

/// A total that a source declares about itself (a trailer record, a header count).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ControlTotal {
    /// What it is about: `records`, or the path of the summed field.
    pub of: String,
    /// The declared number, exact, in plain decimal digits.
    pub declared: String,
    /// The same number as counted or summed over all records read, rejects included where readable.
    pub counted: String,
    /// Records whose part of the total could not be read (broken digits, a cut record): they may explain a difference.
    #[serde(default)]
    pub unreadable: u64,
}

impl ControlTotal {
    /// Whether both numbers are the same.
    pub fn agrees(&self) -> bool {
        self.declared == self.counted
    }

    /// Whether the numbers differ though every record could be read: proof that something is missing or too much.
    pub fn contradicts(&self) -> bool {
        !self.agrees() && self.unreadable == 0
    }
}

/// A request or an answer: named headers and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What is asked for (a path, an operation, a message type); empty in answers.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The payload.
    pub body: Bytes,
}

/// Comfort over any [`Exchange`].
#[async_trait]
pub trait ExchangeExt: Exchange {
    /// Reads a whole dataset of modest size.
    ///
    /// # Errors
    /// Whatever [`read`](Exchange::read) and [`next`](Reader::next) return.
    async fn read_all(&self, dataset: &str) -> Result<Vec<Batch>> {
        let request = ReadRequest { dataset: dataset.into(), ..ReadRequest::default() };
        let mut reader = self.read(request).await?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// The dataset of this name; an empty name means the only one.
    ///
    /// # Errors
    /// [`NotFound`](crate::Kind::NotFound) with the names that exist.
    async fn dataset(&self, name: &str) -> Result<Dataset> {
        let mut all = self.discover().await?;
        if name.is_empty() && all.len() == 1 {
            return Ok(all.swap_remove(0));
        }
        let names: Vec<_> = all.iter().map(|d| d.name.clone()).collect();
        all.into_iter().find(|d| d.name == name).ok_or_else(|| {
            Error::new(
                crate::Kind::NotFound,
                "core.dataset",
                format!("no dataset {name:?}; there are: {}", names.join(", ")),
            )
        })
    }
}

impl<T: Exchange + ?Sized> ExchangeExt for T {}

/// Shared exchanges are exchanges.
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Exchange + ?Sized> Exchange for Arc<T> {
    fn info(&self) -> Info {
        (**self).info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        (**self).discover().await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        (**self).read(request).await
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        (**self).write(request).await
    }

    async fn call(&self, message: Message) -> Result<Message> {
        (**self).call(message).await
    }
}
