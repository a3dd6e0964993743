//! Where the structural bytes are.
//!
//! An index is a list of `u32` positions, found 64 bytes at a time: AVX2, SSE2 or plain 64-bit arithmetic, as the
//! processor has them. It is quicker than a search per field wherever fields are short.

mod blocks;
mod csv;
mod find;
mod lines;

use std::error::Error;
use std::fmt;

pub use csv::{CsvScan, CsvSyntax, QuoteState, csv_positions, csv_positions_with, is_regular};
pub use find::{find_first_of, find_first_of_or_control};
pub use lines::{LineScan, lines, lines_with};

use crate::simd::Simd;

/// A window longer than 32-bit positions can address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a window of more than 4 GiB cannot be indexed; use smaller chunks")
    }
}

impl Error for TooLong {}

/// Appends to `out` the position of every byte of `window` that is one of `needles`, in order.
///
/// # Errors
/// [`TooLong`]: the window has more than 4 GiB; nothing is appended.
pub fn positions<const N: usize>(
    window: &[u8],
    needles: [u8; N],
    out: &mut Vec<u32>,
) -> Result<(), TooLong> {
    positions_with(Simd::detect(), window, needles, out)
}

/// [`positions`] on a chosen instruction set.
///
/// # Errors
/// See [`positions`].
pub fn positions_with<const N: usize>(
    simd: Simd,
    window: &[u8],
    needles: [u8; N],
    out: &mut Vec<u32>,
) -> Result<(), TooLong> {
    check_len(window)?;
    blocks::positions(simd, window, needles, out);
    Ok(())
}

fn check_len(window: &[u8]) -> Result<(), TooLong> {
    u32::try_from(window.len()).map(|_| ()).map_err(|_| TooLong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive<const N: usize>(window: &[u8], needles: [u8; N]) -> Vec<u32> {
        (0..window.len() as u32).filter(|at| needles.contains(&window[*at as usize])).collect()
    }

    fn found<const N: usize>(simd: Simd, window: &[u8], needles: [u8; N]) -> Vec<u32> {
        let mut out = vec![7];
        positions_with(simd, window, needles, &mut out).unwrap();
        assert_eq!(out.remove(0), 7, "what was there stays");
        out
    }

    #[test]
    fn every_length_and_alignment_agrees_with_the_loop_on_every_instruction_set() {
        let data: Vec<u8> =
            (0..264u32).map(|n| b",\n\"ax\x80\xAC"[(n * n + n / 7) as usize % 7]).collect();
        for simd in Simd::available() {
            for start in 0..64 {
                for end in start..(start + 200) {
                    let window = &data[start..end];
                    assert_eq!(
                        found(simd, window, *b",\n"),
                        naive(window, *b",\n"),
                        "{simd:?} {start}..{end}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_needle_is_found_at_the_first_and_last_byte_of_every_block() {
        for simd in Simd::available() {
            for length in 1..200 {
                for at in [0, 1, 62, 63, 64, 65, 127, 128, length - 1] {
                    let mut window = vec![b'x'; length];
                    if let Some(byte) = window.get_mut(at) {
                        *byte = b'|';
                        assert_eq!(found(simd, &window, *b"|"), [at as u32]);
                    }
                }
                assert_eq!(found(simd, &vec![b'|'; length], *b"|").len(), length);
            }
        }
    }

    proptest! {
        #[test]
        fn positions_agree_with_the_loop(
            window in proptest::collection::vec(any::<u8>(), 0..400), needles in any::<[u8; 4]>()
        ) {
            for simd in Simd::available() {
                prop_assert_eq!(found(simd, &window, needles), naive(&window, needles));
                prop_assert_eq!(found(simd, &window, [needles[0]]), naive(&window, [needles[0]]));
            }
        }
    }
}
