//! Stand-in for the buffer and tables of the kernels room, with the same names.

/// Text being built: UTF-8 by construction.
#[derive(Debug, Default, Clone)]
pub struct Utf8Buf {
    text: String,
}

impl Utf8Buf {
    /// What was pushed so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }
    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
    /// Back to an earlier length.
    #[must_use = "false: nothing was truncated"]
    pub fn truncate(&mut self, len: usize) -> bool {
        let ok = self.text.is_char_boundary(len);
        if ok {
            self.text.truncate(len);
        }
        ok
    }
    /// Append a character.
    pub fn push_char(&mut self, c: char) {
        self.text.push(c);
    }
    /// Append text.
    pub fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }
    /// Append ASCII.
    ///
    /// # Errors
    /// Position of the first byte that is not ASCII.
    pub fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let good = encoding_rs::Encoding::ascii_valid_up_to(bytes);
        if good == bytes.len() { self.push_utf8(bytes) } else { Err(good) }
    }
    /// Append UTF-8.
    ///
    /// # Errors
    /// Position of the first byte that is not UTF-8.
    pub fn push_utf8(&mut self, bytes: &[u8]) -> Result<(), usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.text.push_str(text);
                Ok(())
            }
            Err(e) => Err(e.valid_up_to()),
        }
    }
    /// Append bytes of a single-byte page.
    ///
    /// # Errors
    /// Position of the first byte the table has nothing for.
    pub fn push_single_byte(&mut self, bytes: &[u8], table: &SingleByteTable) -> Result<(), usize> {
        for (at, &b) in bytes.iter().enumerate() {
            match table.0[usize::from(b)] {
                Some(c) => self.text.push(c),
                None => return Err(at),
            }
        }
        Ok(())
    }
    /// Append ASCII and pairs.
    ///
    /// # Errors
    /// Position of the first sequence the table has nothing for.
    pub fn push_double_byte(&mut self, bytes: &[u8], table: &DoubleByteTable) -> Result<(), usize> {
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            if b < 0x80 {
                self.text.push(char::from(b));
                at += 1;
                continue;
            }
            let t = bytes.get(at + 1).copied().unwrap_or(0);
            let pair = table.pairs[usize::from(b - 0x80) << 8 | usize::from(t)];
            match pair.or(table.singles[usize::from(b - 0x80)]) {
                Some(c) => self.text.push(c),
                None => return Err(at),
            }
            at += if pair.is_some() { 2 } else { 1 };
        }
        Ok(())
    }
}

/// A single-byte page.
#[derive(Debug)]
pub struct SingleByteTable([Option<char>; 256]);

impl SingleByteTable {
    /// Ask `map` for every byte.
    pub fn new(map: impl Fn(u8) -> Option<char>) -> Self {
        Self(std::array::from_fn(|b| map(u8::try_from(b).unwrap_or(0))))
    }
}

/// A double-byte page whose lead bytes are 80..FF.
#[derive(Debug)]
pub struct DoubleByteTable {
    pairs: Vec<Option<char>>,
    singles: Vec<Option<char>>,
}

impl DoubleByteTable {
    /// Ask `map` for every pair.
    pub fn new(map: impl Fn(u8, u8) -> Option<char>) -> Self {
        Self { pairs: (0x8000..=0xFFFFu16).map(|p| map((p >> 8) as u8, p as u8)).collect(), singles: vec![None; 128] }
    }
    /// Add single bytes from 80 up.
    #[must_use]
    pub fn with_single_bytes(mut self, map: impl Fn(u8) -> Option<char>) -> Self {
        self.singles = (0x80..=0xFFu8).map(map).collect();
        self
    }
}
