//! Opening a write: everything that can be checked before the first row.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::schema::{LENGTH, with};
use fenhe_core::{Error, Kind, Result, WriteMode, WriteRequest};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::MysqlDialect;
use super::catalogue::{OWN, Table, qualified};
use super::error::fatal;
use super::native::{self, Native};
use super::session::MysqlSession;
use crate::Dialect;
use crate::front::{FrontTable, Report, no_sequence};
use crate::server::{Plan, ServerConfig, ServerWriter, Task};
use crate::statement::{self, list};
use crate::tombstone::{DELETED, Tombstone, loaded};

const STAGE: &str = "`_fenhe_stage`";
/// Characters of a text in a key whose length nobody said.
const KEY_LENGTH: &str = "255";

/// Opens a write.
pub(crate) async fn open(
    mut conn: Conn,
    config: &ServerConfig,
    request: WriteRequest,
) -> Result<ServerWriter> {
    let front = config.front()?;
    let (database, name) = place(&mut conn, &request.dataset).await?;
    let table = Table::find(&mut conn, &request.dataset).await?;
    let marker = match &config.deleted {
        None => None,
        Some(name) => {
            let names = std::slice::from_ref(name);
            fenhe_core::schema::projection(&request.schema, names)?.first().copied()
        }
    };
    let mark = config.tombstone == Tombstone::Mark;
    let sent = loaded(&request.schema, marker, mark);
    let names: Vec<_> = sent.fields().iter().map(|f| f.name().clone()).collect();
    let columns: Vec<String> =
        names.iter().filter(|n| marker.is_none() || *n != DELETED).cloned().collect();
    let uniques = match &table {
        Some(table) => table.unique_keys(&mut conn).await?,
        None => Vec::new(),
    };
    let staged = front.is_some() || marker.is_some();
    let key = key_of(table.as_ref(), &uniques, &request, staged)?;
    let target = Target {
        quoted: qualified(&database, &name)?,
        watermarks: qualified(&database, "_fenhe_watermark")?,
        natives: natives(table.as_ref(), &sent, front.as_ref())?,
        table: table.as_ref(),
        columns: &columns,
        key: &key,
        marker: marker
            .and_then(|place| request.schema.fields().get(place))
            .map(|f| f.name().as_str()),
        mark,
        front: front.as_ref(),
        // With another unique index the server could take another row for the one of the key.
        staged: staged || (request.mode == WriteMode::Upsert && uniques.len() > 1),
    };
    let plan = target.plan(&request, &sent)?;
    let into = if target.staged { STAGE } else { target.quoted.as_str() };
    let behind = match request.mode {
        WriteMode::Upsert if !target.staged => target.on_conflict()?,
        _ => String::new(),
    };
    let session = MysqlSession {
        insert: format!("INSERT INTO {into} ({}) VALUES ", list(&MysqlDialect, &names)?),
        behind,
        natives: target.natives,
        watermarks: target.watermarks,
        conn,
    };
    let places = fenhe_core::schema::projection(&request.schema, &key)?;
    let task = Task { request, plan, key: places, marker, marker_is_column: mark };
    ServerWriter::open(Box::new(session), task).await
}

/// What is written to.
struct Target<'a> {
    quoted: String,
    watermarks: String,
    /// Types of what is sent.
    natives: Vec<Native>,
    table: Option<&'a Table>,
    columns: &'a [String],
    key: &'a [String],
    marker: Option<&'a str>,
    /// Whether a deletion sets the marker rather than taking the row away.
    mark: bool,
    front: Option<&'a FrontTable>,
    staged: bool,
}

