use fenhe_core::{Result, Secret};
use serde::Deserialize;

use crate::Tombstone;
use crate::front::FrontTable;

/// A database on a server.
///
/// ```
/// let config = fenhe_sql::ServerConfig::new("postgres://clerk@db.example/platform");
/// assert_eq!(config.connect_ms, 10_000);
/// assert!(!format!("{config:?}").contains("clerk"));
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// `scheme://user@host:port/database`. Kept secret as a whole, because it may hold a password.
    pub url: Secret,
    /// The password, by a program that has it.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Name of the environment variable that holds the password.
    #[serde(default)]
    pub password_env: Option<String>,
    /// File that holds the password, readable by its owner alone; blanks and line ends around it do not count.
    #[serde(default)]
    pub password_file: Option<String>,
    /// Transport security.
    #[serde(default)]
    pub tls: Tls,
    /// Certificates (PEM text) to trust instead of those of the system.
    #[serde(default)]
    pub roots_pem: Option<String>,
    /// Milliseconds for connecting and logging in. 10,000.
    #[serde(default = "connect")]
    pub connect_ms: u64,
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
    /// Column of a front table that grows with every row; the primary key if it is one column.
    #[serde(default)]
    pub front_sequence: Option<String>,
}

/// Transport security of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// None to this very machine; elsewhere required and verified, certificate and name.
    #[default]
    Auto,
    /// Required and verified, to this machine as well.
    Verify,
    /// None. Password and data can be read and changed on the way.
    InsecurePlaintext,
}

impl ServerConfig {
    /// The defaults for a database.
    pub fn new(url: impl std::convert::Into<String>) -> Self {
        Self {
            url: Secret::new(url),
            password: None,
            password_env: None,
            password_file: None,
            tls: Tls::default(),
            roots_pem: None,
            connect_ms: connect(),
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

fn connect() -> u64 {
    10_000
}
