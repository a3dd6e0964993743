use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;

use crate::support::*;

/// Days since 1970-01-01 as `date -u -d 2026-01-02 +%s` divided by 86,400 gives them.
const DAY: i32 = 20_455;

fn days(steps: &str, value: &str) -> Option<i32> {
    let mapping = format!("[fields]\na = {{ from = \"A\", steps = [{steps}] }}");
    let mapped = map(&mapping, &column(&[value]));
    let array = mapped.records.column(0).as_primitive::<Date32Type>();
    array.iter().next().flatten()
}

#[test]
fn the_usual_spellings_are_read_without_being_listed() {
    for spelling in
        ["20260102", "2026-1-2", "2026.01.02", "2026/1/02", "2026年1月2日", " 2026-01-02 "]
    {
        assert_eq!(days("\"date\"", spelling), Some(DAY), "{spelling}");
    }
}

#[test]
fn what_is_no_day_is_rejected_with_its_kind() {
    for (value, found) in [
        ("20260230", "no such day or time"),
        ("2026-13-01", "no such day or time"),
        ("00000000", "no such day or time"),
        ("260102", "6 digits"),
        ("2026-1.2", "8 ASCII characters"),
        ("2026年1月", "7 characters"),
        ("2026-001-02", "11 ASCII characters"),
    ] {
        let mapped = map("[fields]\na = { from = \"A\", steps = [\"date\"] }", &column(&[value]));
        assert_eq!(mapped.records.num_rows(), 0, "{value}");
        let fault = &mapped.faults[0].fault;
        assert_eq!((fault.code.as_ref(), fault.field.as_str()), ("mapping.date", "a"));
        assert_eq!(fault.found, found, "{value}");
        assert!(!fault.to_string().contains(value));
    }
}

#[test]
fn listed_spellings_are_tried_in_order_and_no_other_is_read() {
    let list = r#"{ date = ["YYYYMMDD", "Y年M月D日", "DD/MM/YYYY"] }"#.replace("Y年M", "YYYY年M");
    assert_eq!(days(&list, "20260102"), Some(DAY));
    assert_eq!(days(&list, "2026年1月2日"), Some(DAY));
    assert_eq!(days(&list, "02/01/2026"), Some(DAY));
    assert_eq!(steps(&list, &["2026-01-02"]).1, [(0, "mapping.date".to_owned())]);
}

#[test]
fn two_digit_years_follow_their_pivot() {
    let list = r#"{ date = "YYMMDD", pivot = 30 }"#;
    assert_eq!(
        taken(list, &["260102", "300102", "491001"]),
        some(&["2026-01-02", "1930-01-02", "1949-10-01"])
    );
}

#[test]
fn six_digits_are_a_date_before_they_are_a_number_of_days() {
    let list = r#"{ date = ["usual", "YYMMDD", "excel"], pivot = 30 }"#;
    assert_eq!(taken(list, &["260102", "46024"]), some(&["2026-01-02", "2026-01-02"]));
    // Eight digits, or digits with signs between, are beyond the last day of spreadsheets.
    let other = r#"{ date = ["excel", "YYYYMMDD", "YY-MM-DD"], pivot = 30 }"#;
    assert_eq!(taken(other, &["20260102", "26-01-02"]), some(&["2026-01-02", "2026-01-02"]));
}

#[test]
fn spreadsheet_days_count_their_29_february_1900() {
    // LibreOffice: =TEXT(59;"YYYY-MM-DD") with the 1899-12-30 null date and Excel agree from 61 on; Excel shows 1900-02-28 for 59.
    let (read, faults) =
        steps(r#"{ date = "excel" }"#, &["1", "59", "60", "61", "46024", "2958465"]);
    assert_eq!(read, some(&["1900-01-01", "1900-02-28", "1900-03-01", "2026-01-02", "9999-12-31"]));
    assert_eq!(faults, [(2, "mapping.date".to_owned())]);
}

#[test]
fn sentinels_and_blanks_are_absent_when_that_is_said() {
    let list = r#"{ absent = ["00000000", "0000-00-00", "99991231"] }, "date""#;
    assert_eq!(
        taken(list, &["00000000", "        ", "0000-00-00", "99991231", "\u{3000}", "19491001"]),
        [None, None, None, None, None, Some("1949-10-01".to_owned())]
    );
}

#[test]
fn a_bad_date_can_be_taken_away_and_is_counted() {
    let mapped = map(
        "[fields]\na = { from = \"A\", steps = [{ date = \"usual\", otherwise = \"null\" }] }",
        &column(&["20260230", "20260102", "x"]),
    );
    assert_eq!(texts(&mapped, "a"), [None, Some("2026-01-02".to_owned()), None]);
    assert_eq!((mapped.replaced[0].field.as_str(), mapped.replaced[0].rows), ("a", 2));
}
