//! Numbers made of digits: business registration, bank card, taxpayer, mobile.

use super::organisation::{national_or_province, organisation, uscc};
use super::person::{citizen_check, citizen18};
use super::{Policy, Reason, digit};

/// The check digit of 14 digits by ISO 7064 MOD 11,10; `None` when they are no digits.
///
/// ```
/// use fenhe_rules::identifiers::business_registration_check;
/// assert_eq!(business_registration_check(b"11010800000001"), Some(b'6'));
/// ```
#[must_use]
pub fn business_registration_check(digits: &[u8; 14]) -> Option<u8> {
    let mut product = 10_u32;
    for byte in digits {
        let sum = (product + u32::from(digit(*byte)?)) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    Some(b'0' + ((11 - product) % 10) as u8)
}

/// The Luhn check digit of the digits before it; `None` when they are no digits, or none at all.
///
/// ```
/// use fenhe_rules::identifiers::luhn_check;
/// assert_eq!(luhn_check(b"7992739871"), Some(b'3'));
/// ```
#[must_use]
pub fn luhn_check(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    let mut sum = 0_u32;
    let mut double = true;
    for byte in digits.iter().rev() {
        let value = u32::from(digit(*byte)?);
        let weighed = if double { value * 2 } else { value };
        // Modulo 10 throughout: no length of input overflows the sum.
        sum = (sum + weighed / 10 + weighed % 10) % 10;
        double = !double;
    }
    Some(b'0' + ((10 - sum) % 10) as u8)
}

pub(super) fn business_registration(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    let number = <&[u8; 15]>::try_from(value).map_err(|_| Reason::Format)?;
    let [body @ .., last] = number;
    let check = business_registration_check(body).ok_or(Reason::Format)?;
    if digit(*last).is_none() {
        return Err(Reason::Format);
    }
    if check != *last {
        return Err(Reason::CheckCharacter);
    }
    let [region @ .., _, _, _, _, _, _, _, _, _] = number;
    national_or_province(region, policy)
}

pub(super) fn bank_card(value: &[u8]) -> Result<(), Reason> {
    let (last, body) = value.split_last().ok_or(Reason::Format)?;
    if !(13..=19).contains(&value.len()) || digit(*last).is_none() {
        return Err(Reason::Format);
    }
    let check = luhn_check(body).ok_or(Reason::Format)?;
    if check == *last { Ok(()) } else { Err(Reason::CheckCharacter) }
}

pub(super) fn taxpayer(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    match value.len() {
        15 => {
            let (region, body) = value.split_at(6);
            if !region.iter().all(u8::is_ascii_digit) {
                return Err(Reason::Format);
            }
            organisation(body)?;
            national_or_province(region, policy)
        }
        // A citizen number and a credit code can look alike up to the check character: it decides.
        18 => match citizen(value) {
            true => citizen18(value, policy),
            false => uscc(value, policy),
        },
        20 => {
            let (person, more) = value.split_at(18);
            if !more.iter().all(u8::is_ascii_alphanumeric) {
                return Err(Reason::Format);
            }
            citizen18(person, policy)
        }
        _ => Err(Reason::Format),
    }
}

pub(super) fn mobile(value: &[u8]) -> Result<(), Reason> {
    match value {
        [b'1', b'3'..=b'9', ..] if value.len() == 11 && value.iter().all(u8::is_ascii_digit) => {
            Ok(())
        }
        _ => Err(Reason::Format),
    }
}

fn citizen(value: &[u8]) -> bool {
    match <&[u8; 18]>::try_from(value) {
        Ok([body @ .., last]) => citizen_check(body) == Some(*last),
        Err(_) => false,
    }
}
