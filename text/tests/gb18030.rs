//! GB 18030: all scalar values, the two editions, private use.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::{
    BadReason, Encoding, PrivateUse, is_private_use, private_use_report, replace_private_use,
    standard_character,
};

#[test]
fn all_scalar_values_have_one_code_and_come_back_from_it() {
    for edition in [Encoding::GB18030, Encoding::GB18030_2005] {
        let text: String = ('\0'..=char::MAX).collect();
        let bytes = edition.encode(&text).unwrap();
        assert_eq!(text.chars().count(), 1_112_064);
        assert!(edition.decode(&bytes).unwrap() == text, "{edition}");
        // One-to-one: no two characters share a code, so the lengths add up to 1, 2 and 4 bytes of the standard.
        let two =
            text.chars().filter(|c| edition.encode(&c.to_string()).unwrap().len() == 2).count();
        assert_eq!(two, 23_940, "{edition}");
    }
}

#[test]
fn all_codes_read_as_in_encoding_rs_but_for_19_places_where_it_follows_browsers() {
    let mut different = Vec::new();
    for c in '\0'..=char::MAX {
        let bytes = Encoding::GB18030.encode(&c.to_string()).unwrap();
        let theirs =
            encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(&bytes);
        if theirs.as_deref() != Some(c.to_string().as_str()) {
            different.push(c);
        }
    }
    // WHATWG reads A3A0 as U+3000 and gives 18 private-use characters' four-byte codes to standard characters.
    assert_eq!(different.len(), 19);
    assert!(
        different.iter().all(|&c| c == '\u{E5E5}' || standard_character(c).is_some()),
        "{different:X?}"
    );
}

#[test]
fn the_codes_exchanged_in_2022_are_those_of_the_standard() {
    // A vertical comma and an ideograph.
    let (new, old) = (Encoding::GB18030, Encoding::GB18030_2005);
    assert_eq!(new.decode(b"\xA6\xD9\xFE\x59").unwrap(), "\u{FE10}\u{9FB4}");
    assert_eq!(old.decode(b"\xA6\xD9\xFE\x59").unwrap(), "\u{E78D}\u{E81E}");
    assert_eq!(new.decode(b"\x84\x31\x82\x36\x82\x35\x90\x37").unwrap(), "\u{E78D}\u{E81E}");
    assert_eq!(old.decode(b"\x84\x31\x82\x36\x82\x35\x90\x37").unwrap(), "\u{FE10}\u{9FB4}");
    // Unchanged in both: the letter moved in 2005, and the six ideographs that stay private.
    assert_eq!(new.decode(b"\xA8\xBC\x81\x35\xF4\x37").unwrap(), "\u{1E3F}\u{E7C7}");
    assert_eq!(new.decode(b"\xFE\x51\x95\x32\x90\x31").unwrap(), "\u{E816}\u{20087}");
    assert_eq!(old.decode(b"\xFE\x51\x95\x32\x90\x31").unwrap(), "\u{E816}\u{20087}");
}

#[test]
fn the_private_character_of_each_exchanged_code_is_the_one_browsers_still_write_there() {
    // WHATWG's gb18030 encoder keeps writing the 18 private-use characters of 2005 as the two-byte codes of 2005.
    let mut found = 0;
    for old in ('\u{E000}'..='\u{F8FF}').filter(|&c| standard_character(c).is_some()) {
        let text = old.to_string();
        let (theirs, _, failed) = encoding_rs::GB18030.encode(&text);
        assert!(!failed);
        assert_eq!(Encoding::GB18030_2005.encode(&text).unwrap(), theirs.as_ref());
        let new = Encoding::GB18030.decode(&theirs).unwrap();
        if new != text {
            assert_eq!(new.chars().next(), standard_character(old));
            found += 1;
        }
    }
    assert_eq!(found, 18);
}

#[test]
fn private_use_passes_both_ways_unless_it_is_refused() {
    let strict = Encoding::GB18030.with_private_use(PrivateUse::Refuse);
    assert_eq!(Encoding::GB18030.decode(b"\xAA\xA1").unwrap(), "\u{E000}");
    let bad = strict.decode(b"\xCD\xF5\xAA\xA1").unwrap_err();
    assert_eq!((bad.at, bad.len, bad.reason), (2, 2, BadReason::PrivateUse));
    assert_eq!(Encoding::GB18030.encode("\u{E000}").unwrap(), b"\xAA\xA1");
    let missing = strict.encode("王\u{E000}").unwrap_err();
    assert_eq!((missing.char_index, missing.byte_index, missing.character), (1, 3, '\u{E000}'));
    assert_eq!(Encoding::for_label("gb18030-strict"), Some(strict));
    for page in [
        Encoding::UTF_8,
        Encoding::UTF_16LE,
        Encoding::MAC_ROMAN,
        Encoding::SHIFT_JIS,
        Encoding::IBM1388,
    ] {
        let strict = page.with_private_use(PrivateUse::Refuse);
        let c = if page == Encoding::MAC_ROMAN { "\u{F8FF}" } else { "\u{E000}" };
        let bytes = page.encode(c).unwrap();
        assert_eq!(page.decode(&bytes).unwrap(), c, "{page}");
        assert_eq!(
            strict.decode(&bytes).map_err(|e| e.reason),
            Err(BadReason::PrivateUse),
            "{page}"
        );
    }
}

#[test]
fn private_use_is_counted_and_listed_with_the_standard_character() {
    let mut out = fenhe_text::Utf8Buf::default();
    let seen = Encoding::GB18030
        .decode_into(b"\xAA\xA1a\xFE\x51", fenhe_text::Invalid::Reject, &mut out)
        .unwrap();
    assert_eq!(seen.private_use, 2);
    let report: Vec<_> = private_use_report(out.as_str())
        .map(|p| (p.char_index, p.byte_index, p.replacement))
        .collect();
    assert_eq!(report, [(0, 0, None), (2, 4, Some('\u{20087}'))]);
    assert_eq!(replace_private_use(out.as_str()), ("\u{E000}a\u{20087}".into(), 1));
    let known: Vec<char> =
        ('\u{E000}'..='\u{F8FF}').filter(|&c| standard_character(c).is_some()).collect();
    assert_eq!(known.len(), 24);
    assert!(known.iter().all(|&c| !is_private_use(standard_character(c).unwrap())));
}

#[test]
fn the_euro_is_where_each_encoding_has_it() {
    assert_eq!(Encoding::GBK.encode("€").unwrap(), b"\xA2\xE3");
    assert_eq!(Encoding::GB18030.encode("€").unwrap(), b"\xA2\xE3");
    assert_eq!(Encoding::CP936.encode("€").unwrap(), b"\x80");
    assert_eq!(Encoding::CP936.decode(b"\x80\xA2\xE3").unwrap(), "€€");
    for page in [Encoding::GBK, Encoding::GB18030] {
        assert_eq!(page.decode(b"1\x80").unwrap_err().reason, BadReason::NotALead);
    }
}
