//! Characters and names (XML 1.0, fifth edition, clauses 2.2 and 2.3).

use fenhe_kernels::index::find_first_of_or_control;

use crate::error::{Bad, MAX_NAME, Parsed};

/// White space (clause 2.3).
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a document may hold the character (clause 2.2).
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{1_0000}'..)
}

/// Refuses characters that no document may hold. Only control characters and U+FFFE, U+FFFF are left to look for in
/// valid UTF-8.
pub(crate) fn check_chars(text: &str) -> Parsed<()> {
    let bytes = text.as_bytes();
    let control = find_first_of_or_control::<0>(bytes, []);
    let non_character = memchr::memmem::find_iter(bytes, b"\xEF\xBF")
        .find(|at| matches!(bytes.get(at + 2), Some(0xBE | 0xBF)));
    match (control, non_character) {
        (None, None) => Ok(()),
        (a, b) => {
            let at = a.unwrap_or(usize::MAX).min(b.unwrap_or(usize::MAX));
            Err(Bad::new(at, "xml.character", "a character that XML 1.0 does not allow"))
        }
    }
}

/// Refuses what is no name (clause 2.3), without its place.
pub(crate) fn check_name(name: &str, at: usize) -> Parsed<()> {
    if name.len() > MAX_NAME {
        return Err(Bad::limit(at, "name", MAX_NAME as u64));
    }
    let mut chars = name.chars();
    if chars.next().is_some_and(is_name_start) && chars.all(is_name_char) {
        return Ok(());
    }
    Err(Bad::new(at, "xml.name", "expected a name"))
}

/// Refuses what is no qualified name (Namespaces in XML 1.0, clause 4), and splits it.
pub(crate) fn qualified(name: &str, at: usize) -> Parsed<(&str, &str)> {
    check_name(name, at)?;
    match name.split_once(':') {
        None => Ok(("", name)),
        Some((prefix, local))
            if !prefix.is_empty()
                && local.chars().next().is_some_and(is_name_start)
                && !local.contains(':') =>
        {
            Ok((prefix, local))
        }
        Some(_) => Err(Bad::new(at, "xml.name", "a colon where a qualified name has none")),
    }
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        ':' | 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{1_0000}'..='\u{E_FFFF}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_fifth_edition() {
        for name in ["a", "_", ":", "姓名", "a-b.c1", "é", "p:q"] {
            assert!(check_name(name, 0).is_ok(), "{name}");
        }
        for name in ["", "1", "-a", ".a", "a b", "×", "a\u{37E}"] {
            assert!(check_name(name, 0).is_err(), "{name}");
        }
        for name in [":", ":a", "a:", "a:b:c", "a:1"] {
            assert!(qualified(name, 0).is_err(), "{name}");
        }
    }

    #[test]
    fn characters_that_no_document_may_hold_are_found() {
        assert!(check_chars("a\t\r\n中\u{FFFD}").is_ok());
        for (text, at) in [("ab\u{c}", 2), ("中\u{FFFE}", 3), ("\u{FFFF}\0", 0), ("\0\u{FFFF}", 0)]
        {
            assert_eq!(check_chars(text).unwrap_err().at, at, "{text:?}");
        }
    }
}
