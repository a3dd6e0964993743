//! What tables there are and what is in them.

use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use fenhe_core::schema::{FORMAT, NATIVE_TYPE, with};
use fenhe_core::{Dataset, Error, Kind, Result};
use tokio_postgres::Client;

use super::PostgresDialect;
use super::error::fatal;
use super::native::Native;
use crate::Dialect;
use crate::front::Fronted;

/// Tables of our own, hidden from `discover`.
pub(crate) const OWN: &str = "_fenhe_";

/// A table or view.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    oid: u32,
    pub(crate) schema_name: String,
    pub(crate) name: String,
    /// The name of the dataset: with the schema unless it is the one that is searched first.
    pub(crate) dataset: String,
    pub(crate) columns: Vec<Column>,
    /// Which rows are read; all without one.
    pub(crate) condition: Option<String>,
    pub(crate) order: Order,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type as the server writes it.
    pub(crate) declared: String,
    pub(crate) native: Native,
    nullable: bool,
    /// Place in the primary key, from 1; 0 for none.
    key: u32,
    /// Computed by the database: read, not written.
    pub(crate) generated: bool,
    /// What is selected, where it is more than the column.
    expression: Option<String>,
}

/// The order in which rows are read, and so what a position is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the primary key.
    Key,
    /// By the place in the table, which an update changes.
    Place,
    /// As the database gives them (views): a position counts rows.
    Given,
}

const TABLES: &str = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, \
     coalesce(n.nspname = current_schema(), false) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
     AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'";

// A domain over a type is read and written as the type.
const COLUMNS: &str = "SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid), \
     CASE WHEN t.typbasetype = 0 THEN a.atttypmod ELSE t.typtypmod END, a.attnotnull, \
     coalesce(array_position(i.indkey::int2[], a.attnum), -1)::int4, \
     a.attgenerated <> '' OR a.attidentity = 'a', format_type(a.atttypid, a.atttypmod) \
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
     LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

