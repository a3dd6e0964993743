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
///
/// A fault that is found after decoding has no place in the bytes of the source: offset and length are 0 and stand neither in
/// the text nor in the JSON.
///
/// ```
/// use fenhe_core::{Fault, Reject};
/// let reject = Reject::new(Fault::new("mapping.cast", "fee", "decimal(12,2)", "letters")).at(10, 0, 0);
/// assert_eq!(reject.place(), None);
/// assert_eq!(reject.to_string(), "record 10: fee: expected decimal(12,2), found letters [mapping.cast]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
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
    /// Byte offset of the record, from 0, in the (decompressed) source; see [`place`](Self::place).
    #[serde(default)]
    pub offset: u64,
    /// Bytes of the record in the source; 0 with offset 0 when the place is not known.
    #[serde(default)]
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
    #[serde(deserialize_with = "hex_bytes::deserialize")]
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

    /// Byte offset and length of the record in the source, where they are known.
    pub fn place(&self) -> Option<(u64, u64)> {
        Some((self.offset, self.length)).filter(|place| *place != (0, 0))
    }

    /// Sets record number (from 1), byte offset (from 0) and length in bytes; 0 and 0 when the place is not known.
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
        write!(f, "record {}", self.record)?;
        if let Some((offset, _)) = self.place() {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", self.fault)?;
        if !self.also.is_empty() {
            write!(f, " and {} more", self.also.len())?;
        }
        Ok(())
    }
}

/// What is not known is left out.
impl serde::Serialize for Reject {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("source", &*self.source)?;
        if !self.dataset.is_empty() {
            map.serialize_entry("dataset", &self.dataset)?;
        }
        map.serialize_entry("record", &self.record)?;
        if let Some(line) = self.line {
            map.serialize_entry("line", &line)?;
        }
        if let Some((offset, length)) = self.place() {
            map.serialize_entry("offset", &offset)?;
            map.serialize_entry("length", &length)?;
        }
        map.serialize_entry("code", &self.fault.code)?;
        map.serialize_entry("field", &self.fault.field)?;
        map.serialize_entry("expected", &self.fault.expected)?;
        map.serialize_entry("found", &self.fault.found)?;
        if !self.also.is_empty() {
            map.serialize_entry("also", &self.also)?;
        }
        map.serialize_entry("raw_is", &self.raw_is)?;
        map.serialize_entry("raw", &hex_bytes::text(&self.raw))?;
        if self.raw_cut {
            map.serialize_entry("raw_cut", &true)?;
        }
        map.serialize_entry("adapter", &self.adapter)?;
        map.end()
    }
}

/// Bytes as lower-case hexadecimal text.
mod hex_bytes {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn text(bytes: &Bytes) -> String {
        let digit = |n: u8| char::from_digit(u32::from(n & 15), 16);
        bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).flatten().collect()
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
