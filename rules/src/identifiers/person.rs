//! Numbers of persons: GB 11643-1999 and the documents that follow it.

use super::{Policy, Reason, digit};
use crate::Date;

/// Weights of the 17 characters before the check character (GB 11643-1999, ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: [u8; 11] = *b"10X98765432";
/// No living person is older; a year with a wrong digit often is.
const OLDEST: i64 = 150;

/// Sex as GB/T 2261.1 has it, as far as a number can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// Odd sequence.
    Male,
    /// Even sequence.
    Female,
}

/// What a number of a person says about its bearer. The check character is not looked at.
///
/// ```
/// use fenhe_rules::identifiers::{Person, Sex};
/// let person = Person::read(b"999901200002291235").unwrap();
/// assert_eq!(person.birth.to_string(), "2000-02-29");
/// assert_eq!((person.sex, &person.region), (Sex::Male, b"999901"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The region at the time of issue.
    pub region: [u8; 6],
    /// The birth date.
    pub birth: Date,
    /// The sex.
    pub sex: Sex,
    /// Whether the century is one that the rule "add 19" assumed where the number leaves it open.
    pub century_assumed: bool,
}

/// A number of 15 digits, upgraded: derived, so keep the original beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The 18 characters.
    pub number: [u8; 18],
    /// Whether the century was assumed: sequences 996 to 999 were kept for people born before 1900.
    pub century_assumed: bool,
}

impl Person {
    /// Reads a number of 15 or 18 characters; `None` when it has not that form, or no birth date that exists.
    #[must_use]
    pub fn read(number: &[u8]) -> Option<Self> {
        let (number, century_assumed) = if number.len() == 15 {
            let upgraded = upgrade(number)?;
            (upgraded.number, upgraded.century_assumed)
        } else {
            (<[u8; 18]>::try_from(number).ok()?, false)
        };
        let [a, b, c, d, e, f, birth @ .., s1, s2, s3, _] = number;
        let (_, _, odd) = (digit(s1)?, digit(s2)?, digit(s3)?);
        Some(Self {
            region: [a, b, c, d, e, f],
            birth: Date::from_compact(&birth)?,
            sex: if odd % 2 == 1 { Sex::Male } else { Sex::Female },
            century_assumed,
        })
    }
}

/// The check character of 17 digits, `None` when they are no digits.
///
/// ```
/// use fenhe_rules::identifiers::citizen_check;
/// assert_eq!(citizen_check(b"11010119491001001"), Some(b'X'));
/// ```
#[must_use]
#[inline]
pub fn citizen_check(digits: &[u8; 17]) -> Option<u8> {
    let mut sum = 0;
    let mut all = true;
    for (byte, weight) in digits.iter().zip(WEIGHTS) {
        let value = byte.wrapping_sub(b'0');
        all &= value < 10;
        sum += u32::from(value) * weight;
    }
    if !all {
        return None;
    }
    CHECK.get((sum % 11) as usize).copied()
}

/// The 18 characters of a first generation number: "19" after the region, and the check character.
/// `None` when it is not made of 15 digits.
///
/// ```
/// use fenhe_rules::identifiers::upgrade;
/// let upgraded = upgrade(b"110101900307999").unwrap();
/// assert_eq!(&upgraded.number, b"110101199003079999");
/// assert!(upgraded.century_assumed);
/// ```
#[must_use]
pub fn upgrade(number: &[u8]) -> Option<Upgraded> {
    let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = <&[u8; 15]>::try_from(number).ok()?;
    let digits = [a, b, c, d, e, f, b'1', b'9', g, h, i, j, k, l, m, n, o];
    let check = citizen_check(&digits)?;
    let mut whole = [check; 18];
    for (to, from) in whole.iter_mut().zip(digits) {
        *to = from;
    }
    Some(Upgraded { number: whole, century_assumed: open_century([m, n, o]) })
}

#[inline]
pub(super) fn citizen18(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    let number = checked18(value)?;
    birth18(number, policy)?;
    policy.region(value)
}

pub(super) fn citizen15(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    let upgraded = upgrade(value).ok_or(Reason::Format)?;
    birth18(&upgraded.number, policy)?;
    policy.region(value)?;
    if upgraded.century_assumed { Err(Reason::Sequence) } else { Ok(()) }
}

pub(super) fn residence_permit(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    let number = checked18(value)?;
    birth18(number, policy)?;
    match number.get(..6) {
        Some(b"810000" | b"820000" | b"830000") => Ok(()),
        _ => Err(Reason::Region),
    }
}

pub(super) fn foreign_resident(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    if value.len() == 15 {
        // Edition of 2017. How its last digit is computed is not published: the form alone is looked at.
        let (letters, digits) = value.split_at(3);
        let fits =
            letters.iter().all(u8::is_ascii_uppercase) && digits.iter().all(u8::is_ascii_digit);
        return if fits { Ok(()) } else { Err(Reason::Format) };
    }
    let number = checked18(value)?;
    if number.first() != Some(&b'9') {
        return Err(Reason::Format);
    }
    birth18(number, policy)
}

pub(super) fn person(value: &[u8], policy: &Policy) -> Result<(), Reason> {
    match value {
        [b'9', ..] if value.len() == 18 => foreign_resident(value, policy),
        [b'A'..=b'Z', ..] if value.len() == 15 => foreign_resident(value, policy),
        _ if value.len() == 15 => citizen15(value, policy),
        [b'8', b'3', ..] => residence_permit(value, policy),
        _ => citizen18(value, policy),
    }
}

#[inline]
fn checked18(value: &[u8]) -> Result<&[u8; 18], Reason> {
    let number = <&[u8; 18]>::try_from(value).map_err(|_| Reason::Format)?;
    let [digits @ .., last] = number;
    if !(last.is_ascii_digit() || *last == b'X') {
        return Err(Reason::Format);
    }
    match citizen_check(digits) {
        None => Err(Reason::Format),
        Some(check) if check == *last => Ok(number),
        Some(_) => Err(Reason::CheckCharacter),
    }
}

/// Checks the birth date of 18 characters that are digits up to the last.
#[inline]
fn birth18(number: &[u8; 18], policy: &Policy) -> Result<(), Reason> {
    let [_, _, _, _, _, _, birth @ .., _, _, _, _] = number;
    let birth = Date::from_compact(birth).ok_or(Reason::DateExists)?;
    if birth > policy.today {
        return Err(Reason::DateInFuture);
    }
    // Whole years by the calendar are asked for only near the border.
    let days = i64::from(policy.today.days()) - i64::from(birth.days());
    if days > OLDEST * 365 && older_than(birth, policy.today) {
        return Err(Reason::Age);
    }
    Ok(())
}

fn older_than(birth: Date, today: Date) -> bool {
    let (year, month, day) = birth.civil();
    today.civil() > (year + OLDEST, month, day)
}

fn open_century(sequence: [u8; 3]) -> bool {
    matches!(sequence, [b'9', b'9', b'6'..=b'9'])
}
