use std::collections::BTreeSet;
use std::sync::Arc;

use fenhe::core::WriteMode;
use fenhe::{Control, Status, pump};

use crate::platform::{Injected, Platform};
use crate::support::{Work, people, run};

/// Ids of the people of `n` whose fee is a number.
fn good(n: usize) -> BTreeSet<String> {
    (1..=n).filter(|i| i % 100 != 50).map(|i| format!("{{\"id\":{i},")).collect()
}

fn delivered(platform: &Platform) -> BTreeSet<String> {
    let rows = platform.rows();
    let ids: BTreeSet<String> =
        rows.iter().map(|row| row.split_inclusive(',').next().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), rows.len(), "a row is there twice");
    ids
}

#[tokio::test]
async fn wherever_the_target_fails_the_next_run_loses_and_repeats_nothing() {
    for at in [1, 2, 3, 9, 17, 20, 21] {
        for mode in [WriteMode::Append, WriteMode::Upsert] {
            for fault in
                [Injected::WriteFails(at), Injected::CommitFails(at), Injected::CommitInDoubt(at)]
            {
                let work = Work::new();
                let platform = Platform::with_watermark();
                platform.inject(Some(fault.clone()));
                let source = work.people(1_000).await;
                let flow = work.flow(&source, Arc::new(platform.clone()), mode);
                let first = run(&flow).await;
                platform.inject(None);
                let second = run(&flow).await;
                assert!(second.error.is_none(), "{fault:?}: {:?}", second.error);
                assert_eq!(delivered(&platform), good(1_000), "{fault:?}");
                let books = &second.receipt.books;
                assert_eq!(
                    (books.read, books.delivered, books.rejects()),
                    (1_000, 990, 10),
                    "{fault:?}"
                );
                assert!(second.receipt.balanced);
                assert_eq!(work.reject_lines().len(), 10, "{fault:?}");
                let fen: u64 =
                    (1..=1_000).filter(|i| i % 100 != 50).map(|i| i % 900 * 100 + i % 100).sum();
                let sum = second.receipt.columns[2].sum.clone().unwrap();
                assert_eq!(sum, format!("{}.{:02}", fen / 100, fen % 100), "{fault:?}");
                let already = second.receipt.status == Status::AlreadyDelivered;
                assert!(already || first.error.is_some(), "{fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_finished_delivery_is_not_repeated() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(300).await;
    let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
    let first = run(&flow).await.receipt;
    let writes = platform.shared.lock().unwrap().writes;
    let second = run(&flow).await.receipt;
    assert_eq!(second.status, Status::AlreadyDelivered);
    assert_eq!(platform.shared.lock().unwrap().writes, writes);
    assert_eq!((&second.books, &second.columns), (&first.books, &first.columns));
    assert_eq!(work.reject_lines().len(), 3);
}

#[tokio::test]
async fn a_platform_that_lost_its_rows_gets_them_again() {
    let work = Work::new();
    let source = work.people(300).await;
    for _ in 0..2 {
        let platform = Platform::with_watermark();
        let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
        flow.ledger = Some(work.path("ledger.db"));
        assert_eq!(run(&flow).await.receipt.status, Status::Complete);
        assert_eq!(delivered(&platform), good(300));
        assert_eq!(work.reject_lines().len(), 3);
    }
}

#[tokio::test]
async fn a_new_file_of_the_same_name_is_a_new_delivery() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(300).await;
    run(&work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert)).await;
    let source = work.people(400).await;
    let second =
        run(&work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert)).await.receipt;
    assert_eq!((second.status, second.books.read), (Status::Complete, 400));
    assert_eq!(delivered(&platform), good(400));
    // Three of the first delivery, four of the second: the log forgets nothing.
    assert_eq!(work.reject_lines().len(), 7);
}

#[tokio::test]
async fn going_on_with_another_file_is_refused() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    platform.inject(Some(Injected::WriteFails(12)));
    let source = work.people(1_000).await;
    run(&work.flow(&source, Arc::new(platform.clone()), WriteMode::Append)).await;
    platform.inject(None);
    work.write("people.csv", people(1_000).replace("张2,", "张二,"));
    let source = work.source("people.csv", 1).await;
    let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
    let error = run(&flow).await.error.unwrap();
    assert_eq!(error.code(), "engine.changed");
    assert!(error.to_string().contains("--restart"), "{error}");
    flow.policy.restart = true;
    assert_eq!(run(&flow).await.receipt.status, Status::Complete);
}

