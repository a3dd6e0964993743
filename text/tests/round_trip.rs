//! Every code of every page, read and written back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::Encoding;

/// Pages with codes that do not write back, and how many: two codes for one character (the other one is written), or a
/// code for two characters (none is written).
const NOT_WRITTEN_BACK: &[(Encoding, usize)] = &[
    // A2E3 is read as the euro and the euro is written 80.
    (Encoding::CP936, 1),
    // Four codes for two characters; the older codes of the Hong Kong supplement.
    (Encoding::BIG5, 104),
    // NEC row 13 and the IBM extensions twice over, as Microsoft has them too.
    (Encoding::SHIFT_JIS, 398),
    // The same, and characters of JIS X 0212 that these rows also have.
    (Encoding::EUC_JP, 291),
    // Radicals that are also characters of running text.
    (Encoding::IBM937, 189),
];

#[test]
fn every_code_writes_back_but_for_counted_duplicates() {
    for page in Encoding::all() {
        let lost: Vec<Vec<u8>> = codes(page)
            .filter(|code| match page.decode(code) {
                Ok(text) => page.encode(&text).ok().as_ref() != Some(code),
                Err(_) => false,
            })
            .collect();
        let expected = NOT_WRITTEN_BACK.iter().find(|n| n.0 == page).map_or(0, |n| n.1);
        assert_eq!(lost.len(), expected, "{page}: {:02X?}", lost.first());
    }
}

/// One byte, two and (EUC-JP) three; between SO and SI in mixed EBCDIC.
fn codes(page: Encoding) -> impl Iterator<Item = Vec<u8>> {
    let multi = page.is_multi_byte() && page.bom() != Encoding::UTF_8.bom();
    let wide = page.is_multi_byte() && (page.is_stateful() || page.is_ascii_superset()) && multi;
    let shift = page.is_stateful();
    let single = (0..=0xFFu8).map(|b| vec![b]);
    let pairs = (0x4040..=0xFEFEu16).filter(move |_| wide).map(move |p| {
        let [lead, trail] = p.to_be_bytes();
        if shift { vec![0x0E, lead, trail, 0x0F] } else { vec![lead, trail] }
    });
    let triples = (0xA1A1..=0xFEFEu16).filter(move |_| page == Encoding::EUC_JP).map(|p| {
        let [second, third] = p.to_be_bytes();
        vec![0x8F, second, third]
    });
    single.chain(pairs).chain(triples).filter(move |c| shift || page.lead_len(c) == c.len())
}
