//! Cutting a stream into parts at record boundaries.

use bytes::{Bytes, BytesMut};
use fenhe_core::{Boundary, ByteStream, Limits, Part, Result, Splitter, Store};

use crate::files::identity::start_of;
use crate::files::position::Cut;

/// Bytes that make a part worth a worker: its batches are as large as those of a decoder that reads on, and what a
/// decoder costs to start does not show.
const PART: usize = 2 << 20;
/// Bytes of a chunk that are copied behind the rest of the chunk before, to complete its last record.
const JOIN: usize = 16 << 10;

/// Cuts a stream into parts. Chunks are not copied, but for the record that two of them share.
pub(super) struct Cutter {
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
pub(super) enum Next {
    Piece(Piece),
    Rest(Rest),
}

/// A part that was cut off.
pub(super) struct Piece {
    pub(super) part: Part,
    pub(super) bytes: Vec<Bytes>,
    pub(super) end: Cut,
}

/// All that is left of the stream, which cannot be cut; `None`: all of it.
pub(super) struct Rest(pub(super) Option<Part>);

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
    /// Starts at the beginning of an object, or at a cut of an earlier read.
    pub(super) async fn open(
        store: &dyn Store,
        name: &str,
        splitter: Box<dyn Splitter>,
        limits: &Limits,
        from: Option<Cut>,
    ) -> Result<Self> {
        let mut cutter = Self {
            stream: store.get(name, from.map_or(0, |cut| cut.offset)).await?,
            splitter,
            record: limits.record,
            rows: limits.batch_rows,
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
        Ok(cutter)
    }

    /// Where the next part begins.
    pub(super) fn at(&self) -> Cut {
        self.at
    }

    /// Gives no more parts.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The next part; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Next>> {
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
