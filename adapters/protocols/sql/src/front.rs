//! Front-table exchange: a table between a department and a platform, to which rows are only ever added. A record
//! that was reported before is first invalidated by a copy of its row, then reported afresh, in this order; the
//! platform answers in columns of the same row.

use fenhe_core::{Error, Kind, Result};

use crate::Dialect;
use crate::statement::list;

/// Behind the name of a front table: its receipts as a dataset.
pub(crate) const RECEIPTS: &str = "@receipts";

/// Behind the name of a front table: the rows that are valid now, each record once, as a dataset.
pub(crate) const CURRENT: &str = "@current";

/// What is read of a front table beside all of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// All rows, with what became of each.
    Receipts,
    /// The rows that are valid now.
    Current,
}

impl View {
    /// The front table that a dataset is a view of.
    pub(crate) fn of(name: &str) -> Option<(&str, Self)> {
        let views = [(RECEIPTS, Self::Receipts), (CURRENT, Self::Current)];
        views.into_iter().find_map(|(end, view)| Some((name.strip_suffix(end)?, view)))
    }

    /// What stands behind the name of the table.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Receipts => RECEIPTS,
            Self::Current => CURRENT,
        }
    }
}

/// A table as one kind of database describes it, which may be a front table.
pub(crate) trait Fronted: Sized {
    fn dialect(&self) -> &'static dyn Dialect;

    fn has(&self, column: &str) -> bool;

    /// Its name as SQL.
    fn quoted(&self) -> Result<String>;

    /// What grows with every row where nobody named a column, as SQL.
    fn growing(&self) -> Result<Option<String>>;

    /// With a column of text more, which is read only.
    fn computed(self, name: &str, expression: String) -> Self;

    /// Only the rows that meet a condition.
    fn only(self, condition: String) -> Self;
}

/// The column of receipts that says what became of a row.
const OUTCOME: &str = "outcome";

/// Names of the control columns, and what goes into them.
#[derive(Clone, Debug)]
pub(crate) struct FrontTable {
    /// Number of the row, given by the receiving side.
    pub(crate) serial: String,
    /// The sender's own key of the row.
    pub(crate) own_key: String,
    pub(crate) region_code: String,
    /// 1 valid, 0 invalid.
    pub(crate) valid: String,
    /// Why it is invalid.
    pub(crate) reason: String,
    /// 0 not taken yet; everything else is written by the platform.
    pub(crate) state: String,
    /// Why the platform refused it.
    pub(crate) failure: String,
    pub(crate) region: Option<String>,
    /// Column that grows with every row.
    pub(crate) sequence: Option<String>,
}

impl FrontTable {
    /// The names of the national standard, with the changes asked for (`SJYXBS=valid`).
    pub(crate) fn new(
        changes: &[String],
        region: Option<String>,
        sequence: Option<String>,
    ) -> Result<Self> {
        let mut front = Self {
            serial: "LSH".into(),
            own_key: "DFSJZJ".into(),
            region_code: "XZQHDM".into(),
            valid: "SJYXBS".into(),
            reason: "SJWXYY".into(),
            state: "SJSCZT".into(),
            failure: "SBYY".into(),
            region,
            sequence,
        };
        for change in changes {
            let name = change.split_once('=').and_then(|(from, to)| {
                let slot = match from.trim() {
                    "LSH" => &mut front.serial,
                    "DFSJZJ" => &mut front.own_key,
                    "XZQHDM" => &mut front.region_code,
                    "SJYXBS" => &mut front.valid,
                    "SJWXYY" => &mut front.reason,
                    "SJSCZT" => &mut front.state,
                    "SBYY" => &mut front.failure,
                    _ => return None,
                };
                Some((slot, to.trim()))
            });
            match name {
                Some((slot, to)) if !to.is_empty() => *slot = to.into(),
                _ => {
                    return Err(Error::new(
                        Kind::Config,
                        "sql.front_columns",
                        format!("{change:?} names no control column"),
                    )
                    .hint(
                        "write NAME=OTHER with LSH, DFSJZJ, XZQHDM, SJYXBS, SJWXYY, SJSCZT or SBYY",
                    ));
                }
            }
        }
        Ok(front)
    }

    /// Columns of the platform's side of the exchange, which rows must not bring.
    pub(crate) fn written_here(&self) -> [&str; 5] {
        [&self.serial, &self.valid, &self.reason, &self.state, &self.failure]
    }

    /// Refuses a table that has not the control columns.
    fn require(&self, table: &str, has: impl Fn(&str) -> bool) -> Result<()> {
        let needed = [&self.own_key, &self.valid, &self.state, &self.failure];
        match needed.into_iter().find(|name| !has(name)) {
            None => Ok(()),
            Some(name) => Err(Error::new(
                Kind::Config,
                "sql.front_columns",
                format!("{table} is no front table: it has no column {name}"),
            )
            .hint("front_columns gives other names, as SJYXBS=valid")),
        }
    }

    /// The table as one of its views; `name` is what a refusal calls it.
    ///
    /// # Errors
    /// `sql.front_columns` for a table without the control columns, `sql.front_sequence` where nothing tells the latest row.
    pub(crate) fn view<T: Fronted>(&self, table: T, name: &str, view: View) -> Result<T> {
        self.require(name, |column| table.has(column))?;
        let dialect = table.dialect();
        if view == View::Receipts {
            return Ok(table.computed(OUTCOME, self.outcome(dialect)?));
        }
        let sequence = match &self.sequence {
            Some(name) => dialect.quote(name)?,
            None => table.growing()?.ok_or_else(no_sequence)?,
        };
        let condition = self.current(dialect, &table.quoted()?, &sequence)?;
        Ok(table.only(condition))
    }

