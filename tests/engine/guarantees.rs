use std::sync::Arc;

use fenhe::core::WriteMode;
use fenhe::{Level, Null};

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
    assert_eq!(run(&flow).await.error.unwrap().code(), "engine.guarantee");
    flow.target.mode = WriteMode::Upsert;
    assert_eq!(run(&flow).await.receipt.guarantee, Level::L1);
}

#[tokio::test]
async fn nothing_counts_what_it_drops() {
    let work = Work::new();
    let source = work.people(500).await;
    let flow = work.flow(&source, Arc::new(Null), WriteMode::Append);
    let receipt = run(&flow).await.receipt;
    assert_eq!((receipt.books.delivered, receipt.books.rejects()), (495, 5));
}
