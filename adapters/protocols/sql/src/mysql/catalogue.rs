//! What tables there are and what is in them.

use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use fenhe_core::schema::{FORMAT, NATIVE_TYPE, with};
use fenhe_core::{Dataset, Error, Kind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use super::MysqlDialect;
use super::error::fatal;
use super::native::Native;
use crate::Dialect;
use crate::front::Fronted;

/// Tables of our own, hidden from `discover`.
pub(crate) const OWN: &str = "_fenhe_";

/// A table or view.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) database: String,
    pub(crate) name: String,
    /// The name of the dataset: with the database unless it is the one of the connection.
    pub(crate) dataset: String,
    pub(crate) columns: Vec<Column>,
    /// Which rows are read; all without one.
    pub(crate) condition: Option<String>,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type as the server writes it, with its character set.
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

const TABLES: &str =
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_SCHEMA = DATABASE() FROM information_schema.TABLES ";

const COLUMNS: &str = "SELECT c.COLUMN_NAME, LOWER(c.DATA_TYPE), c.COLUMN_TYPE, c.NUMERIC_PRECISION, c.NUMERIC_SCALE, \
     c.DATETIME_PRECISION, c.IS_NULLABLE, c.CHARACTER_SET_NAME, c.COLLATION_NAME, c.EXTRA, k.SEQ_IN_INDEX \
     FROM information_schema.COLUMNS c LEFT JOIN information_schema.STATISTICS k \
     ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME \
     AND k.INDEX_NAME = 'PRIMARY' WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION";

impl Table {
    /// The table of this name: in the database of the connection, else `database.table`.
    pub(crate) async fn find(conn: &mut Conn, name: &str) -> Result<Option<Self>> {
        let sql = format!(
            "{TABLES} WHERE (TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?) OR CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = ? \
             ORDER BY TABLE_SCHEMA = DATABASE() DESC LIMIT 1"
        );
        let row: Option<(String, String, i64)> =
            conn.exec_first(sql, (name, name)).await.map_err(fatal)?;
        match row {
            Some(row) => Self::describe(conn, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// All tables and views of the database but ours, by name.
    pub(crate) async fn all(conn: &mut Conn) -> Result<Vec<Self>> {
        let sql = format!(
            "{TABLES} WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE '\\_fenhe\\_%' \
             AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME"
        );
        let rows: Vec<(String, String, i64)> = conn.exec(sql, ()).await.map_err(fatal)?;
        let mut tables = Vec::new();
        for row in rows {
            tables.push(Self::describe(conn, row).await?);
        }
        Ok(tables)
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(Column::field).collect();
        let metadata = [(FORMAT.to_owned(), "mysql".to_owned())].into();
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
        self.columns
            .iter()
            .find(|c| c.name == name)
            .or_else(|| self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)))
    }

    /// Columns of every unique index.
    pub(crate) async fn unique_keys(&self, conn: &mut Conn) -> Result<Vec<Vec<String>>> {
        let sql = "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX";
        let rows: Vec<(String, String)> =
            conn.exec(sql, (&self.database, &self.name)).await.map_err(fatal)?;
        let mut keys: Vec<(String, Vec<String>)> = Vec::new();
        for (index, column) in rows {
            match keys.last_mut().filter(|(name, _)| *name == index) {
                Some((_, columns)) => columns.push(column),
                None => keys.push((index, vec![column])),
            }
        }
        Ok(keys.into_iter().map(|(_, columns)| columns).collect())
    }

    async fn describe(
        conn: &mut Conn,
        (database, name, own): (String, String, i64),
    ) -> Result<Self> {
        let rows: Vec<Row> = conn.exec(COLUMNS, (&database, &name)).await.map_err(fatal)?;
        let columns = rows.iter().map(Column::of).collect::<Option<Vec<_>>>().ok_or_else(|| {
            Error::new(
                Kind::Internal,
                "sql.columns",
                "the server describes a column in an unknown way",
            )
        })?;
        let dataset = if own == 1 { name.clone() } else { format!("{database}.{name}") };
        Ok(Self { database, name, dataset, columns, condition: None })
    }
}

impl Fronted for Table {
    fn dialect(&self) -> &'static dyn Dialect {
        &MysqlDialect
    }

    fn has(&self, column: &str) -> bool {
        self.column(column).is_some()
    }

    fn quoted(&self) -> Result<String> {
        qualified(&self.database, &self.name)
    }

    fn growing(&self) -> Result<Option<String>> {
        match self.key().as_slice() {
            [only] => MysqlDialect.quote(only).map(Some),
            _ => Ok(None),
        }
    }

    fn computed(mut self, name: &str, expression: String) -> Self {
        self.columns.push(Column {
            name: name.into(),
            declared: "varchar(8)".into(),
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
    fn of(row: &Row) -> Option<Self> {
        let text =
            |index: usize| row.get_opt::<Option<String>, _>(index).and_then(|r| r.ok()).flatten();
        let number =
            |index: usize| row.get_opt::<Option<u64>, _>(index).and_then(|r| r.ok()).flatten();
        let (kind, whole, extra) = (text(1)?, text(2)?.to_lowercase(), text(9).unwrap_or_default());
        let mut declared = text(2)?;
        if let (Some(charset), Some(collation)) = (text(7), text(8)) {
            declared.push_str(&format!(" CHARACTER SET {charset} COLLATE {collation}"));
        }
        Some(Self {
            name: text(0)?,
            native: Native::of(&kind, &whole, number(3), number(4), number(5)),
            declared,
            nullable: text(6)?.eq_ignore_ascii_case("YES"),
            key: number(10).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            generated: extra.to_uppercase().contains("GENERATED")
                && !extra.contains("DEFAULT_GENERATED"),
            expression: None,
        })
    }

    fn field(&self) -> Field {
        let field = Field::new(&self.name, self.native.arrow(), self.nullable);
        with(field, NATIVE_TYPE, &*self.declared)
    }

    /// The column in a list of what is selected.
    pub(crate) fn selected(&self) -> Result<String> {
        match &self.expression {
            Some(expression) => Ok(expression.clone()),
            None => MysqlDialect.quote(&self.name),
        }
    }
}

/// `database`.`table`.
pub(crate) fn qualified(database: &str, name: &str) -> Result<String> {
    Ok(format!("{}.{}", MysqlDialect.quote(database)?, MysqlDialect.quote(name)?))
}

/// Refuses a dataset that does not exist, and says which do.
pub(crate) async fn unknown(conn: &mut Conn, name: &str) -> Error {
    match Table::all(conn).await {
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
