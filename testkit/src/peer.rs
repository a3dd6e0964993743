//! A peer that misbehaves by a script: one action for each connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the peer does with a connection, after it has read the request that comes on it.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends the bytes and closes.
    Answer(Vec<u8>),
    /// Sends the bytes one by one with this pause before each.
    Trickle(Vec<u8>, Duration),
    /// Sends the bytes and resets the connection.
    Reset(Vec<u8>),
    /// Closes without an answer.
    Hangup,
    /// Never answers.
    Silence,
    /// Closes its sending half at once and goes on reading.
    HalfClose,
    /// Closes before anything is read.
    Refuse,
}

/// A scripted TCP server on the loopback interface. The last action is repeated.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Starts a peer with its script.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script: VecDeque<_> = script.into_iter().collect();
        let task = tokio::spawn(serve(listener, script, Arc::clone(&requests)));
        Self { address, requests, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The requests so far, as they came over the wire.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An HTTP/1.1 answer that ends the connection.
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        out.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

async fn serve(
    listener: TcpListener,
    mut script: VecDeque<Act>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let act = match script.len() {
            0 => Act::Hangup,
            1 => script[0].clone(),
            _ => script.pop_front().unwrap_or(Act::Hangup),
        };
        tokio::spawn(play(stream, act, Arc::clone(&requests)));
    }
}

async fn play(mut stream: TcpStream, act: Act, requests: Arc<Mutex<Vec<Vec<u8>>>>) {
    if matches!(act, Act::Refuse) {
        return;
    }
    if matches!(act, Act::HalfClose) {
        let _ = stream.shutdown().await;
    }
    let request = read_request(&mut stream).await;
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    match act {
        Act::Answer(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::Trickle(bytes, pause) => {
            for byte in bytes {
                tokio::time::sleep(pause).await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        }
        Act::Reset(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            // Let what was sent arrive before the reset overtakes it.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = stream.set_zero_linger();
        }
        Act::Silence => {
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
        }
        Act::Hangup | Act::HalfClose | Act::Refuse => {}
    }
}

/// Reads up to the end of an HTTP request: header, and a body of the announced length.
async fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        if complete(&all) {
            return all;
        }
        match stream.read(&mut buf).await {
            Ok(n) if n > 0 => all.extend_from_slice(&buf[..n]),
            _ => return all,
        }
    }
}

fn complete(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let header = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = header.lines().find_map(|l| l.strip_prefix("content-length:"));
    let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
    request.len() >= end + 4 + length
}