impl Table {
    /// The table of this name: in the schema that is searched first, else `schema.table`.
    pub(crate) async fn find(client: &Client, name: &str) -> Result<Option<Self>> {
        if name.contains('\0') {
            return Ok(None);
        }
        let sql = format!(
            "{TABLES} AND ((n.nspname = current_schema() AND c.relname = $1::text) OR n.nspname || '.' || c.relname = $1::text) \
             ORDER BY n.nspname = current_schema() DESC LIMIT 1"
        );
        let rows = client.query(&sql, &[&name]).await.map_err(fatal)?;
        match rows.first() {
            Some(row) => Self::describe(client, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// All tables and views but the database's own and ours, by name.
    pub(crate) async fn all(client: &Client) -> Result<Vec<Self>> {
        let sql =
            format!("{TABLES} AND c.relname NOT LIKE '\\_fenhe\\_%' ORDER BY n.nspname, c.relname");
        let mut tables = Vec::new();
        for row in client.query(&sql, &[]).await.map_err(fatal)? {
            tables.push(Self::describe(client, &row).await?);
        }
        Ok(tables)
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(Column::field).collect();
        let metadata = [(FORMAT.to_owned(), "postgres".to_owned())].into();
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }

    /// Columns of the primary key, in its order.
    pub(crate) fn key(&self) -> Vec<String> {
        let mut key: Vec<_> = self.columns.iter().filter(|c| c.key > 0).collect();
        key.sort_by_key(|c| c.key);
        key.into_iter().map(|c| c.name.clone()).collect()
    }

    pub(crate) fn described(&self) -> Dataset {
        Dataset {
            name: self.dataset.clone(),
            schema: self.schema(),
            partitions: Vec::new(),
            key: self.key(),
            records: None,
        }
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Columns of every unique index that has all its rows and no expressions.
    pub(crate) async fn unique_keys(&self, client: &Client) -> Result<Vec<Vec<String>>> {
        let sql = "SELECT (SELECT array_agg(a.attname::text) FROM pg_attribute a \
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])) FROM pg_index i \
             WHERE i.indrelid = $1 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL";
        let rows = client.query(sql, &[&self.oid]).await.map_err(fatal)?;
        rows.iter().map(|row| row.try_get(0).map_err(fatal)).collect()
    }

    async fn describe(client: &Client, row: &tokio_postgres::Row) -> Result<Self> {
        let oid: u32 = row.try_get(0).map_err(fatal)?;
        let schema_name: String = row.try_get(1).map_err(fatal)?;
        let name: String = row.try_get(2).map_err(fatal)?;
        let kind: String = row.try_get(3).map_err(fatal)?;
        let first: bool = row.try_get(4).map_err(fatal)?;
        let rows = client.query(COLUMNS, &[&oid]).await.map_err(fatal)?;
        let columns = rows.iter().map(Column::of).collect::<Result<Vec<_>>>()?;
        let order = match kind.as_str() {
            _ if columns.iter().any(|c| c.key > 0) => Order::Key,
            "r" | "m" => Order::Place,
            _ => Order::Given,
        };
        let dataset = if first { name.clone() } else { format!("{schema_name}.{name}") };
        Ok(Self { oid, schema_name, name, dataset, columns, condition: None, order })
    }
}

impl Fronted for Table {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn has(&self, column: &str) -> bool {
        self.column(column).is_some()
    }

    fn quoted(&self) -> Result<String> {
        qualified(&self.schema_name, &self.name)
    }

    fn growing(&self) -> Result<Option<String>> {
        match self.key().as_slice() {
            [only] => PostgresDialect.quote(only).map(Some),
            _ => Ok(Some("ctid".into())),
        }
    }

    fn computed(mut self, name: &str, expression: String) -> Self {
        self.columns.push(Column {
            name: name.into(),
            declared: "text".into(),
            native: Native::Text,
            nullable: true,
            key: 0,
            generated: true,
            expression: Some(expression),
        });
        self
    }

    fn only(self, condition: String) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

impl Column {
    fn of(row: &tokio_postgres::Row) -> Result<Self> {
        let oid: u32 = row.try_get(1).map_err(fatal)?;
        let modifier: i32 = row.try_get(2).map_err(fatal)?;
        let required: bool = row.try_get(3).map_err(fatal)?;
        // Places in `indkey`, an int2vector, count from 0.
        let place: i32 = row.try_get(4).map_err(fatal)?;
        Ok(Self {
            name: row.try_get(0).map_err(fatal)?,
            declared: row.try_get(6).map_err(fatal)?,
            native: Native::of(oid, modifier),
            nullable: !required,
            key: u32::try_from(place.saturating_add(1)).unwrap_or(0),
            generated: row.try_get(5).map_err(fatal)?,
            expression: None,
        })
    }

    fn field(&self) -> Field {
        let field = Field::new(&self.name, self.native.arrow(), self.nullable);
        with(field, NATIVE_TYPE, &*self.declared)
    }

    /// The column in a list of what is selected.
    pub(crate) fn selected(&self) -> Result<String> {
        if let Some(expression) = &self.expression {
            return Ok(expression.clone());
        }
        let name = PostgresDialect.quote(&self.name)?;
        Ok(if self.native.as_text() { format!("_t.{name}::text") } else { format!("_t.{name}") })
    }
}

/// `"schema"."table"`.
pub(crate) fn qualified(schema: &str, name: &str) -> Result<String> {
    Ok(format!("{}.{}", PostgresDialect.quote(schema)?, PostgresDialect.quote(name)?))
}

/// Refuses a dataset that does not exist, and says which do.
pub(crate) async fn unknown(client: &Client, name: &str) -> Error {
    match Table::all(client).await {
        Ok(all) => {
            let names: Vec<_> = all.iter().map(|t| t.dataset.as_str()).collect();
            Error::new(
                Kind::NotFound,
                "sql.table",
                format!("no table {name:?}; there are: {}", names.join(", ")),
            )
        }
        Err(error) => error,
    }
}
