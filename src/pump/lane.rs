//! One target of a reading, where order matters: rejects durable, rows committed, checkpoint, acknowledgement.

mod refusals;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use fenhe_core::{
    Batch, Committed, ControlTotal, Error, Kind, Result, Retry, Source, Span, WriteMode, Writer,
};
use fenhe_ledger::{PlannedBatch, RowIndex, RowSet, Settled};

use super::keep::{Book, Keeper, state_of};
use super::produce::{Feed, Item, Rows};
use super::{Control, Flow, KeepRows, Progress};
use crate::books::{Accounts, Books, Entry, Outcome};
use crate::checkpoint::Checkpoint;
use crate::fields::BoundFields;
use crate::reasons::by_frequency;
use crate::receipt::{FlowReceipt, RowsProof, Status};
use crate::totals::{Column, Totals};

/// Batches between two commits of a target that shows rows at every commit.
const COMMIT_EVERY: u64 = 8;
/// Batches between two commits of a target that shows rows only as a whole: they bound memory, nothing else.
const FLUSH_EVERY: u64 = 64;

type Counts = BTreeMap<String, u64>;

/// A batch that the target was given.
struct Sent {
    batch: Batch,
    number: u64,
    /// What the ledger is to know of it, until the ledger has it.
    planned: Option<PlannedBatch>,
}

/// One target with its books.
pub(super) struct Lane<'a> {
    flow: &'a Flow,
    control: &'a Control,
    schema: SchemaRef,
    mapping: BoundFields,
    source: Arc<Source>,
    accounts: Accounts,
    totals: Totals,
    /// Sum of the row digests, where they are taken.
    rows: Option<RowSet>,
    keeper: Keeper,
    writer: Box<dyn Writer>,
    feed: Feed,
    keeps_watermark: bool,
    acknowledges: bool,
    /// The state after the last batch written.
    checkpoint: Checkpoint,
    /// Sums and digest over the rows that the books count.
    settled: (Vec<Column>, Option<RowSet>),
    /// Entries written and not yet settled.
    open: Vec<Entry>,
    /// The batches since the last commit, for refusals that come later than the batch.
    recent: VecDeque<Sent>,
    outcome: Outcome,
    /// Rows that the target took since the entries were settled.
    written: u64,
    since_commit: u64,
    bytes: u64,
    notes: Vec<String>,
}

