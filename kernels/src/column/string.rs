use std::ops::Range;

use arrow_array::StringArray;
use arrow_buffer::OffsetBuffer;

use super::bits::Bits;
use super::{AppendError, Full};
use crate::pool::Pools;
use crate::simd::Simd;
use crate::table::{DoubleByteTable, SingleByteTable};
use crate::utf8::{EvenFields, Utf8Buf, Validated};

/// What 32-bit offsets can address. Small in tests, which cannot afford 2 GiB.
const MAX_TEXT: usize = if cfg!(test) { 1 << 16 } else { i32::MAX as usize };

/// A column of text, made without a second validation.
///
/// A value is either appended whole (`append_…`), or written piece by piece (`push_…`) and then ended with
/// [`end_value`](Self::end_value) or given up with [`rollback_value`](Self::rollback_value). An `append_…` includes the
/// pieces pushed since the last value ended.
///
/// ```
/// use fenhe_kernels::{AppendError, Pools, StringColumn};
///
/// let mut names = StringColumn::new(&Pools::default(), 8192, 1 << 16);
/// names.append_str("张伟")?;
/// names.append_null();
/// assert_eq!(names.append_ascii("é".as_bytes()), Err(AppendError::Invalid { at: 0 }));
/// let array = names.finish();
/// assert_eq!(array.iter().collect::<Vec<_>>(), [Some("张伟"), None]);
/// # Ok::<(), AppendError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StringColumn {
    text: Utf8Buf,
    /// Invariant: starts with 0, never falls, every entry is a character boundary of `text`.
    offsets: Vec<i32>,
    present: Bits,
    pools: Pools,
}

impl StringColumn {
    /// An empty column with room for `rows` values of `bytes` bytes of UTF-8 together.
    #[must_use]
    pub fn new(pools: &Pools, rows: usize, bytes: usize) -> Self {
        let mut offsets = pools.of::<i32>().get(rows.saturating_add(1));
        offsets.push(0);
        let text = Utf8Buf::reusing(pools.of::<u8>().get(bytes));
        Self { text, offsets, present: Bits::new(pools, rows), pools: pools.clone() }
    }

