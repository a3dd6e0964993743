//! Vectors of the standards and of independent computations. Region 999901 is unassigned and every organisation is made up:
//! nobody bears these numbers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use fenhe_rules::Date;
use fenhe_rules::identifiers::{
    Changes, Identifier, Person, Policy, Reason, Sex, citizen_check, normalise, organisation_check,
    suggest, upgrade, uscc_check, uscc_kind,
};

fn policy() -> Policy {
    Policy::on(Date::from_civil(2026, 1, 2).unwrap())
}

fn anywhere() -> Policy {
    policy().any_region()
}

#[track_caller]
fn holds(kind: Identifier, value: &str) {
    assert_eq!(kind.check(value.as_bytes(), &anywhere()), Ok(()), "{value}");
}

#[track_caller]
fn fails(kind: Identifier, value: &str, reason: Reason) {
    assert_eq!(kind.check(value.as_bytes(), &anywhere()), Err(reason), "{value}");
}

#[test]
fn citizen_numbers_of_the_vectors_hold() {
    for number in [
        "110101190001010014",
        "999901200002291235",
        "11010119491001001X",
        "99990120000229003X",
        "999901200002290080",
    ] {
        holds(Identifier::Citizen, number);
        holds(Identifier::Citizen18, number);
        fails(Identifier::Citizen15, number, Reason::Format);
    }
}

#[test]
fn citizen_numbers_say_what_is_wrong() {
    let citizen = Identifier::Citizen;
    fails(citizen, "110101190001010015", Reason::CheckCharacter);
    fails(citizen, "999901200102291232", Reason::DateExists);
    fails(citizen, "11010119000101001", Reason::Format);
    fails(citizen, "1101011900010100141", Reason::Format);
    fails(citizen, "11010119000101A014", Reason::Format);
    fails(citizen, "X10101190001010014", Reason::Format);
    fails(citizen, "", Reason::Format);
    fails(citizen, "11010119491001001x", Reason::Format);
    fails(citizen, &with_check("99990120260103123"), Reason::DateInFuture);
    holds(citizen, &with_check("99990120260102123"));
    fails(citizen, &with_check("99990118760101123"), Reason::Age);
    holds(citizen, &with_check("99990118760102123"));
}

#[test]
fn regions_are_known_by_their_province_of_today_or_of_the_past() {
    let check = |number: &str| Identifier::Citizen.check(number.as_bytes(), &policy());
    assert_eq!(check("110101190001010014"), Ok(()));
    assert_eq!(check("999901200002291235"), Err(Reason::Region));
    // 5102xx and 5132xx: before Chongqing was a province. No current list holds them.
    assert_eq!(check(&with_check("51021219800101001")), Ok(()));
    assert_eq!(check(&with_check("51322119800101001")), Ok(()));
    assert_eq!(check(&with_check("50010319800101001")), Ok(()));
    assert_eq!(check(&with_check("83000019800101001")), Err(Reason::Region));
}

#[test]
fn fifteen_digits_are_upgraded_and_the_original_is_kept_apart() {
    let upgraded = upgrade(b"110101900307999").unwrap();
    assert_eq!(&upgraded.number, b"110101199003079999");
    assert!(upgraded.century_assumed);
    let plain = upgrade(b"110101900307001").unwrap();
    assert!(!plain.century_assumed);
    holds(Identifier::Citizen, std::str::from_utf8(&plain.number).unwrap());
    assert_eq!(upgrade(b"11010190030700X"), None);
    assert_eq!(upgrade(b"11010190030700"), None);

    holds(Identifier::Citizen, "110101900307001");
    holds(Identifier::Citizen15, "110101900307001");
    fails(Identifier::Citizen15, "110101900307999", Reason::Sequence);
    fails(Identifier::Citizen15, "110101900230001", Reason::DateExists);
    fails(Identifier::Citizen18, "110101900307001", Reason::Format);
    let unknown = Identifier::Citizen15.check(b"999901900307001", &policy());
    assert_eq!(unknown, Err(Reason::Region));
}

