//! Numbers of organisations: GB 11714-1997 and GB 32100-2015.

use super::{Policy, Reason, digit};

/// Weights of the eight characters of an organisation code (GB 11714-1997).
const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Characters of a unified social credit code; the place is the value. No I, O, S, V, Z (GB 32100-2015).
const ALPHABET: [u8; 31] = *b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Powers of three modulo 31.
const USCC_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// The inverse of [`ALPHABET`]; 255 for what is not in it.
const VALUES: [u8; 256] = values();

/// The kind of organisation that the first two characters of a unified social credit code name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrganisationKind {
    /// The registering authority.
    pub authority: &'static str,
    /// The kind within it; empty where the authority has only one.
    pub kind: &'static str,
}

/// The check character of eight characters out of digits and capital letters; `None` for others.
///
/// ```
/// use fenhe_rules::identifiers::organisation_check;
/// assert_eq!(organisation_check(b"D2143569"), Some(b'X'));
/// ```
#[must_use]
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "1 to 9 after the other arms")]
pub fn organisation_check(body: &[u8; 8]) -> Option<u8> {
    let mut sum = 0;
    for (byte, weight) in body.iter().zip(WEIGHTS) {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    Some(match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        value => b'0' + value as u8,
    })
}

/// The check character of the 17 characters before it; `None` when one is not of the alphabet.
///
/// ```
/// use fenhe_rules::identifiers::uscc_check;
/// assert_eq!(uscc_check(b"91350100M000100Y4"), Some(b'3'));
/// ```
#[must_use]
#[inline]
pub fn uscc_check(body: &[u8; 17]) -> Option<u8> {
    let mut sum = 0;
    let mut all = true;
    for (byte, weight) in body.iter().zip(USCC_WEIGHTS) {
        #[expect(clippy::indexing_slicing, reason = "256 values, one for each byte")]
        let value = VALUES[usize::from(*byte)];
        all &= value < 31;
        sum += u32::from(value) * weight;
    }
    if !all {
        return None;
    }
    // 31 - r, where 31 itself stands for 0.
    ALPHABET.get(((31 - sum % 31) % 31) as usize).copied()
}

/// What kind of organisation a unified social credit code belongs to; `None` for pairs that are not in the
/// published list. New ones are added to it from time to time, so that is no fault.
#[must_use]
pub fn uscc_kind(code: &[u8]) -> Option<OrganisationKind> {
    let (authority, kind) = match code.get(..2)? {
        b"11" => ("机构编制", "机关"),
        b"12" => ("机构编制", "事业单位"),
        b"13" => ("机构编制", "群众团体"),
        b"19" => ("机构编制", "其他"),
        b"51" => ("民政", "社会团体"),
        b"52" => ("民政", "民办非企业单位"),
        b"53" => ("民政", "基金会"),
        b"59" => ("民政", "其他"),
        b"91" => ("市场监管", "企业"),
        b"92" => ("市场监管", "个体工商户"),
        b"93" => ("市场监管", "农民专业合作社"),
        b"N1" => ("农业农村", "组级集体经济组织"),
        b"N2" => ("农业农村", "村级集体经济组织"),
        b"N3" => ("农业农村", "乡镇级集体经济组织"),
        [b'2', _] => ("外交", ""),
        [b'3', _] => ("司法行政", ""),
        [b'4', _] => ("文化", ""),
        [b'6', _] => ("旅游", ""),
        [b'7', _] => ("宗教", ""),
        [b'8', _] => ("工会", ""),
        [b'A', _] => ("军委改革编制", ""),
        [b'Y', _] => ("其他", ""),
        _ => return None,
    };
    Some(OrganisationKind { authority, kind })
}

#[inline]
pub(super) fn uscc(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    let code = <&[u8; 18]>::try_from(value).map_err(|_| Reason::Format)?;
    let [body @ .., last] = code;
    let [_, _, region @ .., _, _, _, _, _, _, _, _, _] = body;
    #[expect(clippy::indexing_slicing, reason = "256 values, one for each byte")]
    let last_value = VALUES[usize::from(*last)];
    if last_value > 30 || !region.iter().all(u8::is_ascii_digit) {
        return Err(Reason::Format);
    }
    let check = uscc_check(body).ok_or(Reason::Format)?;
    if check != *last {
        return Err(Reason::CheckCharacter);
    }
    let [_, _, _, _, _, _, _, _, inner @ .., _] = code;
    match organisation(inner) {
        Err(Reason::CheckCharacter) => return Err(Reason::InnerCheck),
        other => other?,
    }
    national_or_province(region, policy)
}

pub(super) fn organisation(value: &[u8]) -> Result<(), Reason> {
    let (body, last) = match value {
        [body @ .., b'-', last] => (body, last),
        [body @ .., last] => (body, last),
        [] => return Err(Reason::Format),
    };
    let body = <&[u8; 8]>::try_from(body).map_err(|_| Reason::Format)?;
    if digit(*last).is_none() && *last != b'X' {
        return Err(Reason::Format);
    }
    let check = organisation_check(body).ok_or(Reason::Format)?;
    if check == *last { Ok(()) } else { Err(Reason::CheckCharacter) }
}

/// Registers kept by the central authorities have region 100000.
pub(super) fn national_or_province(region: &[u8], policy: &Policy) -> Result<(), Reason> {
    if region == b"100000" { Ok(()) } else { policy.region(region) }
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "31 characters, each a byte of 256"
)]
const fn values() -> [u8; 256] {
    let mut values = [255; 256];
    let mut i = 0;
    while i < ALPHABET.len() {
        values[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    values
}
