//! Transport security against real servers, to users that may log in with it alone: `eval "$(tests/services.sh up)"`.

use fenhe_core::{Exchange, Kind, Result, Secret};
use fenhe_sql::{Mysql, Postgres, ServerConfig, Tls};

/// What a server answers to `fenhe_tls` at this host.
async fn answer(variable: &str, host: &str, change: impl FnOnce(&mut ServerConfig)) -> Result<()> {
    let url = std::env::var(variable).expect("the servers of tests/services.sh up");
    let (scheme, place) = (url.split_once("://").unwrap().0, url.rsplit_once('@').unwrap().1);
    let place = place.replace("127.0.0.1", host);
    let mut config = ServerConfig::new(format!("{scheme}://fenhe_tls@{place}"));
    config.password = Some(Secret::new("fenhe-live-test"));
    config.tls = Tls::Verify;
    change(&mut config);
    let exchange: Box<dyn Exchange> = match scheme {
        "postgres" => Box::new(Postgres::new(config)?),
        _ => Box::new(Mysql::new(config)?),
    };
    exchange.discover().await.map(drop)
}

fn roots(config: &mut ServerConfig) {
    let file = std::env::var("FENHE_TLS_ROOTS").expect("FENHE_TLS_ROOTS of tests/services.sh up");
    config.roots_pem = Some(std::fs::read_to_string(file).unwrap());
}

async fn is_verified(variable: &str) {
    answer(variable, "127.0.0.1", roots).await.unwrap();
    let error = answer(variable, "127.0.0.1", |_| {}).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Permission, "sql.tls"),
        "an authority that nobody trusts: {error:?}"
    );
    let error = answer(variable, "localhost", roots).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Permission, "sql.tls"),
        "a certificate of another name: {error:?}"
    );
    let plain = |config: &mut ServerConfig| config.tls = Tls::InsecurePlaintext;
    let error = answer(variable, "127.0.0.1", plain).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Auth, "sql.login"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn postgres_is_verified() {
    is_verified("FENHE_POSTGRES").await;
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn mariadb_is_verified() {
    is_verified("FENHE_MARIADB").await;
}
