//! The last lines of a stream that are no records.

use bytes::{Bytes, BytesMut};

/// The last lines of the stream, held back because they are no records.
#[derive(Default)]
pub(crate) struct Tail {
    lines: usize,
    held: BytesMut,
}

impl Tail {
    pub(crate) fn new(lines: u32) -> Self {
        Self { lines: usize::try_from(lines).unwrap_or(usize::MAX), held: BytesMut::new() }
    }

    /// What cannot be among the last lines any more.
    pub(crate) fn let_go(&mut self, bytes: Bytes) -> Bytes {
        if self.lines == 0 {
            return bytes;
        }
        self.held.extend_from_slice(&bytes);
        let start = start(&self.held, self.lines);
        self.held.split_to(start).freeze()
    }

    /// The stream is over: what is left is the tail.
    pub(crate) fn end(&mut self) -> Option<String> {
        let lost = std::mem::take(&mut self.held);
        (!lost.is_empty()).then(|| {
            format!(
                "skip_tail: {} lines at the end ({} bytes) are no records",
                self.lines,
                lost.len()
            )
        })
    }
}

/// The bytes before the last lines.
pub(crate) fn before(bytes: &[u8], lines: u32) -> &[u8] {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    if lines == 0 { bytes } else { bytes.get(..start(bytes, lines)).unwrap_or_default() }
}

/// Where the last lines start.
fn start(bytes: &[u8], lines: usize) -> usize {
    let mark = if memchr::memchr(b'\n', bytes).is_some() { b'\n' } else { b'\r' };
    let inside = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
    memchr::memrchr_iter(mark, inside).nth(lines - 1).map_or(0, |at| at + 1)
}
