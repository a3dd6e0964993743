//! One object decoded by several threads: each cuts off the next part of the stream at a record boundary and decodes
//! it, and what they make is taken in the order of the stream. Parts under way are bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Batch, Boundary, ByteStream, ControlTotal, DecodeOptions, Error, Format, Kind, Limits, Part,
    Result, Splitter, Store,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::identity::start_of;
use super::position::Cut;
use super::sequential::decode_all;
use super::{Decoding, Step};
use crate::totals::add_digits;

/// Bytes that make a part worth a worker: a decoder's start does not show, and it stays in the caches.
const PART: usize = 512 << 10;
/// Bytes of a chunk that are copied behind the rest of the chunk before, to complete its last record.
const JOIN: usize = 16 << 10;

/// The ordered output of several workers.
pub(crate) struct Parallel {
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
    result: Result<()>,
    declared: Vec<ControlTotal>,
    notes: Vec<String>,
}

impl Parallel {
    /// Starts at the beginning, or at a cut of an earlier read.
    pub(crate) async fn open(
        store: &dyn Store,
        name: &str,
        format: &Arc<dyn Format>,
        splitter: Box<dyn Splitter>,
        options: DecodeOptions,
        from: Option<Cut>,
        threads: usize,
    ) -> Result<Self> {
        let mut cutter = Cutter {
            stream: store.get(name, from.map_or(0, |cut| cut.offset)).await?,
            splitter,
            record: options.limits.record,
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
        self.notes.extend(decoded.notes);
        self.ended |= decoded.last;
        self.failed = decoded.result.err();
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
        self.declared.clone()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
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
    loop {
        let (done, decoded) = oneshot::channel();
        let cut = {
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
            cut.map_err(|error| Decoded::failed(error, cutter.at))
        };
        // The reader may be gone.
        let _ = done.send(match cut {
            Ok(Piece { part, bytes, end }) => {
                decode(format, DecodeOptions { part: Some(part), ..options.clone() }, bytes, end)
            }
            Err(failed) => failed,
        });
    }
}

/// Cuts a stream into parts. Chunks are not copied, but for the record that two of them share.
struct Cutter {
    stream: Box<dyn ByteStream>,
    splitter: Box<dyn Splitter>,
    /// Most bytes of a record.
    record: u64,
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

/// A part that was cut off.
struct Piece {
    part: Part,
    bytes: Vec<Bytes>,
    end: Cut,
}

/// Pieces of one part, in order.
#[derive(Default)]
struct Ready {
    pieces: Vec<Bytes>,
    length: usize,
    records: u64,
    lines: u64,
}

impl Ready {
    fn push(&mut self, piece: Bytes, boundary: Boundary) {
        self.length += piece.len();
        self.records += boundary.records;
        self.lines += boundary.lines;
        self.pieces.push(piece);
    }
}

impl Cutter {
    /// The next part; `None` after the last one.
    async fn next(&mut self) -> Result<Option<Piece>> {
        if self.ended {
            return Ok(None);
        }
        if self.prologue.is_none() {
            self.next = self.header().await?;
        }
        loop {
            let chunk = match self.next.take() {
                Some(chunk) => Some(chunk),
                None => self.stream.next().await?,
            };
            match chunk {
                Some(chunk) if self.ready.length >= PART => {
                    self.next = Some(chunk);
                    return Ok(Some(self.cut(false)));
                }
                Some(chunk) => self.take(&chunk)?,
                None => {
                    self.rest();
                    self.ended = true;
                    return Ok(Some(self.cut(true)));
                }
            }
        }
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

    /// Adds a chunk to the part at hand, up to its last record boundary.
    fn take(&mut self, chunk: &Bytes) -> Result<()> {
        let Some(from) = self.join(chunk)? else { return Ok(()) };
        let rest = chunk.slice(from..);
        let mut end = 0;
        if let Some(found) = self.boundary(&rest) {
            end = found.end;
            self.ready.push(rest.slice(..end), found);
        }
        self.carry.extend_from_slice(rest.get(end..).unwrap_or_default());
        Ok(())
    }

    /// Completes the record that began in the chunk before. Where that record ends in this one; `None`: not yet.
    fn join(&mut self, chunk: &Bytes) -> Result<Option<usize>> {
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
                        return Ok(Some(end - old));
                    }
                }
                None if next == chunk.len() => {
                    let (limit, held) = (self.record, self.carry.len() as u64);
                    return Limits::check("record", limit, held).map(|()| None).map_err(|error| {
                        error
                            .at_record(self.at.record + self.ready.records)
                            .at_offset(self.at.offset + self.ready.length as u64)
                    });
                }
                None => {
                    self.carry.truncate(old);
                    next = next.saturating_mul(8);
                }
            }
        }
        Ok(Some(0))
    }

    fn boundary(&mut self, bytes: &[u8]) -> Option<Boundary> {
        let found = self.splitter.last_boundary(bytes, false).filter(|found| found.end > 0)?;
        Some(Boundary { end: found.end.min(bytes.len()), ..found })
    }

    /// The part at hand.
    fn cut(&mut self, last: bool) -> Piece {
        let ready = std::mem::take(&mut self.ready);
        let part = Part {
            prologue: self.prologue.clone().unwrap_or_default(),
            offset: self.at.offset,
            first_record: self.at.record,
            first_line: self.at.line,
            last,
        };
        self.at.offset += ready.length as u64;
        self.at.record += ready.records;
        self.at.line += ready.lines;
        Piece { part, bytes: ready.pieces, end: self.at }
    }

    /// Reads the header and returns what follows it, `None` at the end of the stream.
    async fn header(&mut self) -> Result<Option<Bytes>> {
        let (mut start, mut ended, mut enough) = (BytesMut::new(), false, 0);
        let header = loop {
            // Asked again only when there is twice as much: a store may give a few bytes at a time.
            if ended || start.len() >= enough {
                enough = start.len().saturating_mul(2);
                if let Some(header) = self.splitter.prologue(&start, ended)? {
                    break header;
                }
            }
            if ended {
                return Err(Error::new(
                    Kind::Truncated,
                    "files.header",
                    "the file ends inside its header",
                ));
            }
            Limits::check("record", self.record, start.len() as u64)?;
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
        match start.is_empty() {
            true => self.stream.next().await,
            false => Ok(Some(start.freeze())),
        }
    }
}

impl Decoded {
    fn failed(error: Error, end: Cut) -> Self {
        Self {
            batches: Vec::new(),
            end,
            last: false,
            result: Err(error),
            declared: Vec::new(),
            notes: Vec::new(),
        }
    }
}

fn decode(format: &dyn Format, options: DecodeOptions, pieces: Vec<Bytes>, end: Cut) -> Decoded {
    let last = options.part.as_ref().is_some_and(|part| part.last);
    let mut decoder = match format.decoder(options) {
        Ok(decoder) => decoder,
        Err(error) => return Decoded::failed(error, end),
    };
    let (batches, result) = decode_all(&mut *decoder, pieces);
    Decoded { batches, end, last, result, declared: decoder.declared(), notes: decoder.notes() }
}
