//! The rows of an xlsx sheet, walked by hand over inflated windows; whatever is not spelled the usual way goes to
//! [`slow`](crate::slow).

use fenhe_core::{Limits, Result};
use memchr::{memchr, memmem};

use crate::cells::{Area, Block, Cell, MAX_COLUMNS, MAX_ROWS, MERGED, Row, Rows, Value, offset};
use crate::container::Part;
use crate::error::{damaged, limit};
use crate::slow::{self, Events, Node, Slow, attribute};
use crate::strings::prefix_of;
use crate::workbook::Around;

/// A block is handed out from this many bytes on: it stays in the second-level cache with its cells.
const BLOCK: usize = 192 << 10;

/// A sheet being read.
pub(crate) struct Sheet {
    stream: Part,
    part: String,
    limits: Limits,
    /// Bytes read and not yet walked.
    carry: Vec<u8>,
    /// Offset of the carried bytes in the part.
    base: u64,
    row_open: Vec<u8>,
    row_close: memmem::Finder<'static>,
    data_close: Vec<u8>,
    usual: bool,
    previous: u32,
    ended: bool,
    drained: bool,
    hidden_columns: Vec<(u16, u16)>,
}

enum Walk {
    /// The row ends here.
    Done(usize),
    /// The bytes end in it.
    More,
    /// It is not spelled the usual way.
    Odd,
}

impl Sheet {
    /// Reads what stands before the rows.
    pub(crate) fn open(mut stream: Part, limits: &Limits) -> Result<Self> {
        let part = stream.name().to_owned();
        let mut bytes = Vec::new();
        loop {
            let ended = stream.read(&mut bytes)? == 0;
            if let Some((start, end, empty)) = sheet_data(&bytes) {
                let head = text(bytes.get(..start).unwrap_or_default(), &part, 0)?;
                let hidden_columns = hidden_columns(head, &part)?;
                let prefix = prefix_of(bytes.get(..end).unwrap_or_default());
                bytes.drain(..end);
                return Ok(Self {
                    row_open: format!("<{prefix}row").into_bytes(),
                    row_close: memmem::Finder::new(&format!("</{prefix}row>")).into_owned(),
                    data_close: format!("</{prefix}sheetData").into_bytes(),
                    usual: prefix.is_empty(),
                    stream,
                    part,
                    limits: limits.clone(),
                    carry: bytes,
                    base: end as u64,
                    previous: 0,
                    ended: empty,
                    drained: false,
                    hidden_columns,
                });
            }
            if bytes.len() as u64 > limits.memo {
                return Err(limit("memo", limits.memo, bytes.len() as u64, &part));
            }
            if ended {
                hidden_columns(text(&bytes, &part, 0)?, &part)?;
                return Err(damaged(&part, "it holds no sheetData", bytes.len() as u64));
            }
        }
    }

    /// Reads the whole part for what stands around the rows.
    pub(crate) fn around(stream: Part, limits: &Limits) -> Result<Around> {
        let mut sheet = Self::open(stream, limits)?;
        let mut found = Around {
            merged: Vec::new(),
            hidden_columns: std::mem::take(&mut sheet.hidden_columns),
        };
        let mut block = Block::default();
        loop {
            block.clear();
            if !sheet.fill_rows(&mut block)? {
                break;
            }
        }
        // What follows the rows is small but for the merged areas themselves.
        let mut tail = std::mem::take(&mut sheet.carry);
        while sheet.stream.read(&mut tail)? > 0 {
            if tail.len() as u64 > limits.memo {
                return Err(limit("memo", limits.memo, tail.len() as u64, &sheet.part));
            }
        }
        let mut events =
            Events::new(text(&tail, &sheet.part, sheet.base)?, &sheet.part, sheet.base);
        while let Some(node) = events.next()? {
            let Node::Open(start, _) = node else { continue };
            if start.local_name().as_ref() == "mergeCell" {
                let area = attribute(&start, "ref").and_then(|r| Area::parse(&r));
                found.merged.push(area.ok_or_else(|| {
                    damaged(&sheet.part, "a merged area is no range", sheet.base + events.at())
                })?);
                if found.merged.len() as u64 > MERGED {
                    return Err(limit("merged areas", MERGED, MERGED + 1, &sheet.part));
                }
            }
        }
        Ok(found)
    }

