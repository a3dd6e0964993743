//! Appending short pieces to a vector without a call to `memcpy`.

/// Bytes copied by one unconditional step.
const STEP: usize = 16;

/// Appends `window[start..end]`. If the piece is short and the window goes on behind it, 16 bytes are copied whatever
/// the length is, and only the length counts: no branch on the length, no call.
///
/// # Panics
/// If the range is not within the window.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a documented panic")]
pub(crate) fn extend_from_window(out: &mut Vec<u8>, window: &[u8], start: usize, end: usize) {
    let piece = &window[start..end];
    match window[start..].first_chunk::<STEP>() {
        Some(step) if piece.len() <= STEP => extend_step(out, step, piece.len()),
        _ => extend_short(out, piece),
    }
}

/// Appends `piece`, without a call if it has at most 16 bytes: two copies of a fixed size that overlap.
#[inline(always)]
pub(crate) fn extend_short(out: &mut Vec<u8>, piece: &[u8]) {
    match piece.len() {
        len @ 0..=16 => extend_step(out, &widen(piece), len),
        _ => out.extend_from_slice(piece),
    }
}

/// The piece (at most 16 bytes) at the start of 16 bytes; what follows it is unspecified.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the length is at most 16 and at most that of the piece"
)]
pub(crate) fn widen(piece: &[u8]) -> [u8; STEP] {
    let len = piece.len().min(STEP);
    let (low, high) = if let (Some(head), Some(tail)) =
        (piece.first_chunk::<8>(), piece[..len].last_chunk::<8>())
    {
        let (head, tail) = (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
        // Bytes 8.. of the piece are the upper part of the tail.
        (head, tail.checked_shr(8 * (16 - len as u32)).unwrap_or(0))
    } else if let (Some(head), Some(tail)) =
        (piece.first_chunk::<4>(), piece[..len].last_chunk::<4>())
    {
        let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
        (u64::from(head) | u64::from(tail) << (8 * (len - 4)), 0)
    } else if let (Some(first), Some(last)) = (piece.first(), piece.last()) {
        // The first, the middle and the last of up to three bytes: all of them, some twice in the same place.
        let byte = |at: usize, byte: u8| u64::from(byte) << (8 * at);
        let middle = len / 2;
        (byte(0, *first) | byte(middle, piece[middle]) | byte(len - 1, *last), 0)
    } else {
        (0, 0)
    };
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// Appends the first `len` bytes of `step`.
///
/// # Panics
/// If `len` is above 16.
#[inline(always)]
pub(crate) fn extend_step(out: &mut Vec<u8>, step: &[u8; STEP], len: usize) {
    assert!(len <= STEP);
    out.reserve(STEP);
    let old = out.len();
    #[expect(clippy::indexing_slicing, reason = "reserve gave room for STEP bytes")]
    out.spare_capacity_mut()[..STEP].write_copy_of_slice(step);
    // SAFETY: reserve gave room for STEP bytes, the line above initialised all of them, and len <= STEP.
    unsafe { out.set_len(old + len) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_piece_of_every_window_is_appended_whole() {
        let data: Vec<u8> = (0..60u8).map(|n| n.wrapping_mul(7) ^ 0x80).collect();
        for window in 0..data.len() {
            for start in 0..=window {
                for end in start..=window {
                    let mut out = vec![1, 2, 3];
                    let mut expected = out.clone();
                    extend_from_window(&mut out, &data[..window], start, end);
                    expected.extend_from_slice(&data[start..end]);
                    assert_eq!(out, expected, "{start}..{end} of {window}");
                }
            }
        }
    }

    #[test]
    fn a_widened_piece_starts_with_the_piece() {
        let data: Vec<u8> = (100..116).collect();
        for len in 0..=16 {
            assert_eq!(&widen(&data[..len])[..len], &data[..len]);
        }
    }
}
