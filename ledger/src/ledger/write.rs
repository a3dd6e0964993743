//! Everything that is put into the ledger.

use fenhe_core::{Error, Kind, Raw, Reject, Result};
use rusqlite::{Transaction, params};
use serde_json::Value;

use super::{Delivery, Ledger, Planned, PlannedBatch, RowIndex, Run, Settled, State};
use crate::algorithm::Algorithm;
use crate::seal::{Chain, check, seal};
use crate::sign::Signer;

/// What of a row's digest is kept: enough that nobody finds a second row for it.
const KEPT: usize = 16;

impl Ledger {
    /// Notes that a run has begun.
    ///
    /// # Errors
    /// Those of the file, which end the run.
    pub fn begin(&self, run: &Run) -> Result<()> {
        self.writing(|t| {
            t.prepare_cached(
                "INSERT INTO run (run, exchange, configuration, tool, started) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![run.run, run.exchange, run.configuration, run.tool, run.started])
            .map(drop)
        })
    }

    /// Notes that a delivery begins or goes on after the last batch of `from`: later batches go back to the source with
    /// their rejects, earlier ones that were planned count as delivered, because the target or the last
    /// position says so. Counts and position become those of `from`. Returns the batches whose fate nobody knows.
    ///
    /// # Errors
    /// Those of the file.
    pub fn resume(&self, delivery: &Delivery, from: &Settled) -> Result<Vec<PlannedBatch>> {
        let upto = signed(from.upto);
        self.writing(|t| {
            upsert_delivery(t, delivery)?;
            let name = &delivery.delivery;
            let doubtful = unsettled_after(t, name, upto)?;
            t.execute(
                "UPDATE batch SET state = 'delivered' WHERE delivery = ? AND batch <= ? AND state <> 'delivered'",
                params![name, upto],
            )?;
            for table in ["batch", "reject", "row_index"] {
                let delete = format!("DELETE FROM {table} WHERE delivery = ? AND batch > ?");
                t.execute(&delete, params![name, upto])?;
            }
            if upto == 0 {
                t.execute("DELETE FROM replay WHERE delivery = ?", [name])?;
            }
            settle(t, from)?;
            Ok(doubtful)
        })
    }

    /// Writes batches and rejects; on disk before the target commits them.
    ///
    /// # Errors
    /// Those of the file, which end the run.
    pub fn plan(&self, planned: &Planned<'_>, settled: Option<&Settled>) -> Result<()> {
        self.writing(|t| {
            if let Some(settled) = settled {
                settle(t, settled)?;
            }
            for batch in planned.batches {
                plan_batch(t, planned, batch)?;
            }
            for (batch, reject) in planned.rejects {
                put_reject(t, planned.delivery, *batch, reject)?;
            }
            Ok(())
        })
    }

    /// Writes what became of the planned batches, and the refusals that came with it.
    ///
    /// # Errors
    /// Those of the file, which end the run.
    pub fn settle(&self, settled: &Settled, rejects: &[(u64, Reject)]) -> Result<()> {
        self.writing(|t| {
            settle(t, settled)?;
            for (batch, reject) in rejects {
                put_reject(t, &settled.delivery, *batch, reject)?;
            }
            Ok(())
        })
    }

    /// Replaces what is known of the rows of a batch, after the target refused some of them at the commit.
    ///
    /// # Errors
    /// Those of the file.
    pub fn correct(&self, planned: &Planned<'_>, state: State) -> Result<()> {
        self.writing(|t| {
            for batch in planned.batches {
                plan_batch(t, planned, batch)?;
                t.execute(
                    "UPDATE batch SET state = ? WHERE delivery = ? AND batch = ?",
                    params![state.name(), planned.delivery, signed(batch.batch)],
                )?;
            }
            Ok(())
        })
    }

    /// Notes which records of another delivery this one sends again.
    ///
    /// # Errors
    /// Those of the file.
    pub fn replaying(&self, original: &str, records: &[u64], by: &str) -> Result<()> {
        self.writing(|t| {
            let mut insert = t.prepare_cached(
                "INSERT OR IGNORE INTO replay (delivery, record, by) VALUES (?, ?, ?)",
            )?;
            for record in records {
                insert.execute(params![original, signed(*record), by])?;
            }
            Ok(())
        })
    }

    /// Puts a receipt at the end of the chain, and notes the end of its run. Returns the document to be written.
    ///
    /// # Errors
    /// Those of the file; [`Kind::Invalid`] with code `ledger.chain` when the last receipt is not sound: a chain
    /// is not continued over a break.
    pub fn close(
        &self,
        run: &str,
        ended: &str,
        status: &str,
        receipt: Value,
        algorithm: Algorithm,
        signer: Option<&Signer>,
    ) -> Result<Vec<u8>> {
        let chain = self.next_link(algorithm)?;
        let document = seal(receipt, chain, signer)?;
        let checked = check(&document)?;
        let mut body = checked.receipt;
        if let Some(object) = body.as_object_mut() {
            object.remove("seal");
        }
        let body = text(serde_json_canonicalizer::to_vec(&body).unwrap_or_default())?;
        let stored = text(document.strip_suffix(b"\n").unwrap_or(&document).to_vec())?;
        let chain = checked.chain;
        self.writing(|t| {
            t.execute(
                "INSERT INTO receipt (sequence, run, algorithm, previous, hash, body, document) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    signed(chain.sequence),
                    run,
                    chain.algorithm.to_string(),
                    chain.previous,
                    checked.hash,
                    body,
                    stored
                ],
            )?;
            t.execute("UPDATE run SET ended = ?, status = ? WHERE run = ?", params![ended, status, run])
                .map(drop)
        })?;
        Ok(document)
    }

