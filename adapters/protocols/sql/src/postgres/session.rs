//! The connection of a write.

use std::pin::Pin;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{Fault, Result};
use futures_util::SinkExt;
use futures_util::future::join;
use tokio_postgres::{CopyInSink, Statement};

use super::connection::Connection;
use super::encode;
use super::error::{at_commit, fatal, refusal};
use super::native::Native;
use crate::server::{Failure, Session};

/// Rows that are encoded before they are sent: the server works on them while the next ones are encoded.
const CHUNK: usize = 512;

/// A connection that copies rows into one table.
pub(crate) struct PostgresSession {
    pub(crate) connection: Connection,
    pub(crate) natives: Vec<Native>,
    /// `COPY ... FROM STDIN`.
    pub(crate) copy: String,
    /// Prepared at its first use, when the table is there.
    pub(crate) prepared: Option<Statement>,
    /// The table of watermarks, quoted.
    pub(crate) watermarks: String,
    /// A `COPY` that takes more rows.
    pub(crate) under_way: Option<Pin<Box<CopyInSink<Bytes>>>>,
}

impl PostgresSession {
    /// The savepoint and `COPY` are asked for together: one way to the server and back for both.
    async fn begin_copy(&mut self, mark: &str) -> Result<CopyInSink<Bytes>, Failure> {
        let client = &self.connection.client;
        let statement = match &self.prepared {
            Some(statement) => statement,
            None => self.prepared.insert(client.prepare(&self.copy).await.map_err(fatal)?),
        };
        let (marked, sink) = join(client.batch_execute(mark), client.copy_in(statement)).await;
        // A savepoint that cannot be set is no fault of a row.
        marked.map_err(|error| Failure::Fatal(fatal(error)))?;
        sink.map_err(failure)
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn scheme(&self) -> &'static str {
        "postgres"
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection.client.batch_execute(sql).await.map_err(failure)
    }

    async fn finds(&mut self, sql: &str) -> Result<bool, Failure> {
        self.connection.client.query_opt(sql, &[]).await.map(|row| row.is_some()).map_err(failure)
    }

    fn unsendable(&self, rows: &RecordBatch) -> Result<Vec<(usize, Fault)>> {
        let ready = encode::all_ready(rows, &self.natives)?;
        let mut faults = Vec::new();
        let fields = rows.schema_ref().fields().iter();
        let columns = rows.columns().iter().zip(&ready).zip(&self.natives);
        for (field, ((array, ready), native)) in fields.zip(columns) {
            faults.extend(encode::faults(field.name(), array, ready, *native));
        }
        faults.sort_by_key(|(row, _)| *row);
        Ok(faults)
    }

    fn sends_ahead(&self) -> bool {
        true
    }

    async fn load(&mut self, mark: &str, rows: &RecordBatch) -> Result<(), Failure> {
        let columns = encode::all_ready(rows, &self.natives)?;
        let mut out = BytesMut::new();
        let mut sink = match self.under_way.take() {
            Some(sink) => sink,
            None => {
                out.extend_from_slice(encode::HEADER);
                Box::pin(self.begin_copy(mark).await?)
            }
        };
        for first in (0..rows.num_rows()).step_by(CHUNK) {
            let last = rows.num_rows().min(first + CHUNK);
            encode::rows(&columns, &self.natives, first..last, &mut out);
            sink.send(out.split().freeze()).await.map_err(failure)?;
        }
        self.under_way = Some(sink);
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(mut sink) = self.under_way.take() else { return Ok(()) };
        sink.send(Bytes::from_static(encode::TRAILER)).await.map_err(failure)?;
        sink.as_mut().finish().await.map(drop).map_err(failure)
    }

    async fn standing(&mut self, pipeline: &str, dataset: &str) -> Result<Option<(String, i64)>> {
        let client = &self.connection.client;
        let there = "SELECT to_regclass($1) IS NOT NULL";
        let there = client.query_one(there, &[&self.watermarks]).await;
        if !there.and_then(|row| row.try_get::<_, bool>(0)).map_err(fatal)? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT position, batch FROM {} WHERE pipeline = $1 AND dataset = $2",
            self.watermarks
        );
        match client.query_opt(&sql, &[&pipeline, &dataset]).await.map_err(fatal)? {
            Some(row) => Ok(Some((row.try_get(0).map_err(fatal)?, row.try_get(1).map_err(fatal)?))),
            None => Ok(None),
        }
    }

    async fn store(
        &mut self,
        pipeline: &str,
        dataset: &str,
        position: &str,
        known: i64,
        next: i64,
    ) -> Result<bool> {
        let client = &self.connection.client;
        let table = &self.watermarks;
        if known == 0 {
            let create = format!(
                "CREATE TABLE IF NOT EXISTS {table} (pipeline text NOT NULL, dataset text NOT NULL, \
                 position text NOT NULL, batch bigint NOT NULL, updated timestamptz NOT NULL, \
                 PRIMARY KEY (pipeline, dataset))"
            );
            client.batch_execute(&create).await.map_err(fatal)?;
        }
        let sql = format!(
            "INSERT INTO {table} AS w VALUES ($1, $2, $3, $5, clock_timestamp()) \
             ON CONFLICT (pipeline, dataset) DO UPDATE SET position = excluded.position, \
             batch = excluded.batch, updated = excluded.updated WHERE w.batch = $4"
        );
        let changed = client.execute(&sql, &[&pipeline, &dataset, &position, &known, &next]).await;
        Ok(changed.map_err(fatal)? == 1)
    }

    async fn commit(&mut self) -> Result<()> {
        self.connection.client.batch_execute("COMMIT").await.map_err(at_commit)
    }
}

fn failure(error: tokio_postgres::Error) -> Failure {
    match error.as_db_error().and_then(refusal) {
        Some(fault) => Failure::Rows(fault),
        None => Failure::Fatal(fatal(error)),
    }
}
