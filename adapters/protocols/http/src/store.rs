use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{ByteSink, ByteStream, Entry, Error, Kind, Limits, Result, Store};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LAST_MODIFIED};

use crate::HttpConfig;
use crate::client::{Client, Request};
use crate::stream::HttpStream;

/// Objects of a web server: GET with ranges, PUT, HEAD, DELETE.
///
/// ```
/// use fenhe_http::{HttpConfig, HttpStore};
/// assert!(HttpStore::new(HttpConfig::new("https://files.example/in/")).is_ok());
/// assert!(HttpStore::new(HttpConfig::new("ftp://files.example/")).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct HttpStore {
    client: Client,
}

impl HttpStore {
    /// A store below the configured address. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Config`] for an address, header or certificate that cannot be used.
    pub fn new(config: HttpConfig) -> Result<Self> {
        Ok(Self { client: Client::new(config)? })
    }
}

#[async_trait]
impl Store for HttpStore {
    fn scheme(&self) -> &'static str {
        if self.client.config.url.starts_with("https") { "https" } else { "http" }
    }

    async fn head(&self, name: &str) -> Result<Entry> {
        let request = Request::new(Method::HEAD, self.client.url(name)?);
        let answer = self.client.send(&request, &[]).await?;
        Ok(entry(name, answer.headers()))
    }

    async fn get(&self, name: &str, from: u64) -> Result<Box<dyn ByteStream>> {
        let url = self.client.url(name)?;
        Ok(Box::new(HttpStream::open(&self.client, url, from).await?))
    }

    async fn put(&self, name: &str) -> Result<Box<dyn ByteSink>> {
        let request = Request::new(Method::PUT, self.client.url(name)?);
        Ok(Box::new(HttpSink {
            client: self.client.clone(),
            request,
            name: name.into(),
            body: BytesMut::new(),
        }))
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let request = Request::new(Method::DELETE, self.client.url(name)?);
        self.client.send(&request, &[]).await.map(drop)
    }
}

/// An object being written. It is kept in memory until `close`, so that a broken connection can be mended by
/// sending it again.
struct HttpSink {
    client: Client,
    request: Request,
    name: String,
    body: BytesMut,
}

#[async_trait]
impl ByteSink for HttpSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let wanted = (self.body.len() as u64).saturating_add(bytes.len() as u64);
        Limits::check("body_bytes", self.client.config.body_bytes, wanted)?;
        self.body.extend_from_slice(&bytes);
        Ok(())
    }

    async fn patch(&mut self, offset: u64, bytes: Bytes) -> Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let place = self.body.get_mut(start..start.saturating_add(bytes.len()));
        let behind =
            || Error::new(Kind::Internal, "http.patch", "a patch reaches behind what was written");
        place.ok_or_else(behind)?.copy_from_slice(&bytes);
        Ok(())
    }

    async fn sync(&mut self) -> Result<()> {
        Err(Error::unsupported("http", "sync"))
    }

    async fn close(mut self: Box<Self>) -> Result<Entry> {
        let body = self.body.split().freeze();
        let size = body.len() as u64;
        self.request.body = Some(body);
        let answer = self.client.send(&self.request, &[]).await?;
        Ok(Entry { name: self.name.clone(), size: Some(size), version: version(answer.headers()) })
    }
}

fn entry(name: &str, headers: &HeaderMap) -> Entry {
    // A HEAD has no body, so the length is taken from the header itself.
    let size =
        headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    Entry { name: name.into(), size, version: version(headers) }
}

fn version(headers: &HeaderMap) -> String {
    let value = headers.get(ETAG).or_else(|| headers.get(LAST_MODIFIED));
    value.and_then(|v| v.to_str().ok()).unwrap_or_default().into()
}
