//! Where rows go, and who counts them.

use std::path::Path;
use std::process::Command;

use crate::platform::Platform;
use crate::{REFUSED, database, numbers, output};

pub(crate) trait Target {
    fn name(&self) -> &'static str;
    /// For `to = `.
    fn place(&self) -> String;
    /// Lines of `[flow.write]`.
    fn options(&self) -> &'static str {
        ""
    }
    /// Whether it refuses the rows of [`REFUSED`](crate::REFUSED).
    fn refuses(&self) -> bool {
        true
    }
    /// Whether `fenhe reconcile` can read it.
    fn readable(&self) -> bool {
        true
    }
    /// Options of `fenhe reconcile`.
    fn reading(&self) -> &'static [&'static str] {
        &[]
    }
    /// Takes all rows away.
    fn clear(&self, folder: &Path);
    /// The ids that arrived, as often as they did.
    fn ids(&self, folder: &Path) -> Vec<u64>;
}

/// A table that refuses some rows.
fn table(name: &str, text: &str) -> String {
    format!(
        "CREATE TABLE {name} (id BIGINT NOT NULL, name {text}, fee DECIMAL(12,2), CHECK (id % {REFUSED} <> 0))"
    )
}

pub(crate) struct Sqlite;

impl Target for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self) -> String {
        "sqlite:out/platform.db#person".into()
    }

    // The file lay in the folder that was removed.
    fn clear(&self, folder: &Path) {
        let db = rusqlite::Connection::open(database(folder)).unwrap();
        db.execute_batch(&table("person", "TEXT")).unwrap();
    }

    fn ids(&self, folder: &Path) -> Vec<u64> {
        let db = rusqlite::Connection::open(database(folder)).unwrap();
        let mut query = db.prepare("SELECT id FROM person").unwrap();
        let ids = query.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        ids.map(|id| u64::try_from(id.unwrap()).unwrap()).collect()
    }
}

/// Files that are added to: what their list names was delivered.
pub(crate) struct Parts;

impl Target for Parts {
    fn name(&self) -> &'static str {
        "files in parts"
    }

    fn place(&self) -> String {
        "out/person.csv".into()
    }

    fn refuses(&self) -> bool {
        false
    }

    fn clear(&self, _folder: &Path) {}

    fn ids(&self, folder: &Path) -> Vec<u64> {
        let read = |name: &str| std::fs::read_to_string(folder.join("out").join(name)).unwrap();
        let list: serde_json::Value = serde_json::from_str(&read("person.csv.parts.json")).unwrap();
        let parts = list["parts"].as_array().unwrap();
        let text: String = parts.iter().map(|part| read(part["name"].as_str().unwrap())).collect();
        text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect()
    }
}

pub(crate) struct Postgres;

impl Postgres {
    fn psql(query: &str) -> String {
        let server =
            std::env::var("FENHE_POSTGRES").expect("FENHE_POSTGRES of tests/services.sh up");
        output(
            Command::new("psql").args(["-qAt", "-v", "ON_ERROR_STOP=1", "-c", query]).arg(server),
        )
    }
}

impl Target for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn place(&self) -> String {
        let server =
            std::env::var("FENHE_POSTGRES").expect("FENHE_POSTGRES of tests/services.sh up");
        format!("{server}#crash_person")
    }

    fn clear(&self, _folder: &Path) {
        Self::psql("DROP TABLE IF EXISTS crash_person, _fenhe_watermark");
        Self::psql(&table("crash_person", "TEXT"));
    }

    fn ids(&self, _folder: &Path) -> Vec<u64> {
        numbers(&Self::psql("SELECT id FROM crash_person"))
    }
}

pub(crate) struct MariaDb;

/// Parts of `mysql://user:password@host:port/database`.
struct Server {
    user: String,
    password: String,
    host: String,
    port: String,
    database: String,
}

impl MariaDb {
    fn server() -> Server {
        let text = std::env::var("FENHE_MARIADB").expect("FENHE_MARIADB of tests/services.sh up");
        let rest = text.strip_prefix("mysql://").unwrap();
        let (login, place) = rest.split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let (address, database) = place.split_once('/').unwrap();
        let (host, port) = address.split_once(':').unwrap();
        let [user, password, host, port, database] =
            [user, password, host, port, database].map(str::to_owned);
        Server { user, password, host, port, database }
    }

    fn ask(query: &str) -> String {
        let Server { user, password, host, port, database } = Self::server();
        let login = [
            format!("-u{user}"),
            format!("-p{password}"),
            format!("-h{host}"),
            format!("-P{port}"),
        ];
        output(Command::new("mariadb").args(login).args(["-N", "-B", "-e", query]).arg(database))
    }
}

impl Target for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn place(&self) -> String {
        let Server { user, host, port, database, .. } = Self::server();
        format!("mysql://{user}@{host}:{port}/{database}#crash_person")
    }

    fn options(&self) -> &'static str {
        "password_file = \"password\""
    }

    fn reading(&self) -> &'static [&'static str] {
        &["-o", "password_file=password"]
    }

    fn clear(&self, folder: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = folder.join("password");
        std::fs::write(&file, Self::server().password).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self::ask("DROP TABLE IF EXISTS crash_person, _fenhe_watermark");
        Self::ask(&table("crash_person", "VARCHAR(100)"));
    }

    fn ids(&self, _folder: &Path) -> Vec<u64> {
        numbers(&Self::ask("SELECT id FROM crash_person"))
    }
}

pub(crate) struct Http {
    platform: Platform,
}

impl Http {
    pub(crate) fn start() -> Self {
        Self { platform: Platform::start() }
    }
}

impl Target for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn place(&self) -> String {
        format!("http://{}/person", self.platform.address())
    }

    fn options(&self) -> &'static str {
        "idempotent = true\nrows = 20"
    }

    fn refuses(&self) -> bool {
        false
    }

    fn readable(&self) -> bool {
        false
    }

    fn clear(&self, _folder: &Path) {
        self.platform.clear();
    }

    fn ids(&self, _folder: &Path) -> Vec<u64> {
        self.platform.ids()
    }
}
