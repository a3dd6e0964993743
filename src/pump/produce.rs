//! The reading half of the loop: a task that reads and maps ahead, bounded by the batches in flight. What is read
//! once feeds every target.

use std::sync::Arc;

use fenhe_core::{Batch, ControlTotal, Error, Kind, Limits, Position, Reader, Result, Source};
use fenhe_ledger::{RowEncoder, RowHashes};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::protect::Pace;
use crate::fields::BoundFields;

/// What the reading half hands over, in source order.
pub(super) enum Item {
    /// A mapped batch, with the digests of its rows.
    Batch(Box<Batch>, Option<Rows>),
    /// The true end, with what the source says about its totals.
    End(Vec<ControlTotal>),
    /// The end by an error; nothing follows.
    Failed(Error),
}

/// The rows of a batch as the ledger keeps them.
pub(super) struct Rows {
    pub(super) hashes: RowHashes,
    pub(super) keys: Option<Vec<u8>>,
}

/// From the batches that are read to those of one target.
pub(super) struct Way {
    pub(super) mapping: BoundFields,
    pub(super) proof: Option<RowProof>,
    pub(super) limits: Limits,
}

/// Takes the digests of rows, and their keys where they are wanted.
pub(super) struct RowProof {
    pub(super) rows: RowEncoder,
    pub(super) keys: Option<RowEncoder>,
}

/// What one target gets of the reading half.
pub(super) struct Feed {
    lane: usize,
    items: mpsc::Receiver<Item>,
    acknowledge: mpsc::Sender<Acknowledge>,
    _task: Arc<Task>,
}

/// A request to acknowledge, and where to answer.
struct Acknowledge {
    lane: usize,
    read: u64,
    upto: Position,
    answer: oneshot::Sender<Result<()>>,
}

/// Ends with the last feed.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts reading for all these ways; the feeds come in their order.
pub(super) fn start(
    reader: Box<dyn Reader>,
    ways: Vec<Way>,
    source: Arc<Source>,
    pace: Pace,
    in_flight: u64,
) -> Vec<Feed> {
    let in_flight = usize::try_from(in_flight).unwrap_or(1).max(1);
    let (acknowledge, requests) = mpsc::channel(1);
    let (mut lanes, mut ends) = (Vec::new(), Vec::new());
    for way in ways {
        let (to, items) = mpsc::channel(in_flight);
        lanes.push(Lane { way, to: Some(to), safe: None });
        ends.push(items);
    }
    let work = Work { reader, source, lanes, requests, pace, acknowledged: 0 };
    let task = Arc::new(Task(tokio::spawn(work.run())));
    let feed = |(lane, items)| Feed {
        lane,
        items,
        acknowledge: acknowledge.clone(),
        _task: Arc::clone(&task),
    };
    ends.into_iter().enumerate().map(feed).collect()
}

impl Feed {
    /// The next item; `None` only when the task died.
    pub(super) async fn next(&mut self) -> Option<Item> {
        self.items.recv().await
    }

    /// Tells the reading half that everything up to the position, `read` records in all, is safe at this
    /// target. The source hears of it when that is so at every target.
    pub(super) async fn acknowledge(&self, read: u64, upto: Position) -> Result<()> {
        let gone = || Error::new(Kind::Internal, "engine.task", "the reading task ended early");
        let (answer, result) = oneshot::channel();
        let request = Acknowledge { lane: self.lane, read, upto, answer };
        self.acknowledge.send(request).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

struct Lane {
    way: Way,
    /// `None` once nobody listens any more.
    to: Option<mpsc::Sender<Item>>,
    /// How many records are safe there, and where that is.
    safe: Option<(u64, Position)>,
}

struct Work {
    reader: Box<dyn Reader>,
    source: Arc<Source>,
    lanes: Vec<Lane>,
    requests: mpsc::Receiver<Acknowledge>,
    pace: Pace,
    acknowledged: u64,
}

impl Work {
    async fn run(mut self) {
        while self.lanes.iter().any(|lane| lane.to.is_some()) {
            // Both waiting for the pace and `next` are cancel-safe, so an acknowledgement may come in between.
            let step = tokio::select! {
                biased;
                Some(request) = self.requests.recv() => {
                    self.acknowledge(request).await;
                    continue;
                }
                step = next(&mut self.pace, &mut *self.reader) => step,
            };
            match step {
                Ok(Some(batch)) => {
                    self.pace.took(batch.span.read);
                    self.spread(batch).await;
                }
                Ok(None) => {
                    let declared = self.reader.declared();
                    self.end(|| Item::End(declared.clone())).await;
                }
                Err(error) => {
                    let mut first = Some(error);
                    let copy = first.as_ref().map(again);
                    self.end(|| {
                        let error = first.take().or_else(|| copy.as_ref().map(again));
                        Item::Failed(error.unwrap_or_else(|| Error::poisoned("the source")))
                    })
                    .await;
                }
            }
        }
        while let Some(request) = self.requests.recv().await {
            self.acknowledge(request).await;
        }
    }

    /// The batch to every target, mapped for it.
    async fn spread(&mut self, batch: Batch) {
        for at in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at).filter(|lane| lane.to.is_some()) else {
                continue;
            };
            let item = match lane.way.apply(batch.clone(), &self.source) {
                Ok((batch, rows)) => Item::Batch(Box::new(batch), rows),
                Err(error) => Item::Failed(error),
            };
            let last = matches!(item, Item::Failed(_));
            self.hand_over(at, item, last).await;
        }
    }

