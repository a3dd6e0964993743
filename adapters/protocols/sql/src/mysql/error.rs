//! Errors of MySQL and MariaDB as core errors, by their codes alone: their messages quote values.

use fenhe_core::{Error, Fault, Kind, Retry};
use mysql_async::{Error as Driver, ServerError};

use crate::server::untrusted;

/// An error of the connection or the database as a whole.
pub(crate) fn fatal(error: Driver) -> Error {
    let Driver::Server(server) = &error else { return of_connection(error) };
    let code = server.code;
    let new = |kind, code: &'static str, text: &str| Error::new(kind, code, text);
    let mapped = match code {
        1045 | 1698 => new(Kind::Auth, "sql.login", "the server refuses the login")
            .hint("check user, password and the host it may come from"),
        1044 | 1142 | 1143 | 1227 => {
            new(Kind::Permission, "sql.permission", "the user may not do this")
                .hint("ask for the grant")
        }
        1049 => new(Kind::NotFound, "sql.open", "the database does not exist")
            .hint("check its name behind the port, or have it made"),
        1146 => new(Kind::NotFound, "sql.table", "the table does not exist, or no longer"),
        1205 | 1213 => new(Kind::Unavailable, "sql.busy", "another transaction was in the way"),
        1021 | 1114 => new(Kind::Io, "io.storage_full", "no space left for the database"),
        1040 | 1053 | 1077 | 1203 | 1317 | 1927 => {
            new(Kind::Unavailable, "sql.unavailable", "the server cannot do it for now")
        }
        1153 => {
            new(Kind::Limit, "sql.too_big", "rows are larger than max_allowed_packet of the server")
        }
        _ => new(Kind::Internal, "sql.statement", "the database refused a statement"),
    };
    // The words of the server stay out of the chain of causes too.
    mapped.caused_by(format!("error {code}, SQLSTATE {}", server.state))
}

fn of_connection(error: Driver) -> Error {
    let text = format!("{error:?}");
    if text.contains("InvalidCertificate") {
        return untrusted();
    }
    Error::new(Kind::Unavailable, "sql.connection", "the connection to the server broke").caused_by(
        match error {
            Driver::Io(io) => format!("{io}"),
            Driver::Driver(driver) => format!("{driver}"),
            _ => String::from("driver"),
        },
    )
}

/// An error at the moment of the commit: unless the server says that nothing happened, nobody knows.
pub(crate) fn at_commit(error: Driver) -> Error {
    let said = matches!(error, Driver::Server(_));
    let mapped = fatal(error);
    if said { mapped } else { mapped.retry_advice(Retry::InDoubt) }
}

/// Why the server refused rows; `None` when the error is not about rows.
pub(crate) fn refusal(error: &ServerError) -> Option<Fault> {
    let (code, expected, found) = match error.code {
        1048 | 1364 => ("sql.not_null", "a value", "nothing"),
        1062 => ("sql.unique", "a key that is not there yet", "a row with the same key"),
        1216 | 1452 => ("sql.foreign_key", "a row of the other table that it refers to", "none"),
        1217 | 1451 => ("sql.foreign_key", "no row of another table that refers to it", "one"),
        3819 | 4025 => ("sql.check", "what the check of the table asks for", "other values"),
        1406 => ("sql.too_long", "text within the length of the column", "longer text"),
        1264 | 1690 => {
            ("sql.number_range", "a number within the range of the column", "a larger one")
        }
        1265 | 1292 | 1366 | 1367 => {
            ("sql.datatype", "a value of the type of the column", "another value")
        }
        1644 => ("sql.trigger", "what a trigger of the table asks for", "a violation"),
        _ => return None,
    };
    // Only these messages name a column before any value.
    let field = match error.code {
        1048 | 1264 | 1406 => column_of(&error.message).unwrap_or_default(),
        _ => "",
    };
    Some(Fault::new(code, field, expected, found))
}

fn column_of(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("olumn '")?;
    rest.split_once('\'').map(|(name, _)| name)
}
