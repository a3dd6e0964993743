//! Everything that is asked of the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_core::{Fault, Raw, Reject, Result, Source};
use rusqlite::{OptionalExtension, Row, params};

use super::{Delivery, Ledger};

/// A receipt of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// Number in the chain.
    pub sequence: u64,
    /// Its run.
    pub run: String,
    /// The file, with the line feed that the column leaves out.
    pub document: String,
}

/// A rejected record that nobody has delivered since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReject {
    /// Name of the flow.
    pub flow: String,
    /// The delivery that it belongs to.
    pub delivery: String,
    /// The record, as the last attempt left it.
    pub reject: Reject,
    /// What it was rejected as at first, where it was sent again in vain since.
    pub first: Option<Reject>,
}

/// The books of one delivery, with what replays took off them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryBooks {
    /// Records read.
    pub read: u64,
    /// Rows delivered by the delivery itself.
    pub delivered: u64,
    /// Records rejected by it.
    pub rejected: u64,
    /// Of these: delivered since by replays.
    pub replayed: u64,
    /// Records skipped.
    pub skipped: u64,
    /// Rows in doubt.
    pub in_doubt: u64,
}

impl DeliveryBooks {
    /// Whether every record is accounted for.
    pub fn balance(&self) -> bool {
        self.read == self.delivered + self.rejected + self.skipped + self.in_doubt
            && self.replayed <= self.rejected
    }

    /// Rejects that are still open.
    pub fn open(&self) -> u64 {
        self.rejected.saturating_sub(self.replayed)
    }
}

/// The rows of one batch, as [`Ledger::rows`] hands them out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchRows {
    /// Number of the batch.
    pub batch: u64,
    /// Record number of each row.
    pub records: Vec<u64>,
    /// The kept part of the digest of each row.
    pub digests: Vec<[u8; 16]>,
    /// Encoded key of each row, empty when there is none.
    pub keys: Vec<Vec<u8>>,
}

impl Ledger {
    /// The last checkpoint of a pipeline, as JSON.
    ///
    /// # Errors
    /// Those of the file.
    pub fn position(&self, pipeline: &str) -> Result<Option<String>> {
        self.reading(|c| {
            c.query_row("SELECT checkpoint FROM position WHERE pipeline = ?", [pipeline], |row| {
                row.get(0)
            })
            .optional()
        })
    }

    /// The last receipt of the chain.
    ///
    /// # Errors
    /// Those of the file.
    pub fn last_receipt(&self) -> Result<Option<StoredReceipt>> {
        self.reading(|c| {
            c.query_row(
                "SELECT sequence, run, document FROM receipt ORDER BY sequence DESC LIMIT 1",
                [],
                receipt,
            )
            .optional()
        })
    }

    /// All receipts in the order of the chain.
    ///
    /// # Errors
    /// Those of the file.
    pub fn receipts(&self) -> Result<Vec<StoredReceipt>> {
        self.reading(|c| {
            c.prepare("SELECT sequence, run, document FROM receipt ORDER BY sequence")?
                .query_map([], receipt)?
                .collect()
        })
    }

    /// Receipts whose columns do not repeat what their document says.
    ///
    /// # Errors
    /// Those of the file.
    pub fn receipts_at_odds(&self) -> Result<Vec<u64>> {
        self.reading(|c| {
            c.prepare(
                "SELECT sequence FROM receipt WHERE body IS NOT json_remove(document, '$.seal')
                   OR hash IS NOT document ->> '$.seal.hash' OR previous IS NOT document ->> '$.chain.previous'
                   OR sequence IS NOT document ->> '$.chain.sequence' OR algorithm IS NOT document ->> '$.chain.algorithm'
                   OR run IS NOT document ->> '$.run'",
            )?
            .query_map([], |row| count(row, 0))?
            .collect()
        })
    }

