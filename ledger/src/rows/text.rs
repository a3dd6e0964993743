//! Encoded key values as people write them.

use arrow_array::types::Date32Type;
use arrow_schema::DataType;

/// The values of an encoded row of these types, joined by `|`; what has no plain form is hexadecimal.
pub fn key_text(mut row: &[u8], kinds: &[DataType]) -> String {
    let mut parts = Vec::new();
    for kind in kinds {
        let Some((value, rest)) = take(row) else { break };
        row = rest;
        parts.push(value.map_or_else(|| "null".into(), |value| one(value, kind)));
    }
    parts.join("|")
}

/// One value and what follows it.
fn take(row: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (first, rest) = row.split_first()?;
    let (length, rest) = match first {
        0xff => return Some((None, rest)),
        0xfd => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        length => (usize::from(*length), rest),
    };
    rest.split_at_checked(length).map(|(value, rest)| (Some(value), rest))
}

fn one(value: &[u8], kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            String::from_utf8_lossy(value).into_owned()
        }
        DataType::Boolean => (value == [1]).to_string(),
        DataType::Date32 => date(value).unwrap_or_else(|| hex::encode(value)),
        kind if kind.is_integer() => {
            number(value).map_or_else(|| hex::encode(value), |n| n.to_string())
        }
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale) => {
            number(value).map_or_else(|| hex::encode(value), |n| decimal(n, *scale))
        }
        _ => hex::encode(value),
    }
}

fn number(value: &[u8]) -> Option<i128> {
    let negative = value.last()? & 0x80 != 0;
    let mut wide = if negative { [0xff; 16] } else { [0; 16] };
    wide.get_mut(..value.len())?.copy_from_slice(value);
    Some(i128::from_le_bytes(wide))
}

fn decimal(unscaled: i128, scale: i8) -> String {
    let Ok(places) = usize::try_from(scale) else { return unscaled.to_string() };
    if places == 0 {
        return unscaled.to_string();
    }
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{part}", if unscaled < 0 { "-" } else { "" })
}

/// By Arrow's calendar, which this room has anyway: that of `fenhe-values` would bring its code pages along.
fn date(value: &[u8]) -> Option<String> {
    let days = i32::try_from(number(value)?).ok()?;
    Date32Type::to_naive_date_opt(days).map(|day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_people_write_them() {
        // 2000-02-29 is day 11016 (date -d 2000-02-29 +%s / 86400).
        let row =
            [&[6][..], "王五".as_bytes(), &[2, 0x08, 0x2b], &[2, 0x9c, 0xff], &[0xff]].concat();
        let kinds =
            [DataType::Utf8, DataType::Date32, DataType::Decimal128(12, 2), DataType::Int64];
        assert_eq!(key_text(&row, &kinds), "王五|2000-02-29|-1.00|null");
        assert_eq!(key_text(&row[..3], &kinds[..1]), "");
    }

    #[test]
    fn days_before_the_epoch_and_days_of_no_calendar() {
        // date -d 1900-02-28 +%s is -2203977600; 1900 has no leap day, so the next day is March 1.
        let day =
            |days: i32| key_text(&[&[4], &days.to_le_bytes()[..]].concat(), &[DataType::Date32]);
        assert_eq!(day(-25_509), "1900-02-28");
        assert_eq!(day(-25_508), "1900-03-01");
        assert_eq!(day(i32::MAX), "ffffff7f", "in the year 5,881,580");
    }
}
