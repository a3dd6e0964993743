use arrow_schema::TimeUnit;

use super::*;
use crate::types::type_name;

fn guess<'a>(name: &str, fields: impl IntoIterator<Item = &'a str>) -> Guessed {
    let mut guess = Guess::new(name, Encoding::UTF_8);
    fields.into_iter().for_each(|field| guess.feed(field.as_bytes()));
    guess.finish()
}

#[test]
fn columns_are_what_all_their_values_are() {
    for (fields, expected, reason) in [
        ("1 -2 300", "int64", "3 of 3 values are whole numbers"),
        ("0 0", "int64", "whole numbers"),
        ("0012 34", "text", "leading zero in row 1"),
        ("12 +3", "text", ""),
        ("12 -0", "int64", ""),
        ("1.5 2.25", "decimal(18,2)", "digits after the mark vary"),
        ("0.05 10.00", "decimal(18,2)", "at most 4 digits, 2 after the mark"),
        ("-0.00 1.00", "text", ""),
        ("1,234.50 999.00", "decimal(18,2)", "`,` between thousands"),
        ("1,234,567 1", "int64", "`,` between thousands"),
        ("1,234 5,678", "text", "a comma that may stand between thousands"),
        ("12,5 1234,50", "decimal(18,2)", "decimal comma"),
        ("1,23 12,345.6", "text", ""),
        ("12,345 1,5", "decimal(18,3)", "at most 5 digits, 3 after the mark"),
        ("1.234,56 999,00", "decimal(18,2)", "decimal comma and `.` between thousands"),
        ("-1.234.567,8 0,25", "decimal(18,2)", "at most 9 digits, 2 after the mark"),
        ("1.234 12,5", "decimal(18,1)", "at most 5 digits, 1 after the mark"),
        ("1.234 5.678", "decimal(18,3)", "decimal numbers"),
        ("1.234 12,345", "text", ""),
        ("1.234,5 1,234.5", "text", ""),
        ("1.234,56 12.34", "text", ""),
        ("1.234,56 1234,56", "text", ""),
        ("1.234,56 1.23,4", "text", ""),
        ("192.168.100.200 10.100.100.100", "text", ""),
        ("1.234.567 1", "text", ""),
        ("11010519491231002X 110105194912310021", "text", "identifiers of 18 digits"),
        ("13800138000 15912345678", "text", "mobile telephone"),
        ("1234567890123456 1", "text", "more than 15 digits"),
        ("20260102 19991231", "date", "2 of 2 values are dates YYYYMMDD"),
        ("20260102 20261301", "int64", ""),
        ("20260102 31270101", "int64", ""),
        ("20260102 99991231", "date", "YYYYMMDD"),
        ("20260102 00000000", "date", "1 values are zero dates"),
        ("2026-01-02 1999-12-31", "date", "YYYY-MM-DD"),
        ("2026-1-2 1999-12-31", "date", "YYYY-M-D"),
        ("2026/1/2 1999/12/31", "date", "YYYY/M/D"),
        ("2026.01.02 1999.12.31", "date", "YYYY.MM.DD"),
        ("2026年1月2日 1999年12月31日", "date", "YYYY年M月D日"),
        ("2026-1-2 2026-01-03", "text", ""),
        ("01/02/2026 03/04/2026", "text", "could be"),
        ("01/02/2026 31/04/2026", "text", ""),
        ("01/02/2026 30/04/2026", "date", "DD/MM/YYYY"),
        (
            "2026-01-02T03:04:05 1999-12-31T00:00:00",
            "timestamp(s)",
            "timestamps YYYY-MM-DDTHH:mm:ss",
        ),
        ("2026-01-02T03:04:05.123 1999-12-31T00:00:00", "timestamp(ms)", "ssf"),
        ("2026-01-02T03:04:05.123456Z 1999-12-31T00:00:00+08:00", "timestamp(us, UTC)", "Z"),
        ("20260102030405 20260102030406", "timestamp(s)", "YYYYMMDDHHmmss"),
        ("03:04:05 23:59:59", "time(s)", "times HH:mm:ss"),
        ("Y N Y N Y", "bool", "either Y or N"),
        ("Y Y Y Y Y", "text", ""),
        ("Y N", "text", ""),
        ("是 否 是 是", "bool", "either 是 or 否"),
        ("1 0 1 0 1", "int64", ""),
        ("1.10101E+17 1.2E+17", "text", "cut digits off"),
        ("=\"0012\" =\"0013\"", "text", "as spreadsheets are made to keep text"),
        ("NULL 12", "text", "often mean null"),
        ("张三 李四", "text", "the longest of 6 bytes"),
    ] {
        let found = guess("c", fields.split(' '));
        assert_eq!(
            type_name(&found.spec.data_type).as_deref(),
            Some(expected),
            "{fields}: {:?}",
            found.reasons
        );
        assert!(found.reasons.join("; ").contains(reason), "{fields}: {:?}", found.reasons);
    }
}

