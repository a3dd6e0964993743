//! Policies for single fields: what is refused, replaced, cut and filled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::{
    Align, BadReason, Blanks, Encoding, FieldError, Invalid, Trim, Unmappable, Utf8Buf,
    to_full_width, to_half_width, trim,
};

fn replaced(page: Encoding, bytes: &[u8]) -> (String, usize) {
    let mut out = Utf8Buf::default();
    let seen = page.decode_into(bytes, Invalid::Replace, &mut out).unwrap();
    (out.as_str().to_owned(), seen.replaced)
}

fn refused(page: Encoding, bytes: &[u8]) -> (usize, usize, BadReason) {
    let bad = page.decode(bytes).unwrap_err();
    (bad.at, bad.len, bad.reason)
}

#[test]
fn an_ascii_byte_after_a_lead_byte_is_never_swallowed() {
    for page in [
        Encoding::GBK,
        Encoding::CP936,
        Encoding::GB18030,
        Encoding::BIG5,
        Encoding::SHIFT_JIS,
        Encoding::EUC_JP,
        Encoding::EUC_KR,
    ] {
        let lead = if page == Encoding::EUC_JP { b"\xB0 ,x" } else { b"\x81 ,x" };
        assert_eq!(refused(page, lead), (0, 1, BadReason::InvalidTrail), "{page}");
        assert_eq!(replaced(page, lead), ("\u{FFFD} ,x".to_owned(), 1), "{page}");
    }
}

#[test]
fn single_80_and_ff_are_refused_in_gbk() {
    assert_eq!(refused(Encoding::GBK, b"\x80"), (0, 1, BadReason::NotALead));
    assert_eq!(refused(Encoding::GBK, b"ab\xFF"), (2, 1, BadReason::NotALead));
    assert_eq!(refused(Encoding::GB18030, b"\xFF\xFF"), (0, 1, BadReason::NotALead));
    assert_eq!(refused(Encoding::GBK, b"\x81\xFF"), (0, 2, BadReason::InvalidTrail));
}

#[test]
fn a_field_cut_inside_a_character_says_so_at_every_cut() {
    // 中国 in GBK, then a four-byte character.
    let bytes = b"\xD6\xD0\xB9\xFA\x95\x32\x90\x31";
    for (cut, expected) in [
        (1, Some((0, 1))),
        (2, None),
        (3, Some((2, 1))),
        (4, None),
        (5, Some((4, 1))),
        (6, Some((4, 2))),
        (7, Some((4, 3))),
        (8, None),
    ] {
        let result = Encoding::GB18030.decode(&bytes[..cut]);
        match expected {
            None => assert!(result.is_ok(), "{cut}"),
            Some((at, len)) => {
                let bad = result.unwrap_err();
                assert_eq!((bad.at, bad.len, bad.reason), (at, len, BadReason::Truncated), "{cut}");
            }
        }
        let tail = expected.map_or(0, |(_, len)| len);
        assert_eq!(Encoding::GB18030.incomplete_tail(&bytes[..cut]), tail, "{cut}");
    }
    // A column boundary through the third character.
    assert_eq!(refused(Encoding::GBK, b"\xD6\xD0\xB9\xFA\xC8"), (4, 1, BadReason::Truncated));
}

#[test]
fn a_four_byte_code_in_a_gbk_field_names_the_right_encoding() {
    let bad = Encoding::GBK.decode(b"\xB9\xFA\x95\x32\x90\x31").unwrap_err();
    assert_eq!((bad.at, bad.len, bad.reason), (2, 4, BadReason::FourByteForm));
    assert_eq!(
        bad.to_string(),
        "byte 2 of the field: 4 byte(s) are no character in GBK: a four-byte code: this is GB 18030, not GBK (try encoding=gb18030)"
    );
}

#[test]
fn null_and_reject_leave_the_buffer_as_it_was() {
    for page in [
        Encoding::UTF_8,
        Encoding::GBK,
        Encoding::WINDOWS_1252,
        Encoding::UTF_16LE,
        Encoding::IBM935,
        Encoding::US_ASCII,
    ] {
        let mut out = Utf8Buf::default();
        out.push_str("前");
        let bytes = match page {
            Encoding::IBM935 => b"\xC1\x0E\x5B".as_slice(),
            Encoding::UTF_16LE => b"a\0\0\xDC",
            _ => b"abc\x81",
        };
        let seen = page.decode_into(bytes, Invalid::Null, &mut out).unwrap();
        assert!(seen.null && out.as_str() == "前", "{page}");
        assert!(page.decode_into(bytes, Invalid::Reject, &mut out).is_err());
        assert_eq!(out.as_str(), "前", "{page}");
        let seen = page.decode_into(bytes, Invalid::Replace, &mut out).unwrap();
        assert!(seen.replaced > 0 && out.as_str().contains('\u{FFFD}'), "{page}");
    }
}

