use fenhe_core::{Fault, Raw, Reject};
use fenhe_ledger::{
    Algorithm, Delivery, Expected, Ledger, Planned, PlannedBatch, Run, Settled, State, verify,
};
use serde_json::json;

fn delivery(name: &str, replay_of: Option<&str>) -> Delivery {
    Delivery {
        delivery: name.into(),
        pipeline: pipeline(name),
        flow: "居民".into(),
        mode: "upsert".into(),
        replay_of: replay_of.map(Into::into),
        ..Delivery::default()
    }
}

/// Replays stand in a place of their own.
fn pipeline(delivery: &str) -> String {
    let end = if delivery == "again" { "#replay" } else { "" };
    format!("x/居民{end}")
}

fn batch(number: u64) -> PlannedBatch {
    PlannedBatch {
        batch: number,
        first: number * 10 - 9,
        read: 10,
        rows: 9,
        ..PlannedBatch::default()
    }
}

fn reject(record: u64) -> Reject {
    Reject::new(Fault::new("t.t", "姓名", "a", "b")).at(record, 0, 1).raw_bytes(b"\xd5\xc5", 9)
}

fn settled(name: &str, upto: u64, complete: bool) -> Settled {
    Settled {
        delivery: name.into(),
        pipeline: pipeline(name),
        upto,
        state: State::Delivered,
        read: upto * 10,
        delivered: upto * 9,
        complete,
        checkpoint: Some(format!("{{\"batch\":{upto}}}")),
        ..Settled::default()
    }
}

/// Where a delivery goes on.
fn from(name: &str, upto: u64) -> Settled {
    let from = settled(name, upto, false);
    Settled { checkpoint: from.checkpoint.filter(|_| upto > 0), ..from }
}

fn open() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join(".fenhe/ledger.db")).unwrap();
    (folder, ledger)
}

#[test]
fn what_was_planned_and_not_settled_is_in_doubt_until_it_is_resolved() {
    let (folder, ledger) = open();
    let path = ledger.path().to_owned();
    ledger.resume(&delivery("d", None), &from("d", 0)).unwrap();
    for number in 1..=3 {
        let rejects = [(number, reject(number * 10))];
        let batches = [batch(number)];
        let planned = Planned { delivery: "d", run: "r", batches: &batches, rejects: &rejects };
        ledger.plan(&planned, None).unwrap();
    }
    ledger.settle(&settled("d", 1, false), &[]).unwrap();
    drop(ledger);
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.position("x/居民").unwrap().as_deref(), Some("{\"batch\":1}"));
    // The target says that it stands after batch 2: the third goes back to the source with its reject.
    let doubtful = ledger.resume(&delivery("d", None), &from("d", 2)).unwrap();
    assert_eq!(doubtful.iter().map(|b| (b.batch, b.first)).collect::<Vec<_>>(), [(3, 21)]);
    assert_eq!(ledger.rejected("d").unwrap()["t.t"], 2);
    assert!(ledger.resume(&delivery("d", None), &from("d", 2)).unwrap().is_empty());
    drop(folder);
}

