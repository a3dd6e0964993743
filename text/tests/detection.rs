//! Detection: the guess, and that its reasons are there to be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::{Detection, Encoding, detect};

const SIMPLIFIED: &str = "姓名,性别,民族,出生日期,住址,登记机关\n王小明,男,汉族,1985-03-12,北京市朝阳区建国路88号,朝阳区公安局\n李秀英,女,回族,1990-11-02,河北省石家庄市长安区中山东路12号,长安分局\n";
const TRADITIONAL: &str = "姓名,性別,出生日期,地址\n陳美玲,女,1985-03-12,臺北市中正區重慶南路一段122號\n林志明,男,1990-11-02,高雄市前金區中正四路211號,這是他們的新地址\n";
const JAPANESE: &str = "氏名,住所,備考\n山田太郎,東京都千代田区丸の内一丁目,これはテストのデータです\n鈴木花子,大阪市北区中之島,よろしくお願いします\n";
const KOREAN: &str = "이름,주소,비고\n김철수,서울특별시 종로구 세종로,이것은 시험 자료입니다\n박영희,부산광역시 중구 중앙동,등록되어 있습니다\n";

fn found(page: Encoding, text: &str) -> Detection {
    detect(&page.encode(text).unwrap(), None)
}

#[test]
fn official_records_of_each_language_are_recognised() {
    for (page, text) in [
        (Encoding::UTF_8, SIMPLIFIED),
        (Encoding::GBK, SIMPLIFIED),
        (Encoding::BIG5, TRADITIONAL),
        (Encoding::SHIFT_JIS, JAPANESE),
        (Encoding::EUC_JP, JAPANESE),
        (Encoding::EUC_KR, KOREAN),
        (Encoding::UTF_16LE, SIMPLIFIED),
        (Encoding::UTF_16BE, KOREAN),
        (Encoding::UTF_32LE, SIMPLIFIED),
        (Encoding::UTF_32BE, SIMPLIFIED),
    ] {
        let found = found(page, text);
        assert_eq!(found.encoding, page, "{:#?}", found);
        assert!(found.confidence > 0.6 && !found.evidence.is_empty(), "{found:#?}");
        assert!(!found.contradicts_hint && found.bom_len == 0);
    }
}

#[test]
fn a_sample_cut_inside_a_character_is_recognised_all_the_same() {
    let bytes = Encoding::GBK.encode(SIMPLIFIED).unwrap();
    let long = bytes.iter().position(|&b| b == b'\n').unwrap() + 8;
    for cut in long..bytes.len() {
        assert_eq!(detect(&bytes[..cut], None).encoding, Encoding::GBK, "{cut}");
    }
    let bytes = SIMPLIFIED.as_bytes();
    for cut in 4..bytes.len() {
        assert_eq!(detect(&bytes[..cut], None).encoding, Encoding::UTF_8, "{cut}");
    }
}

#[test]
fn four_byte_codes_make_gbk_into_gb18030() {
    let found = found(Encoding::GB18030, &SIMPLIFIED.replace('明', "\u{20087}"));
    assert_eq!(found.encoding, Encoding::GB18030, "{found:#?}");
    assert!(found.evidence[0].contains("four-byte"));
}

#[test]
fn byte_order_marks_decide_and_are_measured() {
    for (page, len) in [
        (Encoding::UTF_8, 3),
        (Encoding::UTF_16LE, 2),
        (Encoding::UTF_16BE, 2),
        (Encoding::UTF_32LE, 4),
        (Encoding::UTF_32BE, 4),
        (Encoding::GB18030, 4),
    ] {
        let bytes = [page.bom(), &page.encode(SIMPLIFIED).unwrap()].concat();
        let found = detect(&bytes, Some(Encoding::GBK).filter(|_| page == Encoding::GB18030));
        assert_eq!((found.bom_len, found.confidence), (len, 1.0), "{found:#?}");
        assert!(found.encoding == page || page == Encoding::GB18030, "{found:#?}");
    }
    let lie = detect(b"\xEF\xBB\xBF\xD6\xD0", None);
    assert!(lie.confidence <= 0.5 && lie.evidence[1].contains("byte 3"), "{lie:#?}");
}

#[test]
fn mainframe_records_are_recognised_with_their_mixed_runs() {
    let record = "0001WANG XIAOMING       19850312BEIJING      00012345";
    assert_eq!(found(Encoding::IBM037, record).encoding, Encoding::IBM037);
    let found_1047 = found(Encoding::IBM1047, "TABLE[1] = 25  ITEM[2] = 30 ");
    assert_eq!(found_1047.encoding, Encoding::IBM1047, "{found_1047:#?}");
    let mixed = "0001王小明                19850312北京市朝阳区建国路00012345   ";
    let found_935 = found(Encoding::IBM935, mixed);
    assert!([Encoding::IBM935, Encoding::IBM1388].contains(&found_935.encoding), "{found_935:#?}");
    let mixed = "0001陳美玲                19850312臺北市中正區重慶南路00012345   ";
    assert_eq!(found(Encoding::IBM937, mixed).encoding, Encoding::IBM937);
}

