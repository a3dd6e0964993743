//! Secrets from the environment and from files: sent, never shown.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fenhe_core::{Exchange, Kind, Message, Secret};
use fenhe_http::{Http, HttpConfig, HttpStore};
use fenhe_testkit::peer::{Act, Peer, answer};

use crate::config;

/// A variable of every test process under cargo whose value is known here and can be a token.
const VARIABLE: &str = "CARGO_PKG_NAME";
const VALUE: &str = env!("CARGO_PKG_NAME");

fn file(folder: &Path, name: &str, content: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    path
}

async fn sent(change: impl FnOnce(&mut HttpConfig)) -> String {
    let peer = Peer::start([Act::Answer(answer("200 OK", &[], b""))]).await;
    let mut config = config(&peer.url());
    change(&mut config);
    let http = Http::new(config).unwrap();
    http.call(Message::default()).await.unwrap();
    assert!(!format!("{http:?}").contains("canary"), "{http:?}");
    peer.requests()[0].to_lowercase()
}

#[tokio::test]
async fn each_form_sends_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let token = file(folder.path(), "token", "  canary-1\r\n", 0o600).display().to_string();
    let key = file(folder.path(), "api.key", "canary 2\n", 0o400).display().to_string();
    let request = sent(|config| config.bearer_file = Some(token)).await;
    assert!(request.contains("\r\nauthorization: bearer canary-1\r\n"), "{request}");
    let request = sent(|config| config.bearer_env = Some(VARIABLE.into())).await;
    assert!(request.contains(&format!("\r\nauthorization: bearer {VALUE}\r\n")), "{request}");
    let request = sent(|config| {
        config.header_file = vec![format!("X-Api-Key = {key}")];
        config.header_env = vec![format!("X-Dept={VARIABLE}")];
        config.headers.insert("x-plain".into(), Secret::new("3"));
    })
    .await;
    for line in ["x-api-key: canary 2", &format!("x-dept: {VALUE}"), "x-plain: 3"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
    }
}

/// The error of a configuration, which must name its option and hold nothing of a secret.
fn refused(option: &str, change: impl FnOnce(&mut HttpConfig)) -> fenhe_core::Error {
    let mut config = HttpConfig::new("https://platform.example/");
    change(&mut config);
    let error = HttpStore::new(config).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.message().contains(option), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    error
}

#[test]
fn a_secret_that_is_not_safe_or_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name, content, mode| file(folder.path(), name, content, mode).display().to_string();
    for mode in [0o640, 0o604, 0o620, 0o777] {
        let open = path("open", "canary", mode);
        let error = refused("bearer_file", |c| c.bearer_file = Some(open));
        assert_eq!((error.code(), error.kind()), ("http.secret", Kind::Config), "{mode:o}");
        std::fs::remove_file(folder.path().join("open")).unwrap();
    }
    let empty = path("empty", " \n", 0o600);
    refused("header_file", |c| c.header_file = vec![format!("X-Key={empty}")]);
    let large = path("large", &"canary".repeat(4_000), 0o600);
    let error = refused("bearer_file", |c| c.bearer_file = Some(large));
    assert!(error.message().contains("16384"), "{error}");
    refused("bearer_file", |c| c.bearer_file = Some("/nowhere/token".into()));
    refused("bearer_env", |c| c.bearer_env = Some("FENHE_TEST_NOT_SET".into()));
    for misplaced in ["Bearer canary", "ey.canary-", ""] {
        refused("bearer_env", |c| c.bearer_env = Some(misplaced.into()));
    }
    for misplaced in ["canary", "=canary", "X-Key="] {
        refused("header_env", |c| c.header_env = vec![misplaced.into()]);
        refused("header_file", |c| c.header_file = vec![misplaced.into()]);
    }
}

#[test]
fn a_token_is_one_word_and_a_header_has_one_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name, content| file(folder.path(), name, content, 0o600).display().to_string();
    let word = path("word", "Bearer canary");
    let error = refused("bearer_file", |c| c.bearer_file = Some(word));
    assert!(error.to_string().contains("without the word"), "{error}");
    let token = path("token", "canary");
    refused("authorization", |c| {
        c.bearer_file = Some(token.clone());
        c.headers.insert("Authorization".into(), Secret::new("canary"));
    });
    refused("authorization", |c| {
        (c.bearer_file, c.bearer_env) = (Some(token), Some(VARIABLE.into()));
    });
    let lines = path("lines", "canary\nEvil: canary");
    refused("X-Key", |c| c.header_file = vec![format!("X-Key={lines}")]);
}