    fn next_link(&self, algorithm: Algorithm) -> Result<Chain> {
        let Some(last) = self.last_receipt()? else {
            return Ok(Chain::first(algorithm));
        };
        let last = check(last.document.as_bytes()).map_err(|cause| {
            Error::new(Kind::Invalid, "ledger.chain", "the last receipt of the ledger is not sound")
                .source_name(self.path.display().to_string())
                .hint("find out what changed it (fenhe verify), and begin another ledger")
                .caused_by(cause)
        })?;
        let old = last.chain.algorithm;
        Ok(Chain {
            sequence: last.chain.sequence.saturating_add(1),
            algorithm,
            previous: last.hash,
            switched_from: (old != algorithm).then_some(old),
            signer: None,
        })
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Internal, "receipt.json", "the receipt is not UTF-8"))
}

/// SQLite's integers have 63 bits and a sign; no count comes near.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn upsert_delivery(t: &Transaction<'_>, d: &Delivery) -> rusqlite::Result<()> {
    let columns: Vec<_> =
        d.columns.iter().map(|(n, k)| serde_json::json!({"name": n, "type": k})).collect();
    t.execute(
        "INSERT INTO delivery (delivery, pipeline, flow, source, fingerprint, target, mode, key, columns, plan, replay_of, run)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (delivery) DO UPDATE SET run = excluded.run, target = excluded.target, mode = excluded.mode,
           key = excluded.key, columns = excluded.columns",
        params![
            d.delivery,
            d.pipeline,
            d.flow,
            d.source,
            d.fingerprint,
            d.target,
            d.mode,
            serde_json::json!(d.key).to_string(),
            Value::from(columns).to_string(),
            d.plan,
            d.replay_of,
            d.run
        ],
    )
    .map(drop)
}

fn unsettled_after(
    t: &Transaction<'_>,
    delivery: &str,
    upto: i64,
) -> rusqlite::Result<Vec<PlannedBatch>> {
    let mut select = t.prepare_cached(
        "SELECT batch, first, read, skipped, rows, digest, at FROM batch
         WHERE delivery = ? AND batch > ? AND state <> 'delivered' ORDER BY batch",
    )?;
    let rows = select.query_map(params![delivery, upto], |row| {
        let count = |at: usize| row.get::<_, i64>(at).map(|n| n.cast_unsigned());
        Ok(PlannedBatch {
            batch: count(0)?,
            first: count(1)?,
            read: count(2)?,
            skipped: count(3)?,
            rows: count(4)?,
            digest: row
                .get::<_, Option<String>>(5)?
                .and_then(|text| crate::rows::RowSet::parse(&text)),
            at: row.get(6)?,
            index: None,
        })
    })?;
    rows.collect()
}