    /// The condition of the rows that are valid now: an invalidation has the own key of the row that it takes back,
    /// and comes after it. `table` and `sequence`, the column that grows, are SQL already.
    fn current(&self, dialect: &dyn Dialect, table: &str, sequence: &str) -> Result<String> {
        let (valid, own) = (dialect.quote(&self.valid)?, dialect.quote(&self.own_key)?);
        Ok(format!(
            "{valid} = '1' AND {sequence} NOT IN (SELECT w.{sequence} FROM {table} w JOIN \
             (SELECT {own} AS own, max({sequence}) AS last FROM {table} WHERE {valid} = '0' GROUP BY {own}) z \
             ON z.own = w.{own} AND w.{sequence} < z.last WHERE w.{valid} = '1')"
        ))
    }

    /// What became of a row: `refused` once the platform gave a reason, `waiting` until it took it, else `taken`.
    fn outcome(&self, dialect: &dyn Dialect) -> Result<String> {
        let (failure, state) = (dialect.quote(&self.failure)?, dialect.quote(&self.state)?);
        Ok(format!(
            "CASE WHEN {failure} IS NOT NULL AND trim({failure}) <> '' THEN 'refused' \
             WHEN {state} IS NULL OR {state} = '0' THEN 'waiting' ELSE 'taken' END"
        ))
    }

    /// What a new front table has beside the columns of the data.
    pub(crate) fn declarations(
        &self,
        dialect: &dyn Dialect,
        given: &[String],
    ) -> Result<Vec<String>> {
        let mut parts = vec![dialect.serial(&dialect.quote(&self.serial)?)];
        let others = [
            (&self.own_key, "VARCHAR(64) NOT NULL"),
            (&self.region_code, "VARCHAR(12)"),
            (&self.valid, "SMALLINT NOT NULL"),
            (&self.reason, "VARCHAR(1000)"),
            (&self.state, "SMALLINT NOT NULL"),
            (&self.failure, "VARCHAR(1000)"),
        ];
        for (name, kind) in others {
            if !given.contains(name) {
                parts.push(format!("{} {kind}", dialect.quote(name)?));
            }
        }
        Ok(parts)
    }

    /// The statements that report the rows of a stage, all of them with different keys: first invalidations, then fresh rows.
    ///
    /// Flags are spelled as text: a server makes the type of the column of them, number or character.
    pub(crate) fn report(&self, dialect: &dyn Dialect, report: &Report<'_>) -> Result<[String; 2]> {
        let quote = |name: &str| dialect.quote(name);
        let (valid, reason, state) =
            (quote(&self.valid)?, quote(&self.reason)?, quote(&self.state)?);
        let mut copied = report.columns.to_vec();
        for name in [&self.own_key, &self.region_code] {
            if !copied.contains(name) {
                copied.push(name.clone());
            }
        }
        let same = |a: &str, b: &str| -> Result<String> {
            let parts = report.key.iter().map(|k| Ok(format!("{a}.{0} = {b}.{0}", quote(k)?)));
            Ok(parts.collect::<Result<Vec<_>>>()?.join(" AND "))
        };
        let of = |alias: &str| -> Result<String> {
            let names = copied.iter().map(|n| Ok(format!("{alias}.{}", quote(n)?)));
            Ok(names.collect::<Result<Vec<_>>>()?.join(", "))
        };
        let (table, stage, sequence) = (report.table, report.stage, report.sequence);
        let among = |flag: &str| -> Result<String> {
            Ok(format!("FROM {table} w WHERE {} AND w.{valid} = '{flag}'", same("w", "v")?))
        };
        let invalidate = format!(
            "INSERT INTO {table} ({}, {valid}, {reason}, {state}) SELECT {}, '0', '{}', '0' FROM {table} v \
             JOIN {stage} s ON {} WHERE v.{sequence} = (SELECT max(w.{sequence}) {}) \
             AND (SELECT count(*) {}) > (SELECT count(*) {})",
            list(dialect, &copied)?,
            of("v")?,
            "replaced",
            same("v", "s")?,
            among("1")?,
            among("1")?,
            among("0")?,
        );
        let mut values: Vec<String> = report.values.to_vec();
        for name in copied.iter().skip(report.columns.len()) {
            values.push(match &self.region {
                _ if *name == self.own_key => dialect.fresh_id().into(),
                Some(region) => dialect.literal(region)?,
                None => "NULL".into(),
            });
        }
        let fresh = format!(
            "INSERT INTO {table} ({}, {valid}, {state}) SELECT {}, '1', '0' FROM {stage} s{}",
            list(dialect, &copied)?,
            values.join(", "),
            report.living,
        );
        Ok([invalidate, fresh])
    }
}

/// No column of a front table says in which order its rows came.
pub(crate) fn no_sequence() -> Error {
    let message = "nothing tells which row of the front table is the latest";
    Error::new(Kind::Config, "sql.front_sequence", message)
        .hint("name a column that grows with every row: front_sequence")
}

/// What the statements of a report are made of. Everything but names of columns is SQL already.
pub(crate) struct Report<'a> {
    pub(crate) table: &'a str,
    pub(crate) stage: &'a str,
    /// Column of the table that grows with every row.
    pub(crate) sequence: &'a str,
    pub(crate) columns: &'a [String],
    /// The columns of the stage as values of the table.
    pub(crate) values: &'a [String],
    pub(crate) key: &'a [String],
    /// Condition that leaves out deletions, with its WHERE; empty without tombstones.
    pub(crate) living: &'a str,
}
