//! Fixed-width text: trimming, and translating a code page byte by byte.

#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::simd::Level;
use crate::simd::Simd;

/// `field` without the `pad` bytes at its end, found eight at a time.
///
/// Safe on undecoded GBK, Big5 and Shift_JIS for a pad below 0x30: such bytes are never the second half of a character.
#[inline]
#[must_use]
pub fn trim_end(field: &[u8], pad: u8) -> &[u8] {
    let pads = u64::from_ne_bytes([pad; 8]);
    let mut rest = field;
    while let Some((head, eight)) = rest.split_last_chunk::<8>() {
        let other = u64::from_le_bytes(*eight) ^ pads;
        if other != 0 {
            // The last byte is the highest.
            #[expect(clippy::indexing_slicing, reason = "at most 7 of the 8 bytes just found")]
            return &rest[..rest.len() - (other.leading_zeros() / 8) as usize];
        }
        rest = head;
    }
    while let [head @ .., last] = rest {
        if *last != pad {
            break;
        }
        rest = head;
    }
    rest
}

/// `field` without the `pad` bytes at its start, found eight at a time.
#[inline]
#[must_use]
pub fn trim_start(field: &[u8], pad: u8) -> &[u8] {
    let pads = u64::from_ne_bytes([pad; 8]);
    let mut rest = field;
    while let Some((eight, tail)) = rest.split_first_chunk::<8>() {
        let other = u64::from_le_bytes(*eight) ^ pads;
        if other != 0 {
            #[expect(clippy::indexing_slicing, reason = "at most 7 of the 8 bytes just found")]
            return &rest[(other.trailing_zeros() / 8) as usize..];
        }
        rest = tail;
    }
    while let [first, tail @ ..] = rest {
        if *first != pad {
            break;
        }
        rest = tail;
    }
    rest
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
#[expect(clippy::indexing_slicing, reason = "256 entries, one for each byte")]
pub fn translate_with(simd: Simd, source: &[u8], table: &[u8; 256], target: &mut [u8]) {
    assert_eq!(source.len(), target.len(), "source and target differ in length");
    match simd.0 {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 => {
            target.copy_from_slice(source);
            translate_in_place_with(simd, target, table);
        }
        _ => {
            for (target, byte) in target.iter_mut().zip(source) {
                *target = table[usize::from(*byte)];
            }
        }
    }
}

/// Replaces each byte by `table[byte]`.
pub fn translate_in_place(bytes: &mut [u8], table: &[u8; 256]) {
    translate_in_place_with(Simd::detect(), bytes, table);
}

/// [`translate_in_place`] on a chosen instruction set. There is vector code for AVX2 only.
pub fn translate_in_place_with(simd: Simd, bytes: &mut [u8], table: &[u8; 256]) {
    match simd.0 {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 => {
            let (blocks, tail) = bytes.as_chunks_mut::<32>();
            // SAFETY: a Simd with this level exists only where AVX2 was detected.
            unsafe { translate_avx2(blocks, table) };
            look_up(tail, table);
        }
        _ => look_up(bytes, table),
    }
}

#[expect(clippy::indexing_slicing, reason = "256 entries, one for each byte")]
fn look_up(bytes: &mut [u8], table: &[u8; 256]) {
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}

/// Sixteen look-ups of sixteen entries each: a shuffle gives zero for the bytes that belong to another row of the table.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "avx2")]
fn translate_avx2(blocks: &mut [[u8; 32]], table: &[u8; 256]) {
    use std::arch::x86_64::{
        __m128i, _mm_set_epi64x, _mm256_adds_epu8, _mm256_broadcastsi128_si256,
        _mm256_extract_epi64, _mm256_or_si256, _mm256_set1_epi8, _mm256_setr_epi64x,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sub_epi8,
    };
    let word = |bytes: &[u8]| i64::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default());
    let mut rows = [_mm256_setzero_si256(); 16];
    for (row, entries) in rows.iter_mut().zip(table.as_chunks::<16>().0) {
        let entries: __m128i = _mm_set_epi64x(word(&entries[8..]), word(&entries[..]));
        *row = _mm256_broadcastsi128_si256(entries);
    }
    for block in blocks {
        let mut index = _mm256_setr_epi64x(
            word(&block[..]),
            word(&block[8..]),
            word(&block[16..]),
            word(&block[24..]),
        );
        let mut found = _mm256_setzero_si256();
        for row in rows {
            // 0 to 15 become 0x70 to 0x7F, which the shuffle reads as 0 to 15; all others get the top bit: zero.
            let in_row = _mm256_adds_epu8(index, _mm256_set1_epi8(0x70));
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(row, in_row));
            index = _mm256_sub_epi8(index, _mm256_set1_epi8(16));
        }
        let words = [
            _mm256_extract_epi64::<0>(found),
            _mm256_extract_epi64::<1>(found),
            _mm256_extract_epi64::<2>(found),
            _mm256_extract_epi64::<3>(found),
        ];
        for (bytes, word) in block.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_length_and_amount_of_padding_is_trimmed() {
        for length in 0..80 {
            for pads in 0..=length {
                let text = vec![b'x'; length - pads];
                let mut field = text.clone();
                field.resize(length, b' ');
                assert_eq!(trim_end(&field, b' '), text);
                assert_eq!(trim_start(&field, b'x').len(), pads);
                field.reverse();
                assert_eq!(trim_start(&field, b' '), text);
                assert_eq!(trim_end(&field, b'x').len(), pads);
            }
        }
    }

    #[test]
    fn every_byte_is_translated_at_every_place() {
        let table: [u8; 256] = std::array::from_fn(|n| (n * 167 + 13) as u8);
        for simd in Simd::available() {
            for length in 0..200 {
                for shift in [0u8, 1, 15, 16, 77, 128, 200, 255] {
                    let source: Vec<u8> =
                        (0..length).map(|n: u8| n.wrapping_mul(3).wrapping_add(shift)).collect();
                    let expected: Vec<u8> =
                        source.iter().map(|byte| table[usize::from(*byte)]).collect();
                    let mut target = vec![0; source.len()];
                    translate_with(simd, &source, &table, &mut target);
                    assert_eq!(target, expected);
                    let mut bytes = source;
                    translate_in_place_with(simd, &mut bytes, &table);
                    assert_eq!(bytes, expected);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn trimming_agrees_with_the_loop(
            field in proptest::collection::vec(proptest::sample::select(b"   0a\xA1".to_vec()), 0..60), pad in any::<u8>()
        ) {
            for pad in [pad, b' ', b'0'] {
                let keep = field.iter().rposition(|byte| *byte != pad).map_or(0, |last| last + 1);
                let skip = field.iter().position(|byte| *byte != pad).unwrap_or(field.len());
                prop_assert_eq!(trim_end(&field, pad), &field[..keep]);
                prop_assert_eq!(trim_start(&field, pad), &field[skip..]);
            }
        }

        #[test]
        fn translation_agrees_with_the_table(
            source in proptest::collection::vec(any::<u8>(), 0..300), table in proptest::collection::vec(any::<u8>(), 256)
        ) {
            let table: [u8; 256] = table.try_into().unwrap();
            let expected: Vec<u8> = source.iter().map(|byte| table[usize::from(*byte)]).collect();
            for simd in Simd::available() {
                let mut target = vec![0; source.len()];
                translate_with(simd, &source, &table, &mut target);
                prop_assert_eq!(&target, &expected);
            }
        }
    }
}
