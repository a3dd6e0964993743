//! Opening, creating and locking.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fenhe_core::{Error, Kind, Result};
use rusqlite::{Connection, OpenFlags};

use super::{Inner, Ledger};

const SCHEMA: &str = include_str!("schema.sql");
const VERSION: i64 = 1;
/// "fhlg", so that `file` and SQLite can tell whose database it is.
const APPLICATION: i64 = 0x6668_6c67;

/// Keeps a second process out of a pipeline; released when dropped, also by the death of the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Ledger {
    /// Opens or creates a ledger.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with code `ledger.foreign` for a database of something else and `ledger.version` for one of a
    /// newer release; `ledger.damaged`; input/output errors.
    pub fn open(path: &Path) -> Result<Self> {
        let named = |error: Error| error.source_name(path.display().to_string());
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| named(e.into()))?;
        }
        if !path.exists() {
            create(path).map_err(named)?;
        }
        let ledger = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        ledger.prepare()?;
        Ok(ledger)
    }

    /// Opens a ledger for reading only; it may be in use.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Kind::NotFound`] when there is none.
    pub fn open_existing(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::new(Kind::NotFound, "ledger.missing", "there is no ledger")
                .source_name(path.display().to_string()));
        }
        let ledger = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        ledger.prepare()?;
        Ok(ledger)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self> {
        let unnamed = Self {
            path: path.into(),
            inner: Mutex::new(Inner {
                connection: Connection::open_in_memory().map_err(|e| {
                    Error::new(Kind::Io, "ledger.open", "SQLite failed").caused_by(e)
                })?,
                poisoned: false,
            }),
        };
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|connection| {
                connection.busy_timeout(std::time::Duration::from_secs(10))?;
                // The rows of a batch are one large value; the journal writes a page at a time. Only a new file takes it.
                connection.pragma_update(None, "page_size", 16_384)?;
                // Every commit is on disk when it returns.
                connection.pragma_update(None, "journal_mode", "wal")?;
                connection.pragma_update(None, "synchronous", "full")?;
                connection.set_prepared_statement_cache_capacity(32);
                Ok(connection)
            })
            .map_err(|error| unnamed.failed(error))?;
        Ok(Self { inner: Mutex::new(Inner { connection, poisoned: false }), ..unnamed })
    }

    fn prepare(&self) -> Result<()> {
        let pragma = |name: &'static str| {
            self.reading(move |c| c.pragma_query_value(None, name, |row| row.get::<_, i64>(0)))
        };
        let wrong = |code: &'static str, what: &'static str, hint: &'static str| {
            Err(Error::new(Kind::Invalid, code, what)
                .source_name(self.path.display().to_string())
                .hint(hint))
        };
        match (pragma("application_id")?, pragma("user_version")?) {
            (APPLICATION, VERSION) => Ok(()),
            (APPLICATION, _) => wrong(
                "ledger.version",
                "this ledger is of another release",
                "use the release that wrote it, or name another file",
            ),
            (0, 0) if self.tables()? == 0 => self.writing(|t| {
                t.execute_batch(SCHEMA)?;
                t.pragma_update(None, "application_id", APPLICATION)?;
                t.pragma_update(None, "user_version", VERSION)
            }),
            _ => wrong(
                "ledger.foreign",
                "this database is not a ledger",
                "name another file for the ledger",
            ),
        }
    }

    fn tables(&self) -> Result<i64> {
        self.reading(|c| c.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)))
    }

    /// Keeps every other process out of a pipeline as long as the lock lives.
    ///
    /// # Errors
    /// [`Kind::Conflict`] with code `ledger.locked` while another one holds it.
    pub fn lock(&self, pipeline: &str) -> Result<Lock> {
        let path = self.lock_path(pipeline);
        let named = |error: Error| error.source_name(path.display().to_string());
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| named(e.into()))?;
        file.try_lock().map_err(|_| {
            named(Error::new(Kind::Conflict, "ledger.locked", "another process runs this exchange"))
                .hint("wait until it has ended")
        })?;
        Ok(Lock { _file: file })
    }

    fn lock_path(&self, pipeline: &str) -> PathBuf {
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '.' };
        let name: String = pipeline.chars().map(plain).collect();
        self.path.with_file_name(format!("{name}.lock"))
    }
}

/// Makes the file before SQLite does, so that nobody else may read it, and its name durable.
fn create(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
