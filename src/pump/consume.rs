//! The writing half of the loop, where order matters: rejects durable, rows committed, checkpoint, acknowledgement.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use fenhe_core::{
    Batch, Committed, ControlTotal, Error, Kind, Position, ReadRequest, Reader, Reject, Result,
    Retry, Source, Span, WriteMode, WriteRequest, Writer,
};

use super::produce::{Item, Producer};
use super::resume::{Start, decide};
use super::{Control, Ended, Flow, OnError, Progress};
use crate::books::{Books, Entry, Ledger, Outcome};
use crate::checkpoint::{Checkpoint, Journal};
use crate::fields::Mapping;
use crate::guarantee::Level;
use crate::ndjson::with_row;
use crate::reasons::{by_frequency, count_reason};
use crate::receipt::{FlowReceipt, Status};
use crate::rejects::{Keep, RejectLog};
use crate::totals::Totals;

/// Batches between two commits of a target that shows rows at every commit.
const COMMIT_EVERY: u64 = 8;
/// Batches between two commits of a target that shows rows only as a whole: they bound memory, nothing else.
const FLUSH_EVERY: u64 = 64;

/// Runs one flow to its end, to a stop, or to an error; the receipt tells which.
pub async fn pump(flow: &Flow, control: &Control) -> Ended {
    let mut receipt = FlowReceipt::begin(flow);
    let error = run(flow, control, &mut receipt).await.err();
    if let Some(error) = &error {
        receipt.status = Status::Failed;
        receipt.error = Some(error.code().into());
        receipt.notes.push(error.to_string());
    }
    receipt.judge(flow);
    Ended { receipt, error }
}

async fn run(flow: &Flow, control: &Control, receipt: &mut FlowReceipt) -> Result<()> {
    let source = flow.source.exchange.info().capability;
    let target = flow.target.exchange.info().capability;
    receipt.guarantee = Level::derive(&source, &target, flow.target.mode);
    receipt.guarantee.require(flow.policy.guarantee)?;
    let journal = flow.journal.as_deref().map(Journal::open).transpose()?;
    let (mut reader, mapping) = open_source(flow, receipt).await?;
    let mut writer = open_target(flow, mapping.schema()).await?;
    // Where the target keeps the watermark, its word wins, also when it says nothing: rows that somebody
    // took away are delivered again.
    let stands = match target.watermark {
        true => writer.watermark().await?.as_ref().map(Checkpoint::from_position).transpose()?,
        false => journal.as_ref().and_then(|journal| journal.last().cloned()),
    };
    let start = decide(flow, &source, stands)?;
    let before = match start {
        Start::Done(checkpoint) => {
            already_delivered(*checkpoint, receipt);
            return Ok(());
        }
        Start::Fresh(remark) => {
            receipt.notes.extend(remark.map(String::from));
            Checkpoint { delivery: delivery_id(flow), ..Checkpoint::first(flow) }
        }
        Start::Onward(checkpoint) => {
            reader = read(flow, checkpoint.at.clone(), columns(flow)).await?;
            Checkpoint { delivery: delivery_id(flow), at: checkpoint.at, ..Checkpoint::first(flow) }
        }
        Start::After(checkpoint) => {
            receipt.resumed_after = checkpoint.read;
            reader = read(flow, checkpoint.at.clone(), columns(flow)).await?;
            *checkpoint
        }
    };
    receipt.delivery.clone_from(&before.delivery);
    let (log, logged) = open_log(flow, &before)?;
    let name = Arc::new(Source {
        name: flow.source.name.clone(),
        fingerprint: flow.source.fingerprint.clone(),
    });
    let totals = Totals::new(mapping.schema(), &before.columns);
    let mut run = Run {
        flow,
        control,
        schema: Arc::clone(mapping.schema()),
        ledger: Ledger::resumed(books_of(&before, logged)),
        totals,
        log,
        journal,
        writer,
        producer: Producer::start(reader, mapping, name, flow.limits.clone()),
        keeps_watermark: target.watermark,
        acknowledges: source.acknowledge,
        checkpoint: before,
        open: Vec::new(),
        outcome: Outcome::default(),
        written: 0,
        since_commit: 0,
        bytes: 0,
    };
    let result = run.deliver(receipt).await;
    receipt.books = run.ledger.books();
    receipt.columns = run.totals.columns();
    receipt.reasons = by_frequency(&run.checkpoint.reasons);
    result
}