#[test]
fn unicode_forms_are_strict() {
    assert_eq!(refused(Encoding::UTF_8, b"a\xC0\x80"), (1, 1, BadReason::NotALead));
    assert_eq!(refused(Encoding::UTF_8, b"\xED\xA0\x80"), (0, 3, BadReason::Surrogate));
    assert_eq!(refused(Encoding::UTF_8, b"\xE4\xB8"), (0, 2, BadReason::Truncated));
    assert_eq!(refused(Encoding::UTF_8, b"\xE4\xB8a"), (0, 2, BadReason::InvalidTrail));
    assert_eq!(refused(Encoding::UTF_16LE, b"\x00\xDC"), (0, 2, BadReason::Surrogate));
    assert_eq!(refused(Encoding::UTF_16BE, b"\xD8\x00\x00a"), (0, 2, BadReason::Surrogate));
    assert_eq!(refused(Encoding::UTF_16LE, b"a\0b"), (2, 1, BadReason::Truncated));
    assert_eq!(refused(Encoding::UTF_32BE, b"\0\0\xD8\0"), (0, 4, BadReason::Surrogate));
    assert_eq!(refused(Encoding::UTF_32LE, b"\0\0\x11\0"), (0, 4, BadReason::Unassigned));
    assert_eq!(Encoding::UTF_16BE.decode(b"\xD8\x34\xDD\x1E").unwrap(), "\u{1D11E}");
}

#[test]
fn mixed_ebcdic_must_balance_within_the_field() {
    let page = Encoding::IBM935;
    assert_eq!(page.decode(b"\x0E\x5B\xCF\x4D\x9B\x0F\xC1\xF1").unwrap(), "中国A1");
    assert_eq!(page.encode("中国A1").unwrap(), b"\x0E\x5B\xCF\x4D\x9B\x0F\xC1\xF1");
    assert_eq!(page.encode("A中B").unwrap(), b"\xC1\x0E\x5B\xCF\x0F\xC2");
    assert_eq!(page.decode(b"\x0E\x40\x40\x0F").unwrap(), "\u{3000}");
    assert_eq!(refused(page, b"\xC1\x0E\x5B\xCF"), (1, 3, BadReason::UnbalancedShift));
    assert_eq!(refused(page, b"\xC1\x0F"), (1, 1, BadReason::UnbalancedShift));
    assert_eq!(refused(page, b"\x0E\x5B\xCF\x0E\x0F"), (3, 1, BadReason::UnbalancedShift));
    assert_eq!(refused(page, b"\x0E\x5B\x0F"), (1, 1, BadReason::Truncated));
    assert_eq!(page.decode(b"\x0E\x0F\xC1").unwrap(), "A");
}

#[test]
fn a_missing_final_shift_in_passes_when_asked() {
    let page = Encoding::IBM935;
    let mut out = Utf8Buf::default();
    let seen =
        page.decode_tolerating_open_shift(b"\xC1\x0E\x5B\xCF", Invalid::Reject, &mut out).unwrap();
    assert_eq!((out.as_str(), seen.open_shift), ("A中", true));
    let seen = page
        .decode_tolerating_open_shift(b"\xC1\x0E\x5B\xCF\x0F", Invalid::Reject, &mut out)
        .unwrap();
    assert_eq!((out.as_str(), seen.open_shift), ("A中A中", false));
    assert!(page.decode_tolerating_open_shift(b"\x0E\x5B", Invalid::Reject, &mut out).is_err());
}

#[test]
fn what_an_encoding_lacks_is_refused_and_never_a_character_reference() {
    let text = "张\u{20087}三";
    let missing = Encoding::GBK.encode(text).unwrap_err();
    assert_eq!((missing.char_index, missing.byte_index, missing.character), (1, 3, '\u{20087}'));
    assert_eq!(missing.to_string(), "character 1 of the field, U+20087, does not exist in GBK");
    let mut out = b"x".to_vec();
    assert!(Encoding::GBK.encode_into(text, Unmappable::Reject, &mut out).is_err());
    assert_eq!(out, b"x");
    let seen = Encoding::GBK.encode_into(text, Unmappable::Replace('？'), &mut out).unwrap();
    assert_eq!((seen.replaced, out.as_slice()), (1, b"x\xD5\xC5\xA3\xBF\xC8\xFD".as_slice()));
    assert!(Encoding::WINDOWS_1252.encode_into(text, Unmappable::Replace('？'), &mut out).is_err());
    assert!(Encoding::IBM037.encode("中").is_err());
}

#[test]
fn truncation_never_cuts_a_character_and_counts_the_shifts() {
    for (page, text, max, kept, bytes) in [
        (Encoding::GBK, "中国人", 6, "中国人", 6),
        (Encoding::GBK, "中国人", 5, "中国", 4),
        (Encoding::GBK, "a中", 2, "a", 1),
        (Encoding::GB18030, "中\u{20087}", 5, "中", 2),
        (Encoding::UTF_8, "中国", 5, "中", 3),
        (Encoding::UTF_16LE, "a\u{20087}", 5, "a", 2),
        (Encoding::IBM935, "A中国B", 8, "A中国B", 8),
        (Encoding::IBM935, "A中国B", 7, "A中国", 7),
        (Encoding::IBM935, "A中国B", 6, "A中", 5),
        (Encoding::IBM935, "A中国B", 4, "A", 1),
        (Encoding::IBM037, "ABC", 0, "", 0),
    ] {
        let fitted = page.truncate_bytes(text, max).unwrap();
        assert_eq!(
            (fitted.text, fitted.bytes, fitted.cut),
            (kept, bytes, kept != text),
            "{page} {max}"
        );
        assert_eq!(page.encode(fitted.text).unwrap().len(), bytes, "{page} {max}");
    }
}

