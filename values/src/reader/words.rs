//! Fields compared with declared spellings: nulls and truth values.

use crate::fault::FaultKind;
use crate::spec::BooleanSpelling;

/// A set of byte strings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    words: Vec<Vec<u8>>,
    has_empty: bool,
}

impl Words {
    /// Words that the code page cannot spell cannot occur, so they are left out.
    pub(crate) fn new(words: &[String], encode: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let all: Vec<Vec<u8>> = words.iter().filter_map(|w| encode(w)).collect();
        let has_empty = all.iter().any(Vec::is_empty);
        Self { words: all.into_iter().filter(|w| !w.is_empty()).collect(), has_empty }
    }

    #[inline]
    pub(crate) fn has_empty(&self) -> bool {
        self.has_empty
    }

    /// Whether there are words other than the empty one.
    #[inline]
    pub(crate) fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    pub(crate) fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    #[inline]
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            self.has_empty
        } else {
            self.words.iter().any(|w| w.as_slice() == bytes)
        }
    }
}

/// The declared spellings of true and false; those of one byte are looked up in a table.
#[derive(Clone, Debug)]
pub(crate) struct BooleanReader {
    /// 0 is false, 1 is true, anything else is neither.
    single: Box<[u8; 256]>,
    longer: Vec<(Vec<u8>, bool)>,
}

const NEITHER: u8 = 2;

impl BooleanReader {
    pub(crate) fn new(
        spelling: &BooleanSpelling,
        encode: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let mut reader = Self { single: Box::new([NEITHER; 256]), longer: Vec::new() };
        let both = [(&spelling.yes, true), (&spelling.no, false)];
        for (word, value) in
            both.into_iter().flat_map(|(words, value)| words.iter().map(move |w| (w, value)))
        {
            let Some(bytes) = encode(word) else { continue };
            if reader.read(&bytes).is_ok_and(|known| known != value) {
                return Err(format!("`{word}` is declared as both true and false"));
            }
            if let [byte] = bytes[..] {
                for case in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                    if let Some(slot) = reader.single.get_mut(usize::from(case)) {
                        *slot = u8::from(value);
                    }
                }
            } else {
                reader.longer.push((bytes, value));
            }
        }
        Ok(reader)
    }

    #[inline]
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<bool, FaultKind> {
        let known = match bytes {
            &[byte] => self.single.get(usize::from(byte)).copied().unwrap_or(NEITHER),
            _ => return self.read_longer(bytes),
        };
        match known {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(FaultKind::NotABoolean),
        }
    }

    fn read_longer(&self, bytes: &[u8]) -> Result<bool, FaultKind> {
        let found = self.longer.iter().find(|(word, _)| same_word(word, bytes));
        found.map(|(_, value)| *value).ok_or(FaultKind::NotABoolean)
    }
}

/// Equal but for the case of ASCII letters, and only if all is ASCII: in GBK a letter may be half of a character.
fn same_word(word: &[u8], bytes: &[u8]) -> bool {
    word == bytes || (word.is_ascii() && word.eq_ignore_ascii_case(bytes))
}
