//! Opening a write: everything that can be checked before the first row.

use arrow_schema::{DataType, SchemaRef};
use fenhe_core::{Error, Kind, Result, WriteMode, WriteRequest};
use tokio_postgres::Client;

use super::PostgresDialect;
use super::catalogue::{OWN, Table, qualified};
use super::connection::Connection;
use super::error::fatal;
use super::native::Native;
use super::session::PostgresSession;
use crate::Dialect;
use crate::front::{FrontTable, Report};
use crate::server::{Plan, ServerConfig, ServerWriter, Task};
use crate::statement::{self, list};
use crate::tombstone::{DELETED, Tombstone, loaded};

const STAGE: &str = "\"pg_temp\".\"_fenhe_stage\"";

/// Opens a write.
pub(crate) async fn open(
    connection: Connection,
    config: &ServerConfig,
    request: WriteRequest,
) -> Result<ServerWriter> {
    let client = &connection.client;
    let front = config.front()?;
    let (schema_name, name) = place(client, &request.dataset).await?;
    let table = Table::find(client, &request.dataset).await?;
    let marker = marker(config, &request)?;
    let marker_is_column = config.tombstone == Tombstone::Mark;
    let sent = loaded(&request.schema, marker, marker_is_column);
    let columns: Vec<String> = sent
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .filter(|n| marker.is_none() || n != DELETED)
        .collect();
    let key = key_of(client, table.as_ref(), &request, front.is_some() || marker.is_some()).await?;
    let places = fenhe_core::schema::projection(&request.schema, &key)?;
    let target = Target {
        quoted: qualified(&schema_name, &name)?,
        natives: natives(table.as_ref(), &sent, front.as_ref())?,
        table: table.as_ref(),
        columns: &columns,
        key: &key,
        marker: marker.map(|place| request.schema.field(place).name().as_str()),
        mark: marker_is_column,
        front: front.as_ref(),
    };
    let plan = target.plan(&request, &sent)?;
    let into = if plan.apply.is_empty() { target.quoted.as_str() } else { STAGE };
    let names: Vec<_> = sent.fields().iter().map(|f| f.name().clone()).collect();
    let session = PostgresSession {
        copy: format!(
            "COPY {into} ({}) FROM STDIN WITH (FORMAT binary)",
            list(&PostgresDialect, &names)?
        ),
        natives: target.natives,
        prepared: None,
        watermarks: qualified(&schema_name, "_fenhe_watermark")?,
        connection,
        under_way: None,
    };
    let task = Task { request, plan, key: places, marker, marker_is_column };
    ServerWriter::open(Box::new(session), task).await
}

/// What is written to.
struct Target<'a> {
    quoted: String,
    /// Types of what is sent.
    natives: Vec<Native>,
    table: Option<&'a Table>,
    columns: &'a [String],
    key: &'a [String],
    marker: Option<&'a str>,
    /// Whether a deletion sets the marker rather than taking the row away.
    mark: bool,
    front: Option<&'a FrontTable>,
}

