//! The explicit ceiling on everything that is sized by input.

use crate::{Error, Result};

/// Every limit of a run, passed down explicitly; no process-wide default exists.
///
/// A breach is an error or a reject that names the field of this struct ([`Error::limit`]).
/// Sizes are bytes unless the name says otherwise.
///
/// ```
/// use fenhe_core::Limits;
/// let limits = Limits { record: 1 << 20, ..Limits::default() };
/// assert!(Limits::check("record", limits.record, 2 << 20).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// One record, framing included. 16 MiB.
    pub record: u64,
    /// One field of a record. 1 MiB; raise it for character large objects.
    pub field: u64,
    /// Fields of one record. 16,384.
    pub fields: u64,
    /// One memo or text node. 16 MiB.
    pub memo: u64,
    /// Nesting of XML and JSON. 128.
    pub depth: u64,
    /// Attributes of one XML element. 1,024.
    pub attributes: u64,
    /// One decompressed entry. 1 GiB for office containers; streams are bounded by ratio alone.
    pub inflated_entry: u64,
    /// All decompressed entries of one container. 2 GiB.
    pub inflated_total: u64,
    /// Inflated : deflated, looked at after the first MiB. 100 for containers.
    pub inflate_ratio: u64,
    /// Entries of one archive. 1,000.
    pub entries: u64,
    /// One framed message. 16 MiB.
    pub message: u64,
    /// Rows of one batch. 8,192.
    pub batch_rows: u64,
    /// Bytes of one batch, reached before the rows: the batch is cut. 8 MiB.
    pub batch_bytes: u64,
    /// Batches under way between source and sink. 4.
    pub batches_in_flight: u64,
    /// Raw bytes kept with one reject. 64 KiB.
    pub reject_raw: u64,
    /// Rejects after which the run stops as a storm. 1,000,000.
    pub rejects: u64,
    /// Rejects in a thousand records after which the run stops as a storm, looked at from the
    /// thousandth record on. 1,000 (never) unless the exchange declares a budget.
    pub rejects_per_mille: u64,
    /// What a pipeline may hold in memory. 128 MiB.
    pub memory: u64,
    /// Keys that rules hold: those that a run has seen, and once more as much for those of other datasets. 64 MiB.
    pub key_memory: u64,
}

impl Limits {
    /// Refuses `wanted` above `limit`, naming the limit.
    ///
    /// # Errors
    /// [`Kind::Limit`](crate::Kind::Limit) with code `core.limit`.
    pub fn check(name: &'static str, limit: u64, wanted: u64) -> Result<()> {
        if wanted > limit {
            return Err(Error::limit(name, limit, wanted));
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record: 16 << 20,
            field: 1 << 20,
            fields: 16_384,
            memo: 16 << 20,
            depth: 128,
            attributes: 1_024,
            inflated_entry: 1 << 30,
            inflated_total: 2 << 30,
            inflate_ratio: 100,
            entries: 1_000,
            message: 16 << 20,
            batch_rows: 8_192,
            batch_bytes: 8 << 20,
            batches_in_flight: 4,
            reject_raw: 64 << 10,
            rejects: 1_000_000,
            rejects_per_mille: 1_000,
            memory: 128 << 20,
            key_memory: 64 << 20,
        }
    }
}
