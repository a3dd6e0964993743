//! Record boundaries by arithmetic. Memos need no splitting: they are read by position.

use bytes::Bytes;
use fenhe_core::{Boundary, Limits, Result, Splitter};

use crate::error;
use crate::header::Header;

/// Cuts a table at multiples of its record length.
#[derive(Debug, Default)]
pub(crate) struct RecordSplitter {
    length: usize,
}

impl Splitter for RecordSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        let wanted = Header::length_of(start)?.unwrap_or(12);
        let Some(raw) = start.get(..wanted) else {
            return if end_of_stream {
                Err(error::header_cut(wanted as u64, start.len() as u64))
            } else {
                Ok(None)
            };
        };
        if raw.len() < 32 {
            return Ok(None);
        }
        let header = Header::parse(Bytes::copy_from_slice(raw), &Limits::default())?;
        self.length = header.record_length;
        Ok(Some(Boundary { end: header.length, records: 0, lines: 0 }))
    }

    fn last_boundary(&mut self, chunk: &[u8], _end_of_stream: bool) -> Option<Boundary> {
        let records = chunk.len().checked_div(self.length).filter(|n| *n > 0)?;
        Some(Boundary { end: records * self.length, records: records as u64, lines: 0 })
    }
}
