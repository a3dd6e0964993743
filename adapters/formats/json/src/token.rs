//! The tokens of RFC 8259, read from the bytes of one record. Nothing here allocates or recurses.

use crate::error::{Flaw, Found};

/// The deepest nesting of a record, whatever the limits say: one bit a level.
pub(crate) const MAX_DEPTH: usize = 128;

/// A place in the bytes of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What stands between two quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether it holds backslashes.
    pub(crate) escaped: bool,
}

/// The digits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) exponent: bool,
}

impl<'a> Cursor<'a> {
    /// At the first byte of `bytes[start..end]`; places are counted from the start of `bytes`.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], start: usize, end: usize) -> Self {
        Self { bytes: bytes.get(..end).unwrap_or(bytes), at: start }
    }

    #[inline(always)]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The bytes between two places.
    #[inline(always)]
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The next byte that is no white space; the place is on it.
    #[inline(always)]
    pub(crate) fn token(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Steps over the byte that [`token`](Self::token) saw.
    #[inline(always)]
    pub(crate) fn step(&mut self) {
        self.at += 1;
    }

    /// Steps over `byte`, if it is the next token.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.token() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over bytes that stand here exactly.
    #[inline(always)]
    pub(crate) fn take_all(&mut self, expected: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(expected));
        if found {
            self.at += expected.len();
        }
        found
    }

    /// A string whose opening quote is the current byte. Control characters must be escaped (RFC 8259 section 7).
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Text, Flaw> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = special(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text { start, end: self.at - 1, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => return Err(self.flaw("an escape sequence", Found::Control)),
                None => {
                    self.at = self.bytes.len();
                    return Err(self.flaw("a closing quote", Found::End));
                }
            }
        }
    }

    /// A number whose first byte is the current one (RFC 8259 section 6).
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Number, Flaw> {
        let start = self.at;
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        match self.here() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.here(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if matches!(self.here(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if matches!(self.here(), Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-'))
        {
            return Err(self.flaw("the end of the number", Found::Byte));
        }
        Ok(Number { start, end: self.at, exponent })
    }

    /// `true`, `false` or `null`, by its first byte.
    #[inline]
    pub(crate) fn literal(&mut self) -> Result<(), Flaw> {
        let found = match self.here() {
            Some(b't') => self.take_all(b"true"),
            Some(b'f') => self.take_all(b"false"),
            Some(b'n') => self.take_all(b"null"),
            _ => false,
        };
        let goes_on = matches!(self.here(), Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_'));
        if found && !goes_on { Ok(()) } else { Err(self.unexpected("a JSON value")) }
    }

    /// Checks and passes one whole value, nested at most so deep.
    pub(crate) fn skip_value(&mut self, depth: usize) -> Result<(), Flaw> {
        // One bit a level: set for objects. A loop, so that input cannot use up the stack.
        let (mut kinds, mut level) = (0u128, 0usize);
        let depth = depth.min(MAX_DEPTH);
        loop {
            match self.token() {
                Some(open @ (b'{' | b'[')) => {
                    if level >= depth {
                        return Err(self.flaw("less nesting (limit depth)", Found::Deep));
                    }
                    level += 1;
                    kinds = kinds << 1 | u128::from(open == b'{');
                    self.step();
                    let end = if open == b'{' { b'}' } else { b']' };
                    if !self.take(end) {
                        if open == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                    level -= 1;
                    kinds >>= 1;
                }
                Some(b'"') => {
                    let text = self.string()?;
                    crate::escape::check(self, text)?;
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                }
                _ => self.literal()?,
            }
            // Behind a value: the next one, or the ends of what it closes.
            loop {
                if level == 0 {
                    return Ok(());
                }
                let object = kinds & 1 == 1;
                match self.token() {
                    Some(b',') => {
                        self.step();
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => self.step(),
                    Some(b']') if !object => self.step(),
                    _ => {
                        return Err(self.unexpected(if object {
                            "`,` or `}`"
                        } else {
                            "`,` or `]`"
                        }));
                    }
                }
                level -= 1;
                kinds >>= 1;
            }
        }
    }

    /// A key with its colon.
    fn key(&mut self) -> Result<(), Flaw> {
        if self.token() != Some(b'"') {
            return Err(self.unexpected("a key in quotes"));
        }
        let text = self.string()?;
        crate::escape::check(self, text)?;
        if self.take(b':') { Ok(()) } else { Err(self.unexpected("`:`")) }
    }

    /// A flaw at the current place: something else stands there.
    #[cold]
    pub(crate) fn unexpected(&self, expected: &'static str) -> Flaw {
        self.flaw(expected, if self.here().is_some() { Found::Byte } else { Found::End })
    }

    #[cold]
    pub(crate) fn flaw(&self, expected: &'static str, found: Found) -> Flaw {
        Flaw::syntax(self.at, expected, found)
    }

    #[inline(always)]
    fn here(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// One digit or more.
    #[inline(always)]
    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while matches!(self.here(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.unexpected("a digit")) }
    }
}

/// The place of the next quote, backslash or control character, eight bytes a step.
#[inline(always)]
pub(crate) fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // A byte below n borrows; the lowest marked byte is always a true one.
        let marks = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let marks = marks & HIGH;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_special_byte_is_found_at_every_place() {
        for length in 0..40 {
            let plain = vec![0xe5u8; length];
            assert_eq!(special(&plain, 0), length);
            for at in 0..length {
                for byte in [b'"', b'\\', 0, 0x1f, b'\n'] {
                    let mut bytes = plain.clone();
                    bytes[at] = byte;
                    // Bytes one above a special one must not stop it.
                    if at > 0 {
                        bytes[at - 1] = 0x20;
                    }
                    if at + 1 < length {
                        bytes[at + 1] = b'#';
                    }
                    assert_eq!(special(&bytes, 0), at, "{byte:02x} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn numbers_follow_the_grammar_of_rfc_8259() {
        let read = |text: &str| {
            let mut cursor = Cursor::new(text.as_bytes(), 0, text.len());
            cursor.number().map(|n| (n.end, n.exponent)).ok()
        };
        for (text, expected) in [
            ("0", Some((1, false))),
            ("-0", Some((2, false))),
            ("-12.50,", Some((6, false))),
            ("1e400]", Some((5, true))),
            ("1E+2 ", Some((4, true))),
            ("01", None),
            ("+1", None),
            (".5", None),
            ("5.", None),
            ("-", None),
            ("1e", None),
            ("1.5.2", None),
            ("0x10", None),
            ("1_000", Some((1, false))),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_passed_whole_or_refused() {
        let pass = |text: &str| {
            let mut cursor = Cursor::new(text.as_bytes(), 0, text.len());
            cursor.skip_value(128).is_ok() && cursor.token().is_none()
        };
        for good in
            ["{}", "[]", "[[],{}]", r#"{"a":[1,{"b":null}],"c":"\u00e9"}"#, " [ 1 , 2 ] ", "true"]
        {
            assert!(pass(good), "{good}");
        }
        for bad in [
            "[1,]",
            "{,}",
            "[1 2]",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            "[}",
            "NaN",
            "",
            "nullx",
            "'a'",
            "[1",
            r#"{a:1}"#,
        ] {
            assert!(!pass(bad), "{bad}");
        }
        assert!(pass(&format!("{}{}", "[".repeat(128), "]".repeat(128))));
        assert!(!pass(&format!("{}{}", "[".repeat(129), "]".repeat(129))));
    }
}
