use std::sync::Arc;

use fenhe::core::{Limits, WriteMode};
use fenhe::{Budget, OnError, Receipt, Status};

use crate::platform::{Injected, Platform};
use crate::support::{Work, run};

#[tokio::test]
async fn every_record_is_delivered_or_rejected_and_the_receipt_says_so() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(1_000).await;
    let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
    let ended = run(&flow).await;
    assert!(ended.error.is_none(), "{:?}", ended.error);
    let receipt = ended.receipt;
    assert_eq!(receipt.status, Status::Complete);
    assert_eq!(
        (receipt.books.read, receipt.books.delivered, receipt.books.rejects()),
        (1_000, 990, 10)
    );
    assert!(receipt.balanced && !receipt.within_budget);
    assert_eq!(platform.rows().len(), 990);
    let records: Vec<u64> = work.reject_lines().iter().map(|line| line.reject.record).collect();
    assert_eq!(records, (0..10).map(|i| 50 + i * 100).collect::<Vec<u64>>());
    // Sum of (i % 900) yuan and (i % 100) fen over the rows that are no rejects, in fen.
    let fen: u64 = (1..=1_000).filter(|i| i % 100 != 50).map(|i| i % 900 * 100 + i % 100).sum();
    let fee = receipt.columns.iter().find(|column| column.name == "fee").unwrap();
    assert_eq!(fee.sum.as_deref(), Some(format!("{}.{:02}", fen / 100, fen % 100).as_str()));
    assert_eq!(receipt.reasons.len(), 1);
    assert_eq!((receipt.reasons[0].field.as_str(), receipt.reasons[0].first), ("fee", 50));
}

#[tokio::test]
async fn rejects_are_on_disk_before_the_commit_of_their_batch() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    platform.inject(Some(Injected::CommitFails(1)));
    let source = work.people(1_000).await;
    let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
    let ended = run(&flow).await;
    assert_eq!(ended.error.unwrap().code(), "memory.commit");
    // Eight batches of fifty were written before the first commit: records 50, 150, 250 and 350.
    assert_eq!(work.reject_lines().len(), 4);
    assert_eq!(ended.receipt.books.read, 0, "nothing was committed, so nothing counts as read");
    assert_eq!(ended.receipt.status, Status::Failed);
}

#[tokio::test]
async fn a_row_that_the_target_loses_unbalances_the_books() {
    let work = Work::new();
    let platform = Platform::plain();
    platform.inject(Some(Injected::LosesRow));
    let source = work.people(40).await;
    let flow = work.flow(&source, Arc::new(platform), WriteMode::Append);
    let ended = run(&flow).await;
    assert_eq!(ended.receipt.status, Status::Incomplete);
    assert!(!ended.receipt.balanced);
    let mut receipt = Receipt::begin("test");
    receipt.add(ended.receipt);
    assert_eq!(receipt.exit_code(), 4);
}

#[tokio::test]
async fn rows_that_the_target_refuses_are_rejects_with_their_content() {
    for early in [true, false] {
        let work = Work::new();
        // Who stores a watermark knows what it refuses before it commits.
        let platform = if early { Platform::with_watermark() } else { Platform::plain() };
        platform.inject(Some(Injected::Refuses("张11\"", early)));
        let source = work.people(40).await;
        let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
        let receipt = run(&flow).await.receipt;
        assert_eq!((receipt.books.delivered, receipt.books.rejects()), (39, 1), "{early}");
        assert!(receipt.balanced);
        let line = &work.reject_lines()[0];
        assert_eq!((line.reject.record, line.reject.fault.code.as_ref()), (11, "memory.refused"));
        if early {
            let row = String::from_utf8(line.reject.raw.to_vec()).unwrap();
            assert_eq!(row, "{\"id\":11,\"name\":\"张11\",\"fee\":11.11}");
            let fen: u64 = (1..=40).filter(|i| *i != 11).map(|i| i * 101).sum();
            let sum = receipt.columns[2].sum.clone().unwrap();
            assert_eq!(sum, format!("{}.{:02}", fen / 100, fen % 100));
        }
    }
}

