//! Text to the bytes of one field.

use serde::{Deserialize, Serialize};

use crate::encoding::{Encoding, PrivateUse};
use crate::pages::{Family, Kind};
use crate::reverse::Reverse;
use crate::{double, gb18030, shifted, single};

/// What to do with a character the encoding does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmappable {
    /// The field is refused.
    #[default]
    Reject,
    /// That character stands in its place, and it is counted. Should the encoding not have that one
    /// either, the field is refused.
    Replace(char),
}

/// What happened while a field was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Encoded {
    /// How many characters were replaced.
    pub replaced: usize,
}

/// A character the encoding does not have. The text names its code point, which is the one thing
/// needed to see what is missing; the field's other characters stay out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("character {char_index} of the field, U+{:04X}, does not exist in {encoding}", u32::from(*.character))]
pub struct Unencodable {
    /// Which character of the field, from 0.
    pub char_index: usize,
    /// Byte offset in the UTF-8 text of the field, from 0.
    pub byte_index: usize,
    /// The character.
    pub character: char,
    /// The encoding that lacks it.
    pub encoding: Encoding,
}

/// The code of one character: up to four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    bytes: [u8; 4],
    len: u8,
    /// A pair of mixed EBCDIC, to stand between SO and SI.
    pub(crate) shifted: bool,
}

