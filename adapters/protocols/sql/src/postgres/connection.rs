//! Connections: one for every reader and writer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use fenhe_core::{Error, Kind, Result};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};

use super::error::fatal;
use crate::server::{Address, Transport};

/// A connection whose task ends with it.
pub(crate) struct Connection {
    pub(crate) client: Client,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects and logs in.
    pub(crate) async fn open(
        address: &Address,
        transport: &Transport,
        wait: Duration,
    ) -> Result<Self> {
        let late = || {
            Error::new(Kind::Unavailable, "sql.connect", "the server does not answer in time")
                .hint("check host and port, and whether the server is running")
                .source_name(address.shown.clone())
        };
        let connection =
            timeout(wait, Self::connect(address, transport)).await.map_err(|_| late())?;
        let connection = connection.map_err(|e| e.source_name(address.shown.clone()))?;
        // Instants are read and written in UTC, and a commit that returns is on disk.
        let settings = "SET TIME ZONE 'UTC'; SET DateStyle = 'ISO, YMD'; SET synchronize_seqscans = off; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') = 'off'";
        connection.client.batch_execute(settings).await.map_err(fatal)?;
        Ok(connection)
    }

    async fn connect(address: &Address, transport: &Transport) -> Result<Self> {
        let mut config = Config::new();
        config.user(&address.user).dbname(&address.database).application_name("fenhe");
        if let Some(password) = &address.password {
            config.password(password.reveal());
        }
        let stream =
            TcpStream::connect((address.host.as_str(), address.port)).await.map_err(|e| {
                Error::new(Kind::Unavailable, "sql.connect", "the server cannot be reached")
                    .hint("check host and port, and whether the server is running")
                    .caused_by(e)
            })?;
        stream.set_nodelay(true)?;
        Ok(match transport {
            Transport::Plain => {
                config.ssl_mode(SslMode::Disable);
                let (client, connection) =
                    config.connect_raw(stream, NoTls).await.map_err(fatal)?;
                Self { client, task: tokio::spawn(ended(connection)) }
            }
            Transport::Encrypted(tls) => {
                config.ssl_mode(SslMode::Require);
                let name = ServerName::try_from(address.host.clone()).map_err(|e| {
                    Error::new(Kind::Config, "sql.tls", "the host has no name to verify")
                        .caused_by(e)
                })?;
                let tls = Connector { tls: Arc::clone(tls), name };
                let (client, connection) = config.connect_raw(stream, tls).await.map_err(fatal)?;
                Self { client, task: tokio::spawn(ended(connection)) }
            }
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The server ends the transaction when the socket closes.
        self.task.abort();
    }
}

/// What is wrong with the connection is said by the calls that wait for it.
async fn ended<E>(connection: impl Future<Output = Result<(), E>>) {
    let _ = connection.await;
}

struct Connector {
    tls: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
}

type Connecting = Pin<Box<dyn Future<Output = std::io::Result<Encrypted>> + Send>>;

impl TlsConnect<TcpStream> for Connector {
    type Stream = Encrypted;
    type Error = std::io::Error;
    type Future = Connecting;

    fn connect(self, stream: TcpStream) -> Connecting {
        let connector = tokio_rustls::TlsConnector::from(self.tls);
        Box::pin(async move { connector.connect(self.name, stream).await.map(Encrypted) })
    }
}

struct Encrypted(tokio_rustls::client::TlsStream<TcpStream>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
