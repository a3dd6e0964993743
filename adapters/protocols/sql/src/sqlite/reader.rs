//! Reading: one statement runs on a thread of the reader's own, two batches ahead at most.

use std::sync::Arc;
use std::thread::JoinHandle;

use arrow_array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Error, Fault, Kind, Limits, Position, Raw, ReadRequest, Reader, Reject, Result, Source,
    Span,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle, Row, Rows};
use tokio::sync::mpsc;

use super::SqliteConfig;
use super::catalogue::Table;
use super::columns::Column;
use super::connection::to_read;
use super::error::fatal;
use super::plan::{Mark, Plan};
use crate::front::View;

type Item = Result<Option<Batch>>;

/// An open read. All its batches see the database as it was at the start.
pub(crate) struct SqliteReader {
    schema: SchemaRef,
    batches: mpsc::Receiver<Item>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
    ended: bool,
    /// Why the read failed, to say it again.
    failed: Option<(Kind, String, String)>,
}

impl SqliteReader {
    /// Blocks: to be called off the async threads.
    pub(crate) fn open(settings: &SqliteConfig, request: &ReadRequest) -> Result<Self> {
        let connection = to_read(settings)?;
        // The transaction starts with the look at the catalogue: the table cannot change in between.
        connection.execute_batch("BEGIN").map_err(fatal)?;
        let table = table_of(&connection, settings, &request.dataset)?;
        if let Some(partition) = &request.partition {
            return Err(Error::new(
                Kind::NotFound,
                "sql.partition",
                format!("no partition {partition:?}"),
            ));
        }
        let plan = Plan::new(&table, request)?;
        connection.prepare(&plan.sql).map_err(fatal)?;
        let (schema, interrupt) = (Arc::clone(&plan.schema), connection.get_interrupt_handle());
        let (sender, batches) = mpsc::channel(1);
        let source = Source::named(format!("{}#{}", settings.path.display(), plan.dataset));
        let pump = Pump { plan, limits: request.limits.clone(), source, sender };
        let thread = std::thread::Builder::new()
            .name("fenhe-sqlite-read".into())
            .spawn(move || pump.run(&connection))?;
        Ok(Self { schema, batches, interrupt, thread: Some(thread), ended: false, failed: None })
    }
}

#[async_trait]
impl Reader for SqliteReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        if let Some((kind, code, message)) = &self.failed {
            return Err(Error::new(*kind, code.clone(), message.clone()));
        }
        if self.ended {
            return Ok(None);
        }
        let gone =
            || Err(Error::new(Kind::Internal, "sql.task", "the thread of the reader was ended"));
        match self.batches.recv().await.unwrap_or_else(gone) {
            Ok(Some(batch)) => Ok(Some(batch)),
            Ok(None) => {
                self.ended = true;
                Ok(None)
            }
            Err(error) => {
                self.failed = Some((error.kind(), error.code().into(), error.message().into()));
                Err(error)
            }
        }
    }

    async fn commit(&mut self, _: &Position) -> Result<()> {
        Ok(())
    }
}

impl Drop for SqliteReader {
    fn drop(&mut self) {
        self.batches.close();
        self.interrupt.interrupt();
        if let Some(thread) = self.thread.take() {
            // It ends at the next row; a panic in it was already reported as a missing end.
            let _ = thread.join();
        }
    }
}

/// The blocking half of a reader.
struct Pump {
    plan: Plan,
    limits: Limits,
    source: Arc<Source>,
    sender: mpsc::Sender<Item>,
}

impl Pump {
    fn run(&self, connection: &Connection) {
        if let Err(error) = self.send_all(connection) {
            // Nobody listens when the reader was dropped.
            let _ = self.sender.blocking_send(Err(error));
        }
    }

    fn send_all(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(&self.plan.sql).map_err(fatal)?;
        let parameters = self.plan.parameters();
        for (number, value) in (1..).zip(&parameters) {
            statement.raw_bind_parameter(number, value).map_err(fatal)?;
        }
        let mut rows = statement.raw_query();
        let mut mark = self.plan.start.clone();
        let mut columns: Vec<_> = self
            .plan
            .schema
            .fields()
            .iter()
            .zip(&self.plan.natives)
            .map(|(field, native)| Column::new(field.name(), *native))
            .collect();
        loop {
            let batch = self.batch(&mut rows, &mut columns, &mut mark)?;
            let ended = batch.is_none();
            if self.sender.blocking_send(Ok(batch)).is_err() || ended {
                return Ok(());
            }
        }
    }

