use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, RecordBatch, StringArray};
use fenhe_ledger::{RowEncoder, RowSet};

fn people() -> RecordBatch {
    let long = "x".repeat(300);
    let fee = Decimal128Array::from(vec![Some(123_456), Some(-5), None])
        .with_precision_and_scale(12, 2)
        .unwrap();
    RecordBatch::try_from_iter_with_nullable([
        (
            "id",
            Arc::new(StringArray::from(vec!["110101199003070011", "110101199003070022", &long]))
                as ArrayRef,
            false,
        ),
        ("name", Arc::new(StringArray::from(vec![Some("张三"), None, Some("")])), true),
        ("fee", Arc::new(fee), true),
        ("day", Arc::new(Date32Array::from(vec![Some(11_016), None, Some(-1)])), true),
        ("head", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])), true),
    ])
    .unwrap()
}

#[test]
fn the_digest_is_the_one_that_the_description_gives() {
    // Computed from the description with Python's hashlib.
    let rows = people();
    let hashes = RowEncoder::new(&rows.schema()).hashes(&rows).unwrap();
    let each: Vec<String> = hashes.iter().map(hex::encode).collect();
    assert_eq!(
        each,
        [
            "cb67e0e35b82eddd32fd7e8b73dd16a16c2f6fb52beb7430e3cfc19c37be0e21",
            "b6ade9b3bfe8eb4114b75363fad4e820ae9dd8f43a031b4f8b6fe8cbfad79733",
            "57fecde1610381cd28690cd2b54404a4ee1a0c8c4177a435dc5a0d26ad8c5d01"
        ]
    );
    assert_eq!(
        hashes.sum().to_string(),
        "d81398797d6e5aed6f1ddfc023f7036609e85336a86534b54a9ab78edf220456"
    );
}

#[test]
fn order_and_batches_do_not_count_and_repetition_does() {
    let rows = people();
    let mut encoder = RowEncoder::new(&rows.schema());
    let whole = encoder.hashes(&rows).unwrap().sum();
    let mut parts = RowSet::default();
    for row in [2, 0, 1] {
        parts.plus(&encoder.hashes(&rows.slice(row, 1)).unwrap().sum());
    }
    assert_eq!(parts, whole);
    let again = encoder.hashes(&rows.slice(1, 1)).unwrap().sum();
    parts.plus(&again);
    assert_ne!(parts, whole);
    parts.minus(&again);
    assert_eq!(parts, whole);
    assert_eq!(RowSet::parse(&whole.to_string()), Some(whole));
}

#[test]
fn a_value_that_moves_to_the_next_column_changes_the_digest() {
    let pair = |a: &str, b: &str| {
        let rows = RecordBatch::try_from_iter([
            ("a", Arc::new(StringArray::from(vec![a])) as ArrayRef),
            ("b", Arc::new(StringArray::from(vec![b])) as ArrayRef),
        ])
        .unwrap();
        RowEncoder::new(&rows.schema()).hashes(&rows).unwrap().sum()
    };
    assert_ne!(pair("ab", "c"), pair("a", "bc"));
    assert_ne!(pair("", "x"), pair("x", ""));
}

#[test]
fn refused_rows_are_taken_out() {
    let rows = people();
    let mut encoder = RowEncoder::new(&rows.schema());
    let mut hashes = encoder.hashes(&rows).unwrap();
    let mut whole = hashes.sum();
    whole.minus(&hashes.remove(&[0, 2]));
    assert_eq!(whole, encoder.hashes(&rows.slice(1, 1)).unwrap().sum());
    assert_eq!(hashes.len(), 1);
}
