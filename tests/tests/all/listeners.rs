//! The admin listener and TLS.

use tokio::io::{AsyncBufReadExt, BufReader};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::secure::Secure;
use visitflow_testkit::wire::say_and_hang_up;
use visitflow_testkit::{Redis, Server};

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
async fn dropped_facts_are_counted_in_a_metric() {
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
    let secure = Secure::start(Server::with().flag("--cookie-secure", "auto")).await;
    let body = r#"{"url":"https://shop.example/"}"#;
    let request = format!(
        "POST /api/session/start HTTP/1.1\r\nHost: {0}\r\nOrigin: https://{0}\r\nUser-Agent: Mozilla/5.0 (X11; \
         Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nContent-Length: {1}\r\nConnection: close\r\n\r\n{body}",
        secure.server.address(),
        body.len()
    );
    let answer = secure.exchange(&request).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age="), "{answer}");
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: session_id=")).expect("a cookie");
    assert!(cookie.contains("secure"), "{cookie}");
}

#[tokio::test]
async fn plain_http_on_the_port_for_https_is_told_so() {
    let secure = Secure::start(Server::with()).await;
    let post = "POST /api/session/start HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    for request in
        ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", post, "get / HTTP/1.1\r\n\r\n"]
    {
        let answer = say_and_hang_up(&secure.server.address(), request.as_bytes()).await.expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains(" 400 ") && text.contains("https-required"), "{request:?}: {text}");
        assert!(text.contains("This port speaks HTTPS"), "{request:?}: {text}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_on_loopback_warns_if_public_url_is_not_set() {
    let mut server = Server::start().await;
    assert!(!server.log().contains("--public-url"), "on loopback there is nothing to say: {}", server.log());
    server.terminate().await;
    let reachable = ["--listen", "0.0.0.0:0", "--admin-listen", "127.0.0.1:0"];
    let named = ["--public-url", "https://stats.example"];
    let checked = server.run(&[&["check"], &reachable[..]].concat(), "").await;
    assert!(checked.contains("warn  --public-url"), "{checked}");
    let checked = server.run(&[&["check"], &reachable[..], &named].concat(), "").await;
    assert!(!checked.contains("warn  --public-url"), "{checked}");
    let mut child = server.begin(&[&["serve"], &reachable[..]].concat());
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let warns = async {
        while let Some(line) = lines.next_line().await.expect("a line") {
            if line.contains("WARN") && line.contains("without --public-url") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(PATIENCE, warns).await.expect("the warning comes in time"));
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
