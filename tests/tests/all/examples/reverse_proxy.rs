use super::stage::{OURS, Stage};
use std::fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use visitflow_testkit::Server;
use visitflow_testkit::site::{Site, example};

/// The example's own configuration, before this server.
async fn reverse_proxy(server: &str) -> Site {
    let folder = example("reverse-proxy");
    let configuration = fs::read_to_string(folder.join("nginx.conf")).expect("its configuration");
    let upstream = "127.0.0.1:8080";
    assert!(configuration.contains(upstream), "the configuration names {upstream}");
    Site::nginx(Some(&folder), &configuration.replace(upstream, server)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_reverse_proxy_both_paths_are_one_visit() {
    let server = Server::with().flag("--trusted-proxy", "127.0.0.1/32");
    let server = server.flag("--path-prefix", "/metrics-of-ours").start().await;
    let stage = Stage::before(server).await;
    let site = reverse_proxy(stage.witness.origin().trim_start_matches("http://")).await;
    let (plain, prefixed) = (format!("{}/", site.origin()), format!("{}/prefix.html", site.origin()));
    for page in [&prefixed, &plain] {
        stage.browser.open_page(page).await;
        stage.element("#accept").await;
        stage.assert_silence().await;
    }
    stage.click("#accept").await;
    stage.counted(&[&plain]).await;
    stage.click("#next").await;
    stage.shows("Prefix").await;
    stage.counted(&[&plain, &prefixed]).await;
    stage.click("#next").await;
    stage.shows("Home").await;
    stage.counted(&[&plain, &prefixed, &plain]).await;
    stage.until_cookies_are(OURS).await;
    stage.server.assert_visits(1);
    let asked =
        "performance.getEntriesByType('resource').every(({ name }) => name.startsWith(location.origin))";
    assert_eq!(stage.browser.evaluate(asked).await, true, "the browser knows one host");
    stage.click("#decline").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}

#[tokio::test]
async fn the_reverse_proxy_sends_the_forwarded_headers_and_passes_only_the_listed_paths() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let site = reverse_proxy(&upstream.local_addr().expect("an address").to_string()).await;
    let heads = tokio::spawn(async move {
        let mut heads = Vec::new();
        while heads.len() < 2 {
            let (mut stream, _) = upstream.accept().await.expect("a connection");
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.expect("a request");
            heads.push(String::from_utf8_lossy(&head[..length]).to_lowercase());
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("an answer");
        }
        heads
    });
    let http = reqwest::Client::new();
    let ask = async |path: &str| {
        let request = http.post(format!("{}{path}", site.origin()));
        let request = request.header("x-forwarded-for", "203.0.113.9").header("x-forwarded-proto", "https");
        request.send().await.expect("an answer").status().as_u16()
    };
    for path in
        ["/dashboard", "/api/metrics/overview", "/metrics-of-ours/dashboard", "/metrics-of-ours/metrics"]
    {
        assert_eq!(ask(path).await, 404, "{path}");
    }
    assert_eq!(ask("/api/session/ping").await, 204);
    assert_eq!(ask("/metrics-of-ours/api/session/ping?a=b").await, 204);
    let heads = heads.await.expect("two requests");
    assert!(heads[0].starts_with("post /api/session/ping http/1.1\r\n"), "{heads:?}");
    assert!(heads[1].starts_with("post /metrics-of-ours/api/session/ping?a=b http/1.1\r\n"), "{heads:?}");
    let host = site.origin().replace("http://", "host: ");
    for head in heads {
        let lines: Vec<&str> = head.lines().collect();
        for line in [&*host, "x-forwarded-for: 203.0.113.9, 127.0.0.1", "x-forwarded-proto: http"] {
            assert!(lines.contains(&line), "no {line:?}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("x-forwarded-proto")).count(), 1);
    }
}
