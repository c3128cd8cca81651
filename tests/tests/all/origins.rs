//! Requests that come from other origins.

use serde_json::json;
use visitflow_e2e::visitor::SITE;
use visitflow_e2e::{Server, Visitor};

const SHOP: &str = "https://shop.example";

fn foreign_requests(eve: &Visitor) -> [visitflow_e2e::visitor::Request; 6] {
    [
        eve.post("/api/session/start", &json!({"url": format!("https://{SITE}/")})),
        eve.post("/api/telemetry/page_view", &eve.page_view("/")),
        eve.post("/api/telemetry/event", &json!({"name": "x", "url": format!("https://{SITE}/")})),
        eve.post("/api/telemetry/order", &json!({"id": "1", "amount": "1", "currency": "EUR"})),
        eve.post("/api/session/end", &json!({})),
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
    // No origin, but the browser says that another site asks.
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
async fn a_public_url_replaces_what_the_request_says() {
    let server = Server::with().flag("--public-url", "https://stats.example").start().await;
    let ada = server.visitor();
    let view = || ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view().header("origin", "https://stats.example").send().await.expect(204);
    view().send().await.expect_problem(403, "foreign-origin");
    server.assert_page_views(1);
}
