//! Where a stream of lines can be cut, so that its parts decode in parallel.

use fenhe_core::{Boundary, Result, Splitter};
use fenhe_text::Encoding;

use crate::error::config;
use crate::lines::{blank, line_end, unit};
use crate::options::JsonOptions;
use crate::settle;

/// Cuts behind line ends. Blank lines are no records.
#[derive(Debug)]
pub(crate) struct LineSplitter {
    json: JsonOptions,
    encoding: Encoding,
}

impl LineSplitter {
    pub(crate) fn new(json: JsonOptions) -> Self {
        Self { json, encoding: Encoding::UTF_8 }
    }
}

impl Splitter for LineSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        if start.len() < 4 && !end_of_stream {
            return Ok(None);
        }
        let (encoding, bom) = settle::encoding(&self.json, start)?;
        if bom == 0 && unit(encoding) > 1 && self.json.encoding.is_none() {
            return Err(config(format!(
                "a stream of {encoding} without a byte order mark: say encoding={encoding}"
            )));
        }
        self.encoding = encoding;
        Ok(Some(Boundary { end: bom, records: 0, lines: 0 }))
    }

    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary> {
        let (mut records, mut lines, mut at) = (0, 0, 0);
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            let end = line_end(rest, self.encoding);
            if end.is_none() && !end_of_stream {
                break;
            }
            let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
            lines += u64::from(end.is_some());
            records += u64::from(text.first() == Some(&b'{') || !blank(text, self.encoding));
            at += text.len();
        }
        Some(Boundary { end: at, records, lines }).filter(|b| b.end > 0)
    }
}
