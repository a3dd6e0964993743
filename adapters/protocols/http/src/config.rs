use std::collections::BTreeMap;

use fenhe_core::{Error, Kind, Result, Secret};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::secret;

/// A service, and how patient to be with it.
///
/// It can be read from a configuration but not written to one: headers hold secrets.
///
/// ```
/// let config = fenhe_http::HttpConfig::new("https://platform.example/api/");
/// assert_eq!(config.connect_ms, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where it is. Names of objects, datasets and calls are appended as path segments.
    pub url: String,
    /// Headers of every request (`authorization`, `x-road-client`). The values are secret.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Name of the environment variable that holds the token of `Authorization: Bearer`.
    #[serde(default)]
    pub bearer_env: Option<String>,
    /// File that holds this token, readable by its owner alone; blanks and line ends around it do not count.
    #[serde(default)]
    pub bearer_file: Option<String>,
    /// Other headers whose values are in environment variables, as `X-Api-Key=API_KEY`.
    #[serde(default)]
    pub header_env: Vec<String>,
    /// Other headers whose values are in files, as `X-Api-Key=keys/api.key`.
    #[serde(default)]
    pub header_file: Vec<String>,
    /// Names of headers that a [`Message`](fenhe_core::Message) may bring along besides `content-type`, `accept`, `soapaction`.
    #[serde(default)]
    pub forward: Vec<String>,
    /// PEM certificates to trust instead of the system's.
    #[serde(default)]
    pub roots_pem: Option<String>,
    /// What to do with redirects.
    #[serde(default)]
    pub redirects: Redirects,
    /// Milliseconds to wait for a connection. 10,000.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds to wait for the next bytes. 30,000.
    #[serde(default = "read_ms")]
    pub read_ms: u64,
    /// Milliseconds for a request and its answer; streams of content are bound by `read_ms` and `min_rate`. 300,000.
    #[serde(default = "total_ms")]
    pub total_ms: u64,
    /// Bytes a second below which a stream of content is given up, looked at after ten seconds. 1,024.
    #[serde(default = "min_rate")]
    pub min_rate: u64,
    /// Attempts at one request. 10.
    #[serde(default = "tries")]
    pub tries: u32,
    /// Milliseconds for all attempts at one request, waits included. 900,000.
    #[serde(default = "retry_ms")]
    pub retry_ms: u64,
    /// Bytes of a body held in memory, sent or received. 64 MiB.
    #[serde(default = "body_bytes")]
    pub body_bytes: u64,
    /// Rows of one POST. 1,000.
    #[serde(default = "rows")]
    pub rows: usize,
    /// Form of the rows.
    #[serde(default)]
    pub body: Body,
    /// Whether the service applies a request with the same `Idempotency-Key` once only. Only if it is known to.
    #[serde(default)]
    pub idempotent: bool,
}

/// What to do with redirects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    /// They are errors.
    #[default]
    Refuse,
    /// Up to five, to the same scheme, host and port.
    SameOrigin,
}

/// Form of the rows in a POST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// One JSON object a line, `application/x-ndjson`.
    #[default]
    Ndjson,
    /// One JSON array, `application/json`.
    Array,
}

impl HttpConfig {
    /// The defaults for a service.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: BTreeMap::new(),
            bearer_env: None,
            bearer_file: None,
            header_env: Vec::new(),
            header_file: Vec::new(),
            forward: Vec::new(),
            roots_pem: None,
            redirects: Redirects::default(),
            connect_ms: connect_ms(),
            read_ms: read_ms(),
            total_ms: total_ms(),
            min_rate: min_rate(),
            tries: tries(),
            retry_ms: retry_ms(),
            body_bytes: body_bytes(),
            rows: rows(),
            body: Body::default(),
            idempotent: false,
        }
    }

    /// The address, checked.
    pub(crate) fn base(&self) -> Result<Url> {
        let url =
            Url::parse(&self.url).map_err(|e| wrong("the url cannot be read").caused_by(e))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(wrong("the url is not http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("the url holds a password")
                .hint("use bearer_env, bearer_file, header_env or header_file"));
        }
        Ok(url)
    }

    /// Says where the files of secrets lie: `find` makes a path of each name.
    ///
    /// ```
    /// let mut config = fenhe_http::HttpConfig::new("https://platform.example/api/");
    /// config.header_file = vec!["X-Api-Key=api.key".into()];
    /// config.find_files(|name| format!("/etc/fenhe/{name}"));
    /// assert_eq!(config.header_file, ["X-Api-Key=/etc/fenhe/api.key"]);
    /// ```
    pub fn find_files(&mut self, find: impl Fn(&str) -> String) {
        if let Some(file) = &mut self.bearer_file {
            *file = find(file);
        }
        for pair in &mut self.header_file {
            if let Some((header, file)) = pair.split_once('=') {
                *pair = format!("{header}={}", find(file.trim()));
            }
        }
    }

    /// The headers of every request, marked as secret.
    pub(crate) fn header_map(&self) -> Result<HeaderMap> {
        let mut map = HeaderMap::new();
        let own = self.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        for (name, value) in own.chain(secret::headers(self)?) {
            let bad =
                || wrong(format!("the header {name:?} has a character that headers cannot have"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| bad())?;
            value.set_sensitive(true);
            if map.insert(header, value).is_some() {
                return Err(wrong(format!("the header {name:?} is given twice")));
            }
        }
        Ok(map)
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, "http.config", message)
}

fn connect_ms() -> u64 {
    10_000
}

fn read_ms() -> u64 {
    30_000
}

fn total_ms() -> u64 {
    300_000
}

fn min_rate() -> u64 {
    1_024
}

fn tries() -> u32 {
    10
}

fn retry_ms() -> u64 {
    900_000
}

fn body_bytes() -> u64 {
    64 << 20
}

fn rows() -> usize {
    1_000
}
