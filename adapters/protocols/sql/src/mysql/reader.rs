//! Reading: one statement in a transaction that sees the database as it was at the start.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, Error, Fault, Kind, Limits, Position, Raw, Reader, Reject, Result, Source, Span,
};
use futures_util::StreamExt;
use mysql_async::prelude::{Query, WithParams};
use mysql_async::{BinaryProtocol, Conn, ResultSetStream, Row, Value};

use super::decode;
use super::error::fatal;
use super::plan::{Key, Mark, Plan};
use crate::server::{Values, Wrong, without_rejects};

/// An open read.
pub(crate) struct MysqlReader {
    rows: ResultSetStream<'static, 'static, 'static, Row, BinaryProtocol>,
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

impl MysqlReader {
    pub(crate) async fn open(
        conn: Conn,
        plan: Plan,
        limits: Limits,
        source: String,
    ) -> Result<Self> {
        let query = plan.sql.clone().with(plan.start.parameters());
        let rows = query.stream::<Row, _>(conn).await.map_err(fatal)?;
        let columns = plan.schema.fields().iter().map(|f| Values::new(f.data_type()));
        Ok(Self {
            rows,
            columns: columns.collect::<Result<_>>()?,
            mark: plan.start.clone(),
            source: Source::named(format!("{source}#{}", plan.dataset)),
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
            let value = row.as_ref(index).unwrap_or(&Value::NULL);
            self.bytes += match value {
                Value::Bytes(bytes) => bytes.len() as u64 + 4,
                _ => 8,
            };
            if let Err(wrong) = decode::append(column, value, self.limits.field) {
                column.append_null();
                faults.push((index, wrong));
            }
        }
        self.mark.after.clear();
        for index in 0..self.plan.key {
            let key = row.as_ref(self.columns.len() + index).unwrap_or(&Value::NULL);
            self.mark.after.push(Key::of(key)?);
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

    /// The row as one JSON object, with values as the server writes them, for a person who looks for it.
    fn reject(&self, row: &Row, number: u64, faults: &[(usize, Wrong)]) -> Reject {
        let fields = self.plan.schema.fields();
        let members = fields.iter().enumerate().map(|(index, field)| {
            let value = match row.as_ref(index) {
                Some(Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                    Ok(text) => text.into(),
                    Err(_) => serde_json::Value::from(hex(bytes)),
                },
                Some(Value::NULL) | None => serde_json::Value::Null,
                Some(other) => other.as_sql(true).trim_matches('\'').into(),
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
            .by("mysql")
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
impl Reader for MysqlReader {
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

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    fenhe_values::format::hex(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
