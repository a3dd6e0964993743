//! Identifiers of persons and organisations: their form, check characters, dates and regions.
//!
//! Every check works on bytes, allocates nothing and gives the first [`Reason`] against a value. A value
//! is taken as it stands: what a keyboard or a legacy system did to it is undone by [`normalise`] alone,
//! which says what it changed.
//!
//! ```
//! use fenhe_rules::Date;
//! use fenhe_rules::identifiers::{Identifier, Policy, Reason};
//! let policy = Policy::on(Date::from_civil(2026, 1, 2).unwrap());
//! assert_eq!(Identifier::Citizen.check(b"110101190001010014", &policy), Ok(()));
//! assert_eq!(Identifier::Citizen.check(b"110101190001010015", &policy), Err(Reason::CheckCharacter));
//! ```

mod normal;
mod number;
mod organisation;
mod person;
mod region;

use std::fmt;

pub use normal::{Changes, Normal, normalise, suggest};
pub use number::{business_registration_check, luhn_check};
pub use organisation::{OrganisationKind, organisation_check, uscc_check, uscc_kind};
pub use person::{Person, Sex, Upgraded, citizen_check, upgrade};
pub use region::{is_known_province, province_of};

use crate::Date;

/// What an identifier is, and so which rules it has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identifier {
    /// Citizen number, GB 11643-1999: 18 characters, or 15 digits of the first generation.
    Citizen,
    /// Citizen number with 18 characters only.
    Citizen18,
    /// Citizen number of the first generation, 15 digits only.
    Citizen15,
    /// Residence permit of Hong Kong (810000), Macao (820000) or Taiwan (830000) residents, 18 characters.
    ResidencePermit,
    /// Permanent residence card of foreigners: 18 characters beginning with 9 (2023), or three letters
    /// and twelve digits (2017, form only).
    ForeignResident,
    /// Any of the numbers of persons above.
    Person,
    /// Unified social credit code, GB 32100-2015.
    Uscc,
    /// Organisation code, GB 11714-1997, with or without the hyphen before the check character.
    Organisation,
    /// Business registration number of 15 digits, GS 15-2006.
    BusinessRegistration,
    /// Bank card number: 13 to 19 digits with the Luhn check digit (ISO/IEC 7812-1).
    BankCard,
    /// Taxpayer number by its length: 15 (region and organisation code), 18 (unified social credit code
    /// or citizen number) or 20 (citizen number and two more).
    Taxpayer,
    /// Mobile telephone number: 11 digits, 13 to 19 first.
    Mobile,
}

/// The first thing that speaks against an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Length or characters are not those of such an identifier.
    Format,
    /// The check character does not belong to the others.
    CheckCharacter,
    /// The check character of the organisation code inside does not belong to the others.
    InnerCheck,
    /// The birth date is no day of the calendar.
    DateExists,
    /// The birth date lies after the day of the check.
    DateInFuture,
    /// The birth date lies more than 150 years before the day of the check.
    Age,
    /// The region begins with no province, of today or of the past.
    Region,
    /// The sequence of a first generation number is one of 996 to 999, kept for people born before 1900:
    /// the century of birth cannot be told.
    Sequence,
    /// Right after [`normalise`], but not as it stands.
    Spelling,
}

/// What the checks need to know beside the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The day of the check. A library that asks the clock cannot repeat its results.
    pub today: Date,
    /// Whether regions with an unknown province are accepted.
    pub any_region: bool,
}

impl Policy {
    /// The usual checks, on this day.
    #[must_use]
    pub const fn on(today: Date) -> Self {
        Self { today, any_region: false }
    }

    /// The same, accepting unknown provinces.
    #[must_use]
    pub const fn any_region(mut self) -> Self {
        self.any_region = true;
        self
    }

    fn region(&self, region: &[u8]) -> Result<(), Reason> {
        if self.any_region || is_known_province(region) { Ok(()) } else { Err(Reason::Region) }
    }
}

