//! Every code of every table against glibc's `iconv`; each allowed difference is listed with its reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{iconv_each, iconv_each_ebcdic, iconv_to, is_glibc};
use fenhe_text::{Encoding, is_private_use};

/// Page, byte, what glibc has, and why ours stays.
const SINGLE_BYTE_DIFFERENCES: &[(Encoding, u8, &str, &str)] = &[
    (Encoding::MAC_ROMAN, 0xC6, "\u{394}", "Apple's table has the increment U+2206"),
    (Encoding::MAC_ROMAN, 0xF0, "\u{E01E}", "Apple's table has its own apple U+F8FF"),
    (Encoding::MAC_CYRILLIC, 0xFF, "\u{A4}", "Apple put the euro there in 1998"),
    (Encoding::IBM273, 0xBC, "\u{AF}", "CPython's table has the overline U+203E"),
    (Encoding::IBM875, 0x6A, "", "the vertical bar is missing in glibc"),
    (Encoding::IBM875, 0x74, "\u{2207}", "CPython's table has the no-break space"),
    (Encoding::IBM875, 0xDD, "\u{B7}", "CPython's table has the ano teleia U+0387"),
    (Encoding::IBM1026, 0x9D, "\u{2DB}", "CPython's table has the cedilla"),
    (Encoding::IBM1026, 0xBC, "\u{2014}", "CPython's table has the macron"),
];

/// Pages glibc does not have.
const NOT_IN_GLIBC: [Encoding; 6] = [
    Encoding::CP720,
    Encoding::KAMENICKY,
    Encoding::MAZOVIA,
    Encoding::MAC_GREEK,
    Encoding::MAC_ICELAND,
    Encoding::MAC_TURKISH,
];

#[test]
fn every_byte_of_every_single_byte_page_reads_as_in_glibc() {
    if !is_glibc() {
        return;
    }
    let mut pages = 0;
    for page in Encoding::all().filter(|e| !e.is_multi_byte() && !NOT_IN_GLIBC.contains(e)) {
        let codes: Vec<Vec<u8>> =
            (0..=0xFFu8).filter(|b| !matches!(b, b'\n' | 0x25)).map(|b| vec![b]).collect();
        let name = glibc_name(page);
        let theirs = if page.is_ebcdic() {
            iconv_each_ebcdic(&name, &codes)
        } else {
            iconv_each(&name, &codes)
        };
        let theirs = theirs.unwrap_or_else(|| panic!("glibc knows {name}"));
        for (code, theirs) in codes.iter().zip(theirs) {
            let ours = page.decode(code).map(String::from).unwrap_or_default();
            let listed = SINGLE_BYTE_DIFFERENCES.iter().find(|d| d.0 == page && d.1 == code[0]);
            match listed {
                Some((_, _, expected, why)) => {
                    assert!(theirs == *expected && ours != theirs, "{page} {code:02X?}: {why}")
                }
                None => assert_eq!(ours, theirs, "{page} {code:02X?}"),
            }
        }
        pages += 1;
    }
    assert_eq!(pages, 70);
}

#[test]
fn the_signs_that_tell_the_ebcdic_pages_apart_are_where_ibm_has_them() {
    // [ ] ^ | ! in 037, 500 and 1047: where these pages differ.
    let signs = |page: Encoding| {
        "[]^|!".chars().map(|c| page.encode(&c.to_string()).unwrap()[0]).collect::<Vec<_>>()
    };
    assert_eq!(signs(Encoding::IBM037), [0xBA, 0xBB, 0xB0, 0x4F, 0x5A]);
    assert_eq!(signs(Encoding::IBM500), [0x4A, 0x5A, 0x5F, 0xBB, 0x4F]);
    assert_eq!(signs(Encoding::IBM1047), [0xAD, 0xBD, 0x5F, 0x4F, 0x5A]);
    assert_eq!(Encoding::IBM1140.decode(&[0x9F]).unwrap(), "€");
    assert_eq!(Encoding::IBM037.decode(&[0x9F]).unwrap(), "¤");
    assert_eq!(Encoding::IBM037.decode(&[0x15, 0x25]).unwrap(), "\u{85}\n");
    // The single-byte half of 935.
    assert_eq!(Encoding::IBM935.decode(&[0xE0, 0xA0, 0xB2, 0x5B]).unwrap(), "$~\\¥");
}

