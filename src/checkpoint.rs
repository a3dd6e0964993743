//! What has to be known to go on where a run stopped.

use std::collections::BTreeMap;

use fenhe_core::{ControlTotal, Position, Result};
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::pump::Flow;
use crate::reasons::Reason;
use crate::totals::Column;

const ADAPTER: &str = "fenhe";
const VERSION: u16 = 1;

/// The state of a delivery after a commit, refusals of the target taken off. With a watermark sink it is the position
/// that is stored in the transaction of the rows ([`Writer::mark`](fenhe_core::Writer::mark)); otherwise it is in the
/// ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Identifies source content, flow and configuration.
    pub delivery: String,
    /// Digest of what was configured.
    pub plan: String,
    /// Fingerprint of the source, empty when it has none.
    pub source: String,
    /// Batches done.
    pub batch: u64,
    /// Where the source goes on.
    pub at: Option<Position>,
    /// Records read up to here.
    pub read: u64,
    /// Records skipped up to here.
    pub skipped: u64,
    /// Rows in doubt up to the commit before.
    pub in_doubt: u64,
    /// Rejects by code.
    pub rejected: BTreeMap<String, u64>,
    /// The same rejects by field and fault, for people.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Column totals over the rows given to the target and not refused by it.
    pub columns: Vec<Column>,
    /// Sum of the digests of these rows, where digests are taken.
    #[serde(default)]
    pub rows: Option<String>,
    /// What the source says about its totals, known when it is complete.
    #[serde(default)]
    pub declared: Vec<ControlTotal>,
    /// The source reached its true end and everything is delivered.
    pub complete: bool,
}

impl Checkpoint {
    /// As the position of a batch.
    ///
    /// # Errors
    /// As [`Position::new`].
    pub fn position(&self) -> Result<Position> {
        Position::new(ADAPTER, VERSION, self)
    }

    /// Back from the position of a batch.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) when something else than this engine wrote it.
    pub fn from_position(position: &Position) -> Result<Self> {
        position.read(ADAPTER, VERSION).map_err(|error| {
            error.hint("another program writes under the same name: give this exchange another one")
        })
    }
}

impl Checkpoint {
    /// The books up to here.
    pub(crate) fn books(&self) -> Books {
        let lost: u64 = self.rejected.values().sum::<u64>() + self.skipped + self.in_doubt;
        Books {
            read: self.read,
            delivered: self.read.saturating_sub(lost),
            rejected: self.rejected.clone(),
            skipped: self.skipped,
            in_doubt: self.in_doubt,
        }
    }

    /// The state before the first batch of a flow.
    pub(crate) fn first(flow: &Flow) -> Self {
        Self {
            delivery: String::new(),
            plan: flow.plan.clone(),
            source: flow.source.fingerprint.clone(),
            batch: 0,
            at: None,
            read: 0,
            skipped: 0,
            in_doubt: 0,
            rejected: BTreeMap::new(),
            reasons: Vec::new(),
            columns: Vec::new(),
            rows: None,
            declared: Vec::new(),
            complete: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_travels_as_a_position() {
        let checkpoint = Checkpoint {
            delivery: "d".into(),
            plan: "p".into(),
            source: "s".into(),
            batch: 7,
            at: Some(Position::new("t", 1, &7).unwrap()),
            read: 7,
            skipped: 0,
            in_doubt: 0,
            rejected: BTreeMap::new(),
            reasons: vec![],
            columns: vec![],
            rows: None,
            declared: vec![],
            complete: false,
        };
        let position = checkpoint.position().unwrap();
        assert_eq!(Checkpoint::from_position(&position).unwrap(), checkpoint);
    }
}
