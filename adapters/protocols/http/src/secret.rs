//! Secrets that a configuration names and does not hold: in the environment, or in files of their owner.

use std::fs::File;
use std::io::Read;

use fenhe_core::{Error, Kind, Result, Secret};

use crate::HttpConfig;

/// A file of a secret above this size is none.
const LARGEST: u64 = 16 << 10;

/// Headers whose values come from outside of the configuration.
pub(crate) fn headers(config: &HttpConfig) -> Result<Vec<(String, Secret)>> {
    let mut headers = Vec::new();
    if let Some(name) = &config.bearer_env {
        headers.push(bearer("bearer_env", &from_env("bearer_env", name)?)?);
    }
    if let Some(file) = &config.bearer_file {
        headers.push(bearer("bearer_file", &from_file("bearer_file", file)?)?);
    }
    for pair in &config.header_env {
        let (header, name) = parts(pair, "header_env", "X-Api-Key=API_KEY")?;
        headers.push((header.into(), from_env("header_env", name)?));
    }
    for pair in &config.header_file {
        let (header, file) = parts(pair, "header_file", "X-Api-Key=keys/api.key")?;
        headers.push((header.into(), from_file("header_file", file)?));
    }
    Ok(headers)
}

/// `X-Api-Key=API_KEY`. What is no such pair is not quoted: it may be a secret in the wrong place.
fn parts<'a>(pair: &'a str, option: &str, example: &str) -> Result<(&'a str, &'a str)> {
    let split = pair.split_once('=').map(|(header, place)| (header.trim(), place.trim()));
    split.filter(|(header, place)| !header.is_empty() && !place.is_empty()).ok_or_else(|| {
        wrong(option, "an entry is not a header and where its value is")
            .hint(format!("write {option} = [\"{example}\"]"))
    })
}

/// The credentials of RFC 6750 section 2.1.
fn bearer(option: &str, token: &Secret) -> Result<(String, Secret)> {
    if token.reveal().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(("authorization".into(), Secret::new(format!("Bearer {}", token.reveal()))));
    }
    Err(wrong(option, "the token has a blank or a character that tokens do not have")
        .hint("give the token alone, without the word Bearer"))
}

fn from_env(option: &str, name: &str) -> Result<Secret> {
    // A token that stands where its name should stand is not quoted.
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name || name.is_empty() || name.len() > 64 {
        return Err(wrong(option, "this is no name of an environment variable")
            .hint("give the name of the variable that holds the secret, not the secret"));
    }
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
        _ => Err(wrong(option, format!("the environment variable {name} holds no secret"))),
    }
}

/// Blanks and line ends around a secret do not count. A file that others may read holds none.
fn from_file(option: &str, name: &str) -> Result<Secret> {
    let cannot = |cause: std::io::Error| {
        wrong(option, format!("the file {name} cannot be read")).caused_by(cause)
    };
    let file = File::open(name).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.len() > LARGEST {
        return Err(wrong(option, format!("the file {name} has more than {LARGEST} bytes")));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
        let error = wrong(option, format!("the file {name} can be read by others"));
        return Err(error.hint("chmod 600"));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(cannot)?;
    let secret = Secret::new(text);
    match secret.reveal().trim() {
        "" => Err(wrong(option, format!("the file {name} holds no secret"))),
        text => Ok(Secret::new(text)),
    }
}

fn wrong(option: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Config, "http.secret", format!("{option}: {what}"))
}
