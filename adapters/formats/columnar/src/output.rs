//! Bytes that a writer of the Arrow project puts out, taken over batch by batch.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;

/// A shared buffer: one end is the writer's, the other is drained by the encoder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drain(Arc<Mutex<Vec<u8>>>);

impl Drain {
    /// Moves everything written so far to `out`.
    pub(crate) fn take(&self, out: &mut BytesMut) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.extend_from_slice(&held);
        held.clear();
    }
}

impl Write for Drain {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
