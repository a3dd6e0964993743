//! Within a record: strings and brackets, nothing else.

use crate::token::special;

/// Nesting up to which the kind of each bracket is checked. Deeper records are refused when they are read.
const KINDS: u32 = 1_024;

/// A record that has begun.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    /// A number or a word, which ends before the next token.
    bare: bool,
    depth: u32,
    /// One bit a level: set for objects.
    kinds: [u64; (KINDS / 64) as usize],
    string: bool,
    escape: bool,
}

impl Inside {
    /// Before the first byte of the record.
    pub(super) fn new(first: u8) -> Self {
        let bare = !matches!(first, b'{' | b'[' | b'"');
        Self { bare, depth: 0, kinds: [0; (KINDS / 64) as usize], string: false, escape: false }
    }

    pub(super) fn is_bare(&self) -> bool {
        self.bare
    }

    /// The place behind the record, if it ends in these bytes.
    ///
    /// # Errors
    /// The place of a bracket that closes another one than the last.
    pub(super) fn pass(&mut self, bytes: &[u8], from: usize) -> Result<Option<usize>, usize> {
        if self.bare {
            let rest = bytes.get(from..).unwrap_or_default();
            let end = |b: &u8| matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
            return Ok(rest.iter().position(end).map(|at| from + at));
        }
        let mut at = from;
        loop {
            if self.string {
                match self.pass_string(bytes, at) {
                    Some(end) => at = end,
                    None => return Ok(None),
                }
                if self.depth == 0 {
                    return Ok(Some(at));
                }
            }
            let Some(byte) = bytes.get(at) else { return Ok(None) };
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => self.open(*byte == b'{'),
                b'}' | b']' => {
                    if !self.close(*byte == b'}') {
                        return Err(at);
                    }
                    if self.depth == 0 {
                        return Ok(Some(at + 1));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The place behind the closing quote.
    fn pass_string(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = bytes.get(at..)?;
            if self.escape {
                // The second byte of a backslash in UTF-16 does not count.
                let skip = usize::from(*rest.first()? == super::SECOND);
                rest.get(skip)?;
                at += skip + 1;
                self.escape = false;
                continue;
            }
            at = special(bytes, at);
            match bytes.get(at)? {
                b'"' => {
                    self.string = false;
                    return Some(at + 1);
                }
                b'\\' => self.escape = true,
                // A control character is a flaw of the record, found when it is read.
                _ => {}
            }
            at += 1;
        }
    }

    fn open(&mut self, object: bool) {
        if let Some(word) = self.kinds.get_mut((self.depth / 64) as usize) {
            let bit = 1 << (self.depth % 64);
            *word = if object { *word | bit } else { *word & !bit };
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self, object: bool) -> bool {
        let Some(level) = self.depth.checked_sub(1) else { return false };
        self.depth = level;
        let word = self.kinds.get((level / 64) as usize);
        word.is_none_or(|word| (word >> (level % 64) & 1 == 1) == object)
    }
}