impl Identifier {
    /// Checks `value` as it stands.
    ///
    /// # Errors
    /// The first [`Reason`] against it, in the order format, check character, date, region, sequence.
    #[inline]
    pub fn check(self, value: &[u8], policy: &Policy) -> Result<(), Reason> {
        match self {
            Self::Citizen => match value.len() {
                15 => person::citizen15(value, policy),
                _ => person::citizen18(value, policy),
            },
            Self::Citizen18 => person::citizen18(value, policy),
            Self::Citizen15 => person::citizen15(value, policy),
            Self::ResidencePermit => person::residence_permit(value, policy),
            Self::ForeignResident => person::foreign_resident(value, policy),
            Self::Person => person::person(value, policy),
            Self::Uscc => organisation::uscc(value, policy),
            Self::Organisation => organisation::organisation(value),
            Self::BusinessRegistration => number::business_registration(value, policy),
            Self::BankCard => number::bank_card(value),
            Self::Taxpayer => number::taxpayer(value, policy),
            Self::Mobile => number::mobile(value),
        }
    }

    /// Checks `value`; one that is right only after [`normalise`] has the reason [`Reason::Spelling`].
    ///
    /// # Errors
    /// The reason against the value as it stands, when no change of spelling mends it.
    #[inline]
    pub fn check_spelling(self, value: &[u8], policy: &Policy) -> Result<(), Reason> {
        self.check(value, policy).map_err(|reason| self.after_spelling(value, policy, reason))
    }

    /// What an error text says that a right value looks like.
    #[must_use]
    pub fn expected(self) -> &'static str {
        match self {
            Self::Citizen => "a citizen number (18 characters, or 15 digits)",
            Self::Citizen18 => "a citizen number of 18 characters",
            Self::Citizen15 => "a citizen number of 15 digits",
            Self::ResidencePermit => "the number of a residence permit (18 characters)",
            Self::ForeignResident => "the number of a permanent residence card",
            Self::Person => "a citizen, residence permit or permanent residence number",
            Self::Uscc => "a unified social credit code (18 characters)",
            Self::Organisation => "an organisation code (9 characters)",
            Self::BusinessRegistration => "a business registration number (15 digits)",
            Self::BankCard => "a bank card number (13 to 19 digits)",
            Self::Taxpayer => "a taxpayer number (15, 18 or 20 characters)",
            Self::Mobile => "a mobile number (11 digits)",
        }
    }

    #[cold]
    fn after_spelling(self, value: &[u8], policy: &Policy, reason: Reason) -> Reason {
        match normalise(value) {
            Some(normal)
                if !normal.changes().is_empty()
                    && self.check(normal.as_bytes(), policy).is_ok() =>
            {
                Reason::Spelling
            }
            // A full-width number with a wrong check digit is told about its check digit.
            Some(normal) if !normal.changes().is_empty() => {
                self.check(normal.as_bytes(), policy).err().unwrap_or(reason)
            }
            _ => reason,
        }
    }
}

impl Reason {
    /// The reason as a word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::CheckCharacter => "check_character",
            Self::InnerCheck => "inner_check",
            Self::DateExists => "date_exists",
            Self::DateInFuture => "date_in_future",
            Self::Age => "age",
            Self::Region => "region",
            Self::Sequence => "sequence",
            Self::Spelling => "spelling",
        }
    }

    /// The reason in words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Format => "another length or other characters",
            Self::CheckCharacter => "a check character that does not fit",
            Self::InnerCheck => "an organisation code inside whose check character does not fit",
            Self::DateExists => "a birth date that does not exist",
            Self::DateInFuture => "a birth date in the future",
            Self::Age => "a birth date more than 150 years ago",
            Self::Region => "a region of no known province",
            Self::Sequence => "a sequence that leaves the century of birth open",
            Self::Spelling => {
                "a right value in another spelling (blanks, small letters, full width, hyphens)"
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// The value of an ASCII digit.
#[inline]
fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}
