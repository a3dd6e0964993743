//! Blanks at the ends of a field, and full-width forms.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::encoding::Encoding;

/// Which blanks of a field are filling and not content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trim {
    /// All stay.
    #[default]
    None,
    /// Those before the text go.
    Start,
    /// Those after the text go.
    End,
    /// Both go.
    Both,
}

/// What counts as a blank besides U+0020.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blanks {
    /// Nothing else.
    #[default]
    Half,
    /// The full-width blank U+3000 (A1A1 in GBK, 4040 in mixed EBCDIC) as well.
    Full,
}

/// The text without the blanks that `sides` names.
///
/// Only blanks go; tabs, line ends and NUL are content or damage, and neither is trimmed in silence.
///
/// ```
/// use fenhe_text::{Blanks, Trim, trim};
/// assert_eq!(trim("  张三\u{3000} ", Trim::Both, Blanks::Full), "张三");
/// assert_eq!(trim("  张三\u{3000} ", Trim::End, Blanks::Half), "  张三\u{3000}");
/// ```
#[must_use]
pub fn trim(text: &str, sides: Trim, blanks: Blanks) -> &str {
    let blank = |c: char| c == ' ' || (c == '\u{3000}' && blanks == Blanks::Full);
    match sides {
        Trim::None => text,
        Trim::Start => text.trim_start_matches(blank),
        Trim::End => text.trim_end_matches(blank),
        Trim::Both => text.trim_matches(blank),
    }
}

impl Encoding {
    /// The raw field without the bytes of half-width blanks that `sides` names, before it is decoded.
    ///
    /// Right for every encoding: a blank is no part of a longer character, wide units stay whole, and in mixed
    /// EBCDIC a field that ends between SO and SI keeps its end. Full-width blanks need [`trim`] after decoding.
    ///
    /// ```
    /// use fenhe_text::{Encoding, Trim};
    /// assert_eq!(Encoding::GBK.trim_bytes(b" \xD6\xD0  ", Trim::End), b" \xD6\xD0");
    /// assert_eq!(Encoding::IBM037.trim_bytes(b"\xC1\x40\x40", Trim::Both), b"\xC1");
    /// ```
    #[must_use]
    pub fn trim_bytes(self, bytes: &[u8], sides: Trim) -> &[u8] {
        let blank = self.blank();
        let mut rest = bytes;
        if matches!(sides, Trim::Start | Trim::Both) {
            while let Some(shorter) = rest.strip_prefix(blank) {
                rest = shorter;
            }
        }
        // In mixed EBCDIC 40 may be half of a pair; with every run closed, the end is outside them.
        let closed = !self.is_stateful() || self.incomplete_tail(bytes) == 0;
        let whole = rest.len().is_multiple_of(blank.len()) && closed;
        if whole && matches!(sides, Trim::End | Trim::Both) {
            while let Some(shorter) = rest.strip_suffix(blank) {
                rest = shorter;
            }
        }
        rest
    }
}

/// Full-width forms U+FF01..FF5E and the full-width blank to their ASCII characters.
///
/// ```
/// assert_eq!(fenhe_text::to_half_width("ＡＢ１２\u{3000}中"), "AB12 中");
/// ```
#[must_use]
pub fn to_half_width(text: &str) -> Cow<'_, str> {
    fold(text, |c| match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    })
}

/// ASCII characters 21..7E and the blank to their full-width forms.
///
/// ```
/// assert_eq!(fenhe_text::to_full_width("A1 "), "Ａ１\u{3000}");
/// ```
#[must_use]
pub fn to_full_width(text: &str) -> Cow<'_, str> {
    fold(text, |c| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        _ => c,
    })
}

fn fold(text: &str, map: impl Fn(char) -> char) -> Cow<'_, str> {
    match text.char_indices().find(|&(_, c)| map(c) != c) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let (same, rest) = text.split_at(at);
            Cow::Owned(same.chars().chain(rest.chars().map(map)).collect())
        }
    }
}
