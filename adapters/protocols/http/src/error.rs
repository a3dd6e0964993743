//! Failures of transport and answers as core errors, with advice about trying again.

use std::time::Duration;

use fenhe_core::{Error, Kind, Retry};
use reqwest::StatusCode;

/// A failure of the transport. `applied_once`: sending the same request again does no harm.
pub(crate) fn transport(error: reqwest::Error, place: &str, applied_once: bool) -> Error {
    let advice = if applied_once { Retry::Later(None) } else { Retry::InDoubt };
    let mapped = if certificate(&error) {
        Error::new(Kind::Auth, "http.certificate", "the certificate of the service is not trusted")
            .hint("give its root certificate as roots_pem; verification cannot be switched off")
    } else if error.is_connect() && error.is_timeout() {
        Error::new(Kind::Timeout, "http.connect", "no connection in time")
            .hint("check host and port, and whether the service is running")
            .retry_advice(Retry::Later(None))
    } else if error.is_connect() {
        Error::new(Kind::Unavailable, "http.connect", "the service cannot be reached")
            .hint("check host and port, and whether the service is running")
    } else if error.is_timeout() {
        Error::new(Kind::Timeout, "http.timeout", "no answer in time").retry_advice(advice)
    } else if error.is_redirect() {
        Error::new(Kind::Config, "http.redirect", "the service redirects to another place")
    } else if error.is_builder() {
        Error::new(Kind::Internal, "http.request", "the request cannot be made")
    } else {
        Error::new(Kind::Unavailable, "http.broken", "the connection broke").retry_advice(advice)
    };
    // The error's own text quotes the address with its query, which may hold secrets.
    mapped.caused_by(error.without_url()).source_name(place)
}

/// An answer that says no. `later` is its `Retry-After`.
pub(crate) fn status(
    status: StatusCode,
    later: Option<Duration>,
    place: &str,
    applied_once: bool,
) -> Error {
    let code = status.as_u16();
    let text = format!("the service answers {code}");
    let new = |kind, name: &'static str| Error::new(kind, name, text.clone());
    let doubt = if applied_once { Retry::Later(later) } else { Retry::InDoubt };
    let mapped = match code {
        401 | 407 => new(Kind::Auth, "http.auth").hint("check the header authorization"),
        403 => new(Kind::Permission, "http.permission"),
        404 | 410 => new(Kind::NotFound, "http.not_found").hint("check the path of the address"),
        409 | 412 => new(Kind::Conflict, "http.conflict"),
        413 => new(Kind::Limit, "http.too_large").hint("send fewer rows at a time (rows)"),
        408 | 425 | 429 => new(Kind::Unavailable, "http.later").retry_advice(Retry::Later(later)),
        503 => new(Kind::Unavailable, "http.unavailable").retry_advice(Retry::Later(later)),
        405 | 501 => new(Kind::Unsupported, "http.method"),
        500..=599 => new(Kind::Unavailable, "http.server").retry_advice(doubt),
        300..=399 => new(Kind::Config, "http.redirect")
            .hint("name the final address, or set redirects=same_origin"),
        400..=499 => new(Kind::Invalid, "http.refused"),
        _ => new(Kind::Invalid, "http.status"),
    };
    mapped.source_name(place)
}

/// Whether the chain of causes ends in a certificate that rustls refused.
fn certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    // An input/output error hides what it wraps from `source`.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|inner| certificate(inner)) || error.source().is_some_and(certificate)
}
