//! The GB 18030 tables, and what changed between the editions.
//!
//! `encoding_rs` serves as the source of the two-byte and four-byte parts. It follows the WHATWG
//! Encoding Standard, which in three places is not one-to-one; here the national standard holds:
//!
//! * A3A0 is U+E5E5 (WHATWG: U+3000, which already is A1A1);
//! * 18 four-byte codes stand for the private-use characters whose two-byte codes went to
//!   standard characters in 2022 (WHATWG: the same standard character a second time);
//! * 80 alone is nothing (WHATWG: the euro, which already is A2E3).

use std::sync::OnceLock;

/// Two-byte codes: 126 lead bytes by 190 trail bytes.
const PAIRS: usize = 126 * 190;
/// Four-byte codes of the basic plane: 81308130..8431A439.
const FOUR: usize = 39_420;
/// Linear number of 90308130, U+10000.
const PLANE_1: u32 = 189_000;

/// The 18 pairs of codes exchanged by GB 18030-2022: two-byte code, its character in 2022, its
/// character in 2005. The four-byte code has the two characters the other way round.
/// The tests find all 18 in `encoding_rs`: its decoder has the character of 2022, and its encoder still writes the
/// private-use character of 2005 as the same code (WHATWG Encoding Standard, gb18030 encoder).
pub(crate) const EXCHANGED: [(u16, char, char); 18] = [
    (0xA6D9, '\u{FE10}', '\u{E78D}'),
    (0xA6DA, '\u{FE12}', '\u{E78E}'),
    (0xA6DB, '\u{FE11}', '\u{E78F}'),
    (0xA6DC, '\u{FE13}', '\u{E790}'),
    (0xA6DD, '\u{FE14}', '\u{E791}'),
    (0xA6DE, '\u{FE15}', '\u{E792}'),
    (0xA6DF, '\u{FE16}', '\u{E793}'),
    (0xA6EC, '\u{FE17}', '\u{E794}'),
    (0xA6ED, '\u{FE18}', '\u{E795}'),
    (0xA6F3, '\u{FE19}', '\u{E796}'),
    (0xFE59, '\u{9FB4}', '\u{E81E}'),
    (0xFE61, '\u{9FB5}', '\u{E826}'),
    (0xFE66, '\u{9FB6}', '\u{E82B}'),
    (0xFE67, '\u{9FB7}', '\u{E82C}'),
    (0xFE6D, '\u{9FB8}', '\u{E832}'),
    (0xFE7E, '\u{9FB9}', '\u{E843}'),
    (0xFE90, '\u{9FBA}', '\u{E854}'),
    (0xFEA0, '\u{9FBB}', '\u{E864}'),
];

/// Six two-byte codes that still stand for private-use characters in 2022, and the standard
/// characters (written with four bytes) to use in their place; glibc 2.36 reads the codes as these.
pub(crate) const STILL_PRIVATE: [(u16, char, char); 6] = [
    (0xFE51, '\u{E816}', '\u{20087}'),
    (0xFE52, '\u{E817}', '\u{20089}'),
    (0xFE53, '\u{E818}', '\u{200CC}'),
    (0xFE6C, '\u{E831}', '\u{215D7}'),
    (0xFE76, '\u{E83B}', '\u{2298F}'),
    (0xFE91, '\u{E855}', '\u{241FE}'),
];

/// Both parts of the basic plane, edition 2022.
#[derive(Debug)]
struct Tables {
    pairs: Vec<u16>,
    four: Vec<u16>,
}

/// The character of a two-byte code (edition 2022).
pub(crate) fn pair(lead: u8, trail: u8) -> Option<char> {
    let unit = *tables().pairs.get(pair_number(lead, trail)?)?;
    char::from_u32(u32::from(unit)).filter(|&c| c != '\0')
}

/// The character of a four-byte code (edition 2022), given its bytes.
pub(crate) fn four(bytes: [u8; 4]) -> Option<char> {
    let number = four_number(bytes)?;
    if number >= PLANE_1 {
        return char::from_u32(0x1_0000 + (number - PLANE_1));
    }
    let unit = *tables().four.get(usize::try_from(number).ok()?)?;
    char::from_u32(u32::from(unit)).filter(|&c| c != '\0')
}

