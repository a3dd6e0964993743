//! One error for every adapter: kind, stable code, context, and advice about trying again.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarse enough to act upon in a program.
///
/// The list grows; match with a wildcard arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The adapter does not have this ability; its declared capability says so.
    Unsupported,
    /// The caller's configuration or option is wrong.
    Config,
    /// The named place, dataset or field does not exist.
    NotFound,
    /// The target exists and must not be overwritten.
    AlreadyExists,
    /// The system refuses access.
    Permission,
    /// Credentials are missing or wrong.
    Auth,
    /// The data break the rules of their format.
    Invalid,
    /// The data end before the format says they may.
    Truncated,
    /// A limit of [`Limits`](crate::Limits) would be exceeded.
    Limit,
    /// The source is not the one that was read before.
    Changed,
    /// Another writer was first, or a key was used with another payload.
    Conflict,
    /// The peer is not there, or is overloaded, for now.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The operating system reported an input/output error.
    Io,
    /// An earlier fatal error ended this decoder, reader or writer.
    Poisoned,
    /// A defect of fenhe or of an adapter.
    Internal,
}

impl Kind {
    /// The kind in lower-case words, as it stands in receipts and JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Unsupported => "unsupported",
            Kind::Config => "config",
            Kind::NotFound => "not_found",
            Kind::AlreadyExists => "already_exists",
            Kind::Permission => "permission",
            Kind::Auth => "auth",
            Kind::Invalid => "invalid",
            Kind::Truncated => "truncated",
            Kind::Limit => "limit",
            Kind::Changed => "changed",
            Kind::Conflict => "conflict",
            Kind::Unavailable => "unavailable",
            Kind::Timeout => "timeout",
            Kind::Io => "io",
            Kind::Poisoned => "poisoned",
            Kind::Internal => "internal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Retry {
    /// The same call fails again.
    #[default]
    Never,
    /// Nothing happened at the peer; try again, not before the given time if there is one.
    Later(Option<Duration>),
    /// The peer may have acted. Only a call with an idempotency key may be sent again.
    InDoubt,
}

/// The one error type of fenhe.
///
/// It says what happened in words ([`Display`](fmt::Display)), and for programs: a [`Kind`], a stable
/// code such as `dbf.memo_missing` (codes are never renamed or reused), where in the data it
/// happened, and [`Retry`] advice. Neither the text nor the context holds payload values or secrets.
///
/// ```
/// use fenhe_core::{Error, Kind};
/// let error = Error::new(Kind::Truncated, "dbf.header", "the header is cut off")
///     .at_offset(32)
///     .source_name("RK.DBF")
///     .hint("copy the file again in binary mode");
/// assert_eq!(error.code(), "dbf.header");
/// assert_eq!(
///     error.to_string(),
///     "the header is cut off (RK.DBF, byte 32) [dbf.header]; copy the file again in binary mode"
/// );
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    code: Cow<'static, str>,
    message: String,
    source_name: Option<String>,
    record: Option<u64>,
    offset: Option<u64>,
    field: Option<String>,
    line: Option<(u64, u64)>,
    hint: Option<Cow<'static, str>>,
    retry: Retry,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind, with a stable code `room.what` and one sentence without payload values.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: code.into(),
            message: message.into(),
            source_name: None,
            record: None,
            offset: None,
            field: None,
            line: None,
            hint: None,
            retry: match kind {
                Kind::Unavailable => Retry::Later(None),
                Kind::Timeout => Retry::InDoubt,
                _ => Retry::Never,
            },
            cause: None,
        }))
    }

    /// The ability `verb` that this adapter does not have.
    pub fn unsupported(adapter: &str, verb: &str) -> Self {
        Self::new(Kind::Unsupported, "core.unsupported", format!("{adapter} has no {verb}"))
    }

    /// A limit of [`Limits`](crate::Limits), by its field name, that the data would exceed.
    pub fn limit(name: &'static str, limit: u64, wanted: u64) -> Self {
        let error = Self::new(
            Kind::Limit,
            "core.limit",
            format!("limit {name} is {limit}, the data ask for {wanted}"),
        );
        if !crate::Limits::names().iter().any(|known| known == name) {
            return error;
        }
        error.hint(format!(
            "raise the limit if you trust the source: --limit {name}=..., or {name} = ... under [limits]"
        ))
    }

    /// What every call after a fatal error returns.
    pub fn poisoned(adapter: &str) -> Self {
        Self::new(
            Kind::Poisoned,
            "core.poisoned",
            format!("{adapter} was ended by an earlier fatal error"),
        )
    }

    /// Adds the name of the file, table or peer.
    #[must_use]
    pub fn source_name(mut self, name: impl Into<String>) -> Self {
        self.0.source_name = Some(name.into());
        self
    }

    /// Adds the record number (from 1).
    #[must_use]
    pub fn at_record(mut self, record: u64) -> Self {
        self.0.record = Some(record);
        self
    }

    /// Adds the byte offset (from 0) in the source.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.offset = Some(offset);
        self
    }

    /// Adds the path of the field.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Adds line and column (both from 1) of a text such as a configuration or a layout.
    #[must_use]
    pub fn at_line(mut self, line: u64, column: u64) -> Self {
        self.0.line = Some((line, column));
        self
    }

    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Replaces the advice that the kind implies.
    #[must_use]
    pub fn retry_advice(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// What went wrong, for programs.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The stable code `room.what`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence, without place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The name of the file, table or peer.
    pub fn source_name_of(&self) -> Option<&str> {
        self.0.source_name.as_deref()
    }

    /// The record number (from 1).
    pub fn record(&self) -> Option<u64> {
        self.0.record
    }

    /// The byte offset (from 0).
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The path of the field.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Line and column (from 1) in a configuration or layout text.
    pub fn line(&self) -> Option<(u64, u64)> {
        self.0.line
    }

    /// What the person can do.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { message, code, .. } = &*self.0;
        f.write_str(message)?;
        let mut place = Vec::new();
        place.extend(self.0.source_name.clone());
        place.extend(self.0.line.map(|(l, c)| format!("line {l}, column {c}")));
        place.extend(self.0.record.map(|n| format!("record {n}")));
        place.extend(self.0.offset.map(|n| format!("byte {n}")));
        place.extend(self.0.field.as_ref().map(|n| format!("field {n}")));
        if !place.is_empty() {
            write!(f, " ({})", place.join(", "))?;
        }
        write!(f, " [{code}]")?;
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        let (kind, code) = match error.kind() {
            E::NotFound => (Kind::NotFound, "io.not_found"),
            E::PermissionDenied => (Kind::Permission, "io.permission"),
            E::AlreadyExists => (Kind::AlreadyExists, "io.already_exists"),
            E::TimedOut => (Kind::Timeout, "io.timeout"),
            E::UnexpectedEof => (Kind::Truncated, "io.truncated"),
            E::StorageFull => (Kind::Io, "io.storage_full"),
            E::ConnectionRefused | E::ConnectionReset | E::ConnectionAborted | E::BrokenPipe => {
                (Kind::Unavailable, "io.connection")
            }
            _ => (Kind::Io, "io.error"),
        };
        let mapped = Self::new(kind, code, error.to_string()).caused_by(error);
        match kind {
            Kind::NotFound => {
                mapped.hint("check the name, and the folder that a relative path counts from")
            }
            _ => mapped,
        }
    }
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        // Arrow's messages may quote values, so only the fact goes into the text.
        Self::new(Kind::Internal, "core.arrow", "Arrow refused the columns").caused_by(error)
    }
}
