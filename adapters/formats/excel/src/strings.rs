//! The shared strings of a workbook: one text and where each string ends in it.

use std::collections::BTreeSet;

use fenhe_core::{Limits, Result};
use memchr::memmem;

use crate::cells::offset;
use crate::container::{Container, Part};
use crate::error::{damaged, limit};
use crate::slow::{Events, Node, plain};

/// All shared strings.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    text: String,
    ends: Vec<u32>,
    /// Numbers of strings that are no Unicode: they are there, but have no text.
    unreadable: BTreeSet<u32>,
    most: u64,
    /// Bytes that are held beside the strings and count against the same limit.
    beside: u64,
}

impl Strings {
    /// No strings, and room for at most so many bytes.
    pub(crate) fn with_limit(limits: &Limits) -> Self {
        Self::with_limit_beside(limits, 0)
    }

    /// The same, when so many bytes are held already.
    pub(crate) fn with_limit_beside(limits: &Limits, beside: u64) -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
            unreadable: BTreeSet::new(),
            most: limits.memory.min(u64::from(u32::MAX) - 1),
            beside,
        }
    }

    /// A string by its number, from 0.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&str> {
        if !self.unreadable.is_empty() && self.unreadable.contains(&index) {
            return None;
        }
        let index = index as usize;
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// Bytes of memory.
    pub(crate) fn held(&self) -> u64 {
        (self.text.len() + 4 * self.ends.len() + 64 * self.unreadable.len()) as u64
    }

    /// Adds a string; its four bytes of place count too.
    pub(crate) fn push(&mut self, text: &str, part: &str) -> Result<()> {
        let wanted = self.beside + self.held() + text.len() as u64 + 4;
        if wanted > self.most {
            return Err(limit("memory", self.most, wanted, part));
        }
        self.text.push_str(text);
        self.ends.push(offset(self.text.len()));
        Ok(())
    }

    /// Adds a string whose bytes are no characters: rows that use it are refused.
    pub(crate) fn push_unreadable(&mut self, part: &str) -> Result<()> {
        self.unreadable.insert(offset(self.ends.len()));
        self.push("", part)
    }

    /// Reads the part window by window. The counts that it claims are not looked at.
    pub(crate) fn read(container: &Container, part: &str, limits: &Limits) -> Result<Self> {
        let mut strings = Self::with_limit(limits);
        let mut stream = container.part(part)?;
        let (mut bytes, mut base, mut end) = (Vec::new(), 0_u64, false);
        let Some(mut at) = prolog(&mut stream, &mut bytes, limits)? else { return Ok(strings) };
        let prefix = prefix_of(bytes.get(..at).unwrap_or_default());
        let (open, close) = (format!("<{prefix}si"), format!("</{prefix}si>"));
        let close = memmem::Finder::new(close.as_bytes()).into_owned();
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match item(rest, &open, &close, end) {
                Item::Simple { from, to, next } => {
                    let raw = rest.get(from..to).unwrap_or_default();
                    strings.simple(raw, part, base + (at + from) as u64)?;
                    at += next;
                }
                Item::Other { from, next } => {
                    let raw = rest.get(from..next).unwrap_or_default();
                    strings.rich(raw, part, base + (at + from) as u64)?;
                    at += next;
                }
                Item::End => break,
                Item::More => {
                    Limits::check("record", limits.record, rest.len() as u64)
                        .map_err(|e| e.at_offset(base + at as u64).at_field(part))?;
                    bytes.drain(..at);
                    (base, at) = (base + at as u64, 0);
                    end = stream.read(&mut bytes)? == 0;
                }
                Item::Broken(why) => return Err(damaged(part, why, base + at as u64)),
            }
        }
        // The rest is read for its check sum.
        while !end {
            bytes.clear();
            end = stream.read(&mut bytes)? == 0;
        }
        Ok(strings)
    }

    fn simple(&mut self, raw: &[u8], part: &str, at: u64) -> Result<()> {
        let text = std::str::from_utf8(raw)
            .map_err(|e| damaged(part, "not UTF-8", at + e.valid_up_to() as u64))?;
        if raw.iter().any(|b| matches!(b, b'&' | b'_' | b'\r')) {
            let text = plain(text).ok_or_else(|| damaged(part, "an unknown entity", at))?;
            return self.push(&text, part);
        }
        self.push(text, part)
    }

    fn rich(&mut self, raw: &[u8], part: &str, at: u64) -> Result<()> {
        let text = std::str::from_utf8(raw)
            .map_err(|e| damaged(part, "not UTF-8", at + e.valid_up_to() as u64))?;
        let mut events = Events::new(text, part, at);
        let text = match events.next()? {
            Some(Node::Open(_, false)) => events.rich_text(false)?,
            _ => String::new(),
        };
        self.push(&text, part)
    }
}

