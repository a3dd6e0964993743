//! Around the records: the grammar of a document, byte by byte, and the way to the records.

use fenhe_core::{Error, Limits};
use serde::{Deserialize, Serialize};

use crate::error::{document, truncated};
use crate::escape;
use crate::token::{Cursor, MAX_DEPTH};

/// The document around the records.
#[derive(Debug)]
pub(super) struct Outer {
    path: Vec<Vec<u8>>,
    levels: Vec<Level>,
    expect: Expect,
    /// How many keys of the path lead to the value that comes next; `None` beside the path.
    next: Option<usize>,
    found: bool,
    /// A key, or a number or word outside records.
    token: Vec<u8>,
    escape: bool,
    depth: usize,
    token_most: usize,
    /// The levels around the last record, and whether they are still the same.
    noted: Vec<Level>,
    changed: bool,
}

/// What surrounds a record, for those who go on behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    levels: Vec<Level>,
}

/// One open object or array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    object: bool,
    matched: Option<usize>,
    records: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    InKey,
    Colon,
    After,
    InText,
    InBare,
}

/// What a byte was.
pub(super) enum Event {
    Passed,
    /// The first byte of a record.
    Record,
}

/// A breach of the grammar.
#[derive(Debug)]
pub(super) enum Wrong {
    Expected(&'static str),
    Ends(&'static str),
    Limit(&'static str, u64),
}

impl Wrong {
    pub(super) fn error(&self, offset: u64, line: u64) -> Error {
        match self {
            Self::Expected(what) => document(offset, line, what, "something else"),
            Self::Ends(inside) => truncated(offset, line, inside),
            Self::Limit(name, most) => {
                Error::limit(name, *most, most.saturating_add(1)).at_offset(offset)
            }
        }
    }
}

impl Outer {
    pub(super) fn new(path: Vec<Vec<u8>>, limits: &Limits, state: Option<State>) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let resumed = state.is_some();
        let levels = state.unwrap_or_default().levels;
        Self {
            path,
            noted: levels.clone(),
            levels,
            expect: if resumed { Expect::After } else { Expect::Value },
            next: Some(0),
            found: resumed,
            token: Vec::new(),
            escape: false,
            depth: size(limits.depth).min(MAX_DEPTH),
            token_most: size(limits.field),
            changed: false,
        }
    }

    pub(super) fn restart(&mut self) {
        self.levels.clear();
        self.changed = true;
        (self.expect, self.next, self.found) = (Expect::Value, Some(0), false);
    }

    /// Whether records were found where the path leads, or there was nothing at all.
    pub(super) fn found(&self) -> bool {
        self.found || self.expect == Expect::Value
    }

    /// Whether nothing is open.
    pub(super) fn at_end(&self) -> bool {
        self.levels.is_empty()
    }

    /// A record ends here.
    pub(super) fn note(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.noted.clone_from(&self.levels);
        }
    }

    /// What surrounded the last record.
    pub(super) fn snapshot(&self) -> State {
        State { levels: self.noted.clone() }
    }

    /// The end of the stream.
    pub(super) fn end(&mut self) -> Result<(), Wrong> {
        if self.expect == Expect::InBare {
            self.bare_ends()?;
        }
        match (self.levels.last(), self.expect) {
            (None, Expect::After | Expect::Value) => Ok(()),
            (None, _) => Err(Wrong::Ends("a string")),
            (Some(level), _) if level.object => Err(Wrong::Ends("an object")),
            (Some(_), _) => Err(Wrong::Ends("an array")),
        }
    }

    /// Takes a byte; a record's first byte is not taken.
    pub(super) fn byte(&mut self, byte: u8) -> Result<Event, Wrong> {
        match self.expect {
            Expect::InKey | Expect::InText => self.text_byte(byte)?,
            Expect::InBare if bare(byte) => self.push(byte)?,
            Expect::InBare => {
                self.bare_ends()?;
                return self.byte(byte);
            }
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
            Expect::ValueOrEnd if byte == b']' => self.close(),
            Expect::Value | Expect::ValueOrEnd => return self.value(byte),
            Expect::KeyOrEnd if byte == b'}' => self.close(),
            Expect::Key | Expect::KeyOrEnd if byte == b'"' => {
                self.token.clear();
                self.token.push(b'"');
                self.expect = Expect::InKey;
            }
            Expect::Key | Expect::KeyOrEnd => return Err(Wrong::Expected("a key in quotes")),
            Expect::Colon if byte == b':' => self.expect = Expect::Value,
            Expect::Colon => return Err(Wrong::Expected("`:`")),
            Expect::After => self.after(byte)?,
        }
        Ok(Event::Passed)
    }

    /// The first byte of a value.
    fn value(&mut self, byte: u8) -> Result<Event, Wrong> {
        let target = self.next == Some(self.path.len());
        let record = self.levels.last().is_some_and(|l| l.records) || (target && byte != b'[');
        match byte {
            b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' if record => {
                self.found = true;
                self.expect = Expect::After;
                return Ok(Event::Record);
            }
            b'{' => {
                self.open(Level { object: true, matched: self.next, records: false })?;
                self.expect = Expect::KeyOrEnd;
            }
            b'[' => {
                self.found |= target;
                self.open(Level { object: false, matched: None, records: target })?;
                self.next = None;
                self.expect = Expect::ValueOrEnd;
            }
            b'"' => self.expect = Expect::InText,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                self.token.clear();
                self.push(byte)?;
                self.expect = Expect::InBare;
            }
            _ => return Err(Wrong::Expected("a JSON value")),
        }
        Ok(Event::Passed)
    }

    /// Behind a value.
    fn after(&mut self, byte: u8) -> Result<(), Wrong> {
        match (self.levels.last().map(|l| l.object), byte) {
            (Some(true), b',') => self.expect = Expect::Key,
            (Some(false), b',') => self.expect = Expect::Value,
            (Some(true), b'}') | (Some(false), b']') => self.close(),
            (Some(true), _) => return Err(Wrong::Expected("`,` or `}`")),
            (Some(false), _) => return Err(Wrong::Expected("`,` or `]`")),
            (None, _) => return Err(Wrong::Expected("the end of the document")),
        }
        Ok(())
    }

    /// A byte of a key or of a string outside records.
    fn text_byte(&mut self, byte: u8) -> Result<(), Wrong> {
        let key = self.expect == Expect::InKey;
        if byte < 0x20 {
            return Err(Wrong::Expected("an escape sequence"));
        }
        if key {
            self.push(byte)?;
        }
        if std::mem::take(&mut self.escape) {
            return Ok(());
        }
        match byte {
            b'\\' => self.escape = true,
            b'"' if key => {
                self.key_ends()?;
                self.expect = Expect::Colon;
            }
            b'"' => self.expect = Expect::After,
            _ => {}
        }
        Ok(())
    }

    /// How far the path leads by this key.
    fn key_ends(&mut self) -> Result<(), Wrong> {
        let mut cursor = Cursor::new(&self.token, 0, self.token.len());
        let mut key = Vec::new();
        cursor
            .string()
            .and_then(|text| escape::unescape(&cursor, text, &mut key))
            .map_err(|_| Wrong::Expected("a key without broken escapes"))?;
        let matched = self.levels.last().and_then(|l| l.matched);
        self.next = matched.filter(|n| self.path.get(*n) == Some(&key)).map(|n| n + 1);
        Ok(())
    }

    /// A number or word outside records ends.
    fn bare_ends(&mut self) -> Result<(), Wrong> {
        let mut cursor = Cursor::new(&self.token, 0, self.token.len());
        let good = cursor.skip_value(0).is_ok() && cursor.at() == self.token.len();
        self.expect = Expect::After;
        if good { Ok(()) } else { Err(Wrong::Expected("a JSON value")) }
    }

    fn push(&mut self, byte: u8) -> Result<(), Wrong> {
        if self.token.len() >= self.token_most {
            return Err(Wrong::Limit("field", self.token_most as u64));
        }
        self.token.push(byte);
        Ok(())
    }

    fn open(&mut self, level: Level) -> Result<(), Wrong> {
        if self.levels.len() >= self.depth {
            return Err(Wrong::Limit("depth", self.depth as u64));
        }
        self.levels.push(level);
        self.changed = true;
        Ok(())
    }

    fn close(&mut self) {
        self.levels.pop();
        self.changed = true;
        self.next = None;
        self.expect = Expect::After;
    }
}

/// Whether a byte goes on with a number or word.
fn bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}
