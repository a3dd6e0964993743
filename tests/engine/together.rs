//! One reading, several targets; refusals that come with the commit; consideration for the source.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use fenhe::core::{
    Dataset, Exchange, Info, Position, ReadRequest, Reader, Result, SchemaRef, WriteMode,
};
use fenhe::ledger::Ledger;
use fenhe::{Control, Ended, Flow, Hours, Protection, SourceEnd, Status, pump_together};

use crate::platform::{Injected, Platform};
use crate::support::{Work, run};

/// A source that counts the batches that were taken out of it.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Exchange>,
    batches: Arc<AtomicU64>,
}

#[async_trait]
impl Exchange for Counting {
    fn info(&self) -> Info {
        self.inner.info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        self.inner.discover().await
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let inner = self.inner.read(request).await?;
        Ok(Box::new(CountingReader { inner, batches: Arc::clone(&self.batches) }))
    }
}

struct CountingReader {
    inner: Box<dyn Reader>,
    batches: Arc<AtomicU64>,
}

#[async_trait]
impl Reader for CountingReader {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    async fn next(&mut self) -> Result<Option<fenhe::core::Batch>> {
        let batch = self.inner.next().await?;
        self.batches.fetch_add(u64::from(batch.is_some()), Ordering::Relaxed);
        Ok(batch)
    }

    async fn commit(&mut self, upto: &Position) -> Result<()> {
        self.inner.commit(upto).await
    }
}

/// Flows of the same counted source to these platforms, with a ledger.
fn flows(work: &Work, source: &SourceEnd, platforms: &[&Platform]) -> (Vec<Flow>, Arc<AtomicU64>) {
    let batches = Arc::new(AtomicU64::new(0));
    let counted: Arc<dyn Exchange> = Arc::new(Counting {
        inner: Arc::clone(&source.input.exchange),
        batches: Arc::clone(&batches),
    });
    let flow = |(n, platform): (usize, &&Platform)| {
        let mut flow = work.flow(source, Arc::new((*platform).clone()), WriteMode::Upsert);
        flow.name = format!("people.{n}");
        flow.pipeline = format!("test/people.{n}");
        flow.source.exchange = Arc::clone(&counted);
        flow.ledger = Some(work.path("ledger.db"));
        flow
    };
    (platforms.iter().enumerate().map(flow).collect(), batches)
}

async fn together(flows: &[Flow]) -> Vec<Ended> {
    pump_together(&flows.iter().collect::<Vec<_>>(), &Control::default()).await
}

#[tokio::test]
async fn one_reading_feeds_every_target_and_each_has_its_own_books() {
    let work = Work::new();
    let (one, other) = (Platform::with_watermark(), Platform::plain());
    other.inject(Some(Injected::Refuses("张11\"", false)));
    let source = work.people(1_000).await;
    let (flows, batches) = flows(&work, &source, &[&one, &other]);
    let ended = together(&flows).await;
    assert_eq!(
        batches.load(Ordering::Relaxed),
        20,
        "a thousand records in batches of fifty, read once"
    );
    let books: Vec<_> = ended
        .iter()
        .map(|ended| (ended.receipt.books.delivered, ended.receipt.books.rejects()))
        .collect();
    assert_eq!(books, [(990, 10), (989, 11)]);
    assert!(ended.iter().all(|e| e.receipt.balanced && e.receipt.status == Status::Complete));
    assert_eq!((one.rows().len(), other.rows().len()), (990, 989));
    let digests: Vec<_> = ended.iter().map(|e| e.receipt.rows.clone().unwrap()).collect();
    assert_ne!(digests[0], digests[1], "one row less");
}

#[tokio::test]
async fn a_target_that_fails_does_not_touch_the_books_of_the_other() {
    let work = Work::new();
    let (good, bad) = (Platform::with_watermark(), Platform::with_watermark());
    bad.inject(Some(Injected::WriteFails(12)));
    let source = work.people(1_000).await;
    let (flows, batches) = flows(&work, &source, &[&bad, &good]);
    let ended = together(&flows).await;
    assert_eq!(ended[0].error.as_ref().unwrap().code(), "memory.write");
    assert_eq!((ended[0].receipt.books.read, ended[0].receipt.status), (400, Status::Failed));
    assert_eq!(
        (ended[1].receipt.books.delivered, ended[1].receipt.status),
        (990, Status::Complete)
    );
    // The next run reads for the one that is behind, from where it stands.
    bad.inject(None);
    batches.store(0, Ordering::Relaxed);
    let ended = together(&flows).await;
    assert_eq!(batches.load(Ordering::Relaxed), 12);
    assert_eq!((ended[0].receipt.books.delivered, ended[0].receipt.resumed_after), (990, 400));
    assert_eq!(ended[1].receipt.status, Status::AlreadyDelivered);
    assert_eq!((bad.rows(), work.reject_lines().len()), (good.rows(), 20));
}

