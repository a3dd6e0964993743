//! Points in time as receipts spell them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fenhe_values::calendar::civil;

/// A time as `2026-11-23T04:05:15Z`; what lies behind the year 9999 is its last day.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = i32::try_from(days).ok().and_then(civil).unwrap_or((9_999, 12, 31));
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        // Expected values from date(1).
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_795_406_715, "2026-11-23T04:05:15Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
