//! One object decoded by several threads: each cuts off the next part of the stream at a record boundary and decodes
//! it, and what they make is taken in the order of the stream. Parts under way are bounded. What follows a place behind
//! which no boundary is found within the limit of a record is decoded in place, by a decoder that can pass over it.

mod cutter;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{
    Batch, ControlTotal, DecodeOptions, Decoder, Error, Format, Kind, Part, Result, Splitter, Store,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use cutter::{Cutter, Next, Piece, Rest};

use super::notes::merge_note;
use super::position::Cut;
use super::sequential::{Sequential, decode_all};
use super::{Decoding, Step};
use crate::totals::add_digits;

/// What is decoded, and how.
pub(crate) struct Stream {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) name: String,
    pub(crate) format: Arc<dyn Format>,
    pub(crate) options: DecodeOptions,
}

/// The ordered output of several workers.
pub(crate) struct Parallel {
    stream: Stream,
    /// What cannot be cut, until it is opened.
    uncut: Option<Rest>,
    /// What is decoded in place because it cannot be cut.
    rest: Option<Sequential>,
    /// One receiver a part, in the order of the stream.
    parts: mpsc::Receiver<oneshot::Receiver<Decoded>>,
    waiting: Option<oneshot::Receiver<Decoded>>,
    ready: VecDeque<Step>,
    /// Whether the part that ends the stream came.
    ended: bool,
    /// An error behind the batches in `ready`.
    failed: Option<Error>,
    declared: Vec<ControlTotal>,
    notes: Vec<String>,
}

/// What one part became.
struct Decoded {
    batches: Vec<Batch>,
    end: Cut,
    last: bool,
    /// Set when the stream cannot be cut any more, or not at all.
    rest: Option<Rest>,
    result: Result<()>,
    declared: Vec<ControlTotal>,
    notes: Vec<String>,
}

impl Parallel {
    /// Starts at the beginning, or at a cut of an earlier read.
    pub(crate) async fn open(
        stream: Stream,
        splitter: Box<dyn Splitter>,
        from: Option<Cut>,
        threads: usize,
    ) -> Result<Self> {
        let Stream { store, name, format, options } = &stream;
        let cutter = Cutter::open(&**store, name, splitter, &options.limits, from).await?;
        let (to, parts) = mpsc::channel(2 * threads);
        let line = Arc::new(Mutex::new(Line { cutter, to }));
        for _ in 0..threads {
            let (format, options, line) = (Arc::clone(format), options.clone(), Arc::clone(&line));
            let runtime = Handle::current();
            // Not of the runtime's blocking threads: the stream itself may need those.
            std::thread::Builder::new()
                .name("fenhe-decode".into())
                .spawn(move || work(&*format, &options, &line, &runtime))?;
        }
        Ok(Self {
            stream,
            uncut: None,
            rest: None,
            parts,
            waiting: None,
            ready: VecDeque::new(),
            ended: false,
            failed: None,
            declared: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn accept(&mut self, decoded: Decoded) {
        let last = decoded.batches.len().saturating_sub(1);
        let whole = decoded.result.is_ok();
        self.ready.extend(
            decoded
                .batches
                .into_iter()
                .enumerate()
                .map(|(i, batch)| Step { batch, cut: (whole && i == last).then_some(decoded.end) }),
        );
        for total in decoded.declared {
            merge(&mut self.declared, total);
        }
        for note in decoded.notes {
            merge_note(&mut self.notes, note);
        }
        self.ended |= decoded.last;
        self.failed = decoded.result.err();
        self.uncut = decoded.rest;
    }
}

#[async_trait]
impl Decoding for Parallel {
    async fn next(&mut self) -> Result<Option<Step>> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Ok(Some(step));
            }
            if let Some(error) = self.failed.take() {
                self.parts.close();
                return Err(error);
            }
            if let Some(rest) = &mut self.rest {
                return rest.next().await;
            }
            if let Some(Rest(part)) = &self.uncut {
                let Stream { store, name, format, options } = &self.stream;
                let options = DecodeOptions { part: part.clone(), ..options.clone() };
                self.rest = Some(Sequential::open(&**store, name, format, options).await?);
                continue;
            }
            // Kept in `self` while waiting, so that a dropped future loses nothing.
            let waiting = match &mut self.waiting {
                Some(waiting) => waiting,
                None => match self.parts.recv().await {
                    Some(part) => self.waiting.insert(part),
                    None if self.ended => return Ok(None),
                    None => return Err(lost_worker()),
                },
            };
            let decoded = waiting.await;
            self.waiting = None;
            match decoded {
                Ok(decoded) => self.accept(decoded),
                Err(_) => return Err(lost_worker()),
            }
        }
    }

