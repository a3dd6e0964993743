//! The reading half of the loop: a task that reads and maps ahead, bounded by the batches in flight.

use std::sync::Arc;

use fenhe_core::{Batch, ControlTotal, Error, Kind, Limits, Position, Reader, Result, Source};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::fields::Mapping;

/// What the reading half hands over, in source order.
pub(super) enum Item {
    /// A mapped batch.
    Batch(Batch),
    /// The true end, with what the source says about its totals.
    End(Vec<ControlTotal>),
    /// The end by an error; nothing follows.
    Failed(Error),
}

/// A request to acknowledge, and where to answer.
type Acknowledge = (Position, oneshot::Sender<Result<()>>);

/// The reading half.
pub(super) struct Producer {
    items: mpsc::Receiver<Item>,
    acknowledge: mpsc::Sender<Acknowledge>,
    task: JoinHandle<()>,
}

impl Producer {
    pub(super) fn start(
        reader: Box<dyn Reader>,
        mapping: Mapping,
        source: Arc<Source>,
        limits: Limits,
    ) -> Self {
        let in_flight = usize::try_from(limits.batches_in_flight).unwrap_or(1).max(1);
        let (to, items) = mpsc::channel(in_flight);
        let (acknowledge, requests) = mpsc::channel(1);
        let work = Work { reader, mapping, source, limits, to, requests };
        Self { items, acknowledge, task: tokio::spawn(work.run()) }
    }

    /// The next item; `None` only when the task died.
    pub(super) async fn next(&mut self) -> Option<Item> {
        self.items.recv().await
    }

    /// Tells the source that everything up to the position is safe.
    pub(super) async fn acknowledge(&self, upto: Position) -> Result<()> {
        let gone = || Error::new(Kind::Internal, "engine.task", "the reading task ended early");
        let (answer, result) = oneshot::channel();
        self.acknowledge.send((upto, answer)).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    reader: Box<dyn Reader>,
    mapping: Mapping,
    source: Arc<Source>,
    limits: Limits,
    to: mpsc::Sender<Item>,
    requests: mpsc::Receiver<Acknowledge>,
}

impl Work {
    async fn run(mut self) {
        let mut going = true;
        while going {
            // `next` is cancel-safe, so an acknowledgement may come in between.
            let item = tokio::select! {
                biased;
                Some(request) = self.requests.recv() => {
                    acknowledge(&mut *self.reader, request).await;
                    continue;
                }
                batch = self.reader.next() => match batch {
                    Ok(Some(batch)) => match self.mapping.apply(batch, &self.source, &self.limits) {
                        Ok(batch) => Item::Batch(batch),
                        Err(error) => Item::Failed(error),
                    },
                    Ok(None) => Item::End(self.reader.declared()),
                    Err(error) => Item::Failed(error),
                },
            };
            going = matches!(item, Item::Batch(_));
            if !self.hand_over(item).await {
                return;
            }
        }
        while let Some(request) = self.requests.recv().await {
            acknowledge(&mut *self.reader, request).await;
        }
    }

    /// Waits for room and goes on acknowledging meanwhile; `false` when nobody listens any more.
    async fn hand_over(&mut self, item: Item) -> bool {
        loop {
            tokio::select! {
                biased;
                Some(request) = self.requests.recv() => acknowledge(&mut *self.reader, request).await,
                permit = self.to.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(item);
                        return true;
                    }
                    Err(_) => return false,
                },
            }
        }
    }
}

async fn acknowledge(reader: &mut dyn Reader, (upto, answer): Acknowledge) {
    let result = reader.commit(&upto).await;
    // Nobody waits any more when the run was dropped.
    let _ = answer.send(result);
}