impl<'a> Lane<'a> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn open(
        flow: &'a Flow,
        control: &'a Control,
        receipt: &mut FlowReceipt,
        feed: Feed,
        mapping: BoundFields,
        writer: Box<dyn Writer>,
        book: Option<Book>,
        before: Checkpoint,
    ) -> Result<Self> {
        let schema = Arc::clone(mapping.schema());
        let totals = Totals::new(&schema, flow.totals(), &before.columns);
        let rows = rows_before(flow, &before);
        let (keeper, logged) = Keeper::open(flow, control, book, &before, &schema)?;
        let (mut notes, doubt) = (Vec::new(), keeper.in_doubt());
        if doubt > 0 {
            notes.push(format!(
                "{doubt} rows had been sent when an earlier run broke off, and nobody knows whether they arrived: they are sent again"
            ));
        }
        receipt.delivery.clone_from(&before.delivery);
        Ok(Self {
            flow,
            control,
            source: Arc::new(Source {
                name: flow.source.name.clone(),
                fingerprint: flow.source.fingerprint.clone(),
            }),
            accounts: Accounts::resumed(with_rejects(before.books(), logged)),
            settled: (totals.columns(), rows),
            totals,
            rows,
            schema,
            mapping,
            keeper,
            writer,
            feed,
            keeps_watermark: flow.target.exchange.info().capability.watermark,
            acknowledges: flow.source.exchange.info().capability.acknowledge,
            checkpoint: before,
            open: Vec::new(),
            recent: VecDeque::new(),
            outcome: Outcome::default(),
            written: 0,
            since_commit: 0,
            bytes: 0,
            notes,
        })
    }

    /// To the end, to a stop or to an error; the figures stand in the receipt in any case.
    pub(super) async fn run(mut self, receipt: &mut FlowReceipt) -> Result<()> {
        let result = self.deliver(receipt).await;
        let ended = self.keeper.end().await;
        receipt.books = self.accounts.books();
        let (columns, rows) = self.settled;
        receipt.columns = columns;
        receipt.rows = rows.map(|rows| RowsProof::of(rows, self.flow));
        receipt.reasons = by_frequency(&self.checkpoint.reasons);
        receipt.notes.append(&mut self.notes);
        receipt.notes.extend(self.mapping.notes());
        receipt.findings = self.mapping.findings();
        result.and(ended)
    }

    async fn deliver(&mut self, receipt: &mut FlowReceipt) -> Result<()> {
        loop {
            match self.feed.next().await {
                Some(Item::Batch(batch, rows)) => self.take(*batch, rows).await?,
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
            if !self.flow.policy.protection.open_now() {
                receipt.interrupted_by_hours(self.flow);
                return self.interrupt(receipt).await;
            }
        }
    }

    async fn interrupt(&mut self, receipt: &mut FlowReceipt) -> Result<()> {
        receipt.status = Status::Interrupted;
        if self.as_a_whole() {
            let note = "the target is replaced only as a whole: nothing was delivered";
            receipt.notes.push(note.into());
            return Ok(());
        }
        self.commit().await
    }

    /// Whether others see rows only when the writer is closed.
    fn as_a_whole(&self) -> bool {
        self.flow.target.mode == WriteMode::Replace
    }

    async fn take(&mut self, batch: Batch, rows: Option<Rows>) -> Result<()> {
        self.checkpoint.batch += 1;
        self.open.push(self.accounts.open(batch.span));
        self.reject(self.checkpoint.batch, &batch.rejects).await?;
        self.checkpoint.read += batch.span.read;
        self.checkpoint.skipped += batch.span.skipped;
        self.checkpoint.at = Some(batch.position.clone());
        self.stop_at_rejects(&batch.rejects).await?;
        self.totals.add(&batch.records);
        self.bytes += batch.span.length;
        self.write(batch, rows).await?;
        self.report();
        self.since_commit += 1;
        match self.as_a_whole() {
            true if self.since_commit >= FLUSH_EVERY => self.commit().await,
            false if self.since_commit >= COMMIT_EVERY => self.commit().await,
            _ => Ok(()),
        }
    }

    async fn write(&mut self, batch: Batch, rows: Option<Rows>) -> Result<()> {
        let planned = self.plan(&batch, rows)?;
        self.writer.write(&batch).await?;
        self.written += batch.rows() as u64;
        self.recent.push_back(Sent { number: planned.batch, planned: Some(planned), batch });
        if !self.as_a_whole() {
            return self.take_refusals().await;
        }
        // A replacement may be of any size: nothing of it is kept for later.
        self.answers().await?;
        self.hand_over();
        self.recent.clear();
        Ok(())
    }

    /// Rejects and batches become durable: before the target commits, and before a run is stopped.
    async fn make_durable(&mut self) -> Result<()> {
        self.hand_over();
        self.keeper.before_commit().await
    }

    fn hand_over(&mut self) {
        let mut recent = std::mem::take(&mut self.recent);
        for planned in recent.iter_mut().filter_map(|sent| sent.planned.take()) {
            self.note_if_differs(planned);
        }
        self.recent = recent;
    }

    /// What the ledger is to know of a batch.
    fn plan(&mut self, batch: &Batch, rows: Option<Rows>) -> Result<PlannedBatch> {
        let digest = rows.as_ref().map(|rows| rows.hashes.sum());
        if let (Some(all), Some(digest)) = (&mut self.rows, &digest) {
            all.plus(digest);
        }
        let index = rows.filter(|_| self.flow.rows == KeepRows::Each).map(|rows| RowIndex {
            records: batch.record_numbers(),
            hashes: rows.hashes,
            keys: rows.keys,
        });
        Ok(PlannedBatch {
            batch: self.checkpoint.batch,
            first: batch.span.first,
            read: batch.span.read,
            skipped: batch.span.skipped,
            rows: batch.rows() as u64,
            digest,
            at: serde_json::to_string(&batch.position).map_err(std::io::Error::from)?,
            index,
        })
    }

    fn note_if_differs(&mut self, planned: PlannedBatch) {
        let number = planned.batch;
        if self.keeper.planned(planned) && self.flow.target.mode == WriteMode::Append {
            self.notes.push(format!(
                "batch {number} is not the one that an earlier run had sent: its rows may be there twice"
            ));
        }
    }

    async fn commit(&mut self) -> Result<()> {
        self.since_commit = 0;
        if self.open.is_empty() {
            return Ok(());
        }
        self.answers().await?;
        self.make_durable().await?;
        self.sum_up();
        if self.keeps_watermark {
            self.writer.mark(&self.checkpoint.position()?);
        }
        let committed = self.writer.commit().await;
        let committed = self.known(committed).await?;
        let refused = self.settle(committed).await?;
        if self.as_a_whole() {
            return Ok(());
        }
        self.books_closed();
        self.remember(refused).await
    }

    async fn finish(&mut self, declared: Vec<ControlTotal>) -> Result<()> {
        self.checkpoint.complete = true;
        self.checkpoint.declared = declared;
        self.answers().await?;
        self.make_durable().await?;
        self.sum_up();
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
        let committed = self.known(committed).await?;
        let refused = self.settle(committed).await?;
        self.books_closed();
        self.remember(refused).await
    }

    /// An outcome that the target could not tell is booked as in doubt before the error goes on.
    async fn known(&mut self, committed: Result<Committed>) -> Result<Committed> {
        let error = match committed {
            Ok(committed) => return Ok(committed),
            Err(error) => error,
        };
        if error.retry() == Retry::InDoubt {
            self.outcome.in_doubt = self.written.saturating_sub(self.outcome.delivered);
            let in_doubt = self.outcome.in_doubt;
            self.entries_settled();
            let settled = Settled { checkpoint: None, ..self.settled(in_doubt) };
            // The error of the target is what the person has to hear of.
            let _ = self.keeper.settle(settled, false, false).await;
        }
        Err(error)
    }

    /// Takes up what the commit said; whether it brought refusals.
    async fn settle(&mut self, committed: Committed) -> Result<bool> {
        self.outcome.delivered += committed.rows;
        self.outcome.in_doubt += committed.in_doubt;
        self.checkpoint.in_doubt += committed.in_doubt;
        if committed.rejects.is_empty() {
            return Ok(false);
        }
        self.book(committed.rejects).await?;
        Ok(true)
    }

    /// The entries of everything that others see now.
    fn books_closed(&mut self) {
        self.written = 0;
        self.recent.clear();
        self.entries_settled();
    }

    fn entries_settled(&mut self) {
        Entry::settle(std::mem::take(&mut self.open), std::mem::take(&mut self.outcome));
        self.settled = (self.totals.columns(), self.rows);
    }

    /// Brings sums and digest of the checkpoint to where the refusals that are known left them.
    fn sum_up(&mut self) {
        self.checkpoint.columns = self.totals.columns();
        self.checkpoint.rows = self.rows.map(|rows| rows.to_string());
    }

    fn settled(&self, in_doubt: u64) -> Settled {
        let books = self.accounts.books();
        Settled {
            upto: self.checkpoint.batch,
            state: state_of(in_doubt),
            read: books.read,
            delivered: books.delivered,
            skipped: books.skipped,
            in_doubt: books.in_doubt,
            complete: self.checkpoint.complete,
            ..Settled::default()
        }
    }

    /// Position, then acknowledgement: never the other way round.
    async fn remember(&mut self, refused: bool) -> Result<()> {
        self.sum_up();
        let checkpoint = serde_json::to_string(&self.checkpoint).map_err(std::io::Error::from)?;
        let settled = Settled { checkpoint: Some(checkpoint), ..self.settled(0) };
        let may_wait = self.keeps_watermark && !self.checkpoint.complete;
        self.keeper.settle(settled, refused, may_wait).await?;
        match &self.checkpoint.at {
            Some(at) if self.acknowledges => {
                // The position for the source is the one that it gave, not the checkpoint around it.
                self.feed.acknowledge(self.checkpoint.read, at.clone()).await
            }
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

/// Books with what is kept of rejects. Earlier versions formed a checkpoint before the refusals of its last batch were known;
/// the checkpoint knows rejects even if the rest is gone. The larger number of each code is right.
fn with_rejects(mut books: Books, logged: Counts) -> Books {
    for (code, count) in logged {
        let known = books.rejected.entry(code).or_default();
        let more = count.saturating_sub(*known);
        *known += more;
        books.delivered = books.delivered.saturating_sub(more);
    }
    books
}

/// Digests go on from a checkpoint that has them; one of a run that took none has no sum to go on from.
fn rows_before(flow: &Flow, before: &Checkpoint) -> Option<RowSet> {
    match (flow.rows, &before.rows, before.read) {
        (KeepRows::None, ..) => None,
        (_, Some(text), _) => RowSet::parse(text),
        (_, None, 0) => Some(RowSet::default()),
        (_, None, _) => None,
    }
}

/// The receipt of a delivery that an earlier run had finished.
pub(super) fn already_delivered(flow: &Flow, checkpoint: Checkpoint, receipt: &mut FlowReceipt) {
    receipt.status = Status::AlreadyDelivered;
    receipt.books = checkpoint.books();
    receipt.resumed_after = checkpoint.read;
    let rows = checkpoint.rows.as_deref().and_then(RowSet::parse);
    receipt.rows = rows.map(|rows| RowsProof::of(rows, flow));
    receipt.delivery = checkpoint.delivery;
    receipt.columns = checkpoint.columns;
    receipt.reasons = by_frequency(&checkpoint.reasons);
    receipt.declared = checkpoint.declared;
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
