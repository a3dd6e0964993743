//! The fast road of an encoding, for column kernels that ask once a column instead of once a value.

use fenhe_kernels::{DoubleByteTable, SingleByteTable};

use crate::encoding::{Encoding, PrivateUse};
use crate::pages::Kind;
use crate::{double, single};

/// How most values of an encoding can be copied. What a table does not hold (four-byte codes, private use, errors)
/// is for [`Encoding::decode_into`].
#[derive(Clone, Copy, Debug)]
pub enum Table {
    /// Bytes below 80 are the text; all others are errors.
    Ascii,
    /// The bytes are the text once they are checked.
    Utf8,
    /// One byte a character.
    Single(&'static SingleByteTable),
    /// ASCII and pairs.
    Double(&'static DoubleByteTable),
}

impl Encoding {
    /// The table to copy most values with; `None` where there is no such road (UTF-16, UTF-32, mixed EBCDIC, and
    /// private use refused outside the double-byte pages).
    #[must_use]
    pub fn table(self) -> Option<Table> {
        let strict = self.private_use() == PrivateUse::Refuse;
        match self.kind() {
            Kind::Ascii => Some(Table::Ascii),
            Kind::Double(family) => Some(Table::Double(&double::tables(family).forward)),
            _ if strict => None,
            Kind::Utf8 => Some(Table::Utf8),
            Kind::Single(number) => single::page(number).map(|page| Table::Single(&page.table)),
            Kind::Utf16 { .. } | Kind::Utf32 { .. } | Kind::Shifted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use fenhe_kernels::Utf8Buf;

    use super::*;

    #[test]
    fn the_fast_road_and_the_strict_one_agree() {
        let mut text = Utf8Buf::default();
        let Some(Table::Double(table)) = Encoding::GBK.table() else { panic!("GBK has pairs") };
        text.push_double_byte(b"\xD6\xD0\xB9\xFAa", table).unwrap();
        assert_eq!(text.as_str(), Encoding::GBK.decode(b"\xD6\xD0\xB9\xFAa").unwrap());
        assert!(Encoding::UTF_16LE.table().is_none());
        assert!(Encoding::UTF_8.with_private_use(PrivateUse::Refuse).table().is_none());
    }
}
