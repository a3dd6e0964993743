//! Whatever is not spelled the usual way, by quick-xml: small parts, rich text, rows that the walker passes on.

use fenhe_core::Result;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::cells::{Block, Cell, MAX_ROWS, Value, offset, reference};
use crate::error::damaged;

/// One event of a part: names without their prefix, text with its references resolved.
pub(crate) enum Node<'a> {
    /// An element, and whether it is empty. Its end follows in any case, unless it is empty.
    Open(BytesStart<'a>, bool),
    Close,
    Text(String),
}

/// Reads a part (or a fragment of it) event by event. Document types are refused: there is no resolver.
pub(crate) struct Events<'a> {
    reader: Reader<&'a [u8]>,
    part: &'a str,
    base: u64,
}

impl<'a> Events<'a> {
    pub(crate) fn new(text: &'a str, part: &'a str, base: u64) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        Self { reader, part, base }
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> u64 {
        self.reader.buffer_position()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Node<'a>>> {
        loop {
            let at = self.base + self.at();
            let broken = |why: &str| damaged(self.part, why, at);
            let event = self
                .reader
                .read_event()
                .map_err(|e| damaged(self.part, "it is not well-formed XML", at).caused_by(e))?;
            return Ok(Some(match event {
                Event::Start(start) => Node::Open(start, false),
                Event::Empty(start) => Node::Open(start, true),
                Event::End(_) => Node::Close,
                Event::Text(text) => Node::Text(lines(&text).into_owned()),
                Event::CData(text) => Node::Text(lines(&text).into_owned()),
                Event::GeneralRef(name) => Node::Text(
                    unescape(&format!("&{};", &*name))
                        .map_err(|_| broken("an unknown entity"))?
                        .into_owned(),
                ),
                Event::DocType(_) => return Err(broken("a document type is not allowed")),
                Event::Eof => return Ok(None),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
            }));
        }
    }

    /// The text of the element just opened and of all `<t>` in it that are no phonetic reading, up to its end.
    pub(crate) fn rich_text(&mut self, all: bool) -> Result<String> {
        let (mut out, mut depth, mut phonetic, mut inside) = (String::new(), 1_u32, 0_u32, all);
        while depth > 0 {
            match self.next()? {
                None => return Err(damaged(self.part, "a text has no end", self.base + self.at())),
                Some(Node::Open(_, true)) => {}
                Some(Node::Open(start, false)) => {
                    depth += 1;
                    if start.local_name().as_ref() == "rPh" && phonetic == 0 {
                        phonetic = depth;
                    }
                    inside = all || start.local_name().as_ref() == "t";
                }
                Some(Node::Close) => {
                    if phonetic == depth {
                        phonetic = 0;
                    }
                    depth -= 1;
                    inside = all;
                }
                Some(Node::Text(text)) if inside && phonetic == 0 => out.push_str(&text),
                Some(Node::Text(_)) => {}
            }
        }
        Ok(unquoted(out))
    }
}

/// The value of an attribute by its local name.
pub(crate) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|a| a.key.local_name().as_ref() == name)
        .and_then(|a| unescape(&a.value).ok().map(|v| v.into_owned()))
}

/// Line ends as XML 1.0, 2.11 has them.
fn lines(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// References and `_x000D_` resolved (ISO/IEC 29500-1, 22.9.2.19); `None` for an unknown reference.
pub(crate) fn plain(raw: &str) -> Option<String> {
    let text = unescape(&lines(raw)).ok()?.into_owned();
    Some(unquoted(text))
}

/// `_xHHHH_` stands for the character with that number.
fn unquoted(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find("_x") {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let code = tail.get(2..6).filter(|_| tail.as_bytes().get(6) == Some(&b'_'));
        let code = code.filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|c| u32::from_str_radix(c, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = tail.get(7..).unwrap_or_default();
            }
            None => {
                out.push_str("_x");
                rest = tail.get(2..).unwrap_or_default();
            }
        }
    }
    out + rest
}

/// What a row turned out to be.
pub(crate) enum Slow {
    /// The row, and how many bytes it has.
    Row(u64),
    /// Its end lies further on.
    Open,
}

