//! Record boundaries by arithmetic. Memos need no splitting: they are read by position.

use bytes::Bytes;
use fenhe_core::{Boundary, Limits, Result, Splitter};

use crate::error;
use crate::header::Header;

const END_MARK: u8 = 0x1A;

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

    /// Stops at an end mark: what stands behind it are no records, and a last part takes it all.
    fn last_boundary(&mut self, chunk: &[u8], _end_of_stream: bool) -> Option<Boundary> {
        let length = self.length.max(1);
        let records =
            chunk.chunks_exact(length).take_while(|r| r.first() != Some(&END_MARK)).count();
        let end = records * length;
        (records > 0).then_some(Boundary { end, records: records as u64, lines: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_multiples_of_the_record_length_before_the_end_mark() {
        let mut splitter = RecordSplitter { length: 4 };
        let whole = Some(Boundary { end: 8, records: 2, lines: 0 });
        assert_eq!(splitter.last_boundary(b" abc*def gh", false), whole);
        assert_eq!(splitter.last_boundary(b" abc*def\x1arest of a sector", true), whole);
        assert_eq!(splitter.last_boundary(b" ab", false), None);
        assert_eq!(splitter.last_boundary(b"\x1aabcdefg", false), None);
    }

    #[test]
    fn the_header_is_asked_for_until_it_is_there() {
        let mut splitter = RecordSplitter::default();
        assert_eq!(splitter.prologue(&[0x03, 1, 1], false).unwrap(), None);
        assert_eq!(splitter.prologue(&[0x03, 1, 1], true).unwrap_err().code(), "dbf.header");
        assert_eq!(splitter.prologue(&[0x99], false).unwrap_err().code(), "dbf.version");
    }
}
