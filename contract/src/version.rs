//! Versions of contracts.

use std::fmt;
use std::str::FromStr;

use fenhe_core::{Error, Kind};

/// Major, minor and patch number. Numbers that are not written are 0.
///
/// ```
/// use fenhe_contract::Version;
/// assert!("2.10".parse::<Version>()? > "2.9.1".parse()?);
/// assert_eq!("2".parse::<Version>()?.to_string(), "2.0.0");
/// assert!("v2".parse::<Version>().is_err());
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised when data or readers of the version before may fail.
    pub major: u32,
    /// Raised for what both sides can ignore.
    pub minor: u32,
    /// Raised for words.
    pub patch: u32,
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::new(Kind::Config, "contract.version", "no version of one to three numbers")
                .hint("such as 2.1.0")
        };
        let mut numbers = [0; 3];
        let mut parts = text.split('.');
        for (at, number) in numbers.iter_mut().enumerate() {
            let Some(part) = parts.next() else {
                if at == 0 {
                    return Err(wrong());
                }
                break;
            };
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            *number = part.parse().map_err(|_| wrong())?;
        }
        if parts.next().is_some() {
            return Err(wrong());
        }
        let [major, minor, patch] = numbers;
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
