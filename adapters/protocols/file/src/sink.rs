//! Writing: bytes gather, and go to disk on a blocking thread while the caller makes the next ones.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteSink, Entry, Error, Kind, Result};
use flate2::write::GzEncoder;

use crate::blocking::{Job, outcome, run};
use crate::inflate::Codec;
use crate::part::Part;
use crate::{error, list};

/// Bytes that gather before they are written.
const GATHER: usize = 256 << 10;

/// An object being written.
pub(crate) struct FileSink {
    work: Option<Work>,
    job: Option<Job<(Work, Result<()>)>>,
    queue: Vec<Bytes>,
    queued: usize,
    /// Bytes taken, before compression.
    length: u64,
    failed: bool,
}

/// The blocking half of a sink.
pub(crate) struct Work {
    out: Out,
    part: Part,
    name: String,
}

enum Out {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl Work {
    pub(crate) fn new(
        part: Part,
        codec: Option<Codec>,
        level: Option<i32>,
        name: &str,
    ) -> Result<Self> {
        let failed = |e| error::io(e, name);
        let file = BufWriter::with_capacity(GATHER, part.file.try_clone().map_err(failed)?);
        let out = match codec {
            None => Out::Plain(file),
            Some(Codec::Gzip) => {
                let level = u32::try_from(level.unwrap_or(6)).ok().filter(|n| *n <= 9);
                let level = level.ok_or_else(|| wrong_level("0 to 9"))?;
                Out::Gzip(GzEncoder::new(file, flate2::Compression::new(level)))
            }
            Some(Codec::Zstd) => {
                let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
                if !zstd::compression_level_range().contains(&level) {
                    return Err(wrong_level("1 to 22"));
                }
                let mut encoder = zstd::stream::write::Encoder::new(file, level).map_err(failed)?;
                encoder.include_checksum(true).map_err(failed)?;
                Out::Zstd(encoder)
            }
        };
        Ok(Self { out, part, name: name.into() })
    }

    fn write(&mut self, queue: &[Bytes]) -> Result<()> {
        let writer: &mut dyn Write = match &mut self.out {
            Out::Plain(w) => w,
            Out::Gzip(w) => w,
            Out::Zstd(w) => w,
        };
        let result = queue.iter().try_for_each(|bytes| writer.write_all(bytes));
        result.map_err(|e| error::io(e, &self.name))
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.out {
            Out::Plain(w) => w.flush(),
            Out::Gzip(w) => w.flush(),
            Out::Zstd(w) => w.flush(),
        }
        .map_err(|e| error::io(e, &self.name))
    }

    fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.flush()?;
        write_all_at(&self.part.file, bytes, offset).map_err(|e| error::io(e, &self.name))
    }

    /// Ends the stream, makes it durable and visible.
    fn finish(self) -> Result<Entry> {
        let Self { out, mut part, name } = self;
        let failed = |e| error::io(e, &name);
        let compressed = !matches!(out, Out::Plain(_));
        let mut file = match out {
            Out::Plain(w) => w,
            Out::Gzip(w) => w.finish().map_err(failed)?,
            Out::Zstd(w) => w.finish().map_err(failed)?,
        };
        file.flush().map_err(failed)?;
        let mut entry = list::entry(&name, &part.appear()?);
        if compressed {
            entry.size = None;
        }
        Ok(entry)
    }
}

impl FileSink {
    pub(crate) fn new(work: Work) -> Self {
        Self { work: Some(work), job: None, queue: Vec::new(), queued: 0, length: 0, failed: false }
    }

    /// The blocking half, once it has done what it was given. After a failure there is none any more: an
    /// error of write or fsync leaves the file in an unknown state and is never tried again.
    async fn settled(&mut self) -> Result<Work> {
        if let Some((work, result)) = outcome(&mut self.job).await? {
            if let Err(error) = result {
                self.failed = true;
                return Err(error);
            }
            self.work = Some(work);
        }
        self.work.take().ok_or_else(|| Error::poisoned("file"))
    }

    /// Starts the next piece of work, with what has gathered before it.
    fn start(
        &mut self,
        mut work: Work,
        then: impl FnOnce(&mut Work) -> Result<()> + Send + 'static,
    ) {
        let queue = std::mem::take(&mut self.queue);
        self.queued = 0;
        self.job = Some(Job::start(move || {
            let result = work.write(&queue).and_then(|()| then(&mut work));
            (work, result)
        }));
    }

    fn alive(&self) -> Result<()> {
        if self.failed { Err(Error::poisoned("file")) } else { Ok(()) }
    }
}

#[async_trait]
impl ByteSink for FileSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.alive()?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        self.queued = self.queued.saturating_add(bytes.len());
        self.queue.push(bytes);
        if self.queued >= GATHER {
            let work = self.settled().await?;
            self.start(work, |_| Ok(()));
        }
        Ok(())
    }

    async fn patch(&mut self, offset: u64, bytes: Bytes) -> Result<()> {
        self.alive()?;
        let work = self.settled().await?;
        let plain = matches!(work.out, Out::Plain(_)) && work.part.can_patch();
        let inside = offset.checked_add(bytes.len() as u64).is_some_and(|end| end <= self.length);
        if !plain || !inside {
            self.work = Some(work);
            return Err(if inside {
                Error::unsupported("a compressed file or a pipe", "patch")
            } else {
                Error::new(Kind::Internal, "file.patch", "a patch reaches behind what was written")
                    .at_offset(offset)
            });
        }
        self.start(work, move |work| work.patch(offset, &bytes));
        let work = self.settled().await?;
        self.work = Some(work);
        Ok(())
    }

    async fn sync(&mut self) -> Result<()> {
        self.alive()?;
        let work = self.settled().await?;
        self.start(work, |work| work.flush().and_then(|()| work.part.sync()));
        let work = self.settled().await?;
        self.work = Some(work);
        Ok(())
    }

    async fn close(mut self: Box<Self>) -> Result<Entry> {
        self.alive()?;
        let mut work = self.settled().await?;
        let queue = std::mem::take(&mut self.queue);
        run(move || work.write(&queue).and_then(|()| work.finish())).await
    }
}

fn wrong_level(range: &str) -> Error {
    Error::new(Kind::Config, "file.level", format!("the compression level must be {range}"))
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.seek_write(rest, offset + done as u64)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => done += n,
        }
    }
    Ok(())
}
