//! A record that could not go on: where it was, what was wrong, and its bytes, so that nothing is lost.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// One thing wrong with one field of a record (or with the record as a whole).
///
/// ```
/// use fenhe_core::Fault;
/// let fault = Fault::new("value.number", "fee", "a number with two decimals", "letters");
/// assert_eq!(fault.to_string(), "fee: expected a number with two decimals, found letters [value.number]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fault {
    /// Stable code `room.what`, never renamed or reused.
    pub code: Cow<'static, str>,
    /// Path of the field, empty for the record as a whole. Nested names are joined by `.`, list items are `name[2]`.
    pub field: String,
    /// What the format, layout, contract or rule asks for.
    pub expected: String,
    /// What stands there, as a kind of thing ("7 bytes", "letters"), never the value.
    pub found: String,
}

impl Fault {
    /// A fault of `field` (empty for the whole record).
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            field: field.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "expected {}, found {} [{}]", self.expected, self.found, self.code)
    }
}

/// What the raw bytes of a [`Reject`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Raw {
    /// The record as it stands in the source, framing included.
    #[default]
    Source,
    /// The decoded row as one NDJSON object, because the fault was found after decoding.
    Row,
    /// The row as the target was to be given it, as one NDJSON object: the target refused it.
    Target,
}

/// The name and fingerprint of what is read, shared by all rejects of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// How the person named it: a path, a URI, a table.
    pub name: String,
    /// What identifies this very content (size and digest), empty while unknown.
    pub fingerprint: String,
}

impl Source {
    /// A source of this name, not fingerprinted.
    pub fn named(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), fingerprint: String::new() })
    }
}

/// A record that was read and not delivered. The same shape for every format and stage.
///
/// `Display` never holds a value; [`raw`](Self::raw) does, and is what a replay starts from.
///
/// ```
/// use fenhe_core::{Fault, Reject, Source};
/// let reject = Reject::new(Fault::new("fixed.short", "", "80 bytes", "79 bytes"))
///     .at(17, 1_296, 79)
///     .raw_bytes(&b"\xb1\xb1\xbe\xa9"[..], 65_536)
///     .from_source(&Source::named("fee.txt"));
/// assert_eq!(reject.to_string(), "fee.txt record 17 at byte 1296: expected 80 bytes, found 79 bytes [fixed.short]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reject {
    /// What is read.
    pub source: Arc<Source>,
    /// Dataset within the source, empty when there is only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dataset: String,
    /// Number of the record, from 1, counting delivered, rejected and skipped ones.
    pub record: u64,
    /// Physical line on which it starts, from 1, in formats that have lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Byte offset of the record, from 0, in the (decompressed) source.
    pub offset: u64,
    /// Bytes of the record in the source.
    pub length: u64,
    /// The first thing wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Whatever else is wrong with the same record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Fault>,
    /// What `raw` holds.
    #[serde(default)]
    pub raw_is: Raw,
    /// The bytes to replay from, cut at [`Limits::reject_raw`](crate::Limits).
    #[serde(with = "hex_bytes")]
    pub raw: Bytes,
    /// Whether `raw` is cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raw_cut: bool,
    /// Adapter and, where there is one, layout with version.
    #[serde(default)]
    pub adapter: Cow<'static, str>,
}

impl Reject {
    /// A reject for this fault, to be completed by the builder methods.
    pub fn new(fault: Fault) -> Self {
        Self {
            source: Arc::default(),
            dataset: String::new(),
            record: 0,
            line: None,
            offset: 0,
            length: 0,
            fault,
            also: Vec::new(),
            raw_is: Raw::Source,
            raw: Bytes::new(),
            raw_cut: false,
            adapter: Cow::Borrowed(""),
        }
    }

    /// Sets record number (from 1), byte offset (from 0) and length in bytes.
    #[must_use]
    pub fn at(mut self, record: u64, offset: u64, length: u64) -> Self {
        (self.record, self.offset, self.length) = (record, offset, length);
        self
    }

    /// Sets the line on which the record starts (from 1).
    #[must_use]
    pub fn on_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Keeps a copy of the record's bytes, at most `limit` of them.
    #[must_use]
    pub fn raw_bytes(mut self, raw: &[u8], limit: u64) -> Self {
        let kept = raw.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        self.raw = Bytes::copy_from_slice(raw.get(..kept).unwrap_or(raw));
        self.raw_cut = kept < raw.len();
        self
    }

    /// Sets the source.
    #[must_use]
    pub fn from_source(mut self, source: &Arc<Source>) -> Self {
        self.source = Arc::clone(source);
        self
    }

    /// Sets the adapter (`csv`, or `fixed fee-2024/3` with a layout).
    #[must_use]
    pub fn by(mut self, adapter: impl Into<Cow<'static, str>>) -> Self {
        self.adapter = adapter.into();
        self
    }

    /// Adds the other faults of the same record.
    #[must_use]
    pub fn and(mut self, also: impl IntoIterator<Item = Fault>) -> Self {
        self.also.extend(also);
        self
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.name.is_empty() {
            write!(f, "{} ", self.source.name)?;
        }
        write!(f, "record {} at byte {}: {}", self.record, self.offset, self.fault)?;
        if !self.also.is_empty() {
            write!(f, " and {} more", self.also.len())?;
        }
        Ok(())
    }
}

/// Bytes as lower-case hexadecimal text.
mod hex_bytes {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |n: u8| char::from(DIGITS[usize::from(n & 15)]);
        let text: String = bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect();
        s.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(d)?;
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
        text.as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .map(Bytes::from)
            .ok_or_else(|| D::Error::custom("raw bytes are not hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_survive_json_and_are_cut_at_the_limit() {
        let reject = Reject::new(Fault::new("x.y", "f", "a", "b")).raw_bytes(b"\x00\xff\x10", 2);
        assert!(reject.raw_cut);
        let json = serde_json::to_string(&reject).unwrap();
        assert!(json.contains("\"raw\":\"00ff\""), "{json}");
        assert_eq!(serde_json::from_str::<Reject>(&json).unwrap(), reject);
    }
}
