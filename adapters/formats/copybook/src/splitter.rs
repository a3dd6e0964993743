//! Cutting a stream into parts at record ends.

use fenhe_core::{Boundary, Error, Kind, Result, Splitter};

use crate::error;
use crate::frame::{Found, Framer};

/// Cuts at record ends.
#[derive(Debug)]
pub(crate) struct CopybookSplitter {
    framer: Framer,
    header: u64,
}

impl CopybookSplitter {
    pub(crate) fn new(framer: Framer, header: u64) -> Self {
        Self { framer, header }
    }
}

impl Splitter for CopybookSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        let wanted = usize::try_from(self.header).unwrap_or(usize::MAX);
        if start.len() < wanted && !end_of_stream {
            return Ok(None);
        }
        if start.len() < wanted {
            return Err(Error::new(
                Kind::Truncated,
                error::FRAMING,
                "the stream ends inside file_header",
            )
            .at_offset(0));
        }
        Ok(Some(Boundary { end: wanted, records: 0, lines: 0 }))
    }

    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary> {
        let mut found = Boundary { end: 0, records: 0, lines: 0 };
        if let Some(length) = self.framer.fixed() {
            found.records = (chunk.len() / length) as u64;
            found.end = chunk.len() / length * length;
            return (found.end > 0).then_some(found);
        }
        let mut framer = self.framer.clone();
        let (mut end, mut records) = (0, 0);
        while let Some(rest) = chunk.get(end..).filter(|r| !r.is_empty()) {
            match framer.next(rest, end_of_stream, &mut Vec::new()) {
                Found::Record { next, .. } => end += next,
                // The part with the fault in it says what is wrong.
                Found::Lost { .. } if found.end == 0 => {
                    (found.end, found.records) = (chunk.len(), records);
                    break;
                }
                _ => break,
            }
            records += 1;
            // Inside a block its length would have to go along with the part.
            if framer.block_left == 0 {
                (found.end, found.records) = (end, records);
            }
        }
        (found.end > 0).then_some(found)
    }
}
