//! Errors of PostgreSQL as core errors, by their codes alone: its messages quote values.

use std::error::Error as _;

use fenhe_core::{Error, Fault, Kind, Retry};
use tokio_postgres::error::{DbError, SqlState};

use crate::server::untrusted;

/// An error of the connection or the database as a whole.
pub(crate) fn fatal(error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else { return of_connection(error) };
    let code = db.code().code();
    let new = |kind, code: &'static str, text: &str| Error::new(kind, code, text);
    let mapped = match (db.code(), code.get(..2).unwrap_or_default()) {
        (_, "28") => new(Kind::Auth, "sql.login", "the server refuses the login")
            .hint("check user, password and pg_hba.conf"),
        (&SqlState::INSUFFICIENT_PRIVILEGE, _) => {
            new(Kind::Permission, "sql.permission", "the user may not do this")
                .hint("ask for the grant")
        }
        (&SqlState::INVALID_CATALOG_NAME, _) => {
            new(Kind::NotFound, "sql.open", "the database does not exist")
                .hint("check its name behind the port, or have it made")
        }
        (&SqlState::UNDEFINED_TABLE, _) => {
            new(Kind::NotFound, "sql.table", "the table does not exist, or no longer")
        }
        (&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED, _) => {
            new(Kind::Unavailable, "sql.busy", "another transaction was in the way")
        }
        (&SqlState::DISK_FULL, _) => {
            new(Kind::Io, "io.storage_full", "no space left for the database")
        }
        (&SqlState::LOCK_NOT_AVAILABLE, _) | (_, "53" | "57" | "08") => {
            new(Kind::Unavailable, "sql.unavailable", "the server cannot do it for now")
        }
        (_, "23") => {
            new(Kind::Conflict, "sql.constraint", "a constraint of the database is violated")
        }
        _ => new(Kind::Internal, "sql.statement", "the database refused a statement"),
    };
    let mapped = match db.constraint().or(db.column()) {
        Some(name) => mapped.at_field(name),
        None => mapped,
    };
    // The words of the server stay out of the chain of causes too.
    mapped.caused_by(format!("SQLSTATE {code}"))
}

fn of_connection(error: tokio_postgres::Error) -> Error {
    if let Some(io) = error.source().and_then(|e| e.downcast_ref::<std::io::Error>())
        && io.kind() == std::io::ErrorKind::InvalidData
    {
        return untrusted().caused_by(error);
    }
    if error.is_closed() || error.source().is_some_and(|e| e.is::<std::io::Error>()) {
        return Error::new(
            Kind::Unavailable,
            "sql.connection",
            "the connection to the server broke",
        )
        .caused_by(error);
    }
    Error::new(Kind::Unavailable, "sql.connection", "the server does not answer as expected")
        .caused_by(error)
}

/// An error at the moment of the commit: unless the server says that nothing happened, nobody knows.
pub(crate) fn at_commit(error: tokio_postgres::Error) -> Error {
    let said = error.as_db_error().is_some();
    let mapped = fatal(error);
    if said { mapped } else { mapped.retry_advice(Retry::InDoubt) }
}

/// Why the server refused rows; `None` when the error is not about rows.
pub(crate) fn refusal(error: &DbError) -> Option<Fault> {
    let field = error.column().or(error.constraint()).unwrap_or_default();
    let (code, expected, found) = match error.code() {
        &SqlState::NOT_NULL_VIOLATION => ("sql.not_null", "a value", "nothing"),
        &SqlState::UNIQUE_VIOLATION => {
            ("sql.unique", "a key that is not there yet", "a row with the same key")
        }
        &SqlState::FOREIGN_KEY_VIOLATION => {
            ("sql.foreign_key", "a row of the other table that it refers to", "none")
        }
        &SqlState::CHECK_VIOLATION => {
            ("sql.check", "what the check of the table asks for", "other values")
        }
        &SqlState::STRING_DATA_RIGHT_TRUNCATION => {
            ("sql.too_long", "text within the length of the column", "longer text")
        }
        &SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
            ("sql.number_range", "a number within the range of the column", "a larger one")
        }
        &SqlState::PROGRAM_LIMIT_EXCEEDED => {
            ("sql.too_big", "a row within the limits of the database", "a larger one")
        }
        &SqlState::CARDINALITY_VIOLATION => ("sql.key", "one row a key", "several"),
        code => match code.code().get(..2) {
            Some("22") => ("sql.datatype", "a value of the type of the column", "another value"),
            Some("23") => ("sql.constraint", "what the table asks for", "a violation"),
            Some("P0") => ("sql.trigger", "what a trigger of the table asks for", "a violation"),
            _ => return None,
        },
    };
    Some(Fault::new(code, field, expected, found))
}
