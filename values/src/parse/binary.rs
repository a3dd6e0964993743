//! Bytes spelled as hexadecimal digits or base64.

use crate::fault::FaultKind;

/// Appends the bytes spelled by pairs of hexadecimal digits.
///
/// # Errors
/// [`FaultKind::NotBinary`]; then nothing is appended.
pub fn hex(text: &[u8], out: &mut Vec<u8>) -> Result<(), FaultKind> {
    let start = out.len();
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(FaultKind::NotBinary);
    }
    for &[high, low] in pairs {
        match (nibble(high), nibble(low)) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => {
                out.truncate(start);
                return Err(FaultKind::NotBinary);
            }
        }
    }
    Ok(())
}

/// Appends the bytes spelled in base64 (RFC 4648 clause 4), with or without padding.
///
/// # Errors
/// [`FaultKind::NotBinary`]; then nothing is appended. Bits beyond the last byte must be zero (clause 3.5).
pub fn base64(text: &[u8], out: &mut Vec<u8>) -> Result<(), FaultKind> {
    let start = out.len();
    let text = match text {
        [body @ .., b'=', b'='] if text.len().is_multiple_of(4) => body,
        [body @ .., b'='] if text.len().is_multiple_of(4) => body,
        _ => text,
    };
    for group in text.chunks(4) {
        let Some(word) = group.iter().try_fold(0u32, |word, &c| Some(word << 6 | sextet(c)?))
        else {
            out.truncate(start);
            return Err(FaultKind::NotBinary);
        };
        let [_, a, b, c] = match group.len() {
            4 => word,
            3 if word & 0b11 == 0 => word << 6,
            2 if word & 0b1111 == 0 => word << 12,
            _ => {
                out.truncate(start);
                return Err(FaultKind::NotBinary);
            }
        }
        .to_be_bytes();
        match group.len() {
            4 => out.extend([a, b, c]),
            3 => out.extend([a, b]),
            _ => out.push(a),
        }
    }
    Ok(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn sextet(symbol: u8) -> Option<u32> {
    Some(u32::from(match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_reads_the_vectors_of_rfc_4648() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
            ("Zg", "f"),
        ] {
            let mut out = Vec::new();
            assert_eq!(base64(text.as_bytes(), &mut out), Ok(()), "{text}");
            assert_eq!(out, bytes.as_bytes());
        }
        for bad in ["Z", "Zh==", "Zm9=", "Z===", "Zm 9", "====", "Zg=a"] {
            let mut out = vec![7];
            assert_eq!(base64(bad.as_bytes(), &mut out), Err(FaultKind::NotBinary), "{bad}");
            assert_eq!(out, [7]);
        }
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs_of_either_case() {
        let mut out = Vec::new();
        assert_eq!(hex(b"00fFA9", &mut out), Ok(()));
        assert_eq!(out, [0x00, 0xFF, 0xA9]);
        assert_eq!(hex(b"0", &mut out), Err(FaultKind::NotBinary));
        assert_eq!(hex(b"010g", &mut out), Err(FaultKind::NotBinary));
        assert_eq!(out.len(), 3);
    }
}