impl Encoding {
    /// Encode one field and append it to `out`; on an error `out` is as it was.
    ///
    /// Never a numeric character reference, never a silent `?`. In mixed EBCDIC the double-byte runs
    /// are put between SO and SI, as few as possible.
    ///
    /// # Errors
    /// [`Unencodable`] at the first character the encoding does not have, under [`Unmappable::Reject`].
    pub fn encode_into(
        self,
        text: &str,
        policy: Unmappable,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Unencodable> {
        if matches!(self.kind(), Kind::Utf8) && self.private_use() == PrivateUse::Accept {
            out.extend_from_slice(text.as_bytes());
            return Ok(Encoded::default());
        }
        if text.is_ascii() && self.is_ascii_superset() {
            out.extend_from_slice(text.as_bytes());
            return Ok(Encoded::default());
        }
        let start = out.len();
        let coder = self.coder();
        if coder.encode_plain(text, out) {
            return Ok(Encoded::default());
        }
        out.truncate(start);
        let result = self.encode_chars(coder, text, policy, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Encode one field, strictly.
    ///
    /// # Errors
    /// [`Unencodable`] at the first character the encoding does not have.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        let mut out = Vec::with_capacity(text.len());
        let _ = self.encode_into(text, Unmappable::Reject, &mut out)?;
        Ok(out)
    }

    /// Whether the encoding has the character.
    #[must_use]
    pub fn has(self, c: char) -> bool {
        self.coder().code(c).is_some()
    }

    pub(crate) fn coder(self) -> Coder {
        let kind = self.kind();
        Coder {
            encoding: self,
            kind,
            tables: match kind {
                Kind::Double(family) => Some(&double::tables(family).reverse),
                Kind::Single(number) | Kind::Shifted { single: number, .. } => {
                    single::page(number).map(|p| &p.reverse)
                }
                _ => None,
            },
            pairs: match kind {
                Kind::Shifted { double, .. } => shifted::page(double).map(|p| &p.reverse),
                _ => None,
            },
        }
    }

    /// The careful road: shifts, replacements, and which character is missing.
    fn encode_chars(
        self,
        coder: Coder,
        text: &str,
        policy: Unmappable,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Unencodable> {
        let mut seen = Encoded::default();
        let mut open = false;
        for (char_index, (byte_index, character)) in text.char_indices().enumerate() {
            let code = match (coder.code(character), policy) {
                (Some(code), _) => Some(code),
                (None, Unmappable::Reject) => None,
                (None, Unmappable::Replace(other)) => {
                    seen.replaced += 1;
                    coder.code(other)
                }
            };
            let code =
                code.ok_or(Unencodable { char_index, byte_index, character, encoding: self })?;
            if code.shifted != open {
                out.push(if open { shifted::SI } else { shifted::SO });
                open = code.shifted;
            }
            out.extend_from_slice(code.as_bytes());
        }
        if open {
            out.push(shifted::SI);
        }
        Ok(seen)
    }
}

impl Code {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn packed(code: u32) -> Self {
        let len = match code {
            0..=0xFF => 1,
            0x100..=0xFFFF => 2,
            0x1_0000..=0xFF_FFFF => 3,
            _ => 4,
        };
        let mut bytes = code.to_be_bytes();
        bytes.rotate_left(4 - usize::from(len));
        Self { bytes, len, shifted: false }
    }

    fn copied(from: &[u8]) -> Self {
        let mut bytes = [0; 4];
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 4")]
        let len = from.len().min(4) as u8;
        Self { bytes, len, shifted: false }
    }
}

/// What is needed to look characters up, fetched once a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coder {
    encoding: Encoding,
    kind: Kind,
    tables: Option<&'static Reverse>,
    pairs: Option<&'static Reverse>,
}

impl Coder {
    #[inline]
    pub(crate) fn code(&self, c: char) -> Option<Code> {
        if self.encoding.refuses(c) {
            return None;
        }
        match self.kind {
            Kind::Ascii => c.is_ascii().then(|| Code::packed(u32::from(c))),
            Kind::Utf8 => Some(Code::copied(c.encode_utf8(&mut [0; 4]).as_bytes())),
            Kind::Utf16 { big } => Some(utf_16(c, big)),
            Kind::Utf32 { big } => {
                let number = u32::from(c);
                Some(Code::copied(&if big { number.to_be_bytes() } else { number.to_le_bytes() }))
            }
            Kind::Double(_) if c.is_ascii() => Some(Code::packed(u32::from(c))),
            Kind::Double(family) => self.double(family, c),
            Kind::Single(_) => self.tables?.get(c).map(Code::packed),
            Kind::Shifted { .. } => {
                let single = self.tables?.get(c).map(Code::packed);
                single.or_else(|| Some(Code { shifted: true, ..Code::packed(self.pairs?.get(c)?) }))
            }
        }
    }

    /// The fast road of the single-byte and double-byte pages, for text whose every character they have; false, with
    /// something or nothing written, for any other.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "pages of single bytes have codes below 0x100, and pairs are matched below 0x10000"
    )]
    fn encode_plain(&self, text: &str, out: &mut Vec<u8>) -> bool {
        let Some(table) = self.tables.filter(|_| self.encoding.private_use() == PrivateUse::Accept)
        else {
            return false;
        };
        // No code is longer than the UTF-8 of its character, but for the four bytes of GB 18030.
        out.reserve(text.len());
        match self.kind {
            Kind::Single(_) => {
                text.chars().all(|c| table.get(c).map(|code| out.push(code as u8)).is_some())
            }
            Kind::Double(_) => text.chars().all(|c| {
                if c.is_ascii() {
                    out.push(c as u8);
                    return true;
                }
                match table.get(c) {
                    Some(code @ 0x100..=0xFFFF) => {
                        out.extend_from_slice(&(code as u16).to_be_bytes());
                        true
                    }
                    _ => self.code(c).map(|code| out.extend_from_slice(code.as_bytes())).is_some(),
                }
            }),
            Kind::Shifted { .. } => self.encode_shifted(table, text, out),
            _ => false,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "codes of single bytes, and codes of pairs"
    )]
    fn encode_shifted(&self, table: &Reverse, text: &str, out: &mut Vec<u8>) -> bool {
        let Some(pairs) = self.pairs else { return false };
        let mut open = false;
        for c in text.chars() {
            let single = table.get(c);
            let Some(code) = single.or_else(|| pairs.get(c)) else { return false };
            if single.is_some() == open {
                out.push(if open { shifted::SI } else { shifted::SO });
                open = !open;
            }
            match single {
                Some(_) => out.push(code as u8),
                None => out.extend_from_slice(&(code as u16).to_be_bytes()),
            }
        }
        if open {
            out.push(shifted::SI);
        }
        true
    }

    fn double(&self, family: Family, c: char) -> Option<Code> {
        let above =
            matches!(family, Family::Gb18030 | Family::Gb18030y2005) && u32::from(c) > 0xFFFF;
        let code = if above { gb18030::above_basic_plane(c)? } else { self.tables?.get(c)? };
        Some(Code::packed(code))
    }
}

fn utf_16(c: char, big: bool) -> Code {
    let mut units = [0; 2];
    let mut bytes = [0; 4];
    let units = c.encode_utf16(&mut units);
    for (to, unit) in bytes.chunks_exact_mut(2).zip(units.iter()) {
        to.copy_from_slice(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    }
    Code::copied(bytes.get(..units.len() * 2).unwrap_or_default())
}
