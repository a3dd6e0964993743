//! Content as chunks, with one chunk read ahead.

use std::io::Read;

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteStream, Error, Kind, Result};
use fenhe_kernels::ChunkPool;

use crate::blocking::{Job, outcome};
use crate::error;
use crate::inflate::Inflated;
use crate::version::Watched;

/// Bytes as they are on disk, or inflated.
pub(crate) enum Content {
    Plain(Watched),
    Inflated(Inflated),
}

impl Content {
    pub(crate) fn read(&mut self, buf: &mut [u8], name: &str) -> Result<usize> {
        match self {
            Self::Plain(file) => loop {
                match file.read(buf) {
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    result => return result.map_err(|e| error::io(e, name)),
                }
            },
            Self::Inflated(inflated) => {
                fill(inflated, buf).map_err(|e| error::inflate(e, inflated.format, name))
            }
        }
    }
}

/// A stream of chunks. The next chunk is read while the caller works on the last one.
pub(crate) struct FileStream {
    job: Option<Job<Step>>,
    /// Why the stream failed, to say it again.
    failed: Option<(Kind, String, String)>,
}

/// The blocking half of a stream.
struct Source {
    content: Content,
    pool: ChunkPool,
    name: String,
}

type Step = (Source, Result<Option<Bytes>>);

impl FileStream {
    pub(crate) fn new(content: Content, pool: ChunkPool, name: String) -> Self {
        let source = Source { content, pool, name };
        Self { job: Some(Job::start(move || source.step())), failed: None }
    }
}

#[async_trait]
impl ByteStream for FileStream {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some((kind, code, message)) = &self.failed {
            return Err(Error::new(*kind, code.clone(), message.clone()));
        }
        match outcome(&mut self.job).await? {
            None | Some((_, Ok(None))) => Ok(None),
            Some((source, Ok(Some(chunk)))) => {
                self.job = Some(Job::start(move || source.step()));
                Ok(Some(chunk))
            }
            Some((_, Err(error))) => {
                self.failed = Some((error.kind(), error.code().into(), error.message().into()));
                Err(error)
            }
        }
    }
}

impl Source {
    fn step(mut self) -> Step {
        let mut chunk = self.pool.get();
        let result = self.content.read(&mut chunk, &self.name);
        let result = result.map(|n| (n > 0).then(|| chunk.freeze(n)));
        (self, result)
    }
}

/// Reads until the buffer is full or the data end.
fn fill(from: &mut impl Read, buf: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
