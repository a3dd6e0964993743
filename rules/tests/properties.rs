//! What the check systems promise: ISO 7064 finds every wrong character and every swap of neighbours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use fenhe_rules::Date;
use fenhe_rules::identifiers::{
    Identifier, Person, Policy, Reason, business_registration_check, citizen_check, luhn_check,
    normalise, organisation_check, suggest, upgrade, uscc_check,
};
use proptest::prelude::*;

const USCC: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn policy() -> Policy {
    Policy::on(Date::from_civil(2026, 1, 2).unwrap()).any_region()
}

prop_compose! {
    fn citizen()(region in 110_000_u32..830_000, days in -25_567_i32..20_455, sequence in 0_u32..1000) -> Vec<u8> {
        let birth = Date::from_days(days).to_string().replace('-', "");
        let digits = format!("{region}{birth}{sequence:03}");
        let check = citizen_check(digits.as_bytes().try_into().unwrap()).unwrap();
        [digits.as_bytes(), &[check]].concat()
    }
}

prop_compose! {
    fn organisation()(body in prop::collection::vec(prop::sample::select(USCC), 8)) -> Vec<u8> {
        let check = organisation_check(body.as_slice().try_into().unwrap()).unwrap();
        [body.as_slice(), &[check]].concat()
    }
}

prop_compose! {
    fn uscc()(head in "[1-9ANY][1-9][0-9]{6}", inner in organisation()) -> Vec<u8> {
        let body = [head.as_bytes(), &inner].concat();
        let check = uscc_check(body.as_slice().try_into().unwrap()).unwrap();
        [body.as_slice(), &[check]].concat()
    }
}

proptest! {
    #[test]
    fn every_single_digit_change_of_a_citizen_number_is_found(number in citizen()) {
        prop_assert_eq!(Identifier::Citizen.check(&number, &policy()), Ok(()));
        for place in 0..18 {
            for digit in (b'0'..=b'9').chain([b'X']) {
                let mut changed = number.clone();
                if changed[place] == digit {
                    continue;
                }
                changed[place] = digit;
                let found = Identifier::Citizen.check(&changed, &policy());
                prop_assert!(matches!(found, Err(Reason::CheckCharacter | Reason::Format)));
            }
        }
    }

    #[test]
    fn every_swap_of_neighbours_in_a_citizen_number_is_found(number in citizen(), place in 0_usize..17) {
        let mut swapped = number.clone();
        swapped.swap(place, place + 1);
        prop_assert_eq!(Identifier::Citizen.check(&swapped, &policy()).is_ok(), swapped == number);
    }

    #[test]
    fn every_single_change_of_a_credit_code_is_found(code in uscc()) {
        prop_assert_eq!(Identifier::Uscc.check(&code, &policy()), Ok(()));
        for place in 0..18 {
            for &character in USCC {
                let mut changed = code.clone();
                changed[place] = character;
                prop_assert_eq!(Identifier::Uscc.check(&changed, &policy()).is_ok(), changed == code);
            }
        }
    }

    #[test]
    fn every_single_digit_change_of_the_other_numbers_is_found(digits in "[1-9][0-9]{13}", place in 0_usize..14, by in 1_u8..10) {
        let digits: [u8; 14] = digits.into_bytes().try_into().unwrap();
        let mut changed = digits;
        changed[place] = b'0' + (changed[place] - b'0' + by) % 10;
        prop_assert_ne!(business_registration_check(&digits), business_registration_check(&changed));
        prop_assert_ne!(luhn_check(&digits), luhn_check(&changed));
    }

    #[test]
    fn weights_of_the_citizen_number_are_powers_of_two(digits in "[0-9]{17}") {
        // GB 11643 as ISO 7064 has it: the whole, the check character counting by its value, is 1 modulo 11.
        let check = citizen_check(digits.as_bytes().try_into().unwrap()).unwrap();
        let value = if check == b'X' { 10 } else { u32::from(check - b'0') };
        let whole = digits.bytes().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
        prop_assert_eq!((whole + value) % 11, 1);
    }

    #[test]
    fn an_upgraded_number_keeps_its_digits_and_holds(number in citizen()) {
        let short = [&number[..6], &number[8..17]].concat();
        let upgraded = upgrade(&short).unwrap();
        prop_assert_eq!(&upgraded.number[..6], &short[..6]);
        prop_assert_eq!(&upgraded.number[8..17], &short[6..]);
        let digits: &[u8; 17] = upgraded.number[..17].try_into().unwrap();
        prop_assert_eq!(citizen_check(digits), Some(upgraded.number[17]));
    }

    #[test]
    fn nothing_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        for kind in [
            Identifier::Citizen, Identifier::Citizen18, Identifier::Citizen15, Identifier::ResidencePermit,
            Identifier::ForeignResident, Identifier::Person, Identifier::Uscc, Identifier::Organisation,
            Identifier::BusinessRegistration, Identifier::BankCard, Identifier::Taxpayer, Identifier::Mobile,
        ] {
            let plain = kind.check(&bytes, &policy());
            prop_assert_eq!(plain.is_ok(), kind.check_spelling(&bytes, &policy()).is_ok());
            let _ = suggest(kind, &bytes, &policy());
        }
        let _ = (Person::read(&bytes), upgrade(&bytes), luhn_check(&bytes));
        prop_assert!(normalise(&bytes).is_none_or(|normal| normal.as_bytes().len() <= bytes.len()));
    }
}
