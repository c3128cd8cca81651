//! The admin listener and TLS.

use rcgen::CertifiedKey;
use std::fs;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use visitflow_e2e::certificate::self_signed;
use visitflow_e2e::{Redis, Server};

#[tokio::test]
async fn health_and_figures_are_on_the_admin_listener_alone() {
    let server = Server::start().await;
    let visitor = server.visitor();
    visitor.view("/").await.expect(204);
    for path in ["/healthz", "/readyz", "/metrics"] {
        server.ask_admin(path).await.expect(200);
        visitor.get(path).send().await.expect_problem(404, "not-found");
    }
    for path in ["/api/metrics/overview", "/api/session/start", "/visitflow.js", "/dashboard"] {
        server.ask_admin(path).await.expect(404);
    }
}

#[tokio::test]
async fn figures_are_in_prometheus_text_form() {
    let server = Server::start().await;
    server.visitor().view("/").await.expect(204);
    let answer = server.ask_admin("/metrics").await.expect(200);
    let content_type = answer.header("content-type").unwrap_or_default();
    let known = ["text/plain", "application/openmetrics-text"];
    assert!(known.iter().any(|known| content_type.starts_with(known)), "{content_type:?}");
    let text = answer.text();
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!samples.is_empty());
    for sample in samples {
        let (name, value) = sample.rsplit_once(' ').expect("name and value");
        assert!(name.starts_with(|first: char| first.is_ascii_alphabetic()), "{sample:?}");
        assert!(value.parse::<f64>().is_ok(), "{sample:?}");
    }
}

#[tokio::test]
async fn the_operator_sees_redis_and_what_is_shed() {
    let redis = Redis::start().await;
    let server = Server::with().redis_url(&redis.url()).start().await;
    server.visitor().view("/").await.expect(204);
    let text = server.ask_admin("/metrics").await.expect(200).text();
    for line in [
        "visitflow_redis_breaker{state=\"closed\"} 1",
        "visitflow_redis_breaker{state=\"open\"} 0",
        "visitflow_redis_breaker{state=\"half_open\"} 0",
        "visitflow_shed_total{kind=\"report\"} 0",
        "visitflow_shed_total{kind=\"ping\"} 0",
        "visitflow_shed_total{kind=\"page_view\"} 0",
    ] {
        assert!(text.lines().any(|said| said == line), "{line}: {text}");
    }
    let trusted = "visitflow_redis_trusted ";
    assert!(text.lines().any(|line| line.starts_with(trusted)), "{text}");
    let alone = Server::start().await.ask_admin("/metrics").await.expect(200).text();
    assert!(!alone.lines().any(|line| line.starts_with("visitflow_redis_")), "{alone}");
}

#[tokio::test]
async fn a_drop_is_counted_for_the_operator() {
    let server = Server::start().await;
    let before = server.ask_admin("/metrics").await.expect(200).text();
    let bot = server.visitor();
    let view = bot.post("/api/telemetry/page_view", &bot.page_view("/"));
    view.header("user-agent", "Googlebot/2.1").send().await.expect(204);
    let after = server.ask_admin("/metrics").await.expect(200).text();
    let drops = |text: &str| {
        let lines = text.lines().filter(|line| line.contains("drop") && !line.starts_with('#'));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    assert!((drops(&after) - drops(&before) - 1.0).abs() < 0.5, "{after}");
}

#[tokio::test]
async fn with_a_certificate_the_server_speaks_https() {
    let folder = tempfile::tempdir().expect("a folder");
    let CertifiedKey { cert, signing_key } = self_signed();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, cert.pem()).expect("a file");
    fs::write(&key, signing_key.serialize_pem()).expect("a file");
    let server = Server::with().tls(&certificate, &key).flag("--cookie-secure", "auto").start().await;

    let body = r#"{"url":"https://shop.example/"}"#;
    let request = format!(
        "POST /api/session/start HTTP/1.1\r\nHost: {0}\r\nOrigin: https://{0}\r\nUser-Agent: Mozilla/5.0 (X11; \
         Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nContent-Length: {1}\r\nConnection: close\r\n\r\n{body}",
        server.address(),
        body.len()
    );
    let answer = over_tls(&server.address(), cert.der().clone(), &request).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age="), "{answer}");
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: session_id=")).expect("a cookie");
    assert!(cookie.contains("secure"), "{cookie}");

    let plain =
        visitflow_e2e::wire::say_and_hang_up(&server.address(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let text = plain.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    assert!(!text.starts_with("HTTP/1.1 200"), "{text}");
}

async fn over_tls(address: &str, certificate: CertificateDer<'static>, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn without_tls_there_is_no_hsts() {
    let server = Server::start().await;
    let answer = server.visitor().get("/dashboard").send().await;
    assert_eq!(answer.header("strict-transport-security"), None);
}

#[tokio::test]
async fn a_password_for_somebody_else_s_proxy_is_no_api_key() {
    let server = Server::start().await;
    let visitor = server.visitor();
    for authorization in ["Basic YTpi", "Bearer of-another-make", "bearer"] {
        visitor.get("/visitflow.js").header("authorization", authorization).send().await.expect(200);
        let view = visitor.post("/api/telemetry/page_view", &visitor.page_view("/"));
        view.header("authorization", authorization).send().await.expect(204);
    }
    let wrong = visitor.get("/api/metrics/overview").header("authorization", "Bearer vf_wrong.key");
    wrong.send().await.expect_problem(401, "not-authorized");
}
