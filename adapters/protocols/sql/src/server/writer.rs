//! Writing: rows in a transaction, as a whole where it works, in halves where a row is refused.

use std::collections::BTreeSet;

use arrow_array::{Array, BooleanArray, RecordBatch};
use async_trait::async_trait;
use fenhe_core::{
    Batch, Committed, Error, Fault, Kind, Position, Reject, Result, WriteMode, WriteRequest, Writer,
};

use super::session::{Failure, Session, fatal};
use crate::refuse::{refusal, same_schema};
use crate::tombstone::marked;

/// The statements of a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Begins a transaction.
    pub(crate) begin: String,
    /// Before the first transaction.
    pub(crate) create: Option<String>,
    /// At the start of a replacement.
    pub(crate) clear: Option<String>,
    /// Between loading rows into a stage and clearing it; without any the rows go straight into the table.
    pub(crate) apply: Vec<String>,
    /// Makes the stage empty.
    pub(crate) unstage: String,
    /// Finds two rows of one key in the stage; such rows have to go one after the other.
    pub(crate) doubles: Option<String>,
}

/// What a write needs beside the connection.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) request: WriteRequest,
    pub(crate) plan: Plan,
    /// Places of the key columns in the schema of the request.
    pub(crate) key: Vec<usize>,
    /// Place of the column that marks deletions.
    pub(crate) marker: Option<usize>,
    /// Whether the marker is a column of the table as well.
    pub(crate) marker_is_column: bool,
}

const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT _fenhe";

/// Batches that may be under way before the answer is waited for: as many as have to be sent again, one by one, when a
/// row of them is refused.
const AHEAD: usize = 8;

/// A batch that the server has not answered for.
struct Ahead {
    batch: Batch,
    rows: RecordBatch,
    /// The row of the batch that each of the rows is; `None`: they are the rows of the batch.
    places: Option<Vec<usize>>,
}

/// An open write on a server.
pub(crate) struct ServerWriter {
    session: Box<dyn Session>,
    task: Task,
    created: bool,
    open: bool,
    /// Whether the savepoint is set.
    marked: bool,
    /// Set while a call runs: a call that was dropped leaves the connection in the middle of something.
    busy: bool,
    pending: Committed,
    ahead: Vec<Ahead>,
    position: Option<Position>,
    batches: i64,
    /// The stored position and the number of batches; the number also fences.
    standing: Option<(Option<Position>, i64)>,
}

impl ServerWriter {
    /// Reads the watermark.
    pub(crate) async fn open(mut session: Box<dyn Session>, task: Task) -> Result<Self> {
        let (pipeline, dataset) = (&task.request.pipeline, &task.request.dataset);
        let standing = match pipeline.is_empty() {
            true => None,
            false => Some(match session.standing(pipeline, dataset).await? {
                None => (None, 0),
                Some((text, batches)) => (Some(position_of(&text)?), batches),
            }),
        };
        Ok(Self {
            session,
            task,
            created: false,
            open: false,
            marked: false,
            busy: false,
            pending: Committed::default(),
            ahead: Vec::new(),
            position: None,
            batches: 0,
            standing,
        })
    }

    /// The watermark that a restarted run goes on from. A replacement starts over.
    fn watermark_now(&self) -> Option<Position> {
        let kept = self.standing.as_ref().filter(|_| self.task.request.mode != WriteMode::Replace);
        kept.and_then(|(position, _)| position.clone())
    }

