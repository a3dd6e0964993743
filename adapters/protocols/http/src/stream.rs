//! Content as chunks, going on after a broken connection.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{ByteStream, Error, Kind, Result};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE,
};
use reqwest::{Method, Response, Url};

use crate::client::{Client, Request, place};
use crate::error;
use crate::retry::Budget;

/// The rate is looked at after this time.
const GRACE: Duration = Duration::from_secs(10);

/// Content of one object.
pub(crate) struct HttpStream {
    client: Client,
    url: Url,
    /// The open answer; `None` while a connection has to be made.
    answer: Option<Response>,
    /// Byte that comes next.
    at: u64,
    /// Bytes to drop before it, from a service that does not know ranges.
    drop: u64,
    size: Option<u64>,
    /// Strong validator of what is read (RFC 9110 clause 8.8.1): without one a break cannot be mended.
    etag: Option<HeaderValue>,
    started: Instant,
    given: u64,
    budget: Budget,
    failed: Option<(Kind, String, String)>,
    ended: bool,
}

impl HttpStream {
    pub(crate) async fn open(client: &Client, url: Url, from: u64) -> Result<Self> {
        let mut stream = Self {
            client: client.clone(),
            url,
            answer: None,
            at: from,
            drop: 0,
            size: None,
            etag: None,
            started: Instant::now(),
            given: 0,
            budget: Budget::new(&client.config),
            failed: None,
            ended: false,
        };
        stream.connect().await?;
        Ok(stream)
    }

    /// Asks for the content from `at` on.
    async fn connect(&mut self) -> Result<()> {
        let mut request = Request::new(Method::GET, self.url.clone());
        request.streamed = true;
        // A compressed body has other byte positions.
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if self.at > 0 {
            let range = HeaderValue::try_from(format!("bytes={}-", self.at));
            request.headers.insert(RANGE, range.map_err(|_| self.wrong("no range"))?);
            if let Some(etag) = &self.etag {
                request.headers.insert(IF_RANGE, etag.clone());
            }
        }
        let answer = self.client.send(&request, &[416]).await?;
        let etag = strong(answer.headers());
        if self.etag.is_some() && etag != self.etag {
            return Err(self.changed());
        }
        match answer.status().as_u16() {
            416 => return self.at_the_end(&answer),
            206 => {
                let (start, size) = range_of(answer.headers())
                    .ok_or_else(|| self.wrong("a 206 without its range"))?;
                if start != self.at || self.size.is_some() && size.is_some() && size != self.size {
                    return Err(self.wrong("another range than was asked for"));
                }
                self.size = size;
            }
            _ => {
                // The whole object, of the same version as before: the front is dropped.
                self.drop = self.at;
                self.size = answer.content_length();
                if self.size.is_some_and(|size| size < self.at) {
                    return Err(self.changed());
                }
            }
        }
        self.etag = etag;
        self.answer = Some(answer);
        Ok(())
    }

    /// 416: right when the object ends exactly where the read was to start.
    fn at_the_end(&mut self, answer: &Response) -> Result<()> {
        let size = answer.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok());
        let size: Option<u64> =
            size.and_then(|v| v.strip_prefix("bytes */")).and_then(|v| v.parse().ok());
        if size == Some(self.at) {
            self.ended = true;
            return Ok(());
        }
        Err(self.changed())
    }

    async fn step(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let Some(answer) = &mut self.answer else {
                self.connect().await?;
                continue;
            };
            match answer.chunk().await {
                Ok(Some(chunk)) => {
                    self.check_rate(chunk.len())?;
                    let skip = usize::try_from(self.drop).unwrap_or(usize::MAX).min(chunk.len());
                    self.drop -= skip as u64;
                    let chunk = chunk.slice(skip..);
                    self.at += chunk.len() as u64;
                    if !chunk.is_empty() {
                        return Ok(Some(chunk));
                    }
                }
                Ok(None) => {
                    self.answer = None;
                    if self.size.is_some_and(|size| size != self.at) || self.drop > 0 {
                        return Err(self.cut());
                    }
                    self.ended = true;
                }
                Err(broken) => {
                    self.answer = None;
                    let broken = error::transport(broken, &place(&self.url), true);
                    if self.etag.is_none() && self.at > 0 {
                        return Err(self.cut().caused_by(broken));
                    }
                    if self.at == 0 {
                        // Nothing was handed out yet, so any version will do.
                        self.etag = None;
                    }
                    tokio::time::sleep(self.budget.wait(broken)?).await;
                }
            }
        }
    }

    fn check_rate(&mut self, bytes: usize) -> Result<()> {
        self.given = self.given.saturating_add(bytes as u64);
        let elapsed = self.started.elapsed();
        if elapsed < GRACE || self.given / elapsed.as_secs().max(1) >= self.client.config.min_rate {
            return Ok(());
        }
        Err(Error::new(Kind::Timeout, "http.slow", "the service sends slower than min_rate")
            .retry_advice(fenhe_core::Retry::Later(None))
            .source_name(place(&self.url)))
    }

    fn changed(&self) -> Error {
        Error::new(Kind::Changed, "http.changed", "the object changed while it was read")
            .source_name(place(&self.url))
            .at_offset(self.at)
    }

    fn cut(&self) -> Error {
        Error::new(Kind::Truncated, "http.truncated", "the content ended before its announced size")
            .source_name(place(&self.url))
            .at_offset(self.at)
            .retry_advice(fenhe_core::Retry::Later(None))
            .hint("the service gives no entity tag, so the rest cannot be asked for: read again")
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(Kind::Invalid, "http.range", format!("the service sends {what}"))
            .source_name(place(&self.url))
    }
}

#[async_trait]
impl ByteStream for HttpStream {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some((kind, code, message)) = &self.failed {
            return Err(Error::new(*kind, code.clone(), message.clone()));
        }
        let result = self.step().await;
        if let Err(error) = &result {
            self.failed = Some((error.kind(), error.code().into(), error.message().into()));
        }
        result
    }
}

fn strong(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()
}

/// `bytes 5-9/10` as `(5, Some(10))` (RFC 9110 clause 14.4).
fn range_of(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, size) = text.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, size.trim().parse().ok()))
}