#[test]
fn a_number_tells_birth_sex_and_region() {
    let person = Person::read(b"999901200002291235").unwrap();
    assert_eq!(person.birth, Date::from_civil(2000, 2, 29).unwrap());
    assert_eq!((person.sex, person.region), (Sex::Male, *b"999901"));
    let female = Person::read(b"999901200002290080").unwrap();
    assert_eq!(female.sex, Sex::Female);
    let old = Person::read(b"110101900307998").unwrap();
    assert_eq!((old.sex, old.century_assumed), (Sex::Female, true));
    assert_eq!(Person::read(b"999901200102291232"), None);
}

#[test]
fn residence_permits_and_foreigners_have_the_same_check_character() {
    for region in ["810000", "820000", "830000"] {
        let number = with_check(&format!("{region}19900307123"));
        holds(Identifier::ResidencePermit, &number);
        holds(Identifier::Person, &number);
    }
    let other = with_check("81010019900307123");
    fails(Identifier::ResidencePermit, &other, Reason::Region);
    let foreign = with_check("91156819900307123");
    holds(Identifier::ForeignResident, &foreign);
    assert_eq!(Identifier::Person.check(foreign.as_bytes(), &policy()), Ok(()));
    holds(Identifier::ForeignResident, "XXA110090030712");
    holds(Identifier::Person, "XXA110090030712");
    fails(Identifier::ForeignResident, "110101190001010014", Reason::Format);
    fails(Identifier::ForeignResident, "XX1110090030712", Reason::Format);
}

#[test]
fn credit_codes_of_the_vectors_hold() {
    for code in [
        "91990000123456788C",
        "11990000000000000D",
        "92990000MA00000A9B",
        "519900000000000271",
        // r = 0 and r = 1: the check values 31 and 30.
        "919900000000000860",
        "91990000000000430Y",
        "91350100M000100Y43",
    ] {
        holds(Identifier::Uscc, code);
        holds(Identifier::Taxpayer, code);
    }
    assert_eq!(Identifier::Uscc.check(b"91350100M000100Y43", &policy()), Ok(()));
    assert_eq!(Identifier::Uscc.check(b"91990000123456788C", &policy()), Err(Reason::Region));
}

#[test]
fn credit_codes_by_popular_wrong_rules_do_not_hold() {
    const CHARSET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    // The much copied `CHARSET[sum % 31]` (no 31 - r) with letters valued by their distance from A.
    let wrong = |body: &[u8]| {
        let value = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 };
        let sum: usize = body.iter().zip(WEIGHTS).map(|(b, w)| usize::from(value(*b)) * w).sum();
        char::from(CHARSET[sum % 31])
    };
    for body in ["91990000123456788", "91350100M000100Y4", "92990000MA00000A9", "51990000000000027"]
    {
        let code = format!("{body}{}", wrong(body.as_bytes()));
        fails(Identifier::Uscc, &code, Reason::CheckCharacter);
    }
    // A copied pattern lets Z stand in the check place; the alphabet has no Z.
    fails(Identifier::Uscc, "91990000123456788Z", Reason::Format);
    for letter in ["I", "O", "S", "V", "Z"] {
        fails(Identifier::Uscc, &format!("91990000{letter}23456788C"), Reason::Format);
    }
}

#[test]
fn credit_codes_say_what_is_wrong() {
    let uscc = Identifier::Uscc;
    fails(uscc, "91990000123456788", Reason::Format);
    fails(uscc, "91990000123456788CC", Reason::Format);
    fails(uscc, "9199A000123456788C", Reason::Format);
    fails(uscc, "91990000123456788D", Reason::CheckCharacter);
    // The outer check character right, the one of the organisation code inside wrong.
    let body = b"91990000123456789";
    let code = format!("91990000123456789{}", char::from(uscc_check(body).unwrap()));
    fails(uscc, &code, Reason::InnerCheck);
    let kind = uscc_kind(b"91350100M000100Y43").unwrap();
    assert_eq!((kind.authority, kind.kind), ("市场监管", "企业"));
    assert_eq!(uscc_kind(b"01"), None);
}

#[test]
fn registers_of_the_central_authorities_have_no_province() {
    let body = b"91100000123456788";
    let code = [&body[..], &[uscc_check(body).unwrap()]].concat();
    assert_eq!(Identifier::Uscc.check(&code, &policy()), Ok(()));
}

