use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array};

use crate::support::*;

fn amounts(fields: &str, array: ArrayRef) -> (Vec<Option<String>>, Vec<String>) {
    let mapped =
        map(&format!("[fields]\na = {{ from = \"A\", {fields} }}"), &batch(&[("A", array)]));
    let faults = mapped.faults.iter().map(|f| f.fault.to_string()).collect();
    (texts(&mapped, "a"), faults)
}

fn decimals(values: &[i128], scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(14, scale).unwrap())
}

#[test]
fn every_pair_of_units_is_exact() {
    for (from, to, given, expected) in [
        ("万元", "元", "12.345678", "123456.78"),
        ("分", "元", "1250", "12.50"),
        ("元", "分", "12.50", "1250.00"),
        ("角", "元", "3", "0.30"),
        ("亿元", "万元", "1.5", "15000.00"),
        ("元", "万元", "1234500", "123.45"),
        ("千元", "元", "0.5", "500.00"),
    ] {
        let fields =
            format!("type = \"decimal(18,2)\", steps = [{{ unit = \"{from}\", to = \"{to}\" }}]");
        let (read, faults) = amounts(&fields, text(&[Some(given)]));
        assert_eq!((read, faults), (some(&[expected]), vec![]), "{given} {from}");
    }
}

#[test]
fn typed_numbers_need_no_text() {
    let fields = "type = \"decimal(18,2)\", steps = [{ unit = \"万元\", to = \"元\" }]";
    assert_eq!(amounts(fields, decimals(&[1_250_000, -5], 4)).0, some(&["1250000.00", "-5.00"]));
    assert_eq!(amounts(fields, decimals(&[-5], 6)).0, some(&["-0.05"]));
    assert_eq!(amounts(fields, Arc::new(Int64Array::from(vec![3]))).0, some(&["30000.00"]));
}

#[test]
fn what_the_target_cannot_hold_exactly_is_rejected() {
    let fields = "type = \"decimal(10,2)\", steps = [{ unit = \"元\", to = \"万元\" }]";
    let (read, faults) = amounts(fields, decimals(&[1_234_500, 123_450_100], 2));
    assert_eq!(read, Vec::<Option<String>>::new());
    assert_eq!(
        faults[0],
        "a: expected decimal(10,2), found decimal(38,6) that it cannot hold [mapping.cast]"
    );
    assert_eq!(faults.len(), 2);
    let fields = "type = \"decimal(4,2)\", steps = [{ scale = \"1\" }]";
    let (read, faults) = amounts(fields, decimals(&[9_999, -9_999, 10_000], 2));
    assert_eq!((read, faults.len()), (some(&["99.99", "-99.99"]), 1));
}

#[test]
fn a_factor_is_an_exact_decimal() {
    // A mu is 666.666... square metres; agencies use this factor.
    let fields = "type = \"decimal(18,4)\", steps = [{ scale = \"0.0015\" }]";
    assert_eq!(amounts(fields, text(&[Some("666.6"), Some("-2")])).0, some(&["0.9999", "-0.0030"]));
}

#[test]
fn words_are_no_amount() {
    let fields = "type = \"decimal(18,2)\", steps = [{ unit = \"分\", to = \"元\" }]";
    let (_, faults) = amounts(fields, text(&[Some("十二"), None, Some(" ")]));
    assert_eq!(faults, ["a: expected an amount, found 2 letters [mapping.unit]"]);
}

#[test]
fn a_product_beyond_38_digits_is_rejected_and_not_wrapped() {
    let array =
        Decimal128Array::from(vec![10_i128.pow(37)]).with_precision_and_scale(38, 0).unwrap();
    let (_, faults) = amounts("steps = [{ unit = \"亿元\", to = \"元\" }]", Arc::new(array));
    assert_eq!(
        faults,
        ["a: expected an amount, found a number of more than 38 digits [mapping.unit]"]
    );
}
