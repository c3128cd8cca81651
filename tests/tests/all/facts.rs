//! Page views, events and orders: what is stored, once, and what is not.

use serde_json::{Value, json};
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Answer, Server, Visitor, fact_id};

#[tokio::test]
async fn the_same_page_view_is_stored_once() {
    let server = Server::start().await;
    let ada = server.visitor();
    let view = ada.page_view("/shoes");
    for sender in [&ada, &ada, &ada.without_session(), &server.visitor()] {
        sender.send_view(&view).await.expect(204);
    }
    server.assert_page_views(1);
    ada.send_view(&json!([view, view])).await.expect(204);
    server.assert_page_views(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_that_races_the_first_is_stored_once() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let view = ada.page_view("/shoes");
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let (ada, view) = (ada.clone(), view.clone());
            tokio::spawn(async move { ada.send_view(&view).await.expect(204) })
        })
        .collect();
    for send in sends {
        send.await.expect("an answer");
    }
    server.assert_page_views(1);
}

#[tokio::test]
async fn a_duplicate_starts_no_visit() {
    let server = Server::start().await;
    let ada = server.visitor();
    let view = ada.page_view("/");
    ada.send_view(&view).await.expect(204);
    let stranger = server.visitor();
    stranger.send_view(&view).await.expect(204);
    server.assert_visits(1);
}

#[tokio::test]
async fn one_bad_item_of_an_array_is_named_and_the_others_are_stored() {
    let server = Server::start().await;
    let ada = server.visitor();
    let mut views: Vec<Value> = (0..5).map(|n| ada.page_view(&format!("/{n}"))).collect();
    views[3]["id"] = json!("0193a5e7-7c1b-4f6a-9d2e-3b4c5d6e7f80");
    let problem = ada.send_view(&json!(views)).await.expect_problem(400, "rejected-items").json();
    assert_eq!(problem["rejected"].as_array().map(Vec::len), Some(1), "{problem}");
    assert_eq!(problem["rejected"][0]["index"], 3);
    assert_eq!(problem["rejected"][0]["type"], "invalid-field");
    assert_eq!(server.texts("SELECT path FROM page_views ORDER BY path"), ["/0", "/1", "/2", "/4"]);
    ada.send_view(&json!(vec![ada.page_view("/x"); 101])).await.expect(400);
    server.assert_page_views(4);
}

#[tokio::test]
async fn an_anonymous_page_view_touches_no_cookie_and_makes_no_visit() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let token = ada.token();
    let activity = "SELECT last_activity FROM session_tokens";
    let before = server.number(activity);
    let mut view = ada.page_view("/anonymous");
    view["anonymous"] = json!(true);
    ada.send_view(&view).await.expect(204).expect_no_cookie();
    server
        .visitor()
        .send_view(&json!({"url": format!("https://{SITE}/no-id"), "anonymous": true}))
        .await
        .expect(204)
        .expect_no_cookie();
    assert_eq!((ada.token(), server.number(activity)), (token, before));
    server.assert_visits(1);
    server.assert_page_views(3);
    let bound = "SELECT COUNT(*) FROM page_views WHERE visit_id IS NULL";
    assert_eq!(server.number(bound), 2);
}

#[tokio::test]
async fn global_privacy_control_makes_telemetry_anonymous() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.post("/api/telemetry/page_view", &ada.page_view("/"))
        .header("sec-gpc", "1")
        .send()
        .await
        .expect(204)
        .expect_no_cookie();
    server.assert_page_views(1);
    server.assert_visits(0);
    assert_eq!(server.number("SELECT COUNT(*) FROM visitors"), 0);
    let indifferent = Server::with().flag("--gpc", "ignore").start().await;
    let ada = indifferent.visitor();
    let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view.header("sec-gpc", "1").send().await.expect(204);
    indifferent.assert_visits(1);
}

