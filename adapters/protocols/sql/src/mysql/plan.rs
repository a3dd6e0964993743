//! How a read goes through its table, and where it stands.

use arrow_schema::SchemaRef;
use fenhe_core::{Error, Kind, Position, ReadRequest, Result};
use mysql_async::{Params, Value};
use serde::{Deserialize, Serialize};

use super::MysqlDialect;
use super::catalogue::Table;
use super::native::Native;
use crate::Dialect;
use crate::front::Fronted;

const ADAPTER: &str = "mysql";
const VERSION: u16 = 1;

/// A statement that reads on from a place.
pub(crate) struct Plan {
    pub(crate) dataset: String,
    pub(crate) schema: SchemaRef,
    pub(crate) sql: String,
    /// Number of columns behind those of the schema that make a position.
    pub(crate) key: usize,
    pub(crate) start: Mark,
}

/// The last row that was handed out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    /// Its key; empty where rows are counted.
    pub(crate) after: Vec<Key>,
    /// Rows up to it.
    pub(crate) records: u64,
}

/// One value of a key. What is no whole number is kept as bytes: text, or the text of the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Key {
    I(i64),
    U(u64),
    B(Vec<u8>),
}

impl Mark {
    pub(crate) fn position(&self) -> Result<Position> {
        Position::new(ADAPTER, VERSION, self)
    }

    pub(crate) fn parameters(&self) -> Params {
        let value = |key: &Key| match key {
            Key::I(n) => Value::Int(*n),
            Key::U(n) => Value::UInt(*n),
            Key::B(bytes) => Value::Bytes(bytes.clone()),
        };
        match self.after.as_slice() {
            [] => Params::Empty,
            keys => Params::Positional(keys.iter().map(value).collect()),
        }
    }
}

impl Key {
    pub(crate) fn of(value: &Value) -> Result<Self> {
        match value {
            Value::Int(n) => Ok(Self::I(*n)),
            Value::UInt(n) => Ok(Self::U(*n)),
            Value::Bytes(bytes) => Ok(Self::B(bytes.clone())),
            _ => Err(Error::new(
                Kind::Config,
                "sql.key",
                "rows cannot be read in the order of this key",
            )),
        }
    }
}

impl Plan {
    pub(crate) fn new(table: &Table, request: &ReadRequest) -> Result<Self> {
        let whole = table.schema();
        let schema = fenhe_core::schema::project(&whole, request.columns.as_deref())?;
        let start = match &request.from {
            Some(position) => position.read::<Mark>(ADAPTER, VERSION)?,
            None => Mark::default(),
        };
        let (mut names, mut read, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for column in table.key().iter().filter_map(|name| table.column(name)) {
            let name = MysqlDialect.quote(&column.name)?;
            // A number in text would be compared as a double.
            let (as_read, value) = match column.native {
                Native::Text
                | Native::Bytes
                | Native::Int(_)
                | Native::Unsigned
                | Native::Boolean => (name.clone(), "?".to_owned()),
                Native::Decimal(p, s) => {
                    (format!("CAST({name} AS CHAR)"), format!("CAST(? AS DECIMAL({p},{s}))"))
                }
                _ => (format!("CAST({name} AS CHAR)"), "?".to_owned()),
            };
            names.push(name);
            read.push(as_read);
            values.push(value);
        }
        if !start.after.is_empty() && start.after.len() != names.len() {
            return Err(Error::new(
                Kind::Config,
                "sql.position",
                "the position belongs to a table with another key",
            ));
        }
        let columns = schema.fields().iter().filter_map(|f| table.column(f.name()));
        let mut selected = columns.map(|c| c.selected()).collect::<Result<Vec<_>>>()?;
        selected.extend(read);
        let mut sql = format!("SELECT {} FROM {}", selected.join(", "), table.quoted()?);
        let mut conditions: Vec<String> = table.condition.iter().cloned().collect();
        if !start.after.is_empty() {
            conditions.push(format!("({}) > ({})", names.join(", "), values.join(", ")));
        }
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        if !names.is_empty() {
            sql.push_str(&format!(" ORDER BY {}", names.join(", ")));
        } else if start.records > 0 {
            sql.push_str(&format!(" LIMIT 18446744073709551615 OFFSET {}", start.records));
        }
        Ok(Self { dataset: table.dataset.clone(), schema, sql, key: names.len(), start })
    }
}