    fn batch(
        &self,
        rows: &mut Rows<'_>,
        columns: &mut [Column],
        mark: &mut Mark,
    ) -> Result<Option<Batch>> {
        let first = mark.records.saturating_add(1);
        let (mut read, mut bytes) = (0, 0);
        let mut rejects: Vec<Reject> = Vec::new();
        while read < self.limits.batch_rows.max(1) && bytes < self.limits.batch_bytes {
            let Some(row) = rows.next().map_err(fatal)? else { break };
            read += 1;
            let (size, faults) = self.append(row, columns)?;
            bytes += size;
            if !faults.is_empty() {
                rejects.push(self.reject(row, first + read - 1, faults));
            }
            self.plan.advance(mark, row)?;
        }
        if read == 0 {
            return Ok(None);
        }
        let records = self.records(columns, first, read, &rejects)?;
        let span = Span { first, read, ..Span::default() };
        Batch::new(records, rejects, span, Plan::position(mark)?).map(Some)
    }

    /// Appends a row to the columns; its size, and what is wrong with it.
    fn append(&self, row: &Row<'_>, columns: &mut [Column]) -> Result<(u64, Vec<Fault>)> {
        let (mut size, mut faults) = (0, Vec::new());
        for (index, column) in columns.iter_mut().enumerate() {
            let value = row.get_ref(index).map_err(fatal)?;
            size += match value {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() as u64 + 4,
                _ => 8,
            };
            if let Err(fault) = column.append(value, self.limits.field) {
                faults.push(fault);
            }
        }
        Ok((size, faults))
    }

    fn records(
        &self,
        columns: &mut [Column],
        first: u64,
        read: u64,
        rejects: &[Reject],
    ) -> Result<RecordBatch> {
        let arrays = columns.iter_mut().map(Column::finish).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(usize::try_from(read).ok());
        // A null that only holds the place of a rejected value may stand in a column without nulls.
        let nullable =
            self.plan.schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
        let loose = arrow_schema::Schema::new_with_metadata(
            nullable.collect::<Vec<_>>(),
            self.plan.schema.metadata().clone(),
        );
        let mut all = RecordBatch::try_new_with_options(Arc::new(loose), arrays, &options)?;
        if !rejects.is_empty() {
            let mut bad = rejects.iter().map(|r| r.record - first).peekable();
            let good: BooleanArray =
                (0..read).map(|n| Some(bad.next_if_eq(&n).is_none())).collect();
            all = arrow_select::filter::filter_record_batch(&all, &good)?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(all.num_rows()));
        let arrays = all.columns().to_vec();
        RecordBatch::try_new_with_options(Arc::clone(&self.plan.schema), arrays, &options).map_err(
            |e| {
                Error::new(
                    Kind::Invalid,
                    "sql.null_in_key",
                    "a column that is declared without nulls holds one",
                )
                .caused_by(e)
                .hint("the table was changed by force: run PRAGMA integrity_check")
            },
        )
    }

    /// The row as one JSON object, for a replay.
    fn reject(&self, row: &Row<'_>, number: u64, faults: Vec<Fault>) -> Reject {
        let members = self.plan.schema.fields().iter().enumerate().map(|(i, field)| {
            let value = row.get_ref(i).map_or(serde_json::Value::Null, json);
            format!("{}:{value}", serde_json::Value::from(field.name().as_str()))
        });
        let raw = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let mut faults = faults.into_iter();
        let fault = faults.next().unwrap_or_else(|| Fault::new("sql.row", "", "a row", "none"));
        let mut reject = Reject::new(fault)
            .at(number, 0, 0)
            .raw_bytes(raw.as_bytes(), self.limits.reject_raw)
            .from_source(&self.source)
            .by("sqlite")
            .and(faults);
        reject.raw_is = Raw::Row;
        reject.dataset.clone_from(&self.plan.dataset);
        reject
    }
}

/// The table of a request; an empty name means the only one.
fn table_of(connection: &Connection, settings: &SqliteConfig, name: &str) -> Result<Table> {
    if !name.is_empty()
        && let Some(table) = Table::find(connection, name, settings.types)?
    {
        return match settings.front()? {
            Some(front) => front.view(table, name, View::Current),
            None => Ok(table),
        };
    }
    if let Some((base, view)) = View::of(name)
        && let Some(mut table) = Table::find(connection, base, settings.types)?
    {
        table.dataset = Some(format!("{}{}", table.name, view.suffix()));
        return settings.front_names()?.view(table, base, view);
    }
    let mut all = Table::all(connection, settings.types)?;
    if name.is_empty() && all.len() == 1 {
        return Ok(all.swap_remove(0));
    }
    let names: Vec<_> = all.iter().map(|t| t.name.as_str()).collect();
    Err(Error::new(
        Kind::NotFound,
        "sql.table",
        format!("no table {name:?}; there are: {}", names.join(", ")),
    )
    .source_name(settings.path.display().to_string()))
}

fn json(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(n) => n.into(),
        ValueRef::Real(n) => n.into(),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => hex(bytes).into(),
        },
        ValueRef::Blob(bytes) => hex(bytes).into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    fenhe_values::format::hex(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
