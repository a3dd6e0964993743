//! The connection of a write.

use arrow_array::RecordBatch;
use async_trait::async_trait;
use fenhe_core::{Fault, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value};

use super::encode;
use super::error::{at_commit, fatal, refusal};
use super::native::Native;
use crate::server::{Failure, Session};

/// Rows of one statement, largest first: few statements, so that the server prepares each of them once.
const STEPS: [usize; 4] = [512, 64, 8, 1];
/// Parameters of one statement.
const MOST: usize = 65_535;

/// A connection that inserts rows into one table.
pub(crate) struct MysqlSession {
    pub(crate) conn: Conn,
    pub(crate) natives: Vec<Native>,
    /// `INSERT INTO table (columns) VALUES `.
    pub(crate) insert: String,
    /// What follows the values.
    pub(crate) behind: String,
    /// The table of watermarks, quoted.
    pub(crate) watermarks: String,
}

impl MysqlSession {
    fn statement(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.natives.len()].join(","));
        format!("{}{} {}", self.insert, vec![row.as_str(); rows].join(","), self.behind)
    }
}

#[async_trait]
impl Session for MysqlSession {
    fn scheme(&self) -> &'static str {
        "mysql"
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.conn.query_drop(sql).await.map_err(failure)
    }

    async fn finds(&mut self, sql: &str) -> Result<bool, Failure> {
        let row: Option<Row> = self.conn.query_first(sql).await.map_err(failure)?;
        Ok(row.is_some())
    }

    fn unsendable(&self, rows: &RecordBatch) -> Result<Vec<(usize, Fault)>> {
        let mut faults = Vec::new();
        for ((field, array), native) in
            rows.schema_ref().fields().iter().zip(rows.columns()).zip(&self.natives)
        {
            faults.extend(encode::faults(field.name(), array, &encode::ready(array)?, *native));
        }
        faults.sort_by_key(|(row, _)| *row);
        Ok(faults)
    }

    async fn load(&mut self, mark: &str, rows: &RecordBatch) -> Result<(), Failure> {
        self.run(mark).await.map_err(ending)?;
        let columns = rows.columns().iter().map(encode::ready).collect::<Result<Vec<_>>>()?;
        let most = MOST / self.natives.len().max(1);
        let mut first = 0;
        while first < rows.num_rows() {
            let left = rows.num_rows() - first;
            let fits = |step: &usize| *step <= left && *step <= most.max(1);
            let count = STEPS.into_iter().find(fits).unwrap_or(1);
            let mut values = vec![Vec::with_capacity(columns.len()); count];
            for (column, native) in columns.iter().zip(&self.natives) {
                encode::append(column, *native, first, &mut values);
            }
            let values: Vec<Value> = values.into_iter().flatten().collect();
            let statement = self.statement(count);
            self.conn.exec_drop(statement, Params::Positional(values)).await.map_err(failure)?;
            first += count;
        }
        Ok(())
    }

    async fn standing(&mut self, pipeline: &str, dataset: &str) -> Result<Option<(String, i64)>> {
        let sql = format!(
            "SELECT position, batch FROM {} WHERE pipeline = ? AND dataset = ?",
            self.watermarks
        );
        match self.conn.exec_first(sql, (pipeline, dataset)).await {
            Ok(row) => Ok(row),
            Err(mysql_async::Error::Server(error)) if error.code == 1146 => Ok(None),
            Err(error) => Err(fatal(error)),
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
        let table = &self.watermarks;
        if known == 0 {
            let sql = format!("INSERT INTO {table} VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6))");
            return match self.conn.exec_drop(sql, (pipeline, dataset, position, next)).await {
                Ok(()) => Ok(true),
                Err(mysql_async::Error::Server(error)) if error.code == 1062 => Ok(false),
                Err(error) => Err(fatal(error)),
            };
        }
        let sql = format!(
            "UPDATE {table} SET position = ?, batch = ?, updated = UTC_TIMESTAMP(6) \
             WHERE pipeline = ? AND dataset = ? AND batch = ?"
        );
        self.conn
            .exec_drop(sql, (position, next, pipeline, dataset, known))
            .await
            .map_err(fatal)?;
        Ok(self.conn.affected_rows() == 1)
    }

    async fn commit(&mut self) -> Result<()> {
        self.conn.query_drop("COMMIT").await.map_err(at_commit)
    }
}

/// A savepoint that cannot be set is no fault of a row.
fn ending(failure: Failure) -> Failure {
    Failure::Fatal(crate::server::fatal(failure))
}

fn failure(error: mysql_async::Error) -> Failure {
    if let mysql_async::Error::Server(server) = &error
        && let Some(fault) = refusal(server)
    {
        return Failure::Rows(fault);
    }
    Failure::Fatal(fatal(error))
}
