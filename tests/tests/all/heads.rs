//! The heads of requests: their host, their size, bytes in them that are not text.

use hyper::Request;
use serde_json::json;
use visitflow_testkit::secure::Secure;
use visitflow_testkit::wire::{exchange, status};
use visitflow_testkit::{Server, password_of};

const HEAD_BYTES: usize = 32 * 1024;

/// A cookie, a user agent and so on with raw bytes, as browsers and proxies send them.
const RAW: [&[u8]; 2] = ["K\u{f6}ln".as_bytes(), b"K\xf6ln"];

#[tokio::test]
async fn a_cookie_with_raw_bytes_hides_no_session() {
    let server = Server::with().user("alice").start().await;
    for raw in RAW {
        for odd in ["city=", "=", "", "session_id=", "visitor_id="] {
            let ada = server.visitor();
            ada.start().await.expect(200);
            let cookie = |token: &str| {
                let own = format!("; visitor_id={}; session_id={token}", ada.id);
                [odd.as_bytes(), raw, own.as_bytes()].concat()
            };
            let token = ada.token();
            let body = json!({"url": "https://shop.example/"});
            for path in ["/api/session/ping", "/api/telemetry/page_view", "/api/session/start"] {
                let answer = ada.post(path, &body).cookie(cookie(&token)).send().await;
                assert!(matches!(answer.status, 200 | 204), "{path}: {}", answer.text());
                assert_eq!(ada.token(), token, "{path}");
            }
        }
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions"), 10, "a visit each");
}

#[tokio::test]
async fn a_cookie_with_raw_bytes_keeps_nobody_from_signing_in_and_out() {
    let server = Server::with().admin("alice").start().await;
    let ada = server.visitor();
    let cookie = |token: &str| format!("city=K\u{f6}ln; session_id={token}");
    ada.log_in_to_dashboard("alice").await.expect(200);
    let token = ada.token();
    ada.get("/api/metrics/overview").cookie(cookie(&token)).send().await.expect(200);
    ada.get("/api/metrics/overview").header("referer", "https://a.example/\u{fc}").send().await.expect(200);
    ada.post("/api/auth/logout", &json!({})).as_json().cookie(cookie(&token)).send().await.expect(204);
    let after = server.visitor().get("/api/metrics/overview").cookie(format!("session_id={token}"));
    after.send().await.expect_problem(401, "not-authorized");
    let login = json!({"username": "alice", "password": password_of("alice")});
    let eve = server.visitor();
    eve.post("/api/auth/login", &login).as_json().cookie("city=K\u{f6}ln").send().await.expect(200);
}

#[tokio::test]
async fn http_2_may_send_each_cookie_in_a_header_of_its_own() {
    let secure = Secure::start(Server::with()).await;
    let ada = secure.server.visitor();
    let post = |path: &str, cookies: &[&[u8]]| {
        let mut request = Request::post(format!("https://{}{path}", secure.server.address()));
        for cookie in cookies {
            request = request.header("cookie", *cookie);
        }
        request.body(format!("{{\"visitor_id\":\"{}\"}}", ada.id).into_bytes()).expect("a request")
    };
    let started = secure.ask(post("/api/session/start", &[])).await.expect("an answer").expect(200);
    let token = started.set_cookie("session_id").expect("a cookie").value;
    let cookies = [&b"a=1"[..], b"city=K\xf6ln", &format!("session_id={token}").into_bytes(), b"b=2"];
    secure.ask(post("/api/session/ping", &cookies)).await.expect("an answer").expect(204);
}

#[tokio::test]
async fn a_robot_with_raw_bytes_in_its_name_is_a_robot() {
    let server = Server::start().await;
    let host = server.address();
    for raw in RAW {
        let agent = [b"Mozilla/5.0 (compatible; Googlebot/2.1; ", raw, b")"].concat();
        let body = r#"{"url":"https://shop.example/"}"#;
        let head = format!(
            "POST /api/telemetry/page_view HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nUser-Agent: ",
            body.len()
        );
        let request = [head.as_bytes(), &agent, b"\r\n\r\n", body.as_bytes()].concat();
        assert_eq!(status(&exchange(&host, &request).await.expect("an answer")), Some(204));
    }
    server.assert_page_views(0);
}

#[tokio::test]
async fn raw_bytes_in_a_header_leave_the_rest_of_it_readable() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    let login = json!({"username": "alice", "password": password_of("alice")});
    let typed = "application/json; charset=K\u{f6}ln";
    ada.post("/api/auth/login", &login).header("content-type", typed).send().await.expect(200);
    let view = || ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view().header("referer", "https://K\u{f6}ln.example/").send().await.expect(204);
    view().header("x-forwarded-for", "K\u{f6}ln, 198.51.100.1").send().await.expect(204);
    view().header("accept-language", "K\u{f6}ln").send().await.expect(204);
    view().header("sec-gpc", "K\u{f6}ln").send().await.expect(204);
    view().header("origin", "https://K\u{f6}ln.example").send().await.expect_problem(403, "foreign-origin");
    view().header("authorization", "Bearer vf_K\u{f6}ln").send().await.expect_problem(401, "not-authorized");
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_bad() {
    let server = Server::start().await;
    let admin = server.admin_origin().trim_start_matches("http://").to_owned();
    for address in [&server.address(), &admin] {
        for (head, expected) in [
            ("GET /nothing HTTP/1.1\r\n", 400),
            ("GET /nothing HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
            ("GET /nothing HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
            ("GET /nothing HTTP/1.1\r\nHost:\r\n", 400),
            ("GET /nothing HTTP/1.1\r\nHost: a b\r\n", 400),
            ("GET /nothing HTTP/1.1\r\nHost: K\u{f6}ln\r\n", 400),
            ("GET http://a/nothing HTTP/1.1\r\n", 400),
            ("GET http://a/nothing HTTP/1.1\r\nHost: a\r\n", 404),
            ("GET /nothing HTTP/1.1\r\nhost: A.example:443\r\n", 404),
            ("GET /nothing HTTP/1.0\r\n", 404),
        ] {
            let answer = exchange(address, format!("{head}\r\n").as_bytes()).await.expect("an answer");
            let text = String::from_utf8_lossy(&answer);
            let line = text.lines().next().unwrap_or_default();
            assert!(line.contains(&format!(" {expected} ")), "{head:?}: {line}");
        }
    }
}

#[tokio::test]
async fn http_2_names_one_host() {
    let secure = Secure::start(Server::with()).await;
    let get = |hosts: &[&str]| {
        let mut request = Request::get("https://a.example/nothing");
        for host in hosts {
            request = request.header("host", *host);
        }
        request.body(Vec::new()).expect("a request")
    };
    for (hosts, expected) in
        [(&[][..], 404), (&["a.example"], 404), (&["b.example"], 400), (&["a.example", "a.example"], 400)]
    {
        secure.ask(get(hosts)).await.expect("an answer").expect(expected);
    }
}

#[tokio::test]
async fn a_head_of_32_kib_is_taken_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let host = server.address();
    for (bytes, expected) in
        [(HEAD_BYTES - 1, 404), (HEAD_BYTES, 404), (HEAD_BYTES + 1, 431), (HEAD_BYTES * 2, 431)]
    {
        let begin = format!("GET /nothing HTTP/1.1\r\nHost: {host}\r\nCookie: ");
        let head = format!("{begin}{}\r\n\r\n", "x".repeat(bytes - begin.len() - 4));
        let answer = exchange(&host, head.as_bytes()).await.expect("an answer");
        assert_eq!(status(&answer), Some(expected), "{bytes}");
        // In two pieces, as a network brings it.
        let (first, second) = head.as_bytes().split_at(bytes / 2);
        let mut stream = tokio::net::TcpStream::connect(&host).await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut stream, first).await.expect("half");
        tokio::task::yield_now().await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, second).await; // the first may be too much
        let mut answer = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.expect("an answer");
        assert_eq!(status(&answer), Some(expected), "{bytes}");
    }
}

#[tokio::test]
async fn an_http_2_head_has_the_same_limit() {
    let secure = Secure::start(Server::with()).await;
    let host = secure.server.address();
    let overhead = 32;
    let pseudo =
        [(":method", "GET"), (":scheme", "https"), (":authority", host.as_str()), (":path", "/nothing")];
    let pseudo: usize = pseudo.iter().map(|(name, value)| name.len() + value.len() + overhead).sum();
    for (bytes, expected) in [(HEAD_BYTES - 1, 404), (HEAD_BYTES, 404), (HEAD_BYTES + 1, 431)] {
        let value = "x".repeat(bytes - pseudo - "x-filler".len() - overhead);
        let request = Request::get(format!("https://{host}/nothing")).header("x-filler", value);
        let answer = secure.ask(request.body(Vec::new()).expect("a request")).await;
        assert_eq!(answer.expect("an answer").status, expected, "{bytes}");
    }
}
