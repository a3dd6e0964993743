//! One object decoded by several threads: each cuts off the next part of the stream at a record boundary and decodes
//! it, and what they make is taken in the order of the stream. Parts under way are bounded. What follows a place behind
//! which no boundary is found within the limit of a record is decoded in place, by a decoder that can pass over it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Batch, Boundary, ByteStream, ControlTotal, DecodeOptions, Decoder, Error, Format, Kind, Part,
    Result, Splitter, Store,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::identity::start_of;
use super::notes::merge_note;
use super::position::Cut;
use super::sequential::{Sequential, decode_all};
use super::{Decoding, Step};
use crate::totals::add_digits;

/// Bytes that make a part worth a worker: its batches are as large as those of a decoder that reads on, and what a
/// decoder costs to start does not show.
const PART: usize = 2 << 20;
/// Bytes of a chunk that are copied behind the rest of the chunk before, to complete its last record.
const JOIN: usize = 16 << 10;

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
        let mut cutter = Cutter {
            stream: store.get(name, from.map_or(0, |cut| cut.offset)).await?,
            splitter,
            record: options.limits.record,
            rows: options.limits.batch_rows,
            next: None,
            carry: BytesMut::new(),
            ready: Ready::default(),
            prologue: None,
            at: Cut { prologue: 0, offset: 0, record: 1, line: 1 },
            ended: false,
        };
        if let Some(cut) = from {
            let mut start = store.get(name, 0).await?;
            let prologue = start_of(&mut *start, cut.prologue).await?;
            cutter.splitter.prologue(&prologue, false)?;
            cutter.prologue = Some(prologue);
            cutter.at = cut;
        }
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
                cutter.ended = true;
            }
            if to.blocking_send(decoded).is_err() {
                return;
            }
            (cut.map_err(|error| Decoded::failed(error, cutter.at)), cutter.at)
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

/// Cuts a stream into parts. Chunks are not copied, but for the record that two of them share.
struct Cutter {
    stream: Box<dyn ByteStream>,
    splitter: Box<dyn Splitter>,
    /// Most bytes of a record, and most rows of a batch.
    record: u64,
    rows: u64,
    /// A chunk that belongs behind the part at hand.
    next: Option<Bytes>,
    /// The rest of the last chunk: it starts at a record and holds no whole one.
    carry: BytesMut,
    /// The part to go out next, when it is known whether the stream ends with it.
    ready: Ready,
    prologue: Option<Bytes>,
    /// Where `ready` starts.
    at: Cut,
    ended: bool,
}

/// What a worker gets.
enum Next {
    Piece(Piece),
    Rest(Rest),
}

/// A part that was cut off.
struct Piece {
    part: Part,
    bytes: Vec<Bytes>,
    end: Cut,
}

/// All that is left of the stream, which cannot be cut; `None`: all of it.
struct Rest(Option<Part>);

/// Pieces of one part, in order.
#[derive(Default)]
struct Ready {
    pieces: Vec<Bytes>,
    length: usize,
    records: u64,
    lines: u64,
    /// Records of the largest piece.
    most: u64,
}

impl Ready {
    fn push(&mut self, piece: Bytes, boundary: Boundary) {
        self.length += piece.len();
        self.records += boundary.records;
        self.lines += boundary.lines;
        self.most = self.most.max(boundary.records);
        self.pieces.push(piece);
    }

    /// Whether the part goes out as it is: a batch that is nearly full, rather than one and the rest of another.
    fn is_full(&self, rows: u64) -> bool {
        self.length >= PART || (self.records <= rows && self.records + self.most > rows)
    }
}

impl Cutter {
    /// The next part; `None` after the last one.
    async fn next(&mut self) -> Result<Option<Next>> {
        if self.ended {
            return Ok(None);
        }
        if self.prologue.is_none() && !self.header().await? {
            return Ok(Some(self.give_up(None)));
        }
        loop {
            let chunk = match self.next.take() {
                Some(chunk) => Some(chunk),
                None => self.stream.next().await?,
            };
            match chunk {
                Some(chunk) if self.ready.is_full(self.rows) => {
                    self.next = Some(chunk);
                    return Ok(Some(Next::Piece(self.cut(false))));
                }
                Some(chunk) if self.take(&chunk) => {}
                Some(_) => {
                    let part = self.part(true);
                    return Ok(Some(self.give_up(Some(part))));
                }
                None => {
                    self.rest();
                    self.ended = true;
                    return Ok(Some(Next::Piece(self.cut(true))));
                }
            }
        }
    }