#[test]
fn replayed_rejects_net_off_in_the_books() {
    let (_folder, ledger) = open();
    ledger.resume(&delivery("d", None), &from("d", 0)).unwrap();
    let (batches, rejects) = ([batch(1)], [(1, reject(3)), (1, reject(7))]);
    ledger
        .plan(&Planned { delivery: "d", run: "r", batches: &batches, rejects: &rejects }, None)
        .unwrap();
    ledger.settle(&Settled { delivered: 8, ..settled("d", 1, true) }, &[]).unwrap();
    assert_eq!(ledger.open_rejects(None).unwrap().len(), 2);
    // Both are sent again; the seventh is refused once more, for another reason.
    ledger.resume(&delivery("again", Some("d")), &from("again", 0)).unwrap();
    ledger.replaying("d", &[3, 7], "again").unwrap();
    let mut worse = reject(7);
    worse.fault.code = "t.other".into();
    worse = worse.raw_bytes(b"{}", 9);
    worse.raw_is = Raw::Target;
    let rejects = [(1, worse)];
    ledger
        .plan(
            &Planned { delivery: "again", run: "r2", batches: &[batch(1)], rejects: &rejects },
            None,
        )
        .unwrap();
    // Until the replay is complete nothing is netted off.
    assert_eq!(ledger.open_rejects(Some("居民")).unwrap().len(), 2);
    ledger.settle(&settled("again", 1, true), &[]).unwrap();
    let open = ledger.open_rejects(Some("居民")).unwrap();
    let shown: Vec<_> = open
        .iter()
        .map(|o| (o.delivery.as_str(), o.reject.record, &*o.reject.fault.code))
        .collect();
    assert_eq!(shown, [("d", 7, "t.other")]);
    // What it was at first is not lost beside it.
    assert_eq!((&open[0].reject.raw[..], open[0].reject.raw_is), (&b"{}"[..], Raw::Target));
    let first = open[0].first.as_ref().unwrap();
    assert_eq!((&first.raw[..], first.raw_is), (&b"\xd5\xc5"[..], Raw::Source));
    assert_eq!((first.record, &*first.fault.code), (7, "t.t"));
    let books = ledger.books("d").unwrap().unwrap();
    assert!(books.balance());
    assert_eq!((books.read, books.delivered, books.rejected, books.replayed), (10, 8, 2, 1));
    assert_eq!(ledger.replays_of("d").unwrap(), ["again"]);
    // The next delivery of the same flow, by key, takes the place of this one.
    ledger.resume(&delivery("next", None), &from("next", 0)).unwrap();
    ledger.settle(&settled("next", 1, true), &[]).unwrap();
    assert!(ledger.open_rejects(None).unwrap().is_empty());
}

#[test]
fn the_chain_of_the_file_is_sound_and_a_change_by_hand_is_found() {
    let (_folder, ledger) = open();
    for n in 1..=3 {
        let run = Run { run: format!("r{n}"), ..Run::default() };
        ledger.begin(&run).unwrap();
        let receipt = json!({"run": run.run, "n": n});
        ledger.close(&run.run, "", "complete", receipt, Algorithm::Sm3, None).unwrap();
    }
    let documents: Vec<_> = ledger.receipts().unwrap();
    let texts = || documents.iter().map(|receipt| receipt.document.as_bytes());
    assert!(verify(texts(), &Expected { whole: true, ..Expected::default() }).is_empty());
    assert!(ledger.receipts_at_odds().unwrap().is_empty());
    assert!(ledger.damage().unwrap().is_empty());
    let other = rusqlite::Connection::open(ledger.path()).unwrap();
    other
        .execute("UPDATE receipt SET body = replace(body, 'r2', 'r9') WHERE sequence = 2", [])
        .unwrap();
    assert_eq!(ledger.receipts_at_odds().unwrap(), [2]);
    // Nothing is added to a chain whose end is broken.
    other.execute("UPDATE receipt SET document = '{}' WHERE sequence = 3", []).unwrap();
    let error = ledger.close("r4", "", "complete", json!({}), Algorithm::Sm3, None).unwrap_err();
    assert_eq!(error.code(), "ledger.chain");
}

#[test]
fn a_second_process_is_kept_out_and_another_database_is_left_alone() {
    let (folder, ledger) = open();
    let held = ledger.lock("x/居民").unwrap();
    assert_eq!(ledger.lock("x/居民").unwrap_err().code(), "ledger.locked");
    ledger.lock("x/other").unwrap();
    drop(held);
    ledger.lock("x/居民").unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(Ledger::open(&path).unwrap_err().code(), "ledger.foreign");
    drop(ledger);
    std::fs::write(
        &path,
        b"this is no database, but long enough to be looked at by SQLite as one; so: no",
    )
    .unwrap();
    assert_eq!(Ledger::open(&path).unwrap_err().code(), "ledger.damaged");
    assert!(!before.is_empty());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, ledger) = open();
    let mode = std::fs::metadata(ledger.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
