//! Requests that come from other origins.

use serde_json::json;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Server, Visitor};

const SHOP: &str = "https://shop.example";

fn foreign_requests(eve: &Visitor) -> [visitflow_testkit::visitor::Request; 7] {
    [
        eve.post("/api/session/start", &json!({"url": format!("https://{SITE}/")})),
        eve.post("/api/telemetry/page_view", &eve.page_view("/")),
        eve.post("/api/telemetry/event", &json!({"name": "x", "url": format!("https://{SITE}/")})),
        eve.post("/api/telemetry/order", &json!({"id": "1", "amount": "1", "currency": "EUR"})),
        eve.post("/api/session/end", &json!({})),
        eve.post("/api/session/forget", &json!({})),
        eve.post("/api/auth/logout", &json!({})).as_json(),
    ]
}

#[tokio::test]
async fn a_post_from_a_foreign_origin_is_refused_without_side_effect() {
    let server = Server::with().flag("--allowed-origin", SHOP).user("alice").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let host = server.address();
    let origins = [
        "https://evil.example".to_owned(),
        "http://shop.example".to_owned(),
        "https://shop.example:8443".to_owned(),
        "https://shop.example.evil.example".to_owned(),
        "https://evilshop.example".to_owned(),
        "https://sub.shop.example".to_owned(),
        "https://shop.example/".to_owned(),
        "https://shop.example@evil.example".to_owned(),
        format!("http://evil.{host}"),
        format!("https://{host}"),
        "http://localhost:1".to_owned(),
        "file://".to_owned(),
        "nonsense".to_owned(),
    ];
    for origin in &origins {
        for request in foreign_requests(&ada) {
            let answer = request.header("origin", origin).header("sec-fetch-site", "cross-site").send().await;
            let answer = answer.expect_problem(403, "foreign-origin").expect_no_cookie();
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    // No `Origin`, but `Sec-Fetch-Site` names another site.
    for site in ["cross-site", "same-site"] {
        for origin in [None, Some("null")] {
            for request in foreign_requests(&ada) {
                let request = match origin {
                    Some(origin) => request.header("origin", origin),
                    None => request.without("origin"),
                };
                request.header("sec-fetch-site", site).send().await.expect_problem(403, "foreign-origin");
            }
        }
    }
    server.assert_visits(1);
    server.assert_page_views(1);
    for table in ["events", "orders"] {
        assert_eq!(server.number(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn the_server_s_own_pages_and_programs_may_post() {
    let server = Server::start().await;
    let ada = server.visitor();
    let view = || ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view().send().await.expect(204);
    view().without("origin").header("sec-fetch-site", "same-origin").send().await.expect(204);
    view().header("origin", "null").header("sec-fetch-site", "same-origin").send().await.expect(204);
    view().without("origin").header("sec-fetch-site", "none").send().await.expect(204);
    view().without("origin").without("sec-fetch-site").send().await.expect(204);
    server.assert_page_views(5);
}

#[tokio::test]
async fn an_api_key_passes_from_anywhere() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let shop = server.visitor();
    let body = json!({"id": "1", "amount": "1.00", "currency": "EUR", "site": SITE});
    let order = |key: &str| {
        let request = shop.post("/api/telemetry/order", &body).cookie("").bearer(key);
        request.header("origin", "https://backend.example").header("sec-fetch-site", "cross-site")
    };
    order(&key).send().await.expect(204);
    let wrong = order("vf_wrong").send().await;
    assert!(wrong.status == 401 || wrong.status == 403, "{}", wrong.text());
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 1);
}

#[tokio::test]
async fn an_allowed_origin_is_named_exactly_with_credentials() {
    let server = Server::with().flag("--allowed-origin", SHOP).start().await;
    let ada = server.visitor();
    let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    let answer = view.header("origin", SHOP).header("sec-fetch-site", "cross-site").send().await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert!(answer.lists("vary", "origin"), "{:?}", answer.headers);
    let refused =
        ada.post("/api/session/ping", &json!({})).cookie("").header("origin", SHOP).send().await.expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), Some(SHOP), "errors can be read too");
    server.assert_page_views(1);
}

#[tokio::test]
async fn preflight_is_answered_with_headers_for_allowed_origins_alone() {
    let server = Server::with().flag("--allowed-origin", SHOP).start().await;
    let ada = server.visitor();
    let preflight = |origin: &str, path: &str| {
        ada.request("OPTIONS", path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
    };
    for path in ["/api/session/start", "/api/telemetry/page_view", "/api/auth/login"] {
        let answer = preflight(SHOP, path).send().await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let methods = answer.header("access-control-allow-methods").unwrap_or_default();
        assert!(methods.contains("POST"), "{methods:?}");
        let headers = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(headers.to_lowercase().contains("content-type"), "{headers:?}");
        assert!(answer.lists("vary", "origin"), "{:?}", answer.headers);
        for origin in
            ["https://evil.example", "https://shop.example.evil.example", "HTTPS://SHOP.EXAMPLE.", "null"]
        {
            let answer = preflight(origin, path).send().await.expect(204);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
        }
    }
}

#[tokio::test]
async fn a_preflight_of_an_allowed_origin_allows_any_header_that_is_a_token() {
    let server = Server::with().flag("--allowed-origin", SHOP).start().await;
    let preflight = |origin: &str| {
        let request = server.visitor().request("OPTIONS", "/api/telemetry/page_view");
        request
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "baggage,sentry-trace, traceparent,a b,K\u{f6}ln")
    };
    let answer = preflight(SHOP).send().await.expect(204);
    for name in ["content-type", "authorization", "baggage", "sentry-trace", "traceparent"] {
        assert!(answer.lists("access-control-allow-headers", name), "{name}: {:?}", answer.headers);
    }
    let allowed = answer.header("access-control-allow-headers").unwrap_or_default();
    assert!(!allowed.contains("a b") && !allowed.contains("ln"), "{allowed}");
    let refused = preflight("https://evil.example").send().await.expect(204);
    assert_eq!(refused.header("access-control-allow-headers"), None);
}

#[tokio::test]
async fn default_ports_case_and_a_dot_at_the_end_make_no_other_origin() {
    let allowed = "https://Listed.example:443";
    let server = Server::with().flag("--allowed-origin", allowed).start().await;
    let send = async |host: &str, scheme: &str, origin: &str| {
        let ada = server.visitor();
        let view = ada.post("/api/telemetry/page_view", &ada.page_view("/")).header("origin", origin);
        view.header("x-forwarded-proto", scheme).header("x-forwarded-host", host).send().await.status
    };
    for (host, scheme, origin) in [
        ("shop.test", "https", "https://shop.test"),
        ("shop.test:443", "https", "https://shop.test"),
        ("Shop.Test:443", "https", "https://shop.test"),
        ("shop.test", "https", "https://shop.test:443"),
        ("shop.test.", "https", "https://shop.test"),
        ("shop.test:80", "http", "http://shop.test"),
        // TLS ends one hop before the proxy that writes its own port.
        ("shop.test:80", "https", "https://shop.test"),
        ("[2001:DB8:0::1]:443", "https", "https://[2001:db8::1]"),
        ("anything", "http", "https://listed.example"),
        ("anything", "http", "https://listed.example:443"),
    ] {
        assert_eq!(send(host, scheme, origin).await, 204, "{host} {scheme} {origin}");
    }
    for (host, scheme, origin) in [
        ("shop.test:444", "https", "https://shop.test"),
        ("shop.test:443", "http", "https://shop.test"),
        ("shop.test", "http", "https://shop.test"),
        ("a b", "https", "https://shop.test"),
    ] {
        assert_eq!(send(host, scheme, origin).await, 403, "{host} {scheme} {origin}");
    }
    // Without a proxy in between it is the Host header.
    let ada = server.visitor();
    let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view.header("host", "shop.test:80").header("origin", "http://shop.test").send().await.expect(204);
}

#[tokio::test]
async fn the_operator_sees_which_origin_was_refused() {
    let server = Server::start().await;
    let (ada, key) = (server.visitor(), server.add_key("reports").await);
    let refused = async || {
        let answer = server.visitor().get("/api/metrics/refused").bearer(&key).send().await.expect(200);
        answer.json()["refused"].clone()
    };
    assert_eq!(refused().await, json!([]));
    let send = async |origin: &str| {
        let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
        let view = view.header("origin", origin).header("sec-fetch-site", "cross-site");
        view.send().await.expect_problem(403, "foreign-origin");
    };
    send("https://blog.example").await;
    for _ in 0..3 {
        send(SHOP).await;
    }
    let preflight = ada.request("OPTIONS", "/api/telemetry/page_view").header("origin", SHOP);
    preflight.header("access-control-request-method", "POST").send().await.expect(204);
    for odd in ["<script>alert(1)</script>", "https://a.example/b", "nonsense"] {
        send(odd).await;
    }
    let seen = refused().await;
    assert_eq!(seen.as_array().map(Vec::len), Some(2), "{seen}");
    assert!(seen[0]["advice"].as_str().unwrap_or_default().contains("--allowed-origin"), "{seen}");
    assert_eq!((&seen[0]["origin"], &seen[0]["requests"]), (&json!(SHOP), &json!(4)));
    assert_eq!((&seen[1]["origin"], &seen[1]["requests"]), (&json!("https://blog.example"), &json!(1)));
    let last_at = seen[0]["last_at"].as_str().unwrap_or_default();
    assert!(last_at.starts_with("20") && last_at.ends_with('Z'), "{last_at}");
    for app in ["null", "capacitor://localhost"] {
        send(app).await;
    }
    let seen = refused().await;
    assert_eq!((&seen[0]["origin"], &seen[1]["origin"]), (&json!("capacitor://localhost"), &json!("null")));

    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(SHOP)).collect();
    assert_eq!(lines.len(), 1, "one line a minute: {log}");
    assert!(lines[0].contains("INFO") && lines[0].contains(&format!("--allowed-origin {SHOP}")), "{log}");
    assert!(!log.contains("script") && !log.contains("nonsense"), "{log}");
    for told in ["Origin: null; pages without an origin", "Origin: capacitor://localhost; only http"] {
        assert!(log.contains(told), "{log}");
    }
    let text = server.ask_admin("/metrics").await.expect(200).text();
    assert!(text.lines().any(|line| line == "visitflow_foreign_origin_total 10"), "{text}");
}

#[tokio::test]
async fn those_who_may_read_reports_see_refused_origins() {
    let server = Server::with().admin("alice").user("bob").start().await;
    let path = "/api/metrics/refused";
    server.visitor().get(path).send().await.expect_problem(401, "not-authorized");
    let bob = server.visitor();
    bob.log_in_to_dashboard("bob").await.expect(200);
    bob.get(path).send().await.expect_problem(403, "forbidden");
    let alice = server.visitor();
    alice.log_in_to_dashboard("alice").await.expect(200);
    assert_eq!(alice.get(path).send().await.expect(200).json(), json!({"refused": []}));
    let key = server.run(&["key", "add", "facts", "--scope", "write"], "").await;
    server.visitor().get(path).bearer(key.trim()).send().await.expect_problem(403, "forbidden");
    alice.post(path, &json!({})).send().await.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_public_url_replaces_what_the_request_says() {
    let server = Server::with().flag("--public-url", "https://stats.example").start().await;
    let ada = server.visitor();
    let view = || ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view().header("origin", "https://stats.example").send().await.expect(204);
    view().send().await.expect_problem(403, "foreign-origin");
    server.assert_page_views(1);
}