#[tokio::test]
async fn rows_refused_with_the_commit_leave_sums_and_digest() {
    let work = Work::new();
    let source = work.people(40).await;
    let mut figures = Vec::new();
    for late in [false, true] {
        let platform = Platform::plain();
        platform.inject(Some(Injected::Refuses("张11\"", !late)));
        let (mut flows, _) = flows(&work, &source, &[&platform]);
        flows[0].ledger = Some(work.path(&format!("{late}.db")));
        let receipt = together(&flows).await.remove(0).receipt;
        let fen: u64 = (1..=40).filter(|i| *i != 11).map(|i| i * 101).sum();
        let sum = receipt.columns[2].sum.clone().unwrap();
        assert_eq!(sum, format!("{}.{:02}", fen / 100, fen % 100), "late: {late}");
        let ledger = Ledger::open_existing(&work.path(&format!("{late}.db"))).unwrap();
        let mut records = Vec::new();
        ledger.rows(&receipt.delivery, |batch| records.extend(batch.records)).unwrap();
        assert_eq!(records, (1..=40).filter(|i| *i != 11).collect::<Vec<u64>>(), "late: {late}");
        assert_eq!(ledger.rejected(&receipt.delivery).unwrap()["memory.refused"], 1);
        figures.push(receipt.rows);
    }
    assert_eq!(figures[0], figures[1]);
}

#[tokio::test]
async fn rejects_are_in_the_ledger_before_the_commit_of_their_batch() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    platform.inject(Some(Injected::CommitFails(1)));
    let source = work.people(1_000).await;
    let (flows, _) = flows(&work, &source, &[&platform]);
    let receipt = together(&flows).await.remove(0).receipt;
    let ledger = Ledger::open_existing(&work.path("ledger.db")).unwrap();
    assert_eq!(ledger.rejected(&receipt.delivery).unwrap().values().sum::<u64>(), 4);
    drop(ledger);
    // The run that goes on does not count them twice.
    platform.inject(None);
    let receipt = together(&flows).await.remove(0).receipt;
    assert_eq!((receipt.books.delivered, receipt.books.rejects()), (990, 10));
    let ledger = Ledger::open_existing(&work.path("ledger.db")).unwrap();
    let books = ledger.books(&receipt.delivery).unwrap().unwrap();
    assert!(books.balance());
    assert_eq!((books.read, books.delivered, books.rejected), (1_000, 990, 10));
    let mut rows = 0;
    ledger.rows(&receipt.delivery, |batch| rows += batch.records.len()).unwrap();
    assert_eq!(rows, 990);
}

#[tokio::test]
async fn batches_in_doubt_are_sent_again_and_the_receipt_says_so() {
    let work = Work::new();
    let platform = Platform::plain();
    platform.inject(Some(Injected::CommitInDoubt(2)));
    let source = work.people(1_000).await;
    let (flows, _) = flows(&work, &source, &[&platform]);
    let first = together(&flows).await.remove(0).receipt;
    assert_eq!((first.books.in_doubt, first.books.read), (396, 800));
    platform.inject(None);
    let second = together(&flows).await.remove(0).receipt;
    assert_eq!((second.resumed_after, second.status), (400, Status::Complete));
    assert!(second.notes.iter().any(|note| note.starts_with("396 rows")), "{:?}", second.notes);
    assert_eq!(platform.rows().len(), 990, "by key nothing is there twice");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_stops_the_run_before_the_commit() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(1_000).await;
    let (flows, _) = flows(&work, &source, &[&platform]);
    drop(Ledger::open(&work.path("ledger.db")).unwrap());
    let other = rusqlite::Connection::open(work.path("ledger.db")).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON batch WHEN new.batch > 8 BEGIN SELECT raise(ABORT, 'full'); END",
        )
        .unwrap();
    drop(other);
    let ended = together(&flows).await.remove(0);
    assert_eq!(ended.error.unwrap().code(), "ledger.write");
    // The first commit of eight batches had its books; the second did not happen.
    assert_eq!((platform.rows().len(), ended.receipt.books.read), (396, 400));
}

#[tokio::test]
async fn outside_its_hours_a_source_is_left_alone() {
    let work = Work::new();
    let platform = Platform::with_watermark();
    let source = work.people(100).await;
    let mut flow = work.flow(&source, Arc::new(platform.clone()), WriteMode::Upsert);
    let minute = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 60 % 1_440;
    let clock = |m: u64| format!("{:02}:{:02}", m % 1_440 / 60, m % 60);
    // From two hours ahead to one hour ago: closed now, whatever the time.
    let hours = format!("{}-{} +00:00", clock(minute + 120), clock(minute + 180));
    let hours = Some(Hours::parse(&hours).unwrap());
    flow.policy.protection = Protection { hours, rows_per_second: None };
    let receipt = run(&flow).await.receipt;
    assert_eq!((receipt.status, receipt.books.read), (Status::Interrupted, 0));
    assert!(receipt.notes[0].contains("only at"), "{:?}", receipt.notes);
    assert_eq!(platform.rows().len(), 0);
}
