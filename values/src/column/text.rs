//! Text in any encoding.

use arrow_array::StringArray;
use fenhe_kernels::{AppendError, Pools, StringColumn, Utf8Buf, Validated};
use fenhe_text::{Decoded, Encoding, Invalid, Table};

use crate::fault::FaultKind;

/// A column of text and the quickest way into it.
#[derive(Debug)]
pub(super) struct TextColumn {
    column: StringColumn,
    encoding: Encoding,
    road: Option<Table>,
    /// Fields that need the thorough decoder.
    scratch: Utf8Buf,
}

/// Bytes of a row for which there is room at first: a recycled buffer instead of one that grows from nothing.
const FIRST_BYTES: usize = 16;

impl TextColumn {
    pub(super) fn new(encoding: Encoding, pools: &Pools, rows: usize) -> Self {
        let column = StringColumn::new(pools, rows, rows.saturating_mul(FIRST_BYTES));
        Self { column, encoding, road: encoding.table(), scratch: Utf8Buf::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.column.len()
    }

    pub(super) fn append_null(&mut self) {
        self.column.append_null();
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.column.truncate(rows);
    }

    pub(super) fn finish(&mut self) -> StringArray {
        self.column.finish()
    }

    /// Whether a checked window may be copied from.
    pub(super) fn takes_windows(&self) -> bool {
        matches!(self.road, Some(Table::Utf8))
    }

    /// `window[start..end]`; its ends may be wrong (a fixed-width field that cuts a character).
    #[inline]
    pub(super) fn append_window(
        &mut self,
        window: Validated<'_>,
        start: usize,
        end: usize,
    ) -> Result<(), AppendError> {
        self.column.append_validated(window, start..end)
    }

    /// Appends the text of some bytes by the fast road.
    #[inline]
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), AppendError> {
        match self.road {
            Some(Table::Utf8) => self.column.append_utf8(bytes),
            Some(Table::Double(table)) => self.column.append_double_byte(bytes, table),
            Some(Table::Single(table)) => self.column.append_single_byte(bytes, table),
            Some(Table::Ascii) => self.column.append_ascii(bytes),
            None => Err(AppendError::Invalid { at: 0 }),
        }
    }

    /// Appends what the fast road could not, by the policy; when the result says so, a null has to follow.
    #[cold]
    pub(super) fn append_thorough(
        &mut self,
        bytes: &[u8],
        policy: Invalid,
    ) -> Result<Decoded, FaultKind> {
        self.scratch.clear();
        let decoded = self
            .encoding
            .decode_into(bytes, policy, &mut self.scratch)
            .map_err(|_| FaultKind::BadCharacters)?;
        if !decoded.null {
            self.column.append_str(self.scratch.as_str()).map_err(|_| FaultKind::ColumnFull)?;
        }
        Ok(decoded)
    }
}
