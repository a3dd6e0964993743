//! The tables of the ledger against its own receipts.

mod delivery;

use std::collections::BTreeMap;

use fenhe_core::Result;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::Ledger;

/// What the tables of a ledger say otherwise than its receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// What differs, in words.
    pub findings: Vec<String>,
    /// What could not be compared: the run that wrote it last left no receipt.
    pub open: Vec<String>,
}

/// What one receipt says about one delivery.
#[derive(Clone, Debug)]
struct Said {
    sequence: u64,
    run: String,
    flow: Value,
}

/// What the receipts say, by delivery.
type Receipts = BTreeMap<String, Vec<Said>>;

impl Ledger {
    /// Compares every delivery with the receipt of the run that wrote it last: counts, rejects by code, batches, row index,
    /// digest, position, and whether the equation holds. Contents that no receipt has a figure for (the bytes of a
    /// reject, a key) are not covered.
    ///
    /// # Errors
    /// Those of the file.
    pub fn audit(&self) -> Result<Audit> {
        self.reading(|c| {
            // One state of all tables, whoever writes meanwhile.
            let c = c.unchecked_transaction()?;
            let mut audit = Audit::default();
            let receipts = receipts(&c, &mut audit)?;
            gone(&c, &receipts, &mut audit)?;
            delivery::check(&c, &receipts, &mut audit)?;
            positions(&c, &receipts, &mut audit)?;
            Ok(audit)
        })
    }
}

impl Said {
    fn count(&self, pointer: &str) -> u64 {
        self.flow.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    fn text(&self, pointer: &str) -> &str {
        self.flow.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the source came to its end in that run.
    fn ended(&self) -> bool {
        matches!(self.text("/status"), "complete" | "incomplete")
    }

    /// Whether the run, or one before it, had a commit.
    fn committed(&self) -> bool {
        self.ended() || self.count("/books/read") > 0
    }
}

/// The receipts by delivery; each has its run in the ledger.
fn receipts(c: &Connection, audit: &mut Audit) -> rusqlite::Result<Receipts> {
    let mut all = Receipts::new();
    let mut select = c.prepare(
        "SELECT r.sequence, r.document, n.run, n.status, n.ended FROM receipt r LEFT JOIN run n ON n.run = r.run
         ORDER BY r.sequence",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let sequence = row.get::<_, i64>(0)?.cast_unsigned();
        let document: Value = serde_json::from_str(row.get_ref(1)?.as_str()?).unwrap_or_default();
        let of = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let (run, status, ended): (Option<String>, Option<String>, Option<String>) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        if run.is_none() {
            audit.findings.push(format!("run {} of receipt {sequence} is gone", of("run")));
        } else if status.as_deref() != Some(of("status")) || ended.as_deref() != Some(of("ended")) {
            audit
                .findings
                .push(format!("run {} ended otherwise than receipt {sequence} says", of("run")));
        }
        let flows = document.get("flows").and_then(Value::as_array).into_iter().flatten();
        for flow in flows {
            let said = Said { sequence, run: of("run").to_owned(), flow: flow.clone() };
            let delivery = said.text("/delivery").to_owned();
            if !delivery.is_empty() {
                all.entry(delivery).or_default().push(said);
            }
        }
    }
    Ok(all)
}

/// Deliveries that receipts know and the ledger does not.
fn gone(c: &Connection, receipts: &Receipts, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut known = c.prepare("SELECT EXISTS (SELECT 1 FROM delivery WHERE delivery = ?)")?;
    for (delivery, all) in receipts {
        // What an earlier ledger knew is delivered, and never was in this one.
        let ours = |said: &&Said| said.committed() && said.text("/status") != "already_delivered";
        if let Some(said) = all.iter().find(ours)
            && !known.query_row([delivery], |row| row.get::<_, bool>(0))?
        {
            let (flow, number) = (said.text("/flow"), said.sequence);
            audit.findings.push(format!("{flow}: delivery {delivery} of receipt {number} is gone"));
        }
    }
    Ok(())
}

/// Where pipelines stand, against the last receipt of each.
fn positions(c: &Connection, receipts: &Receipts, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut latest: BTreeMap<String, (&Said, String)> = BTreeMap::new();
    let mut select = c.prepare("SELECT pipeline, delivery, run FROM delivery")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (pipeline, delivery, run): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let said = receipts.get(&delivery).and_then(|all| all.iter().find(|said| said.run == run));
        // Rows in doubt have no position.
        let Some(said) = said.filter(|s| s.committed() && s.count("/books/in_doubt") == 0) else {
            continue;
        };
        let before = latest.get(&pipeline).map(|(said, _)| said.sequence);
        if before.is_none_or(|before| before < said.sequence) {
            latest.insert(pipeline, (said, delivery));
        }
    }
    for (pipeline, (said, delivery)) in latest {
        let position = c
            .prepare_cached(
                "SELECT p.delivery, p.batch, p.checkpoint, d.run FROM position p
                 LEFT JOIN delivery d ON d.delivery = p.delivery WHERE p.pipeline = ?",
            )?
            .query_row([&pipeline], |row| {
                let checkpoint: String = row.get(2)?;
                let run: Option<String> = row.get(3)?;
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, checkpoint, run))
            })
            .optional()?;
        let Some((at, batch, checkpoint, run)) = position else {
            audit.findings.push(format!("{pipeline}: its position is gone"));
            continue;
        };
        if at == delivery {
            let checkpoint: Value = serde_json::from_str(&checkpoint).unwrap_or_default();
            stands(&pipeline, said, &checkpoint, batch.cast_unsigned(), audit);
            continue;
        }
        // A run that died may have begun another delivery since.
        let closed = |run: &String| {
            receipts.get(&at).is_some_and(|all| all.iter().any(|said| said.run == *run))
        };
        if run.as_ref().is_none_or(closed) {
            let what =
                format!("{pipeline}: its position is that of delivery {at}, not of {delivery}");
            audit.findings.push(what);
        }
    }
    Ok(())
}

fn stands(pipeline: &str, said: &Said, checkpoint: &Value, batch: u64, audit: &mut Audit) {
    let same = |ours: Option<&Value>, theirs: Option<&Value>| {
        let empty = |value: &&Value| !value.is_null();
        ours.filter(empty) == theirs.filter(empty)
    };
    let pairs = [
        ("/delivery", "/delivery"),
        ("/read", "/books/read"),
        ("/skipped", "/books/skipped"),
        ("/rejected", "/books/rejected"),
        ("/columns", "/columns"),
        ("/rows", "/rows/digest"),
    ];
    let mut wrong: Vec<&str> = Vec::new();
    for (ours, theirs) in pairs {
        if !same(checkpoint.pointer(ours), said.flow.pointer(theirs)) {
            wrong.push(ours.trim_start_matches('/'));
        }
    }
    if checkpoint.pointer("/complete").and_then(Value::as_bool) != Some(said.ended()) {
        wrong.push("complete");
    }
    if checkpoint.pointer("/batch").and_then(Value::as_u64) != Some(batch) {
        wrong.push("batch");
    }
    if !wrong.is_empty() {
        let (what, number) = (wrong.join(", "), said.sequence);
        audit
            .findings
            .push(format!("{pipeline}: its position differs from receipt {number}: {what}"));
    }
}