/// Reads up to behind the root's start tag; `None` for an empty root.
fn prolog(stream: &mut Part, bytes: &mut Vec<u8>, limits: &Limits) -> Result<Option<usize>> {
    let part = stream.name().to_owned();
    loop {
        let ended = stream.read(bytes)? == 0;
        if let Some(at) = memmem::find(bytes, b"sst")
            && let Some(close) = bytes.get(at..).and_then(|b| memchr::memchr(b'>', b))
        {
            let end = at + close + 1;
            let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())
                .map_err(|_| damaged(&part, "not UTF-8", 0))?;
            let mut events = Events::new(head.trim_start_matches('\u{feff}'), &part, 0);
            while let Some(node) = events.next()? {
                if let Node::Open(_, empty) = node {
                    return Ok((!empty).then_some(end));
                }
            }
        }
        if ended || bytes.len() as u64 > limits.record.min(1 << 20) {
            return Err(damaged(&part, "it has no root sst", 0));
        }
    }
}

/// The prefix of the last element in `head` with its colon, or nothing.
pub(crate) fn prefix_of(head: &[u8]) -> String {
    let start = memchr::memrchr(b'<', head).map_or(0, |at| at + 1);
    let tag = head.get(start..).unwrap_or_default();
    let name = tag.split(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/')).next();
    let name = name.unwrap_or_default();
    match memchr::memchr(b':', name) {
        Some(colon) => String::from_utf8_lossy(name.get(..=colon).unwrap_or_default()).into_owned(),
        None => String::new(),
    }
}

enum Item {
    Simple { from: usize, to: usize, next: usize },
    Other { from: usize, next: usize },
    More,
    End,
    Broken(&'static str),
}

fn item(bytes: &[u8], open: &str, close: &memmem::Finder<'_>, end: bool) -> Item {
    let lead = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let rest = bytes.get(lead..).unwrap_or_default();
    if rest.starts_with(b"<si><t>") || rest.starts_with(b"<si><t xml:space=\"preserve\">") {
        let from = if rest.get(6) == Some(&b'>') { 7 } else { 28 };
        let body = rest.get(from..).unwrap_or_default();
        if let Some(length) = body.iter().position(|b| *b == b'<')
            && body.get(length..).is_some_and(|b| b.starts_with(b"</t></si>"))
        {
            return Item::Simple {
                from: lead + from,
                to: lead + from + length,
                next: lead + from + length + 9,
            };
        }
    }
    if rest.starts_with(open.as_bytes()) {
        if let Some(tag) = memchr::memchr(b'>', rest)
            && rest.get(tag.wrapping_sub(1)) == Some(&b'/')
        {
            return Item::Other { from: lead, next: lead + tag + 1 };
        }
        return match close.find(rest) {
            Some(at) => Item::Other { from: lead, next: lead + at + close.needle().len() },
            None if end => Item::Broken("it ends inside a string"),
            None => Item::More,
        };
    }
    if rest.starts_with(b"</") {
        return Item::End;
    }
    if rest.starts_with(b"<!--") {
        return match memmem::find(rest, b"-->") {
            // A comment is passed over together with the string behind it.
            Some(at) => match item(rest.get(at + 3..).unwrap_or_default(), open, close, end) {
                Item::Simple { from, to, next } => {
                    let by = lead + at + 3;
                    Item::Simple { from: from + by, to: to + by, next: next + by }
                }
                Item::Other { from, next } => {
                    Item::Other { from: from + lead + at + 3, next: next + lead + at + 3 }
                }
                other => other,
            },
            None if end => Item::Broken("a comment has no end"),
            None => Item::More,
        };
    }
    if rest.starts_with(b"<extLst")
        || rest.starts_with(
            format!("<{}", open.trim_start_matches('<').replace("si", "extLst")).as_bytes(),
        )
    {
        return Item::End;
    }
    if end {
        Item::Broken("it ends before its root")
    } else if rest.len() < 8 {
        Item::More
    } else {
        Item::Broken("something other than strings")
    }
}