    async fn end(&mut self, mut item: impl FnMut() -> Item) {
        for at in 0..self.lanes.len() {
            if self.lanes.get(at).is_some_and(|lane| lane.to.is_some()) {
                self.hand_over(at, item(), true).await;
            }
        }
    }

    /// Waits for room and goes on acknowledging meanwhile.
    async fn hand_over(&mut self, at: usize, item: Item, last: bool) {
        let Some(to) = self.lanes.get_mut(at).and_then(|lane| lane.to.take()) else { return };
        let sent = loop {
            tokio::select! {
                biased;
                Some(request) = self.requests.recv() => self.acknowledge(request).await,
                permit = to.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(item);
                        break true;
                    }
                    Err(_) => break false,
                },
            }
        };
        if let (true, false, Some(lane)) = (sent, last, self.lanes.get_mut(at)) {
            lane.to = Some(to);
        }
    }

    /// Notes what is safe at one target, and acknowledges what is safe at all of them. A target that failed holds
    /// the rest back: what it did not get has to come again.
    async fn acknowledge(&mut self, request: Acknowledge) {
        if let Some(lane) = self.lanes.get_mut(request.lane) {
            lane.safe = Some((request.read, request.upto));
        }
        let everywhere: Option<Vec<&(u64, Position)>> =
            self.lanes.iter().map(|lane| lane.safe.as_ref()).collect();
        let least = everywhere.and_then(|all| all.into_iter().min_by_key(|safe| safe.0).cloned());
        let result = match least {
            Some((read, upto)) if read > self.acknowledged => {
                self.acknowledged = read;
                self.reader.commit(&upto).await
            }
            _ => Ok(()),
        };
        // Nobody waits any more when the run was dropped.
        let _ = request.answer.send(result);
    }
}

impl Way {
    fn apply(&mut self, batch: Batch, source: &Arc<Source>) -> Result<(Batch, Option<Rows>)> {
        let batch = self.mapping.apply(batch, source, &self.limits)?;
        let rows = match &mut self.proof {
            None => None,
            Some(proof) => Some(Rows {
                hashes: proof.rows.hashes(&batch.records)?,
                keys: match &mut proof.keys {
                    Some(keys) => Some(keys.packed(&batch.records)?),
                    None => None,
                },
            }),
        };
        Ok((batch, rows))
    }
}

async fn next(pace: &mut Pace, reader: &mut dyn Reader) -> Result<Option<Batch>> {
    pace.wait().await;
    reader.next().await
}

/// The same error for another target.
fn again(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.code().to_owned(), error.message())
        .retry_advice(error.retry());
    if let Some(name) = error.source_name_of() {
        copy = copy.source_name(name);
    }
    if let Some(record) = error.record() {
        copy = copy.at_record(record);
    }
    if let Some(offset) = error.offset() {
        copy = copy.at_offset(offset);
    }
    if let Some(field) = error.field() {
        copy = copy.at_field(field);
    }
    match error.hint_text() {
        Some(hint) => copy.hint(hint.to_owned()),
        None => copy,
    }
}

impl RowProof {
    /// Digests of rows of a schema, with their keys unless there are none.
    pub(super) fn of(schema: &arrow_schema::Schema, key: &[String]) -> Result<Self> {
        let keys = match key {
            [] => None,
            key => Some(RowEncoder::columns(schema, key)?),
        };
        Ok(Self { rows: RowEncoder::new(schema), keys })
    }
}