    /// Rows ended.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// Whether no row was ended.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of text in the rows ended.
    #[inline]
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.end()
    }

    /// What was pushed since the last value ended.
    #[must_use]
    pub fn open_value(&self) -> &str {
        self.text.as_str().get(self.end()..).unwrap_or_default()
    }

    /// Ends the value that was pushed.
    ///
    /// # Errors
    /// [`Full`]: the value ends beyond 2 GiB; it is rolled back.
    #[inline]
    pub fn end_value(&mut self) -> Result<(), Full> {
        if self.text.len() > MAX_TEXT {
            return Err(self.refuse());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "at most MAX_TEXT, which fits"
        )]
        let end = self.text.len() as i32;
        self.offsets.push(end);
        self.present.push(true);
        Ok(())
    }

    /// Forgets what was pushed since the last value ended.
    #[inline]
    pub fn rollback_value(&mut self) {
        let kept = self.text.truncate(self.end());
        debug_assert!(kept, "offsets are character boundaries");
    }

    /// Adds an absent value; what was pushed since the last value ended is forgotten.
    #[inline]
    pub fn append_null(&mut self) {
        self.rollback_value();
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
        self.present.push(false);
    }

    /// Adds text.
    ///
    /// # Errors
    /// [`Full`]; the value is not added.
    #[inline]
    pub fn append_str(&mut self, value: &str) -> Result<(), Full> {
        self.text.push_str(value);
        self.end_value()
    }

    /// Adds text that may be absent.
    ///
    /// # Errors
    /// See [`append_str`](Self::append_str).
    #[inline]
    pub fn append_option(&mut self, value: Option<&str>) -> Result<(), Full> {
        match value {
            Some(value) => self.append_str(value)?,
            None => self.append_null(),
        }
        Ok(())
    }

    /// Adds bytes that must be ASCII.
    ///
    /// # Errors
    /// See [`AppendError`]; the value is not added.
    #[inline]
    pub fn append_ascii(&mut self, value: &[u8]) -> Result<(), AppendError> {
        let pushed = self.text.push_ascii(value);
        self.close(pushed)
    }

    /// Adds `window[range]`, which must be ASCII; quickest with 16 bytes of window behind the start of the range.
    ///
    /// # Errors
    /// See [`AppendError`]; the value is not added.
    ///
    /// # Panics
    /// If the range is not within the window.
    #[inline]
    pub fn append_ascii_in(
        &mut self,
        window: &[u8],
        range: Range<usize>,
    ) -> Result<(), AppendError> {
        let pushed = self.text.push_ascii_in(window, range);
        self.close(pushed)
    }

    /// Adds a field of many records, each without the bytes `pad` at its end and with each byte replaced by
    /// `table[byte]`. What was pushed since the last value ended is forgotten.
    ///
    /// All or nothing: false, and nothing is added, when a byte is not ASCII after the replacement, a field is not
    /// within the window, or the column cannot hold all of them at their full length.
    ///
    /// ```
    /// use fenhe_kernels::{EvenFields, Pools, StringColumn};
    ///
    /// let mut names = StringColumn::new(&Pools::default(), 2, 16);
    /// let fields = EvenFields { window: b"1LI  2WANG", first: 1, stride: 5, rows: 2, length: 4 };
    /// assert!(names.append_fields(fields, Some(b' '), None));
    /// assert_eq!(names.finish().iter().flatten().collect::<Vec<_>>(), ["LI", "WANG"]);
    /// ```
    #[must_use = "false: nothing was added"]
    pub fn append_fields(
        &mut self,
        fields: EvenFields<'_>,
        pad: Option<u8>,
        table: Option<&[u8; 256]>,
    ) -> bool {
        self.rollback_value();
        let Self { text, offsets, present, .. } = self;
        let done = text.push_fields(Simd::detect(), fields, pad, table, MAX_TEXT, offsets);
        if done {
            present.push_many(true, fields.rows);
        }
        done
    }

    /// Adds bytes that must be valid UTF-8.
    ///
    /// # Errors
    /// See [`AppendError`]; the value is not added.
    #[inline]
    pub fn append_utf8(&mut self, value: &[u8]) -> Result<(), AppendError> {
        let pushed = self.text.push_utf8(value);
        self.close(pushed)
    }

    /// Adds a part of a window that was checked before.
    ///
    /// # Errors
    /// [`AppendError::Invalid`] with the end of the range that is inside a character or outside the window, or
    /// [`AppendError::Full`]; the value is not added.
    #[inline]
    pub fn append_validated(
        &mut self,
        window: Validated<'_>,
        range: Range<usize>,
    ) -> Result<(), AppendError> {
        let pushed = self.text.push_validated(window, range);
        self.close(pushed)
    }

    /// Adds bytes of a one-byte code page.
    ///
    /// # Errors
    /// See [`AppendError`]; the value is not added.
    #[inline]
    pub fn append_single_byte(
        &mut self,
        value: &[u8],
        table: &SingleByteTable,
    ) -> Result<(), AppendError> {
        let pushed = self.text.push_single_byte(value, table);
        self.close(pushed)
    }

    /// Adds bytes of a two-byte code page.
    ///
    /// # Errors
    /// See [`AppendError`]; the value is not added. To go on after a character that the table does not hold, use
    /// [`push_double_byte`](Self::push_double_byte).
    #[inline]
    pub fn append_double_byte(
        &mut self,
        value: &[u8],
        table: &DoubleByteTable,
    ) -> Result<(), AppendError> {
        let pushed = self.text.push_double_byte(value, table);
        self.close(pushed)
    }

    /// Takes back all rows from `rows` on, and what was pushed since the last value ended.
    pub fn truncate(&mut self, rows: usize) {
        if rows < self.len() {
            self.offsets.truncate(rows + 1);
            self.present.truncate(rows);
        }
        self.rollback_value();
    }

    /// Makes an array of the rows and starts again; what was pushed since the last value ended is forgotten.
    pub fn finish(&mut self) -> StringArray {
        self.rollback_value();
        let fresh = Self::new(&self.pools, self.len(), self.text.len());
        let Self { text, offsets, mut present, pools } = std::mem::replace(self, fresh);
        // Also after a panic in the middle of an append.
        assert_eq!(offsets.len(), present.len() + 1, "one offset a row, and the end");
        let offsets = pools.of::<i32>().freeze_scalar(offsets);
        let values = pools.of::<u8>().freeze(text.into_bytes());
        let nulls = present.finish_nulls();
        debug_assert!(
            StringArray::try_new(OffsetBuffer::new(offsets.clone()), values.clone(), nulls.clone())
                .is_ok()
        );
        // SAFETY: `offsets` starts with 0 and never falls, because each entry was the length of `text` when its row
        // ended and `text` is never cut below the last entry; so it is a valid offset buffer whose last entry is within
        // `values`. `values` is the content of a Utf8Buf, which is valid UTF-8, and each entry was the length of such
        // a buffer, hence a character boundary. `nulls` has one bit for each `offsets.push` after the first.
        unsafe { StringArray::new_unchecked(OffsetBuffer::new_unchecked(offsets), values, nulls) }
    }

    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "offsets are never negative")]
    fn end(&self) -> usize {
        self.offsets.last().map_or(0, |end| *end as usize)
    }

    #[inline(always)]
    fn close(&mut self, pushed: Result<(), usize>) -> Result<(), AppendError> {
        match pushed {
            Ok(()) => Ok(self.end_value()?),
            Err(at) => {
                self.rollback_value();
                Err(AppendError::Invalid { at })
            }
        }
    }

    #[cold]
    fn refuse(&mut self) -> Full {
        self.rollback_value();
        Full
    }
}

