//! Delimiters and chunk ends in raw multi-byte text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::Encoding;
use proptest::prelude::*;

#[test]
fn delimiters_inside_characters_are_not_found() {
    // 99 7C is 檤, then a real bar.
    assert_eq!(Encoding::GBK.find_byte(b"\x99\x7C|", b'|', 0), Some(2));
    assert_eq!(Encoding::GBK.find_byte(b"\x99\x7C", b'|', 0), None);
    assert_eq!(Encoding::BIG5.find_byte(b"\xA6\x7C|", b'|', 0), Some(2));
    assert_eq!(Encoding::SHIFT_JIS.find_byte(b"\x83\x5C\\", b'\\', 0), Some(2));
    assert_eq!(Encoding::GB18030.find_byte(b"\x95\x32\x90\x31" as &[u8], b'1', 0), None);
    assert_eq!(Encoding::GB18030.find_byte(b"\x95\x32\x90\x311", b'1', 0), Some(4));
    assert_eq!(Encoding::IBM935.find_byte(b"\x0E\x4F\x4F\x0F\x4F", 0x4F, 0), Some(4));
    assert_eq!(
        Encoding::UTF_16LE.find_byte(
            "\u{7C00}|".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice(),
            b'|',
            0
        ),
        Some(2)
    );
    assert_eq!(Encoding::GBK.find_byte(b"a|b|c", b'|', 2), Some(3));
    assert_eq!(Encoding::GBK.find_byte(b"a", b'|', 9), None);
    // A broken pair does not hide the delimiter after it.
    assert_eq!(Encoding::GBK.find_byte(b"\x81\x20|", b'|', 0), Some(2));
}

#[test]
fn safe_delimiters_occur_in_no_longer_character() {
    for page in Encoding::all().filter(|e| e.is_multi_byte() && !e.is_stateful()) {
        let mut seen = [false; 256];
        let mut code = Vec::new();
        for c in ('\0'..=char::MAX).step_by(1) {
            code.clear();
            if page
                .encode_into(c.encode_utf8(&mut [0; 4]), fenhe_text::Unmappable::Reject, &mut code)
                .is_ok()
                && code.len() > 1
            {
                code.iter().for_each(|&b| seen[usize::from(b)] = true);
            }
            if u32::from(c) > 0x2_FFFF {
                break;
            }
        }
        for byte in 0..0x80u8 {
            assert!(!(page.safe_delimiter(byte) && seen[usize::from(byte)]), "{page} {byte:02X}");
        }
        // And the answer is not merely timid: bytes that are said to be unsafe do occur.
        let timid =
            (0..0x80u8).filter(|&b| !page.safe_delimiter(b) && !seen[usize::from(b)]).count();
        assert!(timid <= 2, "{page}: {timid}");
    }
}

#[test]
fn only_cp864_among_the_pc_pages_is_no_superset_of_ascii() {
    let not: Vec<&str> = Encoding::all()
        .filter(|e| !e.is_ascii_superset() && !e.is_ebcdic())
        .map(Encoding::name)
        .collect();
    assert_eq!(not, ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "CP864"]);
}

fn page_and_text() -> impl Strategy<Value = (Encoding, String)> {
    let pages: Vec<Encoding> = Encoding::all().collect();
    (
        proptest::sample::select(pages),
        "[ -~，。一-龥ぁ-んァ-ヶ가-힣À-ÿА-я\u{E000}-\u{E010}𠀀-𠀐€|\\\\]{0,40}",
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_can_be_written_reads_back((page, text) in page_and_text()) {
        let text: String = text.chars().filter(|&c| page.has(c)).collect();
        let bytes = page.encode(&text).unwrap();
        prop_assert_eq!(page.encoded_len(&text).unwrap(), bytes.len());
        prop_assert_eq!(page.decode(&bytes).unwrap(), text.as_str());
        // Stepping meets every character and ends at the end.
        let (mut at, mut step) = (0, page.char_step());
        let mut count = 0;
        while at < bytes.len() {
            let shift = page.is_stateful() && matches!(bytes[at], 0x0E | 0x0F);
            at += step.len(&bytes[at..]);
            count += usize::from(!shift);
        }
        prop_assert_eq!((at, count), (bytes.len(), text.chars().count()));
    }

    #[test]
    fn chunks_cut_anywhere_join_again((page, text) in page_and_text(), cut in 0usize..200) {
        let text: String = text.chars().filter(|&c| page.has(c)).collect();
        let bytes = page.encode(&text).unwrap();
        let head = &bytes[..cut.min(bytes.len())];
        let whole = head.len() - page.incomplete_tail(head);
        let joined = format!("{}{}", page.decode(&head[..whole]).unwrap(), page.decode(&bytes[whole..]).unwrap());
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn truncation_gives_the_longest_prefix_that_fits((page, text) in page_and_text(), max in 0usize..60) {
        let text: String = text.chars().filter(|&c| page.has(c)).collect();
        let fitted = page.truncate_bytes(&text, max).unwrap();
        prop_assert!(fitted.bytes <= max);
        prop_assert_eq!(page.encode(fitted.text).unwrap().len(), fitted.bytes);
        if let Some(next) = text[fitted.text.len()..].chars().next() {
            let longer = format!("{}{next}", fitted.text);
            prop_assert!(page.encode(&longer).unwrap().len() > max);
        }
    }

    #[test]
    fn any_bytes_at_all_end_in_text_or_an_error((page, bytes) in (proptest::sample::select(Encoding::all().collect::<Vec<_>>()), proptest::collection::vec(any::<u8>(), 0..64))) {
        let mut out = fenhe_text::Utf8Buf::default();
        let seen = page.decode_into(&bytes, fenhe_text::Invalid::Replace, &mut out).unwrap();
        match page.decode(&bytes) {
            Ok(text) => prop_assert_eq!((text.as_ref(), 0), (out.as_str(), seen.replaced)),
            Err(bad) => {
                prop_assert!(seen.replaced > 0 && bad.len > 0 && bad.at + bad.len <= bytes.len());
                prop_assert!(page.is_stateful() || page.decode(&bytes[..bad.at]).is_ok());
            }
        }
        let _ = fenhe_text::detect(&bytes, Some(page));
        let _ = page.find_byte(&bytes, b'|', 0);
        prop_assert!(page.incomplete_tail(&bytes) <= bytes.len());
    }
}