#[tokio::test]
async fn an_unanswered_commit_leaves_rows_in_doubt() {
    let work = Work::new();
    let platform = Platform::plain();
    platform.inject(Some(Injected::CommitInDoubt(1)));
    let source = work.people(40).await;
    let flow = work.flow(&source, Arc::new(platform), WriteMode::Append);
    let ended = run(&flow).await;
    assert_eq!(ended.receipt.books.in_doubt, 40);
    assert_eq!(ended.receipt.status, Status::Failed);
    assert!(!ended.receipt.agrees());
}

#[tokio::test]
async fn a_storm_of_rejects_stops_the_run() {
    let work = Work::new();
    let source = work.people(1_000).await;
    let mut flow = work.flow(&source, Arc::new(Platform::plain()), WriteMode::Upsert);
    flow.limits = Limits { rejects: 3, ..flow.limits };
    let ended = run(&flow).await;
    assert_eq!(ended.error.unwrap().code(), "engine.reject_storm");
    assert_eq!(work.reject_lines().len(), 4);
}

#[tokio::test]
async fn five_in_a_hundred_are_a_storm_unless_a_budget_bears_more() {
    let percent = |percent| Some(Budget { rejects: None, percent: Some(percent) });
    let count = |count| Some(Budget { rejects: Some(count), percent: None });
    // So many rows of a hundred have letters for a number; records, budget, whether the run is stopped.
    for (bad, records, budget, stopped) in [
        (6, 3_000, None, true),
        (4, 3_000, None, false),
        (6, 900, None, false),
        (10, 3_000, percent(20.0), false),
        (10, 3_000, percent(5.0), true),
        (10, 3_000, count(400), false),
        (10, 3_000, count(10), true),
    ] {
        let work = Work::new();
        let fee = |i: u64| if i % 100 < bad { "x" } else { "1" };
        let lines = (0..records).map(|i| format!("{i},a,{}\n", fee(i))).collect::<String>();
        work.write("in.csv", format!("id,name,fee\n{lines}"));
        let source = work.source("in.csv", 1).await;
        let mut flow = work.flow(&source, Arc::new(Platform::plain()), WriteMode::Upsert);
        flow.policy.budget = budget;
        let ended = run(&flow).await;
        let code = ended.error.map(|error| error.code().to_owned());
        let expected = stopped.then(|| "engine.reject_storm".to_owned());
        assert_eq!(code, expected, "{bad} of 100, {records}, {budget:?}");
    }
}

#[tokio::test]
async fn the_first_reject_ends_the_run_if_asked() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(1_000).await;
    let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
    flow.policy.on_error = OnError::Fail;
    let ended = run(&flow).await;
    let error = ended.error.unwrap();
    assert_eq!(error.code(), "engine.first_reject");
    assert!(error.to_string().contains("record 50"), "{error}");
    assert_eq!(platform.rows().len(), 0);
}

#[tokio::test]
async fn a_budget_bears_as_many_rejects_as_it_says() {
    for (budget, within) in [
        (Budget { rejects: Some(10), percent: None }, true),
        (Budget { rejects: Some(9), percent: None }, false),
        (Budget { rejects: None, percent: Some(1.0) }, true),
        (Budget { rejects: Some(50), percent: Some(0.9) }, false),
    ] {
        let work = Work::new();
        let source = work.people(1_000).await;
        let mut flow = work.flow(&source, Arc::new(Platform::plain()), WriteMode::Upsert);
        flow.policy.budget = Some(budget);
        let mut receipt = Receipt::begin("test");
        receipt.add(run(&flow).await.receipt);
        assert_eq!(receipt.exit_code(), if within { 0 } else { 3 }, "{budget:?}");
    }
}
