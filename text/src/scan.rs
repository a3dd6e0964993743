//! Characters in raw bytes, without decoding them: where one ends, where a delimiter really stands.

use memchr::memchr;

use crate::double;
use crate::encoding::Encoding;
use crate::pages::{Family, Kind};
use crate::shifted::{SI, SO};
use crate::unicode::utf8_len;

/// Walks over raw bytes character by character; the only state it keeps is whether mixed EBCDIC
/// stands between SO and SI.
#[derive(Debug, Clone, Copy)]
pub struct CharStep {
    kind: Kind,
    shifted: bool,
}

impl CharStep {
    /// Bytes taken by the character at the start of `bytes`, at least 1 and never more than there are;
    /// 0 for no bytes. A byte that begins no character counts as one of its own. SO and SI are one byte.
    #[inline]
    pub fn len(&mut self, bytes: &[u8]) -> usize {
        let Some(&first) = bytes.first() else {
            return 0;
        };
        let len = match self.kind {
            Kind::Ascii | Kind::Single(_) => 1,
            Kind::Utf8 => utf8_shape(first, bytes),
            Kind::Utf16 { big } => utf16_shape(bytes, big),
            Kind::Utf32 { .. } => 4,
            Kind::Double(family) => double::shape(family, bytes),
            Kind::Shifted { .. } => match first {
                SO | SI => {
                    self.shifted = first == SO;
                    1
                }
                _ if self.shifted && !matches!(bytes.get(1), Some(&(SO | SI))) => 2,
                _ => 1,
            },
        };
        len.min(bytes.len())
    }

    /// Whether the next byte stands between SO and SI.
    #[must_use]
    pub fn is_shifted(&self) -> bool {
        self.shifted
    }
}

impl Encoding {
    /// A walk over raw bytes, at the start of a field.
    #[must_use]
    pub fn char_step(self) -> CharStep {
        CharStep { kind: self.kind(), shifted: false }
    }

    /// Bytes taken by the character at the start of `bytes`; see [`CharStep::len`]. In mixed EBCDIC
    /// this is right outside SO and SI only: use [`Encoding::char_step`] there.
    #[must_use]
    pub fn lead_len(self, bytes: &[u8]) -> usize {
        self.char_step().len(bytes)
    }

    /// Whether every occurrence of `byte` in raw text is the character it looks like, so that a plain
    /// byte search finds delimiters.
    ///
    /// | encoding | safe |
    /// |---|---|
    /// | single-byte pages | all |
    /// | UTF-8, EUC-JP | below 80 |
    /// | EUC-KR (unified Hangul) | below 80 except letters |
    /// | GBK, Big5, Shift_JIS | below 40 |
    /// | GB 18030 | below 30, and 3A to 3F (digits are parts of four-byte codes) |
    /// | mixed EBCDIC | below 40 except SO and SI |
    /// | UTF-16, UTF-32 | none |
    ///
    /// ```
    /// use fenhe_text::Encoding;
    /// assert!(Encoding::GB18030.safe_delimiter(b','));
    /// assert!(!Encoding::GBK.safe_delimiter(b'|'));
    /// ```
    #[must_use]
    pub fn safe_delimiter(self, byte: u8) -> bool {
        match self.kind() {
            Kind::Ascii | Kind::Single(_) => true,
            Kind::Utf8 => byte < 0x80,
            Kind::Utf16 { .. } | Kind::Utf32 { .. } => false,
            Kind::Shifted { .. } => byte < 0x40 && byte != SO && byte != SI,
            Kind::Double(family) => match family {
                Family::Gb18030 | Family::Gb18030y2005 => byte < 0x40 && !byte.is_ascii_digit(),
                Family::Gbk | Family::Cp936 | Family::Big5 | Family::ShiftJis => byte < 0x40,
                Family::EucKr => byte < 0x80 && !byte.is_ascii_alphabetic(),
                Family::EucJp => byte < 0x80,
            },
        }
    }

