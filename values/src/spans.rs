//! Where the fields of one column stand in a block of records.

use fenhe_kernels::Validated;

use crate::fault::FaultMask;

/// The bytes of a block.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Bytes of the field's encoding, not checked yet.
    Bytes(&'a [u8]),
    /// A window of UTF-8 that was checked once for all columns: text is copied without looking at it again.
    Utf8(Validated<'a>),
}

impl<'a> Source<'a> {
    /// The bytes.
    #[must_use]
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Utf8(window) => window.as_bytes(),
        }
    }
}

/// The places of one field in the records of a block. Row `i` is the field in record `i`.
///
/// A field that a record does not have is a place outside the source, by convention one that ends at
/// [`Spans::MISSING`]: it becomes a null, or a fault when the field is required.
#[derive(Clone, Copy, Debug)]
pub enum Spans<'a> {
    /// Places in two lists, for delimited records: row `i` is `starts[k] + skip .. ends[k]` with `k = first + i * stride`.
    ///
    /// `starts` may be the list of delimiters before the fields and `ends` the same list one entry on, with `skip` 1 (the
    /// addition wraps, so the delimiter before byte 0 is `u32::MAX`).
    Listed {
        /// Places before or at the first byte.
        starts: &'a [u32],
        /// Places behind the last byte.
        ends: &'a [u32],
        /// Added to each start.
        skip: u32,
        /// Index of the first row's entry.
        first: usize,
        /// Entries from one record to the next.
        stride: usize,
        /// Rows.
        rows: usize,
    },
    /// The same place in each record of a fixed length.
    Fixed {
        /// Where the field of the first record starts.
        first: usize,
        /// Bytes from one record to the next.
        record: usize,
        /// Length of the field in bytes.
        length: usize,
        /// Rows.
        rows: usize,
    },
}

impl<'a> Spans<'a> {
    /// The end of a field that the record does not have.
    pub const MISSING: u32 = u32::MAX;

    /// The end of an empty text that is no null, whatever the null spellings say (`""` in a delimited file). For a column
    /// that is not text it is a field without a value.
    pub const EMPTY: u32 = u32::MAX - 1;

    /// One start and one end a row.
    #[must_use]
    pub fn each(starts: &'a [u32], ends: &'a [u32]) -> Self {
        Self::Listed {
            starts,
            ends,
            skip: 0,
            first: 0,
            stride: 1,
            rows: starts.len().min(ends.len()),
        }
    }

    /// The number of rows.
    #[must_use]
    #[inline]
    pub fn rows(&self) -> usize {
        match *self {
            Self::Listed { rows, .. } | Self::Fixed { rows, .. } => rows,
        }
    }

    /// Start and end of a row, not checked against the source.
    #[must_use]
    #[inline(always)]
    pub fn span(&self, row: usize) -> (usize, usize) {
        match *self {
            Self::Listed { starts, ends, skip, first, stride, .. } => {
                let at = first.wrapping_add(row.wrapping_mul(stride));
                match (starts.get(at), ends.get(at)) {
                    (Some(&start), Some(&end)) => (start.wrapping_add(skip) as usize, end as usize),
                    _ => (0, usize::MAX),
                }
            }
            Self::Fixed { first, record, length, .. } => {
                let start = first.wrapping_add(row.wrapping_mul(record));
                (start, start.wrapping_add(length))
            }
        }
    }

    /// The bytes of a row; `None` when the record has no such field.
    #[must_use]
    #[inline(always)]
    pub fn field<'s>(&self, source: &'s [u8], row: usize) -> Option<&'s [u8]> {
        let (start, end) = self.span(row);
        source.get(start..end)
    }

    /// Whether the row is an empty text that is no null ([`Spans::EMPTY`]).
    #[must_use]
    pub fn is_empty_text(&self, row: usize) -> bool {
        self.span(row).1 == Self::EMPTY as usize
    }

    /// The places of the rows that are not marked, in two lists: for the second pass over a block with faults.
    pub fn keep(&self, rejected: &FaultMask, starts: &mut Vec<u32>, ends: &mut Vec<u32>) {
        starts.clear();
        ends.clear();
        for row in (0..self.rows()).filter(|row| !rejected.contains(*row)) {
            let (start, end) = self.span(row);
            starts.push(u32::try_from(start).unwrap_or(0));
            ends.push(u32::try_from(end).unwrap_or(Self::MISSING));
        }
    }
}