/// Writing a value piece by piece. Errors are those of the method of the same name of [`Utf8Buf`].
impl StringColumn {
    /// Writes text.
    #[inline]
    pub fn push_str(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Writes a character.
    #[inline]
    pub fn push_char(&mut self, character: char) {
        self.text.push_char(character);
    }

    /// Writes bytes that must be ASCII.
    ///
    /// # Errors
    /// See [`Utf8Buf::push_ascii`].
    #[inline]
    pub fn push_ascii(&mut self, piece: &[u8]) -> Result<(), usize> {
        self.text.push_ascii(piece)
    }

    /// Writes bytes that must be valid UTF-8.
    ///
    /// # Errors
    /// See [`Utf8Buf::push_utf8`].
    #[inline]
    pub fn push_utf8(&mut self, piece: &[u8]) -> Result<(), usize> {
        self.text.push_utf8(piece)
    }

    /// Writes a part of a window that was checked before.
    ///
    /// # Errors
    /// See [`Utf8Buf::push_validated`].
    #[inline]
    pub fn push_validated(
        &mut self,
        window: Validated<'_>,
        range: Range<usize>,
    ) -> Result<(), usize> {
        self.text.push_validated(window, range)
    }

    /// Writes bytes of a one-byte code page.
    ///
    /// # Errors
    /// See [`Utf8Buf::push_single_byte`]: what stands before the failure is written.
    #[inline]
    pub fn push_single_byte(&mut self, piece: &[u8], table: &SingleByteTable) -> Result<(), usize> {
        self.text.push_single_byte(piece, table)
    }

    /// Writes bytes of a two-byte code page.
    ///
    /// # Errors
    /// See [`Utf8Buf::push_double_byte`]: what stands before the failure is written.
    #[inline]
    pub fn push_double_byte(&mut self, piece: &[u8], table: &DoubleByteTable) -> Result<(), usize> {
        self.text.push_double_byte(piece, table)
    }
}

#[cfg(test)]
mod tests;
