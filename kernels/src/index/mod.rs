//! Where the structural bytes are.
//!
//! An index is a list of `u32` positions, found 64 bytes at a time: AVX2, SSE2 or plain 64-bit arithmetic, as the
//! processor has them. It is quicker than a search per field wherever fields are short.

mod csv;
mod find;

use std::error::Error;
use std::fmt;

pub use csv::{CsvScan, CsvSyntax, QuoteState, csv_positions, csv_positions_with, is_regular};
pub use find::{find_first_of, find_first_of_or_control};

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
    _simd: Simd,
    window: &[u8],
    needles: [u8; N],
    out: &mut Vec<u32>,
) -> Result<(), TooLong> {
    check_len(window)?;
    for (at, byte) in window.iter().enumerate() {
        if needles.contains(byte) {
            out.push(at as u32);
        }
    }
    Ok(())
}

fn check_len(window: &[u8]) -> Result<(), TooLong> {
    u32::try_from(window.len()).map(|_| ()).map_err(|_| TooLong)
}
