//! One delivery against the receipt of the run that wrote it last.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::super::read::{count, unpack_keys};
use super::{Audit, Receipts, Said};
use crate::rows::RowSet;

/// Checks all deliveries, in the order in which they began.
pub(super) fn check(
    c: &Connection,
    receipts: &Receipts,
    audit: &mut Audit,
) -> rusqlite::Result<()> {
    let mut select = c.prepare(
        "SELECT d.delivery, d.flow, d.run, d.read, d.delivered, d.skipped, d.in_doubt, d.complete, d.source, d.fingerprint,
           d.target, d.mode, d.key, d.plan, d.replay_of, n.run IS NOT NULL, n.ended FROM delivery d
         LEFT JOIN run n ON n.run = d.run ORDER BY d.rowid",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (delivery, flow, run): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let said = receipts.get(&delivery).and_then(|all| all.iter().find(|said| said.run == run));
        match said {
            Some(said) => {
                let mut one = Checked { c, delivery: &delivery, said, wrong: Vec::new() };
                one.check(row, receipts)?;
                let number = said.sequence;
                audit.findings.extend(one.wrong.into_iter().map(|what| {
                    format!("{flow}: delivery {delivery} differs from receipt {number}: {what}")
                }));
            }
            // Runs of a program that keeps books without receipts have no name.
            None if run.is_empty() => {}
            None if !row.get::<_, bool>(15)? || row.get::<_, Option<String>>(16)?.is_some() => {
                audit.findings.push(format!("{flow}: delivery {delivery}: the receipt of its run is gone"));
            }
            None => audit.open.push(format!(
                "{flow}: delivery {delivery}: its last run left no receipt, so it is compared with none"
            )),
        }
    }
    Ok(())
}

struct Checked<'a> {
    c: &'a Connection,
    delivery: &'a str,
    said: &'a Said,
    wrong: Vec<String>,
}