/// What edition 2005 has where edition 2022 has `c`, and the other way round.
pub(crate) fn other_edition(c: char) -> char {
    match c {
        '\u{E78D}'..='\u{E864}' | '\u{FE10}'..='\u{FE19}' | '\u{9FB4}'..='\u{9FBB}' => {
            let swap = EXCHANGED.iter().find_map(|&(_, new, old)| match c {
                _ if c == new => Some(old),
                _ if c == old => Some(new),
                _ => None,
            });
            swap.unwrap_or(c)
        }
        _ => c,
    }
}

/// Every two-byte code and its character.
pub(crate) fn all_pairs() -> impl Iterator<Item = (u8, u8, char)> {
    (0x81..=0xFEu8).flat_map(|lead| {
        (0x40..=0xFEu8).filter_map(move |trail| Some((lead, trail, pair(lead, trail)?)))
    })
}

/// Every four-byte code of the basic plane and its character.
pub(crate) fn all_four() -> impl Iterator<Item = (u32, char)> {
    (0u32..).take(FOUR).filter_map(|number| {
        let bytes = four_bytes(number);
        Some((u32::from_be_bytes(bytes), four(bytes)?))
    })
}

/// The code of a character above the basic plane.
pub(crate) fn above_basic_plane(c: char) -> Option<u32> {
    let number = u32::from(c).checked_sub(0x1_0000)? + PLANE_1;
    Some(u32::from_be_bytes(four_bytes(number)))
}

/// Whether four bytes have the shape of a four-byte code, assigned or not.
pub(crate) fn is_four(b: [u8; 4]) -> bool {
    four_number(b).is_some()
}

fn pair_number(lead: u8, trail: u8) -> Option<usize> {
    let row = usize::from(lead.checked_sub(0x81).filter(|&r| r < 126)?);
    let cell = match trail {
        0x40..=0x7E => trail - 0x40,
        0x80..=0xFE => trail - 0x41,
        _ => return None,
    };
    Some(row * 190 + usize::from(cell))
}

fn four_number([a, b, c, d]: [u8; 4]) -> Option<u32> {
    let high = |x: u8| x.checked_sub(0x81).filter(|&x| x < 126).map(u32::from);
    let low = |x: u8| x.checked_sub(0x30).filter(|&x| x < 10).map(u32::from);
    Some(((high(a)? * 10 + low(b)?) * 126 + high(c)?) * 10 + low(d)?)
}

fn four_bytes(number: u32) -> [u8; 4] {
    let digit = |n: u32, base: u8| base.wrapping_add((n & 0xFF) as u8);
    [
        digit(number / 12_600, 0x81),
        digit(number / 1_260 % 10, 0x30),
        digit(number / 10 % 126, 0x81),
        digit(number % 10, 0x30),
    ]
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut made = Tables { pairs: vec![0; PAIRS], four: vec![0; FOUR] };
        for lead in 0x81..=0xFEu8 {
            for trail in 0x40..=0xFEu8 {
                if let Some(cell) = pair_number(lead, trail).and_then(|n| made.pairs.get_mut(n)) {
                    *cell = ask(&[lead, trail]);
                }
            }
        }
        if let Some(cell) = pair_number(0xA3, 0xA0).and_then(|n| made.pairs.get_mut(n)) {
            *cell = 0xE5E5;
        }
        for (cell, number) in made.four.iter_mut().zip(0u32..) {
            let unit = ask(&four_bytes(number));
            let private = EXCHANGED.iter().find(|&&(_, new, _)| u32::from(new) == u32::from(unit));
            *cell = private.map_or(unit, |&(_, _, old)| u16::try_from(u32::from(old)).unwrap_or(0));
        }
        made
    })
}

/// What `encoding_rs` makes of one code; 0 for nothing.
fn ask(code: &[u8]) -> u16 {
    encoding_rs::GB18030
        .decode_without_bom_handling_and_without_replacement(code)
        .and_then(|text| text.chars().next())
        .and_then(|c| u16::try_from(u32::from(c)).ok())
        .unwrap_or(0)
}
