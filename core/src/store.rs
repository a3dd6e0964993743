//! Places that hold named byte objects: folders, FTP, SFTP, HTTP, archives.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Error, Result};

/// A place that lists, gives and takes whole objects by name.
///
/// Names are relative, `/`-separated and already safe: no `..`, no control characters, no leading `/`.
///
/// # Behavior
/// - A method that the place cannot offer returns [`Unsupported`](crate::Kind::Unsupported).
/// - `put` is atomic where the place allows it: others see the old object or the whole new one.
/// - A name that does not exist is [`NotFound`](crate::Kind::NotFound).
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// URI scheme, e.g. `file`.
    fn scheme(&self) -> &'static str;

    /// Objects whose name matches the glob (`*`, `?`, `**`, `[...]`), in order of names.
    async fn list(&self, glob: &str) -> Result<Vec<Entry>> {
        let _ = glob;
        Err(Error::unsupported(self.scheme(), "list"))
    }

    /// Name, size and version of one object, without its content.
    async fn head(&self, name: &str) -> Result<Entry>;

    /// Its content from byte `from` to the end, as chunks.
    ///
    /// # Errors
    /// [`Changed`](crate::Kind::Changed) later, from the stream, when the object changes under the reader.
    async fn get(&self, name: &str, from: u64) -> Result<Box<dyn ByteStream>>;

    /// Random access to one object, for formats that need the whole.
    async fn open(&self, name: &str) -> Result<Arc<dyn ReadAt>> {
        let _ = name;
        Err(Error::unsupported(self.scheme(), "random access"))
    }

    /// Starts a new object; it appears when the writer is closed.
    async fn put(&self, name: &str) -> Result<Box<dyn ByteSink>> {
        let _ = name;
        Err(Error::unsupported(self.scheme(), "put"))
    }

    /// Gives an object another name, replacing what is there.
    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let _ = (from, to);
        Err(Error::unsupported(self.scheme(), "rename"))
    }

    /// Removes an object.
    async fn remove(&self, name: &str) -> Result<()> {
        let _ = name;
        Err(Error::unsupported(self.scheme(), "remove"))
    }
}

/// One object of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name within the store.
    pub name: String,
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// What changes when the content changes (entity tag, inode with size and time), empty if unknown.
    pub version: String,
}

/// Chunks of one object, in order.
#[async_trait]
pub trait ByteStream: Send {
    /// The next chunk, never empty; `None` at the true end. Cancel-safe.
    ///
    /// # Errors
    /// [`Truncated`](crate::Kind::Truncated) when the object ends before its announced size.
    async fn next(&mut self) -> Result<Option<Bytes>>;
}

/// An object being written. Dropped without `close`, nothing appears in the store.
#[async_trait]
pub trait ByteSink: Send {
    /// Appends bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Replaces bytes that were already appended (a record count in a header).
    ///
    /// # Errors
    /// [`Unsupported`](crate::Kind::Unsupported) where the place only appends.
    async fn patch(&mut self, offset: u64, bytes: Bytes) -> Result<()> {
        let _ = (offset, bytes);
        Err(Error::unsupported("this place", "patch"))
    }

    /// Makes what was appended durable without ending the object.
    async fn sync(&mut self) -> Result<()>;

    /// Makes the object durable and visible under its name.
    async fn close(self: Box<Self>) -> Result<Entry>;
}

/// Random access to bytes that do not change.
///
/// Synchronous, so that formats stay free of a runtime; implementations over slow places buffer ahead.
pub trait ReadAt: Debug + Send + Sync + 'static {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// Fills `buf` from `offset` on, and returns how many bytes there were (fewer only at the end).
    ///
    /// # Errors
    /// Input/output errors of the place.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;
}

impl ReadAt for Bytes {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let rest = self.get(from..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        for (to, byte) in buf.iter_mut().zip(rest) {
            *to = *byte;
        }
        Ok(n)
    }
}

/// Reads a range whole, e.g. a memo block.
///
/// # Errors
/// [`Truncated`](crate::Kind::Truncated) when the object ends inside the range, [`Limit`](crate::Kind::Limit)
/// when the range is longer than `limit` bytes.
pub fn read_exact_at(object: &dyn ReadAt, range: Range<u64>, limit: u64) -> Result<Vec<u8>> {
    let wanted = range.end.saturating_sub(range.start);
    crate::Limits::check("memo", limit, wanted)?;
    let missing = || {
        Error::new(crate::Kind::Truncated, "core.range", "the object ends inside a block")
            .at_offset(range.start)
    };
    if range.end > object.size() {
        return Err(missing());
    }
    let mut buf = vec![0; usize::try_from(wanted).map_err(|_| missing())?];
    let mut done = 0;
    while done < buf.len() {
        let Some(rest) = buf.get_mut(done..) else {
            break;
        };
        match object.read_at(range.start + done as u64, rest)? {
            0 => return Err(missing()),
            n => done += n,
        }
    }
    Ok(buf)
}
