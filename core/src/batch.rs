//! The one item type that moves between adapters and the engine.

use arrow_array::RecordBatch;

use crate::{Error, Kind, Position, Reject, Result};

/// Which records of the source a batch accounts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// Number of the first record, from 1.
    pub first: u64,
    /// Records read: rows, rejects and skipped ones together.
    pub read: u64,
    /// Records passed over by a rule that the caller asked for (a deleted row, another record type).
    pub skipped: u64,
    /// Byte offset of the first record.
    pub offset: u64,
    /// Bytes covered.
    pub length: u64,
}

/// Rows, the records that could not become rows, and where the source stands after both.
///
/// The books of a batch balance: `span.read == rows + rejects + span.skipped`.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The rows.
    pub records: RecordBatch,
    /// The records of the same span that did not become rows, in source order.
    pub rejects: Vec<Reject>,
    /// Where to go on after this batch.
    pub position: Position,
    /// What was read for this batch.
    pub span: Span,
    /// Source record number of each row. `None`: the numbers of the span that are no rejects, in order
    /// (right whenever nothing was skipped).
    pub ordinals: Option<Vec<u64>>,
}

impl Batch {
    /// A batch whose books balance and that skipped nothing.
    ///
    /// # Errors
    /// [`Kind::Internal`] with code `core.books` when the counts do not add up: an adapter's defect.
    pub fn new(
        records: RecordBatch,
        rejects: Vec<Reject>,
        span: Span,
        position: Position,
    ) -> Result<Self> {
        Self { records, rejects, position, span, ordinals: None }.balanced()
    }

    /// A batch that says for each row which record of the source it was.
    ///
    /// # Errors
    /// As [`new`](Self::new); also when there is not one number a row.
    pub fn with_ordinals(
        records: RecordBatch,
        rejects: Vec<Reject>,
        span: Span,
        position: Position,
        ordinals: Vec<u64>,
    ) -> Result<Self> {
        Self { records, rejects, position, span, ordinals: Some(ordinals) }.balanced()
    }

    /// Rows of the batch.
    pub fn rows(&self) -> usize {
        self.records.num_rows()
    }

    /// The source record number (from 1) of each row.
    pub fn record_numbers(&self) -> Vec<u64> {
        if let Some(ordinals) = &self.ordinals {
            return ordinals.clone();
        }
        let mut rejected = self.rejects.iter().map(|r| r.record).peekable();
        let end = self.span.first.saturating_add(self.span.read);
        (self.span.first..end)
            .filter(|number| rejected.next_if_eq(number).is_none())
            .take(self.rows())
            .collect()
    }

    fn balanced(self) -> Result<Self> {
        let rows = self.records.num_rows() as u64;
        let counted = rows + self.rejects.len() as u64 + self.span.skipped;
        let numbered = match &self.ordinals {
            Some(ordinals) => ordinals.len() as u64 == rows,
            None => self.span.skipped == 0 || rows == 0,
        };
        if counted == self.span.read && numbered {
            return Ok(self);
        }
        Err(Error::new(
            Kind::Internal,
            "core.books",
            format!(
                "{} records read, but {rows} rows, {} rejects and {} skipped",
                self.span.read,
                self.rejects.len(),
                self.span.skipped
            ),
        )
        .at_record(self.span.first))
    }
}
