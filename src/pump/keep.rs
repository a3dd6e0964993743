//! What one target's batches leave behind: the file of rejects for people, and the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::Schema;
use fenhe_core::{Error, Kind, Reject, Result, WriteMode};
use fenhe_ledger::{Delivery, Ledger, Lock, Planned, PlannedBatch, Settled, State};

use super::{Control, Flow};
use crate::checkpoint::Checkpoint;
use crate::rejects::{Keep, RejectLog};
use crate::sent::{Replayed, replays_of};
use crate::types::type_name;

/// Raw bytes of rejects that are held before they are written without waiting for a commit.
const HELD: usize = 8 << 20;

/// The ledger of a flow, locked for it.
#[derive(Debug)]
pub(super) struct Book {
    ledger: Arc<Ledger>,
    _lock: Lock,
}

impl Book {
    pub(super) fn open(flow: &Flow) -> Result<Option<Self>> {
        let Some(path) = &flow.ledger else { return Ok(None) };
        let ledger = Arc::new(Ledger::open(path)?);
        let lock = ledger.lock(&flow.pipeline)?;
        Ok(Some(Self { ledger, _lock: lock }))
    }

    /// The last checkpoint that the ledger knows.
    pub(super) fn stands(&self, flow: &Flow) -> Result<Option<Checkpoint>> {
        let Some(text) = self.ledger.position(&flow.pipeline)? else { return Ok(None) };
        let checkpoint = serde_json::from_str(&text).map_err(|cause| {
            Error::new(Kind::Invalid, "ledger.checkpoint", "the position in the ledger is damaged")
                .source_name(self.ledger.path().display().to_string())
                .hint("run with --restart to deliver from the start")
                .caused_by(cause)
        })?;
        Ok(Some(checkpoint))
    }

    /// Rejects of a delivery that replays have delivered since, and what each of these brought.
    pub(super) fn replayed(&self, delivery: &str) -> Result<(u64, Vec<Replayed>)> {
        let count = self.ledger.books(delivery)?.map_or(0, |books| books.replayed);
        Ok((count, replays_of(&self.ledger, delivery)?.0))
    }
}

/// Keeps books and rejects of one delivery.
pub(super) struct Keeper {
    delivery: String,
    pipeline: String,
    run: String,
    log: Option<RejectLog>,
    book: Option<Book>,
    /// Batches since the last commit, not yet in the ledger.
    batches: Vec<PlannedBatch>,
    rejects: Vec<(u64, Reject)>,
    held: usize,
    /// Batches in the ledger whose commit is not settled.
    planned: Vec<PlannedBatch>,
    /// Whether refusals may come with a commit, so that the batches are needed until then.
    retains: bool,
    /// A settlement that may wait for the next write: the target itself remembers.
    waiting: Option<Settled>,
    /// Batches of an earlier run whose fate nobody knows, by number.
    doubtful: BTreeMap<u64, PlannedBatch>,
}

impl Keeper {
    /// Opens both, and drops what an interrupted run left of batches that go back to the source. Returns the
    /// rejects by code that stand there of the delivery.
    pub(super) fn open(
        flow: &Flow,
        control: &Control,
        book: Option<Book>,
        before: &Checkpoint,
        schema: &Schema,
    ) -> Result<(Self, BTreeMap<String, u64>)> {
        let mut counts = BTreeMap::new();
        let mut log = None;
        if let Some(file) = &flow.rejects {
            let keep = match file.fresh {
                true => Keep::Nothing,
                false => Keep::UpTo(before.batch),
            };
            let (opened, logged) = RejectLog::open(&file.path, &flow.name, &before.delivery, keep)?;
            (log, counts) = (Some(opened), logged);
        }
        let mut doubtful = BTreeMap::new();
        if let Some(book) = &book {
            let delivery = delivery_of(flow, control, &before.delivery, schema);
            for batch in book.ledger.resume(&delivery, &stood(flow, before)?)? {
                doubtful.insert(batch.batch, batch);
            }
            for (code, count) in book.ledger.rejected(&before.delivery)? {
                let known = counts.entry(code).or_default();
                *known = count.max(*known);
            }
            if let Some(replay) = &flow.replay {
                book.ledger.replaying(&replay.delivery, &replay.records, &before.delivery)?;
            }
        }
        let keeper = Self {
            delivery: before.delivery.clone(),
            pipeline: flow.pipeline.clone(),
            run: control.run().to_owned(),
            log,
            book,
            batches: Vec::new(),
            rejects: Vec::new(),
            held: 0,
            planned: Vec::new(),
            retains: flow.target.mode != WriteMode::Replace,
            waiting: None,
            doubtful,
        };
        Ok((keeper, counts))
    }

    /// Rows of an earlier run whose fate is not known and that are sent again.
    pub(super) fn in_doubt(&self) -> u64 {
        self.doubtful.values().map(|batch| batch.rows).sum()
    }

    /// Takes up rejects of a batch.
    pub(super) async fn reject(&mut self, batch: u64, rejects: &[Reject]) -> Result<()> {
        if let Some(log) = &mut self.log {
            log.append(batch, rejects)?;
        }
        if self.book.is_some() {
            self.held += rejects.iter().map(|reject| reject.raw.len() + 256).sum::<usize>();
            self.rejects.extend(rejects.iter().map(|reject| (batch, reject.clone())));
            if self.held > HELD {
                return self.write_planned().await;
            }
        }
        Ok(())
    }

