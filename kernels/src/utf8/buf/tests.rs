use encoding_rs::{BIG5, Encoding, GBK, SHIFT_JIS, WINDOWS_1252};
use proptest::prelude::*;

use super::*;

fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Option<char> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn table(encoding: &'static Encoding) -> DoubleByteTable {
    DoubleByteTable::new(|lead, trail| {
        // A single byte followed by another is two characters, which `decode` refuses.
        decode(encoding, &[lead, trail])
    })
    .with_single_bytes(|byte| decode(encoding, &[byte]))
}

/// One character at a time, asking encoding_rs itself.
fn naive_double(encoding: &'static Encoding, source: &[u8]) -> (String, Result<(), usize>) {
    let mut text = String::new();
    let mut at = 0;
    let held = |bytes: &[u8]| decode(encoding, bytes).filter(|character| character.len_utf8() < 4);
    while at < source.len() {
        let pair = source.get(at..at + 2).filter(|pair| pair[0] >= 0x80).and_then(held);
        match (pair, held(&source[at..=at])) {
            (Some(character), _) => {
                text.push(character);
                at += 2;
            }
            (None, Some(character)) => {
                text.push(character);
                at += 1;
            }
            (None, None) => return (text, Err(at)),
        }
    }
    (text, Ok(()))
}

fn check_double(encoding: &'static Encoding, table: &DoubleByteTable, source: &[u8]) {
    let mut buf = Utf8Buf::default();
    buf.push_str("前");
    let result = buf.push_double_byte(source, table);
    let (text, expected) = naive_double(encoding, source);
    assert_eq!(
        (&buf.as_str()[3..], result),
        (&*text, expected),
        "{} {source:02X?}",
        encoding.name()
    );
}

#[test]
fn every_pair_of_every_page_is_read_as_encoding_rs_reads_it() {
    for encoding in [GBK, BIG5, SHIFT_JIS] {
        let table = table(encoding);
        for lead in 0x80..=u8::MAX {
            for trail in (0..=u8::MAX).step_by(3) {
                check_double(encoding, &table, &[lead, trail]);
            }
        }
    }
}

#[test]
fn hanzi_at_every_place_of_every_length_are_read_as_encoding_rs_reads_them() {
    let table = table(GBK);
    let (gbk, _, _) = GBK.encode("分a合bc数据de交换fgh平台ijkl张伟mnopq身份证号码rstuvwx");
    for start in 0..gbk.len() {
        for end in start..=gbk.len() {
            check_double(GBK, &table, &gbk[start..end]);
        }
    }
    let (long, _, _) = GBK.encode("中华人民共和国居民身份证登记表格数据交换");
    for length in 0..=long.len() {
        let mut padded = long[..length].to_vec();
        padded.extend_from_slice(&[b' '; 20]);
        check_double(GBK, &table, &padded);
    }
}

#[test]
fn ascii_of_every_length_with_another_byte_anywhere_is_read_as_encoding_rs_reads_it() {
    let table = table(GBK);
    for length in 0..=40 {
        let plain: Vec<u8> = (b'0'..=b'z').cycle().take(length).collect();
        check_double(GBK, &table, &plain);
        for place in 0..length {
            for other in [&[0xB7, 0xD6][..], &[0xFF], &[0x80], &[0xB7]] {
                let mut source = plain.clone();
                source.splice(place..=place, other.iter().copied());
                check_double(GBK, &table, &source);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_as_encoding_rs_reads_them(source in proptest::collection::vec(any::<u8>(), 0..60)) {
        let tables = TABLES.get_or_init(|| [GBK, BIG5, SHIFT_JIS].map(|encoding| (encoding, table(encoding))));
        for (encoding, table) in tables {
            check_double(encoding, table, &source);
        }
    }

    #[test]
    fn text_survives_the_way_through_gbk(text in "[a-z0-9 一-龥]{0,80}") {
        let tables = TABLES.get_or_init(|| [GBK, BIG5, SHIFT_JIS].map(|encoding| (encoding, table(encoding))));
        let mut buf = Utf8Buf::default();
        prop_assert_eq!(buf.push_double_byte(&GBK.encode(&text).0, &tables[0].1), Ok(()));
        prop_assert_eq!(buf.as_str(), text);
    }

    #[test]
    fn single_bytes_are_read_until_the_first_that_is_not_held(source in proptest::collection::vec(any::<u8>(), 0..60)) {
        let held = |byte: u8| (byte != 0x7F).then(|| decode(WINDOWS_1252, &[byte])).flatten();
        let mut buf = Utf8Buf::default();
        let result = buf.push_single_byte(&source, &SingleByteTable::new(held));
        let expected: String = source.iter().map_while(|byte| held(*byte)).collect();
        let failed = source.iter().position(|byte| held(*byte).is_none());
        prop_assert_eq!(buf.as_str(), expected);
        prop_assert_eq!(result.err(), failed);
    }

    #[test]
    fn ascii_is_taken_whole_or_not_at_all(
        mut source in proptest::collection::vec(0u8..0x80, 0..60), fault in proptest::option::of((0usize..60, 0x80u8..)),
        slack in 0usize..20
    ) {
        if let Some((at, byte)) = fault
            && let Some(place) = source.get_mut(at)
        {
            *place = byte;
        }
        let expected = source.iter().position(|byte| !byte.is_ascii()).map_or(Ok(()), Err);
        let text = if expected.is_ok() { std::str::from_utf8(&source).unwrap() } else { "" };
        let mut buf = Utf8Buf::default();
        prop_assert_eq!(buf.push_ascii(&source), expected);
        prop_assert_eq!(buf.as_str(), text);
        // Bytes behind the range must not matter.
        let mut window = vec![0xFF; 2];
        window.extend_from_slice(&source);
        window.extend_from_slice(&vec![0xFF; slack]);
        buf.clear();
        prop_assert_eq!(buf.push_ascii_in(&window, 2..2 + source.len()), expected);
        prop_assert_eq!(buf.as_str(), text);
    }

    #[test]
    fn utf8_is_taken_whole_or_not_at_all(source in proptest::collection::vec(any::<u8>(), 0..24), text in "\\PC{0,30}") {
        let mut buf = Utf8Buf::default();
        prop_assert_eq!(buf.push_utf8(text.as_bytes()), Ok(()));
        let result = buf.push_utf8(&source);
        let expected = std::str::from_utf8(&source);
        prop_assert_eq!(result, expected.map(|_| ()).map_err(|error| error.valid_up_to()));
        prop_assert_eq!(buf.as_str(), format!("{text}{}", expected.unwrap_or_default()));
    }

    #[test]
    fn parts_of_a_checked_window_are_cut_between_characters_only(
        text in "[a-z中文😀é]{0,40}", from in 0usize..60, to in 0usize..60
    ) {
        let mut buf = Utf8Buf::default();
        let result = buf.push_validated(Validated::new(&text), from..to);
        prop_assert_eq!(result.ok().map(|()| buf.as_str()), text.get(from..to));
        prop_assert!(text.get(from..to).is_some() || buf.is_empty());
    }

    #[test]
    fn truncation_keeps_whole_characters(text in "[a-z中文😀é]{0,20}", at in 0usize..80) {
        let mut buf = Utf8Buf::default();
        buf.push_str(&text);
        let possible = at >= text.len() || text.is_char_boundary(at);
        prop_assert_eq!(buf.truncate(at), possible);
        prop_assert_eq!(buf.as_str(), if possible { &text[..at.min(text.len())] } else { &text });
    }
}

static TABLES: std::sync::OnceLock<[(&'static Encoding, DoubleByteTable); 3]> =
    std::sync::OnceLock::new();
