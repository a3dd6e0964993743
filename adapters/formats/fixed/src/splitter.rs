//! Cutting a stream into parts at record ends, by arithmetic or by line ends.

use fenhe_core::{Boundary, Result, Splitter};

use crate::frame::{Framer, Frames, prologue};
use crate::options::FixedOptions;

/// Cuts at record ends.
#[derive(Debug)]
pub(crate) struct FixedSplitter {
    framer: Framer,
    options: FixedOptions,
    frames: Frames,
}

impl FixedSplitter {
    pub(crate) fn new(framer: Framer, options: FixedOptions) -> Self {
        Self { framer, options, frames: Frames::default() }
    }
}

impl Splitter for FixedSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        let found = prologue(&self.framer, &self.options, start, end_of_stream);
        Ok(found.map(|p| Boundary { end: p.end, records: 0, lines: p.lines }))
    }

    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary> {
        let mut found = Boundary { end: 0, records: 0, lines: 0 };
        loop {
            let rest = chunk.get(found.end..).unwrap_or_default();
            let rest = rest.get(..rest.len().min(1 << 30)).unwrap_or_default();
            let taken = self.framer.block(rest, end_of_stream, 4096, u64::MAX, &mut self.frames);
            if taken == 0 {
                break;
            }
            found.end += taken;
            found.records += self.frames.len() as u64;
            found.lines += self.frames.len() as u64 + self.frames.passed_before(usize::MAX);
        }
        (found.end > 0).then_some(found)
    }
}