#[test]
fn kamenicky_and_mazovia_are_437_with_the_letters_of_czech_and_polish() {
    // The pangrams of both languages, spelt by hand from the tables in use on DOS (Star's printers list them as 3844
    // and 3843).
    let czech = b"P\xA9\xA1li\xA8 \x91lu\x9Fou\x87k\x98 k\x96\xA4";
    assert_eq!(Encoding::KAMENICKY.decode(czech).unwrap(), "Příliš žluťoučký kůň");
    let polish = b"Za\xA7\xA2\x92\x8D g\x91\x9El\x86 ja\xA6\xA4";
    assert_eq!(Encoding::MAZOVIA.decode(polish).unwrap(), "Zażółć gęślą jaźń");
    assert_eq!(Encoding::MAZOVIA.decode(b"5 \x9B").unwrap_err().at, 2);
    assert_eq!(Encoding::KAMENICKY.decode(b"\xC9\xCD\xBB").unwrap(), "╔═╗");
}

/// Every pair of one family, both alone; `allowed` explains a difference.
fn compare(page: Encoding, name: &str, allowed: impl Fn(u32, &str, &str) -> bool) -> usize {
    let pairs = (0x81..=0xFEu8).flat_map(|l| (0x40..=0xFEu8).map(move |t| vec![l, t]));
    let singles = (0x80..=0xFFu8).map(|b| vec![b]);
    let codes: Vec<Vec<u8>> =
        singles.chain(pairs).filter(|c| page.lead_len(c) == c.len()).collect();
    compare_codes(page, name, &codes, allowed)
}

fn compare_codes(
    page: Encoding,
    name: &str,
    codes: &[Vec<u8>],
    allowed: impl Fn(u32, &str, &str) -> bool,
) -> usize {
    let Some(theirs) = iconv_each(name, codes) else {
        return 0;
    };
    let mut held = 0;
    for (code, theirs) in codes.iter().zip(theirs) {
        let ours = page.decode(code).map(String::from).unwrap_or_default();
        held += usize::from(!ours.is_empty());
        // After what it cannot read, iconv goes on one byte later: that is the trail byte by itself.
        let rest = code.get(1..).and_then(|r| page.decode(r).ok()).unwrap_or_default();
        let skipped = ours.is_empty() && (theirs == rest || theirs.is_ascii());
        let number = code.iter().fold(0, |n, &b| n << 8 | u32::from(b));
        assert!(
            ours == theirs || skipped || allowed(number, &ours, &theirs),
            "{page} {code:02X?}: ours {} theirs {}",
            ours.escape_unicode(),
            theirs.escape_unicode()
        );
    }
    held
}

fn private(text: &str) -> bool {
    text.chars().any(is_private_use)
}

#[test]
fn gbk_pairs_read_as_in_glibc_but_for_the_additions_of_gb18030() {
    if !is_glibc() {
        return;
    }
    // GB 18030-2022 fills the holes of GBK 1.0: the euro, vertical forms, pinyin letters, ideographic description
    // characters, radicals and extension A; and the user-defined areas, which are private use.
    let added = |code: u32| matches!(code, 0xA2E3 | 0xA6D9..=0xA6F3 | 0xA8BC | 0xA8BF | 0xA989..=0xA995 | 0xFE50..=0xFEA0);
    let held = compare(Encoding::GBK, "GBK", |code, ours, theirs| {
        // glibc gives the single byte 80 to the euro as CP936 does; GBK has no single byte above 7F.
        (theirs.is_empty() && (private(ours) || added(code)))
            || (code == 0x80 && theirs == "€" && ours.is_empty())
    });
    assert_eq!(held, 23_940);
    let held = compare(Encoding::CP936, "CP936", |code, ours, theirs| {
        theirs.is_empty() && (private(ours) || added(code))
    });
    assert_eq!(held, 23_941);
}

#[test]
fn gb18030_pairs_read_as_in_glibc_but_for_the_six_codes_still_private() {
    if !is_glibc() {
        return;
    }
    // glibc 2.36 reads FE51, FE52, FE53, FE6C, FE76 and FE91 as their standard characters; GB 18030-2022 leaves these
    // codes at private use. Its other 18 codes are already those of 2022.
    let held = compare(Encoding::GB18030, "GB18030", |_, ours, theirs| {
        ours.chars().next().and_then(fenhe_text::standard_character) == theirs.chars().next()
    });
    assert_eq!(held, 23_940);
}

#[test]
fn big5_reads_as_in_glibc_but_for_the_signs_browsers_have_otherwise() {
    if !is_glibc() {
        return;
    }
    // Signs for which the WHATWG standard follows Microsoft's code page 950 and glibc its own reading of the standard.
    let signs =
        [0xA145, 0xA14E, 0xA1C2, 0xA1E3, 0xA1F2, 0xA1F3, 0xA241, 0xA242, 0xA244, 0xA246, 0xA247];
    // Codes only the WHATWG standard has: older forms of the Hong Kong supplement, ETEN's and Microsoft's additions.
    let held = compare(Encoding::BIG5, "BIG5-HKSCS", |code, _, theirs| {
        theirs.is_ascii() || signs.contains(&code) || (code == 0x80 && theirs == "\u{80}")
    });
    assert_eq!(held, 18_594);
}

