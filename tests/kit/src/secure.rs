//! A server that speaks TLS, and connections to it: HTTP/2 with every knob, or bare bytes.

use crate::certificate::self_signed;
use crate::setup::Setup;
use crate::{Answer, Server};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use hyper::Request;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server that speaks TLS.
#[derive(Debug)]
pub struct Secure {
    /// The server.
    pub server: Server,
    certificate: CertificateDer<'static>,
    _folder: TempDir,
}

impl Secure {
    /// Starts a server with a certificate of its own.
    ///
    /// # Panics
    ///
    /// It does not become ready.
    pub async fn start(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = self_signed();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, made.cert.pem()).expect("a file");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        let server = setup.tls(&certificate, &key).start().await;
        Self { server, certificate: made.cert.der().clone(), _folder: folder }
    }

    /// A connection on which this protocol was agreed: `h2` or `http/1.1`.
    ///
    /// # Panics
    ///
    /// There is none.
    pub async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream = TcpStream::connect(self.server.address()).await.expect("a connection");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        stream
    }

    /// Sends bytes over HTTP/1.1 and reads until the server closes.
    ///
    /// # Panics
    ///
    /// The connection broke.
    pub async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect("http/1.1").await;
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// An HTTP/2 connection that grants each stream so many bytes to begin with. It must be polled.
    ///
    /// # Panics
    ///
    /// There is none.
    pub async fn http2(&self, window: u32) -> (SendRequest<Bytes>, Connection<TlsStream<TcpStream>>) {
        let stream = self.connect("h2").await;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).max_header_list_size(1 << 20);
        builder.handshake(stream).await.expect("HTTP/2")
    }

    /// Sends a request over an HTTP/2 connection of its own and reads the answer.
    ///
    /// # Errors
    ///
    /// The stream or the connection broke.
    ///
    /// # Panics
    ///
    /// There is no connection.
    pub async fn ask(&self, request: Request<Vec<u8>>) -> Result<Answer, h2::Error> {
        let (send, connection) = self.http2(1 << 20).await;
        tokio::spawn(connection);
        let mut send = send.ready().await?;
        let to = format!("{} {}", request.method(), request.uri().path());
        let (head, body) = request.into_parts();
        let (response, mut stream) = send.send_request(Request::from_parts(head, ()), body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body.into(), true)?;
        }
        let (head, mut body) = response.await?.into_parts();
        let mut bytes = Vec::new();
        while let Some(data) = body.data().await {
            bytes.extend_from_slice(&data?);
        }
        Ok(Answer { to, status: head.status.as_u16(), headers: head.headers, body: bytes })
    }
}