    /// Rows until the block is full; `false` at the end of the rows, with the rest carried.
    fn fill_rows(&mut self, block: &mut Block) -> Result<bool> {
        block.xml.append(&mut self.carry);
        let mut at = 0;
        while !self.ended {
            at = self.walk(block, at)?;
            if self.ended || (!block.rows.is_empty() && at >= BLOCK.min(block.xml.len() / 2)) {
                break;
            }
            let held = block.xml.len() - at;
            if held as u64 > self.limits.record {
                return Err(limit("record", self.limits.record, held as u64, &self.part));
            }
            if self.stream.read(&mut block.xml)? == 0 {
                let end = self.base + block.xml.len() as u64;
                return Err(damaged(&self.part, "it ends inside the rows", end));
            }
        }
        self.carry.extend_from_slice(block.xml.get(at..).unwrap_or_default());
        self.base += at as u64;
        Ok(!block.rows.is_empty())
    }

    /// Walks all rows that are complete; how far it came.
    fn walk(&mut self, block: &mut Block, mut at: usize) -> Result<usize> {
        let xml = std::mem::take(&mut block.xml);
        let result = loop {
            while xml.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            match self.step(&xml, at, block) {
                Ok(Some(next)) => at = next,
                Ok(None) => break Ok(at),
                Err(error) => break Err(error),
            }
            if self.ended || block.cells.len() > 1 << 16 {
                break Ok(at);
            }
        };
        block.xml = xml;
        result
    }

    /// One row (or comment, or the end); `None` when more bytes are needed.
    fn step(&mut self, xml: &[u8], at: usize, block: &mut Block) -> Result<Option<usize>> {
        let rest = xml.get(at..).unwrap_or_default();
        if rest.starts_with(&self.row_open) {
            let (cells, text) = (block.cells.len(), block.text.len());
            let walked = if self.usual { self.row(xml, at, block) } else { Walk::Odd };
            if let Walk::Done(end) = walked {
                return Ok(Some(end));
            }
            block.cells.truncate(cells);
            block.text.truncate(text);
            return match walked {
                Walk::Odd => self.slow(rest, at, block),
                _ => Ok(None),
            };
        }
        if rest.starts_with(&self.data_close) {
            self.ended = true;
            return Ok(memchr(b'>', rest).map(|end| at + end + 1));
        }
        if rest.starts_with(b"<!--") {
            return Ok(memmem::find(rest, b"-->").map(|end| at + end + 3));
        }
        if rest.len() > self.data_close.len() {
            let place = self.base + at as u64;
            return Err(damaged(&self.part, "something other than rows in sheetData", place));
        }
        Ok(None)
    }

    fn slow(&mut self, rest: &[u8], at: usize, block: &mut Block) -> Result<Option<usize>> {
        let base = self.base + at as u64;
        let mut from = match memchr(b'>', rest) {
            None => return Ok(None),
            Some(tag) if rest.get(tag.wrapping_sub(1)) == Some(&b'/') => tag + 1,
            Some(tag) => match self.row_close.find(rest.get(tag..).unwrap_or_default()) {
                None => return Ok(None),
                Some(end) => tag + end + self.row_close.needle().len(),
            },
        };
        // A row end inside of CDATA is none: then the next one is tried.
        for _ in 0..64 {
            let slice = text(rest.get(..from).unwrap_or_default(), &self.part, base)?;
            match slow::row(slice, &self.part, base, self.previous, block)? {
                Slow::Row(length) => {
                    self.previous = block.rows.last().map_or(self.previous, |row| row.number);
                    return Ok(Some(at + usize::try_from(length).unwrap_or(from)));
                }
                Slow::Open => match self.row_close.find(rest.get(from..).unwrap_or_default()) {
                    Some(end) => from += end + self.row_close.needle().len(),
                    None => return Ok(None),
                },
            }
        }
        Err(damaged(&self.part, "a row has no end", base))
    }

    /// `<row r="7" ..><c r="A7" s="1" t="s"><v>0</v></c>..</row>`
    fn row(&mut self, xml: &[u8], at: usize, block: &mut Block) -> Walk {
        let Some(tag) = xml.get(at..).and_then(|rest| memchr(b'>', rest)) else {
            return Walk::More;
        };
        let head = xml.get(at + 4..at + tag).unwrap_or_default();
        let Some((digits, hidden)) = row_head(head) else { return Walk::Odd };
        let number = match number(digits) {
            Some(number) if number > self.previous && number <= MAX_ROWS => number,
            _ => return Walk::Odd,
        };
        let first = block.cells.len();
        let end = if head.last() == Some(&b'/') {
            at + tag + 1
        } else {
            match cells(xml, at + tag + 1, digits, block) {
                Walk::Done(end) => end,
                other => return other,
            }
        };
        self.previous = number;
        block.rows.push(Row {
            number,
            hidden,
            first: offset(first),
            cells: offset(block.cells.len() - first),
            offset: self.base + at as u64,
            length: (end - at) as u64,
        });
        Walk::Done(end)
    }
}

