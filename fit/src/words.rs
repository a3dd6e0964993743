//! Sentences in both languages.

use arrow_schema::DataType;
use fenhe_contract::{Field, Lengths};
use serde::Serialize;

/// The same in English and Chinese.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Words {
    /// Both texts.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// What a field wants, for people who do not read notations.
pub(crate) fn wanted(field: &Field) -> Words {
    let kind = type_of(field.kind.data_type());
    let precise = match field.kind.data_type() {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            match scale {
                0 => Words::new(format!(", {precision} digits"), format!("，{precision} 位")),
                scale => Words::new(
                    format!(", {precision} digits, {scale} of them decimals"),
                    format!("，{precision} 位含 {scale} 位小数"),
                ),
            }
        }
        _ => field.length.map_or_else(Words::default, lengths),
    };
    Words::new(kind.en + &precise.en, kind.zh + &precise.zh)
}

fn lengths(Lengths { min, max, .. }: Lengths) -> Words {
    match max {
        Some(max) if max == min => Words::new(format!(", {max} long"), format!("，{max} 位")),
        Some(max) => Words::new(format!(", up to {max}"), format!("，最长 {max}")),
        None => Words::new(format!(", at least {min}"), format!("，至少 {min}")),
    }
}

/// A type in one word.
pub(crate) fn type_of(data_type: &DataType) -> Words {
    match data_type {
        DataType::Boolean => Words::new("yes or no", "是否"),
        DataType::Date32 | DataType::Date64 => Words::new("date", "日期"),
        DataType::Timestamp(..) => Words::new("date and time", "日期时间"),
        DataType::Time32(_) | DataType::Time64(_) => Words::new("time", "时间"),
        DataType::Binary | DataType::LargeBinary => Words::new("bytes", "二进制"),
        number if number.is_numeric() => Words::new("number", "数值"),
        _ => Words::new("text", "文本"),
    }
}

/// A share as people write it, never rounded to 0 or 100 when it is neither.
pub(crate) fn percent(share: f64) -> String {
    let hundred = share * 100.0;
    match hundred {
        h if h <= 0.0 => "0%".into(),
        h if h >= 100.0 => "100%".into(),
        h if h < 0.1 => "<0.1%".into(),
        h if h > 99.9 => ">99.9%".into(),
        h if (h - h.round()).abs() < 0.05 => format!("{h:.0}%"),
        h => format!("{h:.1}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_never_rounded_to_all_or_nothing() {
        for (share, text) in [
            (0.0, "0%"),
            (1.0, "100%"),
            (0.0001, "<0.1%"),
            (0.99999, ">99.9%"),
            (0.125, "12.5%"),
            (0.5, "50%"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
