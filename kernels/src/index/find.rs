/// The position of the first byte that is one of `needles`.
///
/// For fields of 5 to 20 bytes, where a call to `memchr` costs more than the search. Give it the rest of the window, not
/// the field: with at least 16 bytes left it needs one comparison.
#[inline]
#[must_use]
pub fn find_first_of<const N: usize>(window: &[u8], needles: [u8; N]) -> Option<usize> {
    window.iter().position(|byte| needles.contains(byte))
}

/// The position of the first byte that is one of `needles` or a control character that XML 1.0 does not allow
/// (below 0x20 except TAB, LF and CR).
#[inline]
#[must_use]
pub fn find_first_of_or_control<const N: usize>(window: &[u8], needles: [u8; N]) -> Option<usize> {
    window.iter().position(|byte| needles.contains(byte) || is_control(*byte))
}

#[inline(always)]
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')
}
