use std::sync::Arc;

use fenhe::core::{Kind, WriteMode};
use fenhe::{Level, Null, outline};

use crate::platform::Platform;
use crate::support::{Work, run};

#[tokio::test]
async fn the_guarantee_is_derived_and_an_over_claim_is_refused() {
    let work = Work::new();
    let source = work.people(10).await;
    let mut flow = work.flow(&source, Arc::new(Platform::with_watermark()), WriteMode::Append);
    assert_eq!(run(&flow).await.receipt.guarantee, Level::L2);
    flow.target.exchange = Arc::new(Platform::plain());
    assert_eq!(run(&flow).await.receipt.guarantee, Level::L0);
    flow.policy.guarantee = Some(Level::L1);
    let ended = run(&flow).await;
    assert_eq!(ended.error.unwrap().code(), "engine.guarantee");
    assert_eq!(ended.receipt.guarantee, Level::L0);
    // What is refused is what could be kept, not nothing.
    flow.target.mode = WriteMode::Upsert;
    flow.target.key = vec!["id".into()];
    flow.policy.guarantee = Some(Level::L2);
    let ended = run(&flow).await;
    assert!(ended.error.unwrap().to_string().contains("give L1"));
    assert_eq!(ended.receipt.guarantee, Level::L1);
    flow.policy.guarantee = Some(Level::L1);
    flow.target.mode = WriteMode::Upsert;
    assert_eq!(run(&flow).await.receipt.guarantee, Level::L1);
}

#[tokio::test]
async fn plan_and_run_refuse_the_same() {
    let work = Work::new();
    let source = work.people(10).await;
    let mut flow = work.flow(&source, Arc::new(Platform::plain()), WriteMode::Replace);
    for code in ["engine.mode", "exchange.key"] {
        assert_eq!(outline(&flow).await.unwrap_err().code(), code);
        let error = run(&flow).await.error.unwrap();
        assert_eq!((error.code(), error.kind()), (code, Kind::Config), "{error}");
        flow.target.mode = WriteMode::Upsert;
        flow.target.key = vec!["idd".into()];
    }
    assert!(outline(&flow).await.unwrap_err().to_string().contains("did you mean id?"));
    flow.target.key = vec!["id".into()];
    assert_eq!(outline(&flow).await.unwrap().guarantee, Level::L1);
}

#[tokio::test]
async fn nothing_counts_what_it_drops() {
    let work = Work::new();
    let source = work.people(500).await;
    let flow = work.flow(&source, Arc::new(Null), WriteMode::Append);
    let receipt = run(&flow).await.receipt;
    assert_eq!((receipt.books.delivered, receipt.books.rejects()), (495, 5));
}
