use proptest::prelude::*;

use super::*;
use crate::FaultKind;
use crate::calendar;

fn moment(ymd: (u32, u32, u32), hms: (u32, u32, u32), nanos: u32, offset: Option<i16>) -> Moment {
    let days = calendar::days(ymd.0, ymd.1, ymd.2).unwrap();
    Moment { days, seconds: hms.0 * 3600 + hms.1 * 60 + hms.2, nanos, offset }
}

#[test]
fn spellings_met_in_practice_are_read_and_written_back() {
    let day = |y, m, d| moment((y, m, d), (0, 0, 0), 0, None);
    for (pattern, text, expected) in [
        ("YYYYMMDD", "20260102", day(2026, 1, 2)),
        ("YYYY-MM-DD", "9999-12-31", day(9999, 12, 31)),
        ("YYYY-M-D", "2026-1-2", day(2026, 1, 2)),
        ("YYYY/M/D", "2026/11/22", day(2026, 11, 22)),
        ("YYYY.MM.DD", "2026.01.02", day(2026, 1, 2)),
        ("YYYY年M月D日", "2026年1月2日", day(2026, 1, 2)),
        ("YYMMDD", "260102", day(2026, 1, 2)),
        ("YYMMDD", "690102", day(1969, 1, 2)),
        ("YYYYMM", "198502", day(1985, 2, 1)),
        ("YYYYDDD", "2024366", day(2024, 12, 31)),
        ("DD MMM YYYY", "02 Jan 2026", day(2026, 1, 2)),
        ("MMMM D, YYYY", "January 2, 2026", day(2026, 1, 2)),
        ("'on' D.M.YYYY", "on 2.1.2026", day(2026, 1, 2)),
        ("YYYY''MM", "2026'05", day(2026, 5, 1)),
        ("YYYYMMDDTHHmmss", "20260102T030405", moment((2026, 1, 2), (3, 4, 5), 0, None)),
        ("YYYYMMDDHHmmss", "20260102030405", moment((2026, 1, 2), (3, 4, 5), 0, None)),
        ("YYYY/M/D H:mm", "2026/1/2 3:04", moment((2026, 1, 2), (3, 4, 0), 0, None)),
        (
            "YYYY-MM-DD hh:mm:ss A",
            "2026-01-02 12:00:00 AM",
            moment((2026, 1, 2), (0, 0, 0), 0, None),
        ),
        ("YYYY-MM-DD h:mm A", "2026-01-02 12:30 PM", moment((2026, 1, 2), (12, 30, 0), 0, None)),
        ("YYYY/M/D 上午h:mm:ss", "2026/1/2 下午3:04:05", moment((2026, 1, 2), (15, 4, 5), 0, None)),
        (
            "YYYY-MM-DDTHH:mm:ss.SSSZ",
            "2026-01-02T03:04:05.678+08:00",
            moment((2026, 1, 2), (3, 4, 5), 678_000_000, Some(480)),
        ),
        (
            "YYYY-MM-DDTHH:mm:ssfZ",
            "2026-01-02T03:04:05Z",
            moment((2026, 1, 2), (3, 4, 5), 0, Some(0)),
        ),
        (
            "YYYY-MM-DDTHH:mm:ssfZ",
            "2026-01-02T03:04:05.5-03:30",
            moment((2026, 1, 2), (3, 4, 5), 500_000_000, Some(-210)),
        ),
    ] {
        let compiled = Pattern::new(pattern, 69).unwrap();
        assert_eq!(compiled.read(text.as_bytes()), Ok(expected), "{pattern} {text}");
        let mut out = Vec::new();
        compiled.write(&expected, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text, "{pattern}");
    }
}

