use fenhe_core::Secret;
use fenhe_mapping::Context;

use crate::support::*;

fn hashed(algorithm: &str, key: &str, value: &str) -> Option<String> {
    let mut context = Context::default();
    context.secrets.insert("env:K".into(), Secret::new(key));
    let mapping = format!(
        "[fields]\na = {{ from = \"A\", steps = [{{ hash = \"{algorithm}\", key = \"env:K\" }}] }}"
    );
    let mapped = map_with(&mapping, &column(&[value]), &context);
    texts(&mapped, "a").remove(0)
}

#[test]
fn keyed_hashes_are_those_of_openssl() {
    // printf 'VALUE' | openssl dgst -sha256 -hmac 'testAppSecret0123456789abcdef', and -sm3.
    let key = "testAppSecret0123456789abcdef";
    for (algorithm, value, digest) in OPENSSL {
        assert_eq!(hashed(algorithm, key, value).as_deref(), Some(digest), "{algorithm} {value}");
    }
}

#[test]
fn blank_text_has_no_hash() {
    assert_eq!(hashed("hmac-sm3", "testAppSecret0123456789abcdef", " \u{3000}"), None);
}

#[test]
fn a_key_that_can_be_guessed_or_is_not_there_is_refused() {
    let mapping =
        "[fields]\na = { from = \"A\", steps = [{ hash = \"hmac-sm3\", key = \"env:K\" }] }";
    let error = refused(mapping, &column(&["x"]));
    assert_eq!((error.code(), error.field()), ("mapping.key", Some("a")));
    let mut context = Context::default();
    context.secrets.insert("env:K".into(), Secret::new("geheim"));
    let error = parse(mapping).bind(&column(&["x"]).schema(), &context).unwrap_err();
    assert_eq!(error.code(), "mapping.key");
    assert!(!error.to_string().contains("geheim"), "{error}");
}

const OPENSSL: [(&str, &str, &str); 4] = [
    (
        "hmac-sha256",
        "110101190001010014",
        "beb87acbc90858ef538ca3cea6693a714cb9f35d06654d9a8cbdfca6b77d2e5c",
    ),
    ("hmac-sha256", "张三", "4d2eb796d57a6759474a0fe73a793d9e82a0b8dd486a0a4435fd79982b0af4be"),
    (
        "hmac-sm3",
        "110101190001010014",
        "d87d3573b16849eacfba36bc03cc091f5520d6d7c056795eb143496b289bfac9",
    ),
    ("hmac-sm3", "张三", "c1915f57ced9cfac1cf2acf4818f315ec645148cdf260c44997e0f7c80d9e26f"),
];
