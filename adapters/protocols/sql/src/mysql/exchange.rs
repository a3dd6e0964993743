use std::sync::Arc;

use async_trait::async_trait;
use fenhe_core::{
    Capability, Dataset, Error, Exchange, Info, Kind, Message, ReadRequest, Reader, Result,
    WriteRequest, Writer,
};

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::catalogue::{Table, unknown};
use super::connection;
use super::error::fatal;
use super::plan::Plan;
use super::reader::MysqlReader;
use super::target;
use crate::front::{FrontTable, View};
use crate::server::{Address, ServerConfig, Transport};

const SCHEMES: &[&str] = &["mysql", "mariadb"];

/// A MySQL (8 and later) or MariaDB (10.5 and later) database.
///
/// ```
/// use fenhe_core::Exchange;
/// use fenhe_sql::{Mysql, ServerConfig};
/// let platform = Mysql::new(ServerConfig::new("mysql://clerk@db.example/platform"))?;
/// assert!(platform.info().capability.watermark);
/// assert_eq!(Mysql::new(ServerConfig::new("mysql://db.example")).unwrap_err().code(), "sql.url");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mysql {
    config: Arc<ServerConfig>,
    address: Arc<Address>,
    transport: Transport,
    front: Option<FrontTable>,
}

impl Mysql {
    /// A database; nothing is connected yet, but the password is read.
    ///
    /// # Errors
    /// [`Kind::Config`] for a wrong address, password source or certificate.
    pub fn new(config: ServerConfig) -> Result<Self> {
        let address = Address::parse(&config, SCHEMES, 3_306)?;
        Ok(Self {
            transport: Transport::of(&config, &address)?,
            front: config.front()?,
            address: Arc::new(address),
            config: Arc::new(config),
        })
    }

    async fn connect(&self) -> Result<Conn> {
        connection::open(&self.address, &self.transport, &self.config).await
    }

    /// A connection with a transaction that sees one state of the database.
    async fn snapshot(&self) -> Result<Conn> {
        let mut conn = self.connect().await?;
        let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
        conn.query_drop(begin).await.map_err(fatal)?;
        Ok(conn)
    }

    async fn table(&self, conn: &mut Conn, name: &str) -> Result<Table> {
        if let Some(table) = Table::find(conn, name).await?.filter(|_| !name.is_empty()) {
            return match &self.front {
                Some(front) => front.view(table, name, View::Current),
                None => Ok(table),
            };
        }
        if let Some((base, view)) = View::of(name)
            && let Some(table) = Table::find(conn, base).await?
        {
            let mut table = self.config.front_names()?.view(table, base, view)?;
            table.dataset.push_str(view.suffix());
            return Ok(table);
        }
        if name.is_empty() {
            let mut all = Table::all(conn).await?;
            if all.len() == 1 {
                return Ok(all.swap_remove(0));
            }
        }
        Err(unknown(conn, name).await.source_name(self.address.shown.clone()))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Exchange for Mysql {
    fn info(&self) -> Info {
        Info {
            scheme: "mysql",
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
        let mut conn = self.snapshot().await?;
        let tables = Table::all(&mut conn).await?;
        Ok(tables.iter().map(Table::described).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let mut conn = self.snapshot().await?;
        let table = self.table(&mut conn, &request.dataset).await?;
        if let Some(partition) = &request.partition {
            return Err(Error::new(
                Kind::NotFound,
                "sql.partition",
                format!("no partition {partition:?}"),
            ));
        }
        let plan = Plan::new(&table, &request)?;
        let source = self.address.shown.clone();
        let reader = MysqlReader::open(conn, plan, request.limits, source).await?;
        Ok(Box::new(reader))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let conn = self.connect().await?;
        Ok(Box::new(target::open(conn, &self.config, request).await?))
    }

    async fn call(&self, _: Message) -> Result<Message> {
        Err(Error::unsupported("mysql", "call"))
    }
}
