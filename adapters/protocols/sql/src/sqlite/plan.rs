//! How a read goes through its table, and where it stands.

use arrow_schema::SchemaRef;
use fenhe_core::{Position, ReadRequest, Result};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, ToSql};
use serde::{Deserialize, Serialize};

use super::SqliteDialect;
use super::catalogue::{Order, Table};
use super::error::{config, fatal};
use super::native::Native;
use crate::Dialect;

const ADAPTER: &str = "sqlite";
const VERSION: u16 = 1;

/// A statement that reads on from a place.
pub(crate) struct Plan {
    pub(crate) dataset: String,
    pub(crate) schema: SchemaRef,
    pub(crate) natives: Vec<Native>,
    pub(crate) sql: String,
    /// Number of columns behind those of the schema that make a position.
    key: usize,
    pub(crate) start: Mark,
}

/// The last row that was handed out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    /// Its row number or key; empty where rows are counted.
    after: Vec<Key>,
    /// Rows up to it.
    pub(crate) records: u64,
}

/// One value of a key. A double is kept as its bits: its text might not give the same number.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Key {
    I(i64),
    R(u64),
    T(String),
    B(Vec<u8>),
}

impl Plan {
    pub(crate) fn new(table: &Table, request: &ReadRequest) -> Result<Self> {
        let whole = table.schema();
        let schema = fenhe_core::schema::project(&whole, request.columns.as_deref())?;
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let natives = names.iter().filter_map(|n| table.column(n)).map(|c| c.reads_as()).collect();
        let start = match &request.from {
            Some(position) => position.read::<Mark>(ADAPTER, VERSION)?,
            None => Mark::default(),
        };
        let key = match &table.order {
            Order::RowId(id) => vec![(*id).to_owned()],
            Order::Key(key) => key.iter().map(|k| SqliteDialect.quote(k)).collect::<Result<_>>()?,
            Order::Given => Vec::new(),
        };
        if !start.after.is_empty() && start.after.len() != key.len() {
            return Err(config("sql.position", "the position belongs to a table with another key"));
        }
        let sql = sql(table, &names, &key, &start)?;
        let dataset = table.dataset.as_ref().unwrap_or(&table.name).clone();
        Ok(Self { dataset, schema, natives, sql, key: key.len(), start })
    }

    /// The parameters of the statement.
    pub(crate) fn parameters(&self) -> Vec<Box<dyn ToSql>> {
        if self.key == 0 && self.start.records > 0 {
            let skip = i64::try_from(self.start.records).unwrap_or(i64::MAX);
            return vec![Box::new(skip)];
        }
        self.start.after.iter().map(|k| Box::new(k.clone()) as Box<dyn ToSql>).collect()
    }

    /// Moves the mark to this row.
    pub(crate) fn advance(&self, mark: &mut Mark, row: &Row<'_>) -> Result<()> {
        let first = self.natives.len();
        mark.after.clear();
        for index in first..first + self.key {
            mark.after.push(key_of(row.get_ref(index).map_err(fatal)?)?);
        }
        mark.records = mark.records.saturating_add(1);
        Ok(())
    }

    pub(crate) fn position(mark: &Mark) -> Result<Position> {
        Position::new(ADAPTER, VERSION, mark)
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::I(n) => ToSqlOutput::Owned(Value::Integer(*n)),
            Self::R(bits) => ToSqlOutput::Owned(Value::Real(f64::from_bits(*bits))),
            Self::T(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::B(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn key_of(value: ValueRef<'_>) -> Result<Key> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
    Ok(match value {
        ValueRef::Integer(n) => Key::I(n),
        ValueRef::Real(n) => Key::R(n.to_bits()),
        ValueRef::Blob(bytes) => Key::B(bytes.to_vec()),
        ValueRef::Text(bytes) => Key::T(text(bytes).map_err(|_| {
            config(
                "sql.key_encoding",
                "a key is text that is not UTF-8: rows cannot be read in its order",
            )
        })?),
        ValueRef::Null => return Err(config("sql.key_null", "a primary key is null")),
    })
}

/// `key` holds names that are quoted already.
fn sql(table: &Table, names: &[String], key: &[String], start: &Mark) -> Result<String> {
    let mut selected: Vec<_> = names
        .iter()
        .filter_map(|n| table.column(n))
        .map(|c| c.selected())
        .collect::<Result<_>>()?;
    selected.extend(key.iter().cloned());
    if selected.is_empty() {
        selected.push("NULL".into());
    }
    let mut sql =
        format!("SELECT {} FROM {}", selected.join(", "), SqliteDialect.quote(&table.name)?);
    let mut conditions: Vec<String> = table.condition.iter().cloned().collect();
    if !key.is_empty() && !start.after.is_empty() {
        let marks: Vec<_> = (1..=key.len()).map(|n| SqliteDialect.parameter(n)).collect();
        conditions.push(format!("({}) > ({})", key.join(", "), marks.join(", ")));
    }
    if !conditions.is_empty() {
        sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if key.is_empty() {
        if start.records > 0 {
            sql.push_str(" LIMIT -1 OFFSET ?1");
        }
        return Ok(sql);
    }
    sql.push_str(&format!(" ORDER BY {}", key.join(", ")));
    Ok(sql)
}
