use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fenhe::core::{Capability, Error, Exchange, Info, Kind, Message, Result, Retry};
use fenhe::wrap::{Backoff, Limit, Retrying, Timeout};

/// Answers the n-th call; those before fail as told. Waits as long as told.
#[derive(Clone, Debug, Default)]
struct Peer {
    calls: Arc<AtomicU32>,
    answers_at: u32,
    advice: Retry,
    slow: Duration,
    idempotent: bool,
}

#[async_trait]
impl Exchange for Peer {
    fn info(&self) -> Info {
        let capability =
            Capability { call: true, idempotent: self.idempotent, ..Capability::default() };
        Info { scheme: "peer", version: "0", capability }
    }

    async fn call(&self, message: Message) -> Result<Message> {
        let n = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::time::sleep(self.slow).await;
        match n >= self.answers_at {
            true => Ok(message),
            false => {
                Err(Error::new(Kind::Unavailable, "peer.busy", "busy").retry_advice(self.advice))
            }
        }
    }
}

fn quick() -> Backoff {
    Backoff { first: Duration::from_millis(1), ..Backoff::default() }
}

async fn call(exchange: impl Exchange) -> Result<Message> {
    exchange.call(Message::default()).await
}

#[tokio::test]
async fn only_what_did_not_happen_is_tried_again() {
    let later = Peer { answers_at: 4, advice: Retry::Later(None), ..Peer::default() };
    assert!(call(Retrying::new(later.clone(), quick())).await.is_ok());
    assert_eq!(later.calls.load(Ordering::SeqCst), 4);
    for (advice, idempotent, calls) in
        [(Retry::Never, false, 1), (Retry::InDoubt, false, 1), (Retry::InDoubt, true, 4)]
    {
        let peer = Peer { answers_at: 4, advice, idempotent, ..Peer::default() };
        let result = call(Retrying::new(peer.clone(), quick())).await;
        assert_eq!(result.is_ok(), calls == 4, "{advice:?} {idempotent}");
        assert_eq!(peer.calls.load(Ordering::SeqCst), calls, "{advice:?} {idempotent}");
    }
}

#[tokio::test]
async fn tries_are_counted() {
    let peer = Peer { answers_at: 99, advice: Retry::Later(None), ..Peer::default() };
    let backoff = Backoff { tries: 3, ..quick() };
    assert_eq!(call(Retrying::new(peer.clone(), backoff)).await.unwrap_err().code(), "peer.busy");
    assert_eq!(peer.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_the_peer_asks_for_is_the_least_pause() {
    let asked = Duration::from_millis(60);
    let peer = Peer { answers_at: 2, advice: Retry::Later(Some(asked)), ..Peer::default() };
    let since = Instant::now();
    call(Retrying::new(peer, quick())).await.unwrap();
    assert!(since.elapsed() >= asked);
}

#[tokio::test]
async fn a_call_without_answer_is_in_doubt() {
    let peer = Peer { slow: Duration::from_secs(60), ..Peer::default() };
    let error = call(Timeout::new(peer, Duration::from_millis(5))).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::InDoubt));
}

#[tokio::test]
async fn a_rate_is_kept() {
    let limited = Limit::new(Peer::default(), 100);
    let since = Instant::now();
    for _ in 0..6 {
        call(limited.clone()).await.unwrap();
    }
    // Six calls have five pauses of 10 ms between them.
    assert!(since.elapsed() >= Duration::from_millis(50));
}