impl Rows for Sheet {
    fn fill(&mut self, block: &mut Block) -> Result<bool> {
        block.clear();
        if self.fill_rows(block)? {
            return Ok(true);
        }
        if self.ended && !self.drained {
            // The rest of the part, for its check sum.
            self.drained = true;
            self.carry.clear();
            let mut rest = Vec::new();
            while self.stream.read(&mut rest)? > 0 {
                rest.clear();
            }
        }
        Ok(false)
    }
}

/// Start and end of the `sheetData` tag, and whether it is empty.
fn sheet_data(bytes: &[u8]) -> Option<(usize, usize, bool)> {
    let mut from = 0;
    while let Some(at) = memmem::find(bytes.get(from..)?, b"sheetData") {
        let at = from + at;
        let head = bytes.get(..at)?;
        let start = memchr::memrchr(b'<', head)?;
        let name = head.get(start + 1..)?;
        let end = memchr(b'>', bytes.get(at..)?)?;
        let prefix = name.is_empty() || (name.ends_with(b":") && name.len() < 64);
        if prefix && !name.contains(&b' ') {
            let empty = bytes.get((at + end).wrapping_sub(1)) == Some(&b'/');
            return Some((start, at + end + 1, empty));
        }
        from = at + 1;
    }
    None
}

/// Hidden columns, from what stands before the rows; a document type is refused here.
fn hidden_columns(head: &str, part: &str) -> Result<Vec<(u16, u16)>> {
    let mut events = Events::new(head.trim_start_matches('\u{feff}'), part, 0);
    let mut hidden = Vec::new();
    while let Some(node) = events.next()? {
        let Node::Open(start, _) = node else { continue };
        if start.local_name().as_ref() == "col"
            && matches!(attribute(&start, "hidden").as_deref(), Some("1" | "true"))
        {
            let column = |name| {
                let number = attribute(&start, name)?.parse::<u16>().ok()?;
                number.checked_sub(1)
            };
            hidden.extend(column("min").zip(column("max")));
        }
    }
    Ok(hidden)
}

fn text<'a>(bytes: &'a [u8], part: &str, base: u64) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|e| damaged(part, "not UTF-8", base + e.valid_up_to() as u64))
}