    fn enter(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.busy, true) {
            return Err(Error::poisoned(self.session.scheme()));
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<()> {
        if self.open {
            return Ok(());
        }
        let plan = &self.task.plan;
        // Where statements that make tables end a transaction, they come first; elsewhere they are part of it.
        let mut statements = vec![plan.begin.as_str()];
        if !self.created {
            statements.extend(plan.create.as_deref());
            statements.extend(plan.clear.as_deref());
        }
        for statement in statements {
            self.session.run(statement).await.map_err(fatal)?;
        }
        self.open = true;
        Ok(())
    }

    async fn take(&mut self, batch: &Batch) -> Result<()> {
        same_schema(&batch.records, &self.task.request.schema)?;
        self.begin().await?;
        self.pending.rows += batch.rows() as u64;
        let sent = self.sift(batch)?;
        // Rows in a stage have to be applied before others come: nothing is sent ahead.
        if self.session.sends_ahead() && self.task.plan.apply.is_empty() {
            self.send_ahead(sent).await?;
        } else {
            self.put_in(sent).await?;
        }
        self.position = Some(batch.position.clone());
        self.batches += 1;
        Ok(())
    }

    /// Refuses the rows of a batch that cannot be sent; the others.
    fn sift(&mut self, batch: &Batch) -> Result<Ahead> {
        let mut refused = self.without_key(&batch.records);
        let rows = match self.task.marker {
            None => batch.records.clone(),
            Some(marker) => {
                let (rows, faults) = marked(&batch.records, marker, self.task.marker_is_column)?;
                refused.extend(faults);
                rows
            }
        };
        refused.extend(self.session.unsendable(&rows)?);
        refused.sort_by_key(|(row, _)| *row);
        refused.dedup_by_key(|(row, _)| *row);
        if refused.is_empty() {
            return Ok(Ahead { batch: batch.clone(), rows, places: None });
        }
        let bad: BTreeSet<usize> = refused.iter().map(|(row, _)| *row).collect();
        let good: Vec<usize> = (0..rows.num_rows()).filter(|row| !bad.contains(row)).collect();
        let mask: BooleanArray =
            (0..rows.num_rows()).map(|row| Some(!bad.contains(&row))).collect();
        let rows = arrow_select::filter::filter_record_batch(&rows, &mask)?;
        self.refuse(batch, refused)?;
        Ok(Ahead { batch: batch.clone(), rows, places: Some(good) })
    }

    fn refuse(&mut self, batch: &Batch, refused: Vec<(usize, Fault)>) -> Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        self.pending.rows = self.pending.rows.saturating_sub(refused.len() as u64);
        let numbers = batch.record_numbers();
        for (row, fault) in refused {
            let number = numbers.get(row).copied().unwrap_or_default();
            let reject = refusal(&batch.records, row, number, fault, &self.task.request)?;
            self.pending.rejects.push(reject.by(self.session.scheme()));
        }
        Ok(())
    }

    /// Sends rows and waits for the answer only when enough is under way.
    async fn send_ahead(&mut self, sent: Ahead) -> Result<()> {
        if sent.rows.num_rows() == 0 {
            return Ok(());
        }
        let mark = self.mark_before();
        let failed = match self.session.load(mark, &sent.rows).await {
            Ok(()) => false,
            Err(Failure::Rows(_)) => true,
            Err(Failure::Fatal(error)) => return Err(error),
        };
        self.ahead.push(sent);
        if failed {
            return self.put_again().await;
        }
        match self.ahead.len() >= AHEAD {
            true => self.answers().await,
            false => Ok(()),
        }
    }

    async fn answers(&mut self) -> Result<()> {
        if self.ahead.is_empty() {
            return Ok(());
        }
        match self.session.settle().await {
            Ok(()) => {
                self.ahead.clear();
                Ok(())
            }
            Err(Failure::Rows(_)) => self.put_again().await,
            Err(Failure::Fatal(error)) => Err(error),
        }
    }

    /// One of the rows under way was refused: all of them are put in batch by batch.
    async fn put_again(&mut self) -> Result<()> {
        self.session.run(ROLLBACK).await.map_err(fatal)?;
        for sent in std::mem::take(&mut self.ahead) {
            self.put_in(sent).await?;
        }
        Ok(())
    }

    async fn put_in(&mut self, sent: Ahead) -> Result<()> {
        let mut refused = self.put(&sent.rows).await?;
        if let Some(places) = &sent.places {
            for (row, _) in &mut refused {
                *row = places.get(*row).copied().unwrap_or(*row);
            }
        }
        refused.sort_by_key(|(row, _)| *row);
        self.refuse(&sent.batch, refused)
    }

    fn without_key(&self, records: &RecordBatch) -> Vec<(usize, Fault)> {
        let mut refused = Vec::new();
        for place in &self.task.key {
            let column = records.column(*place);
            if column.null_count() == 0 {
                continue;
            }
            let name = records.schema_ref().field(*place).name();
            let nulls = (0..column.len()).filter(|row| column.is_null(*row));
            refused.extend(nulls.map(|row| {
                (row, Fault::new("sql.not_null", name, "a value in the key", "nothing"))
            }));
        }
        refused
    }

