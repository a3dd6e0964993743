//! Options of formats and places.

use fenhe_core::{Attachment, Options};

#[derive(serde::Deserialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Invalid {
    Reject,
    Null,
}

#[derive(serde::Deserialize, Debug, PartialEq, Default)]
#[serde(deny_unknown_fields, default)]
struct Sample {
    invalid: Option<Invalid>,
    deleted: bool,
    layout: Option<Attachment>,
    widths: Vec<u32>,
}

#[test]
fn words_and_typed_values_mean_the_same() {
    let words = Options::from_pairs(["invalid=null", "deleted=true", "widths=4,5"]).unwrap();
    let mut typed = Options::new();
    typed.set("invalid", "null").set("deleted", true).set("widths", vec![4, 5]);
    let sample: Sample = words.parse("x").unwrap();
    assert_eq!(sample, typed.parse("x").unwrap());
    assert_eq!(sample.invalid, Some(Invalid::Null));
    assert_eq!(sample.widths, [4, 5]);
}

#[test]
fn an_attachment_is_an_object() {
    let mut options = Options::new();
    options.set("layout", serde_json::json!({"name": "fee.toml", "text": "x"}));
    let sample: Sample = options.parse("x").unwrap();
    assert_eq!(sample.layout.unwrap().name, "fee.toml");
}

#[test]
fn a_wrong_word_names_the_choices() {
    let options = Options::from_pairs(["invalid=maybe"]).unwrap();
    let error = options.parse::<Sample>("x").unwrap_err();
    assert!(error.message().contains("reject, null"), "{error}");
}