fn plan_batch(
    t: &Transaction<'_>,
    planned: &Planned<'_>,
    batch: &PlannedBatch,
) -> rusqlite::Result<()> {
    t.prepare_cached(
        "INSERT OR REPLACE INTO batch (delivery, batch, run, first, read, skipped, rows, digest, at, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned')",
    )?
    .execute(params![
        planned.delivery,
        signed(batch.batch),
        planned.run,
        signed(batch.first),
        signed(batch.read),
        signed(batch.skipped),
        signed(batch.rows),
        batch.digest.map(|digest| digest.to_string()),
        batch.at
    ])?;
    match &batch.index {
        Some(index) => put_index(t, planned.delivery, batch.batch, index),
        None => Ok(()),
    }
}

fn put_index(
    t: &Transaction<'_>,
    delivery: &str,
    batch: u64,
    index: &RowIndex,
) -> rusqlite::Result<()> {
    let first = index.records.first().copied().unwrap_or_default();
    let gapless = index.records.iter().zip(first..).all(|(record, expected)| *record == expected);
    let distance = |record: &u64| u32::try_from(record.saturating_sub(first)).unwrap_or(u32::MAX);
    let records: Option<Vec<u8>> = (!gapless)
        .then(|| index.records.iter().flat_map(|record| distance(record).to_le_bytes()).collect());
    let mut digests = Vec::with_capacity(index.hashes.len() * KEPT);
    for hash in index.hashes.iter() {
        digests.extend_from_slice(hash.get(..KEPT).unwrap_or_default());
    }
    t.prepare_cached(
        "INSERT OR REPLACE INTO row_index (delivery, batch, first, records, digests, keys) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![delivery, signed(batch), signed(first), records, digests, index.keys])
    .map(drop)
}

fn put_reject(t: &Transaction<'_>, delivery: &str, batch: u64, r: &Reject) -> rusqlite::Result<()> {
    let raw_is = match r.raw_is {
        Raw::Source => "source",
        Raw::Row => "row",
        Raw::Target => "target",
    };
    let also = serde_json::to_string(&r.also).unwrap_or_default();
    t.prepare_cached(
        "INSERT INTO reject (delivery, batch, source, dataset, record, line, byte_offset, byte_length, code, field,
           expected, found, also, adapter, raw_is, raw, raw_cut) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        delivery,
        signed(batch),
        r.source.name,
        r.dataset,
        signed(r.record),
        r.line.map(signed),
        signed(r.offset),
        signed(r.length),
        r.fault.code,
        r.fault.field,
        r.fault.expected,
        r.fault.found,
        also,
        r.adapter,
        raw_is,
        r.raw.as_ref(),
        r.raw_cut
    ])
    .map(drop)
}

fn settle(t: &Transaction<'_>, s: &Settled) -> rusqlite::Result<()> {
    t.prepare_cached(
        "UPDATE batch SET state = ? WHERE delivery = ? AND batch <= ? AND state = 'planned'",
    )?
    .execute(params![s.state.name(), s.delivery, signed(s.upto)])?;
    t.prepare_cached(
        "UPDATE delivery SET read = ?, delivered = ?, skipped = ?, in_doubt = ?, complete = ? WHERE delivery = ?",
    )?
    .execute(params![
        signed(s.read),
        signed(s.delivered),
        signed(s.skipped),
        signed(s.in_doubt),
        s.complete,
        s.delivery
    ])?;
    if let Some(checkpoint) = &s.checkpoint {
        t.prepare_cached(
            "INSERT OR REPLACE INTO position (pipeline, delivery, batch, checkpoint) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![s.pipeline, s.delivery, signed(s.upto), checkpoint])?;
    }
    Ok(())
}