#[test]
fn other_spellings_of_the_same_moment_are_read() {
    for (pattern, text, offset) in [
        ("YYYY-MM-DDTHH:mm:ssfZ", "2026-01-02T03:04:05,500+0800", Some(480)),
        ("YYYY-MM-DDTHH:mm:ssfZ", "2026-01-02T03:04:05.500000000+08", Some(480)),
        ("YYYY-MMM-DD hh:mm:ss.S A", "2026-JAN-02 03:04:05.5 am", None),
    ] {
        let expected = moment((2026, 1, 2), (3, 4, 5), 500_000_000, offset);
        assert_eq!(
            Pattern::new(pattern, 69).unwrap().read(text.as_bytes()),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn what_does_not_fit_is_told_from_what_does_not_exist() {
    use FaultKind::{NoSuchDate, NotADate};
    for (pattern, text, kind) in [
        ("YYYY-M-D", "2026-1-", NotADate),
        ("YYYY-M-D", "2026-1-2 ", NotADate),
        ("YYYY-M-D", "2026-1-222", NotADate),
        ("YYYY-M-D", "2026-2-29", NoSuchDate),
        ("YYYY-M-D", "0000-1-1", NoSuchDate),
        ("YYYYMMDD", "20261301", NoSuchDate),
        ("YYYY-MM-DD HH:mm:ss", "2026-01-02 24:00:00", NoSuchDate),
        ("YYYY-MM-DD hh:mm A", "2026-01-02 00:10 AM", NoSuchDate),
        ("YYYY-MM-DD hh:mm A", "2026-01-02 13:10 PM", NoSuchDate),
        ("YYYYDDD", "2023366", NoSuchDate),
        ("YYYY-MM-DDTHH:mm:ssfZ", "2026-01-02T03:04:05.Z", NotADate),
        ("YYYY-MM-DDTHH:mm:ssfZ", "2026-01-02T03:04:05", NotADate),
        ("YYYY-MM-DDTHH:mm:ssfZ", "2026-01-02T03:04:05.0123456789Z", NotADate),
        ("DD MMM YYYY", "02 Jän 2026", NotADate),
    ] {
        assert_eq!(
            Pattern::new(pattern, 69).unwrap().read(text.as_bytes()),
            Err(kind),
            "{pattern} {text}"
        );
    }
}

#[test]
fn a_moment_that_would_read_back_otherwise_is_not_written() {
    for (pattern, value) in [
        ("YYMMDD", moment((2069, 1, 1), (0, 0, 0), 0, None)),
        ("YYMMDD", moment((1968, 12, 31), (0, 0, 0), 0, None)),
        ("YYYYMM", moment((2026, 1, 2), (0, 0, 0), 0, None)),
        ("YYYYMMDD", moment((2026, 1, 2), (0, 0, 1), 0, None)),
        ("YYYY-MM-DD HH:mm", moment((2026, 1, 2), (0, 0, 1), 0, None)),
        ("YYYY-MM-DD HH:mm:ss.SSS", moment((2026, 1, 2), (0, 0, 0), 1000, None)),
        ("YYYY-MM-DD HH:mm:ss", moment((2026, 1, 2), (0, 0, 0), 0, Some(0))),
        ("YYYY-MM-DD HH:mm:ssZ", moment((2026, 1, 2), (0, 0, 0), 0, None)),
    ] {
        let mut out = Vec::new();
        let written = Pattern::new(pattern, 69).unwrap().write(&value, &mut out);
        assert_eq!((written, out.len()), (Err(FaultKind::NotInPattern), 0), "{pattern}");
    }
}

#[test]
fn patterns_without_one_meaning_are_refused() {
    for (pattern, says) in [
        ("yyyy-MM-dd", "YYYY"),
        ("YYYY-MM-dd", "the day is `DD`"),
        ("YYYYMD", "write it with two"),
        ("DD.MM.", "needs a year"),
        ("YYYY", "needs a year and a month"),
        ("YYYY-MM-DD YYYY", "twice"),
        ("YYYY-MM-DD hh:mm", "need `A`"),
        ("YYYY-MM-DD HH:ss", "seconds need minutes"),
        ("YYYY-MM-DD at HH:mm", "single quotes"),
        ("YYYY-'MM", "not closed"),
        ("YYYYY-MM-DD", "not a length"),
        ("", "neither a date nor a time"),
        ("HH:mmZ", "a zone needs"),
    ] {
        let error = Pattern::new(pattern, 69).unwrap_err().to_string();
        assert!(error.contains(says), "{pattern}: {error}");
    }
}

#[test]
fn literal_text_is_spelled_in_the_code_page_of_the_data() {
    // 年 C4EA, 月 D4C2, 日 C8D5 in GBK.
    let gbk = |text: &str| {
        let mut out = Vec::new();
        for c in text.chars() {
            match c {
                '年' => out.extend([0xC4, 0xEA]),
                '月' => out.extend([0xD4, 0xC2]),
                '日' => out.extend([0xC8, 0xD5]),
                _ => return None,
            }
        }
        Some(out)
    };
    let pattern = Pattern::encoded("YYYY年M月D日", 69, &gbk).unwrap();
    let read = pattern.read(b"2026\xC4\xEA1\xD4\xC22\xC8\xD5").unwrap();
    assert_eq!(read, moment((2026, 1, 2), (0, 0, 0), 0, None));
    assert!(Pattern::encoded("YYYY年€M", 69, &gbk).unwrap_err().reason.contains("code page"));
}

proptest! {
    #[test]
    fn what_a_full_pattern_writes_it_reads_back(
        days in -719_162i32..=2_932_896, seconds in 0u32..86_400, nanos in 0u32..1_000_000_000, offset in -1439i16..=1439,
    ) {
        for text in [
            "YYYY-MM-DDTHH:mm:ssfZ", "YYYYMMDDHHmmssSSSSSSSSSZ", "D/M/YYYY h:m:s.SSSSSSSSS A Z", "MMMM D YYYY 上午hh:mm:ssf Z",
            "YYYYDDD HH:mm:ss.SSSSSSSSS Z",
        ] {
            let pattern = Pattern::new(text, 69).unwrap();
            let value = Moment { days, seconds, nanos, offset: Some(offset) };
            let mut out = Vec::new();
            pattern.write(&value, &mut out).unwrap();
            prop_assert_eq!(pattern.read(&out), Ok(value));
        }
    }

    #[test]
    fn no_bytes_make_a_pattern_panic(pattern in "[YMDHhmsSfAZT '年-]{0,12}", bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        if let Ok(compiled) = Pattern::new(&pattern, 69) {
            let _ = compiled.read(&bytes);
        }
    }
}