async fn open_source(flow: &Flow, receipt: &mut FlowReceipt) -> Result<(Box<dyn Reader>, Mapping)> {
    // All columns are bound first, so that a wrong name is reported among all names.
    let mut reader = read(flow, None, flow.columns.clone()).await?;
    flow.fields.bind(&reader.schema())?;
    receipt.left_out = flow.fields.left_out(&reader.schema());
    if flow.columns.is_none()
        && let Some(wanted) = flow.fields.wanted()
    {
        drop(reader);
        reader = read(flow, None, Some(wanted)).await?;
    }
    let mapping = flow.fields.bind(&reader.schema())?;
    Ok((reader, mapping))
}

/// What a flow would do, found out without reading or writing a record.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Columns that are read.
    pub source: SchemaRef,
    /// Columns that are written.
    pub target: SchemaRef,
    /// Columns of the source that are left out.
    pub left_out: Vec<String>,
    /// What delivery is guaranteed.
    pub guarantee: Level,
}

/// Finds out what a flow would do.
///
/// # Errors
/// As the flow itself would have at its start.
pub async fn outline(flow: &Flow) -> Result<Outline> {
    let source = flow.source.exchange.info().capability;
    let target = flow.target.exchange.info().capability;
    let guarantee = Level::derive(&source, &target, flow.target.mode);
    guarantee.require(flow.policy.guarantee)?;
    let mut receipt = FlowReceipt::begin(flow);
    let (reader, mapping) = open_source(flow, &mut receipt).await?;
    Ok(Outline {
        source: reader.schema(),
        target: Arc::clone(mapping.schema()),
        left_out: receipt.left_out,
        guarantee,
    })
}

/// The columns that are read.
fn columns(flow: &Flow) -> Option<Vec<String>> {
    flow.columns.clone().or_else(|| flow.fields.wanted())
}

async fn read(
    flow: &Flow,
    from: Option<Position>,
    columns: Option<Vec<String>>,
) -> Result<Box<dyn Reader>> {
    let request = ReadRequest {
        dataset: flow.source.dataset.clone(),
        partition: None,
        from,
        columns,
        limits: flow.limits.clone(),
    };
    flow.source.exchange.read(request).await
}

async fn open_target(flow: &Flow, schema: &SchemaRef) -> Result<Box<dyn Writer>> {
    let request = WriteRequest {
        dataset: flow.target.dataset.clone(),
        schema: Arc::clone(schema),
        mode: flow.target.mode,
        key: flow.target.key.clone(),
        pipeline: flow.pipeline.clone(),
        limits: flow.limits.clone(),
    };
    flow.target.exchange.write(request).await
}

type Counts = BTreeMap<String, u64>;

fn open_log(flow: &Flow, before: &Checkpoint) -> Result<(Option<RejectLog>, Counts)> {
    let Some(file) = &flow.rejects else {
        return Ok((None, Counts::new()));
    };
    let keep = match file.fresh {
        true => Keep::Nothing,
        false => Keep::UpTo(before.batch),
    };
    let (log, counts) = RejectLog::open(&file.path, &flow.name, &before.delivery, keep)?;
    Ok((Some(log), counts))
}

/// The books up to a checkpoint. The file of rejects knows refusals that came after the checkpoint was
/// formed; the checkpoint knows rejects even if the file is gone. The larger number of each code is right.
fn books_of(before: &Checkpoint, logged: Counts) -> Books {
    let mut rejected = before.rejected.clone();
    for (code, count) in logged {
        let known = rejected.entry(code).or_default();
        *known = count.max(*known);
    }
    let lost: u64 = rejected.values().sum::<u64>() + before.skipped + before.in_doubt;
    Books {
        read: before.read,
        delivered: before.read.saturating_sub(lost),
        rejected,
        skipped: before.skipped,
        in_doubt: before.in_doubt,
    }
}

fn already_delivered(checkpoint: Checkpoint, receipt: &mut FlowReceipt) {
    receipt.status = Status::AlreadyDelivered;
    receipt.books = books_of(&checkpoint, Counts::new());
    receipt.resumed_after = checkpoint.read;
    receipt.delivery = checkpoint.delivery;
    receipt.columns = checkpoint.columns;
    receipt.reasons = by_frequency(&checkpoint.reasons);
    receipt.declared = checkpoint.declared;
}

/// The same content, flow and plan is the same delivery; without a fingerprint every run is its own.
fn delivery_id(flow: &Flow) -> String {
    let run = match flow.source.fingerprint.is_empty() {
        true => crate::receipt::run_id(),
        false => String::new(),
    };
    let source = &flow.source;
    Flow::digest(
        [&flow.pipeline, &source.name, &source.fingerprint, &flow.plan, &run].map(String::as_str),
    )
}

