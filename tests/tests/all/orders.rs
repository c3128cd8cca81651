//! Refunds, and orders that are reported twice.

use serde_json::{Value, json};
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Answer, Server, Visitor};

/// Sends as the shop's own server does.
async fn by_key(shop: &Visitor, key: &str, body: &Value) -> Answer {
    let request = shop.post("/api/telemetry/order", body).bearer(key).cookie("");
    request.without("origin").without("sec-fetch-site").send().await
}

fn refund(id: &str, amount: &str, currency: &str) -> Value {
    json!({"id": id, "refund_of": "7", "amount": amount, "currency": currency, "site": SITE})
}

#[tokio::test]
async fn a_refund_leaves_orders_and_conversion_as_they_are() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.order("7", "50.00", "EUR").await.expect(204);
    let shop = server.visitor();
    for _ in 0..2 {
        for (id, amount) in [("R-1", "20.00"), ("R-2", "10.5"), ("7", "1")] {
            by_key(&shop, &key, &refund(id, amount, "EUR")).await.expect(204).expect_no_cookie();
        }
    }
    by_key(&shop, &key, &refund("R-3", "3", "CHF")).await.expect(204);
    let report = server.overview(&key, "").await;
    assert_eq!((&report["orders"], &report["all_orders"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(report["conversion_rate"].as_f64(), Some(100.0));
    assert_eq!(
        (&report["converted_visits"], report["visit_conversion_rate"].as_f64()),
        (&json!(1), Some(100.0))
    );
    assert_eq!(
        (report["revenue"].as_f64(), report["average_order_value"].as_f64()),
        (Some(50.0), Some(50.0))
    );
    assert_eq!((&report["refunds"], report["refunded"].as_f64()), (&json!(3), Some(31.5)));
    assert_eq!(report["net_revenue"].as_f64(), Some(18.5));
    let francs = json!({"currency": "CHF", "orders": 0, "revenue": 0.0, "average_order_value": null,
        "refunds": 1, "refunded": 3.0, "net_revenue": -3.0});
    assert_eq!(report["by_currency"][1], francs);
    let of_ada = format!("SELECT COUNT(*) FROM refunds WHERE visitor_id = '{}'", ada.id);
    assert_eq!(server.number(&of_ada), 4);
    server.assert_visits(1);

    ada.erase().await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM refunds"), 0, "they go with the order");
}

#[tokio::test]
async fn the_shop_s_server_may_call_itself_a_tool() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let shop = server.visitor();
    for agent in ["curl/8.5.0", "python-requests/2.32", "Go-http-client/1.1"] {
        let order = json!({"id": agent, "amount": "1", "currency": "EUR", "site": SITE});
        let request = shop.post("/api/telemetry/order", &order).bearer(&key).header("user-agent", agent);
        request.cookie("").without("origin").without("sec-fetch-site").send().await.expect(204);
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 3);
}

#[tokio::test]
async fn an_api_key_s_fact_without_a_site_is_refused_and_not_assigned_to_the_server_s_host() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let (ada, shop) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    let order = json!({"id": "7", "amount": "5", "currency": "EUR"});
    let with = |field: &str, value: &str| {
        let mut order = order.clone();
        order[field] = json!(value);
        order
    };
    for nowhere in [order.clone(), with("user_id", "ada"), with("refund_of", "6"), with("url", "/checkout")] {
        let refused = by_key(&shop, &key, &nowhere).await.expect_problem(400, "invalid-field");
        assert!(refused.text().contains("`site` is missing"), "{}", refused.text());
    }
    let mut paid_back = with("refund_of", "6");
    paid_back["visitor_id"] = json!(ada.id);
    by_key(&shop, &key, &paid_back).await.expect_problem(400, "invalid-field");
    let event = shop.post("/api/telemetry/event", &json!({"name": "shipped"})).bearer(&key);
    event.cookie("").without("origin").send().await.expect_problem(400, "invalid-field");
    let whose = [with("visitor_id", &ada.id), with("url", &format!("https://{SITE}/checkout"))];
    for (body, id) in whose.into_iter().zip(["1", "2"]) {
        let mut body = body;
        body["id"] = json!(id);
        by_key(&shop, &key, &body).await.expect(204);
    }
    assert_eq!(
        server.texts("SELECT id || site FROM orders ORDER BY id"),
        [format!("1{SITE}"), format!("2{SITE}")]
    );
    assert_eq!(server.number("SELECT (SELECT COUNT(*) FROM refunds) + (SELECT COUNT(*) FROM events)"), 0);
}

