//! How elementary items are stored: kind and bytes.

use fenhe_text::Encoding;

use crate::copybook::{Category, Item, Picture, Usage};
use crate::options::{
    BinarySize, ByteOrder, CopybookOptions, Edited, Floats, NSymbol, PointerSize,
};

/// How an elementary item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Characters of the code page.
    Text,
    /// UTF-16, big-endian.
    National,
    /// Double-byte characters without shift bytes.
    Dbcs,
    /// A digit a byte.
    Zoned(ZonedSign),
    /// Two digits a byte, the last nibble is the sign.
    Packed {
        /// Whether the PICTURE has a sign.
        signed: bool,
    },
    /// Two digits a byte without a sign.
    PackedUnsigned,
    /// A binary integer.
    Binary {
        /// Two's complement.
        signed: bool,
        /// Most significant byte first.
        big: bool,
    },
    /// IBM hexadecimal floating point.
    HexFloat,
    /// IEEE 754 floating point.
    Float {
        /// Most significant byte first.
        big: bool,
    },
    /// A number with editing characters.
    Edited {
        /// The decimal point is `,`.
        comma: bool,
        /// A blank field is zero.
        blank_is_zero: bool,
        /// The sign is over the last digit.
        overpunched: bool,
        /// The picture has a decimal point, not only `V`.
        point: bool,
    },
    /// An address: bytes without meaning elsewhere.
    Opaque,
}

/// Where the sign of a zoned number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZonedSign {
    /// There is none.
    None,
    /// Over the first digit.
    Leading,
    /// Over the last digit.
    Trailing,
    /// Its own byte before the digits.
    LeadingSeparate,
    /// Its own byte after the digits.
    TrailingSeparate,
}

/// An elementary item's storage, its length in bytes, digits and scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) storage: Storage,
    pub(crate) bytes: u64,
    pub(crate) digits: u32,
    pub(crate) scale: i32,
    /// Boundary that SYNCHRONIZED asks for.
    pub(crate) align: u64,
}

/// How an item without subordinate items is stored. `Err` is a sentence about the entry.
pub(crate) fn stored(
    item: &Item,
    options: &CopybookOptions,
    page: Encoding,
    comma: bool,
) -> Result<Stored, String> {
    let big = options.native(page) == ByteOrder::Big;
    let plain = |storage, bytes, align| Stored { storage, bytes, digits: 0, scale: 0, align };
    let pointer = if options.pointer_size == PointerSize::Four { 4 } else { 8 };
    let float = match options.floats(page) {
        Floats::Ibm => Storage::HexFloat,
        Floats::Ieee754 => Storage::Float { big },
    };
    match (item.usage, &item.picture) {
        (Usage::Float, _) => Ok(plain(float, 4, 4)),
        (Usage::Double, _) => Ok(plain(float, 8, 8)),
        (Usage::Index, _) => Ok(number(plain(binary(true, big), pointer, pointer), 9, 0)),
        (Usage::Pointer, _) => Ok(plain(Storage::Opaque, pointer, pointer)),
        (Usage::Sized(bytes, signed), _) => {
            let bytes = u64::from(bytes);
            Ok(number(plain(binary(signed, big), bytes, bytes), digits_of(bytes), 0))
        }
        (_, None) => Err("the item needs a PICTURE".into()),
        (_, Some(picture)) => picture_stored(item, picture, options, big, comma),
    }
}

fn picture_stored(
    item: &Item,
    picture: &Picture,
    options: &CopybookOptions,
    big: bool,
    comma: bool,
) -> Result<Stored, String> {
    let size = u64::from(picture.size);
    let plain = |storage, bytes| Stored { storage, bytes, digits: 0, scale: 0, align: 1 };
    let numeric = picture.category == Category::Numeric;
    let computational = !matches!(item.usage, Usage::Display | Usage::National | Usage::Display1);
    if computational && !numeric {
        return match (item.usage, picture.category) {
            (Usage::CompX | Usage::Native, Category::Alphanumeric) if size <= 16 => {
                let order = item.usage == Usage::CompX || big;
                Ok(number(plain(binary(false, order), size), digits_of(size), 0))
            }
            _ => Err(format!("PICTURE {} does not go with {}", picture.text, item.usage.name())),
        };
    }
    if numeric {
        return Ok(number(
            numeric_stored(item, picture, options, big),
            picture.digits,
            picture.scale,
        ));
    }
    Ok(match picture.category {
        Category::National if national(item.usage, options) => plain(Storage::National, size * 2),
        Category::National | Category::Dbcs => plain(Storage::Dbcs, size * 2),
        _ if item.usage == Usage::National => plain(Storage::National, size * 2),
        Category::NumericEdited if options.edited == Edited::Number && !picture.inserts => {
            let point = picture.text.contains(if comma { ',' } else { '.' });
            let storage = Storage::Edited {
                comma,
                blank_is_zero: picture.blank_is_zero || item.blank_when_zero,
                overpunched: picture.overpunched,
                point,
            };
            number(plain(storage, size), picture.digits, picture.scale)
        }
        _ => plain(Storage::Text, size),
    })
}

