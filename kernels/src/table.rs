//! Code pages as look-up tables whose entries are UTF-8 by construction.

/// UTF-8 of one character in the three low bytes (first byte lowest), its length in the top byte.
/// 0 means that the code page has no such character, or that its UTF-8 takes four bytes.
///
/// Invariant: made by [`encode`] only, so the first `length` bytes are one whole character.
pub(crate) type Entry = u32;

const LEADS: usize = 128;
const TRAILS: usize = 256;

/// A code page of one byte a character.
#[derive(Clone)]
pub struct SingleByteTable {
    entries: Box<[Entry; 256]>,
    ascii: bool,
}

impl SingleByteTable {
    /// Builds the table by asking `decode` for each byte. Characters above U+FFFF count as not held.
    ///
    /// ```
    /// use fenhe_kernels::{SingleByteTable, Utf8Buf};
    ///
    /// let latin1 = SingleByteTable::new(|byte| Some(char::from(byte)));
    /// let mut text = Utf8Buf::default();
    /// text.push_single_byte(b"caf\xE9", &latin1).unwrap();
    /// assert_eq!(text.as_str(), "caf\u{E9}");
    /// ```
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "256 entries, one for each byte")]
    pub fn new(decode: impl Fn(u8) -> Option<char>) -> Self {
        let mut entries = Box::new([0; 256]);
        for byte in 0..=u8::MAX {
            entries[usize::from(byte)] = encode(decode(byte));
        }
        let ascii = (0..0x80u8).all(|byte| decode(byte) == Some(char::from(byte)));
        Self { entries, ascii }
    }

    /// Whether bytes below 0x80 stand for themselves, as in every code page but EBCDIC and its kind.
    #[must_use]
    pub fn is_ascii_superset(&self) -> bool {
        self.ascii
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "256 entries, one for each byte")]
    pub(crate) fn entry(&self, byte: u8) -> Entry {
        self.entries[usize::from(byte)]
    }
}

impl std::fmt::Debug for SingleByteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SingleByteTable").field("ascii", &self.ascii).finish_non_exhaustive()
    }
}

/// A code page of ASCII and two-byte characters with a lead byte of 0x80 to 0xFF: GBK, Big5, Shift_JIS, EUC-KR.
///
/// Sequences it does not hold (four-byte GB18030, characters above U+FFFF, pairs that make two characters, errors)
/// stop the copy, and the caller decides.
#[derive(Clone)]
pub struct DoubleByteTable {
    pairs: Box<[Entry; LEADS * TRAILS]>,
    singles: Box<[Entry; LEADS]>,
}

impl DoubleByteTable {
    /// Builds the table by asking `decode` for each pair of lead byte (0x80 to 0xFF) and trail byte (0x00 to 0xFF).
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "15 bits of index")]
    pub fn new(decode: impl Fn(u8, u8) -> Option<char>) -> Self {
        let mut pairs: Box<[Entry; LEADS * TRAILS]> = match vec![0; LEADS * TRAILS].try_into() {
            Ok(zeros) => zeros,
            Err(_) => unreachable!("the vector has exactly this length"),
        };
        for lead in 0x80..=u8::MAX {
            for trail in 0..=u8::MAX {
                pairs[pair_index(lead, trail)] = encode(decode(lead, trail));
            }
        }
        Self { pairs, singles: Box::new([0; LEADS]) }
    }

    /// Adds single bytes from 0x80 up, such as the half-width katakana of Shift_JIS.
    /// A byte that also leads a pair is read as the pair where the pair exists.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "7 bits of index")]
    pub fn with_single_bytes(mut self, decode: impl Fn(u8) -> Option<char>) -> Self {
        for byte in 0x80..=u8::MAX {
            self.singles[usize::from(byte & 0x7F)] = encode(decode(byte));
        }
        self
    }

    /// `lead` must have its top bit set; the bit is ignored.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "15 bits of index")]
    pub(crate) fn pair(&self, lead: u8, trail: u8) -> Entry {
        self.pairs[pair_index(lead, trail)]
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "7 bits of index")]
    pub(crate) fn single(&self, byte: u8) -> Entry {
        self.singles[usize::from(byte & 0x7F)]
    }
}

impl std::fmt::Debug for DoubleByteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.pairs.iter().filter(|entry| **entry != 0).count();
        f.debug_struct("DoubleByteTable").field("pairs", &held).finish_non_exhaustive()
    }
}

/// The length in bytes of an entry's character, 0 if there is none.
#[inline(always)]
pub(crate) fn entry_len(entry: Entry) -> usize {
    (entry >> 24) as usize
}

#[inline(always)]
fn pair_index(lead: u8, trail: u8) -> usize {
    usize::from(lead & 0x7F) << 8 | usize::from(trail)
}

#[expect(clippy::cast_possible_truncation, reason = "at most 3")]
fn encode(character: Option<char>) -> Entry {
    let Some(character) = character.filter(|character| character.len_utf8() <= 3) else {
        return 0;
    };
    let mut bytes = [0; 4];
    let len = character.encode_utf8(&mut bytes[..3]).len();
    bytes[3] = len as u8;
    Entry::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_up_to_three_bytes_is_encoded_as_the_standard_library_does() {
        for character in '\0'..='\u{FFFF}' {
            let entry = encode(Some(character));
            let bytes = entry.to_le_bytes();
            assert_eq!(
                std::str::from_utf8(&bytes[..entry_len(entry)]),
                Ok(&*character.to_string())
            );
        }
        assert_eq!((encode(None), encode(Some('\u{10000}'))), (0, 0));
    }

    #[test]
    fn ascii_supersets_are_recognised() {
        assert!(
            SingleByteTable::new(|byte| byte.is_ascii().then(|| char::from(byte)))
                .is_ascii_superset()
        );
        assert!(!SingleByteTable::new(|byte| Some(char::from(byte ^ 1))).is_ascii_superset());
    }
}
