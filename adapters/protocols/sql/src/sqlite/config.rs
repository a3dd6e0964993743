use std::path::PathBuf;

use fenhe_core::Result;
use serde::{Deserialize, Serialize};

use crate::Tombstone;
use crate::front::FrontTable;

/// A SQLite database file.
///
/// ```
/// let config = fenhe_sql::SqliteConfig::new("platform.db");
/// assert_eq!(config.busy_ms, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteConfig {
    /// The file.
    pub path: PathBuf,
    /// Whether a write makes the file when it is not there.
    #[serde(default = "yes")]
    pub create: bool,
    /// Milliseconds to wait for another process that writes. 10,000.
    #[serde(default = "busy")]
    pub busy_ms: u64,
    /// Journal mode that a write sets.
    #[serde(default)]
    pub journal: Journal,
    /// Where column types come from.
    #[serde(default)]
    pub types: Types,
    /// Column of the written rows that marks a deletion: true, 1, `Y`, `D`, 是, 删除 and their contraries.
    #[serde(default)]
    pub deleted: Option<String>,
    /// What a row that is marked as deleted does.
    #[serde(default)]
    pub tombstone: Tombstone,
    /// Whether tables are written as front tables: append-only, with the control columns of the receiving platform.
    #[serde(default)]
    pub front_table: bool,
    /// Other names of control columns, as `SJYXBS=valid`.
    #[serde(default)]
    pub front_columns: Vec<String>,
    /// What goes into the column of the region code when the rows do not bring it.
    #[serde(default)]
    pub front_region: Option<String>,
    /// Column of a front table that grows with every row; the row number if none is named.
    #[serde(default)]
    pub front_sequence: Option<String>,
}

/// Journal mode that a write sets (<https://www.sqlite.org/wal.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// Write-ahead log: readers go on while rows are written.
    #[default]
    Wal,
    /// As the file has it. For databases on network drives, where the write-ahead log does not work.
    Keep,
}

/// Where column types come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// From the declaration; columns without one by looking at the first 10,000 rows.
    #[default]
    Declared,
    /// By looking at the first 10,000 rows, for databases whose declarations are wrong.
    Stored,
}

impl SqliteConfig {
    /// The defaults for a database file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            create: yes(),
            busy_ms: busy(),
            journal: Journal::default(),
            types: Types::default(),
            deleted: None,
            tombstone: Tombstone::default(),
            front_table: false,
            front_columns: Vec::new(),
            front_region: None,
            front_sequence: None,
        }
    }

    /// The front table that is asked for.
    pub(crate) fn front(&self) -> Result<Option<FrontTable>> {
        if !self.front_table {
            return Ok(None);
        }
        self.front_names().map(Some)
    }

    /// The control columns of a front table, should one be read.
    pub(crate) fn front_names(&self) -> Result<FrontTable> {
        let (region, sequence) = (self.front_region.clone(), self.front_sequence.clone());
        FrontTable::new(&self.front_columns, region, sequence)
    }
}

fn yes() -> bool {
    true
}

fn busy() -> u64 {
    10_000
}
