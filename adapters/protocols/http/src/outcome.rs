//! What an answer says about each record of a request.
//!
//! The body is JSON: a list, or an object with a list `results`. An item names a record by `index` (from 0) or by `id`
//! (its key) and has a `status` (a number as in HTTP, or a word) and perhaps a `code`.

use fenhe_core::{Error, Fault, Kind, Result};
use serde::Deserialize;
use serde_json::Value;

/// What became of one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Delivered,
    Refused(Fault),
    Unknown,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    List(Vec<Item>),
    Object { results: Vec<Item> },
}

#[derive(Deserialize)]
struct Item {
    index: Option<u64>,
    id: Option<Value>,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    code: Value,
}

/// The fate of each of `count` records. Records that the answer does not name are delivered after a plain success,
/// and unknown after 207, where each has to be named.
pub(crate) fn fates(
    status: u16,
    body: &[u8],
    count: usize,
    row_of: impl Fn(&Value) -> Option<usize>,
) -> Result<Vec<Fate>> {
    let silent = if status == 207 { Fate::Unknown } else { Fate::Delivered };
    let mut fates = vec![silent; count];
    let items = match serde_json::from_slice(body) {
        Ok(Answer::List(items) | Answer::Object { results: items })
            if status == 207 || items.iter().all(Item::names_a_record) =>
        {
            items
        }
        Ok(_) => return Ok(fates),
        // A plain success may say anything, or nothing.
        Err(_) if status != 207 => return Ok(fates),
        Err(e) => return Err(unreadable().caused_by(e)),
    };
    for item in items {
        let by_index = item.index.and_then(|i| usize::try_from(i).ok());
        let row = by_index.or_else(|| item.id.as_ref().and_then(&row_of));
        let fate = row.and_then(|row| fates.get_mut(row)).ok_or_else(unreadable)?;
        *fate = item.fate();
    }
    Ok(fates)
}

impl Item {
    /// Whether this is what became of a record, and not, say, the record sent back.
    fn names_a_record(&self) -> bool {
        (self.index.is_some() || self.id.is_some()) && !self.status.is_null()
    }

    fn fate(&self) -> Fate {
        let (good, status) = match &self.status {
            Value::Number(n) => (n.as_u64().map(|n| (200..300).contains(&n)), n.to_string()),
            Value::String(word) => {
                let good = match word.to_ascii_lowercase().as_str() {
                    "ok" | "created" | "updated" | "success" => Some(true),
                    "error" | "failed" | "rejected" | "invalid" => Some(false),
                    _ => None,
                };
                (good, plain(word))
            }
            _ => (None, String::new()),
        };
        // The service's message is left out: it may quote the record.
        let code = match &self.code {
            Value::String(code) => plain(code),
            Value::Number(code) => code.to_string(),
            _ => String::new(),
        };
        match good {
            Some(true) => Fate::Delivered,
            Some(false) => {
                let found = format!("a refusal, status {status} {code}");
                Fate::Refused(Fault::new(
                    "http.record_refused",
                    "",
                    "a record that the service takes",
                    found.trim_end(),
                ))
            }
            None => Fate::Unknown,
        }
    }
}

/// A code of the service, cut to what a code is made of.
fn plain(code: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.chars().filter(allowed).take(64).collect()
}

fn unreadable() -> Error {
    Error::new(Kind::Invalid, "http.outcome", "the answer about the records cannot be read")
        .retry_advice(fenhe_core::Retry::InDoubt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_a_207_does_not_name_has_an_unknown_fate() {
        let body = br#"{"results": [{"index": 1, "status": 422, "code": "E\n7"}, {"id": "c", "status": "ok"}]}"#;
        let row_of = |id: &Value| (id == "c").then_some(2);
        let fates = fates(207, body, 4, row_of).unwrap();
        assert_eq!(fates[0], Fate::Unknown);
        assert!(matches!(&fates[1], Fate::Refused(f) if f.found == "a refusal, status 422 E7"));
        assert_eq!(fates[2..], [Fate::Delivered, Fate::Unknown]);
    }

    #[test]
    fn a_plain_success_delivers_what_it_does_not_name() {
        assert_eq!(fates(200, b"thanks", 2, |_| None).unwrap(), [Fate::Delivered, Fate::Delivered]);
        let echo = br#"[{"id": 1, "name": "x"}]"#;
        assert_eq!(fates(200, echo, 1, |_| None).unwrap(), [Fate::Delivered], "rows sent back");
        assert!(fates(207, b"thanks", 2, |_| None).is_err());
        assert!(
            fates(200, br#"[{"index": 9, "status": 200}]"#, 2, |_| None).is_err(),
            "no such record"
        );
    }
}
