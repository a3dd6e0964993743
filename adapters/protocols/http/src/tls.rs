//! TLS 1.2 and 1.3, verified, with a provider named here: neither a process-wide default nor what another crate
//! of the same program switched on.

use std::sync::Arc;

use fenhe_core::{Error, Kind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::HttpConfig;

pub(crate) fn config(settings: &HttpConfig) -> Result<ClientConfig> {
    let wrong = |what: &str| Error::new(Kind::Config, "http.tls", what);
    let mut roots = RootCertStore::empty();
    if let Some(pem) = &settings.roots_pem {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate
                .map_err(|e| wrong("roots_pem holds no PEM certificates").caused_by(e))?;
            roots
                .add(certificate)
                .map_err(|e| wrong("a root certificate cannot be used").caused_by(e))?;
        }
        if roots.is_empty() {
            return Err(wrong("roots_pem holds no certificate"));
        }
    } else {
        // Systems keep odd certificates; those that cannot be read trust nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong("no protocol version is left").caused_by(e))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
