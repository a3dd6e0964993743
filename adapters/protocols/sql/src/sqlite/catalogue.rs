//! What tables there are and what is in them.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::schema::{FORMAT, NATIVE_TYPE, with};
use fenhe_core::{Dataset, Error, Kind, Result};
use rusqlite::{Connection, OptionalExtension};

use super::error::fatal;
use super::native::Native;
use super::{SqliteDialect, Types};
use crate::Dialect;
use crate::front::Fronted;

/// Tables of our own, hidden from `discover`.
pub(crate) const OWN: &str = "_fenhe_";

/// Rows looked at to find the type of a column without declaration.
const LOOK: u32 = 10_000;

/// A table or view.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) order: Order,
    /// The name of the dataset, where it is more than the table.
    pub(crate) dataset: Option<String>,
    /// Which rows are read; all without one.
    pub(crate) condition: Option<String>,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    declared: String,
    pub(crate) native: Native,
    arrow: DataType,
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
    /// By the hidden row number, under a name of it that no column hides.
    RowId(&'static str),
    /// By the primary key.
    Key(Vec<String>),
    /// As the database gives them (views, virtual tables): a position counts rows.
    Given,
}

impl Table {
    /// The table of this name, in any case of its letters, as SQLite has it.
    pub(crate) fn find(connection: &Connection, name: &str, types: Types) -> Result<Option<Self>> {
        let found = connection
            .query_row(
                "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE",
                [name],
                |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)),
            )
            .optional()
            .map_err(fatal)?;
        match found {
            Some((name, kind, keyed)) => {
                Self::describe(connection, name, kind == "table", keyed, types).map(Some)
            }
            None => Ok(None),
        }
    }

    /// All tables and views but the database's own and ours, by name.
    pub(crate) fn all(connection: &Connection, types: Types) -> Result<Vec<Self>> {
        let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' ORDER BY name";
        let mut statement = connection.prepare(sql).map_err(fatal)?;
        let names = statement
            .query_map([], |row| row.get::<_, String>(0))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(fatal)?;
        let public = names.iter().filter(|n| !n.starts_with("sqlite_") && !n.starts_with(OWN));
        let tables = public.filter_map(|name| Self::find(connection, name, types).transpose());
        tables.collect()
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(Column::field).collect();
        let metadata = [(FORMAT.to_owned(), "sqlite".to_owned())].into();
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }

    /// Columns of the primary key, in its order.
    pub(crate) fn key(&self) -> Vec<String> {
        let mut key: Vec<_> = self.columns.iter().filter(|c| c.key > 0).collect();
        key.sort_by_key(|c| c.key);
        key.into_iter().map(|c| c.name.clone()).collect()
    }

    pub(crate) fn dataset(&self) -> Dataset {
        Dataset {
            name: self.name.clone(),
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

    fn describe(
        connection: &Connection,
        name: String,
        is_table: bool,
        keyed: bool,
        types: Types,
    ) -> Result<Self> {
        let mut columns = columns(connection, &name)?;
        for column in &mut columns {
            // Only such keys cannot be null in SQLite, for historical reasons.
            let row_number = column.key == 1 && column.declared.eq_ignore_ascii_case("INTEGER");
            if keyed && column.key > 0 || row_number {
                column.nullable = false;
            }
            if types == Types::Stored || matches!(column.native, Native::Untyped | Native::Number) {
                column.arrow = stored_type(connection, &name, &column.name)?;
            }
        }
        let mut table = Self { name, columns, order: Order::Given, dataset: None, condition: None };
        let free = |id: &&str| table.columns.iter().all(|c| !c.name.eq_ignore_ascii_case(id));
        table.order = match ["rowid", "_rowid_", "oid"].into_iter().find(free) {
            _ if keyed => Order::Key(table.key()),
            Some(id) if is_table => Order::RowId(id),
            _ => Order::Given,
        };
        Ok(table)
    }
}

impl Fronted for Table {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn has(&self, column: &str) -> bool {
        self.column(column).is_some()
    }

    fn quoted(&self) -> Result<String> {
        SqliteDialect.quote(&self.name)
    }

    fn growing(&self) -> Result<Option<String>> {
        Ok(match &self.order {
            Order::RowId(id) => Some((*id).to_owned()),
            _ => None,
        })
    }

    fn computed(mut self, name: &str, expression: String) -> Self {
        self.columns.push(Column {
            name: name.into(),
            declared: "TEXT".into(),
            native: Native::Text,
            arrow: DataType::Utf8,
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
    /// How values are read: as declared, or as they were found to be.
    pub(crate) fn reads_as(&self) -> Native {
        if self.native.arrow() == self.arrow && self.native != Native::Number {
            return self.native;
        }
        match self.arrow {
            DataType::Int64 => Native::Integer,
            DataType::Float64 => Native::Real,
            DataType::Binary => Native::Blob,
            _ => Native::Text,
        }
    }

    /// The column in a list of what is selected.
    pub(crate) fn selected(&self) -> Result<String> {
        match &self.expression {
            Some(expression) => Ok(expression.clone()),
            None => SqliteDialect.quote(&self.name),
        }
    }

    fn field(&self) -> Field {
        let field = Field::new(&self.name, self.arrow.clone(), self.nullable);
        if self.declared.is_empty() { field } else { with(field, NATIVE_TYPE, &*self.declared) }
    }
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let sql =
        "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1";
    let mut statement = connection.prepare(sql).map_err(fatal)?;
    let columns = statement.query_map([table], |row| {
        let declared: String = row.get(1)?;
        let native = Native::of(&declared);
        Ok(Column {
            name: row.get(0)?,
            declared,
            native,
            arrow: native.arrow(),
            nullable: !row.get::<_, bool>(2)?,
            key: row.get(3)?,
            generated: row.get::<_, i64>(4)? > 0,
            expression: None,
        })
    });
    let columns: Vec<_> = columns.and_then(Iterator::collect).map_err(fatal)?;
    if columns.is_empty() {
        return Err(Error::new(Kind::NotFound, "sql.columns", "the table has no columns")
            .source_name(table));
    }
    Ok(columns)
}

/// The one type that holds all values of the first rows.
fn stored_type(connection: &Connection, table: &str, column: &str) -> Result<DataType> {
    let (table, column) = (SqliteDialect.quote(table)?, SqliteDialect.quote(column)?);
    let sql =
        format!("SELECT DISTINCT typeof(c) FROM (SELECT {column} AS c FROM {table} LIMIT {LOOK})");
    let mut statement = connection.prepare(&sql).map_err(fatal)?;
    let kinds = statement
        .query_map([], |row| row.get::<_, String>(0))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(fatal)?;
    let has = |kind: &str| kinds.iter().any(|k| k == kind);
    Ok(match () {
        () if has("blob") => DataType::Binary,
        () if has("text") => DataType::Utf8,
        () if has("real") => DataType::Float64,
        () if has("integer") => DataType::Int64,
        () => DataType::Utf8,
    })
}
