//! The engine loop: read, decode, map, make rejects durable, write, commit, remember, acknowledge.
//!
//! Nothing later in that order happens when something earlier failed.

mod keep;
mod lane;
mod open;
mod produce;
mod protect;
mod resume;
mod storm;
mod together;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fenhe_core::{Exchange, Limits, WriteMode};

use crate::fields::Fields;
use crate::guarantee::Level;
use crate::receipt::FlowReceipt;

pub(crate) use keep::{mode_name, on_disk};
pub use open::{Outline, outline};
pub use protect::{Hours, Protection};
pub use together::{pump, pump_together};

/// One way of records: from a dataset of one exchange to a dataset of another.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Name within the exchange.
    pub name: String,
    /// Stable name of the writer for watermarks and idempotency keys: exchange and flow.
    pub pipeline: String,
    /// Digest of the configuration; another plan is another delivery.
    pub plan: String,
    /// The reading end.
    pub source: Input,
    /// The writing end.
    pub target: Output,
    /// Renames and types; without rules every column goes on as it is.
    pub fields: Fields,
    /// Only these columns of the source.
    pub columns: Option<Vec<String>>,
    /// When to stop, and what to promise.
    pub policy: Policy,
    /// File of the rejects; `None`: they are counted and dropped.
    pub rejects: Option<RejectFile>,
    /// The ledger, for targets without watermark and for proving what was delivered.
    pub ledger: Option<PathBuf>,
    /// What is kept of single rows.
    pub rows: KeepRows,
    /// The rejects that are sent again by this flow, if it is a replay.
    pub replay: Option<Replay>,
    /// Digests of what the rows were made by, for the receipt.
    pub made_by: MadeBy,
    /// Limits of the run.
    pub limits: Limits,
}

impl Flow {
    /// A digest for [`plan`](Self::plan) out of everything that changes what is delivered. It tells apart, and
    /// shows nothing: options may hold secrets.
    pub fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(hash.finalize()).chars().take(16).collect()
    }

    /// The fields whose sums are control totals. The rows of a replay are mapped and checked already, so it has no contract
    /// to ask. Its totals are those of what it brings; its source, a list of corrections, declares none to compare with.
    pub(crate) fn totals(&self) -> &[String] {
        match &self.replay {
            Some(replay) => &replay.totals,
            None => self.fields.totals(),
        }
    }
}

/// The reading end of a [`Flow`].
#[derive(Clone, Debug)]
pub struct Input {
    /// The system.
    pub exchange: Arc<dyn Exchange>,
    /// Dataset in it, empty for the only one.
    pub dataset: String,
    /// How the person named it, without secrets.
    pub name: String,
    /// What identifies the content, empty if the system has no such thing.
    pub fingerprint: String,
}

/// The writing end of a [`Flow`].
#[derive(Clone, Debug)]
pub struct Output {
    /// The system.
    pub exchange: Arc<dyn Exchange>,
    /// Dataset in it, empty for the only one.
    pub dataset: String,
    /// How the person named it, without secrets.
    pub name: String,
    /// How rows meet those that are there.
    pub mode: WriteMode,
    /// Columns of the natural key.
    pub key: Vec<String>,
    /// Whether what an earlier run delivered is still there, as far as it can be told.
    pub present: bool,
}

/// What is kept of single rows, from the cheapest to the most telling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepRows {
    /// Nothing: counts, null counts and sums are all there is.
    #[default]
    None,
    /// One digest over all rows, in the receipt: tells whether the target holds the same rows.
    Digest,
    /// Also key and digest of every row, in the ledger: tells which rows differ.
    Each,
}

/// Rejects of an earlier delivery that are sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// The delivery that they belong to.
    pub delivery: String,
    /// Numbers of their records.
    pub records: Vec<u64>,
    /// The fields whose sums are control totals, as in that delivery.
    pub totals: Vec<String>,
}

/// Digests of what made the rows, for the receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeBy {
    /// SHA-256 of the mapping.
    pub mapping: Option<String>,
    /// SHA-256 of the contract.
    pub contract: Option<String>,
}

/// Where rejects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectFile {
    /// The file.
    pub path: PathBuf,
    /// Whether it is an output of this run (replaced) or a log over runs (appended).
    pub fresh: bool,
}

/// When a flow stops, and what it has to promise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Rejects that are bearable.
    pub budget: Option<Budget>,
    /// What the first reject does.
    pub on_error: OnError,
    /// Deliver from the start, whatever was delivered before.
    pub restart: bool,
    /// The least guarantee that is accepted.
    pub guarantee: Option<Level>,
    /// How the source is to be treated.
    pub protection: Protection,
}

/// Rejects that are bearable: no more than either figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Number of rejects.
    pub rejects: Option<u64>,
    /// Rejects in a hundred records read, from 0 to 100.
    #[serde(default, deserialize_with = "percent")]
    pub percent: Option<f64>,
}

impl Budget {
    /// How many rejects of `read` records are bearable.
    pub fn allows(&self, read: u64) -> u64 {
        // A share of a count needs no more precision than a float has.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let share = self.percent.map(|percent| (read as f64 * percent / 100.0).floor() as u64);
        match (self.rejects, share) {
            (Some(count), Some(share)) => count.min(share),
            (Some(count), None) => count,
            (None, Some(share)) => share,
            (None, None) => 0,
        }
    }
}

fn percent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let percent: Option<f64> = serde::Deserialize::deserialize(deserializer)?;
    match percent {
        Some(percent) if !(0.0..=100.0).contains(&percent) => {
            Err(serde::de::Error::custom("percent is from 0 to 100"))
        }
        percent => Ok(percent),
    }
}

/// What the first reject does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It is put aside and the run goes on.
    #[default]
    Reject,
    /// It ends the run; nothing after the last commit is delivered.
    Fail,
}

/// How a caller follows and stops a run.
#[derive(Clone, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    follow: Option<Follow>,
    run: String,
}

/// What is called after every batch.
type Follow = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How far a flow is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Name of the flow.
    pub flow: String,
    /// Records read.
    pub read: u64,
    /// Rows given to the target.
    pub written: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Bytes of the source covered.
    pub bytes: u64,
}

impl Control {
    /// Calls `follow` after every batch.
    #[must_use]
    pub fn following(mut self, follow: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.follow = Some(Arc::new(follow));
        self
    }

    /// Names the run, for ledger and receipt.
    #[must_use]
    pub fn for_run(mut self, run: impl Into<String>) -> Self {
        self.run = run.into();
        self
    }

    /// The name of the run, empty if nobody gave one.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Asks the run to stop after the batch at hand, with a commit. May be called from a signal handler task.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn report(&self, progress: &Progress) {
        if let Some(follow) = &self.follow {
            follow(progress);
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("stopped", &self.stopped()).finish_non_exhaustive()
    }
}

/// The end of a flow: always a receipt, and the error if one ended it.
#[derive(Debug)]
pub struct Ended {
    /// What was done.
    pub receipt: FlowReceipt,
    /// What ended it early.
    pub error: Option<fenhe_core::Error>,
}