fn numeric_stored(item: &Item, picture: &Picture, options: &CopybookOptions, big: bool) -> Stored {
    let digits = u64::from(picture.digits);
    let plain = |storage, bytes| Stored { storage, bytes, digits: 0, scale: 0, align: 1 };
    let signed = picture.signed;
    match item.usage {
        Usage::Packed => plain(Storage::Packed { signed }, digits / 2 + 1),
        Usage::PackedUnsigned => plain(Storage::PackedUnsigned, digits.div_ceil(2)),
        Usage::CompX => plain(binary(false, true), fewest_bytes(digits, false)),
        Usage::Binary | Usage::Native | Usage::LittleEndian => {
            let bytes = match options.binary_size {
                BinarySize::Minimal if item.usage == Usage::Binary => fewest_bytes(digits, signed),
                BinarySize::Gnu if digits <= 2 => 1,
                _ => binary_bytes(digits, signed),
            };
            let order = match item.usage {
                Usage::Native => big,
                Usage::LittleEndian => false,
                _ => true,
            };
            // IBM: halfword up to 4 digits, fullword for all others, the doubleword ones included.
            let align = if bytes >= 4 { 4 } else { bytes };
            Stored { align, ..plain(binary(signed, order), bytes) }
        }
        _ => {
            let (sign, extra) = zoned_sign(item, signed);
            plain(Storage::Zoned(sign), digits + extra)
        }
    }
}

fn zoned_sign(item: &Item, signed: bool) -> (ZonedSign, u64) {
    match item.sign {
        // A SIGN clause with SEPARATE takes its byte even where the S is missing.
        Some(sign) if sign.separate && sign.leading => (ZonedSign::LeadingSeparate, 1),
        Some(sign) if sign.separate => (ZonedSign::TrailingSeparate, 1),
        _ if !signed => (ZonedSign::None, 0),
        Some(sign) if sign.leading => (ZonedSign::Leading, 0),
        _ => (ZonedSign::Trailing, 0),
    }
}

fn national(usage: Usage, options: &CopybookOptions) -> bool {
    match usage {
        Usage::National => true,
        Usage::Display1 => false,
        _ => options.nsymbol == NSymbol::National,
    }
}

fn number(stored: Stored, digits: u32, scale: i32) -> Stored {
    Stored { digits, scale, ..stored }
}

fn binary(signed: bool, big: bool) -> Storage {
    Storage::Binary { signed, big }
}

/// IBM: 2, 4 or 8 bytes; above 18 digits (an extension) the fewest that hold them.
fn binary_bytes(digits: u64, signed: bool) -> u64 {
    match digits {
        0..=4 => 2,
        5..=9 => 4,
        10..=18 => 8,
        _ => fewest_bytes(digits, true).max(if signed { 9 } else { 8 }),
    }
}

/// The fewest bytes that hold this many digits.
fn fewest_bytes(digits: u64, signed: bool) -> u64 {
    let most =
        10u128.checked_pow(u32::try_from(digits).unwrap_or(u32::MAX)).map_or(u128::MAX, |n| n - 1);
    let bits = u64::from(128 - most.leading_zeros()) + u64::from(signed);
    bits.div_ceil(8).clamp(1, 16)
}

/// Digits of the greatest unsigned number of this many bytes.
fn digits_of(bytes: u64) -> u32 {
    match bytes {
        0 | 1 => 3,
        2 => 5,
        4 => 10,
        8 => 20,
        n => u32::try_from(n * 241 / 100 + 1).unwrap_or(38).min(38),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_lengths_follow_the_digits() {
        let lengths: Vec<u64> =
            [1, 4, 5, 9, 10, 18, 19, 20, 28, 37].map(|d| binary_bytes(d, true)).to_vec();
        assert_eq!(lengths, [2, 2, 4, 4, 8, 8, 9, 9, 12, 16]);
        let fewest: Vec<u64> = (1..=18).map(|d| fewest_bytes(d, false)).collect();
        assert_eq!(fewest, [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8]);
    }
}
