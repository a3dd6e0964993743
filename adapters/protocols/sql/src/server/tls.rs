//! TLS 1.2 and 1.3, verified, with a provider named here rather than a process-wide default.

use std::sync::Arc;

use fenhe_core::{Error, Kind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::{Address, ServerConfig, Tls};

/// How bytes travel to a server.
#[derive(Clone, Debug)]
pub(crate) enum Transport {
    Plain,
    Encrypted(Arc<ClientConfig>),
}

impl Transport {
    /// What the configuration asks for; plain text by itself only to this machine.
    pub(crate) fn of(config: &ServerConfig, address: &Address) -> Result<Self> {
        match config.tls {
            Tls::InsecurePlaintext => Ok(Self::Plain),
            Tls::Auto if address.is_local() => Ok(Self::Plain),
            Tls::Auto | Tls::Verify => client(config).map(|c| Self::Encrypted(Arc::new(c))),
        }
    }
}

fn client(settings: &ServerConfig) -> Result<ClientConfig> {
    let wrong = |what: &str| Error::new(Kind::Config, "sql.tls", what);
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

/// What is said of a certificate that does not hold.
pub(crate) fn untrusted() -> Error {
    Error::new(Kind::Permission, "sql.tls", "the server's certificate is not trusted").hint(
        "give the authority that signed it in roots_pem, and connect under the name that the certificate is for",
    )
}