impl Target<'_> {
    fn plan(&self, request: &WriteRequest, sent: &SchemaRef) -> Result<Plan> {
        // Statements that make tables end a transaction: without autocommit the next one begins by itself.
        let mut plan = Plan { begin: "SET autocommit = 0".into(), ..Plan::default() };
        let mut create = Vec::new();
        if self.table.is_none() {
            create.push(self.create(request)?);
        }
        if !request.pipeline.is_empty() {
            create.push(format!(
                "CREATE TABLE IF NOT EXISTS {} (pipeline VARCHAR(255) NOT NULL, dataset VARCHAR(255) NOT NULL, \
                 position LONGTEXT NOT NULL, batch BIGINT NOT NULL, updated DATETIME(6) NOT NULL, \
                 PRIMARY KEY (pipeline, dataset)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                self.watermarks
            ));
        }
        if self.staged {
            create.push(self.stage(sent)?);
            plan.unstage = format!("DELETE FROM {STAGE}");
            plan.apply = self.apply(request)?;
            plan.doubles = Some(format!(
                "SELECT 1 FROM {STAGE} GROUP BY {} HAVING COUNT(*) > 1 LIMIT 1",
                list(&MysqlDialect, self.key)?
            ));
        }
        plan.create = Some(create.join("; ")).filter(|sql| !sql.is_empty());
        if request.mode == WriteMode::Replace && self.table.is_some() {
            plan.clear = Some(format!("DELETE FROM {}", self.quoted));
        }
        Ok(plan)
    }

    fn create(&self, request: &WriteRequest) -> Result<String> {
        let fields = request.schema.fields().iter().filter(|f| self.columns.contains(f.name()));
        let schema = Schema::new(fields.map(|f| self.bounded(f)).collect::<Vec<_>>());
        let Some(front) = self.front else {
            let key = if request.mode == WriteMode::Upsert { self.key } else { &[] };
            return statement::create(&MysqlDialect, &self.quoted, &schema, key, Vec::new());
        };
        let mut more = front.declarations(&MysqlDialect, self.columns)?;
        // Reports look for rows by their key.
        more.push(format!("INDEX ({})", list(&MysqlDialect, self.key)?));
        statement::create(&MysqlDialect, &self.quoted, &schema, &[], more)
    }

    /// A column of a key has to have a length.
    fn bounded(&self, field: &Arc<Field>) -> Field {
        let field = field.as_ref().clone();
        match self.key.contains(field.name()) && !field.metadata().contains_key(LENGTH) {
            true => with(field, LENGTH, KEY_LENGTH),
            false => field,
        }
    }

    /// A table of the session with the types of the target.
    fn stage(&self, sent: &SchemaRef) -> Result<String> {
        let mut parts = Vec::new();
        for field in sent.fields() {
            let kind = match self.table.and_then(|t| t.column(field.name())) {
                Some(column) => column.declared.clone(),
                None => MysqlDialect.declare(&self.bounded(field))?,
            };
            parts.push(format!("{} {kind} NULL", MysqlDialect.quote(field.name())?));
        }
        Ok(format!("CREATE TEMPORARY TABLE {STAGE} ({})", parts.join(", ")))
    }

    fn quoted(names: &[String]) -> Result<Vec<String>> {
        names.iter().map(|n| MysqlDialect.quote(n)).collect()
    }

    fn on_conflict(&self) -> Result<String> {
        let others: Vec<_> =
            self.columns.iter().filter(|c| !self.key.contains(c)).cloned().collect();
        Ok(MysqlDialect.on_conflict(&Self::quoted(self.key)?, &Self::quoted(&others)?))
    }

    fn apply(&self, request: &WriteRequest) -> Result<Vec<String>> {
        let columns = Self::quoted(self.columns)?;
        let values: Vec<_> = columns.iter().map(|c| format!("s.{c}")).collect();
        let deleted = format!("s.{}", MysqlDialect.quote(DELETED)?);
        let (living, alive) = match self.marker {
            Some(_) => (format!(" WHERE NOT {deleted}"), format!(" AND NOT {deleted}")),
            None => (String::new(), String::new()),
        };
        if let Some(front) = self.front {
            let report = Report {
                table: &self.quoted,
                stage: STAGE,
                sequence: &self.sequence(front)?,
                columns: self.columns,
                values: &values,
                key: self.key,
                living: &living,
            };
            return Ok(front.report(&MysqlDialect, &report)?.into());
        }
        let table = &self.quoted;
        let keys = Self::quoted(self.key)?;
        let same: Vec<_> = keys.iter().map(|k| format!("t.{k} = s.{k}")).collect();
        let same = same.join(" AND ");
        let mut statements = Vec::new();
        if let Some(marker) = self.marker {
            let marker = MysqlDialect.quote(marker)?;
            statements.push(match self.mark {
                true => format!("UPDATE {table} t JOIN {STAGE} s ON {same} SET t.{marker} = s.{marker} WHERE {deleted}"),
                false => format!("DELETE t FROM {table} t JOIN {STAGE} s ON {same} WHERE {deleted}"),
            });
        }
        let names = columns.join(", ");
        let values = values.join(", ");
        if request.mode != WriteMode::Upsert {
            statements.push(format!(
                "INSERT INTO {table} ({names}) SELECT {values} FROM {STAGE} s{living}"
            ));
            return Ok(statements);
        }
        let set: Vec<_> = columns
            .iter()
            .filter(|c| !keys.contains(c))
            .map(|c| format!("t.{c} = s.{c}"))
            .collect();
        if !set.is_empty() {
            statements.push(format!(
                "UPDATE {table} t JOIN {STAGE} s ON {same} SET {}{living}",
                set.join(", ")
            ));
        }
        let first = keys.first().map_or("", String::as_str);
        statements.push(format!(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {STAGE} s LEFT JOIN {table} t ON {same} \
             WHERE t.{first} IS NULL{alive}"
        ));
        Ok(statements)
    }

    /// What tells the latest of several rows: a column that grows.
    fn sequence(&self, front: &FrontTable) -> Result<String> {
        let key = self.table.map(Table::key).unwrap_or_default();
        match (&front.sequence, key.as_slice(), self.table) {
            (Some(name), _, _) => MysqlDialect.quote(name),
            (None, _, None) => MysqlDialect.quote(&front.serial),
            (None, [only], Some(_)) if !self.columns.contains(only) => MysqlDialect.quote(only),
            _ => Err(no_sequence()),
        }
    }
}

