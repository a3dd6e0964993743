//! Private-use characters: what a department's own font added, and what GB 18030 used to put there.

use std::borrow::Cow;

use crate::gb18030::{EXCHANGED, STILL_PRIVATE};

/// One private-use character of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateUseChar {
    /// The character itself.
    pub character: char,
    /// Which character of the text, from 0.
    pub char_index: usize,
    /// Byte offset in the UTF-8 text, from 0.
    pub byte_index: usize,
    /// The standard character GB 18030-2022 has for it; `None` for a user-defined one, whose meaning
    /// only its owner knows.
    pub replacement: Option<char>,
}

/// Whether a character lies in one of Unicode's private-use areas.
#[inline]
#[must_use]
pub fn is_private_use(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
}

/// The private-use characters of a text, in order.
///
/// ```
/// let found: Vec<_> = fenhe_text::private_use_report("王\u{E816}\u{E000}").collect();
/// assert_eq!(found[0].replacement, Some('\u{20087}'));
/// assert_eq!((found[1].char_index, found[1].replacement), (2, None));
/// ```
pub fn private_use_report(text: &str) -> impl Iterator<Item = PrivateUseChar> {
    text.char_indices().enumerate().filter(|&(_, (_, c))| is_private_use(c)).map(
        |(char_index, (byte_index, character))| PrivateUseChar {
            character,
            char_index,
            byte_index,
            replacement: standard_character(character),
        },
    )
}

/// The standard character for one of the 24 private-use characters of GB 18030-2005: 18 whose
/// two-byte codes GB 18030-2022 gave to the standard character, and 6 whose two-byte codes it left
/// and whose standard characters have four-byte codes.
#[must_use]
pub fn standard_character(c: char) -> Option<char> {
    let exchanged = EXCHANGED.iter().find(|&&(_, _, old)| old == c).map(|&(_, new, _)| new);
    exchanged
        .or_else(|| STILL_PRIVATE.iter().find(|&&(_, old, _)| old == c).map(|&(_, _, new)| new))
}

/// The text with every character that [`standard_character`] knows put in its standard form, and how
/// many these were. User-defined characters stay.
#[must_use]
pub fn replace_private_use(text: &str) -> (Cow<'_, str>, usize) {
    let count = text.chars().filter(|&c| standard_character(c).is_some()).count();
    if count == 0 {
        return (Cow::Borrowed(text), 0);
    }
    (Cow::Owned(text.chars().map(|c| standard_character(c).unwrap_or(c)).collect()), count)
}
