use proptest::prelude::*;

use super::*;

/// Digits one at a time; `None` at the first that is none.
fn naive_digits(digits: impl IntoIterator<Item = Option<u8>>) -> Option<i128> {
    digits.into_iter().try_fold(0i128, |value, digit| Some(value * 10 + i128::from(digit?)))
}

fn in_zone(byte: u8, zone: u8) -> Option<u8> {
    (byte >> 4 == zone && byte & 15 <= 9).then_some(byte & 15)
}

fn naive_sign(nibble: u8) -> Option<i128> {
    match nibble {
        0xB | 0xD => Some(-1),
        0xA | 0xC | 0xE | 0xF => Some(1),
        _ => None,
    }
}

fn naive_ascii(field: &[u8]) -> Option<i128> {
    naive_digits(field.iter().map(|byte| in_zone(*byte, 3)))
}

fn naive_zoned(field: &[u8]) -> Option<i128> {
    naive_digits(field.iter().map(|byte| in_zone(*byte, 15)))
}

fn naive_zoned_signed(field: &[u8]) -> Option<i128> {
    let (last, head) = field.split_last()?;
    let sign = naive_sign(last >> 4)?;
    let last = in_zone(last & 15 | 0xF0, 15);
    Some(sign * naive_digits(head.iter().map(|byte| in_zone(*byte, 15)).chain([last]))?)
}

fn nibbles(field: &[u8]) -> Vec<Option<u8>> {
    field
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| (nibble <= 9).then_some(nibble))
        .collect()
}

fn naive_packed(field: &[u8]) -> Option<i128> {
    let sign = naive_sign(field.last()? & 15)?;
    let mut digits = nibbles(field);
    digits.pop();
    Some(sign * naive_digits(digits)?)
}

fn naive_bcd(field: &[u8]) -> Option<i128> {
    naive_digits(nibbles(field))
}

/// Compares the kernels for a width of `$n` bytes with the loops above.
macro_rules! compare {
    ($field:ident: $($kernel:ident / $naive:ident: $($n:literal)*;)*) => {$($({
        let (part, _) = $field.split_at($n);
        let array: &[u8; $n] = part.try_into().unwrap();
        let expected = $naive(part);
        prop_assert_eq!($kernel(array).ok().map(|value| value as i128), expected, "{} {:02X?}", stringify!($kernel), part);
    })*)*};
}

fn compare_all(
    ascii: &[u8; 32],
    zoned_bytes: &[u8; 32],
    packed_bytes: &[u8; 32],
) -> Result<(), TestCaseError> {
    compare! { ascii:
        ascii_digits / naive_ascii: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16;
        ascii_digits_wide / naive_ascii: 1 7 8 9 15 16 17 18 23 24 25 31 32;
    }
    compare! { zoned_bytes:
        zoned / naive_zoned: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18;
        zoned_signed / naive_zoned_signed: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18;
        zoned_wide / naive_zoned: 1 8 9 16 17 18 24 25 31;
        zoned_signed_wide / naive_zoned_signed: 1 8 9 16 17 18 24 25 31;
    }
    compare! { packed_bytes:
        packed / naive_packed: 1 2 3 4 5 6 7 8;
        packed_wide / naive_packed: 1 2 7 8 9 10 11 12 13 14 15 16;
        bcd / naive_bcd: 1 2 3 4 5 6 7 8;
        bcd_wide / naive_bcd: 1 2 7 8 9 10 11 12 13 14 15 16;
    }
    Ok(())
}

/// 32 digits in zone `zone`, of which some are made wrong or signed at random.
fn digits(zone: u8) -> impl Strategy<Value = [u8; 32]> {
    let digits = proptest::array::uniform32(0u8..10);
    let faults = proptest::collection::vec((0usize..32, any::<u8>()), 0..3);
    (digits, faults, proptest::option::of((0usize..32, 0u8..16))).prop_map(
        move |(digits, faults, sign)| {
            let mut field = digits.map(|digit| zone << 4 | digit);
            faults.into_iter().for_each(|(at, byte)| field[at] = byte);
            if let Some((at, zone)) = sign {
                field[at] = zone << 4 | field[at] & 15;
            }
            field
        },
    )
}

fn packed_digits() -> impl Strategy<Value = [u8; 32]> {
    let bytes =
        proptest::array::uniform32((0u8..10, 0u8..10).prop_map(|(high, low)| high << 4 | low));
    let faults = proptest::collection::vec((0usize..32, any::<u8>()), 0..2);
    let signs = proptest::collection::vec((0usize..32, 0u8..16), 0..3);
    (bytes, faults, signs).prop_map(|(mut field, faults, signs)| {
        faults.into_iter().for_each(|(at, byte)| field[at] = byte);
        signs.into_iter().for_each(|(at, sign)| field[at] = field[at] & 0xF0 | sign);
        field
    })
}

proptest! {
    #[test]
    fn numbers_agree_with_the_loops(ascii in digits(3), zoned in digits(15), packed in packed_digits()) {
        compare_all(&ascii, &zoned, &packed)?;
    }

    #[test]
    fn any_bytes_agree_with_the_loops_and_do_not_overflow(bytes in proptest::array::uniform32(any::<u8>())) {
        compare_all(&bytes, &bytes, &bytes)?;
    }
}

#[test]
fn every_single_byte_is_read_as_the_loops_read_it() {
    for byte in 0..=u8::MAX {
        let mut fields = [[b'0'; 32], [0xF0; 32], [0x0C; 32]];
        for at in [0, 7, 8, 15, 17, 31] {
            for field in &mut fields {
                field[at] = byte;
            }
            compare_all(&fields[0], &fields[1], &fields[2]).unwrap();
        }
    }
}

#[test]
fn the_largest_numbers_fit() {
    assert_eq!(
        packed(&[0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9D]).ok(),
        Some(-999_999_999_999_999)
    );
    assert_eq!(zoned(&[0xF9; 18]).ok(), Some(999_999_999_999_999_999));
    assert_eq!(ascii_digits(&[b'9'; 16]).ok(), Some(9_999_999_999_999_999));
    assert_eq!(zoned_wide(&[0xF9; 31]).ok(), Some(10i128.pow(31) - 1));
    assert_eq!(ascii_digits_wide(&[b'9'; 32]).ok(), Some(10u128.pow(32) - 1));
    assert_eq!(bcd_wide(&[0x99; 16]).ok(), Some(10u128.pow(32) - 1));
}