impl Checked<'_> {
    fn differs(&mut self, what: &str, ours: impl Into<Value>, theirs: impl Into<Value>) {
        let (ours, theirs) = (ours.into(), theirs.into());
        if ours != theirs {
            self.wrong.push(format!("{what} {ours}, not {theirs}"));
        }
    }

    fn check(&mut self, row: &Row<'_>, receipts: &Receipts) -> rusqlite::Result<()> {
        let said = self.said;
        let counts = [("read", 3), ("delivered", 4), ("skipped", 5), ("in_doubt", 6)];
        for (name, at) in counts {
            self.differs(name, count(row, at)?, said.count(&format!("/books/{name}")));
        }
        self.differs("complete", row.get::<_, bool>(7)?, said.ended());
        let names = [
            ("flow", 1, "/flow"),
            ("source", 8, "/source/name"),
            ("fingerprint", 9, "/source/fingerprint"),
            ("target", 10, "/target/name"),
            ("mode", 11, "/target/options/mode"),
            ("plan", 13, "/plan"),
            ("replay_of", 14, "/replay_of"),
        ];
        for (name, at, pointer) in names {
            let ours = row.get::<_, Option<String>>(at)?.unwrap_or_default();
            self.differs(name, ours, said.text(pointer));
        }
        let key: Vec<String> = serde_json::from_str(row.get_ref(12)?.as_str()?).unwrap_or_default();
        self.differs("key", key.join(","), said.text("/target/options/key"));
        let last = self.last_batch()?;
        let rejects = self.rejects(last)?;
        let total = count(row, 4)? + rejects + count(row, 5)? + count(row, 6)?;
        // Books that the receipt itself says do not balance are no news.
        if said.flow.pointer("/balanced") == Some(&json!(true)) && count(row, 3)? != total {
            self.wrong.push(format!(
                "read {} is not what became of the records: {total}",
                count(row, 3)?
            ));
        }
        let given = count(row, 3)?.saturating_sub(rejects).saturating_sub(count(row, 5)?);
        self.batches(last, count(row, 3)?, count(row, 5)?, given)?;
        self.index(last, !key.is_empty())?;
        self.replays(row, receipts)
    }

    /// The last batch whose fate is settled; later ones went back to the source with their rejects.
    fn last_batch(&self) -> rusqlite::Result<i64> {
        self.c.query_row(
            "SELECT coalesce(max(batch), 0) FROM batch WHERE delivery = ? AND state <> 'planned'",
            [self.delivery],
            |row| row.get(0),
        )
    }

    fn rejects(&mut self, last: i64) -> rusqlite::Result<u64> {
        let found: BTreeMap<String, u64> = self
            .c
            .prepare_cached(
                "SELECT code, count(*) FROM reject WHERE delivery = ? AND batch <= ? GROUP BY code",
            )?
            .query_map(params![self.delivery, last], |row| Ok((row.get(0)?, count(row, 1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let sum = found.values().sum();
        let said: BTreeMap<String, u64> = self
            .said
            .flow
            .pointer("/books/rejected")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(code, count)| (code.clone(), count.as_u64().unwrap_or_default()))
            .collect();
        let codes: std::collections::BTreeSet<&String> = found.keys().chain(said.keys()).collect();
        for code in codes {
            let of = |counts: &BTreeMap<String, u64>| counts.get(code).copied().unwrap_or_default();
            self.differs(&format!("rejects {code}"), of(&found), of(&said));
        }
        Ok(sum)
    }

    /// Counts and digest of the batches. `given`: rows that the target did not refuse.
    fn batches(&mut self, last: i64, read: u64, skipped: u64, given: u64) -> rusqlite::Result<()> {
        let mut select = self.c.prepare_cached(
            "SELECT read, skipped, rows, digest FROM batch WHERE delivery = ? AND batch <= ?",
        )?;
        let mut rows = select.query(params![self.delivery, last])?;
        let (mut sums, mut digest) = ([0_u64; 3], Some(RowSet::default()));
        while let Some(row) = rows.next()? {
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = sum.saturating_add(count(row, at)?);
            }
            let one = row.get_ref(3)?.as_str_or_null()?.and_then(RowSet::parse);
            digest = digest.zip(one).map(|(mut all, one)| {
                all.plus(&one);
                all
            });
        }
        let [of_read, of_skipped, of_rows] = sums;
        self.differs("records read of its batches", of_read, read);
        self.differs("records skipped of its batches", of_skipped, skipped);
        self.differs("rows of its batches", of_rows, given);
        let said = self.said.flow.pointer("/rows/digest").and_then(Value::as_str);
        if let Some(said) = said {
            let ours = digest.map_or_else(|| "missing".into(), |digest| digest.to_string());
            self.differs("digest of its batches", ours, said);
        }
        Ok(())
    }

    /// The row index against the digests of the batches: its half of the digests adds up to their half.
    fn index(&mut self, last: i64, keyed: bool) -> rusqlite::Result<()> {
        let any: Option<i64> = self
            .c
            .query_row("SELECT 1 FROM row_index WHERE delivery = ?", [self.delivery], |r| r.get(0))
            .optional()?;
        let each = self.said.flow.pointer("/rows/each") == Some(&json!(true));
        if any.is_none() && !each {
            return Ok(());
        }
        let mut select = self.c.prepare_cached(
            "SELECT b.batch, b.rows, b.digest, i.digests, i.keys, i.records, i.first FROM batch b
             LEFT JOIN row_index i ON i.delivery = b.delivery AND i.batch = b.batch
             WHERE b.delivery = ? AND b.batch <= ? AND b.rows > 0 ORDER BY b.batch",
        )?;
        let mut rows = select.query(params![self.delivery, last])?;
        let (mut missing, mut wrong) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let batch = count(row, 0)?;
            match row.get_ref(3)?.as_blob_or_null()? {
                None => missing.push(batch),
                // Taken away on purpose, and so that it shows.
                Some([]) => {}
                Some(digests) => {
                    if !sound(row, digests, keyed)? {
                        wrong.push(batch);
                    }
                }
            }
        }
        for (what, batches) in [("is gone", missing), ("does not fit its digest", wrong)] {
            if let [first, ..] = batches.as_slice() {
                let number = batches.len();
                self.wrong.push(format!(
                    "the row index of {number} batches {what}, first that of batch {first}"
                ));
            }
        }
        Ok(())
    }

    /// Whether a delivery was written after this replay of it: one that starts over forgets what was sent again.
    fn began_anew(&self, original: &str, receipts: &Receipts) -> rusqlite::Result<bool> {
        let run: Option<String> = self
            .c
            .query_row("SELECT run FROM delivery WHERE delivery = ?", [original], |r| r.get(0))
            .optional()?;
        let said = receipts.get(original).into_iter().flatten();
        let last =
            said.filter(|said| Some(&said.run) == run.as_ref()).map(|said| said.sequence).max();
        Ok(last.is_none_or(|last| last > self.said.sequence))
    }

    /// What it sent again, and what was sent again of it.
    fn replays(&mut self, row: &Row<'_>, receipts: &Receipts) -> rusqlite::Result<()> {
        let count_of = |sql| self.c.query_row(sql, [self.delivery], |row| count(row, 0));
        if let Some(original) = row.get::<_, Option<String>>(14)? {
            if self.said.ended() && !self.began_anew(&original, receipts)? {
                let sent = count_of("SELECT count(*) FROM replay WHERE by = ?")?;
                self.differs("records sent again", sent, self.said.count("/books/read"));
            }
            return Ok(());
        }
        let replayed = self.c.query_row(
            "SELECT replayed FROM books WHERE delivery = ?",
            [self.delivery],
            |row| count(row, 0),
        )?;
        let all = receipts.get(self.delivery).into_iter().flatten();
        let since = all.filter(|said| said.sequence >= self.said.sequence);
        let said = since.map(|said| said.count("/replayed")).max().unwrap_or_default();
        if replayed < said {
            self.wrong.push(format!("replayed {replayed}, not {said} or more"));
        }
        Ok(())
    }
}

fn sound(row: &Row<'_>, digests: &[u8], keyed: bool) -> rusqlite::Result<bool> {
    let rows = count(row, 1)?;
    let expected = row.get_ref(2)?.as_str_or_null()?.and_then(RowSet::parse);
    let (parts, rest) = digests.as_chunks::<16>();
    let sum = parts.iter().fold(0_u128, |sum, part| sum.wrapping_add(u128::from_le_bytes(*part)));
    let same = expected.is_none_or(|set| set.to_bytes().starts_with(&sum.to_le_bytes()));
    let keys = row.get_ref(4)?.as_blob_or_null()?;
    let keys = keys.map_or(!keyed, |keys| unpack_keys(keys).len() as u64 == rows);
    let records = row.get_ref(5)?.as_blob_or_null()?;
    let records = records.is_none_or(|records| records.len() as u64 == rows.saturating_mul(4));
    Ok(rest.is_empty() && parts.len() as u64 == rows && same && keys && records)
}
