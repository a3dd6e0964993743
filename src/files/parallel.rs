//! One object decoded by several threads: a task cuts the stream at record boundaries, workers decode the
//! chunks, and what they make is taken in the order of the stream. Chunks under way are bounded.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Batch, ByteStream, ControlTotal, DecodeOptions, Error, Format, Kind, Limits, Part, Result,
    Splitter, Store,
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use super::identity::start_of;
use super::position::Cut;
use super::sequential::decode_all;
use super::{Decoding, Step};
use crate::totals::add_digits;

/// Bytes of a chunk: large enough that a decoder's start does not show, small enough for the caches.
const CHUNK: usize = 1 << 20;

/// The ordered output of several workers.
pub(crate) struct Parallel {
    /// One receiver a chunk, in the order of the stream.
    chunks: mpsc::Receiver<oneshot::Receiver<Decoded>>,
    waiting: Option<oneshot::Receiver<Decoded>>,
    ready: VecDeque<Step>,
    /// An error behind the batches in `ready`.
    failed: Option<Error>,
    declared: Vec<ControlTotal>,
    notes: Vec<String>,
    cutter: JoinHandle<()>,
}

/// What one chunk became.
struct Decoded {
    batches: Vec<Batch>,
    end: Cut,
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
        let (to, chunks) = mpsc::channel(threads + 1);
        let mut cutter = Cutter {
            stream: store.get(name, from.map_or(0, |cut| cut.offset)).await?,
            splitter,
            buffer: BytesMut::new(),
            ended: false,
            prologue: Bytes::new(),
            at: Cut { prologue: 0, offset: 0, record: 1, line: 1 },
            work: Work {
                format: Arc::clone(format),
                options,
                workers: Arc::new(Semaphore::new(threads)),
                to,
            },
        };
        if let Some(cut) = from {
            let mut start = store.get(name, 0).await?;
            cutter.prologue = start_of(&mut *start, cut.prologue).await?;
            cutter.splitter.prologue(&cutter.prologue, false)?;
            cutter.at = cut;
        }
        let resumed = from.is_some();
        Ok(Self {
            chunks,
            waiting: None,
            ready: VecDeque::new(),
            failed: None,
            declared: Vec::new(),
            notes: Vec::new(),
            cutter: tokio::spawn(cutter.run(resumed)),
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
                self.chunks.close();
                self.cutter.abort();
                return Err(error);
            }
            // Kept in `self` while waiting, so that a dropped future loses nothing.
            let waiting = match &mut self.waiting {
                Some(waiting) => waiting,
                None => match self.chunks.recv().await {
                    Some(chunk) => self.waiting.insert(chunk),
                    None => return Ok(None),
                },
            };
            let decoded = waiting.await;
            self.waiting = None;
            match decoded {
                Ok(decoded) => self.accept(decoded),
                Err(_) => {
                    return Err(Error::new(
                        Kind::Internal,
                        "engine.task",
                        "a decoding task ended early",
                    ));
                }
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

impl Drop for Parallel {
    fn drop(&mut self) {
        self.cutter.abort();
    }
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

struct Cutter {
    stream: Box<dyn ByteStream>,
    splitter: Box<dyn Splitter>,
    /// Bytes read and not cut yet; they start at a record.
    buffer: BytesMut,
    ended: bool,
    prologue: Bytes,
    at: Cut,
    work: Work,
}

impl Cutter {
    async fn run(mut self, resumed: bool) {
        if let Err(error) = self.cut(resumed).await {
            self.work.fail(error, self.at).await;
        }
    }

    async fn cut(&mut self, resumed: bool) -> Result<()> {
        if !resumed {
            self.header().await?;
        }
        loop {
            while self.buffer.len() < CHUNK && !self.ended {
                self.fill().await?;
            }
            let boundary = self.splitter.last_boundary(&self.buffer, self.ended);
            let (end, records, lines) = match boundary {
                Some(boundary) if boundary.end > 0 => {
                    (boundary.end, boundary.records, boundary.lines)
                }
                _ if self.ended => (self.buffer.len(), 0, 0),
                _ => {
                    Limits::check(
                        "record",
                        self.work.options.limits.record,
                        self.buffer.len() as u64,
                    )
                    .map_err(|e| e.at_record(self.at.record).at_offset(self.at.offset))?;
                    self.fill().await?;
                    continue;
                }
            };
            let bytes = self.buffer.split_to(end.min(self.buffer.len())).freeze();
            // Whether the stream ends here has to be known before the chunk goes out.
            while self.buffer.is_empty() && !self.ended {
                self.fill().await?;
            }
            let last = self.ended && self.buffer.is_empty();
            let part = Part {
                prologue: self.prologue.clone(),
                offset: self.at.offset,
                first_record: self.at.record,
                first_line: self.at.line,
                last,
            };
            self.at.offset += bytes.len() as u64;
            self.at.record += records;
            self.at.line += lines;
            if !self.work.start(part, bytes, self.at).await || last {
                return Ok(());
            }
        }
    }

    async fn header(&mut self) -> Result<()> {
        let header = loop {
            if let Some(header) = self.splitter.prologue(&self.buffer, self.ended)? {
                break header;
            }
            if self.ended {
                return Err(Error::new(
                    Kind::Truncated,
                    "files.header",
                    "the file ends inside its header",
                ));
            }
            Limits::check("record", self.work.options.limits.record, self.buffer.len() as u64)?;
            self.fill().await?;
        };
        self.prologue = self.buffer.split_to(header.end.min(self.buffer.len())).freeze();
        self.at.prologue = self.prologue.len() as u64;
        self.at.offset = self.at.prologue;
        self.at.record += header.records;
        self.at.line += header.lines;
        Ok(())
    }

    async fn fill(&mut self) -> Result<()> {
        match self.stream.next().await? {
            Some(chunk) => {
                if self.buffer.capacity() - self.buffer.len() < chunk.len() {
                    self.buffer.reserve(chunk.len().max(CHUNK + CHUNK / 4));
                }
                self.buffer.extend_from_slice(&chunk);
            }
            None => self.ended = true,
        }
        Ok(())
    }
}

/// How chunks are handed to workers.
struct Work {
    format: Arc<dyn Format>,
    options: DecodeOptions,
    workers: Arc<Semaphore>,
    to: mpsc::Sender<oneshot::Receiver<Decoded>>,
}

impl Work {
    /// `false` when nobody wants more.
    async fn start(&self, part: Part, bytes: Bytes, end: Cut) -> bool {
        let (done, decoded) = oneshot::channel();
        if self.to.send(decoded).await.is_err() {
            return false;
        }
        let Ok(permit) = Arc::clone(&self.workers).acquire_owned().await else {
            return false;
        };
        let format = Arc::clone(&self.format);
        let options = DecodeOptions { part: Some(part), ..self.options.clone() };
        spawn_blocking(move || {
            let decoded = decode(&*format, options, bytes, end);
            drop(permit);
            // The reader may be gone.
            let _ = done.send(decoded);
        });
        true
    }

    async fn fail(&self, error: Error, end: Cut) {
        let (done, decoded) = oneshot::channel();
        if self.to.send(decoded).await.is_ok() {
            let _ = done.send(Decoded::failed(error, end));
        }
    }
}

impl Decoded {
    fn failed(error: Error, end: Cut) -> Self {
        Self {
            batches: Vec::new(),
            end,
            result: Err(error),
            declared: Vec::new(),
            notes: Vec::new(),
        }
    }
}

fn decode(format: &dyn Format, options: DecodeOptions, bytes: Bytes, end: Cut) -> Decoded {
    let mut decoder = match format.decoder(options) {
        Ok(decoder) => decoder,
        Err(error) => return Decoded::failed(error, end),
    };
    let (batches, result) = decode_all(&mut *decoder, bytes);
    Decoded { batches, end, result, declared: decoder.declared(), notes: decoder.notes() }
}
