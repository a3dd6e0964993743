//! What the target returns, against receipt and ledger: shown able to fail.

use fenhe::core::{Limits, WriteMode};
use fenhe::ledger::Ledger;
use fenhe::{Difference, Flow, FlowReceipt, Opening, Place, Reconciled, Registry, reconcile};

use crate::support::{Work, limits, run};

/// A delivery of thirty people, kept in a ledger.
async fn delivered(work: &Work, to: &str, mode: WriteMode, key: &[&str]) -> (Flow, FlowReceipt) {
    let source = work.people(30).await;
    let place = Place::relative_to(to, work.folder.path());
    let target = Registry::with_defaults().target(&place, &Opening::default()).unwrap();
    let mut flow = work.flow(&source, target.exchange, mode);
    flow.target.dataset = target.dataset;
    flow.target.key = key.iter().map(|name| (*name).to_owned()).collect();
    flow.ledger = Some(work.path("ledger.db"));
    flow.limits = Limits { batch_rows: 7, ..limits() };
    let ended = run(&flow).await;
    assert!(ended.error.is_none(), "{:?}", ended.error);
    (flow, ended.receipt)
}

async fn compare(work: &Work, receipt: &FlowReceipt, to: &str, memory: u64) -> Reconciled {
    let place = Place::relative_to(to, work.folder.path());
    let source = Registry::with_defaults().source(&place, &Opening::default()).await.unwrap();
    let ledger = Ledger::open_existing(&work.path("ledger.db")).unwrap();
    let limits = Limits { memory, ..limits() };
    reconcile(receipt, &source.input, Some(&ledger), &limits).await.unwrap()
}

/// What differs, as `changed 17`, by key or else by record.
fn named(reconciled: &Reconciled) -> Vec<String> {
    let name = |difference: &Difference| {
        let what = serde_json::to_value(difference).unwrap()["what"].as_str().unwrap().to_owned();
        let row = difference.row();
        match row.key.as_str() {
            "" => format!("{what} record {}", row.record.unwrap_or_default()),
            key => format!("{what} {key}"),
        }
    };
    reconciled.differences.iter().map(name).collect()
}

#[tokio::test]
async fn changed_dropped_and_repeated_rows_of_a_table_are_named_and_swapped_ones_are_not() {
    let (to, path) = ("sqlite:out.db#person", "out.db");
    let cases: [(&str, &[&str]); 7] = [
        // Two rows change places.
        (
            "UPDATE person SET rowid = -1 WHERE id = 4; UPDATE person SET rowid = 4 WHERE id = 9;
             UPDATE person SET rowid = 9 WHERE id = 4",
            &[],
        ),
        ("UPDATE person SET name = replace(name, '17', '71') WHERE id = 17", &["changed 17"]),
        ("UPDATE person SET fee = NULL WHERE id = 5", &["changed 5"]),
        ("DELETE FROM person WHERE id = 23", &["missing 23"]),
        // It is there, whatever stands in it.
        ("UPDATE person SET fee = 'abc' WHERE id = 12", &["changed 12"]),
        // Its key cannot be read, so nobody can tell which one it is.
        ("UPDATE person SET id = 'abc' WHERE id = 13", &["missing 13"]),
        ("INSERT INTO person SELECT * FROM person WHERE id = 8", &["repeated 8"]),
    ];
    for (change, expected) in cases {
        let work = Work::new();
        // A table that lets a row in twice.
        let table = rusqlite::Connection::open(work.path(path)).unwrap();
        table
            .execute_batch("CREATE TABLE person (id INTEGER, name TEXT, fee DECIMAL(12,2))")
            .unwrap();
        drop(table);
        let (_, receipt) = delivered(&work, to, WriteMode::Append, &["id"]).await;
        let before = compare(&work, &receipt, to, 1 << 30).await;
        assert!(before.agrees() && before.by_row, "{:?}", before.differences);
        assert_eq!(before.digest.as_deref(), Some(before.found_digest.as_str()));
        assert_eq!(before.columns, receipt.columns);
        let table = rusqlite::Connection::open(work.path(path)).unwrap();
        table.execute_batch(change).unwrap();
        drop(table);
        for memory in [1 << 30, 1_000] {
            // A small memory reads the target several times and finds the same.
            let after = compare(&work, &receipt, to, memory).await;
            assert_eq!(named(&after), expected, "{change}");
            assert_eq!(after.agrees(), expected.is_empty(), "{change}");
            let same = after.digest.as_deref() == Some(after.found_digest.as_str());
            assert_eq!(same, expected.is_empty(), "{change}");
        }
    }
}