    /// Takes up a batch that was given to the target. Says whether it differs from what an interrupted run had
    /// planned for the same place.
    pub(super) fn planned(&mut self, batch: PlannedBatch) -> bool {
        let before = self.doubtful.remove(&batch.batch);
        let differs = before.is_some_and(|before| {
            (before.first, before.read, before.digest) != (batch.first, batch.read, batch.digest)
        });
        if self.book.is_some() {
            self.batches.push(batch);
        }
        differs
    }

    /// Takes out a batch whose commit is not settled, to be put back with fewer rows.
    pub(super) fn take_planned(&mut self, number: u64) -> Option<PlannedBatch> {
        let at = self.planned.iter().position(|batch| batch.batch == number)?;
        Some(self.planned.swap_remove(at))
    }

    /// Puts a batch back that [`take_planned`](Self::take_planned) gave.
    pub(super) fn put_planned(&mut self, batch: PlannedBatch) {
        self.planned.push(batch);
    }

    /// Makes batches and rejects durable: before the target commits.
    pub(super) async fn before_commit(&mut self) -> Result<()> {
        if let Some(log) = &mut self.log {
            log.sync().await?;
        }
        self.write_planned().await
    }

    /// Notes what the commit came to. `rejects` are those that came with it. What a target with a watermark remembers
    /// itself may wait for the next write.
    pub(super) async fn settle(
        &mut self,
        settled: Settled,
        refused: bool,
        may_wait: bool,
    ) -> Result<()> {
        let settled =
            Settled { delivery: self.delivery.clone(), pipeline: self.pipeline.clone(), ..settled };
        if let Some(log) = &mut self.log {
            log.sync().await?;
        }
        let planned = std::mem::take(&mut self.planned);
        let Some(book) = &self.book else {
            self.rejects.clear();
            return Ok(());
        };
        if may_wait && !refused && self.rejects.is_empty() {
            self.waiting = Some(settled);
            return Ok(());
        }
        self.waiting = None;
        self.held = 0;
        let rejects = std::mem::take(&mut self.rejects);
        let (ledger, run) = (Arc::clone(&book.ledger), self.run.clone());
        on_disk(move || {
            if refused {
                let again = Planned {
                    delivery: &settled.delivery,
                    run: &run,
                    batches: &planned,
                    rejects: &[],
                };
                ledger.correct(&again, settled.state)?;
            }
            ledger.settle(&settled, &rejects)
        })
        .await
    }

    /// Writes what may still wait.
    pub(super) async fn end(&mut self) -> Result<()> {
        let (Some(book), Some(settled)) = (&self.book, self.waiting.take()) else { return Ok(()) };
        let ledger = Arc::clone(&book.ledger);
        on_disk(move || ledger.settle(&settled, &[])).await
    }

    async fn write_planned(&mut self) -> Result<()> {
        let Some(book) = &self.book else { return Ok(()) };
        let batches = std::mem::take(&mut self.batches);
        let rejects = std::mem::take(&mut self.rejects);
        if batches.is_empty() && rejects.is_empty() {
            return Ok(());
        }
        self.held = 0;
        let waiting = self.waiting.take();
        let (delivery, run) = (self.delivery.clone(), self.run.clone());
        let ledger = Arc::clone(&book.ledger);
        let batches = on_disk(move || {
            let planned =
                Planned { delivery: &delivery, run: &run, batches: &batches, rejects: &rejects };
            ledger.plan(&planned, waiting.as_ref())?;
            Ok(batches)
        })
        .await?;
        if self.retains {
            self.planned.extend(batches);
        }
        Ok(())
    }
}

/// Where a run goes on, as the ledger knows it: a target with a watermark may know of more than was settled here.
fn stood(flow: &Flow, before: &Checkpoint) -> Result<Settled> {
    let checkpoint = serde_json::to_string(before).map_err(std::io::Error::from)?;
    let books = before.books();
    Ok(Settled {
        delivery: before.delivery.clone(),
        pipeline: flow.pipeline.clone(),
        upto: before.batch,
        state: State::Delivered,
        read: books.read,
        delivered: books.delivered,
        skipped: books.skipped,
        in_doubt: books.in_doubt,
        complete: before.complete,
        // At the start of a delivery the one before still stands.
        checkpoint: (before.batch > 0).then_some(checkpoint),
    })
}

/// The state of the batches of a commit.
pub(super) fn state_of(in_doubt: u64) -> State {
    if in_doubt > 0 { State::InDoubt } else { State::Delivered }
}

fn delivery_of(flow: &Flow, control: &Control, name: &str, schema: &Schema) -> Delivery {
    let columns = schema.fields().iter();
    Delivery {
        delivery: name.into(),
        pipeline: flow.pipeline.clone(),
        flow: flow.name.clone(),
        source: flow.source.name.clone(),
        fingerprint: flow.source.fingerprint.clone(),
        target: flow.target.name.clone(),
        mode: mode_name(flow.target.mode).into(),
        key: flow.target.key.clone(),
        columns: columns.map(|f| (f.name().clone(), type_name(f.data_type()))).collect(),
        plan: flow.plan.clone(),
        replay_of: flow.replay.as_ref().map(|replay| replay.delivery.clone()),
        run: control.run().to_owned(),
    }
}

/// The name of a mode as it is written in a configuration.
pub(crate) fn mode_name(mode: WriteMode) -> &'static str {
    match mode {
        WriteMode::Append => "append",
        WriteMode::Upsert => "upsert",
        WriteMode::Replace => "replace",
    }
}

/// Runs blocking work on a file off the executor.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(Kind::Internal, "engine.task", "a background call ended early").caused_by(error)
    })?
}
