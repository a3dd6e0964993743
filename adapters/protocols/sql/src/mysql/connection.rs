//! Connections: one for every reader and writer.

use std::time::Duration;

use fenhe_core::{Error, Kind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use tokio::time::timeout;

use super::error::fatal;
use crate::server::{Address, ServerConfig, Transport};

/// Strict: what does not fit is an error, never a changed value. Instants are in UTC.
const SETTINGS: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
     ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'";

/// Connects and logs in.
pub(crate) async fn open(
    address: &Address,
    transport: &Transport,
    config: &ServerConfig,
) -> Result<Conn> {
    let ssl = match transport {
        Transport::Plain => None,
        Transport::Encrypted(_) => Some(trusting(config)),
    };
    let opts = OptsBuilder::default()
        .ip_or_hostname(address.host.clone())
        .tcp_port(address.port)
        .user(Some(address.user.clone()))
        .pass(address.password.as_ref().map(|p| p.reveal().to_owned()))
        .db_name(Some(address.database.clone()))
        .prefer_socket(false)
        // A row that an upsert leaves as it is counts as well.
        .client_found_rows(true)
        .ssl_opts(ssl);
    let late = || {
        Error::new(Kind::Unavailable, "sql.connect", "the server does not answer in time")
            .hint("check host and port, and whether the server is running")
            .source_name(address.shown.clone())
    };
    let wait = Duration::from_millis(config.connect_ms);
    let connected = timeout(wait, Conn::new(opts)).await.map_err(|_| late())?;
    let mut conn = connected.map_err(|e| {
        let error = match e {
            // A certificate that is not trusted is invalid data.
            mysql_async::Error::Io(mysql_async::IoError::Io(io))
                if io.kind() != std::io::ErrorKind::InvalidData =>
            {
                Error::new(Kind::Unavailable, "sql.connect", "the server cannot be reached")
                    .hint("check host and port, and whether the server is running")
                    .caused_by(io)
            }
            other => fatal(other),
        };
        error.source_name(address.shown.clone())
    })?;
    conn.query_drop(SETTINGS).await.map_err(fatal)?;
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .await
        .map_err(fatal)?;
    Ok(conn)
}

/// Verified against the given certificates, else those of the system.
fn trusting(config: &ServerConfig) -> SslOpts {
    let roots = match &config.roots_pem {
        Some(pem) => vec![pem.clone().into_bytes().into()],
        // Systems keep odd certificates; those that cannot be read trust nobody.
        None => rustls_native_certs::load_native_certs()
            .certs
            .into_iter()
            .filter(|certificate| rustls::RootCertStore::empty().add(certificate.clone()).is_ok())
            .map(|certificate| certificate.to_vec().into())
            .collect(),
    };
    SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots)
}
