//! Fixed-width text: trimming, and translating a code page byte by byte.

use crate::simd::Simd;

/// `field` without the `pad` bytes at its end.
#[inline]
#[must_use]
pub fn trim_end(field: &[u8], pad: u8) -> &[u8] {
    let keep = field.iter().rposition(|byte| *byte != pad).map_or(0, |last| last + 1);
    &field[..keep]
}

/// `field` without the `pad` bytes at its start.
#[inline]
#[must_use]
pub fn trim_start(field: &[u8], pad: u8) -> &[u8] {
    let skip = field.iter().position(|byte| *byte != pad).unwrap_or(field.len());
    &field[skip..]
}

/// Writes `table[byte]` for each byte of `source` to the same place of `target`.
///
/// # Panics
/// If the two do not have the same length.
pub fn translate(source: &[u8], table: &[u8; 256], target: &mut [u8]) {
    translate_with(Simd::detect(), source, table, target);
}

/// [`translate`] on a chosen instruction set.
///
/// # Panics
/// If the two do not have the same length.
pub fn translate_with(simd: Simd, source: &[u8], table: &[u8; 256], target: &mut [u8]) {
    target.copy_from_slice(source);
    translate_in_place_with(simd, target, table);
}

/// Replaces each byte by `table[byte]`.
pub fn translate_in_place(bytes: &mut [u8], table: &[u8; 256]) {
    translate_in_place_with(Simd::detect(), bytes, table);
}

/// [`translate_in_place`] on a chosen instruction set.
pub fn translate_in_place_with(_simd: Simd, bytes: &mut [u8], table: &[u8; 256]) {
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}
