//! Bad bodies get a clear answer and do not affect other requests.

use serde_json::{Value, json};
use visitflow_testkit::neighbour::Neighbour;
use visitflow_testkit::random::Random;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Answer, Server, Visitor, fact_id};

/// The endpoints that take a body.
pub(crate) const ENDPOINTS: &[&str] = &[
    "/api/session/start",
    "/api/session/ping",
    "/api/session/end",
    "/api/session/forget",
    "/api/telemetry/page_view",
    "/api/telemetry/event",
    "/api/telemetry/order",
    "/api/auth/login",
    "/api/auth/logout",
];

const FACTS: &[&str] = &["/api/telemetry/page_view", "/api/telemetry/event", "/api/telemetry/order"];

async fn post(visitor: &Visitor, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    visitor.post_bytes(path, body.into()).as_json().send().await
}

/// A page view with one field replaced by any JSON text.
fn view_with(field: &str, value: &str) -> String {
    let body = json!({"id": fact_id(), "url": format!("https://{SITE}/bad"), field: "REPLACE"});
    body.to_string().replacen("\"REPLACE\"", value, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_object_is_malformed() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"{",
        b"[",
        b"{\"url\":\"https://shop.ex",
        b"nonsense",
        b"null",
        b"true",
        b"1",
        b"\"text\"",
        b"{}{}",
        b"{\"a\":1,}",
        b"\xff\xfe{}",
        b"{'url':'x'}",
        b"NaN",
    ];
    for path in FACTS.iter().chain(&["/api/auth/login"]) {
        for body in bodies {
            let answer = post(&eve, path, *body).await;
            let shown = String::from_utf8_lossy(body);
            assert_eq!(answer.status, 400, "{path} {shown:?}: {}", answer.text());
            answer.expect_problem(400, "malformed-body");
        }
    }
    for path in ENDPOINTS {
        post(&eve, path, "{\"truncated").await.expect_problem(400, "malformed-body");
    }
    for path in ENDPOINTS.iter().filter(|path| !FACTS.contains(path)) {
        post(&eve, path, "[]").await.expect_problem(400, "malformed-body");
    }
    let not_utf_8 = b"{\"url\":\"https://shop.example/\xc3\x28\"}";
    post(&eve, FACTS[0], *not_utf_8).await.expect_problem(400, "malformed-body");
    neighbour.assert_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_essential_field_of_the_wrong_type_or_form_is_refused() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    let wrong = [
        ("url", "1"),
        ("url", "null"),
        ("url", "{}"),
        ("url", "[\"https://shop.example/\"]"),
        ("url", "\"\""),
        ("url", "\"/relative\""),
        ("url", "\"javascript:alert(1)\""),
        ("url", "\"https://\""),
        ("id", "7"),
        ("id", "\"\""),
        ("id", "\"x\""),
        ("id", "\"0193a5e7-7c1b-4f6a-9d2e-3b4c5d6e7f80\""),
        ("visitor_id", "true"),
        ("visitor_id", "\"ada\""),
        ("visitor_id", "\"v_1\""),
        ("visitor_id", "\"\""),
        ("age_ms", "-1"),
        ("age_ms", "[1]"),
        ("age_ms", "\"1\""),
        ("age_ms", "604800001"),
        ("age_ms", "1e999"),
        ("age_ms", "99999999999999999999999999999999"),
        ("anonymous", "\"true\""),
        ("anonymous", "1"),
        ("site", "7"),
        ("site", "\"not a host\""),
        ("site", "\"a..test\""),
    ];
    let mut taken = Vec::new();
    for (field, value) in wrong {
        let body = match field {
            "url" => format!("{{\"id\":\"{}\",\"url\":{value}}}", fact_id()),
            _ => view_with(field, value),
        };
        let answer = post(&eve, "/api/telemetry/page_view", body.clone()).await;
        let kind = match answer.status {
            400 => answer.json()["type"].clone(),
            status => json!(status),
        };
        if kind != "malformed-body" && kind != "invalid-field" {
            taken.push(format!("{field}: {value} gives {kind}"));
        }
    }
    assert_eq!(taken, [] as [&str; 0]);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE path <> '/neighbour'"), 0);
    neighbour.assert_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_causes_no_500() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    for depth in [100, 1_000, 30_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = match open {
                "[" => format!("{}{}", open.repeat(depth), close.repeat(depth)),
                _ => format!("{}1{}", open.repeat(depth.min(8_000)), close.repeat(depth.min(8_000))),
            };
            for path in FACTS {
                let answer = post(&eve, path, deep.clone()).await;
                assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
                let ignored = post(&eve, path, view_with("unknown", &deep)).await;
                assert!(ignored.status < 500, "{path}: {}", ignored.text());
            }
            let props = format!("{{\"name\":\"x\",\"props\":{{\"deep\":{deep}}}}}");
            let answer = post(&eve, "/api/telemetry/event", props).await;
            assert!(answer.status < 500, "{}", answer.text());
        }
    }
    neighbour.assert_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_text_causes_no_500() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    let texts = [
        "\\u0000",
        "a\\u0000b",
        "\\ud800",
        "\\udc00",
        "\\ud800\\ud800",
        "\\udc00\\ud800",
        "\\uffff",
        "\\u202e",
        "\\ud83d\\ude00",
        "'; DROP TABLE page_views; --",
        "%00",
        "\\\"",
        "\\r\\nSet-Cookie: a=b",
    ];
    for text in texts {
        for field in ["title", "referrer", "site", "visitor_id", "id", "unknown"] {
            let answer =
                post(&eve, "/api/telemetry/page_view", view_with(field, &format!("\"{text}\""))).await;
            assert!(answer.status == 204 || answer.status == 400, "{field} {text}: {}", answer.text());
        }
        let path = format!("{{\"url\":\"https://{SITE}/{text}\"}}");
        let event = format!("{{\"name\":\"{text}\",\"props\":{{\"{text}\":\"{text}\"}}}}");
        let order = format!("{{\"id\":\"{text}\",\"amount\":\"1\",\"currency\":\"EUR\"}}");
        let login = format!("{{\"username\":\"{text}\",\"password\":\"{text}\"}}");
        for (endpoint, body) in [
            ("/api/telemetry/page_view", path),
            ("/api/telemetry/event", event),
            ("/api/telemetry/order", order),
            ("/api/auth/login", login),
        ] {
            let answer = post(&eve, endpoint, body).await;
            assert!(answer.status < 500, "{endpoint} {text}: {}", answer.text());
        }
    }
    neighbour.assert_unharmed(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_items_of_an_array_are_stored_beside_an_invalid_one() {
    let server = Server::start().await;
    let eve = server.visitor();
    let bad = ["{\"url\":\"x\"}", "{}", "7", "null", "[]", "{\"url\":\"https://shop.example/\\ud800\"}"];
    let mut expected = 0;
    for item in bad {
        let good = [eve.page_view("/good"), eve.page_view("/good")];
        let body = format!("[{},{item},{}]", good[0], good[1]);
        let answer = post(&eve, "/api/telemetry/page_view", body).await;
        let status = answer.status;
        assert_eq!(status, 400, "{item}: {}", answer.text());
        let problem = answer.json();
        if problem["type"] == "rejected-items" {
            assert_eq!(problem["rejected"][0]["index"], 1, "{item}: {problem}");
            expected += 2;
        }
    }
    assert!(expected >= 8, "of a readable array the good items are stored");
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE path = '/good'"), expected);
}

#[tokio::test]
async fn a_duplicate_json_key_causes_no_500() {
    let server = Server::start().await;
    let url = format!("\"https://{SITE}/\"");
    let body = format!("{{\"url\":{url},\"url\":{url}}}");
    let answer = post(&server.visitor(), "/api/telemetry/page_view", body).await;
    assert!(answer.status == 204 || answer.status == 400, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_random_bodies_cause_no_500() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let mut random = Random(42);
    let eve = server.visitor();
    for _ in 0..3_000 {
        let path = random.pick(ENDPOINTS);
        let body = random_body(&mut random);
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = eve.post_bytes(path, body).send().await;
        assert!(answer.status < 500, "{path} {shown:?}: {}", answer.text());
    }
    neighbour.assert_unharmed(&server).await;
}

/// Noise, or a good body with a few bytes changed.
fn random_body(random: &mut Random) -> Vec<u8> {
    if random.below(4) == 0 {
        let length = random.below(300);
        return random.bytes(length);
    }
    let value = random_value(random, 0);
    let good: [Value; 3] = [
        json!({"id": fact_id(), "url": format!("https://{SITE}/random"), "title": value, "device": {}}),
        json!({"name": "x", "props": {"a": value}, "amount": "1", "currency": "EUR", "id": "1"}),
        json!([{"url": value, "age_ms": value}, {"url": format!("https://{SITE}/random"), "visitor_id": value}]),
    ];
    let mut body = good[random.below(3)].to_string().into_bytes();
    for _ in 0..random.below(3) {
        let at = random.below(body.len());
        body[at] = random.bytes(1)[0];
    }
    body
}

fn random_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth < 3 { 8 } else { 6 }) {
        0 => Value::Null,
        1 => json!(random.number()),
        2 => json!(-1.5e300),
        3 => json!(random.below(2) == 0),
        4 => json!("\u{0}\u{7f}\u{10ffff}"),
        5 => json!("x".repeat(random.below(3_000))),
        6 => json!([random_value(random, depth + 1)]),
        _ => json!({"key": random_value(random, depth + 1)}),
    }
}
