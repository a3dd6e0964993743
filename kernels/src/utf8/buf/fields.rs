//! Text of many records at once: fields of one length at even distances, trimmed, copied and translated.

use std::mem::MaybeUninit;

use super::Utf8Buf;
use crate::gather::{translate_in_place_with, trim_end};
#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::simd::Level;
use crate::simd::Simd;

/// Bytes of one step.
const STEP: usize = 16;

/// Longest field that is copied in whole steps whatever it holds.
const LONGEST: usize = 4 * STEP;

/// The same field of evenly spaced records.
#[derive(Clone, Copy, Debug)]
pub struct EvenFields<'a> {
    /// The records.
    pub window: &'a [u8],
    /// Where the field of the first record begins.
    pub first: usize,
    /// From the start of one field to that of the next.
    pub stride: usize,
    /// How many records there are.
    pub rows: usize,
    /// Bytes of the field.
    pub length: usize,
}

impl<'a> EvenFields<'a> {
    /// Whether every field is within the window.
    fn are_inside(&self) -> bool {
        let last = self.rows.saturating_sub(1).checked_mul(self.stride);
        let end = last.and_then(|l| l.checked_add(self.first)?.checked_add(self.length));
        self.rows == 0 || end.is_some_and(|end| end <= self.window.len())
    }

    /// The window from the start of the field of a row on.
    #[expect(clippy::indexing_slicing, reason = "the caller asked `are_inside`")]
    fn from(&self, row: usize) -> &'a [u8] {
        &self.window[self.first + row * self.stride..]
    }
}

impl Utf8Buf {
    /// Appends fields without the bytes `pad` at their end, each byte replaced by `table[byte]`, and the length of the
    /// buffer after each of them to `ends`. All or nothing: false, and nothing is appended, when a byte is not ASCII
    /// after the replacement, a field is not within the window, or an end does not fit.
    pub(crate) fn push_fields(
        &mut self,
        simd: Simd,
        fields: EvenFields<'_>,
        pad: Option<u8>,
        table: Option<&[u8; 256]>,
        most: usize,
        ends: &mut Vec<i32>,
    ) -> bool {
        let base = self.len();
        let Some(room) = fields.rows.checked_mul(fields.length) else { return false };
        let fits = base.checked_add(room).is_some_and(|end| end <= most.min(i32::MAX as usize));
        if !fits || !fields.are_inside() {
            return false;
        }
        let before = ends.len();
        ends.reserve(fields.rows);
        self.bytes.reserve(room + LONGEST);
        let spare = self.bytes.spare_capacity_mut();
        let written = gather(simd, fields, pad, spare, base, ends);
        assert!(written <= room, "trimmed fields are not longer than whole ones");
        // SAFETY: gather stores bytes without gaps from the start of the spare room on, and returns how many.
        #[expect(clippy::indexing_slicing, reason = "at most the room, asserted above")]
        let text = unsafe { spare[..written].assume_init_mut() };
        if let Some(table) = table {
            translate_in_place_with(simd, text, table);
        }
        if !text.is_ascii() {
            ends.truncate(before);
            return false;
        }
        // SAFETY: the bytes are within the capacity, initialised (above), and ASCII, so the buffer stays valid UTF-8.
        unsafe { self.bytes.set_len(base + written) };
        true
    }
}

/// Copies the trimmed fields one behind the other; returns how many bytes they take. Everything below that number is
/// initialised.
fn gather(
    simd: Simd,
    fields: EvenFields<'_>,
    pad: Option<u8>,
    room: &mut [MaybeUninit<u8>],
    base: usize,
    ends: &mut Vec<i32>,
) -> usize {
    match simd.0 {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 | Level::Sse2 if (1..=LONGEST).contains(&fields.length) => {
            // SAFETY: SSE2 is part of every x86-64.
            unsafe {
                match fields.length.div_ceil(STEP) {
                    1 => gather_sse2::<1>(fields, pad, room, base, ends),
                    2 => gather_sse2::<2>(fields, pad, room, base, ends),
                    3 => gather_sse2::<3>(fields, pad, room, base, ends),
                    _ => gather_sse2::<4>(fields, pad, room, base, ends),
                }
            }
        }
        _ => gather_bytes(fields, pad, room, base, ends),
    }
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "fields are inside, the room holds them all, and their end fits: checked by push_fields"
)]
fn gather_bytes(
    fields: EvenFields<'_>,
    pad: Option<u8>,
    room: &mut [MaybeUninit<u8>],
    base: usize,
    ends: &mut Vec<i32>,
) -> usize {
    let mut at = 0;
    for row in 0..fields.rows {
        let field = &fields.from(row)[..fields.length];
        let kept = pad.map_or(field, |pad| trim_end(field, pad));
        room[at..at + kept.len()].write_copy_of_slice(kept);
        at += kept.len();
        ends.push((base + at) as i32);
    }
    at
}

