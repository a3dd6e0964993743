//! Fixed fields: truncation that cuts no character, and filling up.

use crate::encode::{Encoded, Unencodable, Unmappable};
use crate::encoding::Encoding;

/// The part of a text that fits a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitted<'a> {
    /// The longest prefix whose encoding fits.
    pub text: &'a str,
    /// Bytes its encoding takes, shift bytes included.
    pub bytes: usize,
    /// Whether anything was left out.
    pub cut: bool,
}

/// How a fixed field went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A character the encoding does not have.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
    /// The value is longer than the field.
    #[error("the value takes {needed} bytes in {encoding} and the field has {width}")]
    TooLong {
        /// Bytes (or characters, for a field counted in characters) needed.
        needed: usize,
        /// Bytes (or characters) there are.
        width: usize,
        /// The encoding.
        encoding: Encoding,
    },
    /// The rest of the field is no whole number of blanks (UTF-16 with an odd width).
    #[error("{left} bytes of the field cannot be filled with blanks of {encoding}")]
    Unfillable {
        /// Bytes left.
        left: usize,
        /// The encoding.
        encoding: Encoding,
    },
}

/// Where the text stands in a field that is longer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Text first, blanks after it: the usual way.
    #[default]
    Left,
    /// Blanks first.
    Right,
}

impl Encoding {
    /// The longest prefix of `text` whose encoding takes at most `max_bytes`. Never cuts a character;
    /// in mixed EBCDIC the SO and SI around a double-byte run count too.
    ///
    /// ```
    /// use fenhe_text::Encoding;
    /// let fitted = Encoding::GBK.truncate_bytes("中国人", 5).unwrap();
    /// assert_eq!((fitted.text, fitted.bytes, fitted.cut), ("中国", 4, true));
    /// // SO + 2 pairs + SI take 6 bytes.
    /// assert_eq!(Encoding::IBM935.truncate_bytes("中国人", 7).unwrap().text, "中国");
    /// ```
    ///
    /// # Errors
    /// [`Unencodable`] when a character before the cut does not exist in the encoding.
    pub fn truncate_bytes(self, text: &str, max_bytes: usize) -> Result<Fitted<'_>, Unencodable> {
        let coder = self.coder();
        let (mut used, mut open) = (0usize, false);
        // What the field would take if it ended here: an open run still wants its SI.
        let mut closed = 0;
        for (char_index, (byte_index, character)) in text.char_indices().enumerate() {
            let missing = Unencodable { char_index, byte_index, character, encoding: self };
            let code = coder.code(character).ok_or(missing)?;
            used = used.saturating_add(code.as_bytes().len() + usize::from(code.shifted != open));
            open = code.shifted;
            let end = used.saturating_add(usize::from(open));
            if end > max_bytes {
                return Ok(Fitted {
                    text: text.get(..byte_index).unwrap_or_default(),
                    bytes: closed,
                    cut: true,
                });
            }
            closed = end;
        }
        Ok(Fitted { text, bytes: closed, cut: false })
    }

    /// Bytes the encoding of `text` takes.
    ///
    /// # Errors
    /// [`Unencodable`] at the first character the encoding does not have.
    pub fn encoded_len(self, text: &str) -> Result<usize, Unencodable> {
        self.truncate_bytes(text, usize::MAX).map(|fitted| fitted.bytes)
    }

    /// Append a field of exactly `width` bytes: the text, filled up with blanks of the encoding. On an
    /// error `out` is as it was.
    ///
    /// # Errors
    /// A value that is too long is an error, never cut: call [`Encoding::truncate_bytes`] first to cut
    /// on purpose.
    pub fn encode_field(
        self,
        text: &str,
        width: usize,
        align: Align,
        policy: Unmappable,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, FieldError> {
        let start = out.len();
        let seen = self.encode_into(text, policy, out)?;
        let needed = out.len() - start;
        let Some(left) = width.checked_sub(needed) else {
            out.truncate(start);
            return Err(FieldError::TooLong { needed, width, encoding: self });
        };
        let blank = self.blank();
        if left % blank.len() != 0 {
            out.truncate(start);
            return Err(FieldError::Unfillable { left, encoding: self });
        }
        self.fill(left / blank.len(), needed, align, out);
        Ok(seen)
    }

    /// Append a field of exactly `width` characters, however many bytes they take. On an error `out` is
    /// as it was.
    ///
    /// # Errors
    /// As [`Encoding::encode_field`].
    pub fn encode_field_chars(
        self,
        text: &str,
        width: usize,
        align: Align,
        policy: Unmappable,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, FieldError> {
        let needed = text.chars().count();
        let Some(left) = width.checked_sub(needed) else {
            return Err(FieldError::TooLong { needed, width, encoding: self });
        };
        let start = out.len();
        let seen = self.encode_into(text, policy, out)?;
        self.fill(left, out.len() - start, align, out);
        Ok(seen)
    }

    /// Put `blanks` blanks after the last `text` bytes of `out`, or before them.
    fn fill(self, blanks: usize, text: usize, align: Align, out: &mut Vec<u8>) {
        let blank = self.blank();
        for _ in 0..blanks {
            out.extend_from_slice(blank);
        }
        if align == Align::Right
            && let Some(field) =
                out.len().checked_sub(blanks * blank.len() + text).and_then(|at| out.get_mut(at..))
        {
            field.rotate_right(blanks * blank.len());
        }
    }
}
