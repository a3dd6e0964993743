#[tokio::test]
async fn sqlite_conforms() {
    let (_keep, exchange) = crate::database("");
    fenhe_testkit::exchange::conforms(&exchange).await;
    exchange.check().await.unwrap();
}