#[tokio::test]
async fn an_edited_configuration_starts_over_when_rows_have_keys() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    platform.inject(Some(Injected::WriteFails(12)));
    let source = work.people(1_000).await;
    let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
    run(&flow).await;
    platform.inject(None);
    flow.plan = "plan 2".into();
    let receipt = run(&flow).await.receipt;
    assert_eq!((receipt.status, receipt.resumed_after), (Status::Complete, 0));
    assert_eq!(delivered(&platform), good(1_000));
}

#[tokio::test]
async fn the_ledger_stands_in_for_a_target_without_watermark() {
    let work = Work::new();
    let platform = Platform::plain();
    platform.inject(Some(Injected::WriteFails(20)));
    let source = work.people(1_000).await;
    let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
    flow.ledger = Some(work.path("state/ledger.db"));
    assert!(run(&flow).await.error.is_some());
    platform.inject(None);
    let receipt = run(&flow).await.receipt;
    // Two commits of eight batches stood when the twentieth write failed.
    assert_eq!((receipt.resumed_after, receipt.books.read), (800, 1_000));
    assert_eq!(platform.rows().len(), 990);
    assert_eq!(run(&flow).await.receipt.status, Status::AlreadyDelivered);
}

#[tokio::test]
async fn a_stopped_run_commits_and_goes_on_later() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(1_000).await;
    let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
    let control = Control::default();
    let stopper = control.clone();
    let following = control.clone().following(move |progress| {
        if progress.read >= 250 {
            stopper.stop();
        }
    });
    let first = pump(&flow, &following).await;
    assert_eq!(first.receipt.status, Status::Interrupted);
    assert_eq!((first.receipt.books.read, first.receipt.books.delivered), (250, 247));
    let second = run(&flow).await.receipt;
    assert_eq!(
        (second.status, second.resumed_after, second.books.read),
        (Status::Complete, 250, 1_000)
    );
    assert_eq!(delivered(&platform), good(1_000));
}

#[tokio::test]
async fn a_file_target_is_seen_whole_or_not_at_all() {
    let work = Work::new();
    let source = work.people(1_000).await;
    let place = fenhe::Place::relative_to("out.csv", work.folder.path());
    let target =
        fenhe::Registry::with_defaults().target(&place, &fenhe::Opening::default()).unwrap();
    let flow = work.flow(&source, target.exchange, WriteMode::Replace);
    let control = Control::default();
    control.stop();
    let stopped = pump(&flow, &control).await.receipt;
    assert_eq!((stopped.status, stopped.books.read), (Status::Interrupted, 0));
    assert!(!work.path("out.csv").exists());
    let receipt = run(&flow).await.receipt;
    assert_eq!((receipt.status, receipt.books.delivered), (Status::Complete, 990));
    // One line each, one for the header, and one more for every quoted line end.
    let quoted = (1..=1_000).filter(|i| i % 100 != 50 && i % 7 == 3).count();
    let lines = std::fs::read_to_string(work.path("out.csv")).unwrap().lines().count();
    assert_eq!(lines, 1 + 990 + quoted);
}

