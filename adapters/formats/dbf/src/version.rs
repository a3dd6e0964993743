//! The version byte: which program's table it is, and what follows from it.

use serde::Deserialize;

/// The family of a table. Types, header and memo file follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// dBASE II and FoxBASE (02): a header of 521 bytes with descriptors of 16.
    Dbase2,
    /// dBASE III, Clipper, FoxBASE+ (03, 83, FB).
    Dbase3,
    /// dBASE IV (8B, and 43, 63, CB of its SQL mode).
    Dbase4,
    /// dBASE 5 (05).
    Dbase5,
    /// dBASE 7 (04, 8C): a header of 68 bytes and descriptors of 48.
    Dbase7,
    /// FoxPro 2 (F5).
    FoxPro2,
    /// Visual FoxPro (30, 31, 32).
    VisualFoxPro,
}

/// How a memo file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoKind {
    /// dBASE III: blocks of 512 bytes, text up to 1A.
    Dbt3,
    /// dBASE IV: `FF FF 08 00`, length, data.
    Dbt4,
    /// FoxPro: type, length, data, all big-endian.
    Fpt,
}

impl Dialect {
    /// The family of a version byte; `None` for one that no known program writes.
    #[must_use]
    pub fn of(version: u8) -> Option<Self> {
        Some(match version {
            0x02 => Self::Dbase2,
            0x03 | 0x83 | 0xFB => Self::Dbase3,
            0x43 | 0x63 | 0x8B | 0xCB => Self::Dbase4,
            0x05 => Self::Dbase5,
            0x04 | 0x8C => Self::Dbase7,
            0xF5 => Self::FoxPro2,
            0x30..=0x32 => Self::VisualFoxPro,
            _ => return None,
        })
    }

    /// The version byte of a new table.
    #[must_use]
    pub fn byte(self, memo: bool, autoincrement: bool, varying: bool) -> u8 {
        match self {
            Self::Dbase2 => 0x02,
            Self::Dbase3 if memo => 0x83,
            Self::Dbase4 if memo => 0x8B,
            Self::Dbase3 | Self::Dbase4 => 0x03,
            Self::Dbase5 if memo => 0x8B,
            Self::Dbase5 => 0x05,
            Self::Dbase7 if memo => 0x8C,
            Self::Dbase7 => 0x04,
            Self::FoxPro2 if memo => 0xF5,
            Self::FoxPro2 => 0x03,
            Self::VisualFoxPro if varying => 0x32,
            Self::VisualFoxPro if autoincrement => 0x31,
            Self::VisualFoxPro => 0x30,
        }
    }

    /// Whether field flags, null flags and the binary types of Visual FoxPro are in use.
    #[must_use]
    pub fn is_visual(self) -> bool {
        self == Self::VisualFoxPro
    }

    /// The memo file that this family writes.
    #[must_use]
    pub fn memo(self) -> MemoKind {
        match self {
            Self::Dbase2 | Self::Dbase3 => MemoKind::Dbt3,
            Self::Dbase4 | Self::Dbase5 | Self::Dbase7 => MemoKind::Dbt4,
            Self::FoxPro2 | Self::VisualFoxPro => MemoKind::Fpt,
        }
    }

    /// The memo file by the extension that was found, which says more than the version byte.
    #[must_use]
    pub fn memo_of(self, extension: &str) -> MemoKind {
        if extension.eq_ignore_ascii_case("fpt") {
            return MemoKind::Fpt;
        }
        match self.memo() {
            // A `.dbt` beside a FoxPro table comes from FoxBASE+, which wrote that of dBASE III.
            MemoKind::Fpt => MemoKind::Dbt3,
            kind => kind,
        }
    }

    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dbase2 => "dBASE II",
            Self::Dbase3 => "dBASE III",
            Self::Dbase4 => "dBASE IV",
            Self::Dbase5 => "dBASE 5",
            Self::Dbase7 => "dBASE 7",
            Self::FoxPro2 => "FoxPro 2",
            Self::VisualFoxPro => "Visual FoxPro",
        }
    }
}

impl MemoKind {
    /// The extension of the file, lower case.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Dbt3 | Self::Dbt4 => "dbt",
            Self::Fpt => "fpt",
        }
    }
}