#[tokio::test]
async fn rows_of_a_file_without_a_key_are_named_by_their_records() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, &[&str]); 4] = [
        (|lines| lines.swap(1, 6), &[]),
        (
            |lines| lines[2] = lines[2].replace("张2", "张三"),
            &["missing record 2", "unknown record 0"],
        ),
        (|lines| drop(lines.remove(5)), &["missing record 4"]),
        (|lines| lines.insert(9, lines[1].clone()), &["repeated record 1"]),
    ];
    for (change, expected) in cases {
        let work = Work::new();
        let (_, receipt) = delivered(&work, "out.csv", WriteMode::Replace, &[]).await;
        assert!(compare(&work, &receipt, "out.csv", 1 << 30).await.agrees());
        let mut text = lines(&std::fs::read_to_string(work.path("out.csv")).unwrap());
        change(&mut text);
        work.write("out.csv", text.join("\n") + "\n");
        let after = compare(&work, &receipt, "out.csv", 1 << 30).await;
        let mut found = named(&after);
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(after.agrees(), expected.is_empty());
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_any_more_is_there_and_says_why() {
    let work = Work::new();
    let to = "sqlite:out.db#person";
    let (_, receipt) = delivered(&work, to, WriteMode::Upsert, &["id"]).await;
    let table = rusqlite::Connection::open(work.path("out.db")).unwrap();
    table.execute("UPDATE person SET fee = 'abc' WHERE id = 12", []).unwrap();
    let found = compare(&work, &receipt, to, 1 << 30).await;
    assert_eq!(named(&found), ["changed 12"]);
    let why = found.differences[0].row().unreadable.clone().unwrap();
    assert!(why.starts_with("fee: expected"), "{why}");
    assert_eq!((found.found, found.others), (30, 0));
}

#[tokio::test]
async fn a_receipt_whose_figures_are_not_those_of_its_rows_is_red() {
    let work = Work::new();
    let to = "sqlite:out.db#person";
    let (_, receipt) = delivered(&work, to, WriteMode::Upsert, &["id"]).await;
    let place = Place::relative_to(to, work.folder.path());
    let source = Registry::with_defaults().source(&place, &Opening::default()).await.unwrap();
    type Change = fn(&mut FlowReceipt);
    let cases: [(Change, &str); 4] = [
        (|r| r.columns[2].sum = Some("47.00".into()), "sum of fee"),
        (|r| r.columns[1].nulls = 1, "without name"),
        (|r| r.books.delivered = 29, "rows"),
        (|r| r.rows.as_mut().unwrap().digest.replace_range(..2, "zz"), ""),
    ];
    for (change, what) in cases {
        let mut receipt = receipt.clone();
        change(&mut receipt);
        let found = compare(&work, &receipt, to, 1 << 30).await;
        assert_eq!((found.different, found.agrees()), (0, what.is_empty()), "{what}");
        assert_eq!(found.contradictions.join(", "), what);
        // A digest that is none is as if there were none.
        let alone = reconcile(&receipt, &source.input, None, &limits()).await;
        assert!(!alone.is_ok_and(|found| found.agrees()), "{what}");
    }
    let mut other = receipt.clone();
    other.rows.as_mut().unwrap().digest.replace_range(.., &"0".repeat(64));
    let found = compare(&work, &other, to, 1 << 30).await;
    assert_eq!((found.agrees(), found.contradictions), (false, vec!["digest".to_owned()]));
    // Among rows of others the figures say nothing.
    let table = rusqlite::Connection::open(work.path("out.db")).unwrap();
    table.execute("INSERT INTO person VALUES (999, '他', '1.00')", []).unwrap();
    let found = compare(&work, &receipt, to, 1 << 30).await;
    assert_eq!((found.agrees(), found.others), (true, 1));
}

#[tokio::test]
async fn rows_that_gave_way_to_later_ones_of_their_key_are_no_contradiction() {
    let work = Work::new();
    let to = "sqlite:out.db#person";
    work.write("people.csv", "id,name,fee\n1,张,1.00\n2,李,2.00\n1,王,5.00\n");
    let source = work.source("people.csv", 1).await;
    let place = Place::relative_to(to, work.folder.path());
    let target = Registry::with_defaults().target(&place, &Opening::default()).unwrap();
    let mut flow = work.flow(&source, target.exchange, WriteMode::Upsert);
    flow.ledger = Some(work.path("ledger.db"));
    let receipt = run(&flow).await.receipt;
    let found = compare(&work, &receipt, to, 1 << 30).await;
    assert!(found.agrees(), "{found:?}");
    assert_eq!((found.superseded, found.delivered, found.found), (1, 3, 2));
}

#[tokio::test]
async fn without_a_ledger_the_receipt_alone_tells_whether_the_rows_are_the_same() {
    let work = Work::new();
    let to = "sqlite:out.db#person";
    let (_, receipt) = delivered(&work, to, WriteMode::Upsert, &["id"]).await;
    let place = Place::relative_to(to, work.folder.path());
    for change in ["", "UPDATE person SET name = '李' WHERE id = 1"] {
        let table = rusqlite::Connection::open(work.path("out.db")).unwrap();
        table.execute_batch(change).unwrap();
        let source = Registry::with_defaults().source(&place, &Opening::default()).await.unwrap();
        let found = reconcile(&receipt, &source.input, None, &limits()).await.unwrap();
        assert_eq!((found.agrees(), found.by_row), (change.is_empty(), false));
    }
    let mut bare = receipt;
    bare.rows = None;
    let source = Registry::with_defaults().source(&place, &Opening::default()).await.unwrap();
    let error = reconcile(&bare, &source.input, None, &limits()).await.unwrap_err();
    assert_eq!(error.code(), "reconcile.nothing");
}
