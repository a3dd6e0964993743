//! Bytes to the places of fields: the general way, one record at a time, for every dialect.
//!
//! The quick way for usual dialects is in [`index`](crate::index); both find the same fields.

use crate::dialect::{Escape, Syntax};
use crate::options::LineEnd;

/// What a field needs before it is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The bytes are the value.
    Plain,
    /// The bytes are the value; they stood in quotes, which the place leaves out.
    Quoted,
    /// [`Syntax::unescape`] makes the value; the place includes the quotes, if there are any.
    Escaped,
}

/// The place of one field in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) form: Form,
}

/// What stands at a record boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A record of so many fields up to `end`, line end included. `stray`: text behind a closing quote there.
    Record { end: usize, fields: usize, stray: Option<usize> },
    /// A blank line or a comment up to `end`.
    Passed { end: usize },
    /// The record may go on behind the data; `open`: inside the quote that stands there.
    More { open: Option<usize> },
    /// The stream ends inside the quote that stands there.
    Open { quote: usize },
}

/// What stands behind a field.
enum Term {
    Delimiter(usize),
    Line(usize),
    End,
    Nothing,
    Unknown,
}

impl Syntax {
    /// Cuts what starts at `from`, which must be before the end of `data`, and adds the places of its first `room`
    /// fields to `cells`. `last`: the stream ends with `data`.
    pub(crate) fn cut(
        &self,
        data: &[u8],
        from: usize,
        last: bool,
        room: usize,
        cells: &mut Vec<Cell>,
    ) -> Cut {
        if let Some(cut) = self.passed(data, from, last) {
            return cut;
        }
        let mut at = from;
        let mut stray = None;
        let mut fields = 0;
        loop {
            let quoted = self.quote.is_some() && data.get(at).copied() == self.quote;
            let field = if quoted {
                self.quoted(data, at, last, &mut stray)
            } else {
                self.plain(data, at, last)
            };
            let (cell, behind) = match field {
                Ok(field) => field,
                Err(cut) => return cut,
            };
            if fields < room {
                cells.push(cell);
            }
            fields += 1;
            match self.term(data, behind, last) {
                Term::Delimiter(length) => at = behind + length,
                Term::Line(length) => return Cut::Record { end: behind + length, fields, stray },
                Term::End => return Cut::Record { end: behind, fields, stray },
                Term::Nothing | Term::Unknown => return Cut::More { open: None },
            }
        }
    }