    fn give_up(&mut self, part: Option<Part>) -> Next {
        self.ended = true;
        (self.carry, self.ready) = (BytesMut::new(), Ready::default());
        Next::Rest(Rest(part))
    }

    /// What is left at the end of the stream, whole or not.
    fn rest(&mut self) {
        let rest = std::mem::take(&mut self.carry).freeze();
        if !rest.is_empty() {
            let whole = self.splitter.last_boundary(&rest, true);
            let (records, lines) = whole.map_or((0, 0), |end| (end.records, end.lines));
            let end = rest.len();
            self.ready.push(rest, Boundary { end, records, lines });
        }
    }

    /// Adds a chunk to the part at hand, up to its last record boundary. Whether a boundary is within reach.
    fn take(&mut self, chunk: &Bytes) -> bool {
        let Some(from) = self.join(chunk) else {
            return self.carry.len() as u64 <= self.record;
        };
        let rest = chunk.slice(from..);
        let mut end = 0;
        if let Some(found) = self.boundary(&rest) {
            end = found.end;
            self.ready.push(rest.slice(..end), found);
        }
        self.carry.extend_from_slice(rest.get(end..).unwrap_or_default());
        true
    }

    /// Completes the record that began in the chunk before. Where that record ends in this one; `None`: not yet.
    fn join(&mut self, chunk: &Bytes) -> Option<usize> {
        let mut next = JOIN;
        while !self.carry.is_empty() {
            let old = self.carry.len();
            next = next.max(old).min(chunk.len());
            self.carry.extend_from_slice(chunk.get(..next).unwrap_or_default());
            match self.splitter.last_boundary(&self.carry, false).filter(|found| found.end > 0) {
                Some(found) => {
                    let end = found.end.min(self.carry.len());
                    let rest = old.saturating_sub(end);
                    self.ready.push(self.carry.split_to(end).freeze(), found);
                    self.carry.truncate(rest);
                    if rest == 0 {
                        return Some(end - old);
                    }
                }
                None if next == chunk.len() => return None,
                None => {
                    self.carry.truncate(old);
                    next = next.saturating_mul(8);
                }
            }
        }
        Some(0)
    }

    fn boundary(&mut self, bytes: &[u8]) -> Option<Boundary> {
        let found = self.splitter.last_boundary(bytes, false).filter(|found| found.end > 0)?;
        Some(Boundary { end: found.end.min(bytes.len()), ..found })
    }

    /// The part at hand.
    fn cut(&mut self, last: bool) -> Piece {
        let (ready, part) = (std::mem::take(&mut self.ready), self.part(last));
        self.at.offset += ready.length as u64;
        self.at.record += ready.records;
        self.at.line += ready.lines;
        Piece { part, bytes: ready.pieces, end: self.at }
    }

    /// The part that starts here.
    fn part(&self, last: bool) -> Part {
        Part {
            prologue: self.prologue.clone().unwrap_or_default(),
            offset: self.at.offset,
            first_record: self.at.record,
            first_line: self.at.line,
            last,
        }
    }

    /// Reads the header and keeps what follows it. False: there is none within the limit of a record, and whoever
    /// decodes the stream from its start says best what is wrong.
    async fn header(&mut self) -> Result<bool> {
        let (mut start, mut ended, mut enough) = (BytesMut::new(), false, 0);
        let header = loop {
            // Asked again only when there is twice as much: a store may give a few bytes at a time.
            if ended || start.len() >= enough {
                enough = start.len().saturating_mul(2);
                match self.splitter.prologue(&start, ended) {
                    Ok(Some(header)) => break header,
                    Ok(None) => {}
                    Err(_) => return Ok(false),
                }
            }
            if ended || start.len() as u64 > self.record {
                return Ok(false);
            }
            match self.stream.next().await? {
                Some(chunk) => start.extend_from_slice(&chunk),
                None => ended = true,
            }
        };
        let prologue = start.split_to(header.end.min(start.len())).freeze();
        self.at.prologue = prologue.len() as u64;
        self.prologue = Some(prologue);
        self.at.offset = self.at.prologue;
        self.at.record += header.records;
        self.at.line += header.lines;
        self.next = (!start.is_empty()).then(|| start.freeze());
        Ok(true)
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
