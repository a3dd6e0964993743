//! A platform in memory: rows by key or in order, a watermark in the same "transaction", and faults on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fenhe::core::{
    Batch, Capability, Committed, Error, Exchange, Fault, Info, Kind, Position, Reject, Result,
    Retry, WriteMode, WriteRequest, Writer,
};

#[derive(Clone, Debug, Default)]
pub struct Platform {
    pub shared: Arc<Mutex<Shared>>,
    pub capability: Capability,
}

#[derive(Debug, Default)]
pub struct Shared {
    /// What is durable: rows as NDJSON, by key (or by number when appended).
    pub rows: BTreeMap<String, String>,
    pub watermark: Option<Position>,
    pub commits: u64,
    /// Batches taken, over all writers.
    pub writes: u64,
    pub fault: Option<Injected>,
    /// Ids that are refused, whatever else happens; known before the commit.
    pub refuses: Option<fn(usize) -> bool>,
    /// What happened, in order.
    pub events: Vec<String>,
}

/// A fault, by the number of the write or commit at which it happens.
#[derive(Clone, Debug)]
pub enum Injected {
    WriteFails(u64),
    CommitFails(u64),
    /// The rows are in, but nobody says so.
    CommitInDoubt(u64),
    /// A row goes missing without a word.
    LosesRow,
    /// Rows whose text contains this are refused; `true`: known before the commit.
    Refuses(&'static str, bool),
}

impl Platform {
    pub fn with_watermark() -> Self {
        let capability =
            Capability { append: true, upsert: true, watermark: true, ..Capability::default() };
        Self { capability, ..Self::default() }
    }

    pub fn plain() -> Self {
        let capability = Capability { append: true, upsert: true, ..Capability::default() };
        Self { capability, ..Self::default() }
    }

    pub fn inject(&self, fault: Option<Injected>) {
        self.shared.lock().unwrap().fault = fault;
    }

    pub fn refuse(&self, ids: fn(usize) -> bool) {
        self.shared.lock().unwrap().refuses = Some(ids);
    }

    pub fn rows(&self) -> Vec<String> {
        self.shared.lock().unwrap().rows.values().cloned().collect()
    }
}

#[async_trait]
impl Exchange for Platform {
    fn info(&self) -> Info {
        Info { scheme: "memory", version: "0", capability: self.capability }
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Open {
            platform: self.clone(),
            mode: request.mode,
            key: request.key,
            pending: Vec::new(),
            watermark: None,
            early: Vec::new(),
            late: Vec::new(),
        }))
    }
}

struct Open {
    platform: Platform,
    mode: WriteMode,
    key: Vec<String>,
    pending: Vec<(String, String)>,
    watermark: Option<Position>,
    early: Vec<Reject>,
    late: Vec<Reject>,
}

impl Open {
    fn commit_now(&mut self) -> Result<Committed> {
        let mut shared = self.platform.shared.lock().unwrap();
        shared.commits += 1;
        let (commits, fault) = (shared.commits, shared.fault.clone());
        if matches!(fault, Some(Injected::CommitFails(n)) if n == commits) {
            return Err(Error::new(Kind::Io, "memory.commit", "the commit failed"));
        }
        let mut rows = self.pending.len() as u64;
        for (key, row) in self.pending.drain(..) {
            let key = match self.mode {
                WriteMode::Append => format!("{:08}", shared.rows.len()),
                _ => key,
            };
            shared.rows.insert(key, row);
        }
        if self.platform.capability.watermark && self.watermark.is_some() {
            shared.watermark = self.watermark.take();
        }
        shared.events.push("commit".into());
        if matches!(fault, Some(Injected::CommitInDoubt(n)) if n == commits) {
            let error = Error::new(Kind::Timeout, "memory.timeout", "no answer");
            return Err(error.retry_advice(Retry::InDoubt));
        }
        if matches!(fault, Some(Injected::LosesRow)) {
            rows = rows.saturating_sub(1);
        }
        Ok(Committed { rows, rejects: std::mem::take(&mut self.late), ..Committed::default() })
    }
}

#[async_trait]
impl Writer for Open {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let (fault, refuses) = {
            let mut shared = self.platform.shared.lock().unwrap();
            shared.writes += 1;
            if matches!(shared.fault, Some(Injected::WriteFails(n)) if n == shared.writes) {
                return Err(Error::new(Kind::Io, "memory.write", "the write failed"));
            }
            (shared.fault.clone(), shared.refuses)
        };
        let lines = fenhe::ndjson::rows(&batch.records).unwrap();
        let numbers = batch.record_numbers();
        for (line, number) in String::from_utf8(lines).unwrap().lines().zip(numbers) {
            if let Some(Injected::Refuses(text, early)) = fault
                && line.contains(text)
            {
                let reject =
                    Reject::new(Fault::new("memory.refused", "", "another row", "this one"));
                let list = if early { &mut self.early } else { &mut self.late };
                list.push(reject.at(number, 0, 0));
                continue;
            }
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = row["id"].as_u64().and_then(|id| usize::try_from(id).ok()).unwrap_or_default();
            if refuses.is_some_and(|refuses| refuses(id)) {
                let fault = Fault::new("memory.refused", "", "another row", "this one");
                self.early.push(Reject::new(fault).at(number, 0, 0));
                continue;
            }
            let key: Vec<String> = self.key.iter().map(|name| row[name].to_string()).collect();
            self.pending.push((key.join("|"), line.to_owned()));
        }
        self.watermark = Some(batch.position.clone());
        Ok(())
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.early)
    }

    fn mark(&mut self, position: &Position) {
        if self.watermark.is_some() {
            self.watermark = Some(position.clone());
        }
    }

    async fn commit(&mut self) -> Result<Committed> {
        self.commit_now()
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        Ok(self.platform.shared.lock().unwrap().watermark.clone())
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        self.commit_now()
    }
}
