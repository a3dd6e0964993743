use std::process::Command;
use std::sync::Arc;

use fenhe_core::{Kind, Retry, Store};
use fenhe_http::HttpStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config;

/// A certificate of its own for a name, by the openssl of the system; `None` where there is none.
fn certificate(folder: &std::path::Path, name: &str) -> Option<(String, String)> {
    let (cert, key) = (folder.join("c.pem"), folder.join("k.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-subj", "/CN=test", "-addext", &format!("subjectAltName={name}"), "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .ok()?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some((std::fs::read_to_string(cert).ok()?, std::fs::read_to_string(key).ok()?))
}

async fn serve(cert: &str, key: &str) -> u16 {
    let chain = CertificateDer::pem_slice_iter(cert.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(server)), TcpListener::bind(("127.0.0.1", 0)).await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_counts_only_when_its_root_and_its_name_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let Some((cert, key)) = certificate(folder.path(), "DNS:localhost") else {
        return println!("skipped: no openssl");
    };
    let port = serve(&cert, &key).await;
    let mut right = config(&format!("https://localhost:{port}/"));
    let error = HttpStore::new(right.clone()).unwrap().head("a").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Auth, "http.certificate"), "an unknown root");
    assert_eq!(error.retry(), Retry::Never);
    right.roots_pem = Some(cert);
    assert_eq!(HttpStore::new(right.clone()).unwrap().head("a").await.unwrap().size, Some(2));
    right.url = format!("https://127.0.0.1:{port}/");
    let error = HttpStore::new(right.clone()).unwrap().head("a").await.unwrap_err();
    assert_eq!(error.code(), "http.certificate", "another name");
    right.roots_pem = Some("no certificate".into());
    assert_eq!(HttpStore::new(right).unwrap_err().code(), "http.tls");
}
