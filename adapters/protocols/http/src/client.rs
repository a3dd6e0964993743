//! Requests with their retries.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fenhe_core::{Error, Kind, Limits, Result};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode, Url, redirect};

use crate::retry::{Budget, retry_after};
use crate::{HttpConfig, Redirects, error, tls};

/// A client of one service.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) config: Arc<HttpConfig>,
    base: Url,
    http: reqwest::Client,
}

/// One request, which can be sent several times.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Whether sending it twice is the same as sending it once.
    pub(crate) applied_once: bool,
    /// Whether the answer is a stream without an end in time.
    pub(crate) streamed: bool,
}

impl Client {
    pub(crate) fn new(config: HttpConfig) -> Result<Self> {
        let base = config.base()?;
        let policy = match config.redirects {
            Redirects::Refuse => redirect::Policy::none(),
            Redirects::SameOrigin => {
                let origin = base.origin();
                redirect::Policy::custom(move |attempt| {
                    if attempt.url().origin() != origin || attempt.previous().len() > 5 {
                        return attempt.stop();
                    }
                    attempt.follow()
                })
            }
        };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&config)?)
            .default_headers(config.header_map()?)
            .user_agent(concat!("fenhe/", env!("CARGO_PKG_VERSION")))
            .redirect(policy)
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_millis(config.connect_ms))
            .read_timeout(Duration::from_millis(config.read_ms))
            .build()
            .map_err(|e| {
                Error::new(Kind::Config, "http.config", "no client can be made").caused_by(e)
            })?;
        Ok(Self { config: Arc::new(config), base, http })
    }

    /// The address of an object, dataset or call: the name's parts become path segments.
    pub(crate) fn url(&self, name: &str) -> Result<Url> {
        let wrong = |why: &str| {
            Err(Error::new(Kind::Config, "http.name", format!("the name {name:?} {why}")))
        };
        if name.chars().any(char::is_control) {
            return wrong("holds a control character");
        }
        if name.split('/').any(|part| matches!(part, "." | "..")) {
            return wrong("leads out of the service");
        }
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(name.split('/').filter(|part| !part.is_empty()));
        }
        Ok(url)
    }

    /// Sends until there is an answer that is worth looking at: success, or one of `expected`.
    pub(crate) async fn send(&self, request: &Request, expected: &[u16]) -> Result<Response> {
        self.send_until(request, |answer| expected.contains(&answer.status().as_u16())).await
    }

    /// Sends until there is a success or a SOAP fault.
    pub(crate) async fn send_for_fault(&self, request: &Request) -> Result<Response> {
        self.send_until(request, crate::exchange::is_fault).await
    }

    async fn send_until(
        &self,
        request: &Request,
        expected: impl Fn(&Response) -> bool,
    ) -> Result<Response> {
        let mut budget = Budget::new(&self.config);
        loop {
            let error = match self.once(request).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) if expected(&answer) => return Ok(answer),
                Ok(answer) => self.refusal(&answer, request),
                Err(error) => error,
            };
            tokio::time::sleep(budget.wait(error)?).await;
        }
    }

    /// The body of an answer, within the limit.
    pub(crate) async fn body(&self, mut answer: Response, applied_once: bool) -> Result<Bytes> {
        let place = place(answer.url());
        let limit = self.config.body_bytes;
        Limits::check("body_bytes", limit, answer.content_length().unwrap_or(0))?;
        let mut body = BytesMut::new();
        loop {
            let chunk =
                answer.chunk().await.map_err(|e| error::transport(e, &place, applied_once))?;
            let Some(chunk) = chunk else { return Ok(body.freeze()) };
            Limits::check(
                "body_bytes",
                limit,
                (body.len() as u64).saturating_add(chunk.len() as u64),
            )?;
            body.extend_from_slice(&chunk);
        }
    }

    async fn once(&self, request: &Request) -> Result<Response> {
        let mut builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        if !request.streamed {
            builder = builder.timeout(Duration::from_millis(self.config.total_ms));
        }
        let sent = builder.send().await;
        sent.map_err(|e| error::transport(e, &place(&request.url), request.applied_once))
    }

    fn refusal(&self, answer: &Response, request: &Request) -> Error {
        let later = retry_after(answer.headers());
        error::status(answer.status(), later, &place(&request.url), request.applied_once)
    }
}

impl Request {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let applied_once = method.is_idempotent();
        Self { method, url, headers: HeaderMap::new(), body: None, applied_once, streamed: false }
    }
}

/// An address for people: without query, which may hold secrets.
pub(crate) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Whether a status is about the records sent, not about the place or the time.
pub(crate) fn is_about_records(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status.as_u16(),
            401 | 403 | 404 | 405 | 407 | 408 | 410 | 413 | 415 | 425 | 429
        )
}