#[test]
fn organisation_codes_of_the_vectors_hold() {
    for (body, check) in [
        ("12345678", '8'),
        ("00000000", '0'),
        ("D2143569", 'X'),
        ("MA00000A", '9'),
        ("00000006", 'X'),
        ("ABCDEFGH", '5'),
    ] {
        let bytes: [u8; 8] = body.as_bytes().try_into().unwrap();
        assert_eq!(organisation_check(&bytes).map(char::from), Some(check), "{body}");
        holds(Identifier::Organisation, &format!("{body}{check}"));
        holds(Identifier::Organisation, &format!("{body}-{check}"));
    }
    fails(Identifier::Organisation, "12345678-7", Reason::CheckCharacter);
    fails(Identifier::Organisation, "1234-56788", Reason::Format);
    fails(Identifier::Organisation, "12345678-", Reason::Format);
    fails(Identifier::Organisation, "-", Reason::Format);
    fails(Identifier::Organisation, "12345678A", Reason::Format);
}

#[test]
fn other_numbers_of_the_vectors_hold() {
    holds(Identifier::BusinessRegistration, "110108000000016");
    holds(Identifier::BusinessRegistration, "990000000000015");
    fails(Identifier::BusinessRegistration, "110108000000017", Reason::CheckCharacter);
    fails(Identifier::BusinessRegistration, "11010800000001A", Reason::Format);
    let unknown = Identifier::BusinessRegistration.check(b"990000000000015", &policy());
    assert_eq!(unknown, Err(Reason::Region));

    holds(Identifier::BankCard, "62000000000000000");
    fails(Identifier::BankCard, "62000000000000001", Reason::CheckCharacter);
    fails(Identifier::BankCard, "620000000000", Reason::Format);
    fails(Identifier::BankCard, "62000000000000000000", Reason::Format);

    holds(Identifier::Taxpayer, "110101123456788");
    holds(Identifier::Taxpayer, "110101190001010014");
    holds(Identifier::Taxpayer, "110101190001010014A1");
    fails(Identifier::Taxpayer, "110101123456789", Reason::CheckCharacter);
    fails(Identifier::Taxpayer, "11010119000101001401A", Reason::Format);

    holds(Identifier::Mobile, "13800000000");
    fails(Identifier::Mobile, "12800000000", Reason::Format);
    fails(Identifier::Mobile, "1380000000", Reason::Format);
}

#[test]
fn spelling_is_undone_only_when_asked_and_always_told() {
    for (value, changes) in [
        ("11010119491001001x", Changes::SMALL_LETTERS),
        (" 11010119491001001X　", Changes::BLANKS),
        ("１１０１０１１９４９１００１００１Ｘ", Changes::FULL_WIDTH),
        ("110101-19491001-001X", Changes::HYPHENS),
    ] {
        let normal = normalise(value.as_bytes()).unwrap();
        assert_eq!(normal.as_str(), "11010119491001001X");
        assert_eq!(normal.changes(), changes);
        let citizen = Identifier::Citizen;
        assert_eq!(citizen.check(value.as_bytes(), &policy()), Err(Reason::Format));
        assert_eq!(citizen.check_spelling(value.as_bytes(), &policy()), Err(Reason::Spelling));
    }
    assert!(normalise("身份证".as_bytes()).is_none());
    assert!(normalise(&[0xB1, 0xB1]).is_none());
    assert!(normalise(&[b'1'; 33]).is_none());
}

#[test]
fn letters_are_never_read_as_digits_silently() {
    let value = b"110101194910010O1X";
    assert_eq!(normalise(value).unwrap().as_bytes(), value);
    assert_eq!(Identifier::Citizen.check_spelling(value, &policy()), Err(Reason::Format));
    let meant = suggest(Identifier::Citizen, value, &policy()).unwrap();
    assert_eq!(meant.as_str(), "11010119491001001X");
    assert!(suggest(Identifier::Citizen, b"11010119491001001X", &policy()).is_none());
    let code = suggest(Identifier::Uscc, b"9135O1OOMOOO1OOY43", &policy()).unwrap();
    assert_eq!(code.as_str(), "91350100M000100Y43");
}

fn with_check(digits: &str) -> String {
    let check = citizen_check(digits.as_bytes().try_into().unwrap()).unwrap();
    format!("{digits}{}", char::from(check))
}