#[tokio::test]
async fn robots_are_answered_and_not_stored() {
    const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let server = Server::start().await;
    for path in ["/api/telemetry/page_view", "/api/telemetry/event", "/api/telemetry/order"] {
        let ada = server.visitor();
        let mut body = ada.page_view("/");
        if path.ends_with("event") {
            body["name"] = json!("play");
        }
        if path.ends_with("order") {
            body = json!({"id": "1", "amount": "1.00", "currency": "EUR"});
        }
        let mut automated = body.clone();
        automated["webdriver"] = json!(true);
        let hits = [
            ada.post(path, &body).header("user-agent", GOOGLEBOT),
            ada.post(path, &automated),
            ada.post(path, &body).header("sec-purpose", "prefetch;prerender"),
            ada.post(path, &body).header("sec-purpose", "prefetch"),
        ];
        for hit in hits {
            hit.send().await.expect(204).expect_no_cookie();
        }
    }
    let ada = server.visitor();
    let start = json!({"visitor_id": ada.id, "url": format!("https://{SITE}/")});
    let answer = ada.post("/api/session/start", &start).header("user-agent", GOOGLEBOT).send().await;
    answer.expect_no_cookie();
    for table in ["sessions", "session_tokens", "visitors", "page_views", "events", "orders"] {
        assert_eq!(server.number(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn facts_say_where_they_happened_and_when() {
    let server = Server::start().await;
    let ada = server.visitor();
    let view = json!({
        "id": fact_id(), "visitor_id": ada.id, "url": "https://WWW.Shop.example:8443/a?b=c#d",
        "referrer": "https://duckduckgo.com/", "title": "Shoes", "age_ms": 5000,
        "device": {"screen_width": 1280, "language": "de"}, "unknown": {"ignored": []},
    });
    ada.send_view(&view).await.expect(204);
    let sql =
        "SELECT site || ' ' || path || ' ' || referrer || ' ' || (received_at - occurred_at) FROM page_views";
    assert_eq!(server.texts(sql), ["shop.example /a https://duckduckgo.com/ 5000"]);
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions, page_views WHERE started_at = occurred_at"), 1);
    let named =
        json!({"id": fact_id(), "visitor_id": ada.id, "url": "https://a.example/", "site": "Other.Example"});
    server.visitor().send_view(&named).await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE site = 'other.example'"), 1);
}

#[tokio::test]
async fn an_event_is_stored_with_its_properties() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let event = json!({"id": fact_id(), "name": "play", "props": {"song": "Ода", "n": [1, 2.5, null]}});
    for _ in 0..2 {
        ada.post("/api/telemetry/event", &event).send().await.expect(204);
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM events JOIN sessions ON visit_id = sessions.id"), 1);
    let stored = server.texts("SELECT props FROM events").concat();
    assert_eq!(serde_json::from_str::<Value>(&stored).expect("JSON"), event["props"]);
}

async fn order(visitor: &Visitor, body: Value) -> Answer {
    visitor.post("/api/telemetry/order", &body).send().await
}

#[tokio::test]
async fn an_order_is_stored_once_by_the_shop_s_own_id() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for _ in 0..2 {
        ada.order("#1001", "49.90", "EUR").await.expect(204);
    }
    ada.order("#1002", "0", "EUR").await.expect(204);
    let sql = "SELECT orders.id || ' ' || amount || ' ' || source FROM orders JOIN sessions ON visit_id = sessions.id ORDER BY 1";
    assert_eq!(server.texts(sql), ["#1001 49.90 browser", "#1002 0 browser"]);
}

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_refused() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for amount in ["", "1e3", "1,00", " 1", "1.00000", "1234567890123", "NaN", "0x1", "--1", ".", "1."] {
        let answer = ada.order("1", amount, "EUR").await;
        assert_eq!(answer.status, 400, "amount {amount:?}: {}", answer.text());
    }
    for currency in ["", "EURO", "E1R", "€€€"] {
        let answer = ada.order("1", "1.00", currency).await;
        assert_eq!(answer.status, 400, "currency {currency:?}: {}", answer.text());
    }
    for id in [String::new(), "x".repeat(65)] {
        ada.order(&id, "1.00", "EUR").await.expect_problem(400, "invalid-field");
    }
    order(&ada, json!({"id": "1", "amount": 1.5, "currency": "EUR"})).await.expect(400);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 0);
}

#[tokio::test]
async fn an_order_starts_no_visit() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.order("1", "1.00", "EUR").await;
    server.assert_visits(0);
    assert_eq!(ada.session(), None);
}

#[tokio::test]
async fn the_shop_s_server_has_the_last_word_on_an_order() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.order("7", "1.00", "EUR").await.expect(204);
    let body = json!({"id": "7", "amount": "49.90", "currency": "EUR", "visitor_id": ada.id, "site": SITE});
    let shop = server.visitor();
    let by_key = || {
        shop.post("/api/telemetry/order", &body)
            .bearer(&key)
            .cookie("")
            .without("origin")
            .without("sec-fetch-site")
    };
    by_key().send().await.expect(204).expect_no_cookie();
    ada.order("7", "1.00", "EUR").await.expect(204);
    assert_eq!(server.texts("SELECT amount || ' ' || source FROM orders"), ["49.90 api"]);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders JOIN sessions ON visit_id = sessions.id"), 1);
    server.assert_visits(1);
}

#[tokio::test]
async fn with_orders_from_servers_alone_a_browser_s_order_is_refused() {
    let server = Server::with().flag("--orders", "server").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.order("7", "1.00", "EUR").await.expect(403);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 0);
}
