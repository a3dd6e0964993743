//! Where the bits of `_NullFlags` stand.
//!
//! Columns are walked in order: a V or Q column takes a bit for its varying length, a nullable column one for null; a
//! nullable V or Q takes both, length first. Bits fill each byte from the lowest.

use crate::header::Header;

/// A bit of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bit {
    /// Byte of the record.
    pub(crate) byte: usize,
    /// Mask within it.
    pub(crate) mask: u8,
}

/// The bits of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    /// Set: the value is absent.
    pub(crate) null: Option<Bit>,
    /// Set: the value is shorter than the field, whose last byte is its length.
    pub(crate) short: Option<Bit>,
}

impl Bit {
    #[inline]
    pub(crate) fn is_set(self, record: &[u8]) -> bool {
        record.get(self.byte).is_some_and(|b| b & self.mask != 0)
    }

    pub(crate) fn set(self, record: &mut [u8]) {
        if let Some(byte) = record.get_mut(self.byte) {
            *byte |= self.mask;
        }
    }
}

const NULLABLE: u8 = 0x02;

/// The bits of every field of the header, in the order of fields.
pub(crate) fn assign(header: &Header) -> Vec<Bits> {
    let Some(flags) = header.fields.iter().find(|f| f.kind == b'0') else {
        return vec![Bits::default(); header.fields.len()];
    };
    let mut next = 0usize;
    let mut take = || {
        let (byte, mask) = (next / 8, 1u8 << (next % 8));
        next += 1;
        (byte < flags.length).then(|| Bit { byte: flags.offset + byte, mask })
    };
    let each = |field: &crate::header::Descriptor| {
        let short = if matches!(field.kind, b'V' | b'Q') { take() } else { None };
        let null = if field.kind != b'0' && field.flags & NULLABLE != 0 { take() } else { None };
        Bits { null, short }
    };
    header.fields.iter().map(each).collect()
}

/// Bits that fields of these kinds and flags need.
pub(crate) fn count(fields: impl Iterator<Item = (u8, u8)>) -> usize {
    fields
        .filter(|(kind, _)| *kind != b'0')
        .map(|(kind, flags)| {
            usize::from(matches!(kind, b'V' | b'Q')) + usize::from(flags & NULLABLE != 0)
        })
        .sum()
}
