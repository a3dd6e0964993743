//! The loops over blocks of 64 bytes, once for each instruction set.
//!
//! Intrinsics on values are safe inside a function that enables them, and a vector made of the words of an array compiles
//! to one load; so nothing in here is unsafe except setting the length of the output.

use super::csv::{CsvScan, CsvSyntax, QuoteState};
use super::lines::{LinePass, LineScan};
use crate::simd::{Level, Simd};

/// A mask has one bit for each byte of a block.
const BLOCK: usize = u64::BITS as usize;

/// See [`super::positions`]. The caller has checked that positions fit in 32 bits.
pub(super) fn positions<const N: usize>(
    simd: Simd,
    window: &[u8],
    needles: [u8; N],
    out: &mut Vec<u32>,
) {
    match simd.0 {
        // SAFETY: a Simd with this level exists only where AVX2, BMI1 and POPCNT were detected.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 => unsafe { avx2::positions(window, needles, out) },
        // SAFETY: every x86-64 processor has SSE2.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Sse2 => unsafe { sse2::positions(window, needles, out) },
        Level::Swar => swar::positions(window, needles, out),
    }
}

/// See [`super::csv_positions`]. The caller has checked that positions fit in 32 bits.
pub(super) fn csv(
    simd: Simd,
    window: &[u8],
    syntax: CsvSyntax,
    state: &mut QuoteState,
    out: &mut Vec<u32>,
) -> CsvScan {
    match simd.0 {
        // SAFETY: a Simd with this level exists only where AVX2, BMI1 and POPCNT were detected.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 => unsafe { avx2::csv(window, syntax, state, out) },
        // SAFETY: every x86-64 processor has SSE2.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Sse2 => unsafe { sse2::csv(window, syntax, state, out) },
        Level::Swar => swar::csv(window, syntax, state, out),
    }
}

/// See [`super::lines`].
pub(super) fn lines(simd: Simd, window: &[u8], syntax: CsvSyntax) -> LineScan {
    match simd.0 {
        // SAFETY: a Simd with this level exists only where AVX2, BMI1 and POPCNT were detected.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Avx2 => unsafe { avx2::lines(window, syntax) },
        // SAFETY: every x86-64 processor has SSE2.
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        Level::Sse2 => unsafe { sse2::lines(window, syntax) },
        Level::Swar => swar::lines(window, syntax),
    }
}

/// The loops, with the `load` and `equal` of the module they are in.
macro_rules! loops {
    ($(#[$features:meta])*) => {
        use super::{BLOCK, CsvPass, CsvScan, CsvSyntax, LinePass, LineScan, QuoteState, emit, tail_block};

        $(#[$features])*
        pub(super) fn positions<const N: usize>(window: &[u8], needles: [u8; N], out: &mut Vec<u32>) {
            let (blocks, tail) = window.as_chunks::<BLOCK>();
            let mut base = 0u32;
            for block in blocks {
                emit(any_of(block, needles), base, out);
                base = base.wrapping_add(u64::BITS);
            }
            if !tail.is_empty() {
                let (block, valid) = tail_block(tail);
                emit(any_of(&block, needles) & valid, base, out);
            }
        }

        $(#[$features])*
        pub(super) fn csv(
            window: &[u8],
            syntax: CsvSyntax,
            state: &mut QuoteState,
            out: &mut Vec<u32>,
        ) -> CsvScan {
            let (blocks, tail) = window.as_chunks::<BLOCK>();
            let mut pass = CsvPass::new(*state);
            let mut base = 0u32;
            for block in blocks {
                let (delimiters, quotes, crs, feeds) = csv_masks(block, syntax);
                emit(pass.step(delimiters, quotes, crs, feeds, syntax.index_cr), base, out);
                base = base.wrapping_add(u64::BITS);
            }
            if !tail.is_empty() {
                let (block, valid) = tail_block(tail);
                let (delimiters, quotes, crs, feeds) = csv_masks(&block, syntax);
                let (delimiters, quotes, crs, feeds) =
                    (delimiters & valid, quotes & valid, crs & valid, feeds & valid);
                emit(pass.step(delimiters, quotes, crs, feeds, syntax.index_cr), base, out);
            }
            pass.finish(state)
        }

        $(#[$features])*
        pub(super) fn lines(window: &[u8], syntax: CsvSyntax) -> LineScan {
            let (blocks, tail) = window.as_chunks::<BLOCK>();
            let mut pass = LinePass::default();
            for block in blocks {
                let (delimiters, quotes, crs, feeds) = csv_masks(block, syntax);
                pass.step(delimiters, quotes, crs, feeds, u64::MAX);
            }
            if !tail.is_empty() {
                let (block, valid) = tail_block(tail);
                let (delimiters, quotes, crs, feeds) = csv_masks(&block, syntax);
                pass.step(delimiters & valid, quotes & valid, crs & valid, feeds & valid, valid);
            }
            pass.finish(window)
        }

        $(#[$features])*
        #[inline]
        fn any_of<const N: usize>(block: &[u8; BLOCK], needles: [u8; N]) -> u64 {
            let block = load(block);
            let mut hits = 0;
            for needle in needles {
                hits |= equal(block, needle);
            }
            hits
        }

        $(#[$features])*
        #[inline]
        fn csv_masks(block: &[u8; BLOCK], syntax: CsvSyntax) -> (u64, u64, u64, u64) {
            let block = load(block);
            let optional = |byte: Option<u8>| match byte {
                Some(byte) => equal(block, byte),
                None => 0,
            };
            (optional(syntax.delimiter), optional(syntax.quote), equal(block, b'\r'), equal(block, b'\n'))
        }
    };
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setr_epi64x,
    };

    loops!(#[target_feature(enable = "avx2,bmi1,popcnt")]);

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "places of eight words in 64 bytes")]
    fn load(block: &[u8; BLOCK]) -> [__m256i; 2] {
        let half = |at: usize| {
            let word = |word: usize| {
                let bytes = block[at + 8 * word..].first_chunk().copied().unwrap_or_default();
                i64::from_le_bytes(bytes)
            };
            _mm256_setr_epi64x(word(0), word(1), word(2), word(3))
        };
        [half(0), half(32)]
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    #[inline]
    fn equal([low, high]: [__m256i; 2], needle: u8) -> u64 {
        let needle = _mm256_set1_epi8(needle.cast_signed());
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, needle)).cast_unsigned();
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, needle)).cast_unsigned();
        u64::from(low) | u64::from(high) << 32
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
    };

    loops!(#[target_feature(enable = "sse2")]);

    #[target_feature(enable = "sse2")]
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "places of eight words in 64 bytes")]
    fn load(block: &[u8; BLOCK]) -> [__m128i; 4] {
        let quarter = |at: usize| {
            let word = |at: usize| {
                i64::from_le_bytes(block[at..].first_chunk().copied().unwrap_or_default())
            };
            _mm_set_epi64x(word(at + 8), word(at))
        };
        [quarter(0), quarter(16), quarter(32), quarter(48)]
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn equal(block: [__m128i; 4], needle: u8) -> u64 {
        let needle = _mm_set1_epi8(needle.cast_signed());
        let mask =
            |part| u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(part, needle)).cast_unsigned());
        mask(block[0]) | mask(block[1]) << 16 | mask(block[2]) << 32 | mask(block[3]) << 48
    }
}

