//! What a caller can set, for reading and for writing.

use fenhe_core::{Kind, Result};
use fenhe_text::{Encoding, Invalid};
use serde::Deserialize;

use crate::version::Dialect;

/// Options of the `dbf` format. The README has the table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DbfOptions {
    /// Code page, above everything the file says; `None` or `auto`: by the order of trust.
    #[serde(deserialize_with = "label")]
    pub encoding: Option<Encoding>,
    /// What becomes of values that cannot be read.
    pub invalid: Invalid,
    /// Deliver deleted rows too, and say so in a column `_deleted`.
    pub deleted: bool,
    /// Deliver the bytes of each record in a column `_raw`, so that an unchanged record is written back byte for byte.
    pub raw: bool,
    /// What a memo field becomes when the memo file is not there.
    pub missing_memo: MissingMemo,
    /// Which record count is believed.
    pub trust: Trust,
    /// Blanks around text.
    pub trim: Trim,
    /// Round date-times that lie within a millisecond of a whole second (a rounding noise of Visual FoxPro).
    pub round_seconds: bool,

    /// Writing: the dialect of a new table.
    pub version: Option<Dialect>,
    /// Writing: block size of a new memo file, bytes.
    pub memo_block: Option<u16>,
    /// Writing: date of the last update, `YYYY-MM-DD`.
    pub date: Option<UpdateDate>,
    /// Writing: width in bytes of text columns whose schema does not say one.
    pub width: Option<u16>,
}

/// What a memo field becomes when the memo file is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingMemo {
    /// The table cannot be read.
    #[default]
    Error,
    /// Every memo is absent; the notes of the decoder say so.
    Null,
}

/// Which record count is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Header and file must agree; records are delivered up to the smaller count, then it is an error.
    #[default]
    Both,
    /// The header's count; more records in the file are only noted, fewer are still an error.
    Header,
    /// As many whole records as the file holds.
    FileSize,
}

/// Blanks around text. A blank is 20 or, at the end, 00.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trim {
    /// Everything belongs to the text.
    None,
    /// Padding at the end goes: what every dialect means.
    #[default]
    Right,
    /// Blanks at the start go too.
    Both,
}

/// A date as three bytes of a header: year, month, day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UpdateDate {
    /// Year, 1900 to 2155.
    pub year: u16,
    /// Month.
    pub month: u8,
    /// Day.
    pub day: u8,
}

impl DbfOptions {
    /// The options of a command line or a configuration.
    ///
    /// # Errors
    /// [`Kind::Config`] for an unknown name or a value that does not fit.
    pub fn parse(options: &fenhe_core::Options) -> Result<Self> {
        let parsed: Self = options.parse("dbf")?;
        if parsed.width == Some(0) {
            return Err(fenhe_core::Error::new(
                Kind::Config,
                "core.option",
                "options of dbf: width is 1 or more",
            ));
        }
        Ok(parsed)
    }
}

impl UpdateDate {
    /// The bytes of the header: year − 1900, month, day.
    #[must_use]
    pub fn bytes(self) -> [u8; 3] {
        [u8::try_from(self.year.saturating_sub(1900)).unwrap_or(u8::MAX), self.month, self.day]
    }
}

impl TryFrom<String> for UpdateDate {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let wrong = || "date is YYYY-MM-DD, from 1900 to 2155".to_owned();
        let days = fenhe_values::parse::date_iso(text.as_bytes()).map_err(|_| wrong())?;
        let (year, month, day) = fenhe_values::calendar::civil(days).ok_or_else(wrong)?;
        let fits = (1900..=2155).contains(&year);
        let narrow = |n: u32| u8::try_from(n).map_err(|_| wrong());
        let year = u16::try_from(year).ok().filter(|_| fits).ok_or_else(wrong)?;
        Ok(Self { year, month: narrow(month)?, day: narrow(day)? })
    }
}

fn label<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Encoding>, D::Error> {
    let label = Option::<String>::deserialize(deserializer)?;
    match label.as_deref() {
        None | Some("auto" | "") => Ok(None),
        Some(label) => label.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<DbfOptions> {
        DbfOptions::parse(&fenhe_core::Options::from_pairs(words.iter().copied())?)
    }

    #[test]
    fn options_are_words_of_the_command_line() {
        let options =
            parse(&["encoding=gbk", "trust=file_size", "deleted=true", "date=2026-07-29"]).unwrap();
        assert_eq!(options.encoding, Some(Encoding::GBK));
        assert_eq!(options.trust, Trust::FileSize);
        assert_eq!(options.date.unwrap().bytes(), [126, 7, 29]);
        assert_eq!(parse(&["encoding=auto"]).unwrap().encoding, None);
        for bad in ["encoding=klingon", "trust=me", "date=2026-02-30", "deletd=true", "width=0"] {
            assert_eq!(parse(&[bad]).unwrap_err().kind(), Kind::Config, "{bad}");
        }
    }
}
