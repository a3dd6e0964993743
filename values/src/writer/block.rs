//! Fields of one column, one behind the other.

use crate::fault::FaultKind;

/// The spelled fields of one column of a block of rows. Formats fill one a column and then go through the rows.
#[derive(Clone, Debug, Default)]
pub struct TextBlock {
    bytes: Vec<u8>,
    /// Where each field ends; the highest bit marks nulls.
    ends: Vec<u32>,
    last_fault: Option<FaultKind>,
}

const NULL: u32 = 1 << 31;

impl TextBlock {
    /// An empty block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.last_fault = None;
    }

    /// The number of fields.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a field: empty for a field with a fault, the spelling of null for a null.
    #[must_use]
    #[inline]
    pub fn field(&self, row: usize) -> &[u8] {
        let end = |row: usize| self.ends.get(row).map_or(0, |end| (end & !NULL) as usize);
        let start = row.checked_sub(1).map_or(0, end);
        self.bytes.get(start..end(row)).unwrap_or_default()
    }

    /// Whether the field is a null.
    #[must_use]
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.ends.get(row).is_some_and(|end| end & NULL != 0)
    }

    /// All fields in order, and whether each is a null.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], bool)> + '_ {
        (0..self.rows()).map(|row| (self.field(row), self.is_null(row)))
    }

    pub(super) fn last_fault(&self) -> Option<FaultKind> {
        self.last_fault
    }

    #[inline]
    pub(super) fn open(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was written since the last field ended.
    #[inline]
    pub(super) fn opened(&self) -> &[u8] {
        self.bytes.get(self.start()..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn end(&mut self) {
        match u32::try_from(self.bytes.len()) {
            Ok(end) if end < NULL => self.ends.push(end),
            _ => self.end_fault(FaultKind::ColumnFull),
        }
    }

    pub(super) fn end_null(&mut self, spelling: &[u8]) {
        self.bytes.extend_from_slice(spelling);
        self.end();
        if let Some(end) = self.ends.last_mut() {
            *end |= NULL;
        }
    }

    #[cold]
    pub(super) fn end_fault(&mut self, kind: FaultKind) {
        let start = self.start();
        self.bytes.truncate(start);
        self.ends.push(u32::try_from(start).unwrap_or(0));
        self.last_fault = Some(kind);
    }

    fn start(&self) -> usize {
        self.ends.last().map_or(0, |end| (end & !NULL) as usize)
    }
}
