//! Where a reader stands: the resume token and the acknowledgement in one.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Kind, Result};

/// An opaque, serialisable point in a dataset: everything before it was handed out.
///
/// Only the adapter that made a position reads its token; `version` lets it read its older ones.
///
/// ```
/// use fenhe_core::Position;
/// let at = Position::new("dbf", 1, &(42_u64, 4096_u64)).unwrap();
/// let text = serde_json::to_string(&at).unwrap();
/// let back: Position = serde_json::from_str(&text).unwrap();
/// assert_eq!(back.read::<(u64, u64)>("dbf", 1).unwrap(), (42, 4096));
/// assert!(back.read::<(u64, u64)>("csv", 1).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    adapter: Cow<'static, str>,
    version: u16,
    token: String,
    #[serde(default)]
    prologue: u64,
    #[serde(default)]
    offset: u64,
}

impl Position {
    /// A position of `adapter`, whose token is `value` as JSON.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the value has no JSON form.
    pub fn new<T: Serialize>(adapter: &'static str, version: u16, value: &T) -> Result<Self> {
        let token = serde_json::to_string(value).map_err(|e| {
            Error::new(Kind::Internal, "core.position", "position has no JSON form").caused_by(e)
        })?;
        Ok(Self { adapter: Cow::Borrowed(adapter), version, token, prologue: 0, offset: 0 })
    }

    /// For byte streams: to go on from here, feed the first `prologue` bytes of the stream (its header),
    /// then the bytes from `offset` on.
    #[must_use]
    pub fn resume_at(mut self, prologue: u64, offset: u64) -> Self {
        (self.prologue, self.offset) = (prologue, offset);
        self
    }

    /// Bytes of the start of the stream to feed again first.
    pub fn prologue(&self) -> u64 {
        self.prologue
    }

    /// Byte offset from which to feed after the prologue.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The token, if `adapter` in `version` made it.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `core.position` for a position of another adapter or version.
    pub fn read<T: DeserializeOwned>(&self, adapter: &str, version: u16) -> Result<T> {
        let wrong = |what: String| Error::new(Kind::Config, "core.position", what);
        if self.adapter != adapter || self.version != version {
            return Err(wrong(format!(
                "position was made by {} version {}, not by {adapter} version {version}",
                self.adapter, self.version
            )));
        }
        serde_json::from_str(&self.token)
            .map_err(|e| wrong(format!("position of {adapter} is damaged")).caused_by(e))
    }

    /// The adapter that made it.
    pub fn adapter(&self) -> &str {
        &self.adapter
    }
}
