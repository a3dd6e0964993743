//! Packed decimal (COMP-3, COMP-6) kernels.

use fenhe_kernels::swar::{bcd, packed, packed_wide};

use super::{Places, by_length, each};

/// COMP-3 of up to 8 bytes; `None` when there is no kernel.
pub(super) fn signed(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    signed: bool,
    out: &mut Vec<i64>,
) -> Option<u64> {
    let errors = by_length!(length, narrow(raw, places, out), 1 2 3 4 5 6 7 8)?;
    // A number without sign that has one is looked at again.
    let negative = !signed && out.iter().fold(0, |all, v| all | v) < 0;
    Some(errors | u64::from(negative))
}

/// COMP-3 of 9 to 16 bytes.
pub(super) fn signed_wide(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    signed: bool,
    out: &mut Vec<i128>,
) -> Option<u64> {
    let errors = by_length!(length, wide(raw, places, out), 9 10 11 12 13 14 15 16)?;
    let negative = !signed && out.iter().any(|v| *v < 0);
    Some(errors | u64::from(negative))
}

/// COMP-6 of up to 8 bytes.
pub(super) fn unsigned(
    raw: &[u8],
    places: Places<'_>,
    length: usize,
    out: &mut Vec<i64>,
) -> Option<u64> {
    by_length!(length, digits(raw, places, out), 1 2 3 4 5 6 7 8)
}

fn narrow<const N: usize>(raw: &[u8], places: Places<'_>, out: &mut Vec<i64>) -> u64 {
    let mut errors = 0;
    let whole = each::<N>(raw, places, |field| {
        let number = packed(field);
        errors |= number.errors;
        out.push(number.value);
    });
    errors | u64::from(!whole)
}

fn wide<const N: usize>(raw: &[u8], places: Places<'_>, out: &mut Vec<i128>) -> u64 {
    let mut errors = 0;
    let whole = each::<N>(raw, places, |field| {
        let number = packed_wide(field);
        errors |= number.errors;
        out.push(number.value);
    });
    errors | u64::from(!whole)
}

fn digits<const N: usize>(raw: &[u8], places: Places<'_>, out: &mut Vec<i64>) -> u64 {
    let mut errors = 0;
    let whole = each::<N>(raw, places, |field| {
        let number = bcd(field);
        errors |= number.errors;
        out.push(number.value.cast_signed());
    });
    errors | u64::from(!whole)
}
