//! Code tables and the notation of data elements.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use arrow_schema::{DataType, TimeUnit};
use fenhe_core::schema::{LENGTH, NATIVE_TYPE};
use fenhe_rules::{Code, CodeTable, DataElement, Date, ElementKind};

fn day(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}

#[test]
fn every_built_in_table_is_sound_and_has_the_size_of_its_standard() {
    let sizes = CodeTable::BUILT_IN.map(|name| CodeTable::built_in(name).unwrap().codes().len());
    // 56 nationalities and 97, 98, which have no letters; 34 provinces.
    assert_eq!(sizes, [4, 8, 58, 56, 42, 13, 34]);
    assert!(CodeTable::built_in("gbt9999").is_none());
}

#[test]
fn nationalities_have_number_letters_and_the_names_registers_hold() {
    let numbers = CodeTable::built_in("gbt3304").unwrap();
    let letters = CodeTable::built_in("gbt3304.letters").unwrap();
    for (name, number, letter) in
        [("汉族", "01", "HA"), ("藏族", "04", "ZA"), ("佤族", "21", "VA"), ("基诺族", "56", "JN")]
    {
        assert_eq!(numbers.titled(name, None).unwrap().code, number);
        assert_eq!(letters.titled(name, None).unwrap().code, letter);
    }
    assert_eq!(numbers.titled("崩龙族", None).unwrap().title, "德昂族");
    assert_eq!(numbers.titled("毛难", None).unwrap().code, "36");
    assert_eq!(numbers.titled("汉", None).unwrap().code, "01");
    // Local codes for 97 and 98, and letters from a public list: not of the standard.
    assert!(numbers.get("57", None).is_none() && numbers.get("58", None).is_none());
    assert!(letters.get("AZ", None).is_none());
}

#[test]
fn a_code_is_looked_up_at_its_day() {
    let education = CodeTable::built_in("gbt4658").unwrap();
    let title = |code: &str, on| education.get(code, on).map(|code| code.title.as_str());
    assert_eq!(title("50", day("2000-01-01")), Some("技工学校"));
    assert_eq!(title("50", day("2007-03-01")), None);
    assert_eq!(title("90", day("2007-02-28")), Some("文盲或半文盲"));
    assert_eq!(title("90", day("2007-03-01")), Some("其他"));
    assert_eq!(title("90", None), Some("其他"));
    assert_eq!(title("11", day("2026-01-02")), Some("博士研究生毕业"));
    assert_eq!(education.children("30").count(), 3);
    let provinces = CodeTable::built_in("gbt2260.provinces").unwrap();
    assert!(provinces.get("50", day("1990-01-01")).is_none());
}

#[test]
fn a_table_is_read_from_data_and_written_back() {
    let text = r#"
        name = "local.sex"
        source = "a local system"
        code = [
            { code = "M", title = "男", also = ["男性"] },
            { code = "F", title = "女", valid_from = "2001-01-01", parent = "M" },
        ]
    "#;
    let table: CodeTable = toml::from_str(text).unwrap();
    assert_eq!(table.titled("男性", None).unwrap().code, "M");
    assert!(table.get("F", day("2000-12-31")).is_none());
    let back: CodeTable = toml::from_str(&toml::to_string(&table).unwrap()).unwrap();
    assert_eq!(back, table);
    let error = toml::from_str::<CodeTable>("name = \"x\"\ncode = []\ncodes = []\n").unwrap_err();
    assert!(error.to_string().contains("codes"));
}

#[test]
fn tables_that_contradict_themselves_are_refused() {
    let refused = |codes: Vec<Code>| CodeTable::new("t", "", codes).unwrap_err();
    let twice = vec![
        Code::new("1", "a").valid(None, day("2000-01-02")),
        Code::new("1", "b").valid(day("2000-01-02"), None),
    ];
    assert_eq!(refused(twice).code(), "rules.table");
    assert_eq!(refused(vec![Code::new("", "a")]).code(), "rules.table");
    let orphan = Code { parent: Some("9".into()), ..Code::new("1", "a") };
    assert_eq!(refused(vec![orphan]).code(), "rules.table");
    let backwards = Code::new("1", "a").valid(day("2001-01-01"), day("2000-01-01"));
    assert_eq!(refused(vec![backwards]).code(), "rules.table");
}

#[test]
fn notations_of_the_standards_become_types_and_lengths() {
    use ElementKind::{Alphanumeric, Binary, Boolean, DateTime, Digits, Letters, Text, Time};
    let seconds = DataType::Timestamp(TimeUnit::Second, None);
    for (notation, kind, min, max, scale, data_type) in [
        ("an18", Alphanumeric, 18, Some(18), 0, DataType::Utf8),
        ("an..20", Alphanumeric, 0, Some(20), 0, DataType::Utf8),
        ("a3..8", Letters, 3, Some(8), 0, DataType::Utf8),
        ("c..50", Text, 0, Some(50), 0, DataType::Utf8),
        ("n6", Digits, 6, Some(6), 0, DataType::Utf8),
        ("n..10", Digits, 0, Some(10), 0, DataType::Decimal128(10, 0)),
        ("n10,2", Digits, 0, Some(10), 2, DataType::Decimal128(10, 2)),
        ("n3..5,1", Digits, 3, Some(5), 1, DataType::Decimal128(5, 1)),
        ("n..60,4", Digits, 0, Some(60), 4, DataType::Decimal256(60, 4)),
        ("d8", ElementKind::Date, 8, Some(8), 0, DataType::Date32),
        ("t6", Time, 6, Some(6), 0, DataType::Time32(TimeUnit::Second)),
        ("dt15", DateTime, 15, Some(15), 0, seconds),
        ("bl", Boolean, 1, Some(1), 0, DataType::Boolean),
        ("by", Binary, 0, None, 0, DataType::Binary),
        ("an..ul", Alphanumeric, 0, None, 0, DataType::Utf8),
    ] {
        let element: DataElement = notation.parse().unwrap();
        let expected = DataElement { kind, min, max, scale, lines: 1 };
        assert_eq!(element, expected, "{notation}");
        assert_eq!(element.data_type(), data_type, "{notation}");
        assert_eq!(element.to_string().parse(), Ok(element), "{notation}");
    }
    let written = |text: &str| text.parse::<DataElement>().unwrap().to_string();
    assert_eq!(written(" AN .. 100 × 3 "), "an..100x3");
    assert_eq!(written("ANul"), "an..ul");
    assert_eq!(written("by-ul"), "by..ul");
    let field = "an..100x3".parse::<DataElement>().unwrap().field("DZ");
    assert_eq!((&*field.metadata()[NATIVE_TYPE], &*field.metadata()[LENGTH]), ("an..100x3", "300"));
}

#[test]
fn other_text_is_no_notation() {
    for text in [
        "",
        "18",
        "an",
        "x5",
        "n2,5",
        "a5,2",
        "d6",
        "t4",
        "dt8",
        "bl5",
        "an0",
        "a8..3",
        "n10,",
        "n,2",
        "an..",
        "an18x0",
        "n5x2",
        "ul",
        "an99999999999",
        "an-5",
        "中50",
        "an18 extra",
    ] {
        assert!(text.parse::<DataElement>().is_err(), "{text}");
    }
    assert!("a".repeat(65).parse::<DataElement>().is_err());
}
