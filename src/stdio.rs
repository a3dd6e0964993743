//! Standard input and output as a store with one object.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteSink, ByteStream, Entry, Error, Kind, Result, Store};
use tokio::task::{JoinHandle, spawn_blocking};

/// What is remembered of standard input, so that it can be looked at before it is read. 1 MiB.
const REMEMBERED: usize = 1 << 20;
const CHUNK: usize = 256 << 10;

/// Standard input for `get`, standard output for `put`.
///
/// The first mebibyte of the input can be read again, so that a format can be recognised.
#[derive(Clone, Debug, Default)]
pub struct Stdio {
    input: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    chunks: Vec<Bytes>,
    size: usize,
    ended: bool,
    /// Chunks were handed out that are not remembered.
    passed: bool,
}

impl Stdio {
    /// Standard input and output of this process.
    pub fn new() -> Self {
        Self::default()
    }
}

fn the_only_one(name: &str) -> Result<()> {
    match name {
        "-" => Ok(()),
        _ => {
            Err(Error::new(Kind::NotFound, "stdio.companion", "standard input holds one file only"))
        }
    }
}

#[async_trait]
impl Store for Stdio {
    fn scheme(&self) -> &'static str {
        "stdio"
    }

    async fn head(&self, name: &str) -> Result<Entry> {
        the_only_one(name)?;
        Ok(Entry { name: name.into(), size: None, version: String::new() })
    }

    async fn get(&self, name: &str, from: u64) -> Result<Box<dyn ByteStream>> {
        the_only_one(name)?;
        if from != 0 || lock(&self.input).passed {
            return Err(Error::new(
                Kind::Unsupported,
                "stdio.again",
                "standard input can be read only once",
            )
            .hint("save it to a file first"));
        }
        Ok(Box::new(Input { seen: Arc::clone(&self.input), next: 0, reading: None }))
    }

    async fn put(&self, name: &str) -> Result<Box<dyn ByteSink>> {
        if name != "-" {
            // A companion (memo file) would be mixed into the main one.
            return Err(Error::new(
                Kind::Unsupported,
                "stdio.companion",
                "standard output holds one file only",
            )
            .hint("write to a file, or leave out the columns that need a second one"));
        }
        Ok(Box::new(Output { written: 0 }))
    }
}

#[derive(Debug)]
struct Input {
    seen: Arc<Mutex<Seen>>,
    next: usize,
    reading: Option<JoinHandle<std::io::Result<Bytes>>>,
}

#[async_trait]
impl ByteStream for Input {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        {
            let seen = lock(&self.seen);
            if let Some(chunk) = seen.chunks.get(self.next) {
                self.next += 1;
                return Ok(Some(chunk.clone()));
            }
            if seen.ended {
                return Ok(None);
            }
        }
        // The handle is kept over a dropped future, so that no byte is lost.
        let reading = self.reading.get_or_insert_with(|| spawn_blocking(read_chunk));
        let result = reading.await;
        self.reading = None;
        let chunk = result.map_err(ended)??;
        let n = chunk.len();
        let mut seen = lock(&self.seen);
        if n == 0 {
            seen.ended = true;
            return Ok(None);
        }
        if !seen.passed && seen.size + n <= REMEMBERED {
            seen.size += n;
            seen.chunks.push(chunk.clone());
            self.next += 1;
        } else {
            seen.passed = true;
        }
        Ok(Some(chunk))
    }
}

#[derive(Debug)]
struct Output {
    written: u64,
}

#[async_trait]
impl ByteSink for Output {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.written += bytes.len() as u64;
        spawn_blocking(move || std::io::stdout().lock().write_all(&bytes))
            .await
            .map_err(ended)?
            .map_err(closed_pipe)
    }

    async fn sync(&mut self) -> Result<()> {
        spawn_blocking(|| std::io::stdout().lock().flush())
            .await
            .map_err(ended)?
            .map_err(closed_pipe)
    }

    async fn close(mut self: Box<Self>) -> Result<Entry> {
        self.sync().await?;
        Ok(Entry { name: "-".into(), size: Some(self.written), version: String::new() })
    }
}

/// A reader that went away (`fenhe ... | head`) has its own code, so that a program can end quietly.
fn closed_pipe(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Error::new(Kind::Io, "stdio.closed", "the reader of the output is gone")
            .caused_by(error);
    }
    error.into()
}

fn read_chunk() -> std::io::Result<Bytes> {
    let mut chunk = vec![0; CHUNK];
    let n = std::io::stdin().lock().read(&mut chunk)?;
    chunk.truncate(n);
    Ok(chunk.into())
}

fn ended(error: tokio::task::JoinError) -> Error {
    Error::new(Kind::Internal, "engine.task", "a background call ended early").caused_by(error)
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