/// Database and name of a dataset, checked before anything is made.
async fn place(conn: &mut Conn, dataset: &str) -> Result<(String, String)> {
    let found = Table::find(conn, dataset).await?.map(|t| (t.database, t.name));
    let (database, name) = match (found, dataset.split_once('.')) {
        (Some(found), _) => found,
        (None, Some((database, name))) => (database.to_owned(), name.to_owned()),
        (None, None) => {
            let current: Option<Option<String>> =
                conn.query_first("SELECT DATABASE()").await.map_err(fatal)?;
            (current.flatten().unwrap_or_default(), dataset.to_owned())
        }
    };
    MysqlDialect.quote(&name)?;
    if name.starts_with(OWN) || crate::front::View::of(&name).is_some() {
        return Err(Error::new(
            Kind::Config,
            "sql.name",
            format!("a table cannot be called {dataset:?}"),
        ));
    }
    Ok((database, name))
}

/// The natural key: the one asked for, else the primary key.
fn key_of(
    table: Option<&Table>,
    uniques: &[Vec<String>],
    request: &WriteRequest,
    needed: bool,
) -> Result<Vec<String>> {
    let upsert = request.mode == WriteMode::Upsert;
    if !upsert && !needed {
        return Ok(Vec::new());
    }
    let known = table.map(Table::key).unwrap_or_default();
    let key = if request.key.is_empty() { known } else { request.key.clone() };
    let wrong = |what: String| Error::new(Kind::Config, "sql.key", what);
    if key.is_empty() {
        return Err(wrong("this write needs a key, and the table has none".into())
            .hint("name the key columns"));
    }
    let sorted = |columns: &[String]| {
        let mut columns: Vec<_> = columns.iter().map(|c| c.to_lowercase()).collect();
        columns.sort();
        columns
    };
    if table.is_some() && upsert && !needed && !uniques.iter().any(|u| sorted(u) == sorted(&key)) {
        return Err(wrong(format!("the table has no unique index over {}", key.join(", ")))
            .hint("make one, or name the columns of the primary key"));
    }
    Ok(key)
}

/// What every column that is sent meets in the table.
fn natives(
    table: Option<&Table>,
    sent: &SchemaRef,
    front: Option<&FrontTable>,
) -> Result<Vec<Native>> {
    let native = |field: &Arc<Field>| {
        if field.name() == DELETED {
            return Ok(Native::Boolean);
        }
        if front.is_some_and(|f| f.written_here().contains(&field.name().as_str())) {
            return Err(Error::new(
                Kind::Config,
                "sql.front_column",
                "the column is written by the front-table exchange itself",
            )
            .at_field(field.name()));
        }
        MysqlDialect.quote(field.name())?;
        let Some(table) = table else { return of_new(field) };
        let Some(column) = table.column(field.name()).filter(|c| !c.generated) else {
            let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
            return Err(Error::new(
                Kind::Config,
                "sql.column",
                format!("table {} has no column {} to write", table.dataset, field.name()),
            )
            .hint(format!("its columns are {}", names.join(", "))));
        };
        if column.native.keeps(field.data_type()) {
            return Ok(column.native);
        }
        Err(Error::new(
            Kind::Config,
            "sql.type",
            format!(
                "column {} of table {} would change values of type {}",
                column.name,
                table.dataset,
                field.data_type()
            ),
        )
        .at_field(field.name())
        .hint("map the field to the type of the column"))
    };
    sent.fields().iter().map(native).collect()
}

/// The native type of a column that is about to be made, as far as sending cares.
fn of_new(field: &Field) -> Result<Native> {
    native::declare(field)?;
    Ok(match field.data_type() {
        DataType::Date32 => Native::Date,
        DataType::Timestamp(_, zone) => Native::Timestamp { digits: 6, zone: zone.is_some() },
        DataType::Float32 => Native::Float,
        DataType::Float64 => Native::Double,
        _ => Native::Text,
    })
}
