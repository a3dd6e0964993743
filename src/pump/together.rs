//! Flows of one source, from one reading.

use std::sync::Arc;

use fenhe_core::{Error, Kind, Position, Reader, Result, Source, Writer};

use super::keep::Book;
use super::lane::{Lane, already_delivered};
use super::open::{has_key, left_out, level, open_target, promised, read, wanted};
use super::produce::{self, RowProof, Way};
use super::protect::Pace;
use super::resume::{Start, decide};
use super::{Control, Ended, Flow, KeepRows};
use crate::checkpoint::Checkpoint;
use crate::fields::BoundFields;
use crate::receipt::{FlowReceipt, Status};

/// Runs one flow to its end, to a stop, or to an error; the receipt tells which.
pub async fn pump(flow: &Flow, control: &Control) -> Ended {
    let mut ended = pump_together(&[flow], control).await;
    match ended.pop() {
        Some(ended) => ended,
        None => Ended { receipt: FlowReceipt::begin(flow), error: None },
    }
}

/// Runs flows that read the same dataset of the same source; it is read once for all of them. Each has its own
/// books, and one that fails does not stop the others. Flows that go on from different places (because one of them
/// was interrupted) are read once a place.
pub async fn pump_together(flows: &[&Flow], control: &Control) -> Vec<Ended> {
    let mut all: Vec<Ending<'_>> = flows.iter().map(|flow| Ending::begin(flow)).collect();
    let mut ready = Vec::new();
    match open(&mut all, control).await {
        Ok(opened) => ready = opened,
        Err(error) => {
            let mut error = Some(error);
            for ending in all.iter_mut().filter(|ending| ending.error.is_none()) {
                ending.error = error.take().or_else(|| Some(Error::poisoned("the source")));
            }
        }
    }
    while !ready.is_empty() {
        let at = ready.first().and_then(|ready| ready.from.clone());
        let (group, rest): (Vec<_>, Vec<_>) = ready.into_iter().partition(|r| r.from == at);
        ready = rest;
        for (index, receipt, result) in run(group, at, control).await {
            if let Some(ending) = all.get_mut(index) {
                ending.receipt = *receipt;
                ending.error = result.err();
                ending.ran = true;
            }
        }
    }
    all.into_iter().map(Ending::end).collect()
}

/// A flow on its way to its receipt.
struct Ending<'a> {
    flow: &'a Flow,
    receipt: FlowReceipt,
    error: Option<Error>,
    ran: bool,
}

impl<'a> Ending<'a> {
    fn begin(flow: &'a Flow) -> Self {
        Self { flow, receipt: FlowReceipt::begin(flow), error: None, ran: false }
    }

    fn end(mut self) -> Ended {
        if let Some(error) = &self.error {
            self.receipt.status = Status::Failed;
            self.receipt.error = Some(error.code().into());
            self.receipt.notes.push(error.to_string());
        }
        self.receipt.judge(self.flow);
        Ended { receipt: self.receipt, error: self.error }
    }
}

/// A flow whose target is open and that knows where to start.
struct Ready<'a> {
    index: usize,
    flow: &'a Flow,
    receipt: Box<FlowReceipt>,
    mapping: BoundFields,
    writer: Box<dyn Writer>,
    book: Option<Book>,
    before: Checkpoint,
    from: Option<Position>,
}

/// Opens the source once and every target; flows that need nothing more, or cannot, are settled in `all`.
async fn open<'a>(all: &mut [Ending<'a>], control: &Control) -> Result<Vec<Ready<'a>>> {
    let mut first = None;
    for ending in all.iter_mut() {
        ending.receipt.guarantee = level(ending.flow);
        match promised(ending.flow) {
            Ok(()) => {
                first.get_or_insert(ending.flow);
            }
            Err(error) => ending.error = Some(error),
        }
    }
    let Some(first) = first else { return Ok(Vec::new()) };
    if !first.policy.protection.open_now() {
        for ending in all.iter_mut() {
            ending.receipt.interrupted_by_hours(ending.flow);
            ending.ran = true;
        }
        return Ok(Vec::new());
    }
    let reader = read(first, None, first.columns.clone()).await?;
    let schema = reader.schema();
    for ending in all.iter_mut().filter(|ending| ending.error.is_none()) {
        match left_out(ending.flow, &schema) {
            Ok(columns) => ending.receipt.left_out = columns,
            Err(error) => ending.error = Some(error),
        }
    }
    let good = || all.iter().filter(|ending| ending.error.is_none()).map(|ending| ending.flow);
    let columns = wanted(good());
    let reader = match columns {
        Some(_) if first.columns.is_none() => read(first, None, columns).await?,
        _ => reader,
    };
    let schema = reader.schema();
    drop(reader);
    let mut ready = Vec::new();
    for (index, ending) in all.iter_mut().enumerate().filter(|(_, e)| e.error.is_none()) {
        match make_ready(index, ending, &schema, control).await {
            Ok(one) => ready.extend(one),
            Err(error) => ending.error = Some(error),
        }
    }
    Ok(ready)
}