/// Whole steps are copied whatever the length is, and the position moves by what counts: no branch on the data.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "sse2")]
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "fields are inside, the room holds them all, and their end fits: checked by push_fields"
)]
fn gather_sse2<const STEPS: usize>(
    fields: EvenFields<'_>,
    pad: Option<u8>,
    room: &mut [MaybeUninit<u8>],
    base: usize,
    ends: &mut Vec<i32>,
) -> usize {
    // The pads of bytes behind the field count as text, those of a field that is not trimmed too.
    let field = u64::MAX >> (64 - fields.length.clamp(1, LONGEST));
    let text = if pad.is_none() { field } else { 0 };
    let pad = pad.unwrap_or(0);
    let mut at = 0;
    for row in 0..fields.rows {
        let from = fields.from(row);
        let mut last = [[pad; STEP]; STEPS];
        let steps = match from.as_chunks::<STEP>().0.first_chunk::<STEPS>() {
            Some(steps) => steps,
            None => {
                // The last fields of the window, where whole steps would reach over its end.
                last.as_flattened_mut()[..fields.length].copy_from_slice(&from[..fields.length]);
                &last
            }
        };
        let kept = 64 - ((others(steps, pad) & field) | text).leading_zeros() as usize;
        let target = room[at..].as_chunks_mut::<STEP>().0;
        for (target, step) in target[..STEPS].iter_mut().zip(steps) {
            target.write_copy_of_slice(step);
        }
        at += kept;
        ends.push((base + at) as i32);
    }
    at
}

/// A bit for each byte that is not `pad`.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "sse2")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the two halves of 128 bits; sixteen bits of a mask"
)]
fn others<const STEPS: usize>(steps: &[[u8; STEP]; STEPS], pad: u8) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let mut bits = 0;
    for (at, step) in steps.iter().enumerate() {
        let word = u128::from_le_bytes(*step);
        let bytes = _mm_set_epi64x((word >> 64) as i64, word as i64);
        let same = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(pad.cast_signed())));
        bits |= u64::from(!same as u16) << (STEP * at);
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the kernel must do, said plainly.
    fn plain(fields: EvenFields<'_>, pad: Option<u8>, table: &[u8; 256]) -> Option<Vec<String>> {
        (0..fields.rows)
            .map(|row| {
                let from = fields.first + row * fields.stride;
                let field = fields.window.get(from..from + fields.length)?;
                let keep = match pad {
                    Some(pad) => field.iter().rposition(|b| *b != pad).map_or(0, |last| last + 1),
                    None => field.len(),
                };
                let text: Vec<u8> = field[..keep].iter().map(|b| table[usize::from(*b)]).collect();
                String::from_utf8(text).ok().filter(|t| t.is_ascii())
            })
            .collect()
    }

    fn table() -> [u8; 256] {
        std::array::from_fn(|n| if n < 0xF0 { (n as u8).rotate_left(3) & 0x7F } else { 0xC3 })
    }

    fn check(fields: EvenFields<'_>, pad: Option<u8>) {
        let expected = plain(fields, pad, &table());
        for simd in Simd::available() {
            let mut buffer = Utf8Buf::default();
            buffer.push_str("分");
            let mut ends = vec![3];
            let done = buffer.push_fields(simd, fields, pad, Some(&table()), usize::MAX, &mut ends);
            assert_eq!(done, expected.is_some(), "{simd:?} {fields:?}");
            let texts: Vec<&str> =
                ends.windows(2).map(|w| &buffer.as_str()[w[0] as usize..w[1] as usize]).collect();
            assert_eq!(texts, expected.clone().unwrap_or_default(), "{simd:?} {fields:?}");
            assert_eq!(buffer.len(), *ends.last().unwrap() as usize);
        }
    }

    #[test]
    fn every_length_is_copied_whole_up_to_the_end_of_the_window() {
        let data: Vec<u8> =
            (0..300u32).map(|n| if n % 7 < 3 { 0x40 } else { n as u8 % 200 }).collect();
        for length in 0..=80 {
            for stride in [length, length + 1, length + 13] {
                let rows = (data.len() - length).checked_div(stride).map_or(3, |more| more + 1);
                for slack in [0, 1, 15] {
                    let end = (rows - 1) * stride + length;
                    let window = &data[..(end + slack).min(data.len())];
                    let fields = EvenFields { window, first: 0, stride, rows, length };
                    check(fields, Some(0x40));
                    check(fields, None);
                }
            }
        }
    }

    #[test]
    fn a_field_outside_of_the_window_or_a_column_that_is_full_takes_nothing() {
        let fields = EvenFields { window: &[0; 40], first: 1, stride: 10, rows: 4, length: 10 };
        let mut buffer = Utf8Buf::default();
        let mut ends = vec![0];
        let whole = EvenFields { first: 0, ..fields };
        for (fields, most) in [
            (fields, usize::MAX),
            (EvenFields { stride: usize::MAX, ..fields }, usize::MAX),
            (EvenFields { rows: usize::MAX, ..fields }, usize::MAX),
            (whole, 39),
        ] {
            assert!(!buffer.push_fields(Simd::detect(), fields, None, None, most, &mut ends));
            assert_eq!((buffer.len(), ends.len()), (0, 1));
        }
        assert!(buffer.push_fields(Simd::detect(), whole, None, None, 40, &mut ends));
        assert_eq!(ends, [0, 10, 20, 30, 40]);
    }

    proptest! {
        #[test]
        fn fields_agree_with_the_plain_loop(
            window in proptest::collection::vec(proptest::sample::select(b"\x40\x40\x40\x40ab\x81\xEF\xEE\x00".to_vec()), 0..400),
            last in any::<u8>(),
            first in 0usize..20, stride in 0usize..70, rows in 0usize..6, length in 0usize..90,
            trims in any::<bool>(),
        ) {
            let mut window = window;
            window.push(last);
            check(EvenFields { window: &window, first, stride, rows, length }, trims.then_some(0x40));
        }
    }
}
