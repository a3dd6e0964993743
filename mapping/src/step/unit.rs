use serde::{Deserialize, Serialize};

/// A unit of Chinese money, or the plain numerals that go with any unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// 分, a hundredth.
    #[serde(rename = "分")]
    Fen,
    /// 角, a tenth.
    #[serde(rename = "角")]
    Jiao,
    /// 元.
    #[serde(rename = "元")]
    Yuan,
    /// 千元.
    #[serde(rename = "千元")]
    Thousand,
    /// 万元, ten thousand.
    #[serde(rename = "万元")]
    TenThousand,
    /// 百万元.
    #[serde(rename = "百万元")]
    Million,
    /// 千万元.
    #[serde(rename = "千万元")]
    TenMillion,
    /// 亿元, a hundred million.
    #[serde(rename = "亿元")]
    HundredMillion,
}

impl Unit {
    /// The unit is ten to this power of yuan.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        match self {
            Self::Fen => -2,
            Self::Jiao => -1,
            Self::Yuan => 0,
            Self::Thousand => 3,
            Self::TenThousand => 4,
            Self::Million => 6,
            Self::TenMillion => 7,
            Self::HundredMillion => 8,
        }
    }

    /// The unit as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fen => "分",
            Self::Jiao => "角",
            Self::Yuan => "元",
            Self::Thousand => "千元",
            Self::TenThousand => "万元",
            Self::Million => "百万元",
            Self::TenMillion => "千万元",
            Self::HundredMillion => "亿元",
        }
    }
}
