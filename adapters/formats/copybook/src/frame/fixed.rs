//! Records of one length.

use super::Found;

/// The next `length` bytes.
pub(super) fn next(rest: &[u8], end: bool, length: usize) -> Found {
    if rest.len() >= length {
        return Found::Record { from: 0, to: length, next: length };
    }
    if end && is_fill(rest) {
        return Found::Fill;
    }
    Found::More
}

/// Editors and transfers add a line end, DOS adds 1A.
pub(super) fn is_fill(rest: &[u8]) -> bool {
    rest.len() <= 4 && rest.iter().all(|b| matches!(b, b'\r' | b'\n' | 0x1A))
}
