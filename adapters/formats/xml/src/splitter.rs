//! Record boundaries for decoding in parallel.
//!
//! A chunk is looked over twice at most. The quick look finds the tags of records alone: sound as long as the chunk has no
//! comment, CDATA section or instruction (then every `</record` in it is an end tag, because `<` may stand nowhere else) and
//! nothing but white space between the records. Anything else is scanned piece by piece, and may be cut only where the
//! elements around the record are those of the first one, without declarations of their own.

use fenhe_core::{Boundary, DecodeOptions, Limits, Result, Splitter};
use fenhe_text::Encoding;
use memchr::memmem;

use crate::chars::is_space;
use crate::decode::SAMPLE;
use crate::error::Parsed;
use crate::options::XmlOptions;
use crate::outline::{Next, Outline, Rules};
use crate::path::Path;
use crate::settle::settle;
use crate::window::{Place, Window};

/// Cuts documents in UTF-8 or an encoding of which `<`, `>` and `/` are no parts of other characters.
#[derive(Debug)]
pub(crate) struct XmlSplitter {
    options: XmlOptions,
    limits: Limits,
    cut: Option<Cut>,
}

#[derive(Debug)]
struct Cut {
    encoding: Encoding,
    path: Path,
    limits: Limits,
    /// The document where the first record stands.
    outline: Outline,
    /// `<record` and `</record`, in the bytes of the source.
    open: Vec<u8>,
    close: Vec<u8>,
}

impl XmlSplitter {
    pub(crate) fn new(options: XmlOptions, open: &DecodeOptions) -> Self {
        Self { options, limits: open.limits.clone(), cut: None }
    }
}

impl Splitter for XmlSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        if start.len() < SAMPLE && !end_of_stream {
            return Ok(None);
        }
        let sample = start.get(..SAMPLE).unwrap_or(start);
        let complete = end_of_stream && start.len() <= SAMPLE;
        let settled = settle(&self.options, &DecodeOptions::default(), sample, complete, None)?;
        let encoding = settled.found.encoding;
        let mut window = Window::new(encoding, settled.found.bom as u64, Place::START);
        window.push(sample.get(settled.found.bom..).unwrap_or_default(), complete);
        let rules = Rules {
            path: Some(&settled.path),
            dtd: self.options.dtd,
            limits: &self.limits,
            ended: complete,
            last: complete,
        };
        let (mut outline, mut at) = (Outline::default(), 0);
        let found = outline.next(window.as_str(), &mut at, &rules);
        let Ok(Next::Record { from, .. }) = found else { return Ok(None) };
        let rest = window.as_str().get(from + 1..).unwrap_or_default();
        let name = rest.split([' ', '\t', '\n', '\r', '>', '/']).next().unwrap_or_default();
        let spell = |text: String| encoding.encode(&text).unwrap_or_default();
        self.cut = Some(Cut {
            encoding,
            open: spell(format!("<{name}")),
            close: spell(format!("</{name}")),
            path: settled.path,
            limits: self.limits.clone(),
            outline,
        });
        let end = usize::try_from(window.offset(from)).unwrap_or(usize::MAX);
        let before = sample.get(..end).unwrap_or_default();
        Ok(Some(Boundary { end, records: 0, lines: lines(before) }))
    }

    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary> {
        let cut = self.cut.as_ref()?;
        let found = cut.quick(chunk);
        let found = if end_of_stream { None } else { found };
        let (end, records) = match found {
            Some(found) => found,
            None => cut.thorough(chunk, end_of_stream)?,
        };
        Some(Boundary { end, records, lines: lines(chunk.get(..end).unwrap_or_default()) })
    }
}

impl Cut {
    /// The end of the last whole record and how many there are, if the chunk is plain.
    fn quick(&self, chunk: &[u8]) -> Option<(usize, u64)> {
        let plain = self.path.depth() > 1
            && [b'<', b'>', b'/'].iter().all(|b| self.encoding.safe_delimiter(*b));
        let ascii = self.encoding.is_ascii_superset();
        if !plain
            || !ascii
            || memmem::find(chunk, b"<!").is_some()
            || memmem::find(chunk, b"<?").is_some()
        {
            return None;
        }
        let (open, close) = (memmem::Finder::new(&self.open), memmem::Finder::new(&self.close));
        let (mut at, mut records) = (0, 0);
        while let Some(from) = open.find(chunk.get(at..)?).map(|n| at + n) {
            if !chunk.get(at..from)?.iter().all(|b| is_space(*b)) {
                return None;
            }
            let inside = from + self.open.len();
            let Some(end) = close.find(chunk.get(inside..)?).map(|n| inside + n) else { break };
            // An empty record, a name that only starts alike, or a record in a record: look closely.
            let tag = chunk.get(inside..end)?;
            let ends =
                |rest: &[u8]| matches!(rest.first(), Some(b'>' | b' ' | b'\t' | b'\n' | b'\r'));
            let first = memchr::memchr(b'>', tag)?;
            if !ends(tag) || tag.get(..first)?.ends_with(b"/") || open.find(tag).is_some() {
                return None;
            }
            let behind = end + self.close.len();
            let Some(last) = memchr::memchr(b'>', chunk.get(behind..)?) else { break };
            if !chunk.get(behind..behind + last)?.iter().all(|b| is_space(*b)) {
                return None;
            }
            at = behind + last + 1;
            records += 1;
        }
        (records > 0).then_some((at, records))
    }

    /// The same piece by piece. The chunk may end anywhere, and what is not well-formed is left to the decoder.
    fn thorough(&self, chunk: &[u8], last: bool) -> Option<(usize, u64)> {
        let mut window = Window::new(self.encoding, 0, Place::START);
        window.push(chunk, last);
        let rules = Rules {
            path: Some(&self.path),
            dtd: crate::options::Dtd::Refuse,
            limits: &self.limits,
            ended: last,
            last,
        };
        let mut outline = self.outline.clone();
        let (mut at, mut records, mut found) = (0, 0, None);
        while let Ok(Next::Record { end, .. }) = next(&mut outline, &window, &mut at, &rules) {
            at = end;
            records += 1;
            if outline.open == self.outline.open && outline.bindings == self.outline.bindings {
                found = Some((end, records));
            }
        }
        let whole = usize::try_from(window.offset(window.len())).unwrap_or(usize::MAX);
        if last {
            return (records > 0).then_some((whole, records));
        }
        let (end, records) = found?;
        Some((usize::try_from(window.offset(end)).unwrap_or(usize::MAX), records))
    }
}

fn next(outline: &mut Outline, window: &Window, at: &mut usize, rules: &Rules<'_>) -> Parsed<Next> {
    outline.next(window.as_str(), at, rules)
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
