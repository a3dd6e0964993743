//! What a target was given for a delivery: its own rows, and those of the replays of its rejects.

use fenhe_core::{Error, Kind, Result};
use fenhe_ledger::{Ledger, ROWS_FORM, RowSet};
use serde::{Deserialize, Serialize};

use crate::receipt::{FlowReceipt, RowsProof};
use crate::totals::{Column, add_digits};

/// What a replay of rejects brought, as its own receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// The delivery that the replay is.
    pub delivery: String,
    /// Rows that the target made durable.
    pub delivered: u64,
    /// Null counts and sums over them.
    pub columns: Vec<Column>,
    /// Digest over them, where one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsProof>,
}

/// Figures over all rows that a target was given for a delivery and did not refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Rows.
    pub rows: u64,
    /// Null counts and sums.
    pub columns: Vec<Column>,
    /// Digest, where every part has one.
    pub digest: Option<String>,
}

/// The replays of a delivery, and whether each has a receipt: one of a run that died has none, but may have rows.
pub(crate) fn replays_of(ledger: &Ledger, delivery: &str) -> Result<(Vec<Replayed>, bool)> {
    let (mut replays, mut all) = (Vec::new(), true);
    for delivery in ledger.replays_of(delivery)? {
        match ledger.flow_of(&delivery)? {
            None => all = false,
            Some(text) => {
                let receipt: FlowReceipt = serde_json::from_str(&text).map_err(|cause| {
                    Error::new(Kind::Invalid, "receipt.shape", "the receipt of a replay is damaged")
                        .source_name(ledger.path().display().to_string())
                        .hint("fenhe verify on the ledger says what is wrong with it")
                        .caused_by(cause)
                })?;
                replays.push(Replayed {
                    delivery,
                    delivered: receipt.books.delivered,
                    columns: receipt.columns,
                    rows: receipt.rows,
                });
            }
        }
    }
    Ok((replays, all))
}

impl FlowReceipt {
    /// What the target was given: the rows of this delivery and those of the replays that the receipt knows.
    pub fn sent(&self) -> Sent {
        self.sent_with(&self.replays)
    }

    /// The same with these replays.
    pub(crate) fn sent_with(&self, replays: &[Replayed]) -> Sent {
        let mut sent = Sent {
            rows: self.books.delivered,
            columns: self.columns.clone(),
            digest: digest_of(self.rows.as_ref()).map(|rows| rows.to_string()),
        };
        for replay in replays.iter().filter(|replay| replay.delivered > 0) {
            sent.rows += replay.delivered;
            for column in &mut sent.columns {
                let other = replay.columns.iter().find(|other| other.name == column.name);
                column.nulls += other.map_or(0, |other| other.nulls);
                let theirs = other.and_then(|other| other.sum.as_deref());
                column.sum = column.sum.as_deref().zip(theirs).and_then(|(a, b)| add_digits(a, b));
            }
            let ours = sent.digest.as_deref().and_then(RowSet::parse);
            let both = ours.zip(digest_of(replay.rows.as_ref())).map(|(mut ours, theirs)| {
                ours.plus(&theirs);
                ours.to_string()
            });
            sent.digest = both;
        }
        sent
    }
}

fn digest_of(rows: Option<&RowsProof>) -> Option<RowSet> {
    rows.filter(|rows| rows.form == ROWS_FORM).and_then(|rows| RowSet::parse(&rows.digest))
}
