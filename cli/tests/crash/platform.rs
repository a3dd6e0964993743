//! A platform behind HTTP that keeps its promise: the same `Idempotency-Key` is applied once. It lives in the test, so
//! that it survives the program that is killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
struct Kept {
    keys: BTreeSet<String>,
    ids: Vec<u64>,
}

pub(crate) struct Platform {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Kept>>::default();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { address, kept }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    pub(crate) fn ids(&self) -> Vec<u64> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).ids.clone()
    }
}

/// One connection. A client that dies in the middle of a request has sent nothing.
fn serve(stream: TcpStream, kept: &Mutex<Kept>) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    while let Some((key, body)) = request(&mut requests) {
        let ids = body.lines().map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_u64().unwrap()
        });
        let ids: Vec<u64> = ids.collect();
        {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.keys.insert(key) {
                kept.ids.extend(ids);
            }
        }
        if answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// Key and body of the next request that arrives whole.
fn request(from: &mut impl BufRead) -> Option<(String, String)> {
    let (mut key, mut length) = (None, None);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "idempotency-key" => key = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().ok(),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length.expect("a request of known length")];
    from.read_exact(&mut body).ok()?;
    Some((key.expect("an Idempotency-Key"), String::from_utf8(body).unwrap()))
}
