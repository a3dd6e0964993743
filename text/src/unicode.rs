//! ASCII, UTF-8, UTF-16 and UTF-32, one character at a time.

use crate::decode::{BadReason, Step};
use crate::pages::Kind;

/// One character at the start of `bytes` (not empty).
pub(crate) fn step(kind: Kind, bytes: &[u8]) -> Step {
    match kind {
        Kind::Utf16 { big } => step_16(bytes, big),
        Kind::Utf32 { big } => step_32(bytes, big),
        Kind::Utf8 => step_8(bytes),
        _ => match bytes.first() {
            Some(&b) if b.is_ascii() => Step::Char(char::from(b), 1),
            _ => Step::Bad(1, BadReason::NotALead),
        },
    }
}

/// Bytes that the UTF-8 character beginning with `lead` should have; 1 for what begins none.
pub(crate) fn utf8_len(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

fn step_8(bytes: &[u8]) -> Step {
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let (good, bad) = match std::str::from_utf8(head) {
        Ok(text) => (Some(text), None),
        Err(e) => (head.get(..e.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()), Some(e)),
    };
    if let Some(c) = good.and_then(|text| text.chars().next()) {
        return Step::Char(c, c.len_utf8());
    }
    match (head, bad.and_then(|e| e.error_len())) {
        (_, None) => Step::Bad(head.len(), BadReason::Truncated),
        // ED A0..BF xx: CESU-8 and the like.
        (&[0xED, 0xA0..=0xBF, ..], _) => Step::Bad(head.len().min(3), BadReason::Surrogate),
        (&[lead, ..], Some(len)) => Step::Bad(
            len,
            if utf8_len(lead) == 1 { BadReason::NotALead } else { BadReason::InvalidTrail },
        ),
        _ => Step::Bad(1, BadReason::NotALead),
    }
}

fn step_16(bytes: &[u8], big: bool) -> Step {
    let unit = |at: usize| {
        let pair = bytes.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) })
    };
    let Some(first) = unit(0) else {
        return Step::Bad(1, BadReason::Truncated);
    };
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Step::Char(c, 2);
    }
    let second = unit(2);
    if second.is_none() && first < 0xDC00 {
        return Step::Bad(bytes.len().min(4), BadReason::Truncated);
    }
    let units = [Some(first), second].into_iter().flatten();
    match char::decode_utf16(units).next() {
        Some(Ok(c)) => Step::Char(c, 4),
        _ => Step::Bad(2, BadReason::Surrogate),
    }
}

fn step_32(bytes: &[u8], big: bool) -> Step {
    let Some(&unit) = bytes.first_chunk::<4>() else {
        return Step::Bad(bytes.len(), BadReason::Truncated);
    };
    let number = if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) };
    match char::from_u32(number) {
        Some(c) => Step::Char(c, 4),
        None if (0xD800..=0xDFFF).contains(&number) => Step::Bad(4, BadReason::Surrogate),
        None => Step::Bad(4, BadReason::Unassigned),
    }
}