#[test]
fn many_numbers_of_one_length_are_codes() {
    let regions: Vec<String> = (0..20).map(|n| (110_100 + n).to_string()).collect();
    let found = guess("c", regions.iter().map(String::as_str));
    assert_eq!(found.spec.data_type, DataType::Utf8);
    assert_eq!(
        found.reasons,
        ["kept as text: all 20 values are numbers of 6 digits, as codes are"]
    );
}

#[test]
fn timestamps_with_a_blank_are_found() {
    let found = guess("t", ["2026-01-02 03:04:05", "2026-01-02 03:04:06"]);
    assert_eq!(found.spec.data_type, DataType::Timestamp(TimeUnit::Second, None));
    assert_eq!(found.spec.spelling.date.patterns, ["YYYY-MM-DD HH:mm:ss"]);
}

#[test]
fn what_is_found_reads_the_values_it_was_found_from() {
    for fields in [
        "1.5|2.25|",
        "1,234.50|5.00|",
        "2026年1月2日|1999年12月31日|",
        "Y|N|Y|N|",
        "12,5|3,75|",
        "12,345|1,5|",
        "1.234,56|-1.234.567,8|0,25|12.345|",
        "20260102|00000000|",
    ] {
        let fields: Vec<&str> = fields.split('|').collect();
        let found = guess("c", fields.iter().copied());
        assert_ne!(found.spec.data_type, DataType::Utf8, "{fields:?}");
        let reader = crate::FieldReader::new(&found.spec, Encoding::UTF_8).unwrap();
        assert!(fields.iter().all(|f| reader.check(f.as_bytes()).is_none()), "{fields:?}");
    }
}

#[test]
fn declared_nulls_do_not_count_as_values() {
    let mut guess = Guess::new("c", Encoding::UTF_8).with_nulls(&["NULL".to_owned()]);
    ["1", "NULL", "3"].iter().for_each(|f| guess.feed(f.as_bytes()));
    guess.feed_missing();
    let found = guess.finish();
    assert_eq!(
        (found.spec.data_type, found.rows, found.nulls, found.digits),
        (DataType::Int64, 4, 2, Some((1, 0)))
    );
    assert_eq!(found.reasons[1], "2 of 4 fields are null");
}

#[test]
fn the_characters_of_the_code_page_are_used() {
    let mut guess = Guess::new("c", Encoding::GBK);
    for field in ["2026年1月2日", "1999年12月31日"] {
        guess.feed(&Encoding::GBK.encode(field).unwrap());
    }
    assert_eq!(guess.finish().spec.spelling.date.patterns, ["YYYY年M月D日"]);
    guess.feed(b"\xFF\xFF");
    let reasons = guess.finish().reasons.join("; ");
    assert!(reasons.contains("no characters of GBK, first in row 3"), "{reasons}");
}

#[test]
fn serial_days_are_reported() {
    let found = guess("登记日期", ["45000", "45001"]);
    assert_eq!(found.spec.data_type, DataType::Int64);
    assert!(found.reasons.join("; ").contains("serial days"));
}

#[test]
fn an_empty_column_is_text() {
    assert_eq!(
        guess("c", ["", "", "  "]).reasons,
        ["no values in the sample: text", "3 of 3 fields are empty"]
    );
}
