//! Text to markup.

use fenhe_core::Limits;
use fenhe_text::{Encoding, Unencodable};

use crate::chars::is_char;
use crate::entities::Entities;
use crate::names::{Bindings, Element};
use crate::slow::{self, Context, Sink};

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    Text,
    Attribute,
}

/// Appends a text as Canonical XML 1.0 writes it (clause 2.3); `false` when XML cannot hold it.
pub(crate) fn escape(text: &str, place: Escape, out: &mut String) -> bool {
    let special = |b: &u8| matches!(b, b'&' | b'<' | b'>' | b'"' | 0..=0x1F) || *b == 0xEF;
    if !text.as_bytes().iter().any(special) {
        out.push_str(text);
        return true;
    }
    for c in text.chars() {
        match (c, place) {
            ('&', _) => out.push_str("&amp;"),
            ('<', _) => out.push_str("&lt;"),
            ('>', Escape::Text) => out.push_str("&gt;"),
            ('"', Escape::Attribute) => out.push_str("&quot;"),
            ('\t', Escape::Attribute) => out.push_str("&#x9;"),
            ('\n', Escape::Attribute) => out.push_str("&#xA;"),
            ('\r', _) => out.push_str("&#xD;"),
            (c, _) if is_char(c) => out.push(c),
            _ => return false,
        }
    }
    true
}

/// Markup in an encoding. A character that the encoding has not becomes a reference, which says the same.
///
/// # Errors
/// When a reference cannot be spelled either.
pub(crate) fn encode(text: &str, encoding: Encoding) -> Result<Vec<u8>, Unencodable> {
    if encoding == Encoding::UTF_8 {
        return Ok(text.as_bytes().to_vec());
    }
    if let Ok(bytes) = encoding.encode(text) {
        return Ok(bytes);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if encoding.has(c) {
            out.push(c);
        } else {
            out.push_str(&format!("&#x{:X};", u32::from(c)));
        }
    }
    encoding.encode(&out)
}

/// Whether a text can stand as the content of an element.
pub(crate) fn is_balanced(text: &str) -> bool {
    let (mut bindings, mut entities, limits) =
        (Bindings::default(), Entities::default(), Limits::default());
    let mut context =
        Context { bindings: &mut bindings, entities: &mut entities, limits: &limits, depth: 0 };
    let mut sink = Depth { now: 0, back: 0 };
    let whole = format!("<x>{text}</x>");
    slow::element(&whole, 0, &mut context, &mut sink).is_ok() && sink.back == 1
}

/// Counts how often the outermost element ends.
struct Depth {
    now: usize,
    back: usize,
}

impl Sink for Depth {
    fn open(&mut self, _element: &Element<'_>, _inner: usize) {
        self.now += 1;
    }

    fn text(&mut self, _text: &str) {}

    fn close(&mut self, _inner: usize) {
        self.now -= 1;
        self.back += usize::from(self.now == 0);
    }
}
