//! Writing: rows go into an open transaction, on a blocking thread.

use std::sync::Arc;

use arrow_array::Array;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Committed, Error, Fault, Kind, Position, Reject, Result, WriteMode, WriteRequest, Writer,
};
use rusqlite::Connection;

use super::bind::{Parameter, Refusal};
use super::catalogue::{OWN, Table};
use super::connection::to_write;
use super::error::{at_commit, config, fatal, refusal};
use super::native::{self, Native};
use super::staged::{self, Staged, Target};
use super::watermark::Watermark;
use super::{SqliteConfig, SqliteDialect};
use crate::blocking::{Job, outcome};
use crate::refuse::{refusal as refusal_of, same_schema};
use crate::statement;
use crate::tombstone::{DELETED, Tombstone, loaded, marked};

/// An open write.
pub(crate) struct SqliteWriter {
    work: Option<Box<Work>>,
    job: Option<Job<(Box<Work>, Result<()>)>>,
    /// Stays set after an error that ended the write.
    poisoned: bool,
}

/// The blocking half of a writer: a connection with its transaction.
pub(crate) struct Work {
    connection: Connection,
    request: WriteRequest,
    /// `CREATE TABLE`, if the table is not there.
    create: Option<String>,
    insert: String,
    /// Where one statement a row is not enough.
    staged: Option<Staged>,
    marker: Option<usize>,
    marker_is_column: bool,
    targets: Vec<Native>,
    /// Places of the key columns in the schema.
    key: Vec<usize>,
    watermark: Option<Watermark>,
    open: bool,
    pending: Committed,
    position: Option<Position>,
    batches: i64,
}

impl SqliteWriter {
    pub(crate) fn new(work: Work) -> Self {
        Self { work: Some(Box::new(work)), job: None, poisoned: false }
    }

    /// The blocking half, once it has done what it was given before.
    async fn settled(&mut self) -> Result<Box<Work>> {
        if let Some((work, result)) = outcome(&mut self.job).await? {
            match result {
                Ok(()) => self.work = Some(work),
                Err(error) => {
                    self.poisoned = true;
                    return Err(error);
                }
            }
        }
        self.work.take().filter(|_| !self.poisoned).ok_or_else(|| Error::poisoned("sqlite"))
    }

    fn start(
        &mut self,
        mut work: Box<Work>,
        task: impl FnOnce(&mut Work) -> Result<()> + Send + 'static,
    ) {
        self.job = Some(Job::start(move || {
            let result = task(&mut work);
            (work, result)
        }));
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Writer for SqliteWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let work = self.settled().await?;
        let batch = batch.clone();
        self.start(work, move |work| work.write(&batch));
        // Waits, so that `refused` knows the refusals of this very batch.
        let work = self.settled().await?;
        self.work = Some(work);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn refused(&mut self) -> Vec<Reject> {
        self.work.as_mut().map(|work| std::mem::take(&mut work.pending.rejects)).unwrap_or_default()
    }

    fn mark(&mut self, position: &Position) {
        if let Some(work) = self.work.as_mut().filter(|work| work.open) {
            work.position = Some(position.clone());
        }
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        let work = self.settled().await?;
        let position = work.standing();
        self.work = Some(work);
        Ok(position)
    }

    async fn commit(&mut self) -> Result<Committed> {
        let work = self.settled().await?;
        self.start(work, Work::commit);
        let mut work = self.settled().await?;
        let committed = work.settle();
        self.work = Some(work);
        Ok(committed)
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        let work = self.settled().await?;
        self.start(work, Work::finish);
        let mut work = self.settled().await?;
        Ok(work.settle())
    }
}

impl Work {
    /// Checks everything that can be checked before the first row. Blocks.
    pub(crate) fn open(settings: &SqliteConfig, request: WriteRequest) -> Result<Self> {
        let name = request.dataset.clone();
        if name.is_empty() || name.starts_with("sqlite_") || name.starts_with(OWN) {
            return Err(config("sql.name", format!("a table cannot be called {name:?}")));
        }
        // Refuse the names and types before the file is made.
        statement::create_table(&SqliteDialect, &name, &request.schema, &request.key)?;
        let front = settings.front()?;
        staged::no_control_columns(front.as_ref(), &request.schema)?;
        let marker = match &settings.deleted {
            None => None,
            Some(name) => {
                let names = std::slice::from_ref(name);
                fenhe_core::schema::projection(&request.schema, names)?.first().copied()
            }
        };
        let marker_is_column = settings.tombstone == Tombstone::Mark;
        let sent = loaded(&request.schema, marker, marker_is_column);
        let connection = to_write(settings)?;
        let table = Table::find(&connection, &name, settings.types)?;
        let key = key_of(&connection, table.as_ref(), &request, front.is_some(), marker.is_some())?;
        let target = Target {
            settings,
            request: &request,
            sent: &sent,
            key: &key,
            marker: marker
                .and_then(|place| request.schema.fields().get(place))
                .map(|f| f.name().as_str()),
            front: front.as_ref(),
        };
        let (create, staged) = (target.create()?, Staged::plan(&target)?);
        let columns: Vec<_> = sent.fields().iter().map(|f| f.name().clone()).collect();
        let upsert = (request.mode == WriteMode::Upsert).then_some(key.as_slice());
        let insert = match &staged {
            Some(staged) => staged.load.clone(),
            None => statement::insert(&SqliteDialect, &name, &columns, upsert)?,
        };
        Ok(Self {
            insert,
            staged,
            marker,
            marker_is_column,
            targets: targets(table.as_ref(), &sent)?,
            watermark: Watermark::load(&connection, &request.pipeline, &name)?,
            create: table.is_none().then_some(create),
            key: fenhe_core::schema::projection(&request.schema, &key)?,
            connection,
            request,
            open: false,
            pending: Committed::default(),
            position: None,
            batches: 0,
        })
    }