    /// What SQLite itself finds wrong with the file.
    ///
    /// # Errors
    /// Those of the file.
    pub fn damage(&self) -> Result<Vec<String>> {
        let found: Vec<String> = self.reading(|c| {
            c.prepare("PRAGMA integrity_check(10)")?.query_map([], |row| row.get(0))?.collect()
        })?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// A delivery by its name.
    ///
    /// # Errors
    /// Those of the file.
    pub fn delivery(&self, name: &str) -> Result<Option<Delivery>> {
        self.reading(|c| {
            c.query_row(
                "SELECT delivery, pipeline, flow, source, fingerprint, target, mode, key, columns, plan, replay_of, run
                 FROM delivery WHERE delivery = ?",
                [name],
                |row| {
                    let key: String = row.get(7)?;
                    let columns: String = row.get(8)?;
                    let columns: Vec<BTreeMap<String, String>> =
                        serde_json::from_str(&columns).unwrap_or_default();
                    let of = |c: &BTreeMap<String, String>, name: &str| {
                        c.get(name).cloned().unwrap_or_default()
                    };
                    Ok(Delivery {
                        delivery: row.get(0)?,
                        pipeline: row.get(1)?,
                        flow: row.get(2)?,
                        source: row.get(3)?,
                        fingerprint: row.get(4)?,
                        target: row.get(5)?,
                        mode: row.get(6)?,
                        key: serde_json::from_str(&key).unwrap_or_default(),
                        columns: columns.iter().map(|c| (of(c, "name"), of(c, "type"))).collect(),
                        plan: row.get(9)?,
                        replay_of: row.get(10)?,
                        run: row.get(11)?,
                    })
                },
            )
            .optional()
        })
    }

    /// The books of a delivery.
    ///
    /// # Errors
    /// Those of the file.
    pub fn books(&self, delivery: &str) -> Result<Option<DeliveryBooks>> {
        self.reading(|c| {
            c.query_row(
                "SELECT read, delivered, rejected, replayed, skipped, in_doubt FROM books WHERE delivery = ?",
                [delivery],
                |row| {
                    Ok(DeliveryBooks {
                        read: count(row, 0)?,
                        delivered: count(row, 1)?,
                        rejected: count(row, 2)?,
                        replayed: count(row, 3)?,
                        skipped: count(row, 4)?,
                        in_doubt: count(row, 5)?,
                    })
                },
            )
            .optional()
        })
    }

    /// Rejects by code that stand in the ledger for a delivery.
    ///
    /// # Errors
    /// Those of the file.
    pub fn rejected(&self, delivery: &str) -> Result<BTreeMap<String, u64>> {
        self.reading(|c| {
            c.prepare("SELECT code, count(*) FROM reject WHERE delivery = ? GROUP BY code")?
                .query_map([delivery], |row| Ok((row.get(0)?, count(row, 1)?)))?
                .collect()
        })
    }

    /// Rejects of a flow (of all flows if `None`) that nobody has delivered since, in the order of their records. A
    /// record that was replayed in vain comes with the fault of the last attempt. Where rows are written by key or as a
    /// whole, only the last delivery of a pipeline counts: it has taken the place of those before.
    ///
    /// # Errors
    /// Those of the file.
    pub fn open_rejects(&self, flow: Option<&str>) -> Result<Vec<OpenReject>> {
        self.reading(|c| {
            c.prepare(
                "SELECT o.flow, o.delivery, d.fingerprint,
                   r.record, r.line, r.byte_offset, r.byte_length, r.code, r.field, r.expected, r.found, r.also, r.adapter,
                   r.raw_is, r.raw, r.raw_cut, r.source, r.dataset,
                   f.record, f.line, f.byte_offset, f.byte_length, f.code, f.field, f.expected, f.found, f.also, f.adapter,
                   f.raw_is, f.raw, f.raw_cut, f.source, f.dataset
                 FROM open_reject o JOIN delivery d ON d.delivery = o.delivery JOIN reject r ON r.id = coalesce(
                   (SELECT max(n.id) FROM replay p JOIN reject n ON n.delivery = p.by AND n.record = p.record
                    WHERE p.delivery = o.delivery AND p.record = o.record), o.id)
                 LEFT JOIN reject f ON f.id = o.id AND f.id <> r.id
                 WHERE (?1 IS NULL OR o.flow = ?1) AND (d.mode = 'append' OR EXISTS
                   (SELECT 1 FROM position p WHERE p.pipeline = d.pipeline AND p.delivery = d.delivery))
                 ORDER BY o.flow, o.delivery, o.record, o.id",
            )?
            .query_map([flow], open_reject)?
            .collect()
        })
    }

    /// Hands out the rows of a delivery, a batch at a time.
    ///
    /// # Errors
    /// Those of the file.
    pub fn rows(&self, delivery: &str, mut each: impl FnMut(BatchRows)) -> Result<()> {
        self.reading(|c| {
            let mut select = c.prepare(
                "SELECT batch, first, records, digests, keys FROM row_index WHERE delivery = ? ORDER BY batch",
            )?;
            let mut rows = select.query(params![delivery])?;
            while let Some(row) = rows.next()? {
                each(unpacked(row)?);
            }
            Ok(())
        })
    }

    /// Whether rows of a delivery are kept one by one.
    ///
    /// # Errors
    /// Those of the file.
    pub fn keeps_rows(&self, delivery: &str) -> Result<bool> {
        self.reading(|c| {
            c.query_row(
                "SELECT EXISTS (SELECT 1 FROM row_index WHERE delivery = ? AND length(digests) > 0)",
                [delivery],
                |row| row.get(0),
            )
        })
    }

    /// Whether the key of every row of a delivery, and of the deliveries that sent its rejects again, is kept.
    ///
    /// # Errors
    /// Those of the file.
    pub fn keeps_keys(&self, delivery: &str) -> Result<bool> {
        self.reading(|c| {
            c.query_row(
                "SELECT NOT EXISTS (
                   SELECT 1 FROM delivery d JOIN batch b ON b.delivery = d.delivery
                   LEFT JOIN row_index i ON i.delivery = b.delivery AND i.batch = b.batch
                   WHERE (d.delivery = ?1 OR d.replay_of = ?1) AND b.rows > 0 AND i.keys IS NULL)",
                [delivery],
                |row| row.get(0),
            )
        })
    }

