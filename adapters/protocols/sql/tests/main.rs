//! One test binary: conformance, reading what others wrote, writing, faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod faults;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod reading;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod tls;
mod writing;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use fenhe_core::{Batch, Limits, Position, Span, WriteMode, WriteRequest};
use fenhe_sql::Sqlite;
use tempfile::TempDir;

fn database(sql: &str) -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    if !sql.is_empty() {
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    }
    (folder, Sqlite::file(path))
}

/// One line for each row, as the database itself writes it.
fn rows(path: &Path, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let count = statement.column_count();
    let line = |row: &rusqlite::Row<'_>| {
        let cells = (0..count).map(|i| match row.get_ref(i).unwrap() {
            rusqlite::types::ValueRef::Null => "null".into(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            rusqlite::types::ValueRef::Real(n) => format!("{n:?}"),
            rusqlite::types::ValueRef::Text(t) => format!("'{}'", String::from_utf8_lossy(t)),
            rusqlite::types::ValueRef::Blob(b) => format!("x{b:?}"),
        });
        Ok(cells.collect::<Vec<_>>().join("|"))
    };
    statement.query_map([], line).unwrap().map(Result::unwrap).collect()
}

/// A batch of these columns that starts at a record number.
fn batch(first: u64, columns: Vec<(&str, ArrayRef)>) -> Batch {
    let fields = columns.iter().map(|(name, a)| Field::new(*name, a.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, a)| a).collect();
    let records = RecordBatch::try_new(schema, arrays).unwrap();
    let read = records.num_rows() as u64;
    let position = Position::new("test", 1, &(first + read)).unwrap();
    Batch::new(records, Vec::new(), Span { first, read, ..Span::default() }, position).unwrap()
}

fn request(dataset: &str, mode: WriteMode, key: &[&str], batch: &Batch) -> WriteRequest {
    WriteRequest {
        dataset: dataset.into(),
        schema: batch.records.schema(),
        mode,
        key: key.iter().map(|k| (*k).to_owned()).collect(),
        pipeline: "p".into(),
        limits: Limits::default(),
    }
}