    /// Where `needle` stands as a character of its own in `hay`, at or after `from`, which must be the
    /// start of a character (in mixed EBCDIC outside SO and SI). In UTF-16 and UTF-32 the needle is
    /// the ASCII character, and the place that of its first byte.
    ///
    /// ```
    /// use fenhe_text::Encoding;
    /// // 檤 is 99 7C in GBK, and 7C is `|`.
    /// assert_eq!(Encoding::GBK.find_byte(b"\x99\x7C|1", b'|', 0), Some(2));
    /// ```
    #[must_use]
    pub fn find_byte(self, hay: &[u8], needle: u8, from: usize) -> Option<usize> {
        let mut at = from;
        let mut step = self.char_step();
        loop {
            let candidate = at + memchr(needle, hay.get(at..)?)?;
            if self.safe_delimiter(needle) {
                return Some(candidate);
            }
            // Walk up to the candidate; it counts if a character begins there and is one byte (or unit) long.
            while at < candidate {
                let rest = hay.get(at..)?;
                if is_unit(self.kind(), rest, needle) {
                    return Some(at);
                }
                at += step.len(rest).max(1);
            }
            if at == candidate {
                let rest = hay.get(at..)?;
                let was_shifted = step.is_shifted();
                let len = step.len(rest).max(1);
                if is_unit(self.kind(), rest, needle)
                    || (len == 1 && !was_shifted && !self.has_wide_units())
                {
                    return Some(at);
                }
                at += len;
            }
        }
    }

    /// How many bytes at the end of `bytes` may be the start of a character that goes on in the next
    /// chunk. `bytes` must begin at the start of a character.
    ///
    /// In mixed EBCDIC an open SO counts as well: everything from it on belongs together.
    #[must_use]
    pub fn incomplete_tail(self, bytes: &[u8]) -> usize {
        match self.kind() {
            Kind::Ascii | Kind::Single(_) => 0,
            Kind::Utf8 => utf8_tail(bytes),
            Kind::Utf16 { big } => utf16_tail(bytes, big),
            Kind::Utf32 { .. } => bytes.len() % 4,
            Kind::Double(family) => double_tail(family, bytes),
            Kind::Shifted { .. } => match memchr::memrchr2(SO, SI, bytes) {
                Some(at) if bytes.get(at) == Some(&SO) => bytes.len() - at,
                _ => 0,
            },
        }
    }

    fn has_wide_units(self) -> bool {
        matches!(self.kind(), Kind::Utf16 { .. } | Kind::Utf32 { .. })
    }
}

/// Whether a unit of UTF-16 or UTF-32 at the start of `bytes` is the ASCII character `needle`.
fn is_unit(kind: Kind, bytes: &[u8], needle: u8) -> bool {
    match kind {
        Kind::Utf16 { big: true } => bytes.starts_with(&[0, needle]),
        Kind::Utf16 { big: false } => bytes.starts_with(&[needle, 0]),
        Kind::Utf32 { big: true } => bytes.starts_with(&[0, 0, 0, needle]),
        Kind::Utf32 { big: false } => bytes.starts_with(&[needle, 0, 0, 0]),
        _ => false,
    }
}

/// A lead byte and the continuation bytes that really follow it.
fn utf8_shape(first: u8, bytes: &[u8]) -> usize {
    let wanted = utf8_len(first);
    let follow =
        bytes.iter().skip(1).take(wanted - 1).take_while(|b| (0x80..=0xBF).contains(*b)).count();
    1 + follow
}

fn utf16_shape(bytes: &[u8], big: bool) -> usize {
    let high = |at: usize| bytes.get(if big { at } else { at + 1 }).copied().unwrap_or(0);
    let pair = (0xD8..=0xDB).contains(&high(0)) && (0xDC..=0xDF).contains(&high(2));
    if pair { 4 } else { 2 }
}

fn utf8_tail(bytes: &[u8]) -> usize {
    (1..=3usize.min(bytes.len()))
        .find(|&back| bytes.get(bytes.len() - back).is_some_and(|&b| utf8_len(b) > back))
        .filter(|&back| {
            let tail = bytes.get(bytes.len() - back..).unwrap_or_default();
            matches!(std::str::from_utf8(tail), Err(e) if e.valid_up_to() == 0 && e.error_len().is_none())
        })
        .unwrap_or(0)
}

fn utf16_tail(bytes: &[u8], big: bool) -> usize {
    let odd = bytes.len() % 2;
    let last = bytes.len().checked_sub(odd + 2).map(|at| if big { at } else { at + 1 });
    let open = last.and_then(|at| bytes.get(at)).is_some_and(|b| (0xD8..=0xDB).contains(b));
    if open { odd + 2 } else { odd }
}

/// Characters are walked from the last place that must be a boundary: after a byte that cannot be
/// part of any multi-byte character.
fn double_tail(family: Family, bytes: &[u8]) -> usize {
    let sync =
        bytes.iter().rposition(|&b| b < 0x30 || (0x3A..0x40).contains(&b)).map_or(0, |at| at + 1);
    let mut rest = bytes.get(sync..).unwrap_or_default();
    while !rest.is_empty() {
        if rest.len() < 4 && double::may_go_on(family, rest) {
            return rest.len();
        }
        rest = rest.get(double::shape(family, rest)..).unwrap_or_default();
    }
    0
}
