//! Vectors of GB 11643-1999: region 999901 is assigned to nobody, 11010119000101001 and its like are made up.

use crate::support::*;

#[test]
fn fifteen_digits_become_eighteen_and_others_stay() {
    assert_eq!(
        taken("\"upgrade_id\"", &["999901000229123", "99990120000229003X", "110101491001001"]),
        // 1900 was no leap year: the number is upgraded all the same, the rule on dates finds it.
        some(&[
            &format!("99990119000229123{}", check("99990119000229123")),
            "99990120000229003X",
            "11010119491001001X"
        ])
    );
}

/// ISO 7064 MOD 11-2 by its definition: the whole, check character 10 for X, is 1 modulo 11.
fn check(digits: &str) -> char {
    let sum: u32 = digits
        .chars()
        .enumerate()
        .map(|(at, c)| (0..17 - at).fold(c.to_digit(10).unwrap(), |product, _| product * 2 % 11))
        .sum();
    match (12 - sum % 11) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap(),
    }
}

#[test]
fn an_open_century_is_rejected_unless_it_is_assumed() {
    let (taken_, faults) = steps("\"upgrade_id\"", &["110101900307999", "110101900307995"]);
    assert_eq!((taken_.len(), faults), (1, vec![(0, "mapping.century".to_owned())]));
    assert_eq!(
        taken(r#"{ upgrade_id = true, century = "assume" }"#, &["110101900307999"]),
        some(&["110101199003079999"])
    );
}

#[test]
fn seventeen_digits_are_no_number() {
    assert_eq!(steps("\"upgrade_id\"", &["99990120000229123"]).1, [(0, "mapping.id".to_owned())]);
}

#[test]
fn keyboards_and_old_systems_are_undone() {
    assert_eq!(
        taken(
            "\"plain_id\"",
            &["１１０１０１ 19491001001x", " 999901200002291235", "12345678-8", "  "]
        ),
        [
            Some("11010119491001001X".to_owned()),
            Some("999901200002291235".to_owned()),
            Some("123456788".to_owned()),
            None
        ]
    );
    assert_eq!(steps("\"plain_id\"", &["1101老2"]).1, [(0, "mapping.id".to_owned())]);
}

#[test]
fn a_number_gives_birth_date_sex_and_region() {
    let mapped = map(
        r#"
        [fields]
        born = { from = "A", steps = [{ derive = "birth_date" }] }
        sex = { from = "A", steps = [{ derive = "sex" }] }
        region = { from = "A", steps = [{ derive = "region" }] }
        "#,
        &column(&["999901200002291235", "999901200002290080", "110101900307995"]),
    );
    assert_eq!(texts(&mapped, "born"), some(&["2000-02-29", "2000-02-29", "1990-03-07"]));
    // Sequences 123 and 995 are odd: men. 008 is even.
    assert_eq!(texts(&mapped, "sex"), some(&["1", "2", "1"]));
    assert_eq!(texts(&mapped, "region"), some(&["999901", "999901", "110101"]));
}

#[test]
fn a_number_without_a_birthday_gives_nothing() {
    // 2001-02-29 does not exist.
    let (_, faults) = steps(r#"{ derive = "birth_date" }"#, &["999901200102291232"]);
    assert_eq!(faults, [(0, "mapping.id".to_owned())]);
}

#[test]
fn masks_show_what_the_convention_shows() {
    for (mask, value, shown) in [
        ("name", "张三", "张*"),
        ("name", "欧阳娜娜", "欧阳**"),
        ("name", "欧阳", "欧*"),
        ("name", "张", "*"),
        ("id", "110101190001010014", "110101********0014"),
        ("id", "110101900307999", "110101*****7999"),
        ("id", "11010119", "********"),
        ("phone", "13800000000", "138****0000"),
        ("phone", "057188888888", "********8888"),
        ("phone", "12345", "*****"),
        ("bank_card", "6200000000000000", "************0000"),
        ("address", "浙江省杭州市西湖区三墩镇振华路8号", "浙江省杭州市西湖区三墩镇***"),
        ("address", "北京市海淀区学院路街道37号院", "北京市海淀区学院路街道***"),
        ("address", "杭州市西湖区文一路8号", "杭州市西湖区***"),
        ("address", "某处8号", "***"),
    ] {
        assert_eq!(taken(&format!("{{ mask = \"{mask}\" }}"), &[value]), some(&[shown]), "{value}");
    }
    assert_eq!(taken("{ mask = [2, 1] }", &["ABCDEF", "ABC"]), some(&["AB***F", "***"]));
}
