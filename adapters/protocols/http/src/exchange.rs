use std::collections::BTreeMap;

use async_trait::async_trait;
use fenhe_core::{
    Capability, Error, Exchange, Info, Kind, Message, Result, WriteMode, WriteRequest, Writer,
};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::HttpConfig;
use crate::client::{Client, Request};
use crate::writer::HttpWriter;

/// Headers that a message may always bring along.
const FORWARDED: [&str; 3] = ["accept", "content-type", "soapaction"];

/// A service that takes rows by POST and answers calls.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
}

impl Http {
    /// A service. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Kind::Config`] for an address, header or certificate that cannot be used.
    pub fn new(config: HttpConfig) -> Result<Self> {
        Ok(Self { client: Client::new(config)? })
    }

    fn forwards(&self, name: &str) -> bool {
        let same = |allowed: &str| allowed.eq_ignore_ascii_case(name);
        FORWARDED.iter().any(|allowed| same(allowed))
            || self.client.config.forward.iter().any(|a| same(a))
    }
}

#[async_trait]
impl Exchange for Http {
    fn info(&self) -> Info {
        Info {
            scheme: "http",
            version: env!("CARGO_PKG_VERSION"),
            capability: Capability {
                append: true,
                idempotent: self.client.config.idempotent,
                per_record: true,
                call: true,
                ..Capability::default()
            },
        }
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        if request.mode != WriteMode::Append {
            return Err(Error::unsupported("http", "upsert or replace"));
        }
        let url = self.client.url(&request.dataset)?;
        Ok(Box::new(HttpWriter::new(self.client.clone(), url, request)))
    }

    async fn call(&self, message: Message) -> Result<Message> {
        let mut request = Request::new(Method::POST, self.client.url(&message.target)?);
        request.applied_once = self.client.config.idempotent;
        for (name, value) in &message.headers {
            let wrong = |why: &str| {
                Error::new(Kind::Config, "http.header", format!("the header {name:?} {why}"))
            };
            if !self.forwards(name) {
                return Err(wrong("is not in forward").hint("headers come from the configuration"));
            }
            let bad = || wrong("has a character that headers cannot have");
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            request.headers.insert(name, HeaderValue::from_str(value).map_err(|_| bad())?);
        }
        request.body = Some(message.body);
        // A SOAP fault comes with status 500 (SOAP 1.1 clause 6.2) and is an answer, not a failure.
        let answer = self.client.send_for_fault(&request).await?;
        let mut headers =
            BTreeMap::from([(":status".to_owned(), answer.status().as_u16().to_string())]);
        for (name, value) in answer.headers() {
            headers.insert(
                name.as_str().into(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            );
        }
        let body = self.client.body(answer, request.applied_once).await?;
        Ok(Message { target: String::new(), headers, body })
    }
}

/// Whether an answer of status 500 is a SOAP fault.
pub(crate) fn is_fault(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    answer.status().as_u16() == 500
        && (kind.starts_with("text/xml") || kind.starts_with("application/soap+xml"))
}