    /// The end of the physical line that `from` stands in, line end included; `None`: behind the data.
    pub(crate) fn line_end(&self, data: &[u8], from: usize, last: bool) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            let found = match self.line_end {
                LineEnd::Cr => memchr::memchr(b'\r', rest),
                _ => memchr::memchr2(b'\n', b'\r', rest),
            };
            let Some(found) = found else { return last.then_some(data.len()) };
            at += found;
            match self.term(data, at, last) {
                Term::Line(length) => return Some(at + length),
                Term::Unknown => return None,
                _ => at += 1,
            }
        }
    }

    /// The value of an escaped field.
    pub(crate) fn unescape(&self, raw: &[u8], out: &mut Vec<u8>) {
        let mut inside = self.quote.is_some() && raw.first().copied() == self.quote;
        let mut at = usize::from(inside);
        while let Some(&byte) = raw.get(at) {
            if self.is_escape(byte) {
                at += 1;
                let length = self.step(raw, at);
                self.escaped(raw.get(at..at + length).unwrap_or_default(), out);
                at += length;
            } else if inside && Some(byte) == self.quote {
                let doubled = self.escape == Escape::Doubled && raw.get(at + 1) == Some(&byte);
                if doubled {
                    out.push(byte);
                }
                inside = doubled;
                at += 1 + usize::from(doubled);
            } else {
                let length = self.step(raw, at);
                out.extend_from_slice(raw.get(at..at + length).unwrap_or_default());
                at += length;
            }
        }
    }

    /// A blank line, a comment, or the Ctrl-Z with which DOS programs end a file.
    fn passed(&self, data: &[u8], from: usize, last: bool) -> Option<Cut> {
        let rest = data.get(from..).unwrap_or_default();
        if rest == b"\x1A" {
            return Some(if last {
                Cut::Passed { end: data.len() }
            } else {
                Cut::More { open: None }
            });
        }
        if !self.comment.is_empty() {
            if rest.starts_with(&self.comment) {
                let end = self.line_end(data, from, last);
                return Some(end.map_or(Cut::More { open: None }, |end| Cut::Passed { end }));
            }
            if !last && self.comment.starts_with(rest) {
                return Some(Cut::More { open: None });
            }
        }
        if self.blank_is_record {
            return None;
        }
        match self.term(data, from, last) {
            Term::Line(length) => Some(Cut::Passed { end: from + length }),
            _ => None,
        }
    }

    fn plain(&self, data: &[u8], start: usize, last: bool) -> Result<(Cell, usize), Cut> {
        let mut form = Form::Plain;
        let end = self.field_end(data, start, last, &mut form)?;
        Ok((Cell { start, end, form }, end))
    }

    /// From a place outside quotes to the end of the field.
    fn field_end(
        &self,
        data: &[u8],
        from: usize,
        last: bool,
        form: &mut Form,
    ) -> Result<usize, Cut> {
        let more = Cut::More { open: None };
        let mut at = from;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            let Some(found) = rest.iter().position(|byte| self.is_special(*byte)) else {
                return if last { Ok(data.len()) } else { Err(more) };
            };
            at += found;
            let byte = data.get(at).copied().unwrap_or_default();
            match self.term(data, at, last) {
                Term::Nothing => {}
                Term::Unknown => return Err(more),
                _ => return Ok(at),
            }
            if self.is_escape(byte) {
                *form = Form::Escaped;
                at += 1;
                if at >= data.len() && !last {
                    return Err(more);
                }
                // A line end is one unit: `\` CR LF escapes both bytes.
                at += match self.term(data, at, last) {
                    Term::Line(length) => length,
                    Term::Unknown => return Err(more),
                    _ => self.step(data, at),
                };
            } else {
                at += self.step(data, at);
            }
            if !last && self.undecided(data, at) {
                return Err(more);
            }
        }
    }

    fn quoted(
        &self,
        data: &[u8],
        open: usize,
        last: bool,
        stray: &mut Option<usize>,
    ) -> Result<(Cell, usize), Cut> {
        let unfinished =
            if last { Cut::Open { quote: open } } else { Cut::More { open: Some(open) } };
        let mut form = Form::Quoted;
        let mut at = open + 1;
        let close = loop {
            let rest = data.get(at..).unwrap_or_default();
            let found =
                rest.iter().position(|byte| self.is_special_inside(*byte)).ok_or(unfinished)?;
            at += found;
            let byte = data.get(at).copied().unwrap_or_default();
            if self.is_escape(byte) {
                form = Form::Escaped;
                at += 1 + self.step(data, at + 1);
            } else if Some(byte) != self.quote {
                at += self.step(data, at);
            } else if self.escape == Escape::Doubled && data.get(at + 1) == Some(&byte) {
                form = Form::Escaped;
                at += 2;
            } else {
                break at;
            }
            if !last && self.undecided(data, at) {
                return Err(unfinished);
            }
        };
        let behind = close + 1;
        if !last && behind >= data.len() {
            return Err(unfinished);
        }
        match self.term(data, behind, last) {
            Term::Unknown => return Err(Cut::More { open: None }),
            Term::Nothing => {}
            _ if form == Form::Quoted => {
                return Ok((Cell { start: open + 1, end: close, form }, behind));
            }
            _ => return Ok((Cell { start: open, end: behind, form }, behind)),
        }
        form = Form::Escaped;
        let end = self.field_end(data, behind, last, &mut form)?;
        let tail = data.get(behind..end).unwrap_or_default();
        if stray.is_none() && !tail.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            *stray = Some(behind);
        }
        Ok((Cell { start: open, end, form }, end))
    }

    /// Whether a character at the end of the data may go on behind it.
    fn undecided(&self, data: &[u8], at: usize) -> bool {
        at >= data.len() || (self.stepping.is_some() && data.len() - at < 4)
    }

    fn term(&self, data: &[u8], at: usize, last: bool) -> Term {
        let Some(&byte) = data.get(at) else {
            return if last { Term::End } else { Term::Unknown };
        };
        if self.delimiter.first() == Some(&byte) {
            let rest = data.get(at..).unwrap_or_default();
            if rest.starts_with(&self.delimiter) {
                return Term::Delimiter(self.delimiter.len());
            }
            if !last && self.delimiter.starts_with(rest) {
                return Term::Unknown;
            }
        }
        match (byte, self.line_end) {
            (b'\n', LineEnd::Lf | LineEnd::Crlf | LineEnd::Any) => Term::Line(1),
            (b'\r', LineEnd::Cr) => Term::Line(1),
            (b'\r', ends) => match data.get(at + 1) {
                Some(b'\n') => Term::Line(2),
                None if !last => Term::Unknown,
                _ if ends == LineEnd::Any => Term::Line(1),
                _ => Term::Nothing,
            },
            _ => Term::Nothing,
        }
    }

    /// Bytes of the character at `at`, at least 1.
    fn step(&self, data: &[u8], at: usize) -> usize {
        match self.stepping {
            Some(encoding) => encoding.lead_len(data.get(at..).unwrap_or_default()).max(1),
            None => 1,
        }
    }

    fn escaped(&self, character: &[u8], out: &mut Vec<u8>) {
        if self.escape == Escape::C {
            match character {
                b"n" => return out.push(b'\n'),
                b"t" => return out.push(b'\t'),
                b"r" => return out.push(b'\r'),
                b"0" => return out.push(0),
                [b'a'..=b'z' | b'A'..=b'Z' | b'1'..=b'9'] => out.push(b'\\'),
                _ => {}
            }
        }
        out.extend_from_slice(character);
    }
}