    /// Deliveries that sent rejects of this one again.
    ///
    /// # Errors
    /// Those of the file.
    pub fn replays_of(&self, delivery: &str) -> Result<Vec<String>> {
        self.reading(|c| {
            c.prepare("SELECT delivery FROM delivery WHERE replay_of = ? ORDER BY rowid")?
                .query_map([delivery], |row| row.get(0))?
                .collect()
        })
    }

    /// What the receipt of the run that wrote a delivery last says about it, as JSON; `None` when that run left no
    /// receipt.
    ///
    /// # Errors
    /// Those of the file.
    pub fn flow_of(&self, delivery: &str) -> Result<Option<String>> {
        self.reading(|c| {
            c.query_row(
                "SELECT f.value FROM delivery d JOIN receipt r ON r.run = d.run, json_each(r.document, '$.flows') f
                 WHERE d.delivery = ?1 AND f.value ->> '$.delivery' = ?1",
                [delivery],
                |row| row.get(0),
            )
            .optional()
        })
    }

    /// The configuration that the last run was started with.
    ///
    /// # Errors
    /// Those of the file.
    pub fn configuration(&self) -> Result<Option<String>> {
        self.reading(|c| {
            c.query_row(
                "SELECT configuration FROM run WHERE configuration <> '' ORDER BY rowid DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()
        })
    }
}

pub(super) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or_default())
}

fn receipt(row: &Row<'_>) -> rusqlite::Result<StoredReceipt> {
    let mut document: String = row.get(2)?;
    document.push('\n');
    Ok(StoredReceipt { sequence: count(row, 0)?, run: row.get(1)?, document })
}

fn open_reject(row: &Row<'_>) -> rusqlite::Result<OpenReject> {
    let first = match row.get::<_, Option<i64>>(18)? {
        Some(_) => Some(reject(row, 18)?),
        None => None,
    };
    Ok(OpenReject { flow: row.get(0)?, delivery: row.get(1)?, reject: reject(row, 3)?, first })
}

/// The reject whose columns begin here; the fingerprint is that of the delivery.
fn reject(row: &Row<'_>, at: usize) -> rusqlite::Result<Reject> {
    let text = |column: usize| row.get::<_, String>(at + column);
    let fault = Fault::new(text(4)?, text(5)?, text(6)?, text(7)?);
    let source = Source { name: text(13)?, fingerprint: row.get(2)? };
    let mut reject = Reject::new(fault)
        .at(count(row, at)?, count(row, at + 2)?, count(row, at + 3)?)
        .raw_bytes(row.get_ref(at + 11)?.as_blob().unwrap_or_default(), u64::MAX)
        .from_source(&Arc::new(source))
        .by(text(9)?)
        .and(serde_json::from_str::<Vec<Fault>>(&text(8)?).unwrap_or_default());
    reject.line = row.get::<_, Option<i64>>(at + 1)?.and_then(|n| u64::try_from(n).ok());
    reject.raw_is = match text(10)?.as_str() {
        "row" => Raw::Row,
        "target" => Raw::Target,
        _ => Raw::Source,
    };
    reject.raw_cut = row.get(at + 12)?;
    reject.dataset = text(14)?;
    Ok(reject)
}

fn unpacked(row: &Row<'_>) -> rusqlite::Result<BatchRows> {
    let first = count(row, 1)?;
    let digests: Vec<[u8; 16]> = row
        .get_ref(3)?
        .as_blob()
        .unwrap_or_default()
        .chunks_exact(16)
        .filter_map(|part| part.try_into().ok())
        .collect();
    let records = match row.get_ref(2)?.as_blob_or_null()? {
        None => (first..).take(digests.len()).collect(),
        Some(distances) => distances
            .chunks_exact(4)
            .filter_map(|part| part.try_into().ok())
            .map(|part| first.saturating_add(u64::from(u32::from_le_bytes(part))))
            .collect(),
    };
    let keys = unpack_keys(row.get_ref(4)?.as_blob_or_null()?.unwrap_or_default());
    Ok(BatchRows { batch: count(row, 0)?, records, digests, keys })
}

/// The keys out of what [`RowEncoder::packed`](crate::RowEncoder::packed) wrote.
pub fn unpack_keys(mut packed: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    while let Some((length, after)) = packed.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((key, after)) = after.split_at_checked(length) else { break };
        keys.push(key.to_vec());
        packed = after;
    }
    keys
}
