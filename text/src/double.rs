//! The families whose lead bytes are above 7F: GBK, GB 18030, Big5, Shift_JIS, EUC.

use std::sync::OnceLock;

use crate::decode::{BadReason, Step};
use crate::gb18030;
use crate::pages::Family;
use crate::private_use::is_private_use;
use crate::reverse::Reverse;
use fenhe_kernels::DoubleByteTable;

/// Both directions of one family, made when first asked for.
#[derive(Debug)]
pub(crate) struct DoubleTables {
    /// Pairs that stand for one character outside the private-use areas: the fast road.
    pub(crate) forward: DoubleByteTable,
    pub(crate) reverse: Reverse,
}

/// The tables of a family.
#[expect(clippy::indexing_slicing, reason = "one table for each of the eight families")]
pub(crate) fn tables(family: Family) -> &'static DoubleTables {
    static TABLES: [OnceLock<DoubleTables>; 8] = [const { OnceLock::new() }; 8];
    TABLES[family as usize]
        .get_or_init(|| DoubleTables { forward: forward(family), reverse: reverse(family) })
}

/// One character at the start of `bytes` (not empty), by the rules of the family.
///
/// What is refused covers the lead byte alone when the byte after it could begin a character of
/// its own (an ASCII byte is never swallowed), and the whole code when it is well-formed and
/// stands for nothing.
pub(crate) fn step(family: Family, bytes: &[u8]) -> Step {
    let lead = bytes.first().copied().unwrap_or(0);
    if lead < 0x80 {
        return Step::Char(char::from(lead), 1);
    }
    match family {
        Family::Gbk | Family::Cp936 | Family::Gb18030 | Family::Gb18030y2005 => {
            step_gb(family, lead, bytes)
        }
        Family::Big5 | Family::ShiftJis | Family::EucJp | Family::EucKr => {
            step_other(family, bytes)
        }
    }
}

/// Bytes taken by the character at the start of `bytes`, by shape alone; 1 when it is no character.
#[inline]
pub(crate) fn shape(family: Family, bytes: &[u8]) -> usize {
    let lead = bytes.first().copied().unwrap_or(0);
    if lead < 0x80 || !is_lead(family, lead) {
        return 1;
    }
    let Some(&trail) = bytes.get(1) else { return 1 };
    if is_trail(family, lead, trail) {
        return if family == Family::EucJp && lead == 0x8F { shape_three(bytes) } else { 2 };
    }
    match (family, bytes) {
        (Family::Gb18030 | Family::Gb18030y2005, &[a, b, c, d, ..])
            if gb18030::is_four([a, b, c, d]) =>
        {
            4
        }
        _ => 1,
    }
}

/// Whether `bytes`, which end early, may be the start of a longer character.
pub(crate) fn may_go_on(family: Family, bytes: &[u8]) -> bool {
    let digit = |b: u8| b.is_ascii_digit();
    let high = |b: u8| (0x81..=0xFE).contains(&b);
    match *bytes {
        [lead] => is_lead(family, lead),
        [a, b] if family == Family::EucJp => a == 0x8F && high(b) && b >= 0xA1,
        [a, b] => is_gb18030(family) && high(a) && digit(b),
        [a, b, c] => is_gb18030(family) && high(a) && digit(b) && high(c),
        _ => false,
    }
}

/// Whether a byte begins a multi-byte character.
#[inline]
pub(crate) fn is_lead(family: Family, byte: u8) -> bool {
    match family {
        Family::ShiftJis => matches!(byte, 0x81..=0x9F | 0xE0..=0xFC),
        Family::EucJp => matches!(byte, 0x8E | 0x8F | 0xA1..=0xFE),
        _ => matches!(byte, 0x81..=0xFE),
    }
}

/// Whether a byte may follow `lead` in a character of two bytes (three after 8F in EUC-JP).
#[inline]
pub(crate) fn is_trail(family: Family, lead: u8, byte: u8) -> bool {
    match family {
        Family::Gbk | Family::Cp936 | Family::Gb18030 | Family::Gb18030y2005 => {
            matches!(byte, 0x40..=0x7E | 0x80..=0xFE)
        }
        Family::Big5 => matches!(byte, 0x40..=0x7E | 0xA1..=0xFE),
        Family::ShiftJis => matches!(byte, 0x40..=0x7E | 0x80..=0xFC),
        Family::EucJp if lead == 0x8E => matches!(byte, 0xA1..=0xDF),
        Family::EucJp => matches!(byte, 0xA1..=0xFE),
        Family::EucKr => matches!(byte, 0x41..=0x5A | 0x61..=0x7A | 0x81..=0xFE),
    }
}

fn is_gb18030(family: Family) -> bool {
    matches!(family, Family::Gb18030 | Family::Gb18030y2005)
}

fn shape_three(bytes: &[u8]) -> usize {
    if bytes.get(2).is_some_and(|b| (0xA1..=0xFE).contains(b)) { 3 } else { 1 }
}

fn step_gb(family: Family, lead: u8, bytes: &[u8]) -> Step {
    if lead == 0x80 && family == Family::Cp936 {
        return Step::Char('\u{20AC}', 1);
    }
    if !is_lead(family, lead) {
        return Step::Bad(1, BadReason::NotALead);
    }
    let Some(&trail) = bytes.get(1) else {
        return Step::Bad(1, BadReason::Truncated);
    };
    if is_trail(family, lead, trail) {
        return match gb18030::pair(lead, trail) {
            Some(c) => Step::Char(edition(family, c), 2),
            None => Step::Bad(2, BadReason::Unassigned),
        };
    }
    if !trail.is_ascii_digit() {
        return Step::Bad(if trail < 0x80 { 1 } else { 2 }, BadReason::InvalidTrail);
    }
    step_four(family, bytes)
}