impl Target<'_> {
    fn plan(&self, request: &WriteRequest, sent: &SchemaRef) -> Result<Plan> {
        let upsert = request.mode == WriteMode::Upsert;
        let by_text = self.natives.contains(&Native::Other);
        let staged = upsert || by_text || self.front.is_some() || self.marker.is_some();
        let mut plan = Plan { begin: "BEGIN".into(), ..Plan::default() };
        let mut create = Vec::new();
        if self.table.is_none() {
            create.push(self.create(request)?);
        }
        if staged {
            create.push(self.stage(sent)?);
            plan.unstage = format!("TRUNCATE {STAGE}");
            plan.apply = self.apply(request)?;
        }
        if self.front.is_some() || self.marker.is_some() {
            plan.doubles = Some(format!(
                "SELECT 1 FROM {STAGE} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                list(&PostgresDialect, self.key)?
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
        let schema = arrow_schema::Schema::new(fields.cloned().collect::<Vec<_>>());
        let Some(front) = self.front else {
            let key = if request.mode == WriteMode::Upsert { self.key } else { &[] };
            return statement::create(&PostgresDialect, &self.quoted, &schema, key, Vec::new());
        };
        let more = front.declarations(&PostgresDialect, self.columns)?;
        let table = statement::create(&PostgresDialect, &self.quoted, &schema, &[], more)?;
        // Reports look for rows by their key.
        Ok(format!(
            "{table}; CREATE INDEX ON {} ({})",
            self.quoted,
            list(&PostgresDialect, self.key)?
        ))
    }

    /// A table of the session with the types of the target; others as text.
    fn stage(&self, sent: &SchemaRef) -> Result<String> {
        let mut parts = Vec::new();
        for (field, native) in sent.fields().iter().zip(&self.natives) {
            let column = self.table.and_then(|t| t.column(field.name()));
            let kind = match (native, column) {
                (Native::Other, _) => "text".into(),
                (_, Some(column)) => column.declared.clone(),
                (_, None) => PostgresDialect.declare(field)?,
            };
            parts.push(format!("{} {kind}", PostgresDialect.quote(field.name())?));
        }
        Ok(format!(
            "CREATE TEMPORARY TABLE \"_fenhe_stage\" ({}) ON COMMIT DELETE ROWS",
            parts.join(", ")
        ))
    }

    fn apply(&self, request: &WriteRequest) -> Result<Vec<String>> {
        let quoted = |names: &[String]| {
            names.iter().map(|n| PostgresDialect.quote(n)).collect::<Result<Vec<_>>>()
        };
        let mut values = Vec::new();
        for (name, native) in self.columns.iter().zip(&self.natives) {
            let column = PostgresDialect.quote(name)?;
            values.push(match (native, self.table.and_then(|t| t.column(name))) {
                (Native::Other, Some(stored)) => format!("s.{column}::{}", stored.declared),
                _ => format!("s.{column}"),
            });
        }
        let living = match self.marker {
            Some(_) => format!(" WHERE NOT s.{}", PostgresDialect.quote(DELETED)?),
            None => String::new(),
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
            return Ok(front.report(&PostgresDialect, &report)?.into());
        }
        let mut statements = Vec::new();
        if let Some(marker) = self.marker {
            let keys = quoted(self.key)?;
            let same: Vec<_> = keys.iter().map(|k| format!("t.{k} = s.{k}")).collect();
            let which = format!(
                "{STAGE} s WHERE {} AND s.{}",
                same.join(" AND "),
                PostgresDialect.quote(DELETED)?
            );
            let marker = PostgresDialect.quote(marker)?;
            statements.push(match self.mark {
                true => format!("UPDATE {} t SET {marker} = s.{marker} FROM {which}", self.quoted),
                false => format!("DELETE FROM {} t USING {which}", self.quoted),
            });
        }
        let mut insert = format!(
            "INSERT INTO {} ({}) SELECT {} FROM {STAGE} s{living}",
            self.quoted,
            list(&PostgresDialect, self.columns)?,
            values.join(", ")
        );
        if request.mode == WriteMode::Upsert {
            let others: Vec<_> =
                self.columns.iter().filter(|c| !self.key.contains(c)).cloned().collect();
            insert.push(' ');
            insert.push_str(&PostgresDialect.on_conflict(&quoted(self.key)?, &quoted(&others)?));
        }
        statements.push(insert);
        Ok(statements)
    }

    /// What tells the latest of several rows: a column that grows, or the place in the table.
    fn sequence(&self, front: &FrontTable) -> Result<String> {
        let key = self.table.map(Table::key).unwrap_or_default();
        match (&front.sequence, key.as_slice(), self.table) {
            (Some(name), _, _) => PostgresDialect.quote(name),
            (None, _, None) => PostgresDialect.quote(&front.serial),
            (None, [only], Some(_)) if !self.columns.contains(only) => PostgresDialect.quote(only),
            _ => Ok("ctid".into()),
        }
    }
}

/// Schema and name of a dataset, checked before anything is made.
async fn place(client: &Client, dataset: &str) -> Result<(String, String)> {
    let wrong =
        || Error::new(Kind::Config, "sql.name", format!("a table cannot be called {dataset:?}"));
    if dataset.is_empty() || dataset.contains('\0') {
        return Err(wrong());
    }
    if let Some(table) = Table::find(client, dataset).await? {
        if table.name.starts_with(OWN) {
            return Err(wrong());
        }
        return Ok((table.schema_name, table.name));
    }
    let row = client
        .query_one("SELECT coalesce(current_schema()::text, '')", &[])
        .await
        .map_err(fatal)?;
    let current: String = row.try_get(0).map_err(fatal)?;
    let (schema, name) = match dataset.split_once('.') {
        Some((schema, name)) => {
            let sql = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
            match client.query_opt(sql, &[&schema]).await.map_err(fatal)? {
                Some(_) => (schema.to_owned(), name.to_owned()),
                None => (current, dataset.to_owned()),
            }
        }
        None => (current, dataset.to_owned()),
    };
    PostgresDialect.quote(&name)?;
    if name.starts_with(OWN) || crate::front::View::of(&name).is_some() {
        return Err(wrong());
    }
    Ok((schema, name))
}

/// The place of the column that marks deletions.
fn marker(config: &ServerConfig, request: &WriteRequest) -> Result<Option<usize>> {
    match &config.deleted {
        None => Ok(None),
        Some(name) => {
            let names = std::slice::from_ref(name);
            Ok(fenhe_core::schema::projection(&request.schema, names)?.first().copied())
        }
    }
}

/// The natural key: the one asked for, else the primary key.
async fn key_of(
    client: &Client,
    table: Option<&Table>,
    request: &WriteRequest,
    needed: bool,
) -> Result<Vec<String>> {
    let upsert = request.mode == WriteMode::Upsert;
    if !upsert && !needed {
        return Ok(Vec::new());
    }
    let known = table.map(Table::key).unwrap_or_default();
    let key = if request.key.is_empty() { known } else { request.key.clone() };
    if key.is_empty() {
        return Err(Error::new(
            Kind::Config,
            "sql.key",
            "this write needs a key, and the table has none",
        )
        .hint("name the key columns"));
    }
    if let Some(table) = table.filter(|_| upsert && !needed) {
        let mut wanted = key.clone();
        wanted.sort();
        let unique = table.unique_keys(client).await?.into_iter().any(|mut columns| {
            columns.sort();
            columns == wanted
        });
        if !unique {
            return Err(Error::new(
                Kind::Config,
                "sql.key",
                format!("the table has no unique index over {}", key.join(", ")),
            )
            .hint("make one, or name the columns of the primary key"));
        }
    }
    Ok(key)
}

/// What every column that is sent meets in the table.
fn natives(
    table: Option<&Table>,
    sent: &SchemaRef,
    front: Option<&FrontTable>,
) -> Result<Vec<Native>> {
    let native = |field: &std::sync::Arc<arrow_schema::Field>| {
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
        PostgresDialect.quote(field.name())?;
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

/// The native type of a column that is about to be made.
fn of_new(field: &arrow_schema::Field) -> Result<Native> {
    use DataType as D;
    PostgresDialect.declare(field)?;
    Ok(match field.data_type() {
        D::Boolean => Native::Boolean,
        D::Int8 | D::Int16 | D::UInt8 => Native::Int2,
        D::Int32 | D::UInt16 => Native::Int4,
        D::Int64 | D::UInt32 => Native::Int8,
        D::UInt64 => Native::Numeric(Some((20, 0))),
        D::Float32 => Native::Float4,
        D::Float64 => Native::Float8,
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => Native::Bytea,
        D::Decimal128(p, s) => Native::Numeric(Some((u16::from(*p), i16::from(*s)))),
        D::Date32 => Native::Date,
        D::Time32(_) | D::Time64(_) => Native::Time(6),
        D::Timestamp(_, zone) => Native::Timestamp { digits: 6, zone: zone.is_some() },
        _ => Native::Text,
    })
}
