//! Writes that are more than one statement a row: deletions and front tables. A row goes into a table of the
//! connection, and from there by the same statements that servers get for many rows.

use arrow_schema::{Schema, SchemaRef};
use fenhe_core::{Result, WriteMode, WriteRequest};
use rusqlite::Connection;

use super::error::{config, fatal};
use super::{SqliteConfig, SqliteDialect};
use crate::Dialect;
use crate::front::{FrontTable, Report};
use crate::statement::{self, list};
use crate::tombstone::{DELETED, Tombstone};

const STAGE: &str = "temp._fenhe_stage";

/// The statements of such a write.
pub(crate) struct Staged {
    /// Makes the stage, when the table is there.
    pub(crate) create: String,
    /// Puts one row in.
    pub(crate) load: String,
    /// Takes it to the table and makes the stage empty.
    pub(crate) apply: Vec<String>,
}

/// What is written, and how.
pub(crate) struct Target<'a> {
    pub(crate) settings: &'a SqliteConfig,
    pub(crate) request: &'a WriteRequest,
    pub(crate) sent: &'a SchemaRef,
    pub(crate) key: &'a [String],
    pub(crate) marker: Option<&'a str>,
    pub(crate) front: Option<&'a FrontTable>,
}

impl Staged {
    /// The statements, if one a row is not enough.
    pub(crate) fn plan(target: &Target<'_>) -> Result<Option<Self>> {
        if target.front.is_none() && target.marker.is_none() {
            return Ok(None);
        }
        let columns = target.columns();
        let name = SqliteDialect.quote(&target.request.dataset)?;
        let names = list(&SqliteDialect, &columns)?;
        let mut sent = columns.clone();
        let mut flag = String::new();
        if target.marker.is_some() {
            sent.push(DELETED.into());
            flag = format!(", 0 AS {DELETED}");
        }
        let mut apply = target.apply(&name, &columns)?;
        apply.push(format!("DELETE FROM {STAGE}"));
        Ok(Some(Self {
            create: format!(
                "CREATE TEMPORARY TABLE _fenhe_stage AS SELECT {names}{flag} FROM {name} LIMIT 0"
            ),
            load: format!(
                "INSERT INTO {STAGE} ({}) VALUES ({})",
                list(&SqliteDialect, &sent)?,
                vec!["?"; sent.len()].join(", ")
            ),
            apply,
        }))
    }

    /// Takes the row in the stage to the table.
    pub(crate) fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        for sql in &self.apply {
            connection.prepare_cached(sql)?.execute([])?;
        }
        Ok(())
    }
}

impl Target<'_> {
    /// Columns of the table that are written.
    fn columns(&self) -> Vec<String> {
        let names = self.sent.fields().iter().map(|f| f.name().clone());
        names.filter(|n| self.marker.is_none() || n != DELETED).collect()
    }

    /// `CREATE TABLE` and what belongs to it.
    pub(crate) fn create(&self) -> Result<String> {
        let columns = self.columns();
        let fields = self.request.schema.fields().iter().filter(|f| columns.contains(f.name()));
        let schema = Schema::new(fields.cloned().collect::<Vec<_>>());
        let name = SqliteDialect.quote(&self.request.dataset)?;
        let Some(front) = self.front else {
            return statement::create(&SqliteDialect, &name, &schema, self.key, Vec::new());
        };
        let more = front.declarations(&SqliteDialect, &columns)?;
        let table = statement::create(&SqliteDialect, &name, &schema, &[], more)?;
        let index = SqliteDialect.quote(&format!("{}_key", self.request.dataset))?;
        // Reports look for rows by their key.
        Ok(format!("{table}; CREATE INDEX {index} ON {name} ({})", list(&SqliteDialect, self.key)?))
    }

    fn apply(&self, name: &str, columns: &[String]) -> Result<Vec<String>> {
        let quoted = |names: &[String]| {
            names.iter().map(|n| SqliteDialect.quote(n)).collect::<Result<Vec<_>>>()
        };
        let values: Vec<_> = quoted(columns)?.iter().map(|c| format!("s.{c}")).collect();
        let living = match self.marker {
            Some(_) => format!(" WHERE NOT s.{DELETED}"),
            None => " WHERE true".into(),
        };
        if let Some(front) = self.front {
            let sequence = match &front.sequence {
                Some(sequence) => SqliteDialect.quote(sequence)?,
                None => "rowid".into(),
            };
            let report = Report {
                table: name,
                stage: STAGE,
                sequence: &sequence,
                columns,
                values: &values,
                key: self.key,
                living: &living,
            };
            return Ok(front.report(&SqliteDialect, &report)?.into());
        }
        let mut statements = Vec::new();
        if let Some(marker) = self.marker {
            let key = list(&SqliteDialect, self.key)?;
            let which = format!("({key}) IN (SELECT {key} FROM {STAGE} s WHERE s.{DELETED})");
            let marker = SqliteDialect.quote(marker)?;
            statements.push(match self.settings.tombstone {
                Tombstone::Mark => {
                    format!("UPDATE {name} SET {marker} = (SELECT s.{marker} FROM {STAGE} s) WHERE {which}")
                }
                Tombstone::Delete => format!("DELETE FROM {name} WHERE {which}"),
            });
        }
        let mut insert = format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {STAGE} s{living}",
            list(&SqliteDialect, columns)?,
            values.join(", ")
        );
        if self.request.mode == WriteMode::Upsert {
            let others: Vec<_> =
                columns.iter().filter(|c| !self.key.contains(c)).cloned().collect();
            insert.push(' ');
            insert.push_str(&SqliteDialect.on_conflict(&quoted(self.key)?, &quoted(&others)?));
        }
        statements.push(insert);
        Ok(statements)
    }
}

/// Refuses columns that the front-table exchange writes itself.
pub(crate) fn no_control_columns(front: Option<&FrontTable>, schema: &SchemaRef) -> Result<()> {
    let Some(front) = front else { return Ok(()) };
    let written = front.written_here();
    match schema.fields().iter().find(|f| written.contains(&f.name().as_str())) {
        None => Ok(()),
        Some(field) => Err(config(
            "sql.front_column",
            "the column is written by the front-table exchange itself",
        )
        .at_field(field.name())),
    }
}

/// One row between two marks, so that it goes in wholly or not at all.
pub(crate) fn mark(connection: &Connection) -> Result<()> {
    connection.prepare_cached("SAVEPOINT _fenhe").and_then(|mut s| s.execute([])).map_err(fatal)?;
    Ok(())
}

/// Ends the row; takes back what it did unless it is `good`.
pub(crate) fn release(connection: &Connection, good: bool) -> Result<()> {
    if !good {
        connection
            .prepare_cached("ROLLBACK TO SAVEPOINT _fenhe")
            .and_then(|mut s| s.execute([]))
            .map_err(fatal)?;
    }
    connection
        .prepare_cached("RELEASE SAVEPOINT _fenhe")
        .and_then(|mut s| s.execute([]))
        .map_err(fatal)?;
    Ok(())
}