    /// The watermark that a restarted run goes on from. A replace starts over.
    fn standing(&self) -> Option<Position> {
        let kept = self.watermark.as_ref().filter(|_| self.request.mode != WriteMode::Replace);
        kept.and_then(|w| w.position.clone())
    }

    /// What became durable. Rows of a transaction that is still open did not; their refusals are known.
    fn settle(&mut self) -> Committed {
        if self.open {
            let rejects = std::mem::take(&mut self.pending.rejects);
            return Committed { rejects, ..Committed::default() };
        }
        std::mem::take(&mut self.pending)
    }

    fn begin(&mut self) -> Result<()> {
        if self.open {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(fatal)?;
        self.open = true;
        if let Some(create) = &self.create {
            self.connection.execute_batch(create).map_err(fatal)?;
        } else if self.request.mode == WriteMode::Replace {
            use crate::Dialect;
            let table = SqliteDialect.quote(&self.request.dataset)?;
            self.connection.execute_batch(&format!("DELETE FROM {table}")).map_err(fatal)?;
        }
        if let Some(staged) = &self.staged {
            let make = format!("DROP TABLE IF EXISTS temp._fenhe_stage; {}", staged.create);
            self.connection.execute_batch(&make).map_err(fatal)?;
        }
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        same_schema(&batch.records, &self.request.schema)?;
        self.begin()?;
        self.insert(batch)?;
        self.position = Some(batch.position.clone());
        self.batches += 1;
        Ok(())
    }

    fn insert(&mut self, batch: &Batch) -> Result<()> {
        let (records, faults) = match self.marker {
            Some(marker) => marked(&batch.records, marker, self.marker_is_column)?,
            None => (batch.records.clone(), Vec::new()),
        };
        let schema = records.schema_ref();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .zip(records.columns())
            .zip(&self.targets)
            .map(|((field, array), target)| Parameter::new(field.name(), array, *target))
            .collect::<Result<_>>()?;
        let mut faults = faults.into_iter().peekable();
        let mut statement = self.connection.prepare_cached(&self.insert).map_err(fatal)?;
        let mut scratch = Vec::with_capacity(64);
        let mut refused = Vec::new();
        for row in 0..batch.rows() {
            if let Some(fault) = faults.next_if(|(at, _)| *at == row) {
                refused.push(fault);
                continue;
            }
            if let Some(fault) = self.without_key(batch, row) {
                refused.push((row, fault));
                continue;
            }
            if self.staged.is_some() {
                staged::mark(&self.connection)?;
            }
            let bound = columns.iter().zip(1..).try_for_each(|(column, number)| {
                column.bind(&mut statement, number, row, &mut scratch)
            });
            let done = bound
                .and_then(|()| statement.raw_execute().map_err(Refusal::Statement))
                .and_then(|_| match &self.staged {
                    Some(staged) => staged.run(&self.connection).map_err(Refusal::Statement),
                    None => Ok(()),
                });
            let good = done.is_ok();
            match done {
                Ok(()) => {}
                Err(Refusal::Row(fault)) => refused.push((row, fault)),
                Err(Refusal::Statement(error)) => {
                    // A refused row leaves the transaction open; any other error may have ended it.
                    let fault = refusal(&error).filter(|_| !self.connection.is_autocommit());
                    refused.push((row, fault.ok_or_else(|| fatal(error))?));
                }
            }
            if self.staged.is_some() {
                staged::release(&self.connection, good)?;
            }
        }
        drop(statement);
        let rows = batch.rows() as u64;
        self.pending.rows += rows.saturating_sub(refused.len() as u64);
        let rejects = self.rejects(batch, refused)?;
        self.pending.rejects.extend(rejects);
        Ok(())
    }

    #[inline]
    fn without_key(&self, batch: &Batch, row: usize) -> Option<Fault> {
        let place = self.key.iter().find(|k| batch.records.column(**k).is_null(row))?;
        let name = batch.records.schema_ref().field(*place).name();
        Some(Fault::new("sql.not_null", name, "a value in the key", "nothing"))
    }

    #[cold]
    fn rejects(&self, batch: &Batch, refused: Vec<(usize, Fault)>) -> Result<Vec<Reject>> {
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = batch.record_numbers();
        let reject = |(row, fault): (usize, Fault)| {
            let number = numbers.get(row).copied().unwrap_or_default();
            Ok(refusal_of(&batch.records, row, number, fault, &self.request)?.by("sqlite"))
        };
        refused.into_iter().map(reject).collect()
    }

    /// Makes the rows durable, together with the watermark. A replace waits for its end: half of it is
    /// worth nothing, so until then nothing counts as durable.
    fn commit(&mut self) -> Result<()> {
        if self.request.mode == WriteMode::Replace {
            return Ok(());
        }
        self.end()
    }

    fn finish(&mut self) -> Result<()> {
        if self.request.mode == WriteMode::Replace {
            self.begin()?;
        }
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if !self.open {
            self.pending.watermark = self.standing();
            return Ok(());
        }
        if let (Some(watermark), Some(position)) = (&mut self.watermark, &self.position) {
            watermark.store(&self.connection, position, self.batches)?;
        }
        self.connection.execute_batch("COMMIT").map_err(at_commit)?;
        (self.open, self.create, self.batches) = (false, None, 0);
        self.pending.watermark = self.watermark.as_ref().and_then(|w| w.position.clone());
        Ok(())
    }
}

/// The natural key: the one asked for, else the primary key.
fn key_of(
    connection: &Connection,
    table: Option<&Table>,
    request: &WriteRequest,
    reported: bool,
    deletes: bool,
) -> Result<Vec<String>> {
    let upsert = request.mode == WriteMode::Upsert;
    let known = table.map(Table::key).unwrap_or_default();
    let key = if request.key.is_empty() { &known } else { &request.key };
    if !upsert && !reported && !deletes {
        return Ok(Vec::new());
    }
    if key.is_empty() {
        return Err(config("sql.key", "this write needs a key, and the table has none")
            .hint("name the key columns"));
    }
    if let Some(table) = table.filter(|_| upsert && !reported) {
        // The database itself knows best whether it can tell rows apart by these columns.
        let upsert = statement::insert(&SqliteDialect, &table.name, key, Some(key))?;
        connection.prepare(&upsert).map_err(|e| {
            config("sql.key", format!("the table has no unique index over {}", key.join(", ")))
                .caused_by(e)
                .hint("make one, or name the columns of the primary key")
        })?;
    }
    Ok(key.clone())
}

/// What every column of the schema meets in the table.
fn targets(table: Option<&Table>, schema: &SchemaRef) -> Result<Vec<Native>> {
    let target = |field: &Arc<arrow_schema::Field>| {
        if field.name() == DELETED {
            return Ok(Native::Boolean);
        }
        let Some(table) = table else { return Ok(Native::of(&native::declare(field)?)) };
        let Some(column) = table.column(field.name()).filter(|c| !c.generated) else {
            let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
            return Err(config(
                "sql.column",
                format!("table {} has no column {} to write", table.name, field.name()),
            )
            .hint(format!("its columns are {}", names.join(", "))));
        };
        if column.native.keeps(field.data_type()) {
            return Ok(column.native);
        }
        Err(Error::new(
            Kind::Config,
            "sql.type",
            format!(
                "column {} of table {} would change values of type {}",
                column.name,
                table.name,
                field.data_type()
            ),
        )
        .at_field(field.name())
        .hint("map the field to the type of the column"))
    };
    schema.fields().iter().map(target).collect()
}