#[test]
fn shift_jis_reads_as_code_page_932_in_glibc() {
    if !is_glibc() {
        return;
    }
    let held = compare(Encoding::SHIFT_JIS, "CP932", |code, ours, theirs| {
        // A control character in WHATWG's table and in Windows; nothing in glibc.
        code == 0x80 && ours == "\u{80}" && theirs.is_empty()
    });
    // 63 half-width katakana, 80, 7724 characters (NEC and IBM included) and 1880 user-defined.
    assert_eq!(held, 63 + 1 + 7_724 + 1_880);
}

#[test]
fn euc_jp_reads_as_in_glibc_but_for_nec_and_ibm_extensions() {
    if !is_glibc() {
        return;
    }
    let triples = (0xA1..=0xFEu8).flat_map(|l| (0xA1..=0xFEu8).map(move |t| vec![0x8F, l, t]));
    let pairs = (0x8E..=0xFEu8).flat_map(|l| (0xA1..=0xFEu8).map(move |t| vec![l, t]));
    let codes: Vec<Vec<u8>> =
        pairs.chain(triples).filter(|c| Encoding::EUC_JP.lead_len(c) == c.len()).collect();
    let held = compare_codes(Encoding::EUC_JP, "EUC-JP", &codes, |code, ours, theirs| {
        // Row 13 (NEC) and rows 89 to 92 (IBM as selected by NEC) are not in the standard that glibc follows.
        let extended = matches!(code >> 8, 0xAD | 0xF9..=0xFC) && theirs.is_empty();
        // Signs for which WHATWG follows Microsoft: wave dash, parallel, minus, cent, pound, not.
        let signs = [0xA1C1, 0xA1C2, 0xA1DD, 0xA1F1, 0xA1F2, 0xA2CC].contains(&code);
        // After 8F, which begins nothing it knows, glibc reads the other two as a pair.
        let pair = code > 0xFFFF && ours.is_empty() && theirs.chars().count() == 1;
        extended || signs || pair || (code == 0x8FA2B7 && ours == "\u{FF5E}" && theirs == "~")
    });
    assert_eq!(held, 13_466);
}

#[test]
fn euc_kr_reads_as_unified_hangul_code_in_glibc() {
    if !is_glibc() {
        return;
    }
    let held =
        compare(Encoding::EUC_KR, "UHC", |_, ours, theirs| private(theirs) && ours.is_empty());
    assert_eq!(held, 17_048);
}

#[test]
fn every_pair_of_the_mixed_ebcdic_pages_reads_as_in_glibc() {
    if !is_glibc() {
        return;
    }
    for (page, expected) in [
        (Encoding::IBM935, 9_356),
        (Encoding::IBM937, 20_264),
        (Encoding::IBM939, 11_635),
        (Encoding::IBM1388, 32_405),
    ] {
        let codes: Vec<Vec<u8>> = (0x40..=0xFEu8)
            .flat_map(|l| (0x40..=0xFEu8).map(move |t| vec![0x0E, l, t, 0x0F]))
            .filter(|c| page.decode(c).is_ok())
            .collect();
        assert_eq!(codes.len(), expected, "{page}");
        let theirs = iconv_each_ebcdic(page.name(), &codes).unwrap_or_default();
        for (code, theirs) in codes.iter().zip(theirs) {
            assert_eq!(page.decode(code).unwrap(), theirs, "{page} {code:02X?}");
        }
        // The other way round: where two codes stand for one character, glibc's choice.
        let mut text: String = codes.iter().map(|c| page.decode(c).unwrap().into_owned()).collect();
        text.push('\n');
        assert!(
            page.encode(&text).unwrap() == iconv_to(page.name(), &text).unwrap_or_default(),
            "{page}"
        );
    }
}

fn glibc_name(page: Encoding) -> String {
    let number = page.code_page().unwrap();
    match number {
        28591..=28606 => format!("ISO-8859-{}", number - 28590),
        20127 => "ASCII".to_owned(),
        20866 | 21866 => page.name().to_owned(),
        10000 => "MACINTOSH".to_owned(),
        10007 => "MAC-CYRILLIC".to_owned(),
        10029 => "MAC-CENTRALEUROPE".to_owned(),
        _ if page.is_ebcdic() => page.name().to_owned(),
        _ => format!("CP{number}"),
    }
}
