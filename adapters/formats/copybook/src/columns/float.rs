//! Floating point: IBM hexadecimal and IEEE 754.

use crate::storage::Storage;

/// The value of 4 or 8 bytes.
///
/// IBM z/Architecture Principles of Operation, "Hexadecimal-Floating-Point Data Format": sign, exponent of 16 in
/// excess 64, fraction of 24 or 56 bits. Single precision is exact in an `f64`; double precision is rounded to nearest.
pub(crate) fn read(storage: Storage, bytes: &[u8]) -> Option<f64> {
    match (storage, bytes) {
        (Storage::HexFloat, [a, b, c, d]) => {
            Some(hexadecimal(u64::from(u32::from_be_bytes([*a, *b, *c, *d])) << 32))
        }
        (Storage::HexFloat, bytes) => {
            bytes.try_into().ok().map(u64::from_be_bytes).map(hexadecimal)
        }
        (Storage::Float { big }, bytes) if bytes.len() == 4 => {
            let bytes: [u8; 4] = bytes.try_into().ok()?;
            Some(f64::from(if big { f32::from_be_bytes(bytes) } else { f32::from_le_bytes(bytes) }))
        }
        (Storage::Float { big }, bytes) => {
            let bytes: [u8; 8] = bytes.try_into().ok()?;
            Some(if big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) })
        }
        _ => None,
    }
}

/// Writes a value; false when it does not fit.
#[expect(clippy::cast_possible_truncation, reason = "what does not come back is refused")]
pub(crate) fn write(storage: Storage, value: f64, out: &mut [u8]) -> bool {
    match (storage, out.len()) {
        (Storage::HexFloat, 4 | 8) => {
            let Some(word) = to_hexadecimal(value, if out.len() == 4 { 24 } else { 56 }) else {
                return false;
            };
            let bytes = word.to_be_bytes();
            let length = out.len();
            out.copy_from_slice(bytes.get(..length).unwrap_or_default());
        }
        (Storage::Float { big }, 4) => {
            let bytes = (value as f32).to_be_bytes();
            out.copy_from_slice(&bytes);
            if !big {
                out.reverse();
            }
            return f64::from(value as f32) == value || value.is_nan();
        }
        (Storage::Float { big }, 8) => {
            out.copy_from_slice(&value.to_be_bytes());
            if !big {
                out.reverse();
            }
        }
        _ => return false,
    }
    true
}

fn hexadecimal(word: u64) -> f64 {
    let fraction = word & 0x00FF_FFFF_FFFF_FFFF;
    let exponent = i32::from((word >> 56) as u8 & 0x7F) - 64;
    // 0.f x 16^e = f x 2^(4e - 56): within the range of an f64 for every exponent.
    let value = fraction as f64 * 2f64.powi(4 * exponent - 56);
    if word >> 63 == 1 && fraction != 0 { -value } else { value }
}

/// The word with a normalised fraction of this many bits, rounded to nearest.
fn to_hexadecimal(value: f64, bits: i32) -> Option<u64> {
    if value == 0.0 {
        return Some(0);
    }
    if !value.is_finite() {
        return None;
    }
    let sign = u64::from(value < 0.0) << 63;
    let magnitude = value.abs();
    let mut exponent = 0;
    let mut scaled = magnitude;
    while scaled >= 1.0 {
        scaled /= 16.0;
        exponent += 1;
    }
    while scaled < 1.0 / 16.0 {
        scaled *= 16.0;
        exponent -= 1;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and at most 2^56"
    )]
    let mut fraction = (scaled * 2f64.powi(bits)).round() as u64;
    if fraction >> bits != 0 {
        fraction >>= 4;
        exponent += 1;
    }
    let excess = u64::try_from(exponent + 64).ok().filter(|e| *e < 128)?;
    Some(sign | excess << 56 | fraction << (56 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_manuals_are_read_and_written() {
        for (bytes, value) in [
            ([0x41, 0x10, 0, 0], 1.0),
            ([0xC2, 0x76, 0xA0, 0], -118.625),
            ([0x42, 0x64, 0, 0], 100.0),
            ([0, 0, 0, 0], 0.0),
        ] {
            assert_eq!(read(Storage::HexFloat, &bytes), Some(value));
            let mut out = [0; 4];
            assert!(write(Storage::HexFloat, value, &mut out));
            assert_eq!(out, bytes);
        }
        let tenth = read(Storage::HexFloat, &[0x40, 0x19, 0x99, 0x99]).unwrap();
        assert!((tenth - 0.1).abs() < 1e-7, "{tenth}");
        // Not normalised.
        assert_eq!(read(Storage::HexFloat, &[0x42, 0x01, 0, 0]), Some(1.0));
        assert_eq!(
            read(Storage::HexFloat, &[0x7F, 0xFF, 0xFF, 0xFF]).map(f64::is_finite),
            Some(true)
        );
    }

    #[test]
    fn doubles_come_back() {
        for value in [1.5, -0.1, 1e70, -1e-70, 123_456.789] {
            let mut out = [0; 8];
            assert!(write(Storage::HexFloat, value, &mut out));
            assert_eq!(read(Storage::HexFloat, &out), Some(value));
        }
        assert!(!write(Storage::HexFloat, 1e300, &mut [0; 8]));
    }
}
