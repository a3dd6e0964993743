//! Rows as batched POSTs, sent at the commit.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::schema::with_offsets;
use fenhe_core::{
    Batch, Committed, Error, Fault, Kind, Limits, Raw, Reject, Result, Retry, WriteRequest, Writer,
};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Body;
use crate::client::{Client, Request, is_about_records};
use crate::outcome::{Fate, fates};

/// An open write to one address.
pub(crate) struct HttpWriter {
    client: Client,
    url: Url,
    request: WriteRequest,
    waiting: VecDeque<Post>,
    waiting_bytes: u64,
    poisoned: bool,
}

/// One request, ready to be sent.
struct Post {
    body: Bytes,
    /// One JSON object for each row.
    lines: Vec<Bytes>,
    records: Vec<u64>,
    key: String,
}

impl HttpWriter {
    pub(crate) fn new(client: Client, url: Url, request: WriteRequest) -> Self {
        Self { client, url, request, waiting: VecDeque::new(), waiting_bytes: 0, poisoned: false }
    }

    fn post(&self, rows: &RecordBatch, records: &[u64]) -> Result<Post> {
        let lines = lines(rows)?;
        let (open, between, close): (&[u8], &[u8], &[u8]) = match self.client.config.body {
            Body::Ndjson => (b"", b"\n", b"\n"),
            Body::Array => (b"[", b",", b"]"),
        };
        let body = Bytes::from([open, &lines.join(between), close].concat());
        Ok(Post { key: self.key(records, &body), body, lines, records: records.to_vec() })
    }

    /// The same rows of the same pipeline have the same key, in another run too.
    fn key(&self, records: &[u64], body: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [self.request.pipeline.as_bytes(), self.request.dataset.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        for end in [records.first(), records.last()] {
            hash.update(end.copied().unwrap_or_default().to_le_bytes());
        }
        hash.update(body);
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    async fn send(&self, post: &Post, done: &mut Committed) -> Result<()> {
        let mut request = Request::new(Method::POST, self.url.clone());
        request.applied_once = self.client.config.idempotent;
        let kind = match self.client.config.body {
            Body::Ndjson => "application/x-ndjson",
            Body::Array => "application/json",
        };
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let key = HeaderValue::try_from(&post.key)
            .map_err(|_| Error::new(Kind::Internal, "http.request", "the key is no header"))?;
        request.headers.insert(HeaderName::from_static("idempotency-key"), key);
        request.body = Some(post.body.clone());
        let refusals: Vec<u16> =
            (400..500).filter(|s| StatusCode::from_u16(*s).is_ok_and(is_about_records)).collect();
        let answer = self.client.send(&request, &refusals).await?;
        let status = answer.status();
        if status.is_client_error() {
            let found = format!("the whole request refused, status {}", status.as_u16());
            let fault =
                Fault::new("http.batch_refused", "", "records that the service takes", found);
            done.rejects
                .extend((0..post.lines.len()).map(|row| self.reject(post, row, fault.clone())));
            return Ok(());
        }
        let body = self.client.body(answer, request.applied_once).await?;
        for (row, fate) in
            fates(status.as_u16(), &body, post.lines.len(), |id| self.row_of(post, id))?
                .into_iter()
                .enumerate()
        {
            match fate {
                Fate::Delivered => done.rows += 1,
                Fate::Refused(fault) => done.rejects.push(self.reject(post, row, fault)),
                Fate::Unknown => done.in_doubt += 1,
            }
        }
        Ok(())
    }

    /// The row whose first key column has this value.
    fn row_of(&self, post: &Post, id: &Value) -> Option<usize> {
        let name = self.request.key.first()?;
        post.lines.iter().position(|line| {
            serde_json::from_slice::<Value>(line).is_ok_and(|row| row.get(name) == Some(id))
        })
    }

    fn reject(&self, post: &Post, row: usize, fault: Fault) -> Reject {
        let raw = post.lines.get(row).cloned().unwrap_or_default();
        let mut reject = Reject::new(fault)
            .at(post.records.get(row).copied().unwrap_or_default(), 0, 0)
            .raw_bytes(&raw, self.request.limits.reject_raw)
            .by("http");
        reject.raw_is = Raw::Row;
        reject.dataset.clone_from(&self.request.dataset);
        reject
    }
}

#[async_trait]
impl Writer for HttpWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        if self.poisoned {
            return Err(Error::poisoned("http"));
        }
        let numbers = batch.record_numbers();
        let step = self.client.config.rows.max(1);
        for start in (0..batch.rows()).step_by(step) {
            let count = step.min(batch.rows() - start);
            let records = numbers.get(start..start + count).unwrap_or_default();
            let post = self.post(&batch.records.slice(start, count), records)?;
            self.waiting_bytes = self.waiting_bytes.saturating_add(post.body.len() as u64);
            Limits::check("body_bytes", self.client.config.body_bytes, self.waiting_bytes)
                .map_err(|e| e.hint("commit more often"))?;
            self.waiting.push_back(post);
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<Committed> {
        if self.poisoned {
            return Err(Error::poisoned("http"));
        }
        let mut done = Committed::default();
        // Stays set when this future is dropped half-way: nobody knows then what was applied.
        self.poisoned = true;
        while let Some(post) = self.waiting.front() {
            match self.send(post, &mut done).await {
                Ok(()) => {}
                Err(error) if error.retry() == Retry::InDoubt => {
                    done.in_doubt += post.lines.len() as u64
                }
                // Nothing of this request was applied, but of those before it something may have been.
                Err(error) if done.rows > 0 && !self.client.config.idempotent => {
                    return Err(error.retry_advice(Retry::InDoubt));
                }
                Err(error) => return Err(error),
            }
            self.waiting.pop_front();
        }
        self.poisoned = false;
        self.waiting_bytes = 0;
        Ok(done)
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        self.commit().await
    }
}

/// Each row as one JSON object.
fn lines(rows: &RecordBatch) -> Result<Vec<Bytes>> {
    let mut out = Vec::new();
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(&mut out);
    writer.write(&with_offsets(rows)?)?;
    writer.finish()?;
    drop(writer);
    let all = Bytes::from(out);
    let lines =
        all.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(|line| all.slice_ref(line));
    let lines: Vec<_> = lines.collect();
    if lines.len() != rows.num_rows() {
        return Err(Error::new(Kind::Internal, "http.rows", "a row has no JSON form"));
    }
    Ok(lines)
}
