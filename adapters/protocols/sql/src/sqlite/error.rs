//! Errors of SQLite as core errors, without the values that its messages may quote.

use fenhe_core::{Error, Fault, Kind, Retry};
use rusqlite::ErrorCode;

/// An error of the database as a whole.
pub(crate) fn fatal(error: rusqlite::Error) -> Error {
    let Some(code) = error.sqlite_error_code() else {
        return Error::new(Kind::Internal, "sql.driver", "the driver refused a call")
            .caused_by(error);
    };
    let new = |kind, code: &'static str, text: &str| Error::new(kind, code, text);
    let mapped = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            new(Kind::Unavailable, "sql.busy", "another process is writing to the database")
                .hint("wait for it to end, or raise busy_ms")
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            new(Kind::Permission, "sql.read_only", "the database may not be written")
        }
        ErrorCode::CannotOpen => new(Kind::NotFound, "sql.open", "the database cannot be opened")
            .hint("check the path, and that its folder may be written"),
        ErrorCode::NotADatabase => new(
            Kind::Invalid,
            "sql.not_a_database",
            "the file is not a SQLite database, or it is encrypted",
        ),
        ErrorCode::DatabaseCorrupt => new(Kind::Invalid, "sql.corrupt", "the database is damaged")
            .hint("run `PRAGMA integrity_check`, restore a backup"),
        ErrorCode::DiskFull => new(Kind::Io, "io.storage_full", "no space left for the database"),
        ErrorCode::SystemIoFailure => {
            new(Kind::Io, "io.error", "the database file cannot be read or written")
        }
        ErrorCode::ConstraintViolation => {
            new(Kind::Conflict, "sql.constraint", "a constraint of the database is violated")
        }
        ErrorCode::SchemaChanged => {
            new(Kind::Changed, "sql.schema_changed", "the tables were changed meanwhile")
                .retry_advice(Retry::Later(None))
        }
        ErrorCode::TooBig => {
            Error::new(Kind::Limit, "sql.too_big", "a value is larger than the database allows")
        }
        _ => new(Kind::Internal, "sql.statement", "the database refused a statement"),
    };
    mapped.caused_by(error)
}

/// An error at the moment of the commit: unless the database says that nothing happened, nobody knows.
pub(crate) fn at_commit(error: rusqlite::Error) -> Error {
    let mapped = fatal(error);
    match mapped.kind() {
        Kind::Io | Kind::Internal => mapped.retry_advice(Retry::InDoubt),
        _ => mapped,
    }
}

/// Why the database refused one row; `None` when the error is not about the row.
pub(crate) fn refusal(error: &rusqlite::Error) -> Option<Fault> {
    let rusqlite::Error::SqliteFailure(failure, message) = error else { return None };
    // Extended result codes of <https://www.sqlite.org/rescode.html>.
    let (code, expected, found) = match (failure.code, failure.extended_code) {
        (ErrorCode::ConstraintViolation, 1299) => ("sql.not_null", "a value", "nothing"),
        (ErrorCode::ConstraintViolation, 1555 | 2067 | 2579) => {
            ("sql.unique", "a key that is not there yet", "a row with the same key")
        }
        (ErrorCode::ConstraintViolation, 787) => {
            ("sql.foreign_key", "a row of the other table that it refers to", "none")
        }
        (ErrorCode::ConstraintViolation, 275) => {
            ("sql.check", "what the check of the table asks for", "other values")
        }
        (ErrorCode::ConstraintViolation, 3091) => {
            ("sql.datatype", "a value of the declared type", "another type")
        }
        (ErrorCode::ConstraintViolation, _) => {
            ("sql.constraint", "what the table asks for", "a violation")
        }
        (ErrorCode::TypeMismatch, _) => {
            ("sql.datatype", "a value of the declared type", "another type")
        }
        (ErrorCode::TooBig, _) => {
            ("sql.too_big", "a value within the limit of the database", "a larger one")
        }
        _ => return None,
    };
    // "NOT NULL constraint failed: fee.id" names columns; other messages are written by triggers and may quote values.
    let named = matches!(code, "sql.not_null" | "sql.unique" | "sql.datatype");
    let field = message.as_deref().filter(|_| named).and_then(columns_of).unwrap_or_default();
    Some(Fault::new(code, field, expected, found))
}

fn columns_of(message: &str) -> Option<String> {
    let (_, list) = message.rsplit_once("constraint failed: ")?;
    let names: Vec<_> =
        list.split(", ").map(|n| n.split_once('.').map_or(n, |(_, column)| column)).collect();
    Some(names.join(", "))
}

/// Bad configuration.
pub(crate) fn config(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(Kind::Config, code, message)
}
