//! The handle and the facts about each encoding.

use std::fmt;
use std::str::FromStr;

use crate::pages::{Family, Kind, PAGES, Page};

/// A character encoding: a small handle, copied freely.
///
/// The constants name what is known; [`Encoding::for_label`] and [`Encoding::for_code_page`] find
/// one by what people and files call it.
///
/// A handle carries one choice: whether characters of Unicode's private-use areas pass
/// ([`PrivateUse::Accept`], the default, because it loses nothing) or are treated like bytes that
/// stand for nothing ([`PrivateUse::Refuse`]).
///
/// ```
/// use fenhe_text::Encoding;
/// let page = Encoding::for_label("cp936").unwrap();
/// assert_eq!(page, Encoding::CP936);
/// assert_eq!(page.decode(b"\xD6\xD0\xB9\xFA").unwrap(), "中国");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding {
    index: u8,
    private_use: PrivateUse,
}

/// What happens to characters of the private-use areas (U+E000..F8FF and planes 15 and 16).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum PrivateUse {
    /// They pass both ways and are counted; [`crate::private_use_report`] lists them.
    #[default]
    Accept,
    /// They are refused both ways: the policy for what cannot be mapped decides.
    Refuse,
}

/// The control characters that end a line in an EBCDIC file, as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EbcdicNewline {
    /// 15, NEL: what z/OS writes for the end of a line; U+0085 in the tables.
    pub next_line: u8,
    /// 25, LF: U+000A in the tables. z/OS Unix exchanges the two.
    pub line_feed: u8,
}

impl Encoding {
    pub(crate) const fn from_index(index: u8) -> Self {
        Self { index, private_use: PrivateUse::Accept }
    }

