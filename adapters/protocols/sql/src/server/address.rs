//! Where a server is and who asks.

use std::net::IpAddr;

use fenhe_core::{Error, Kind, Result, Secret};

use super::ServerConfig;

/// A password file above this size is none.
const LARGEST: u64 = 4 << 10;

/// A parsed address.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) database: String,
    /// Without the password, for messages.
    pub(crate) shown: String,
}

impl Address {
    /// Reads the address of a configuration whose scheme is one of `schemes`.
    ///
    /// # Errors
    /// `Kind::Config` with code `sql.url`, which never quotes the address: it may hold a password.
    pub(crate) fn parse(config: &ServerConfig, schemes: &[&str], port: u16) -> Result<Self> {
        let wrong = |what: &str| {
            Error::new(Kind::Config, "sql.url", format!("the address of the database {what}"))
                .hint("write scheme://user@host:port/database#table")
        };
        let (scheme, rest) =
            config.url.reveal().split_once("://").ok_or_else(|| wrong("has no ://"))?;
        if !schemes.contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(wrong("has another scheme"));
        }
        if rest.contains(['?', '#']) {
            return Err(
                wrong("has parameters").hint("give options by their names, not in the address")
            );
        }
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let (host, port) =
            host_and_port(place, port).ok_or_else(|| wrong("has no valid host and port"))?;
        let text = |part: &str| unescape(part).ok_or_else(|| wrong("has a wrong % escape"));
        let (user, database) = (text(user)?, text(database)?);
        if user.is_empty() || database.is_empty() || host.is_empty() {
            return Err(wrong("lacks the user, the host or the database"));
        }
        let password = match password {
            Some(password) => Some(Secret::new(text(password)?)),
            None => password_of(config)?,
        };
        let shown = format!("{}://{user}@{place}/{database}", scheme.to_ascii_lowercase());
        Ok(Self { host, port, user, password, database, shown })
    }

    /// Whether the server is on this very machine, as far as the address alone tells.
    pub(crate) fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn host_and_port(place: &str, port: u16) -> Option<(String, u16)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, tail) = rest.split_once(']')?;
        let port = match tail.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if tail.is_empty() => port,
            None => return None,
        };
        return Some((host.into(), port));
    }
    match place.split_once(':') {
        Some((host, port)) => Some((host.into(), port.parse().ok()?)),
        None => Some((place.into(), port)),
    }
}

/// `%41` is `A`.
fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(out).ok()
}

fn password_of(config: &ServerConfig) -> Result<Option<Secret>> {
    let wrong = |what: String| Error::new(Kind::Config, "sql.password", what);
    if let Some(password) = &config.password {
        return Ok(Some(password.clone()));
    }
    if let Some(name) = &config.password_env {
        return match std::env::var(name) {
            Ok(value) => Ok(Some(Secret::new(value))),
            Err(_) => Err(wrong(format!("the environment variable {name} holds no password"))),
        };
    }
    let Some(name) = &config.password_file else { return Ok(None) };
    let named = |error: std::io::Error| Error::from(error).source_name(name.clone());
    let metadata = std::fs::metadata(name).map_err(named)?;
    if metadata.len() > LARGEST {
        return Err(
            Error::limit("password_file", LARGEST, metadata.len()).source_name(name.clone())
        );
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
        return Err(wrong("the password file can be read by others".into())
            .source_name(name.clone())
            .hint("chmod 600"));
    }
    let text = std::fs::read_to_string(name).map_err(named)?;
    Ok(Some(Secret::new(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(&ServerConfig::new(url), &["postgres", "postgresql"], 5_432)
    }

    #[test]
    fn an_address_has_its_parts() {
        let a = parse("postgres://clerk:p%40ss@db.example:6000/%E5%B9%B3%E5%8F%B0").unwrap();
        assert_eq!((a.host.as_str(), a.port, a.user.as_str()), ("db.example", 6_000, "clerk"));
        assert_eq!((a.database.as_str(), a.password.unwrap().reveal()), ("平台", "p@ss"));
        assert_eq!(a.shown, "postgres://clerk@db.example:6000/平台");
        assert_eq!(parse("postgresql://u@[::1]/d").unwrap().port, 5_432);
        assert!(parse("postgres://u@[::1]:1/d").unwrap().is_local());
        assert!(!parse("postgres://u@127.0.0.1.evil.example/d").unwrap().is_local());
    }

    #[test]
    fn a_wrong_address_is_not_quoted() {
        for url in [
            "postgres:clerk:s3cret@h/d",
            "mysql://u:s3cret@h/d",
            "postgres://:s3cret@h/d",
            "postgres://u:s3cret@h",
            "postgres://u:s3cret@h:x/d",
            "postgres://u:s3cret@h/d?sslmode=disable",
            "postgres://u:s3cret%4@h/d",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.code(), "sql.url", "{url}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_password_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " s3cret\n").unwrap();
        let mut config = ServerConfig::new("postgres://u@h/d");
        config.password_file = Some(file.path().display().to_string());
        let mode = |mode| std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode));
        mode(0o644).unwrap();
        assert_eq!(Address::parse(&config, &["postgres"], 1).unwrap_err().code(), "sql.password");
        mode(0o600).unwrap();
        let address = Address::parse(&config, &["postgres"], 1).unwrap();
        assert_eq!(address.password.unwrap().reveal(), "s3cret");
    }
}
