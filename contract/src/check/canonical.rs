//! The canonical form, by which contracts are the same.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::draft::Draft;

/// SHA-256 of the canonical form: JSON without blanks, keys of objects sorted (RFC 8785; there are no fractions).
pub(super) fn hash(draft: &Draft) -> String {
    let mut text = String::new();
    canonical(&serde_json::to_value(draft).unwrap_or_default(), &mut text);
    hex::encode(Sha256::digest(text))
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}
