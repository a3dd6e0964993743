//! Undoing what keyboards and legacy systems do to identifiers, and saying what was undone.

use super::{Identifier, Policy};

/// Room for every identifier of this module, with blanks and a hyphen; what is longer is none.
const ROOM: usize = 32;

/// What [`normalise`] changed, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes(u8);

/// An identifier in plain spelling, without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Normal {
    bytes: [u8; ROOM],
    length: usize,
    changes: Changes,
}

impl Changes {
    /// Blanks were removed: spaces, tabs, no-break and ideographic spaces.
    pub const BLANKS: Self = Self(1);
    /// Full-width characters became ASCII.
    pub const FULL_WIDTH: Self = Self(2);
    /// Small letters became capitals.
    pub const SMALL_LETTERS: Self = Self(4);
    /// Hyphens were removed.
    pub const HYPHENS: Self = Self(8);

    /// Whether nothing was changed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all changes of `other` are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The changes as words for programs.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::BLANKS, "blanks"),
            (Self::FULL_WIDTH, "full_width"),
            (Self::SMALL_LETTERS, "small_letters"),
            (Self::HYPHENS, "hyphens"),
        ]
        .into_iter()
        .filter_map(move |(change, word)| self.contains(change).then_some(word))
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Normal {
    /// The identifier in plain spelling.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The same as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII was put in.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// What was changed.
    #[must_use]
    pub const fn changes(&self) -> Changes {
        self.changes
    }
}

/// The identifier in `value` (UTF-8) in plain spelling: no blanks, no hyphens, half width, capitals.
/// `None` when other characters are in it, or more than an identifier has.
///
/// Letters are never read as digits: O stays O and I stays I. That is for a person to decide, see [`suggest`].
///
/// ```
/// use fenhe_rules::identifiers::{Changes, normalise};
/// let normal = normalise("１１０１０１ 19491001001x".as_bytes()).unwrap();
/// assert_eq!(normal.as_str(), "11010119491001001X");
/// assert_eq!(normal.changes().words().collect::<Vec<_>>(), ["blanks", "full_width", "small_letters"]);
/// assert!(normalise(b"110101194910010O1X").unwrap().changes().is_empty());
/// ```
#[must_use]
pub fn normalise(value: &[u8]) -> Option<Normal> {
    let text = std::str::from_utf8(value).ok()?;
    let mut normal = Normal { bytes: [0; ROOM], length: 0, changes: Changes::default() };
    for character in text.chars() {
        let half = match character {
            '\u{FF01}'..='\u{FF5E}' => {
                normal.changes.add(Changes::FULL_WIDTH);
                // The full-width forms stand in the order of ASCII.
                char::from_u32(u32::from(character) - 0xFEE0)?
            }
            other => other,
        };
        let byte = match half {
            ' ' | '\t' | '\u{A0}' | '\u{3000}' => {
                normal.changes.add(Changes::BLANKS);
                continue;
            }
            '-' => {
                normal.changes.add(Changes::HYPHENS);
                continue;
            }
            'a'..='z' => {
                normal.changes.add(Changes::SMALL_LETTERS);
                half.to_ascii_uppercase() as u8
            }
            '0'..='9' | 'A'..='Z' => half as u8,
            _ => return None,
        };
        *normal.bytes.get_mut(normal.length)? = byte;
        normal.length += 1;
    }
    Some(normal)
}

/// The identifier that was meant when letters stand for the digits they look like (O and Q for 0, I and L
/// for 1, S for 5, Z for 2, B for 8), if that one passes the check; for a person to confirm, never to be taken silently.
///
/// ```
/// use fenhe_rules::Date;
/// use fenhe_rules::identifiers::{Identifier, Policy, suggest};
/// let policy = Policy::on(Date::from_civil(2026, 1, 2).unwrap());
/// let meant = suggest(Identifier::Citizen, b"11O101194910010O1X", &policy);
/// assert_eq!(meant.unwrap().as_str(), "11010119491001001X");
/// ```
#[must_use]
pub fn suggest(kind: Identifier, value: &[u8], policy: &Policy) -> Option<Normal> {
    let mut normal = normalise(value)?;
    if kind.check(normal.as_bytes(), policy).is_ok() {
        return None;
    }
    // Letters that a credit code may hold are left alone in it.
    let letters_allowed =
        matches!(kind, Identifier::Uscc | Identifier::Organisation | Identifier::Taxpayer);
    for byte in normal.bytes.iter_mut().take(normal.length) {
        *byte = match *byte {
            b'O' => b'0',
            b'I' => b'1',
            b'S' => b'5',
            b'Z' => b'2',
            b'Q' if !letters_allowed => b'0',
            b'L' if !letters_allowed => b'1',
            b'B' if !letters_allowed => b'8',
            other => other,
        };
    }
    kind.check(normal.as_bytes(), policy).is_ok().then_some(normal)
}
