/// The position of the first byte that is one of `needles`.
///
/// For fields of 5 to 20 bytes, where a call to `memchr` costs more than the search. Give it the rest of the window, not
/// the field: with at least 16 bytes left it needs one comparison.
#[inline]
#[must_use]
pub fn find_first_of<const N: usize>(window: &[u8], needles: [u8; N]) -> Option<usize> {
    find::<N, false>(window, needles)
}

/// The position of the first byte that is one of `needles` or a control character that XML 1.0 does not allow
/// (below 0x20 except TAB, LF and CR).
///
/// ```
/// use fenhe_kernels::index::find_first_of_or_control;
///
/// assert_eq!(find_first_of_or_control(b"name\t1</name>", *b"<>&"), Some(6));
/// assert_eq!(find_first_of_or_control(b"na\x01me</name>", *b"<>&"), Some(2));
/// ```
#[inline]
#[must_use]
pub fn find_first_of_or_control<const N: usize>(window: &[u8], needles: [u8; N]) -> Option<usize> {
    find::<N, true>(window, needles)
}

#[inline(always)]
fn find<const N: usize, const CONTROLS: bool>(window: &[u8], needles: [u8; N]) -> Option<usize> {
    let (steps, tail) = window.as_chunks::<16>();
    let mut base = 0;
    for step in steps {
        let hits = step_mask::<N, CONTROLS>(step, needles);
        if hits != 0 {
            return Some(base + hits.trailing_zeros() as usize);
        }
        base += 16;
    }
    tail.iter().position(|byte| is_hit::<N, CONTROLS>(*byte, needles)).map(|at| base + at)
}

/// A bit for each byte that is looked for.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn step_mask<const N: usize, const CONTROLS: bool>(step: &[u8; 16], needles: [u8; N]) -> u32 {
    // SAFETY: every x86-64 processor has SSE2, the only feature the function needs.
    unsafe { step_mask_sse2::<N, CONTROLS>(step, needles) }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline(always)]
fn step_mask<const N: usize, const CONTROLS: bool>(step: &[u8; 16], needles: [u8; N]) -> u32 {
    step_mask_portable::<N, CONTROLS>(step, needles)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "sse2")]
#[inline]
fn step_mask_sse2<const N: usize, const CONTROLS: bool>(step: &[u8; 16], needles: [u8; N]) -> u32 {
    use std::arch::x86_64::{
        _mm_andnot_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set_epi64x, _mm_set1_epi8, _mm_setzero_si128,
    };
    let step = u128::from_le_bytes(*step);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
    let bytes = _mm_set_epi64x((step >> 64) as i64, step as i64);
    let equal = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
    let mut hits = _mm_setzero_si128();
    if CONTROLS {
        let allowed = _mm_or_si128(_mm_or_si128(equal(b'\t'), equal(b'\n')), equal(b'\r'));
        let low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        hits = _mm_andnot_si128(allowed, low);
    }
    for needle in needles {
        hits = _mm_or_si128(hits, equal(needle));
    }
    _mm_movemask_epi8(hits).cast_unsigned()
}

/// The safe twin of the vector code.
#[cfg(any(test, not(all(target_arch = "x86_64", not(miri)))))]
fn step_mask_portable<const N: usize, const CONTROLS: bool>(
    step: &[u8; 16],
    needles: [u8; N],
) -> u32 {
    let hit = |(at, byte): (usize, &u8)| u32::from(is_hit::<N, CONTROLS>(*byte, needles)) << at;
    step.iter().enumerate().map(hit).fold(0, |hits, bit| hits | bit)
}

#[inline(always)]
fn is_hit<const N: usize, const CONTROLS: bool>(byte: u8, needles: [u8; N]) -> bool {
    needles.contains(&byte) || CONTROLS && byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive<const CONTROLS: bool>(window: &[u8]) -> Option<usize> {
        window.iter().position(|byte| match *byte {
            b'<' | b'>' | b'&' => true,
            b'\t' | b'\n' | b'\r' => false,
            byte => CONTROLS && byte < b' ',
        })
    }

    #[test]
    fn every_byte_at_every_place_of_every_length_agrees_with_the_loop() {
        for byte in 0..=u8::MAX {
            for length in 0..40 {
                let mut window = vec![b'x'; length];
                for at in 0..length {
                    window[at] = byte;
                    assert_eq!(find_first_of(&window, *b"<>&"), naive::<false>(&window));
                    assert_eq!(find_first_of_or_control(&window, *b"<>&"), naive::<true>(&window));
                    window[at] = b'x';
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_of_several_is_found(window in proptest::collection::vec(
            proptest::sample::select(b"abcdefghijklmnop\t\n\r\x80\xFF\x01<&".to_vec()), 0..200)) {
            prop_assert_eq!(find_first_of(&window, *b"<>&"), naive::<false>(&window));
            prop_assert_eq!(find_first_of_or_control(&window, *b"<>&"), naive::<true>(&window));
        }

        #[test]
        fn the_vector_code_agrees_with_its_twin(step in any::<[u8; 16]>(), needles in any::<[u8; 3]>()) {
            prop_assert_eq!(step_mask::<3, false>(&step, needles), step_mask_portable::<3, false>(&step, needles));
            prop_assert_eq!(step_mask::<3, true>(&step, needles), step_mask_portable::<3, true>(&step, needles));
        }
    }
}
