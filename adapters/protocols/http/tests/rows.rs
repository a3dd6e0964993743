use std::collections::BTreeMap;

use fenhe_core::{Exchange, Kind, Limits, Message, Retry, WriteMode, WriteRequest};
use fenhe_http::{Body, Http, HttpConfig};
use fenhe_testkit::exchange::{sample, sample_schema};
use fenhe_testkit::peer::{Act, Peer, answer};

use crate::config;
use crate::server::Server;

fn request() -> WriteRequest {
    WriteRequest {
        dataset: "费用".into(),
        schema: sample_schema(),
        mode: WriteMode::Append,
        key: vec!["id".into()],
        pipeline: "p".into(),
        limits: Limits::default(),
    }
}

async fn commit(config: HttpConfig, rows: i64) -> fenhe_core::Result<fenhe_core::Committed> {
    let mut writer = Http::new(config).unwrap().write(request()).await.unwrap();
    writer.write(&sample(0, rows, "")).await.unwrap();
    writer.commit().await
}

#[tokio::test]
async fn rows_arrive_in_both_forms_with_keys_that_stay() {
    let (server, url) = Server::start().await;
    let mut arrays = config(&url);
    arrays.body = Body::Array;
    arrays.rows = 2;
    for _ in 0..2 {
        assert_eq!(commit(arrays.clone(), 3).await.unwrap().rows, 3);
    }
    let posts = server.posts.lock().unwrap().clone();
    assert_eq!(posts.len(), 4);
    assert_eq!(posts[0], posts[2], "the same rows have the same key in the next run");
    assert_ne!(posts[0].0, posts[1].0);
    let first: serde_json::Value = serde_json::from_slice(&posts[0].1).unwrap();
    assert_eq!(first[1]["name"], "欧阳1");
    assert!(String::from_utf8_lossy(&posts[0].1).contains(r#""fee":-3.99"#), "{posts:?}");
}

#[tokio::test]
async fn refusals_are_taken_record_by_record() {
    let body = br#"{"results": [{"index": 0, "status": 201}, {"id": 1, "status": 422, "code": "E7", "message": "secret"},
                    {"index": 2, "status": "ok"}]}"#;
    let peer = Peer::start([Act::Answer(answer("207 Multi-Status", &[], body))]).await;
    let done = commit(config(&peer.url()), 4).await.unwrap();
    assert_eq!((done.rows, done.rejects.len(), done.in_doubt), (2, 1, 1), "row 3 was not named");
    let reject = &done.rejects[0];
    assert_eq!((reject.record, reject.fault.code.as_ref()), (2, "http.record_refused"));
    assert!(
        reject.fault.found.contains("422 E7") && !reject.to_string().contains("secret"),
        "{reject}"
    );
    assert!(String::from_utf8_lossy(&reject.raw).contains("欧阳1"));
}

#[tokio::test]
async fn a_refused_request_rejects_its_records_and_a_wrong_place_does_not() {
    let peer = Peer::start([Act::Answer(answer("422 Unprocessable Content", &[], b"no"))]).await;
    let done = commit(config(&peer.url()), 3).await.unwrap();
    assert_eq!((done.rows, done.rejects.len()), (0, 3));
    for (status, kind) in [("404 Not Found", Kind::NotFound), ("401 Unauthorized", Kind::Auth)] {
        let peer = Peer::start([Act::Answer(answer(status, &[], b""))]).await;
        assert_eq!(commit(config(&peer.url()), 3).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_in_doubt_unless_the_service_applies_keys_once() {
    for act in
        [Act::Silence, Act::Hangup, Act::Answer(answer("500 Internal Server Error", &[], b""))]
    {
        let peer = Peer::start([act.clone(), Act::Answer(answer("200 OK", &[], b""))]).await;
        let done = commit(config(&peer.url()), 3).await.unwrap();
        assert_eq!((done.rows, done.in_doubt), (0, 3), "{act:?}");
        assert_eq!(peer.requests().len(), 1, "{act:?}: sent again without leave");

        let peer = Peer::start([act.clone(), Act::Answer(answer("200 OK", &[], b""))]).await;
        let mut once = config(&peer.url());
        once.idempotent = true;
        let done = commit(once, 3).await.unwrap();
        assert_eq!((done.rows, done.in_doubt), (3, 0), "{act:?}");
        let keys: Vec<_> = peer
            .requests()
            .iter()
            .filter_map(|r| r.lines().find(|l| l.starts_with("idempotency-key")).map(str::to_owned))
            .collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0], keys[1]);
    }
}

#[tokio::test]
async fn an_overloaded_service_gets_the_rows_again() {
    let peer = Peer::start([
        Act::Answer(answer("429 Too Many Requests", &[("retry-after", "0")], b"")),
        Act::Answer(answer("200 OK", &[], b"")),
    ])
    .await;
    assert_eq!(commit(config(&peer.url()), 3).await.unwrap().rows, 3);
    let error = commit(config("http://127.0.0.1:1/"), 3).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::Later(None)));
}

#[tokio::test]
async fn a_call_brings_its_answer_and_only_the_headers_it_may() {
    let (server, url) = Server::start().await;
    let http = Http::new(config(&url)).unwrap();
    let mut message = Message {
        target: "echo".into(),
        headers: BTreeMap::from([("content-type".into(), "text/xml".into())]),
        body: "<查询/>".into(),
    };
    let reply = http.call(message.clone()).await.unwrap();
    assert_eq!((reply.body, reply.headers[":status"].as_str()), ("<查询/>".into(), "200"));
    message.headers.insert("authorization".into(), "x".into());
    assert_eq!(http.call(message).await.unwrap_err().code(), "http.header");
    assert_eq!(server.posts.lock().unwrap().len(), 1);

    let fault = answer(
        "500 Internal Server Error",
        &[("content-type", "text/xml; charset=utf-8")],
        b"<Fault/>",
    );
    let peer = Peer::start([Act::Answer(fault)]).await;
    let reply = Http::new(config(&peer.url())).unwrap().call(Message::default()).await.unwrap();
    assert_eq!((reply.body, reply.headers[":status"].as_str()), ("<Fault/>".into(), "500"));
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_refused() {
    let peer = Peer::start([Act::Answer(answer("200 OK", &[], &[b'x'; 2_000]))]).await;
    let mut small = config(&peer.url());
    small.body_bytes = 1_000;
    let error = Http::new(small).unwrap().call(Message::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.message().contains("body_bytes"), "{error}");
}
