//! How a read goes through its table, and where it stands.

use arrow_schema::SchemaRef;
use fenhe_core::{Error, Kind, Position, ReadRequest, Result};
use serde::{Deserialize, Serialize};

use super::PostgresDialect;
use super::catalogue::{Order, Table};
use crate::Dialect;
use crate::front::Fronted;

const ADAPTER: &str = "postgres";
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
    /// Its key or place, as the server writes it; empty where rows are counted.
    pub(crate) after: Vec<String>,
    /// Rows up to it.
    pub(crate) records: u64,
}

impl Mark {
    pub(crate) fn position(&self) -> Result<Position> {
        Position::new(ADAPTER, VERSION, self)
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
        // Names alone would mean what is selected under them.
        let keys = match table.order {
            Order::Key => {
                let key = table.key();
                let columns = key.iter().filter_map(|name| table.column(name));
                columns
                    .map(|c| {
                        Ok((format!("_t.{}", PostgresDialect.quote(&c.name)?), c.declared.clone()))
                    })
                    .collect::<Result<Vec<_>>>()?
            }
            Order::Place => vec![("_t.ctid".into(), "tid".into())],
            Order::Given => Vec::new(),
        };
        if !start.after.is_empty() && start.after.len() != keys.len() {
            return Err(Error::new(
                Kind::Config,
                "sql.position",
                "the position belongs to a table with another key",
            ));
        }
        let names = schema.fields().iter().filter_map(|f| table.column(f.name()));
        let mut selected = names.map(|c| c.selected()).collect::<Result<Vec<_>>>()?;
        selected.extend(keys.iter().map(|(name, _)| format!("{name}::text")));
        let mut sql = format!("SELECT {} FROM {} _t", selected.join(", "), table.quoted()?);
        let mut conditions: Vec<String> = table.condition.iter().cloned().collect();
        if !start.after.is_empty() {
            let names: Vec<_> = keys.iter().map(|(name, _)| name.as_str()).collect();
            let values = keys.iter().zip(1..).map(|((_, kind), n)| format!("${n}::text::{kind}"));
            let values: Vec<_> = values.collect();
            conditions.push(format!("({}) > ({})", names.join(", "), values.join(", ")));
        }
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        match table.order {
            Order::Key => {
                let names: Vec<_> = keys.iter().map(|(name, _)| name.as_str()).collect();
                sql.push_str(&format!(" ORDER BY {}", names.join(", ")));
            }
            // One scan after the other goes by places; a sort of the whole table would say the same.
            Order::Place => {}
            Order::Given if start.records > 0 => {
                sql.push_str(&format!(" OFFSET {}", start.records));
            }
            Order::Given => {}
        }
        Ok(Self { dataset: table.dataset.clone(), schema, sql, key: keys.len(), start })
    }
}
