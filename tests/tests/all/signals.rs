//! What signals do to a running server.

use nix::sys::signal::{Signal, kill};
use rcgen::{CertifiedKey, KeyPair};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use visitflow_testkit::Server;
use visitflow_testkit::certificate::self_signed;
use visitflow_testkit::patience::until;

fn send(server: &Server, signal: Signal) {
    kill(server.pid(), signal).expect("the server runs");
}

/// A connection to a server that has this certificate, and no other.
async fn connect(
    address: &str,
    certificate: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Asks for a file that is not there; the connection stays open.
async fn assert_answers(stream: &mut TlsStream<TcpStream>) {
    stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let read = stream.read_buf(&mut answer).await.expect("an answer");
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&answer));
}

fn put(folder: &Path, made: &CertifiedKey<KeyPair>) {
    fs::write(folder.join("cert.pem"), made.cert.pem()).expect("a file");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("a file");
}

#[tokio::test]
async fn signals_that_mean_something_else_stop_nothing() {
    let mut server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for (signal, name) in
        [(Signal::SIGHUP, "SIGHUP"), (Signal::SIGUSR1, "SIGUSR1"), (Signal::SIGUSR2, "SIGUSR2")]
    {
        send(&server, signal);
        until(name, async || server.log().contains(name)).await;
        ada.view("/").await.expect(204);
    }
    server.assert_page_views(4);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn sigquit_and_sigint_drain_as_sigterm_does() {
    for signal in [Signal::SIGQUIT, Signal::SIGINT] {
        let mut server = Server::start().await;
        server.visitor().view("/").await.expect(204);
        assert!(server.end_by(signal).await.success(), "{signal}");
        assert!(server.log().contains("draining") && server.log().contains("stopped"), "{}", server.log());
    }
}

#[tokio::test]
async fn sighup_reads_a_new_certificate_and_closes_no_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (self_signed(), self_signed());
    put(folder.path(), &old);
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let server = Server::with().tls(&certificate, &key).start().await;
    let address = server.address();
    let mut before = connect(&address, old.cert.der()).await.expect("a connection");
    assert_answers(&mut before).await;

    put(folder.path(), &new);
    send(&server, Signal::SIGHUP);
    until("reload", async || server.log().contains("were reloaded")).await;
    let mut after = connect(&address, new.cert.der()).await.expect("the new certificate");
    assert_answers(&mut after).await;
    assert!(connect(&address, old.cert.der()).await.is_err(), "the old certificate is still presented");
    assert_answers(&mut before).await;

    // A key of another certificate: the one in use stays in use.
    fs::write(&key, old.signing_key.serialize_pem()).expect("a file");
    send(&server, Signal::SIGHUP);
    until("refusal", async || server.log().contains("stays in use")).await;
    assert!(server.log().contains("cert.pem"), "{}", server.log());
    let mut still = connect(&address, new.cert.der()).await.expect("the certificate of before");
    for stream in [&mut before, &mut after, &mut still] {
        assert_answers(stream).await;
    }
}
