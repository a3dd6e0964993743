//! What the writing loop asks of a connection.

use arrow_array::RecordBatch;
use async_trait::async_trait;
use fenhe_core::{Error, Fault, Result};

/// Why a statement did not work.
pub(crate) enum Failure {
    /// Something about the rows: of several, some may be good.
    Rows(Fault),
    /// Something that ends the write.
    Fatal(Error),
}

/// An open connection that writes into one table.
#[async_trait]
pub(crate) trait Session: Send {
    /// Name of the adapter.
    fn scheme(&self) -> &'static str;

    /// Statements without parameters and without rows in the answer.
    async fn run(&mut self, sql: &str) -> Result<(), Failure>;

    /// Whether a query finds anything.
    async fn finds(&mut self, sql: &str) -> Result<bool, Failure>;

    /// Rows that cannot be sent because a value has no form there, in ascending order.
    fn unsendable(&self, rows: &RecordBatch) -> Result<Vec<(usize, Fault)>>;

    /// Whether [`load`](Self::load) may be called again before [`settle`](Self::settle).
    fn sends_ahead(&self) -> bool {
        false
    }

    /// Sends rows to where the plan wants them: the table or the stage. Sets the savepoint by this statement before,
    /// unless rows are under way: then they are sent behind those.
    async fn load(&mut self, mark: &str, rows: &RecordBatch) -> Result<(), Failure>;

    /// Waits for the answer to what is under way. Whether the rows went in is known only then.
    async fn settle(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// The text of the stored position and the number of batches.
    async fn standing(&mut self, pipeline: &str, dataset: &str) -> Result<Option<(String, i64)>>;

    /// Stores a position if the number of batches is still `known`; whether it was.
    async fn store(
        &mut self,
        pipeline: &str,
        dataset: &str,
        position: &str,
        known: i64,
        next: i64,
    ) -> Result<bool>;

    /// Makes the open transaction durable.
    async fn commit(&mut self) -> Result<()>;
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// A failure where no single row can be at fault.
pub(crate) fn fatal(failure: Failure) -> Error {
    match failure {
        Failure::Fatal(error) => error,
        Failure::Rows(fault) => Error::new(
            fenhe_core::Kind::Invalid,
            fault.code.clone(),
            format!("the database refused a statement: {fault}"),
        ),
    }
}