    /// Puts rows in, as a whole if they all go; else in halves, so that all go in but those that are refused.
    async fn put(&mut self, rows: &RecordBatch) -> Result<Vec<(usize, Fault)>> {
        let mut refused = Vec::new();
        let mut todo = vec![(0, rows.num_rows())];
        while let Some((first, count)) = todo.pop() {
            if count == 0 {
                continue;
            }
            let mark = self.mark_before();
            match self.apply(mark, &rows.slice(first, count)).await {
                Ok(()) => {}
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::Rows(fault)) => {
                    self.session.run(ROLLBACK).await.map_err(fatal)?;
                    if count == 1 {
                        refused.push((first, fault));
                        continue;
                    }
                    let half = count / 2;
                    todo.extend([(first + half, count - half), (first, half)]);
                }
            }
        }
        Ok(refused)
    }

    /// What sets a savepoint in place of the last one; the end of the transaction releases that.
    fn mark_before(&mut self) -> &'static str {
        match std::mem::replace(&mut self.marked, true) {
            true => "RELEASE SAVEPOINT _fenhe; SAVEPOINT _fenhe",
            false => "SAVEPOINT _fenhe",
        }
    }

    async fn apply(&mut self, mark: &str, rows: &RecordBatch) -> Result<(), Failure> {
        self.session.load(mark, rows).await?;
        self.session.settle().await?;
        let plan = &self.task.plan;
        if let Some(doubles) = plan.doubles.as_deref().filter(|_| rows.num_rows() > 1)
            && self.session.finds(doubles).await?
        {
            return Err(Failure::Rows(Fault::new("sql.key", "", "one row a key", "several")));
        }
        for statement in &plan.apply {
            self.session.run(statement).await?;
        }
        match plan.apply.is_empty() {
            true => Ok(()),
            false => self.session.run(&plan.unstage).await,
        }
    }

    async fn end(&mut self) -> Result<()> {
        self.answers().await?;
        if !self.open {
            self.pending.watermark = self.watermark_now();
            return Ok(());
        }
        let request = &self.task.request;
        if let (Some((stored, known)), Some(position)) = (&mut self.standing, &self.position) {
            let next = known.saturating_add(self.batches);
            let text = text_of(position)?;
            let (pipeline, dataset) = (&request.pipeline, &request.dataset);
            if !self.session.store(pipeline, dataset, &text, *known, next).await? {
                return Err(Error::new(
                    Kind::Conflict,
                    "sql.fenced",
                    "another run of the same pipeline wrote to this dataset meanwhile",
                )
                .hint("let one of them run only, then start again from the watermark"));
            }
            (*stored, *known) = (Some(position.clone()), next);
        }
        self.session.commit().await?;
        (self.open, self.marked, self.created, self.batches) = (false, false, true, 0);
        self.pending.watermark = self.standing.as_ref().and_then(|(position, _)| position.clone());
        Ok(())
    }

    /// What became durable. Rows of a transaction that is still open did not; their refusals are known.
    fn settle(&mut self) -> Committed {
        if self.open {
            return Committed { rejects: self.refused(), ..Committed::default() };
        }
        Committed { rejects: self.refused(), ..std::mem::take(&mut self.pending) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Writer for ServerWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.enter()?;
        self.take(batch).await?;
        self.busy = false;
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.enter()?;
        self.answers().await?;
        self.busy = false;
        Ok(())
    }

    fn refused(&mut self) -> Vec<Reject> {
        let mut refused = std::mem::take(&mut self.pending.rejects);
        refused.sort_by_key(|reject| reject.record);
        refused
    }

    fn mark(&mut self, position: &Position) {
        if self.open {
            self.position = Some(position.clone());
        }
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        Ok(self.watermark_now())
    }

    async fn commit(&mut self) -> Result<Committed> {
        self.enter()?;
        // Half of a replacement is worth nothing: it waits for its end.
        if self.task.request.mode != WriteMode::Replace {
            self.end().await?;
        }
        self.busy = false;
        Ok(self.settle())
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        self.enter()?;
        if self.task.request.mode == WriteMode::Replace {
            self.begin().await?;
        }
        self.end().await?;
        Ok(self.settle())
    }
}

fn position_of(text: &str) -> Result<Position> {
    serde_json::from_str(text).map_err(|e| {
        Error::new(Kind::Invalid, "sql.watermark", "the stored watermark is damaged").caused_by(e)
    })
}

fn text_of(position: &Position) -> Result<String> {
    serde_json::to_string(position).map_err(|e| {
        Error::new(Kind::Internal, "sql.watermark", "a position has no text").caused_by(e)
    })
}
