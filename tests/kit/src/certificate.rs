//! A certificate that nobody has signed but itself, for this machine's names.

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for `127.0.0.1` and `localhost`, with its key.
///
/// # Panics
///
/// The system has no randomness.
#[must_use]
pub fn self_signed() -> CertifiedKey<KeyPair> {
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    generate_simple_self_signed(names).expect("a certificate")
}

/// The server's side of TLS with such a certificate.
pub(crate) fn acceptor() -> TlsAcceptor {
    let CertifiedKey { cert, signing_key } = self_signed();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert)], key)
        .expect("the key is the certificate's");
    TlsAcceptor::from(Arc::new(config))
}
