//! From places in the text to places in the source.

use bytes::{Buf, BytesMut};

use super::units;

/// The text that no batch has covered yet, and where it starts.
#[derive(Debug, Default)]
pub(super) struct Map {
    text: u64,
    source: u64,
    kept: BytesMut,
}

/// Goes through the text once for places in order.
pub(super) struct Walk<'a> {
    map: &'a Map,
    at: usize,
    source: u64,
}

impl Map {
    pub(super) fn from(text: u64, source: u64) -> Self {
        Self { text, source, kept: BytesMut::new() }
    }

    pub(super) fn add(&mut self, text: &[u8]) {
        self.kept.extend_from_slice(text);
    }

    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { map: self, at: 0, source: self.source }
    }

    /// The place in the source behind the character that `text` lies in.
    pub(super) fn behind(&self, text: u64) -> u64 {
        let at = self.inside(text);
        let rest = self.kept.get(at..).unwrap_or_default();
        let more = rest.iter().take_while(|byte| matches!(byte, 0x80..0xC0)).count();
        self.walk().of(text + more as u64)
    }

    /// Nobody asks for places before this one any more.
    pub(super) fn forget(&mut self, text: u64) {
        let (at, source) = (self.inside(text), self.walk().of(text));
        self.kept.advance(at);
        (self.text, self.source) = (self.text + at as u64, source);
    }

    fn inside(&self, text: u64) -> usize {
        let at = text.saturating_sub(self.text);
        usize::try_from(at).unwrap_or(usize::MAX).min(self.kept.len())
    }
}

impl Walk<'_> {
    pub(super) fn of(&mut self, text: u64) -> u64 {
        let to = self.map.inside(text);
        if to < self.at {
            (self.at, self.source) = (0, self.map.source);
        }
        let between = self.map.kept.get(self.at..to).unwrap_or_default();
        self.source += 2 * units::count(between);
        self.at = to;
        self.source
    }
}
