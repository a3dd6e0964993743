//! Databases: a SQLite file, and servers.

use std::sync::Arc;

use fenhe_core::{Exchange, Options, Result};

use super::{Opened, Scheme};
use crate::place::Place;

/// Options of databases on servers.
const SERVER: &[&str] = &[
    "password_env",
    "password_file",
    "tls",
    "roots_pem",
    "connect_ms",
    "deleted",
    "tombstone",
    "front_table",
    "front_columns",
    "front_region",
    "front_sequence",
];

const SQLITE: &[&str] = &[
    "create",
    "busy_ms",
    "journal",
    "types",
    "deleted",
    "tombstone",
    "front_table",
    "front_columns",
    "front_region",
    "front_sequence",
];

/// The schemes of this build.
pub(super) fn schemes() -> Vec<Scheme> {
    let mut schemes = vec![Scheme {
        name: "sqlite".into(),
        title: "tables of a SQLite file, written sqlite:FILE#TABLE".into(),
        read: true,
        write: true,
        options: SQLITE,
        open: Arc::new(|place, options, _| {
            let mut options = options.clone();
            options.set("path", place.path().to_string_lossy().into_owned());
            opened(fenhe_sql::Sqlite::new(options.parse("sqlite")?), place)
        }),
    }];
    for name in ["postgres", "postgresql"] {
        schemes.push(server(name, "PostgreSQL", |options| {
            fenhe_sql::Postgres::new(options.parse("postgres")?)
        }));
    }
    for name in ["mysql", "mariadb"] {
        schemes.push(server(name, "MySQL and MariaDB", |options| {
            fenhe_sql::Mysql::new(options.parse("mysql")?)
        }));
    }
    schemes
}

fn server<E: Exchange>(
    name: &str,
    product: &str,
    make: impl Fn(&Options) -> Result<E> + Send + Sync + 'static,
) -> Scheme {
    Scheme {
        name: name.into(),
        title: format!("tables of {product}, written {name}://USER@HOST:PORT/DATABASE#TABLE"),
        read: true,
        write: true,
        options: SERVER,
        open: Arc::new(move |place, options, _| {
            let mut options = options.clone();
            options.set("url", place.uri());
            if let Some(serde_json::Value::String(file)) = options.get("password_file") {
                let file = Place::relative_to(file, place.base()).path();
                options.set("password_file", file.to_string_lossy().into_owned());
            }
            opened(make(&options)?, place)
        }),
    }
}

fn opened(exchange: impl Exchange, place: &Place) -> Result<Opened> {
    Ok(Opened::Exchange { exchange: Arc::new(exchange), dataset: place.dataset().into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Opening, Registry};

    #[test]
    fn a_table_of_a_server_is_a_place_with_options_of_its_own() {
        let registry = Registry::with_defaults();
        let place = Place::parse("postgres://clerk:s3cret@127.0.0.1:1/平台#人口.居民");
        let mut with = Opening::default();
        with.options.set("deleted", "SC").set("front_table", "true");
        let end = registry.target(&place, &with).unwrap();
        assert_eq!(end.dataset, "人口.居民");
        assert_eq!(end.exchange.info().scheme, "postgres");
        assert_eq!(end.name, "postgres://clerk:***@127.0.0.1:1/平台#人口.居民");
        assert!(!format!("{end:?}").contains("s3cret"));
        with.options.set("sslmode", "disable");
        assert_eq!(registry.target(&place, &with).unwrap_err().code(), "core.option");
    }
}