/// The digits of the row's number, and whether it is hidden; `None`: not the usual spelling.
fn row_head(mut head: &[u8]) -> Option<(&[u8], bool)> {
    let (mut digits, mut hidden) = (None, false);
    loop {
        head = head.trim_ascii_start();
        let equals = match head {
            [] | [b'/'] => return Some((digits?, hidden)),
            _ => memchr(b'=', head)?,
        };
        let (name, rest) = head.split_at(equals);
        let rest = rest.strip_prefix(b"=\"")?;
        let (value, after) = rest.split_at(memchr(b'"', rest)?);
        head = after.get(1..)?;
        match name {
            b"r" => digits = Some(value),
            b"hidden" => hidden = value == b"1" || value == b"true",
            _ => {}
        }
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0_u32, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')))
}

/// The cells of a row whose number is spelled `digits`, from behind its start tag to behind its end.
fn cells(xml: &[u8], mut at: usize, digits: &[u8], block: &mut Block) -> Walk {
    let mut last = None;
    loop {
        let Some(rest) = xml.get(at..) else { return Walk::More };
        if !rest.starts_with(b"<c r=\"") {
            return if rest.starts_with(b"</row>") {
                Walk::Done(at + 6)
            } else if rest.len() < 6 {
                Walk::More
            } else {
                Walk::Odd
            };
        }
        let mut p = 6;
        let mut column = 0_u32;
        while let Some(letter @ b'A'..=b'Z') = rest.get(p) {
            column = column * 26 + u32::from(letter - b'A') + 1;
            p += 1;
            if column > MAX_COLUMNS {
                return Walk::Odd;
            }
        }
        let Some(tail) = rest.get(p..) else { return Walk::More };
        let Some(column) = column.checked_sub(1).and_then(|c| u16::try_from(c).ok()) else {
            return if tail.is_empty() { Walk::More } else { Walk::Odd };
        };
        if !tail.starts_with(digits) {
            return if tail.len() < digits.len() { Walk::More } else { Walk::Odd };
        }
        p += digits.len();
        match rest.get(p) {
            Some(b'"') => p += 1,
            None => return Walk::More,
            Some(_) => return Walk::Odd,
        }
        if last.is_some_and(|last| column <= last) {
            return Walk::Odd;
        }
        last = Some(column);
        match cell(rest, p, at, column, block) {
            Walk::Done(length) => at += length,
            other => return other,
        }
    }
}

/// One cell from behind its reference; what is given back is its length in `rest`.
#[inline]
fn cell(rest: &[u8], mut p: usize, at: usize, column: u16, block: &mut Block) -> Walk {
    let (mut style, mut kind) = (0_u32, b'n');
    loop {
        match rest.get(p..) {
            Some([b'>', ..]) => {
                p += 1;
                break;
            }
            Some([b' ', b's', b'=', b'"', tail @ ..]) => {
                p += 4;
                for digit in tail {
                    p += 1;
                    match digit {
                        b'0'..=b'9' if style < 65_536 => {
                            style = style * 10 + u32::from(digit - b'0')
                        }
                        b'"' => break,
                        _ => return Walk::Odd,
                    }
                }
            }
            Some([b' ', b't', b'=', b'"', one, b'"', ..]) => {
                kind = *one;
                p += 6;
            }
            Some([b' ', b't', b'=', b'"', b's', b't', b'r', b'"', ..]) => {
                kind = b'S';
                p += 8;
            }
            Some([b'/', b'>', ..]) => return Walk::Done(p + 2),
            Some(tail) if tail.starts_with(b" t=\"inlineStr\"") => {
                kind = b'i';
                p += 14;
            }
            Some(tail) => return if tail.len() < 16 { Walk::More } else { Walk::Odd },
            None => return Walk::More,
        }
    }
    let Ok(style) = u16::try_from(style) else { return Walk::Odd };
    let mut formula = false;
    if rest.get(p..).is_some_and(|r| r.starts_with(b"<f")) {
        formula = true;
        let Some(tag) = rest.get(p..).and_then(|r| memchr(b'>', r)) else { return Walk::More };
        p += tag + 1;
        if rest.get(p.wrapping_sub(2)) != Some(&b'/') {
            let Some(end) = rest.get(p..).and_then(|r| memchr(b'<', r)) else { return Walk::More };
            p += end;
            match rest.get(p..p + 4) {
                Some(b"</f>") => p += 4,
                None => return Walk::More,
                Some(_) => return Walk::Odd,
            }
        }
    }
    let Some(body) = rest.get(p..) else { return Walk::More };
    let (open, close): (&[u8], &[u8]) =
        if kind == b'i' { (b"<is><t>", b"</t></is></c>") } else { (b"<v>", b"</v></c>") };
    if !body.starts_with(open) {
        if body.len() < open.len() {
            return Walk::More;
        }
        if body.starts_with(b"</c>") {
            if formula {
                block.cells.push(Cell { a: 0, b: 0, column, style, value: Value::Uncached });
            }
            return Walk::Done(p + 4);
        }
        return Walk::Odd;
    }
    let from = p + open.len();
    let (mut to, mut special) = (from, false);
    loop {
        match rest.get(to) {
            Some(b'<') => break,
            Some(byte) => special |= matches!(byte, b'&' | b'\r' | b'_'),
            None => return Walk::More,
        }
        to += 1;
    }
    match rest.get(to..to + close.len()) {
        Some(end) if end == close => {}
        None => return Walk::More,
        Some(_) => return Walk::Odd,
    }
    let value = rest.get(from..to).unwrap_or_default();
    match kind {
        b'n' if !value.is_empty() => {
            let (a, b) = (offset(at + from), offset(at + to));
            block.cells.push(Cell { a, b, column, style, value: Value::Number });
        }
        b's' => {
            let Some(a) = number(value) else { return Walk::Odd };
            block.cells.push(Cell { a, b: 0, column, style, value: Value::Shared });
        }
        b'S' | b'i' | b'e' if !special => {
            let Ok(text) = std::str::from_utf8(value) else { return Walk::Odd };
            let value = if kind == b'e' { Value::Error } else { Value::Inline };
            block.push_text(column, style, value, text);
        }
        b'b' if matches!(value, b"0" | b"1") => {
            let a = u32::from(value == b"1");
            block.cells.push(Cell { a, b: 0, column, style, value: Value::Boolean });
        }
        _ => return Walk::Odd,
    }
    Walk::Done(to + close.len())
}
