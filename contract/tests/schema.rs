//! The published JSON Schema says what the reader accepts, key for key.

#![allow(clippy::unwrap_used, clippy::panic)]

use fenhe_contract::{Contract, NoFiles, SCHEMA};
use serde_json::{Map, Value, json};

/// A contract that uses every key that the schema knows.
fn with_every_key() -> Value {
    let text = include_str!("resident.contract.toml");
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Follows `$ref` within the document.
fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    match node.get("$ref").and_then(Value::as_str) {
        Some(path) => root.pointer(path.trim_start_matches('#')).unwrap(),
        None => node,
    }
}

/// Checks `value` against the keywords that the schema uses; the faults by path.
fn faults(root: &Value, node: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let node = resolve(root, node);
    for (keyword, said) in node.as_object().unwrap() {
        let good = match keyword.as_str() {
            "type" => match said.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                "boolean" => value.is_boolean(),
                other => panic!("type {other}"),
            },
            "enum" => said.as_array().unwrap().contains(value),
            "required" => said
                .as_array()
                .unwrap()
                .iter()
                .all(|key| value.get(key.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                let known = node["properties"].as_object().unwrap();
                value.as_object().is_none_or(|map| map.keys().all(|key| known.contains_key(key)))
            }
            "properties" => {
                for (key, inner) in said.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        faults(root, inner, value, &format!("{path}.{key}"), found);
                    }
                }
                true
            }
            "items" => {
                for (at, value) in value.as_array().into_iter().flatten().enumerate() {
                    faults(root, said, value, &format!("{path}[{at}]"), found);
                }
                true
            }
            "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
            "oneOf" => {
                let has = |branch: &&Value| {
                    branch["required"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|key| value.get(key.as_str().unwrap()).is_some())
                };
                said.as_array().unwrap().iter().filter(has).count() == 1
            }
            "$schema" | "$defs" | "title" | "description" | "minLength" | "maxLength"
            | "pattern" | "format" | "minimum" | "uniqueItems" => true,
            other => panic!("the test does not know the keyword {other}"),
        };
        if !good {
            found.push(format!("{path}: {keyword}"));
        }
    }
}

fn is_valid(value: &Value) -> bool {
    let (root, mut found) = (schema(), Vec::new());
    faults(&root, &root, value, "", &mut found);
    found.is_empty()
}

fn is_read(value: &Value) -> bool {
    Contract::from_json(&value.to_string(), "c.json", &NoFiles).is_ok()
}

/// Every object of the schema with the path of one such object in the contract of the test.
fn objects() -> Vec<(&'static str, &'static str)> {
    vec![
        ("", ""),
        ("/$defs/field", "/field/0"),
        ("/$defs/table", "/table/0"),
        ("/$defs/code", "/table/0/code/0"),
        ("/$defs/catalogue", "/catalogue"),
        ("/$defs/catalogue/properties/format", "/catalogue/format"),
        ("/$defs/catalogue/properties/open", "/catalogue/open"),
        ("/$defs/sharing", "/catalogue/sharing"),
    ]
}

#[test]
fn what_is_written_is_valid_and_so_is_what_comes_back() {
    let value = with_every_key();
    assert!(is_valid(&value));
    let contract = Contract::from_json(&value.to_string(), "c.json", &NoFiles).unwrap();
    let back: Value = serde_json::from_str(&contract.to_json().unwrap()).unwrap();
    let (root, mut found) = (schema(), Vec::new());
    faults(&root, &root, &back, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_key_of_the_schema_is_read_and_no_other() {
    let root = schema();
    for (place, example) in objects() {
        let mut known: Vec<&String> =
            root.pointer(place).unwrap()["properties"].as_object().unwrap().keys().collect();
        known.sort();
        // An unknown key is refused with the list of the known ones.
        let mut value = with_every_key();
        value.pointer_mut(example).unwrap().as_object_mut().unwrap().insert("zzz".into(), json!(1));
        assert!(!is_valid(&value), "{place}");
        let error = serde_json::from_value::<fenhe_contract::Draft>(value).unwrap_err().to_string();
        let mut read: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        read.sort_unstable();
        assert_eq!(read, known, "{place}: {error}");
    }
}

#[test]
fn what_the_schema_requires_the_reader_requires() {
    let root = schema();
    for (place, example) in objects() {
        let node = root.pointer(place).unwrap();
        let keys: Vec<String> = node["properties"].as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut value = with_every_key();
            let object = value.pointer_mut(example).unwrap().as_object_mut().unwrap();
            let Some(_) = object.remove(&key) else { continue };
            let required = node["required"].as_array().is_some_and(|r| r.contains(&json!(key)))
                || (place, key.as_str()) == ("/$defs/table", "code");
            // Whether the field is used elsewhere is no matter of the schema.
            let loose = matches!((place, key.as_str()), ("", "table"));
            if !loose {
                assert_eq!(is_read(&value), !required, "{place} without {key}");
            }
            assert_eq!(is_valid(&value), !required, "{place} without {key}");
        }
    }
}

#[test]
fn words_of_the_schema_are_the_words_of_the_reader() {
    let root = schema();
    let places = [
        ("/properties/update", "/update"),
        ("/$defs/catalogue/properties/format/properties/class", "/catalogue/format/class"),
        ("/$defs/sharing/properties/type", "/catalogue/sharing/type"),
        ("/$defs/sharing/properties/mode", "/catalogue/sharing/mode"),
        ("/$defs/field/properties/sensitivity", "/field/0/sensitivity"),
        ("/$defs/field/properties/grade", "/field/0/grade"),
        ("/$defs/field/properties/length_unit", "/field/1/length_unit"),
        ("/$defs/rule/properties/severity", "/severity"),
    ];
    for (place, example) in places {
        let mut words: Vec<String> = root.pointer(place).unwrap()["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect();
        for word in &words {
            let mut value = with_every_key();
            *value.pointer_mut(example).unwrap() = json!(word);
            assert!(is_read(&value), "{place}: {word}");
        }
        let mut value = with_every_key();
        *value.pointer_mut(example).unwrap() = json!("zzz");
        let error = serde_json::from_value::<fenhe_contract::Draft>(value).unwrap_err().to_string();
        let mut read: Vec<String> =
            error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
        read.sort();
        words.sort();
        assert_eq!(read, words, "{place}: {error}");
    }
}

#[test]
fn rules_of_the_schema_are_the_rules_of_the_checker() {
    let root = schema();
    let known = root.pointer("/$defs/rule/properties/rule/enum").unwrap().as_array().unwrap();
    let rule: Map<String, Value> = [("rule".to_owned(), json!("zzz"))].into_iter().collect();
    let error =
        serde_json::from_value::<fenhe_rules::Rule>(Value::Object(rule)).unwrap_err().to_string();
    let read: Vec<Value> = error.split('`').skip(3).step_by(2).map(|word| json!(word)).collect();
    assert_eq!(&read, known, "{error}");
}