/// Reads one row at the start of `text` into the block.
pub(crate) fn row(
    text: &str,
    part: &str,
    base: u64,
    previous: u32,
    block: &mut Block,
) -> Result<Slow> {
    let mut events = Events::new(text, part, base);
    let (first, kept) = (block.cells.len(), block.text.len());
    let give_up = |block: &mut Block| {
        block.cells.truncate(first);
        block.text.truncate(kept);
        Ok(Slow::Open)
    };
    let Some(Node::Open(start, empty)) = events.next()? else { return give_up(block) };
    let number = match attribute(&start, "r") {
        Some(r) => r.parse::<u32>().ok(),
        None => previous.checked_add(1),
    };
    let number = number
        .filter(|n| *n > previous && *n <= MAX_ROWS)
        .ok_or_else(|| damaged(part, "rows are out of order or outside the grid", base))?;
    let hidden = matches!(attribute(&start, "hidden").as_deref(), Some("1" | "true"));
    let mut next = 0_u16;
    let mut closed = empty;
    while !closed {
        match events.next()? {
            None => return give_up(block),
            Some(Node::Close) => closed = true,
            Some(Node::Text(_)) => {}
            Some(Node::Open(start, empty)) if start.local_name().as_ref() == "c" => {
                let column = match attribute(&start, "r") {
                    Some(r) => reference(&r).and_then(|(column, _)| column),
                    None => Some(next).filter(|c| *c < 16_384),
                };
                let column = column.filter(|c| block.cells.len() == first || *c >= next);
                let column = column.ok_or_else(|| {
                    damaged(part, "cells are out of order or outside the grid", base + events.at())
                })?;
                next = column + 1;
                if !empty && !cell(&mut events, &start, column, block)? {
                    return give_up(block);
                }
            }
            Some(Node::Open(start, empty)) => {
                let _ = start;
                if !empty {
                    events.rich_text(false)?;
                }
            }
        }
    }
    block.rows.push(crate::cells::Row {
        number,
        hidden,
        first: offset(first),
        cells: offset(block.cells.len() - first),
        offset: base,
        length: events.at(),
    });
    Ok(Slow::Row(events.at()))
}

/// One cell; `false` when the text ends in it.
fn cell(
    events: &mut Events<'_>,
    start: &BytesStart<'_>,
    column: u16,
    block: &mut Block,
) -> Result<bool> {
    let style = attribute(start, "s").and_then(|s| s.parse().ok()).unwrap_or(0);
    let kind = attribute(start, "t").unwrap_or_default();
    let (mut value, mut inline, mut formula) = (None, None, false);
    loop {
        match events.next()? {
            None => return Ok(false),
            Some(Node::Close) => break,
            Some(Node::Text(_)) => {}
            Some(Node::Open(start, empty)) => {
                let name = start.local_name().as_ref().to_owned();
                let text = match (empty, name.as_str()) {
                    (true, _) => String::new(),
                    (false, "is") => events.rich_text(false)?,
                    (false, _) => events.rich_text(true)?,
                };
                match name.as_str() {
                    "v" => value = Some(text),
                    "is" => inline = Some(text),
                    "f" => formula = true,
                    _ => {}
                }
            }
        }
    }
    match value.or(inline) {
        Some(text) => push(block, column, style, &kind, &text),
        None if formula => {
            block.cells.push(Cell { a: 0, b: 0, column, style, value: Value::Uncached });
        }
        None => {}
    }
    Ok(true)
}

/// Adds a cell by its type and text (18.18.11).
pub(crate) fn push(block: &mut Block, column: u16, style: u16, kind: &str, text: &str) {
    let mut simple = |a, value| block.cells.push(Cell { a, b: 0, column, style, value });
    match kind {
        // An index that is none points to no string: the row is refused when it is looked up.
        "s" => simple(text.trim().parse().unwrap_or(u32::MAX), Value::Shared),
        "b" => simple(u32::from(matches!(text.trim(), "1" | "true")), Value::Boolean),
        "e" => block.push_text(column, style, Value::Error, text),
        "d" => block.push_text(column, style, Value::Iso, text.trim()),
        "str" | "inlineStr" => block.push_text(column, style, Value::Inline, text),
        _ => match text.trim().parse::<f64>().ok().filter(|n| n.is_finite()) {
            Some(number) => block.cells.push(Cell::float(column, style, number)),
            None if text.trim().is_empty() => {}
            None => block.push_text(column, style, Value::Error, "not a number"),
        },
    }
}