/// Clients that write every field write `null` for what is not there.
#[tokio::test]
async fn an_order_whose_refund_of_is_null_is_an_order() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let order = json!({"id": "7", "refund_of": null, "amount": "5", "currency": "EUR", "site": SITE});
    by_key(&server.visitor(), &key, &order).await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 1);
    assert_eq!(server.number("SELECT COUNT(*) FROM refunds"), 0);
}

#[tokio::test]
async fn a_refund_needs_an_api_key() {
    let server = Server::with().admin("root").start().await;
    let (key, reader) =
        (server.add_key("shop").await, server.run(&["key", "add", "r", "--scope", "read"], "").await);
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let post = async |body: Value| ada.post("/api/telemetry/order", &body).send().await;
    let refused = post(refund("R-1", "1", "EUR")).await.expect_problem(403, "forbidden");
    assert!(refused.json()["detail"].as_str().unwrap_or_default().contains("API key"), "{}", refused.text());
    // Neither does a field that is wrong besides hide it, nor an empty number of an order.
    post(json!({"refund_of": "", "amount": "-1"})).await.expect_problem(403, "forbidden");
    let mixed = post(json!([{"id": "7", "amount": "5", "currency": "EUR"}, refund("R-1", "1", "EUR")])).await;
    let mixed = mixed.expect_problem(400, "rejected-items");
    assert_eq!(mixed.json()["rejected"][0]["index"], 1, "{}", mixed.text());
    assert_eq!(mixed.json()["rejected"][0]["type"], "forbidden");
    // An admin's session is a browser too.
    let root = server.visitor();
    root.log_in("root").await.expect(200);
    root.post("/api/telemetry/order", &refund("R-1", "1", "EUR")).send().await.expect(403);
    by_key(&server.visitor(), reader.trim(), &refund("R-1", "1", "EUR")).await.expect(403);
    assert_eq!(server.number("SELECT COUNT(*) FROM refunds"), 0);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), 1);
    by_key(&server.visitor(), &key, &json!([refund("R-1", "1", "EUR")])).await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM refunds"), 1);
}

#[tokio::test]
async fn a_refund_that_breaks_a_rule_is_refused_and_an_order_is_not_negative() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let shop = server.visitor();
    for amount in ["0", "0.00", "-1", "-0", "", "1e3", "1.23456"] {
        by_key(&shop, &key, &refund("R-1", amount, "EUR")).await.expect_problem(400, "invalid-field");
    }
    for (field, value) in [
        ("id", json!("")),
        ("id", Value::Null),
        ("refund_of", json!("")),
        ("refund_of", json!("x".repeat(65))),
        ("refund_of", json!("a\u{0}b")),
        ("currency", json!("EURO")),
    ] {
        let mut body = refund("R-1", "1", "EUR");
        body[field] = value;
        by_key(&shop, &key, &body).await.expect_problem(400, "invalid-field");
    }
    let negative = json!({"id": "7", "amount": "-5", "currency": "EUR"});
    for answer in [by_key(&shop, &key, &negative).await, shop.order("7", "-5", "EUR").await] {
        let answer = answer.expect_problem(400, "invalid-field");
        assert!(
            answer.json()["detail"].as_str().unwrap_or_default().contains("refund_of"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(server.number("SELECT (SELECT COUNT(*) FROM orders) + (SELECT COUNT(*) FROM refunds)"), 0);
}

#[tokio::test]
async fn an_order_that_two_browsers_tell_differently_is_disputed_until_the_shop_tells() {
    let server = Server::start().await;
    let key = server.add_key("shop").await;
    let (eve, ada) = (server.visitor(), server.visitor());
    for visitor in [&eve, &ada] {
        visitor.view("/").await.expect(204);
    }
    eve.order("7", "0.01", "EUR").await.expect(204);
    eve.order("7", "0.01", "EUR").await.expect(204);
    assert_eq!(server.overview(&key, "").await["disputed_orders"], 0);
    ada.order("7", "100.00", "EUR").await.expect(204);
    ada.order("8", "5", "USD").await.expect(204);
    eve.order("8", "5", "CHF").await.expect(204);
    let report = server.overview(&key, "").await;
    assert_eq!((&report["disputed_orders"], &report["all_orders"]), (&json!(2), &json!(2)), "{report}");
    let shop = server.visitor();
    let order = json!({"id": "7", "amount": "100.00", "currency": "EUR", "site": SITE});
    by_key(&shop, &key, &order).await.expect(204);
    eve.order("7", "0.01", "EUR").await.expect(204);
    let report = server.overview(&key, "?currency=EUR").await;
    assert_eq!(
        (&report["disputed_orders"], report["revenue"].as_f64()),
        (&json!(1), Some(100.0)),
        "{report}"
    );
}
