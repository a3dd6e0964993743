//! Binary integer kernels.

use super::{Places, each};

/// 1, 2, 4 or 8 bytes; `None` when there is no kernel. Unsigned 8 bytes keep their bits.
pub(super) fn narrow(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    signed: bool,
    big: bool,
    out: &mut Vec<i64>,
) -> Option<u64> {
    macro_rules! kernel {
        ($n:literal, $type:ty, $read:ident) => {
            each::<$n>(raw, places, |field| out.push(<$type>::$read(*field) as i64))
        };
    }
    let whole = match (length, signed, big) {
        (1, true, _) => kernel!(1, i8, from_be_bytes),
        (1, false, _) => kernel!(1, u8, from_be_bytes),
        (2, true, true) => kernel!(2, i16, from_be_bytes),
        (2, true, false) => kernel!(2, i16, from_le_bytes),
        (2, false, true) => kernel!(2, u16, from_be_bytes),
        (2, false, false) => kernel!(2, u16, from_le_bytes),
        (4, true, true) => kernel!(4, i32, from_be_bytes),
        (4, true, false) => kernel!(4, i32, from_le_bytes),
        (4, false, true) => kernel!(4, u32, from_be_bytes),
        (4, false, false) => kernel!(4, u32, from_le_bytes),
        (8, true, true) => kernel!(8, i64, from_be_bytes),
        (8, true, false) => kernel!(8, i64, from_le_bytes),
        (8, false, true) => kernel!(8, u64, from_be_bytes),
        (8, false, false) => kernel!(8, u64, from_le_bytes),
        _ => return None,
    };
    Some(u64::from(!whole))
}
