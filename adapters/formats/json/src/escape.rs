//! Escapes within strings (RFC 8259 section 7), white space between tokens, and numbers with exponents.

use crate::error::{Flaw, Found};
use crate::token::{Cursor, Text};

/// Zeros that an exponent may add: more than any decimal type has digits.
const MAX_ZEROS: usize = 80;

/// Appends the text without its escapes. What is appended is UTF-8 if the text is.
///
/// A surrogate without its partner is refused: it is no character, and U+FFFD in its place would be a loss.
pub(crate) fn unescape(cursor: &Cursor<'_>, text: Text, out: &mut Vec<u8>) -> Result<(), Flaw> {
    walk(cursor, text, |piece| out.extend_from_slice(piece))
}

/// Checks the escapes of a text.
#[inline]
pub(crate) fn check(cursor: &Cursor<'_>, text: Text) -> Result<(), Flaw> {
    if text.escaped { walk(cursor, text, |_| ()) } else { Ok(()) }
}

/// Appends a valid value without the white space between its tokens.
pub(crate) fn minify(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => 0,
            b'"' => string_length(rest),
            _ => 1,
        };
        out.extend_from_slice(rest.get(..length).unwrap_or(rest));
        rest = if length == 0 { tail } else { rest.get(length..).unwrap_or_default() };
    }
}

/// Whether there is white space between the tokens of a valid value.
pub(crate) fn has_blanks(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b' ' | b'\t' | b'\n' | b'\r'))
    {
        let tail = rest.get(at..).unwrap_or_default();
        if tail.first() != Some(&b'"') {
            return true;
        }
        rest = tail.get(string_length(tail)..).unwrap_or_default();
    }
    false
}

/// Appends a number with an exponent as plain digits; `false` when that takes more digits than any type holds.
pub(crate) fn plain_digits(number: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(e) = number.iter().position(|b| matches!(b, b'e' | b'E')) else { return false };
    let (mantissa, power) =
        (number.get(..e).unwrap_or_default(), number.get(e + 1..).unwrap_or_default());
    let (negative, mantissa) = match mantissa.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, mantissa),
    };
    let fraction = mantissa.iter().position(|b| *b == b'.').map_or(0, |at| mantissa.len() - at - 1);
    let digits: Vec<u8> =
        mantissa.iter().copied().filter(|b| *b != b'.').skip_while(|b| *b == b'0').collect();
    if digits.is_empty() {
        out.push(b'0');
        return true;
    }
    let Some(power) = std::str::from_utf8(power).ok().and_then(|t| t.parse::<i64>().ok()) else {
        return false;
    };
    // Digits behind the mark after the exponent has moved it.
    let Some(behind) = i64::try_from(fraction).ok().and_then(|f| f.checked_sub(power)) else {
        return false;
    };
    if negative {
        out.push(b'-');
    }
    match usize::try_from(behind) {
        Err(_) | Ok(0) => {
            let zeros = usize::try_from(behind.unsigned_abs()).unwrap_or(usize::MAX);
            if zeros > MAX_ZEROS {
                return false;
            }
            out.extend_from_slice(&digits);
            out.resize(out.len() + zeros, b'0');
        }
        Ok(behind) => {
            let Some(zeros) = Some(behind.saturating_sub(digits.len())).filter(|z| *z <= MAX_ZEROS)
            else {
                return false;
            };
            let whole = digits.len().saturating_sub(behind);
            out.extend_from_slice(if whole == 0 {
                b"0"
            } else {
                digits.get(..whole).unwrap_or_default()
            });
            out.push(b'.');
            out.resize(out.len() + zeros, b'0');
            out.extend_from_slice(digits.get(whole..).unwrap_or_default());
        }
    }
    true
}

/// The length of a valid string with both quotes.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Hands out the pieces of a text, escapes resolved.
fn walk(cursor: &Cursor<'_>, text: Text, mut piece: impl FnMut(&[u8])) -> Result<(), Flaw> {
    let mut at = text.start;
    loop {
        let rest = cursor.slice(at, text.end);
        let Some(plain) = memchr::memchr(b'\\', rest) else {
            piece(rest);
            return Ok(());
        };
        piece(rest.get(..plain).unwrap_or_default());
        let slash = at + plain;
        let byte = match rest.get(plain + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let (char, length) = unicode(rest.get(plain..).unwrap_or_default())
                    .map_err(|found| Flaw::syntax(slash, "a character as \\uXXXX", found))?;
                piece(char.encode_utf8(&mut [0; 4]).as_bytes());
                at = slash + length;
                continue;
            }
            _ => return Err(Flaw::syntax(slash, "one of the escapes of RFC 8259", Found::Escape)),
        };
        piece(&[byte]);
        at = slash + 2;
    }
}

/// The character of `\uXXXX`, or of a pair of surrogates, and its length.
fn unicode(bytes: &[u8]) -> Result<(char, usize), Found> {
    let first = unit(bytes).ok_or(Found::Escape)?;
    if let Some(char) = char::from_u32(first) {
        return Ok((char, 6));
    }
    let second = bytes.get(6..).and_then(unit);
    match (first, second) {
        (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(code).map(|c| (c, 12)).ok_or(Found::Surrogate)
        }
        _ => Err(Found::Surrogate),
    }
}

/// The number of `\uXXXX`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        let quoted = format!("\"{text}\"");
        let mut cursor = Cursor::new(quoted.as_bytes(), 0, quoted.len());
        let text = cursor.string().ok()?;
        let mut out = Vec::new();
        unescape(&cursor, text, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn escapes_become_their_characters_and_lone_surrogates_are_refused() {
        for (text, expected) in [
            (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r"\u5f20\u4E09", Some("张三")),
            (r"\ud842\udfb7", Some("𠮷")),
            (r"a\u0000b", Some("a\0b")),
            (r"\ud800", None),
            (r"\ud800\u0041", None),
            (r"\udc00\ud800", None),
            (r"\u12", None),
            (r"\u+123", None),
            (r"\x41", None),
            (r"\'", None),
        ] {
            assert_eq!(plain(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn exponents_are_written_out_exactly() {
        for (number, expected) in [
            ("1e2", Some("100")),
            ("-1.25e1", Some("-12.5")),
            ("1.25e2", Some("125")),
            ("125e-4", Some("0.0125")),
            ("1.5E+0", Some("1.5")),
            ("0e999999999999999999999", Some("0")),
            (
                "1e80",
                Some(
                    "100000000000000000000000000000000000000000000000000000000000000000000000000000000",
                ),
            ),
            ("1e400", None),
            ("1e-400", None),
            ("1e99999999999999999999", None),
        ] {
            let mut out = Vec::new();
            let fits = plain_digits(number.as_bytes(), &mut out);
            assert_eq!(
                fits.then(|| String::from_utf8(out).unwrap()).as_deref(),
                expected,
                "{number}"
            );
        }
    }

    #[test]
    fn white_space_goes_between_tokens_only() {
        let mut out = Vec::new();
        let value = br#"{ "a b" : [ 1 ,  "\" x" ] }"#;
        assert!(has_blanks(value));
        minify(value, &mut out);
        assert_eq!(out, br#"{"a b":[1,"\" x"]}"#);
        assert!(!has_blanks(&out));
    }
}
