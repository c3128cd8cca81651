//! Bad requests: methods, paths, content types, cookies, sizes, bytes.

use crate::input::ENDPOINTS;
use serde_json::json;
use visitflow_testkit::neighbour::Neighbour;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::wire::{exchange, say_and_hang_up, status};
use visitflow_testkit::{Server, password_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_70_kilobytes_is_too_large() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    for path in ENDPOINTS {
        let body = json!({"url": format!("https://{SITE}/"), "filler": "x".repeat(70_000)});
        eve.post(path, &body).as_json().send().await.expect_problem(413, "body-too-large");
    }
    // A body without Content-Length.
    let chunk = format!("{:x}\r\n{}\r\n", 7_000, "x".repeat(7_000));
    let head = format!(
        "POST /api/telemetry/page_view HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address()
    );
    let request = format!("{head}{}0\r\n\r\n", chunk.repeat(10));
    let answer = exchange(&server.address(), request.as_bytes()).await.expect("an answer");
    assert_eq!(status(&answer), Some(413));
    neighbour.assert_unharmed(&server).await;
}

#[tokio::test]
async fn the_wrong_method_is_told_the_right_ones() {
    let server = Server::start().await;
    let eve = server.visitor();
    for path in ENDPOINTS {
        for method in ["GET", "PUT", "DELETE", "PATCH", "BREW"] {
            let answer = eve.request(method, path).send().await;
            let answer = answer.expect_problem(405, "method-not-allowed");
            assert!(answer.lists("allow", "POST"), "{path}: {:?}", answer.headers);
        }
        eve.request("HEAD", path).send().await.expect(405);
    }
    for path in ["/api/metrics/overview", "/visitflow.js"] {
        let answer = eve.post(path, &json!({})).send().await.expect_problem(405, "method-not-allowed");
        assert!(answer.lists("allow", "GET"), "{path}: {:?}", answer.headers);
    }
    server.assert_visits(0);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let server = Server::start().await;
    let eve = server.visitor();
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/session/start/",
        "/nothing",
        "/..%2f..%2fetc/passwd",
        "//x",
        "/%00",
    ] {
        eve.get(path).send().await.expect_problem(404, "not-found");
        eve.post(path, &json!({})).send().await.expect(404);
    }
}

#[tokio::test]
async fn only_telemetry_and_sessions_take_text_plain() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    let login = json!({"username": "alice", "password": password_of("alice")});
    let types = [
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ];
    for content_type in types {
        let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
        view.header("content-type", content_type).send().await.expect(204);
        let start = ada.post("/api/session/start", &json!({}));
        start.header("content-type", content_type).send().await.expect(200);
        for (path, body) in [("/api/auth/login", &login), ("/api/auth/logout", &json!({}))] {
            let answer = ada.post(path, body).header("content-type", content_type).send().await;
            answer.expect_problem(415, "unsupported-media-type");
        }
    }
    ada.post("/api/auth/login", &login).without("content-type").send().await.expect(415);
    ada.post("/api/auth/login", &login)
        .header("content-type", "Application/JSON; charset=utf-8")
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_session_cookie_that_cannot_be_read_is_absent() {
    let server = Server::start().await;
    let long = format!("session_id=s_{}", "A".repeat(5_000));
    let cookies: &[&[u8]] = &[
        b"session_id=",
        b"session_id",
        b"session_id=s_",
        b"session_id=s_.",
        b"session_id=\"\"",
        b"session_id=s_AAAAAAAAAAAAAAAAAAAAAA",
        "session_id=s_é.ü".as_bytes(),
        b"session_id=s_AAAAAAAAAAAAAAAAAAAAAA.AAAA",
        b";;;",
        b"=;=",
        long.as_bytes(),
        b"session_id=s_AAAAAAAAAAAAAAAAAAAAA%.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    for cookie in cookies {
        let shown = String::from_utf8_lossy(cookie);
        let eve = server.visitor();
        let ping = eve.post("/api/session/ping", &json!({})).cookie(*cookie).send().await;
        assert_eq!(ping.status, 401, "{shown}: {}", ping.text());
        let view = eve.post("/api/telemetry/page_view", &eve.page_view("/")).cookie(*cookie).send().await;
        assert_eq!(view.status, 204, "{shown}: {}", view.text());
        assert!(visitflow_testkit::answer::is_token(&eve.token()), "{shown}");
    }
}

#[tokio::test]
async fn two_different_session_cookies_are_refused() {
    let server = Server::start().await;
    let (ada, eve) = (server.visitor(), server.visitor());
    ada.start().await.expect(200);
    eve.start().await.expect(200);
    let both = format!("session_id={}; session_id={}", ada.token(), eve.token());
    for path in ["/api/session/start", "/api/session/ping", "/api/telemetry/page_view"] {
        let request = ada.post(path, &ada.page_view("/")).cookie(both.clone());
        request.send().await.expect_problem(400, "ambiguous-cookie").expect_no_cookie();
    }
    server.assert_page_views(0);
    let same = format!("session_id={0}; session_id={0}", ada.token());
    ada.post("/api/session/ping", &json!({})).cookie(same).send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_http_harm_nobody() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let host = server.address();
    let view = "POST /api/telemetry/page_view HTTP/1.1\r\nHost: x\r\n";
    let requests = [
        "\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        "GET".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(500_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(2_000)),
        "GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
        format!("{view}Content-Length: 100\r\n\r\n{{}}"),
        format!("{view}Content-Length: -1\r\n\r\n{{}}"),
        format!("{view}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"),
        format!("{view}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}"),
        format!("{view}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        format!("{view}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage".to_owned(),
    ];
    for request in requests {
        // A connection that the server closes is an answer too.
        if let Ok(answer) = say_and_hang_up(&host, request.as_bytes()).await {
            let status = status(&answer);
            let shown: String = request.chars().take(60).collect();
            assert!(status.is_none_or(|status| status < 500), "{shown:?}: {status:?}");
        }
    }
    neighbour.assert_unharmed(&server).await;
}
