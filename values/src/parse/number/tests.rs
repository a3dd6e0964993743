use super::*;

#[test]
fn whole_numbers_are_read_up_to_the_ends_of_their_range() {
    for (text, expected) in [
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("+7", Ok(7)),
        ("0012", Ok(12)),
        ("12345678", Ok(12_345_678)),
        ("-1234567890123456", Ok(-1_234_567_890_123_456)),
        ("9223372036854775807", Ok(i64::MAX)),
        ("-9223372036854775808", Ok(i64::MIN)),
        ("9223372036854775808", Err(FaultKind::OutOfRange)),
        ("0000000000000000000000000000000000000000000000000012", Ok(12)),
        ("12.000", Ok(12)),
        ("12.", Ok(12)),
        ("12.5", Err(FaultKind::TooManyFractionDigits)),
        ("", Err(FaultKind::NotANumber)),
        ("-", Err(FaultKind::NotANumber)),
        (".", Err(FaultKind::NotANumber)),
        ("--1", Err(FaultKind::NotANumber)),
        ("1 2", Err(FaultKind::NotANumber)),
        ("1234567:", Err(FaultKind::NotANumber)),
        ("1234567/", Err(FaultKind::NotANumber)),
        ("12345678901234567x", Err(FaultKind::NotANumber)),
        ("********", Err(FaultKind::NotANumber)),
    ] {
        assert_eq!(int(text.as_bytes()), expected, "{text}");
    }
    assert_eq!(uint(b"18446744073709551615"), Ok(u64::MAX));
    assert_eq!(uint(b"-1"), Err(FaultKind::OutOfRange));
    assert_eq!(uint(b"-0"), Ok(0));
}

#[test]
fn numbers_at_the_end_of_a_line_are_those_read_alone() {
    let parts =
        ["", "-", "+", "0", "7", "12", "-3", "99999999", "123456789012", "x", ".", "-.", " "];
    for before in ["", "a,b,", "0123456789,12.34,-5,"] {
        for (whole, fraction) in parts.iter().flat_map(|w| parts.iter().map(move |f| (w, f))) {
            for text in [format!("{whole}{fraction}"), format!("{whole}.{fraction}")] {
                let head = format!("{before}{text}");
                if let Some(value) = int_at_end(head.as_bytes(), text.len()) {
                    assert_eq!(int(text.as_bytes()), Ok(value), "{head}");
                }
                for (precision, scale) in [(5, 1), (14, 2), (38, 12), (3, 2)] {
                    let fixed = FixedPoint::new(precision, scale).unwrap();
                    if let Some(value) = fixed.read(head.as_bytes(), text.len()) {
                        let alone = decimal(text.as_bytes(), precision, scale);
                        assert_eq!(alone, Ok(value), "{head}");
                    }
                }
            }
        }
    }
    let line = b"0123456789012345,-1234567.89";
    assert_eq!(FixedPoint::new(9, 2).unwrap().read(line, 11), Some(-123_456_789));
    assert_eq!(FixedPoint::new(8, 2).unwrap().read(line, 11), None);
    assert_eq!(int_at_end(b"0123456789,-42", 3), Some(-42));
}

#[test]
fn eight_byte_words_accept_digits_only() {
    for at in 0..8 {
        for byte in 0..=255u8 {
            let mut word = *b"13579135";
            word[at] = byte;
            let expected = std::str::from_utf8(&word).ok().filter(|_| byte.is_ascii_digit());
            assert_eq!(eight_digits(word), expected.and_then(|t| t.parse().ok()), "{word:?}");
        }
    }
}

#[test]
fn decimals_are_exact_to_the_last_digit() {
    let nines = "9".repeat(38);
    for (text, precision, scale, expected) in [
        ("0.1", 38, 38, Ok(10i128.pow(37))),
        (nines.as_str(), 38, 0, Ok(10i128.pow(38) - 1)),
        (&format!("-{nines}"), 38, 0, Ok(1 - 10i128.pow(38))),
        (&format!("{nines}0"), 38, 0, Err(FaultKind::OutOfRange)),
        (&format!("1.{}", "0".repeat(60)), 5, 2, Ok(100)),
        (&format!("0.{}1", "0".repeat(60)), 5, 2, Err(FaultKind::TooManyFractionDigits)),
        (".5", 3, 2, Ok(50)),
        ("5.", 3, 2, Ok(500)),
        ("9.995", 3, 2, Err(FaultKind::TooManyFractionDigits)),
        ("10.00", 3, 2, Err(FaultKind::OutOfRange)),
        ("1..0", 3, 2, Err(FaultKind::NotANumber)),
        ("1e5", 9, 2, Err(FaultKind::NotANumber)),
    ] {
        assert_eq!(decimal(text.as_bytes(), precision, scale), expected, "{text}");
    }
}

#[test]
fn seventy_six_digits_fit_the_wide_decimal() {
    let nines = "9".repeat(76);
    let max = i256::from_string(&nines).unwrap();
    assert_eq!(decimal256(nines.as_bytes(), 76, 0), Ok(max));
    assert_eq!(decimal256(format!("-0.{nines}").as_bytes(), 76, 76), Ok(max.wrapping_neg()));
    assert_eq!(decimal256(format!("{nines}0").as_bytes(), 76, 0), Err(FaultKind::OutOfRange));
    assert_eq!(decimal256(b"1.25", 76, 1), Err(FaultKind::TooManyFractionDigits));
}

#[test]
fn floats_are_finite_numbers() {
    assert_eq!(float(b"-2.5e3"), Ok(-2500.0));
    assert_eq!(float(b"0.1"), Ok(0.1));
    for (text, kind) in [
        ("nan", FaultKind::NotANumber),
        ("inf", FaultKind::NotANumber),
        ("", FaultKind::NotANumber),
        ("1e400", FaultKind::OutOfRange),
        ("0x10", FaultKind::NotANumber),
    ] {
        assert_eq!(float(text.as_bytes()), Err(kind), "{text}");
    }
}