/// Digest and sum of the fees over these ids, from a delivery to a target that refuses nothing.
async fn undisturbed(ids: impl Iterator<Item = usize>) -> (Option<String>, String) {
    let work = Work::new();
    let mut text = String::from("id,name,fee\n");
    let all: Vec<usize> = ids.collect();
    let lines: Vec<String> = people_lines();
    for id in &all {
        text.push_str(&lines[id - 1]);
    }
    work.write("people.csv", text);
    let source = work.source("people.csv", 1).await;
    let flow = work.flow(&source, Arc::new(Platform::plain()), WriteMode::Append);
    let receipt = run(&flow).await.receipt;
    assert_eq!(receipt.books.delivered, all.len() as u64);
    let fen: usize = all.iter().map(|i| i % 900 * 100 + i % 100).sum();
    let sum = format!("{}.{:02}", fen / 100, fen % 100);
    assert_eq!(receipt.columns[2].sum.as_ref(), Some(&sum));
    (digest(receipt.rows), sum)
}

fn digest(rows: Option<fenhe::RowsProof>) -> Option<String> {
    rows.map(|rows| rows.digest)
}

/// The records of a thousand people; one may have two lines.
fn people_lines() -> Vec<String> {
    let text = people(1_000);
    let mut records: Vec<String> = Vec::new();
    for line in text.lines().skip(1) {
        match records.last_mut() {
            Some(last) if last.matches('"').count() % 2 == 1 => {
                last.push_str(line);
                last.push('\n');
            }
            _ => records.push(format!("{line}\n")),
        }
    }
    assert_eq!(records.len(), 1_000);
    records
}

#[tokio::test]
async fn sums_and_digests_go_on_without_the_rows_that_the_target_refused() {
    // Ids that end in 7, of which one a batch of fifty is the last.
    let refused = |id: usize| id % 10 == 7 || id == 1_000;
    let is_good = |id: &usize| *id % 100 != 50 && !refused(*id);
    let (rows, sum) = undisturbed((1..=1_000).filter(is_good)).await;
    let missing = (1..=1_000).filter(|id| id % 100 != 50 && refused(*id)).count() as u64;
    for (watermark, at) in [(true, 3), (true, 9), (true, 17), (true, 20), (false, 9), (false, 17)] {
        for fails in
            [Injected::WriteFails(at), Injected::CommitFails(at.min(3)), Injected::CommitInDoubt(2)]
        {
            let in_doubt = matches!(fails, Injected::CommitInDoubt(_));
            if in_doubt && !watermark {
                continue;
            }
            let work = Work::new();
            let platform = if watermark { Platform::with_watermark() } else { Platform::plain() };
            platform.refuse(refused);
            platform.inject(Some(fails.clone()));
            let source = work.people(1_000).await;
            let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
            flow.ledger = Some(work.path("ledger.db"));
            // A tenth is refused, which is no storm here.
            flow.limits.rejects_per_mille = 1_000;
            run(&flow).await;
            platform.inject(None);
            // The run that ends it, and one that finds everything delivered.
            for _ in 0..2 {
                let receipt = run(&flow).await.receipt;
                let case = format!("{watermark} {fails:?}: {:?}", receipt.notes);
                assert!(receipt.balanced, "{case}");
                assert_eq!(receipt.books.rejected["memory.refused"], missing, "{case}");
                assert_eq!(receipt.columns[2].sum.as_ref(), Some(&sum), "{case}");
                assert_eq!(digest(receipt.rows), rows, "{case}");
                let reasons: u64 = receipt.reasons.iter().map(|reason| reason.count).sum();
                assert_eq!(reasons, receipt.books.rejects(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_receipt_of_a_run_that_failed_sums_what_was_delivered() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    // Eight batches of fifty are committed, the ninth is written, the tenth fails.
    platform.inject(Some(Injected::WriteFails(10)));
    let source = work.people(1_000).await;
    let flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Append);
    let ended = run(&flow).await;
    assert!(ended.error.is_some());
    let (rows, sum) = undisturbed((1..=400).filter(|i| i % 100 != 50)).await;
    assert_eq!(ended.receipt.books.delivered, 396);
    assert_eq!(ended.receipt.columns[2].sum.as_ref(), Some(&sum));
    assert_eq!(digest(ended.receipt.rows), rows);
}
