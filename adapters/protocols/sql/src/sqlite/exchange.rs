use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fenhe_core::{
    Capability, Dataset, Error, Exchange, Info, Kind, Message, ReadRequest, Reader, Result,
    WriteRequest, Writer,
};

use super::SqliteConfig;
use super::catalogue::Table;
use super::connection::to_read;
use super::error::fatal;
use super::reader::SqliteReader;
use super::writer::{SqliteWriter, Work};
use crate::blocking::run;

/// A SQLite database file.
///
/// ```
/// use fenhe_core::{Exchange, ExchangeExt};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("platform.db");
/// # rusqlite::Connection::open(&path).unwrap()
/// #     .execute_batch("CREATE TABLE 居民 (id INTEGER PRIMARY KEY, 姓名 TEXT); INSERT INTO 居民 VALUES (1, '张伟')").unwrap();
/// let platform = fenhe_sql::Sqlite::new(fenhe_sql::SqliteConfig::new(path));
/// assert_eq!(platform.discover().await?[0].key, ["id"]);
/// let batches = platform.read_all("居民").await?;
/// assert_eq!(batches[0].rows(), 1);
/// # Ok::<(), fenhe_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Sqlite {
    config: Arc<SqliteConfig>,
}

impl Sqlite {
    /// A database; nothing is opened yet.
    pub fn new(config: SqliteConfig) -> Self {
        Self { config: Arc::new(config) }
    }

    /// A database file with the default configuration.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::new(SqliteConfig::new(path.as_ref()))
    }

    /// The configuration.
    pub fn config(&self) -> &SqliteConfig {
        &self.config
    }

    /// Lets the database look itself over (`PRAGMA quick_check`, foreign keys).
    ///
    /// # Errors
    /// [`Kind::Invalid`] with code `sql.corrupt`.
    pub async fn check(&self) -> Result<()> {
        let config = Arc::clone(&self.config);
        run(move || {
            let connection = to_read(&config)?;
            let verdict: String = connection
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
                .map_err(fatal)?;
            let orphans: i64 = connection
                .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
                .map_err(fatal)?;
            if verdict == "ok" && orphans == 0 {
                return Ok(());
            }
            let what = if orphans == 0 { "its pages or indexes" } else { "its foreign keys" };
            Err(Error::new(
                Kind::Invalid,
                "sql.corrupt",
                format!("the database is damaged in {what}"),
            )
            .source_name(config.path.display().to_string())
            .hint("restore a backup, or dump what can be read with `sqlite3 file .recover`"))
        })
        .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Exchange for Sqlite {
    fn info(&self) -> Info {
        Info {
            scheme: "sqlite",
            version: env!("CARGO_PKG_VERSION"),
            capability: Capability {
                discover: true,
                read: true,
                resume: true,
                replay: true,
                append: true,
                upsert: true,
                replace: true,
                watermark: true,
                per_record: true,
                ..Capability::default()
            },
        }
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        let config = Arc::clone(&self.config);
        run(move || {
            let tables = Table::all(&to_read(&config)?, config.types)?;
            Ok(tables.iter().map(Table::dataset).collect())
        })
        .await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let config = Arc::clone(&self.config);
        Ok(Box::new(run(move || SqliteReader::open(&config, &request)).await?))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let config = Arc::clone(&self.config);
        Ok(Box::new(SqliteWriter::new(run(move || Work::open(&config, request)).await?)))
    }

    async fn call(&self, _: Message) -> Result<Message> {
        Err(Error::unsupported("sqlite", "call"))
    }
}
