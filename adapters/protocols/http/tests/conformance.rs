use fenhe_http::{Http, HttpStore};
use fenhe_testkit::store::Abilities;

use crate::config;
use crate::server::Server;

#[tokio::test]
async fn the_store_conforms_on_a_real_server() {
    let (_server, url) = Server::start().await;
    let store = HttpStore::new(config(&url)).unwrap();
    let can = Abilities {
        list: false,
        open: false,
        put: true,
        rename: false,
        remove: true,
        patch: false,
    };
    fenhe_testkit::store::conforms(&store, can).await;
}

#[tokio::test]
async fn the_exchange_conforms_on_a_real_server() {
    let (server, url) = Server::start().await;
    fenhe_testkit::exchange::conforms(&Http::new(config(&url)).unwrap()).await;
    let posts = server.posts.lock().unwrap();
    let lines: usize =
        posts.iter().map(|(_, body)| body.iter().filter(|b| **b == b'\n').count()).sum();
    // 50 + 1 + 30 appended, and whatever later suites commit.
    assert!(lines >= 81, "{lines} rows arrived");
    assert!(posts.iter().all(|(key, _)| key.len() == 64));
}
