use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fenhe_core::{
    Capability, Dataset, Error, Exchange, Info, Kind, Message, ReadRequest, Reader, Result,
    WriteRequest, Writer,
};

use super::catalogue::{Table, unknown};
use super::connection::Connection;
use super::error::fatal;
use super::plan::Plan;
use super::reader::PostgresReader;
use super::target;
use crate::front::{FrontTable, View};
use crate::server::{Address, ServerConfig, Transport};

const SCHEMES: &[&str] = &["postgres", "postgresql"];

/// A PostgreSQL database, version 12 or later.
///
/// ```
/// use fenhe_core::Exchange;
/// use fenhe_sql::{Postgres, ServerConfig};
/// let platform = Postgres::new(ServerConfig::new("postgres://clerk@db.example/platform"))?;
/// assert!(platform.info().capability.watermark);
/// assert_eq!(Postgres::new(ServerConfig::new("postgres://db.example")).unwrap_err().code(), "sql.url");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Postgres {
    config: Arc<ServerConfig>,
    address: Arc<Address>,
    transport: Transport,
    front: Option<FrontTable>,
}

impl Postgres {
    /// A database; nothing is connected yet, but the password is read.
    ///
    /// # Errors
    /// [`Kind::Config`] for a wrong address, password source or certificate.
    pub fn new(config: ServerConfig) -> Result<Self> {
        let address = Address::parse(&config, SCHEMES, 5_432)?;
        Ok(Self {
            transport: Transport::of(&config, &address)?,
            front: config.front()?,
            address: Arc::new(address),
            config: Arc::new(config),
        })
    }

    async fn connect(&self) -> Result<Connection> {
        let wait = Duration::from_millis(self.config.connect_ms);
        Connection::open(&self.address, &self.transport, wait).await
    }

    /// A connection with a transaction that sees one state of the database.
    async fn snapshot(&self) -> Result<Connection> {
        let connection = self.connect().await?;
        // Rows by place come in order from one process only.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL max_parallel_workers_per_gather = 0";
        connection.client.batch_execute(begin).await.map_err(fatal)?;
        Ok(connection)
    }

    async fn table(&self, connection: &Connection, name: &str) -> Result<Table> {
        let client = &connection.client;
        if let Some(table) = Table::find(client, name).await?.filter(|_| !name.is_empty()) {
            return match &self.front {
                Some(front) => front.view(table, name, View::Current),
                None => Ok(table),
            };
        }
        if let Some((base, view)) = View::of(name)
            && let Some(table) = Table::find(client, base).await?
        {
            let mut table = self.config.front_names()?.view(table, base, view)?;
            table.dataset.push_str(view.suffix());
            return Ok(table);
        }
        if name.is_empty() {
            let mut all = Table::all(client).await?;
            if all.len() == 1 {
                return Ok(all.swap_remove(0));
            }
        }
        Err(unknown(client, name).await.source_name(self.address.shown.clone()))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Exchange for Postgres {
    fn info(&self) -> Info {
        Info {
            scheme: "postgres",
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
        let connection = self.snapshot().await?;
        let tables = Table::all(&connection.client).await?;
        Ok(tables.iter().map(Table::described).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let connection = self.snapshot().await?;
        let table = self.table(&connection, &request.dataset).await?;
        if let Some(partition) = &request.partition {
            return Err(Error::new(
                Kind::NotFound,
                "sql.partition",
                format!("no partition {partition:?}"),
            ));
        }
        let plan = Plan::new(&table, &request)?;
        let source = self.address.shown.clone();
        let reader = PostgresReader::open(connection, plan, request.limits, source).await?;
        Ok(Box::new(reader))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let connection = self.connect().await?;
        Ok(Box::new(target::open(connection, &self.config, request).await?))
    }

    async fn call(&self, _: Message) -> Result<Message> {
        Err(Error::unsupported("postgres", "call"))
    }
}
