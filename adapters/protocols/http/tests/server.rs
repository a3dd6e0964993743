//! A small web server on hyper: objects in memory, with ranges and entity tags; POSTed rows.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
    pub(crate) posts: Mutex<Vec<(String, Bytes)>>,
}

impl Server {
    /// Starts it; it ends with the test's runtime.
    pub(crate) async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = Arc::new(Self::default());
        let kept = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    let service = service_fn(|request| server.answer(request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        (kept, url)
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let name = parts.uri.path().to_owned();
        let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
        let reply = |status: u16, body: Bytes| {
            Response::builder().status(status).body(Full::new(body)).unwrap()
        };
        let mut objects = self.objects.lock().unwrap();
        Ok(match parts.method {
            Method::PUT => {
                objects.insert(name, body);
                reply(201, Bytes::new())
            }
            Method::DELETE => {
                reply(if objects.remove(&name).is_some() { 204 } else { 404 }, Bytes::new())
            }
            Method::POST => {
                let key = header("idempotency-key").unwrap_or_default().to_owned();
                self.posts.lock().unwrap().push((key, body.clone()));
                reply(200, body)
            }
            Method::GET | Method::HEAD => match objects.get(&name) {
                None => reply(404, Bytes::new()),
                Some(object) => {
                    let tag = format!(
                        "\"{}-{}\"",
                        object.len(),
                        object.iter().map(|b| u64::from(*b)).sum::<u64>()
                    );
                    let from: Option<usize> = header("range")
                        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
                    let size = object.len();
                    let mut reply = match from {
                        Some(from) if from >= size => {
                            let mut reply = reply(416, Bytes::new());
                            let range = format!("bytes */{size}").parse().unwrap();
                            reply.headers_mut().insert("content-range", range);
                            reply
                        }
                        Some(from) => {
                            let mut reply = reply(206, object.slice(from..));
                            let range =
                                format!("bytes {from}-{}/{size}", size - 1).parse().unwrap();
                            reply.headers_mut().insert("content-range", range);
                            reply
                        }
                        None => reply(200, object.clone()),
                    };
                    reply.headers_mut().insert("etag", tag.parse().unwrap());
                    reply
                }
            },
            _ => reply(405, Bytes::new()),
        })
    }
}