fn step_four(family: Family, bytes: &[u8]) -> Step {
    let Some(&code) = bytes.first_chunk::<4>() else {
        let open = is_gb18030(family) && may_go_on(family, bytes);
        return if open {
            Step::Bad(bytes.len(), BadReason::Truncated)
        } else {
            Step::Bad(1, BadReason::InvalidTrail)
        };
    };
    match gb18030::four(code) {
        _ if !gb18030::is_four(code) => Step::Bad(1, BadReason::InvalidTrail),
        _ if !is_gb18030(family) => Step::Bad(4, BadReason::FourByteForm),
        Some(c) => Step::Char(edition(family, c), 4),
        None => Step::Bad(4, BadReason::Unassigned),
    }
}

fn step_other(family: Family, bytes: &[u8]) -> Step {
    let lead = bytes.first().copied().unwrap_or(0);
    let len = shape(family, bytes);
    let Some(code) = bytes.get(..len) else {
        return Step::Bad(1, BadReason::Truncated);
    };
    if let Some(text) = reference(family).decode_without_bom_handling_and_without_replacement(code)
    {
        let mut chars = text.chars();
        return match (chars.next(), chars.next(), chars.next()) {
            (Some(c), None, _) => Step::Char(c, len),
            (Some(c), Some(d), None) => Step::Two(c, d, len),
            _ => Step::Bad(len, BadReason::Unassigned),
        };
    }
    let reason = match len {
        1 if !is_lead(family, lead) => BadReason::NotALead,
        1 if may_go_on(family, bytes) => return Step::Bad(bytes.len(), BadReason::Truncated),
        1 => BadReason::InvalidTrail,
        // A legal shape that stands for nothing: leave an ASCII byte to be read again, as browsers do.
        _ if code.get(1).is_some_and(u8::is_ascii) => return Step::Bad(1, BadReason::Unassigned),
        _ => BadReason::Unassigned,
    };
    Step::Bad(len, reason)
}

fn edition(family: Family, c: char) -> char {
    if family == Family::Gb18030y2005 { gb18030::other_edition(c) } else { c }
}

fn reference(family: Family) -> &'static encoding_rs::Encoding {
    match family {
        Family::Big5 => encoding_rs::BIG5,
        Family::ShiftJis => encoding_rs::SHIFT_JIS,
        Family::EucJp => encoding_rs::EUC_JP,
        Family::EucKr => encoding_rs::EUC_KR,
        Family::Gbk | Family::Cp936 | Family::Gb18030 | Family::Gb18030y2005 => {
            encoding_rs::GB18030
        }
    }
}

fn forward(family: Family) -> DoubleByteTable {
    DoubleByteTable::new(|lead, trail| match step(family, &[lead, trail]) {
        Step::Char(c, 2) if !is_private_use(c) => Some(c),
        _ => None,
    })
    .with_single_bytes(|byte| match step(family, &[byte]) {
        Step::Char(c, 1) => Some(c),
        _ => None,
    })
}

fn reverse(family: Family) -> Reverse {
    match family {
        Family::Gbk | Family::Cp936 | Family::Gb18030 | Family::Gb18030y2005 => reverse_gb(family),
        Family::Big5 | Family::ShiftJis | Family::EucJp | Family::EucKr => reverse_other(family),
    }
}

fn reverse_gb(family: Family) -> Reverse {
    let euro = (family == Family::Cp936).then_some(('\u{20AC}', 0x80));
    let pairs = gb18030::all_pairs()
        .map(|(lead, trail, c)| (edition(family, c), u32::from(lead) << 8 | u32::from(trail)));
    let four = gb18030::all_four()
        .filter(|_| is_gb18030(family))
        .map(|(code, c)| (edition(family, c), code));
    Reverse::new(euro.into_iter().chain(pairs).chain(four))
}

/// Where several codes stand for one character, the one the reference encoder writes comes first.
fn reverse_other(family: Family) -> Reverse {
    let single = (0x80..=0xFFu32).map(|b| (1, b));
    let double = (0x8000..=0xFFFFu32).map(|p| (2, p));
    let triple = (0x8F_8000..=0x8F_FFFFu32).map(|t| (3, t)).filter(|_| family == Family::EucJp);
    let mut codes: Vec<(char, u32)> = single
        .chain(double)
        .chain(triple)
        .filter_map(|(len, code)| match step(family, code.to_be_bytes().get(4 - len..)?) {
            Step::Char(c, taken) if taken == len => Some((c, code)),
            _ => None,
        })
        .collect();
    codes.sort_unstable();
    let several = codes.array_windows().filter(|[a, b]| a.0 == b.0).map(|[a, _]| a.0);
    let preferred: Vec<(char, u32)> =
        several.filter_map(|c| Some((c, preferred(family, c)?))).collect();
    Reverse::new(preferred.into_iter().chain(codes))
}

fn preferred(family: Family, c: char) -> Option<u32> {
    let mut bytes = [0; 4];
    let mut text = [0; 4];
    let (result, _, written) = reference(family)
        .new_encoder()
        .encode_from_utf8_without_replacement(c.encode_utf8(&mut text), &mut bytes, true);
    if result != encoding_rs::EncoderResult::InputEmpty {
        return None;
    }
    Some(bytes.get(..written)?.iter().fold(0, |code, &b| code << 8 | u32::from(b)))
}