struct Run<'a> {
    flow: &'a Flow,
    control: &'a Control,
    schema: SchemaRef,
    ledger: Ledger,
    totals: Totals,
    log: Option<RejectLog>,
    journal: Option<Journal>,
    writer: Box<dyn Writer>,
    producer: Producer,
    keeps_watermark: bool,
    acknowledges: bool,
    /// The state after the last batch written.
    checkpoint: Checkpoint,
    /// Entries written and not yet settled.
    open: Vec<Entry>,
    outcome: Outcome,
    /// Rows that the target took since the entries were settled.
    written: u64,
    since_commit: u64,
    bytes: u64,
}

impl Run<'_> {
    async fn deliver(&mut self, receipt: &mut FlowReceipt) -> Result<()> {
        loop {
            match self.producer.next().await {
                Some(Item::Batch(batch)) => self.take(batch).await?,
                Some(Item::End(declared)) => {
                    receipt.declared.clone_from(&declared);
                    self.finish(declared).await?;
                    receipt.status = Status::Complete;
                    return Ok(());
                }
                Some(Item::Failed(error)) => {
                    // What came before the fault is good, and where rows show at a commit it is kept.
                    if !self.as_a_whole() {
                        self.commit().await?;
                    }
                    return Err(error);
                }
                None => {
                    return Err(Error::new(
                        Kind::Internal,
                        "engine.task",
                        "the reading task ended early",
                    ));
                }
            }
            if self.control.stopped() {
                return self.interrupt(receipt).await;
            }
        }
    }

    async fn interrupt(&mut self, receipt: &mut FlowReceipt) -> Result<()> {
        receipt.status = Status::Interrupted;
        if self.as_a_whole() {
            receipt
                .notes
                .push("the target is replaced only as a whole: nothing was delivered".into());
            return Ok(());
        }
        self.commit().await
    }

    /// Whether others see rows only when the writer is closed.
    fn as_a_whole(&self) -> bool {
        self.flow.target.mode == WriteMode::Replace
    }

    async fn take(&mut self, batch: Batch) -> Result<()> {
        self.checkpoint.batch += 1;
        self.open.push(self.ledger.open(batch.span));
        self.reject(&batch.rejects)?;
        self.checkpoint.read += batch.span.read;
        self.checkpoint.skipped += batch.span.skipped;
        self.checkpoint.at = Some(batch.position.clone());
        self.stop_at_rejects(&batch.rejects).await?;
        self.totals.add(&batch.records);
        self.bytes += batch.span.length;
        self.write(batch).await?;
        self.report();
        self.since_commit += 1;
        match self.as_a_whole() {
            true if self.since_commit >= FLUSH_EVERY => self.commit().await,
            false if self.since_commit >= COMMIT_EVERY => self.commit().await,
            _ => Ok(()),
        }
    }

    async fn write(&mut self, batch: Batch) -> Result<()> {
        self.checkpoint.columns = self.totals.columns();
        let batch = Batch { position: self.checkpoint.position()?, ..batch };
        self.writer.write(&batch).await?;
        self.written += batch.rows() as u64;
        let refused = self.writer.refused();
        if refused.is_empty() {
            return Ok(());
        }
        self.written = self.written.saturating_sub(refused.len() as u64);
        let refused = self.complete(refused, &batch);
        self.reject(&refused)?;
        self.stop_at_rejects(&refused).await
    }

    /// Gives refusals of the target their source and row, and takes the rows out of the totals.
    fn complete(&mut self, refused: Vec<Reject>, batch: &Batch) -> Vec<Reject> {
        let numbers = batch.record_numbers();
        let source = Arc::new(Source {
            name: self.flow.source.name.clone(),
            fingerprint: self.flow.source.fingerprint.clone(),
        });
        refused
            .into_iter()
            .map(|mut reject| {
                if reject.source.name.is_empty() {
                    reject.source = Arc::clone(&source);
                }
                match numbers.binary_search(&reject.record) {
                    Ok(row) => {
                        self.totals.subtract(&batch.records.slice(row, 1));
                        with_row(reject, &batch.records, row, self.flow.limits.reject_raw)
                    }
                    Err(_) => reject,
                }
            })
            .collect()
    }

    /// Counts and logs rejects of the batch at hand.
    fn reject(&mut self, rejects: &[Reject]) -> Result<()> {
        for reject in rejects {
            count_reason(&mut self.checkpoint.reasons, reject);
            for counts in [&mut self.checkpoint.rejected, &mut self.outcome.rejected] {
                *counts.entry(reject.fault.code.to_string()).or_default() += 1;
            }
        }
        match &mut self.log {
            Some(log) => log.append(self.checkpoint.batch, rejects),
            None => Ok(()),
        }
    }

    /// Ends the run at the first reject if that is asked for, or in a storm of them.
    async fn stop_at_rejects(&mut self, rejects: &[Reject]) -> Result<()> {
        let Some(first) = rejects.first() else {
            return Ok(());
        };
        let count: u64 = self.checkpoint.rejected.values().sum();
        let limits = &self.flow.limits;
        let share = count.saturating_mul(1_000) / self.checkpoint.read.max(1);
        let storm = count > limits.rejects
            || (self.checkpoint.read >= 1_000 && share > limits.rejects_per_mille);
        if !storm && self.flow.policy.on_error == OnError::Reject {
            return Ok(());
        }
        if let Some(log) = &mut self.log {
            log.sync().await?;
        }
        if storm {
            return Err(Error::new(
                Kind::Limit,
                "engine.reject_storm",
                format!("stopped after {count} rejects in {} records", self.checkpoint.read),
            )
            .hint("check format and options with inspect; the limits are rejects and rejects_per_mille"));
        }
        Err(Error::new(
            Kind::Invalid,
            "engine.first_reject",
            format!("stopped at the first reject: {first}"),
        )
        .hint("allow rejects to put such records aside"))
    }

    async fn commit(&mut self) -> Result<()> {
        self.since_commit = 0;
        if self.open.is_empty() {
            return Ok(());
        }
        self.sync_log().await?;
        let committed = self.writer.commit().await;
        let committed = self.known(committed)?;
        self.settle(committed).await?;
        if self.as_a_whole() {
            return Ok(());
        }
        self.books_closed();
        self.remember().await
    }

    async fn finish(&mut self, declared: Vec<ControlTotal>) -> Result<()> {
        self.checkpoint.complete = true;
        self.checkpoint.declared = declared;
        self.sync_log().await?;
        if self.keeps_watermark {
            let end = Batch::new(
                RecordBatch::new_empty(Arc::clone(&self.schema)),
                Vec::new(),
                Span { first: self.checkpoint.read + 1, ..Span::default() },
                self.checkpoint.position()?,
            )?;
            self.writer.write(&end).await?;
        }
        let writer = std::mem::replace(&mut self.writer, Box::new(Closed));
        let committed = writer.close().await;
        let committed = self.known(committed)?;
        self.settle(committed).await?;
        self.books_closed();
        self.remember().await
    }

    /// An outcome that the target could not tell is booked as in doubt before the error goes on.
    fn known(&mut self, committed: Result<Committed>) -> Result<Committed> {
        committed.inspect_err(|error| {
            if error.retry() == Retry::InDoubt {
                self.outcome.in_doubt = self.written.saturating_sub(self.outcome.delivered);
                Entry::settle(std::mem::take(&mut self.open), std::mem::take(&mut self.outcome));
            }
        })
    }

    async fn settle(&mut self, committed: Committed) -> Result<()> {
        self.outcome.delivered += committed.rows;
        self.outcome.in_doubt += committed.in_doubt;
        self.checkpoint.in_doubt += committed.in_doubt;
        if committed.rejects.is_empty() {
            return Ok(());
        }
        self.reject(&committed.rejects)?;
        self.sync_log().await
    }

    /// The entries of everything that others see now.
    fn books_closed(&mut self) {
        self.written = 0;
        Entry::settle(std::mem::take(&mut self.open), std::mem::take(&mut self.outcome));
    }

    async fn sync_log(&mut self) -> Result<()> {
        match &mut self.log {
            Some(log) => log.sync().await,
            None => Ok(()),
        }
    }

    /// Journal, then acknowledgement: never the other way round.
    async fn remember(&mut self) -> Result<()> {
        if let Some(journal) = &mut self.journal
            && (!self.keeps_watermark || self.checkpoint.complete)
        {
            journal.append(&self.checkpoint).await?;
        }
        match &self.checkpoint.at {
            Some(at) if self.acknowledges => self.producer.acknowledge(at.clone()).await,
            _ => Ok(()),
        }
    }

    fn report(&self) {
        self.control.report(&Progress {
            flow: self.flow.name.clone(),
            read: self.checkpoint.read,
            written: self.checkpoint.read - self.checkpoint.skipped,
            rejected: self.checkpoint.rejected.values().sum(),
            bytes: self.bytes,
        });
    }
}

/// Stands where the writer stood after it was closed.
struct Closed;

#[async_trait::async_trait]
impl Writer for Closed {
    async fn write(&mut self, _batch: &Batch) -> Result<()> {
        Err(Error::poisoned("a closed writer"))
    }

    async fn commit(&mut self) -> Result<Committed> {
        Err(Error::poisoned("a closed writer"))
    }

    async fn close(self: Box<Self>) -> Result<Committed> {
        Err(Error::poisoned("a closed writer"))
    }
}

impl Checkpoint {
    fn first(flow: &Flow) -> Self {
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
            declared: Vec::new(),
            complete: false,
        }
    }
}