    /// Every encoding of the register.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(PAGES).map(|(index, _)| Self::from_index(index))
    }

    /// The usual name: `GB18030`, `windows-1252`, `IBM037`. [`Encoding::for_label`] knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.page().name
    }

    /// The number it usually goes by; `None` when it has none.
    #[must_use]
    pub fn code_page(self) -> Option<u32> {
        self.page().numbers.first().copied()
    }

    /// The same encoding with another choice about private-use characters.
    #[must_use]
    pub fn with_private_use(self, private_use: PrivateUse) -> Self {
        Self { private_use, ..self }
    }

    /// The choice about private-use characters.
    #[must_use]
    pub fn private_use(self) -> PrivateUse {
        self.private_use
    }

    /// Whether every byte below 80 outside a multi-byte sequence means the ASCII character.
    ///
    /// False for UTF-16 and UTF-32, EBCDIC and CP864. Inside a sequence such bytes may still
    /// occur: ask [`Encoding::safe_delimiter`] before looking for one in raw bytes.
    #[must_use]
    pub fn is_ascii_superset(self) -> bool {
        match self.kind() {
            Kind::Ascii | Kind::Utf8 | Kind::Double(_) => true,
            Kind::Utf16 { .. } | Kind::Utf32 { .. } | Kind::Shifted { .. } => false,
            Kind::Single(number) => crate::single::page(number)
                .is_some_and(|t| (0..0x80u8).all(|b| t.decode(b) == Some(char::from(b)))),
        }
    }

    /// Whether a character may take more than one byte.
    #[must_use]
    pub fn is_multi_byte(self) -> bool {
        !matches!(self.kind(), Kind::Ascii | Kind::Single(_))
    }

    /// Whether it is one of the EBCDIC pages.
    #[must_use]
    pub fn is_ebcdic(self) -> bool {
        self.page().ebcdic
    }

    /// Whether the meaning of a byte depends on shift bytes before it (mixed EBCDIC, SO and SI).
    #[must_use]
    pub fn is_stateful(self) -> bool {
        matches!(self.kind(), Kind::Shifted { .. })
    }

    /// The most bytes one character takes; shift bytes of mixed EBCDIC are not counted.
    #[must_use]
    pub fn max_bytes_per_char(self) -> usize {
        match self.kind() {
            Kind::Ascii | Kind::Single(_) => 1,
            Kind::Utf8 | Kind::Utf16 { .. } | Kind::Utf32 { .. } => 4,
            Kind::Double(Family::Gb18030 | Family::Gb18030y2005) => 4,
            Kind::Double(Family::EucJp) => 3,
            Kind::Double(_) | Kind::Shifted { .. } => 2,
        }
    }

    /// The bytes of a blank (U+0020), which fixed-width fields are filled up with.
    #[must_use]
    pub fn blank(self) -> &'static [u8] {
        match self.kind() {
            Kind::Utf16 { big: false } => b" \0",
            Kind::Utf16 { big: true } => b"\0 ",
            Kind::Utf32 { big: false } => b" \0\0\0",
            Kind::Utf32 { big: true } => b"\0\0\0 ",
            _ if self.is_ebcdic() => b"\x40",
            _ => b" ",
        }
    }

    /// The bytes of a full-width blank (U+3000) where the encoding has one; in mixed EBCDIC 4040,
    /// valid between SO and SI only.
    #[must_use]
    pub fn full_width_blank(self) -> Option<&'static [u8]> {
        Some(match self.kind() {
            Kind::Ascii | Kind::Single(_) => return None,
            Kind::Utf8 => b"\xE3\x80\x80",
            Kind::Utf16 { big: false } => b"\0\x30",
            Kind::Utf16 { big: true } => b"\x30\0",
            Kind::Utf32 { big: false } => b"\0\x30\0\0",
            Kind::Utf32 { big: true } => b"\0\0\x30\0",
            Kind::Double(Family::Big5) => b"\xA1\x40",
            Kind::Double(Family::ShiftJis) => b"\x81\x40",
            Kind::Double(_) => b"\xA1\xA1",
            Kind::Shifted { .. } => b"\x40\x40",
        })
    }

    /// The line ends of an EBCDIC page; `None` for all others (they have 0D and 0A).
    #[must_use]
    pub fn newline(self) -> Option<EbcdicNewline> {
        self.is_ebcdic().then_some(EbcdicNewline { next_line: 0x15, line_feed: 0x25 })
    }

    /// The byte order mark; empty where the encoding has none.
    #[must_use]
    pub fn bom(self) -> &'static [u8] {
        match self.kind() {
            Kind::Utf8 => b"\xEF\xBB\xBF",
            Kind::Utf16 { big: false } => b"\xFF\xFE",
            Kind::Utf16 { big: true } => b"\xFE\xFF",
            Kind::Utf32 { big: false } => b"\xFF\xFE\0\0",
            Kind::Utf32 { big: true } => b"\0\0\xFE\xFF",
            Kind::Double(Family::Gb18030 | Family::Gb18030y2005) => b"\x84\x31\x95\x33",
            _ => b"",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        self.page().kind
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a handle can only be made from the register, which is not empty"
    )]
    pub(crate) fn page(self) -> &'static Page {
        PAGES.get(usize::from(self.index)).unwrap_or(&PAGES[0])
    }

    pub(crate) fn refuses(self, c: char) -> bool {
        self.private_use == PrivateUse::Refuse && crate::private_use::is_private_use(c)
    }
}

impl fmt::Display for Encoding {
    /// A label that [`Encoding::for_label`] turns back into the same handle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.private_use {
            PrivateUse::Accept => Ok(()),
            PrivateUse::Refuse => f.write_str("-strict"),
        }
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({self})")
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(label: &str) -> Result<Self, Self::Err> {
        Self::for_label(label).ok_or_else(|| UnknownEncoding(label.chars().take(40).collect()))
    }
}

impl serde::Serialize for Encoding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Encoding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        label.parse().map_err(serde::de::Error::custom)
    }
}

/// A label that no encoding answers to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no encoding is called {0:?}; try utf-8, gbk, gb18030, cp936, big5, cp437, windows-1252 or ibm037"
)]
pub struct UnknownEncoding(String);