#[test]
fn fields_are_filled_with_blanks_of_the_encoding() {
    let field = |page: Encoding, text, width, align| {
        let mut out = b"|".to_vec();
        page.encode_field(text, width, align, Unmappable::Reject, &mut out).map(|_| out)
    };
    assert_eq!(field(Encoding::GBK, "张三", 6, Align::Left).unwrap(), b"|\xD5\xC5\xC8\xFD  ");
    assert_eq!(field(Encoding::GBK, "12", 4, Align::Right).unwrap(), b"|  12");
    assert_eq!(field(Encoding::IBM037, "A", 3, Align::Left).unwrap(), b"|\xC1\x40\x40");
    assert_eq!(field(Encoding::UTF_16BE, "A", 4, Align::Right).unwrap(), b"|\0 \0A");
    assert!(matches!(
        field(Encoding::UTF_16BE, "A", 5, Align::Left),
        Err(FieldError::Unfillable { left: 3, .. })
    ));
    assert!(matches!(
        field(Encoding::GBK, "张三", 3, Align::Left),
        Err(FieldError::TooLong { needed: 4, width: 3, .. })
    ));
    let mut out = Vec::new();
    let _ = Encoding::GBK
        .encode_field_chars("张三", 3, Align::Left, Unmappable::Reject, &mut out)
        .unwrap();
    assert_eq!(out, b"\xD5\xC5\xC8\xFD ");
}

#[test]
fn trimming_takes_full_width_blanks_only_when_asked() {
    let text = "\u{3000} 张 三 \u{3000}";
    assert_eq!(trim(text, Trim::Both, Blanks::Full), "张 三");
    assert_eq!(trim(text, Trim::Start, Blanks::Full), "张 三 \u{3000}");
    assert_eq!(trim(text, Trim::Both, Blanks::Half), text);
    assert_eq!(trim(" a\t ", Trim::Both, Blanks::Half), "a\t");
    assert_eq!(trim(" ", Trim::None, Blanks::Full), " ");
    for page in [
        Encoding::GBK,
        Encoding::BIG5,
        Encoding::SHIFT_JIS,
        Encoding::EUC_KR,
        Encoding::UTF_8,
        Encoding::UTF_16BE,
        Encoding::UTF_32LE,
    ] {
        assert_eq!(page.decode(page.full_width_blank().unwrap()).unwrap(), "\u{3000}", "{page}");
        assert_eq!(page.decode(page.blank()).unwrap(), " ", "{page}");
    }
}

#[test]
fn raw_blanks_go_before_decoding_and_nothing_else_does() {
    for page in Encoding::all() {
        let text = if page.has('中') { "中A" } else { "A" };
        let (plain, padded) =
            (page.encode(text).unwrap(), page.encode(&format!(" {text}  ")).unwrap());
        assert_eq!(page.trim_bytes(&padded, Trim::Both), plain, "{page}");
        assert_eq!(page.trim_bytes(&padded, Trim::None), padded, "{page}");
        let end = page.encode(&format!(" {text}")).unwrap();
        assert_eq!(page.trim_bytes(&padded, Trim::End), end, "{page}");
    }
    // U+2000 and U+0020 share bytes in UTF-16; an open run of mixed EBCDIC ends in 4040.
    assert_eq!(Encoding::UTF_16LE.trim_bytes(b"\0\x20 \0", Trim::Both), b"\0\x20");
    assert_eq!(Encoding::UTF_16BE.trim_bytes(b"a \0 ", Trim::End), b"a ");
    assert_eq!(Encoding::IBM935.trim_bytes(b"\x40\x0E\x40\x40", Trim::Both), b"\x0E\x40\x40");
}

#[test]
fn full_and_half_width_forms_fold_into_each_other() {
    let half: String = (' '..='~').collect();
    let full = to_full_width(&half);
    assert_eq!(full.chars().count(), 95);
    assert_eq!(to_half_width(&full), half);
    assert_eq!(to_half_width("¥￥中"), "¥￥中");
}

#[test]
fn serde_spells_the_policies_as_the_command_line_does() {
    assert_eq!(
        serde_json::to_string(&[Invalid::Reject, Invalid::Replace, Invalid::Null]).unwrap(),
        r#"["reject","replace","null"]"#
    );
    assert_eq!(serde_json::to_string(&Encoding::CP936).unwrap(), r#""CP936""#);
    let page: Encoding = serde_json::from_str(r#""gb18030-strict""#).unwrap();
    assert_eq!(page.to_string(), "GB18030-strict");
    assert!(serde_json::from_str::<Encoding>(r#""klingon""#).is_err());
}