/// Opens the target of a flow and decides where it starts; `None` when there is nothing left to do.
async fn make_ready<'a>(
    index: usize,
    ending: &mut Ending<'a>,
    schema: &arrow_schema::SchemaRef,
    _control: &Control,
) -> Result<Option<Ready<'a>>> {
    let flow = ending.flow;
    let (source, target) =
        (flow.source.exchange.info().capability, flow.target.exchange.info().capability);
    let book = Book::open(flow)?;
    let mapping = flow.fields.bind(schema)?;
    has_key(flow, mapping.schema())?;
    let mut writer = open_target(flow, mapping.schema()).await?;
    // Where the target keeps the watermark, its word wins, also when it says nothing: rows that somebody
    // took away are delivered again.
    let stands = match (target.watermark, &book) {
        (true, _) => {
            writer.watermark().await?.as_ref().map(Checkpoint::from_position).transpose()?
        }
        (false, Some(book)) => book.stands(flow)?,
        (false, None) => None,
    };
    let receipt = &mut ending.receipt;
    let fresh = || Checkpoint { delivery: delivery_id(flow), ..Checkpoint::first(flow) };
    let (before, from) = match decide(flow, &source, stands)? {
        Start::Done(checkpoint) => {
            if let Some(book) = &book {
                (receipt.replayed, receipt.replays) = book.replayed(&checkpoint.delivery)?;
            }
            already_delivered(flow, *checkpoint, receipt);
            ending.ran = true;
            return Ok(None);
        }
        Start::Fresh(remark) => {
            receipt.notes.extend(remark.map(String::from));
            (fresh(), None)
        }
        Start::Onward(checkpoint) => {
            (Checkpoint { at: checkpoint.at.clone(), ..fresh() }, checkpoint.at)
        }
        Start::After(checkpoint) => {
            receipt.resumed_after = checkpoint.read;
            let at = checkpoint.at.clone();
            (*checkpoint, at)
        }
    };
    receipt.delivery.clone_from(&before.delivery);
    let receipt = Box::new(std::mem::replace(receipt, FlowReceipt::begin(flow)));
    Ok(Some(Ready { index, flow, receipt, mapping, writer, book, before, from }))
}

/// The same content, flow and plan is the same delivery; without a fingerprint every run is its own.
fn delivery_id(flow: &Flow) -> String {
    let run = match flow.source.fingerprint.is_empty() {
        true => crate::receipt::run_id(),
        false => String::new(),
    };
    let source = &flow.source;
    Flow::digest(
        [&flow.pipeline, &source.name, &source.fingerprint, &flow.plan, &run].map(String::as_str),
    )
}

type Outcome = (usize, Box<FlowReceipt>, Result<()>);

/// Reads once for flows that start at the same place.
async fn run(group: Vec<Ready<'_>>, at: Option<Position>, control: &Control) -> Vec<Outcome> {
    let Some(first) = group.first().map(|ready| ready.flow) else { return Vec::new() };
    let reader = read(first, at, wanted(group.iter().map(|ready| ready.flow))).await;
    let reader: Box<dyn Reader> = match reader {
        Ok(reader) => reader,
        Err(error) => {
            let mut error = Some(error);
            let failed = |ready: Ready<'_>| {
                let error = error.take().unwrap_or_else(|| Error::poisoned("the source"));
                (ready.index, ready.receipt, Err(error))
            };
            return group.into_iter().map(failed).collect();
        }
    };
    let source = Arc::new(Source {
        name: first.source.name.clone(),
        fingerprint: first.source.fingerprint.clone(),
    });
    let (mut ways, mut ready) = (Vec::new(), Vec::new());
    let mut outcomes = Vec::new();
    for mut one in group {
        // Another place, another projection: the schema may be in another order.
        match way(&mut one, &*reader) {
            Ok(way) => {
                ways.push(way);
                ready.push(one);
            }
            Err(error) => outcomes.push((one.index, one.receipt, Err(error))),
        }
    }
    let pace = Pace::new(&first.policy.protection);
    let feeds = produce::start(reader, ways, source, pace, first.limits.batches_in_flight);
    let lanes = ready.into_iter().zip(feeds).map(|(one, feed)| async move {
        let (index, mut receipt) = (one.index, one.receipt);
        let lane = Lane::open(
            one.flow,
            control,
            &mut receipt,
            feed,
            one.mapping,
            one.writer,
            one.book,
            one.before,
        );
        let result = match lane {
            Ok(lane) => lane.run(&mut receipt).await,
            Err(error) => Err(error),
        };
        (index, receipt, result)
    });
    outcomes.extend(futures_util::future::join_all(lanes).await);
    outcomes
}

fn way(one: &mut Ready<'_>, reader: &dyn Reader) -> Result<Way> {
    let flow = one.flow;
    let mapping = flow.fields.bind(&reader.schema())?;
    if mapping.schema() != one.mapping.schema() {
        return Err(Error::new(
            Kind::Internal,
            "fields.schema",
            "the source announced another schema the second time",
        ));
    }
    one.mapping = mapping.clone();
    let schema = Arc::clone(mapping.schema());
    let key = &flow.target.key;
    let proof = match flow.rows {
        KeepRows::None => None,
        KeepRows::Digest => Some(RowProof::of(&schema, &[])?),
        KeepRows::Each => Some(RowProof::of(&schema, key)?),
    };
    Ok(Way { mapping, proof, limits: flow.limits.clone() })
}