mod swar {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const LOW_SEVEN: u64 = 0x7F7F_7F7F_7F7F_7F7F;

    loops!();

    #[inline(always)]
    fn load(block: &[u8; BLOCK]) -> [u64; 8] {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    }

    #[inline(always)]
    fn equal(words: [u64; 8], needle: u8) -> u64 {
        let needle = LOW_BITS * u64::from(needle);
        let mut hits = 0;
        for (at, word) in words.into_iter().enumerate() {
            let difference = word ^ needle;
            // The top bit of each byte that is zero, without a borrow between bytes.
            let zeros = !(((difference & LOW_SEVEN) + LOW_SEVEN) | difference | LOW_SEVEN);
            // Gathers the eight top bits: bit 8i+7 goes to bit 56+i.
            hits |= ((zeros >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        }
        hits
    }
}

/// What a CSV pass knows between two blocks.
struct CsvPass {
    /// All ones inside quotes, else 0.
    inside: u64,
    quotes: u64,
    crs: u64,
    line_feeds: usize,
}

impl CsvPass {
    fn new(state: QuoteState) -> Self {
        let inside = if state.is_inside() { u64::MAX } else { 0 };
        Self { inside, quotes: inside, crs: 0, line_feeds: 0 }
    }

    /// The structural bytes of a block, given where its special bytes are.
    #[inline(always)]
    fn step(&mut self, delimiters: u64, quotes: u64, crs: u64, feeds: u64, index_cr: bool) -> u64 {
        self.crs |= crs;
        let ends = if index_cr { feeds | crs } else { feeds };
        let mut hits = delimiters | ends;
        let mut feeds = feeds;
        if quotes | self.inside != 0 {
            // A bit for each byte between an opening quote (included) and its closing quote (excluded).
            let quoted = prefix_xor(quotes) ^ self.inside;
            self.inside = (quoted.cast_signed() >> 63).cast_unsigned();
            self.quotes |= quotes;
            hits &= !quoted;
            feeds &= !quoted;
        }
        self.line_feeds += feeds.count_ones() as usize;
        hits
    }

    fn finish(self, state: &mut QuoteState) -> CsvScan {
        *state = QuoteState::new(self.inside != 0);
        CsvScan { quotes: self.quotes != 0, cr: self.crs != 0, line_feeds: self.line_feeds }
    }
}

/// Each bit becomes the parity of the bits up to and including it.
#[inline(always)]
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The rest of a window as a whole block, and a bit for each byte that is really there.
fn tail_block(tail: &[u8]) -> ([u8; BLOCK], u64) {
    let mut block = [0; BLOCK];
    #[expect(clippy::indexing_slicing, reason = "what is left over is shorter than a block")]
    block[..tail.len()].copy_from_slice(tail);
    (block, u64::MAX >> (BLOCK - tail.len()))
}

/// Appends `base` plus the number of each bit that is set.
///
/// Eight entries are written whatever the count is; more than eight in 64 bytes are rare.
#[inline(always)]
fn emit(mut hits: u64, base: u32, out: &mut Vec<u32>) {
    let count = hits.count_ones() as usize;
    out.reserve(BLOCK);
    let old = out.len();
    #[expect(clippy::indexing_slicing, reason = "reserve gave room for BLOCK entries")]
    for group in out.spare_capacity_mut()[..BLOCK].as_chunks_mut::<8>().0 {
        for slot in group {
            slot.write(base.wrapping_add(hits.trailing_zeros()));
            hits &= hits.wrapping_sub(1);
        }
        if hits == 0 {
            break;
        }
    }
    // SAFETY: reserve gave room for 64 entries, and the loop wrote one for each bit before it ended: at most 64.
    unsafe { out.set_len(old + count) };
}