#[test]
fn western_text_is_not_taken_for_chinese() {
    let found = found(
        Encoding::WINDOWS_1252,
        "Prénom,Adresse\nHélène,12 rue de l’Église à Orléans\nFrançois,né à Besançon, marié\n",
    );
    assert!(!found.encoding.is_multi_byte(), "{found:#?}");
}

#[test]
fn nothing_but_ascii_fits_whatever_was_declared() {
    assert_eq!(detect(b"a,b\n1,2\n", None).encoding, Encoding::UTF_8);
    let found = detect(b"a,b\n1,2\n", Some(Encoding::GBK));
    assert_eq!((found.encoding, found.contradicts_hint), (Encoding::GBK, false));
    assert!(detect(b"\x1B$B%F%9\x1B(B", None).evidence[1].contains("ISO-2022-JP"));
    assert_eq!(detect(b"", Some(Encoding::BIG5)).confidence, 0.0);
}

#[test]
fn a_declaration_that_the_bytes_refute_is_reported() {
    let found = detect(SIMPLIFIED.as_bytes(), Some(Encoding::GBK));
    assert_eq!(found.encoding, Encoding::UTF_8);
    assert!(
        found.contradicts_hint && found.evidence.iter().any(|e| e.contains("declared GBK")),
        "{found:#?}"
    );
    // GBK declared as GB 18030 or as code page 936 is no contradiction.
    let bytes = Encoding::GBK.encode(SIMPLIFIED).unwrap();
    for hint in [Encoding::GB18030, Encoding::CP936] {
        let found = detect(&bytes, Some(hint));
        assert_eq!((found.encoding, found.contradicts_hint), (hint, false));
    }
    // A DBF file whose header says 437 and whose bytes are GBK: every byte means something in 437.
    let found = detect(&bytes, Some(Encoding::CP437));
    assert!(found.encoding == Encoding::GBK && found.contradicts_hint, "{found:#?}");
}

#[test]
fn evidence_never_quotes_the_sample() {
    for (page, text) in [
        (Encoding::GBK, SIMPLIFIED),
        (Encoding::UTF_8, SIMPLIFIED),
        (Encoding::IBM935, "王小明 1985  "),
    ] {
        for line in found(page, text).evidence {
            assert!(!line.contains('王') && !line.contains("1985"), "{line}");
        }
    }
}

#[test]
fn a_few_broken_places_do_not_make_utf8_into_something_else() {
    let mut bytes = SIMPLIFIED.as_bytes().repeat(20);
    let at = SIMPLIFIED.find("王小明").unwrap();
    bytes[at + 1] = b'x';
    let found = detect(&bytes, None);
    assert_eq!(found.encoding, Encoding::UTF_8, "{found:#?}");
    assert!(found.evidence[0].contains(&format!("first at byte {at}")), "{found:#?}");
    assert!(found.confidence > 0.6 && found.confidence < 0.9, "{found:#?}");

    // European letters have two bytes each: ten for one broken place.
    let european = "Jos\u{e9};M\u{fc}ller;Zo\u{eb}\n".repeat(4);
    let mut bytes = european.into_bytes();
    bytes.extend(b"Andr\xE9;x\n");
    assert_eq!(detect(&bytes, None).encoding, Encoding::UTF_8);

    // GBK text holds pairs that are valid UTF-8 by chance; its errors outnumber them.
    let bytes = Encoding::GBK.encode(&SIMPLIFIED.repeat(30)).unwrap();
    assert_eq!(detect(&bytes, None).encoding, Encoding::GBK);
}

#[test]
fn one_byte_proves_no_page() {
    let mut bytes = b"id,name\n".to_vec();
    (0..50).for_each(|n| bytes.extend(format!("{n},abc\n").into_bytes()));
    bytes.extend(b"51,ab\xE5\n");
    let found = detect(&bytes, None);
    assert_eq!(found.encoding, Encoding::UTF_8, "{found:#?}");
    assert!(found.confidence < 0.5 && !found.alternatives.is_empty(), "{found:#?}");
    assert!(found.evidence[0].contains(&format!("byte {}", bytes.len() - 2)), "{found:#?}");
}

#[test]
fn a_nul_byte_in_narrow_text_is_no_wide_text() {
    for sample in [&b"id,n\n1,a\0b\n2,c\n"[..], b"id,n\n11,a\0b\n2,c\n", b"ab\0\0cd\n"] {
        let found = detect(sample, None);
        assert_eq!(found.encoding, Encoding::UTF_8, "{found:#?}");
    }
    let padded = [b"id,n\n".as_slice(), &b"1,a\0b\n2,c\n".repeat(100)].concat();
    assert_eq!(detect(&padded, None).encoding, Encoding::UTF_8);
    // Small wide texts are still known.
    for page in [Encoding::UTF_16LE, Encoding::UTF_16BE] {
        for text in ["a,b\n", "id,n\n1,a\n", "姓名,n\n王,1\n"] {
            assert_eq!(found(page, text).encoding, page, "{text:?}");
        }
    }
}
