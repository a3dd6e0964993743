//! Connections: one for every reader and writer.

use std::time::Duration;

use fenhe_core::{Error, Kind, Result};
use rusqlite::{Connection, OpenFlags};

use super::error::{config, fatal};
use super::{Journal, SqliteConfig};

/// A connection that only reads.
pub(crate) fn to_read(settings: &SqliteConfig) -> Result<Connection> {
    if !settings.path.exists() {
        return Err(Error::new(Kind::NotFound, "sql.open", "the database does not exist")
            .source_name(settings.path.display().to_string())
            .hint("check the path; it counts from the working directory, in a configuration from its folder"));
    }
    open(settings, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Memory for pages. Rows come in any order of their keys: an index that does not fit is read and written again and
/// again, four times as long as everything else takes.
const CACHE_KIB: i64 = 32 << 10;

/// A connection that writes: every commit is on disk before it returns.
pub(crate) fn to_write(settings: &SqliteConfig) -> Result<Connection> {
    if let Some(folder) =
        settings.path.parent().filter(|f| settings.create && !f.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    let create = if settings.create { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    let connection = open(settings, OpenFlags::SQLITE_OPEN_READ_WRITE | create)?;
    if settings.journal == Journal::Wal {
        connection
            .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
            .map_err(fatal)?;
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(fatal)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(fatal)?;
    Ok(connection)
}

fn open(settings: &SqliteConfig, flags: OpenFlags) -> Result<Connection> {
    let name = settings.path.display().to_string();
    if name == ":memory:" || name.is_empty() {
        return Err(config("sql.path", "every connection would see a database of its own")
            .hint("name a file"));
    }
    // The connection moves between threads but is never used by two at once.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(&settings.path, flags)
        .map_err(|e| fatal(e).source_name(&*name))?;
    connection.busy_timeout(Duration::from_millis(settings.busy_ms)).map_err(fatal)?;
    // The first look at the file tells whether it is a database.
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|e| fatal(e).source_name(name))?;
    Ok(connection)
}
