use std::time::Duration;

use bytes::Bytes;
use fenhe_core::{Kind, Retry, Secret, Store};
use fenhe_http::{HttpConfig, HttpStore, Redirects};
use fenhe_testkit::peer::{Act, Peer, answer};
use fenhe_testkit::store::put;

use crate::config;
use crate::server::Server;

async fn read(store: &HttpStore, name: &str) -> fenhe_core::Result<Vec<u8>> {
    let mut stream = store.get(name, 0).await?;
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

fn store(peer: &Peer) -> HttpStore {
    HttpStore::new(config(&peer.url())).unwrap()
}

#[tokio::test]
async fn names_are_path_segments_whatever_is_in_them() {
    let (server, url) = Server::start().await;
    let store = HttpStore::new(config(&format!("{url}in/"))).unwrap();
    put(&store, "2024/费用 #1?.csv", b"x").await;
    let names: Vec<_> = server.objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(names, ["/in/2024/%E8%B4%B9%E7%94%A8%20%231%3F.csv"]);
    for name in ["../secret", "a/../../b", "a\r\nx: y", "a\0"] {
        assert_eq!(store.head(name).await.unwrap_err().code(), "http.name", "{name:?}");
    }
}

#[tokio::test]
async fn a_put_is_patched_before_it_is_sent() {
    let (server, url) = Server::start().await;
    let store = HttpStore::new(config(&url)).unwrap();
    let mut sink = store.put("a").await.unwrap();
    sink.write(Bytes::from_static(b"n=??")).await.unwrap();
    sink.patch(2, Bytes::from_static(b"42")).await.unwrap();
    assert_eq!(sink.patch(3, Bytes::from_static(b"42")).await.unwrap_err().code(), "http.patch");
    assert_eq!(sink.sync().await.unwrap_err().kind(), Kind::Unsupported);
    sink.close().await.unwrap();
    assert_eq!(server.objects.lock().unwrap()["/a"], "n=42");
    let mut small = config(&url);
    small.body_bytes = 3;
    let mut sink = HttpStore::new(small).unwrap().put("b").await.unwrap();
    let error = sink.write(Bytes::from_static(b"1234")).await.unwrap_err();
    assert!(error.message().contains("body_bytes"), "{error}");
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let tag = ("etag", "\"v1\"");
    let peer = Peer::start([
        Act::Reset(answer("200 OK", &[tag, ("content-length", "10")], b"0123")),
        Act::Answer(answer(
            "206 Partial Content",
            &[tag, ("content-range", "bytes 4-9/10")],
            b"456789",
        )),
    ])
    .await;
    assert_eq!(read(&store(&peer), "a").await.unwrap(), b"0123456789");
    let second = &peer.requests()[1];
    assert!(second.contains("range: bytes=4-") && second.contains("if-range: \"v1\""), "{second}");
}

#[tokio::test]
async fn a_break_before_the_first_byte_and_a_server_that_forgot_ranges_are_mended_too() {
    let (v1, v2) = (("etag", "\"v1\""), ("etag", "\"v2\""));
    let peer = Peer::start([
        Act::Reset(answer("200 OK", &[v1, ("content-length", "10")], b"")),
        Act::Reset(answer("200 OK", &[v2, ("content-length", "10")], b"0123")),
        Act::Answer(answer("200 OK", &[v2], b"0123456789")),
    ])
    .await;
    assert_eq!(read(&store(&peer), "a").await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_download_that_changed_meanwhile_is_not_glued_together() {
    for second in [
        answer("200 OK", &[("etag", "\"v2\"")], b"abcdefghij"),
        answer(
            "206 Partial Content",
            &[("etag", "\"v2\""), ("content-range", "bytes 4-9/10")],
            b"efghij",
        ),
    ] {
        let first = answer("200 OK", &[("etag", "\"v1\""), ("content-length", "10")], b"0123");
        let peer = Peer::start([Act::Reset(first), Act::Answer(second)]).await;
        assert_eq!(read(&store(&peer), "a").await.unwrap_err().kind(), Kind::Changed);
    }
}

#[tokio::test]
async fn a_short_body_is_truncated_and_never_whole() {
    for headers in
        [&[("content-length", "10")][..], &[("content-length", "10"), ("etag", "W/\"weak\"")]]
    {
        let peer = Peer::start([Act::Answer(answer("200 OK", headers, b"0123"))]).await;
        let error = read(&store(&peer), "a").await.unwrap_err();
        assert_eq!((error.kind(), error.offset()), (Kind::Truncated, Some(4)), "{error}");
    }
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n0123\r\n".to_vec();
    let peer = Peer::start([Act::Answer(chunked)]).await;
    assert_eq!(read(&store(&peer), "a").await.unwrap_err().kind(), Kind::Truncated);
}

#[tokio::test]
async fn a_server_without_ranges_is_read_from_the_start_and_the_front_dropped() {
    let peer = Peer::start([Act::Answer(answer("200 OK", &[], b"0123456789"))]).await;
    let mut stream = store(&peer).get("a", 7).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "789");
    assert!(stream.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_range_is_refused() {
    let bad = answer("206 Partial Content", &[("content-range", "bytes 3-9/10")], b"3456789");
    let peer = Peer::start([Act::Answer(bad)]).await;
    assert_eq!(store(&peer).get("a", 7).await.map(drop).unwrap_err().code(), "http.range");
}

#[tokio::test]
async fn answers_that_ask_to_come_back_are_obeyed() {
    let later = answer("503 Service Unavailable", &[("retry-after", "1")], b"");
    let peer = Peer::start([
        Act::Answer(answer("429 Too Many Requests", &[], b"")),
        Act::Answer(later),
        Act::Answer(answer("200 OK", &[], b"ok")),
    ])
    .await;
    let start = std::time::Instant::now();
    assert_eq!(read(&store(&peer), "a").await.unwrap(), b"ok");
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was not waited for");
    assert_eq!(peer.requests().len(), 3);
}

#[tokio::test]
async fn the_budget_of_attempts_ends() {
    let peer = Peer::start([Act::Answer(answer("503 Service Unavailable", &[], b""))]).await;
    let error = store(&peer).head("a").await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unavailable, Retry::Later(None)));
    assert_eq!(peer.requests().len(), 3);
    let late = answer("503 Service Unavailable", &[("retry-after", "86400")], b"");
    let peer = Peer::start([Act::Answer(late)]).await;
    let error = store(&peer).head("a").await.unwrap_err();
    assert_eq!(error.retry(), Retry::Later(Some(Duration::from_secs(86_400))));
    assert_eq!(peer.requests().len(), 1, "a wait beyond the budget is not begun");
}

#[tokio::test]
async fn a_silent_or_closed_peer_is_an_error_in_time() {
    for act in [Act::Silence, Act::Hangup, Act::HalfClose, Act::Refuse] {
        let peer = Peer::start([act.clone()]).await;
        let error = store(&peer).head("a").await.unwrap_err();
        assert!(matches!(error.kind(), Kind::Timeout | Kind::Unavailable), "{act:?}: {error}");
        assert_eq!(error.retry(), Retry::Later(None), "a HEAD does no harm");
    }
    let nobody = HttpStore::new(config("http://127.0.0.1:1/")).unwrap();
    assert_eq!(nobody.head("a").await.unwrap_err().code(), "http.connect");
}

#[tokio::test]
async fn a_slow_body_is_waited_for_byte_by_byte() {
    let slow = answer("200 OK", &[], b"slow but sure");
    let peer = Peer::start([Act::Trickle(slow, Duration::from_millis(2))]).await;
    assert_eq!(read(&store(&peer), "a").await.unwrap(), b"slow but sure");
}

#[tokio::test]
async fn redirects_are_followed_only_to_the_same_origin_and_only_when_asked() {
    let (server, url) = Server::start().await;
    server.objects.lock().unwrap().insert("/b".into(), Bytes::from_static(b"elsewhere"));
    let away = answer("302 Found", &[("location", &format!("{url}b"))], b"");
    let peer = Peer::start([Act::Answer(away)]).await;
    let mut same = config(&peer.url());
    assert_eq!(
        read(&HttpStore::new(same.clone()).unwrap(), "a").await.unwrap_err().code(),
        "http.redirect"
    );
    same.redirects = Redirects::SameOrigin;
    assert_eq!(
        read(&HttpStore::new(same).unwrap(), "a").await.unwrap_err().code(),
        "http.redirect"
    );
    let near = Peer::start([
        Act::Answer(answer("302 Found", &[("location", "/b")], b"")),
        Act::Answer(answer("200 OK", &[], b"here")),
    ])
    .await;
    let mut same = config(&near.url());
    same.redirects = Redirects::SameOrigin;
    assert_eq!(read(&HttpStore::new(same).unwrap(), "a").await.unwrap(), b"here");
}

#[tokio::test]
async fn secrets_are_sent_and_never_shown() {
    let peer = Peer::start([Act::Answer(answer("403 Forbidden", &[], b""))]).await;
    let mut secret = config(&format!("{}?token=canary-2", peer.url()));
    secret.headers.insert("authorization".into(), Secret::new("Bearer canary-1"));
    let store = HttpStore::new(secret.clone()).unwrap();
    let error = store.head("a").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permission);
    assert!(peer.requests()[0].contains("authorization: Bearer canary-1"));
    for shown in [format!("{error} {error:?}"), format!("{:?}", secret.headers)] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    secret.headers.insert("x-dept".into(), Secret::new("a\r\nevil: 1"));
    assert_eq!(HttpStore::new(secret).unwrap_err().code(), "http.config");
    assert!(HttpStore::new(HttpConfig::new("https://user:canary@host/")).is_err());
}

#[test]
fn an_unknown_field_of_the_configuration_is_refused() {
    let error = serde_json::from_str::<HttpConfig>(r#"{"url": "http://h/", "insecure": true}"#)
        .unwrap_err();
    assert!(error.to_string().contains("insecure"), "{error}");
}
