//! The certificate and its key, which may be read again while the server runs.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate for new connections.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads a certificate chain and its key.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, String> {
        let config = RwLock::new(Arc::new(read(cert, key)?));
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), config })
    }

    /// The certificate for the next connection.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads both files again, for new connections. Open connections keep the old certificate.
    ///
    /// # Errors
    /// A sentence that names the file; the certificate that was in use stays in use.
    pub fn reload(&self) -> Result<(), String> {
        let fresh = Arc::new(read(&self.cert, &self.key)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

fn read(cert: &Path, key: &Path) -> Result<ServerConfig, String> {
    let named = |path: &Path, error: &dyn Display| format!("{}: {error}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| named(cert, &error))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|error| named(cert, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
