//! Zoned decimal (DISPLAY) kernels.

use fenhe_kernels::swar::{
    Number, ascii_digits, zoned, zoned_signed, zoned_signed_wide, zoned_wide,
};

use super::{Places, by_length, each};
use crate::storage::ZonedSign;

/// EBCDIC fields of up to 18 digits; `None` when there is no kernel for them.
pub(super) fn ebcdic(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    sign: ZonedSign,
    out: &mut Vec<i64>,
) -> Option<u64> {
    match sign {
        ZonedSign::None => {
            by_length!(length, plain(raw, places, out), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
        }
        ZonedSign::Trailing => {
            by_length!(length, signed(raw, places, out), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
        }
        _ => None,
    }
}

/// EBCDIC fields of 19 to 31 digits.
pub(super) fn ebcdic_wide(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    sign: ZonedSign,
    out: &mut Vec<i128>,
) -> Option<u64> {
    match sign {
        ZonedSign::None => {
            by_length!(length, plain_wide(raw, places, out), 19 20 21 22 23 24 25 26 27 28 29 30 31)
        }
        ZonedSign::Trailing => {
            by_length!(length, signed_wide(raw, places, out), 19 20 21 22 23 24 25 26 27 28 29 30 31)
        }
        _ => None,
    }
}

/// Unsigned ASCII fields of up to 16 digits.
pub(super) fn ascii(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    sign: ZonedSign,
    out: &mut Vec<i64>,
) -> Option<u64> {
    match sign {
        ZonedSign::None => {
            by_length!(length, ascii_plain(raw, places, out), 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
        }
        _ => None,
    }
}

macro_rules! kernels {
    ($($name:ident $type:ty = $kernel:ident;)*) => {$(
        fn $name<const N: usize>(raw: &[u8], places: Places<'_>, out: &mut Vec<$type>) -> u64 {
            let mut errors = 0;
            let whole = each::<N>(raw, places, |field| {
                let Number { value, errors: wrong } = $kernel(field);
                errors |= wrong;
                out.push(value as $type);
            });
            errors | u64::from(!whole)
        }
    )*};
}

kernels! {
    plain i64 = zoned;
    signed i64 = zoned_signed;
    plain_wide i128 = zoned_wide;
    signed_wide i128 = zoned_signed_wide;
    ascii_plain i64 = ascii_digits;
}
