//! Reading: one statement in a transaction that sees the database as it was at the start.

use std::pin::Pin;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Error, Fault, Kind, Limits, Position, Raw, Reader, Reject, Result, Source, Span,
};
use futures_util::StreamExt;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Row, RowStream};

use super::connection::Connection;
use super::decode;
use super::error::fatal;
use super::plan::{Mark, Plan};
use crate::server::{Values, Wrong, without_rejects};

/// An open read.
pub(crate) struct PostgresReader {
    rows: Pin<Box<RowStream>>,
    /// Ends the stream when it is dropped.
    _connection: Connection,
    plan: Plan,
    limits: Limits,
    source: Arc<Source>,
    columns: Vec<Values>,
    mark: Mark,
    /// The batch at hand. It lives here, so that a call that is dropped loses nothing.
    read: u64,
    bytes: u64,
    rejects: Vec<Reject>,
    ended: bool,
    failed: Option<(Kind, String, String)>,
}

impl PostgresReader {
    pub(crate) async fn open(
        connection: Connection,
        plan: Plan,
        limits: Limits,
        source: String,
    ) -> Result<Self> {
        let parameters = plan.start.after.clone();
        let rows = connection.client.query_raw(&plan.sql, parameters).await.map_err(fatal)?;
        let columns = plan.schema.fields().iter().map(|f| Values::new(f.data_type()));
        Ok(Self {
            rows: Box::pin(rows),
            columns: columns.collect::<Result<_>>()?,
            mark: plan.start.clone(),
            source: Source::named(format!("{source}#{}", plan.dataset)),
            _connection: connection,
            plan,
            limits,
            read: 0,
            bytes: 0,
            rejects: Vec::new(),
            ended: false,
            failed: None,
        })
    }

    fn take(&mut self, row: &Row) -> Result<()> {
        let number = self.mark.records.saturating_add(1);
        let mut faults = Vec::new();
        for (index, column) in self.columns.iter_mut().enumerate() {
            let value: Option<Stored<'_>> = row.try_get(index).map_err(fatal)?;
            let Some(Stored(value)) = value else {
                column.append_null();
                self.bytes += 1;
                continue;
            };
            self.bytes += value.len() as u64 + 4;
            if let Err(wrong) = decode::append(column, value, self.limits.field) {
                column.append_null();
                faults.push((index, wrong));
            }
        }
        self.mark.after.clear();
        for index in 0..self.plan.key {
            let key: &str = row.try_get(self.columns.len() + index).map_err(fatal)?;
            self.mark.after.push(key.into());
        }
        self.mark.records = number;
        self.read += 1;
        if !faults.is_empty() {
            self.rejects.push(self.reject(row, number, &faults));
        }
        Ok(())
    }

    fn batch(&mut self) -> Result<Option<Batch>> {
        let (read, rejects) = (std::mem::take(&mut self.read), std::mem::take(&mut self.rejects));
        self.bytes = 0;
        if read == 0 {
            return Ok(None);
        }
        let first = self.mark.records.saturating_sub(read).saturating_add(1);
        let records = without_rejects(&self.plan.schema, &mut self.columns, first, read, &rejects)?;
        let span = Span { first, read, ..Span::default() };
        Batch::new(records, rejects, span, self.mark.position()?).map(Some)
    }

    /// The row as one JSON object, with values in the binary form of the server, for a person who looks for it.
    fn reject(&self, row: &Row, number: u64, faults: &[(usize, Wrong)]) -> Reject {
        let fields = self.plan.schema.fields();
        let members = fields.iter().enumerate().map(|(index, field)| {
            let value = match row.try_get::<_, Option<Stored<'_>>>(index) {
                Ok(Some(Stored(bytes))) => match (std::str::from_utf8(bytes), field.data_type()) {
                    (Ok(text), arrow_schema::DataType::Utf8) => text.into(),
                    _ => serde_json::Value::from(hex(bytes)),
                },
                _ => serde_json::Value::Null,
            };
            format!("{}:{value}", serde_json::Value::from(field.name().as_str()))
        });
        let raw = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let mut faults = faults.iter().map(|(index, wrong)| {
            let field = fields.get(*index).map_or("", |f| f.name().as_str());
            let kind = fields.get(*index).map_or(&arrow_schema::DataType::Null, |f| f.data_type());
            wrong.fault(field, kind, self.limits.field)
        });
        let fault = faults.next().unwrap_or_else(|| Fault::new("sql.row", "", "a row", "none"));
        let mut reject = Reject::new(fault)
            .at(number, 0, 0)
            .raw_bytes(raw.as_bytes(), self.limits.reject_raw)
            .from_source(&self.source)
            .by("postgres")
            .and(faults);
        reject.raw_is = Raw::Row;
        reject.dataset.clone_from(&self.plan.dataset);
        reject
    }

    async fn advance(&mut self) -> Result<Option<Batch>> {
        while self.read < self.limits.batch_rows.max(1) && self.bytes < self.limits.batch_bytes {
            match self.rows.next().await {
                Some(row) => self.take(&row.map_err(fatal)?)?,
                None => {
                    self.ended = true;
                    break;
                }
            }
        }
        self.batch()
    }
}

#[async_trait]
impl Reader for PostgresReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.plan.schema)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        if let Some((kind, code, message)) = &self.failed {
            return Err(Error::new(*kind, code.clone(), message.clone()));
        }
        if self.ended {
            return Ok(None);
        }
        let result = self.advance().await;
        if let Err(error) = &result {
            self.failed = Some((error.kind(), error.code().into(), error.message().into()));
        }
        result
    }

    async fn commit(&mut self, _: &Position) -> Result<()> {
        Ok(())
    }
}

/// A value as it came.
struct Stored<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Stored<'a> {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    fenhe_values::format::hex(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
