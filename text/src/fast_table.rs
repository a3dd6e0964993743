//! The tables behind the fast road, for columns that decode straight into their own buffer.

use fenhe_kernels::{DoubleByteTable, SingleByteTable};

use crate::encoding::{Encoding, PrivateUse};
use crate::pages::Kind;
use crate::{double, single};

/// A kernels' table that decodes most fields of an encoding by itself.
///
/// Where the table succeeds, its text is that of [`Encoding::decode_into`] under
/// [`Invalid::Reject`](crate::Invalid::Reject); where it fails, ask that method: the field may still be good (four-byte
/// codes, private use).
#[derive(Clone, Copy, Debug)]
pub enum FastTable {
    /// For `push_single_byte`.
    Single(&'static SingleByteTable),
    /// For `push_double_byte`.
    Double(&'static DoubleByteTable),
}

impl Encoding {
    /// The table for the fast road; `None` for encodings that have none (UTF-8 needs none).
    #[must_use]
    pub fn fast_table(self) -> Option<FastTable> {
        match self.kind() {
            Kind::Double(family) => Some(FastTable::Double(&double::tables(family).forward)),
            Kind::Single(number) if self.private_use() == PrivateUse::Accept => {
                single::page(number).map(|page| FastTable::Single(&page.table))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fenhe_kernels::Utf8Buf;

    #[test]
    fn where_a_table_succeeds_the_text_is_that_of_the_decoder() {
        for encoding in Encoding::all() {
            let Some(table) = encoding.fast_table() else { continue };
            for code in 0..=0xFFFFu16 {
                let bytes = code.to_be_bytes();
                let mut out = Utf8Buf::default();
                let pushed = match table {
                    FastTable::Single(table) => out.push_single_byte(&bytes, table),
                    FastTable::Double(table) => out.push_double_byte(&bytes, table),
                };
                if pushed.is_ok() {
                    assert_eq!(encoding.decode(&bytes).as_deref(), Ok(out.as_str()), "{encoding} {code:04X}");
                }
            }
        }
    }
}
