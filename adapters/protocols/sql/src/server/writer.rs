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
        let refused = self.send(&batch.records).await?;
        let rows = batch.rows() as u64;
        self.pending.rows += rows.saturating_sub(refused.len() as u64);
        if !refused.is_empty() {
            let numbers = batch.record_numbers();
            for (row, fault) in refused {
                let number = numbers.get(row).copied().unwrap_or_default();
                let reject = refusal(&batch.records, row, number, fault, &self.task.request)?;
                self.pending.rejects.push(reject.by(self.session.scheme()));
            }
        }
        self.position = Some(batch.position.clone());
        self.batches += 1;
        Ok(())
    }

    /// Sends the rows; those that do not go in, by number in the batch, in order.
    async fn send(&mut self, records: &RecordBatch) -> Result<Vec<(usize, Fault)>> {
        let mut refused = self.without_key(records);
        let rows = match self.task.marker {
            None => records.clone(),
            Some(marker) => {
                let (rows, faults) = marked(records, marker, self.task.marker_is_column)?;
                refused.extend(faults);
                rows
            }
        };
        refused.extend(self.session.unsendable(&rows)?);
        refused.sort_by_key(|(row, _)| *row);
        refused.dedup_by_key(|(row, _)| *row);
        if refused.is_empty() {
            return self.put(&rows).await;
        }
        let bad: BTreeSet<usize> = refused.iter().map(|(row, _)| *row).collect();
        let good: Vec<usize> = (0..rows.num_rows()).filter(|row| !bad.contains(row)).collect();
        let mask: BooleanArray =
            (0..rows.num_rows()).map(|row| Some(!bad.contains(&row))).collect();
        let rows = arrow_select::filter::filter_record_batch(&rows, &mask)?;
        for (row, fault) in self.put(&rows).await? {
            refused.extend(good.get(row).map(|row| (*row, fault)));
        }
        refused.sort_by_key(|(row, _)| *row);
        Ok(refused)
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
            // Both in one statement; the end of the transaction releases the last one.
            let mark = match std::mem::replace(&mut self.marked, true) {
                true => "RELEASE SAVEPOINT _fenhe; SAVEPOINT _fenhe",
                false => "SAVEPOINT _fenhe",
            };
            match self.apply(mark, &rows.slice(first, count)).await {
                Ok(()) => {}
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::Rows(fault)) => {
                    self.session.run("ROLLBACK TO SAVEPOINT _fenhe").await.map_err(fatal)?;
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

    async fn apply(&mut self, mark: &str, rows: &RecordBatch) -> Result<(), Failure> {
        self.session.load(mark, rows).await?;
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
            let rejects = std::mem::take(&mut self.pending.rejects);
            return Committed { rejects, ..Committed::default() };
        }
        std::mem::take(&mut self.pending)
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

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.pending.rejects)
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