    fn declared(&self) -> Vec<ControlTotal> {
        let mut declared = self.declared.clone();
        for total in self.rest.iter().flat_map(Decoding::declared) {
            merge(&mut declared, total);
        }
        declared
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        for note in self.rest.iter().flat_map(Decoding::notes) {
            merge_note(&mut notes, note);
        }
        notes
    }
}

fn lost_worker() -> Error {
    Error::new(Kind::Internal, "engine.task", "a decoding thread ended early")
}

/// Parts of one stream count each for themselves; only the last one knows what is declared.
fn merge(totals: &mut Vec<ControlTotal>, part: ControlTotal) {
    let Some(total) = totals.iter_mut().find(|total| total.of == part.of) else {
        totals.push(part);
        return;
    };
    if let Some(sum) = add_digits(&total.counted, &part.counted) {
        total.counted = sum;
    }
    total.unreadable += part.unreadable;
    if !part.declared.is_empty() {
        total.declared = part.declared;
    }
}

/// What the workers stand in line for: the next part, and the place of its outcome in the order.
struct Line {
    cutter: Cutter,
    to: mpsc::Sender<oneshot::Receiver<Decoded>>,
}

/// Takes parts and decodes them until there are none, or nobody wants them. Whoever is done fetches the next part
/// himself: handing parts from thread to thread costs more than fetching them.
fn work(format: &dyn Format, options: &DecodeOptions, line: &Mutex<Line>, runtime: &Handle) {
    let mut kept = None;
    loop {
        let (done, decoded) = oneshot::channel();
        let (cut, end) = {
            // Whoever died with the lock may have cut off a part that nobody has: the reader is told by the missing end.
            let Ok(mut line) = line.lock() else { return };
            let Line { cutter, to } = &mut *line;
            let next = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = to.closed() => Ok(None),
                    next = cutter.next() => next,
                }
            });
            let Some(cut) = next.transpose() else { return };
            if cut.is_err() {
                cutter.end();
            }
            if to.blocking_send(decoded).is_err() {
                return;
            }
            (cut.map_err(|error| Decoded::failed(error, cutter.at())), cutter.at())
        };
        // The reader may be gone.
        let _ = done.send(match cut {
            Ok(Next::Piece(Piece { part, bytes, end })) => {
                decode_part(&mut kept, format, options, part, bytes, end)
            }
            Ok(Next::Rest(rest)) => Decoded { rest: Some(rest), ..Decoded::nothing(end) },
            Err(failed) => failed,
        });
    }
}

impl Decoded {
    fn failed(error: Error, end: Cut) -> Self {
        Self { result: Err(error), ..Self::nothing(end) }
    }

    fn nothing(end: Cut) -> Self {
        Self {
            batches: Vec::new(),
            end,
            last: false,
            rest: None,
            result: Ok(()),
            declared: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Decodes a part with the decoder of the part before, if it can go on with another.
fn decode_part(
    kept: &mut Option<Box<dyn Decoder>>,
    format: &dyn Format,
    options: &DecodeOptions,
    part: Part,
    pieces: Vec<Bytes>,
    end: Cut,
) -> Decoded {
    let last = part.last;
    let goes_on = kept.as_mut().is_some_and(|decoder| decoder.restart(&part));
    let decoder = match kept.take().filter(|_| goes_on) {
        Some(decoder) => Ok(decoder),
        None => format.decoder(DecodeOptions { part: Some(part), ..options.clone() }),
    };
    let mut decoder = match decoder {
        Ok(decoder) => decoder,
        Err(error) => return Decoded::failed(error, end),
    };
    let (batches, result) = decode_all(&mut *decoder, pieces);
    let (declared, notes) = (decoder.declared(), decoder.notes());
    *kept = Some(decoder);
    Decoded { batches, last, result, declared, notes, ..Decoded::nothing(end) }
}
