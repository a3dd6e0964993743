//! The ledger: one SQLite file that any tool can open.

mod audit;
mod open;
mod read;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fenhe_core::{Error, Kind, Reject, Result};
use rusqlite::Connection;

use crate::rows::{RowHashes, RowSet};

pub use audit::Audit;
pub use open::Lock;
pub use read::{BatchRows, DeliveryBooks, OpenReject, StoredReceipt, unpack_keys};

/// An open ledger. All methods block; each writing one is a transaction that is on disk when it returns.
///
/// After an error of a write the ledger is poisoned: nobody knows what is on disk until it is opened again.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    poisoned: bool,
}

/// One run of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// Name of the exchange.
    pub exchange: String,
    /// File of the configuration.
    pub configuration: String,
    /// Program and version.
    pub tool: String,
    /// Start, UTC.
    pub started: String,
}

/// One delivery: the content of a source by one flow under one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Its name.
    pub delivery: String,
    /// Exchange and flow.
    pub pipeline: String,
    /// Name of the flow.
    pub flow: String,
    /// Name of the source.
    pub source: String,
    /// What identifies its content.
    pub fingerprint: String,
    /// Name of the target.
    pub target: String,
    /// `append`, `upsert` or `replace`.
    pub mode: String,
    /// Columns of the natural key.
    pub key: Vec<String>,
    /// Names and types of the columns, in order.
    pub columns: Vec<(String, String)>,
    /// Digest of the configuration.
    pub plan: String,
    /// The delivery whose rejects are sent again.
    pub replay_of: Option<String>,
    /// The run that writes.
    pub run: String,
}

/// What is known about the rows of a batch before the target commits them.
#[derive(Clone, Debug, Default)]
pub struct PlannedBatch {
    /// Number within the delivery, from 1.
    pub batch: u64,
    /// Number of the first record.
    pub first: u64,
    /// Records read.
    pub read: u64,
    /// Records skipped.
    pub skipped: u64,
    /// Rows that the target did not refuse.
    pub rows: u64,
    /// Sum of the digests of these rows.
    pub digest: Option<RowSet>,
    /// Position in the source after it, as JSON.
    pub at: String,
    /// Rows one by one.
    pub index: Option<RowIndex>,
}

/// The rows of a batch one by one, for reconciliation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowIndex {
    /// Record number of each row.
    pub records: Vec<u64>,
    /// Digest of each row.
    pub hashes: RowHashes,
    /// Key of each row as [`RowEncoder::packed`](crate::RowEncoder::packed) writes them, if there is a key.
    pub keys: Option<Vec<u8>>,
}

/// What is written before the target commits.
#[derive(Debug, Default)]
pub struct Planned<'a> {
    /// Name of the delivery.
    pub delivery: &'a str,
    /// Name of the run.
    pub run: &'a str,
    /// The batches.
    pub batches: &'a [PlannedBatch],
    /// Their rejects, each with the number of its batch.
    pub rejects: &'a [(u64, Reject)],
}

/// What is written after the target committed.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Name of the delivery.
    pub delivery: String,
    /// Exchange and flow.
    pub pipeline: String,
    /// The last batch that is settled with this.
    pub upto: u64,
    /// What became of the planned ones.
    pub state: State,
    /// Records read so far.
    pub read: u64,
    /// Rows delivered so far.
    pub delivered: u64,
    /// Records skipped so far.
    pub skipped: u64,
    /// Rows in doubt so far.
    pub in_doubt: u64,
    /// The source came to its end.
    pub complete: bool,
    /// The checkpoint, as JSON.
    pub checkpoint: Option<String>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not known yet.
    Planned,
    /// The target says that it is durable.
    #[default]
    Delivered,
    /// The target could not say.
    InDoubt,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Delivered => "delivered",
            Self::InDoubt => "in_doubt",
        }
    }
}

impl RowIndex {
    /// Takes rows out by the numbers of their records.
    pub fn remove(&mut self, records: &[u64]) {
        let mut rows: Vec<usize> =
            records.iter().filter_map(|record| self.records.binary_search(record).ok()).collect();
        rows.sort_unstable();
        rows.dedup();
        self.hashes.remove(&rows);
        if let Some(keys) = &mut self.keys {
            *keys = without(keys, &rows);
        }
        let (mut at, mut out) = (0, rows.iter().peekable());
        self.records.retain(|_| {
            let gone = out.next_if(|row| **row == at).is_some();
            at += 1;
            !gone
        });
    }
}

/// Packed keys without those of some rows.
fn without(mut keys: &[u8], rows: &[usize]) -> Vec<u8> {
    let mut left = Vec::with_capacity(keys.len());
    let (mut at, mut out) = (0, rows.iter().peekable());
    while let Some(length) = keys.first_chunk::<4>() {
        let whole =
            usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX).saturating_add(4);
        let Some((key, rest)) = keys.split_at_checked(whole) else { break };
        if out.next_if(|row| **row == at).is_none() {
            left.extend_from_slice(key);
        }
        at += 1;
        keys = rest;
    }
    left
}

impl Ledger {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock_inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a read.
    fn reading<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        act(&self.lock_inner().connection).map_err(|error| self.failed(error))
    }

    /// Runs a write as one durable transaction.
    fn writing<T>(
        &self,
        act: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let mut inner = self.lock_inner();
        if inner.poisoned {
            return Err(Error::poisoned("the ledger"));
        }
        let kind = rusqlite::TransactionBehavior::Immediate;
        let result = inner.connection.transaction_with_behavior(kind).and_then(|transaction| {
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        inner.poisoned = result.is_err();
        result.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode as C;
        let (kind, code, what) = match error.sqlite_error_code() {
            Some(C::DatabaseCorrupt | C::NotADatabase) => {
                (Kind::Invalid, "ledger.damaged", "the ledger is damaged")
            }
            Some(C::DatabaseBusy | C::DatabaseLocked) => {
                (Kind::Conflict, "ledger.busy", "another program holds the ledger")
            }
            Some(C::DiskFull) => (Kind::Io, "ledger.full", "there is no room left for the ledger"),
            _ => (Kind::Io, "ledger.write", "the ledger could not be read or written"),
        };
        Error::new(kind, code, what)
            .source_name(self.path.display().to_string())
            .hint("nothing is delivered without its books: put the ledger right and run again")
            .caused_by(error)
    }
}
