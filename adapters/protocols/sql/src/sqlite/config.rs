use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
        }
    }
}

fn yes() -> bool {
    true
}

fn busy() -> u64 {
    10_000
}
