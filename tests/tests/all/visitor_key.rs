//! The cookie `visitor_key`: who is given one, and what it looks like.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use visitflow_testkit::{Answer, Server, Visitor, fact_id};

/// The key that an answer sets, as it must look.
#[track_caller]
fn key(answer: &Answer) -> String {
    let cookie = answer.set_cookie("visitor_key").expect("a key is set");
    let url_safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    assert!(cookie.value.len() == 43 && cookie.value.chars().all(url_safe), "{}", cookie.value);
    let expected = ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=31536000"];
    assert_eq!(cookie.attributes, BTreeSet::from(expected.map(str::to_owned)), "{}", answer.to);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.to);
    cookie.value
}

#[track_caller]
fn sets_no_key(answer: &Answer) {
    assert_eq!(answer.set_cookie("visitor_key"), None, "{}", answer.to);
}

fn keys(server: &Server) -> i64 {
    server.number("SELECT COUNT(*) FROM visitor_keys")
}

#[tokio::test]
async fn a_visitor_is_given_a_key_once_and_each_start_that_brings_it_renews_it() {
    let server = Server::with().user("alice").start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    let first = key(&ada.start().await.expect(200));
    let within = [
        ada.view("/").await.expect(204),
        ada.ping().await.expect(204),
        ada.start().await.expect(200),
        ada.log_in("alice").await.expect(200),
        ada.log_out().await.expect(204),
        ada.end().await.expect(204),
    ];
    within.iter().for_each(sets_no_key);
    assert_eq!(key(&ada.start().await.expect(200)), first);
    let other = key(&bob.view("/").await.expect(204));
    assert_ne!(other, first);
    assert_eq!(keys(&server), 2);
    assert_eq!(server.number("SELECT COUNT(*) FROM visitor_keys WHERE LENGTH(key_hash) = 32"), 2);
}

#[tokio::test]
async fn who_knows_a_visitor_s_id_is_given_no_key() {
    let server = Server::start().await;
    let ada = server.visitor();
    key(&ada.start().await.expect(200));
    let eve = ada.without_session();
    sets_no_key(&eve.start().await.expect(200));
    eve.end().await.expect(204);
    sets_no_key(&eve.view("/").await.expect(204));
    // Not with somebody else's key either.
    let mallory = server.visitor();
    let of_mallory = key(&mallory.start().await.expect(200));
    let posing = ada.without_session();
    posing.set_cookie("visitor_key", &of_mallory);
    sets_no_key(&posing.start().await.expect(200));
    assert_eq!(posing.cookie("visitor_key"), Some(of_mallory));
    assert_eq!(keys(&server), 2);
}

#[tokio::test]
async fn a_key_that_the_server_did_not_give_counts_as_none() {
    let server = Server::start().await;
    for planted in ["", &"A".repeat(43)] {
        let ada = server.visitor();
        ada.set_cookie("visitor_key", planted);
        assert_ne!(key(&ada.start().await.expect(200)), planted);
    }
    // What another application has written stays, and a key that could not be set is not stored.
    for foreign in ["a", &"A".repeat(5_000)] {
        let ada = server.visitor();
        ada.set_cookie("visitor_key", foreign);
        sets_no_key(&ada.start().await.expect(200));
        assert_eq!(ada.forget().await.expect(204).set_cookie("visitor_key"), None);
    }
    assert_eq!(keys(&server), 2);
}

#[tokio::test]
async fn no_visitor_key_is_set_without_consent_or_without_cookies() {
    let server = Server::start().await;
    let facts = server.add_key("facts").await;
    let view = |visitor: &Visitor, change: Value| {
        let mut body = visitor.page_view("/");
        for (field, value) in change.as_object().expect("fields") {
            body[field] = value.clone();
        }
        visitor.post("/api/telemetry/page_view", &body)
    };
    let ada = || server.visitor();
    let start = |body: Value| ada().post("/api/session/start", &body);
    let named = |more: Value| {
        let mut body = more;
        body["visitor_id"] = json!(ada().id);
        body
    };
    let two = json!([ada().page_view("/"), ada().page_view("/")]);
    let unnamed = json!({"url": "https://shop.example/", "id": fact_id()});
    let requests = [
        view(&ada(), json!({"anonymous": true})),
        view(&ada(), json!({"webdriver": true})),
        view(&ada(), json!({})).header("sec-gpc", "1"),
        view(&ada(), json!({})).header("user-agent", "Googlebot/2.1"),
        view(&ada(), json!({})).header("sec-purpose", "prefetch;prerender"),
        view(&ada(), json!({})).header("sec-fetch-site", "cross-site"),
        view(&ada(), json!({})).without("origin").bearer(&facts),
        ada().post("/api/telemetry/page_view", &two),
        // The cookie alone says nothing of consent.
        ada().post("/api/telemetry/page_view", &unnamed),
        start(json!({"url": "https://shop.example/"})),
        start(named(json!({"cookies": 0}))),
        start(named(json!({}))).header("sec-gpc", "1"),
    ];
    for request in requests {
        let answer = request.send().await;
        assert!([200, 204].contains(&answer.status), "{answer:?}");
        sets_no_key(&answer);
    }
    assert_eq!(keys(&server), 0);
}

#[tokio::test]
async fn the_visitor_key_cookie_has_the_domain_of_the_other_cookies() {
    let server = Server::with().flag("--cookie-domain", "shop.example").start().await;
    let answer = server.visitor().start().await.expect(200);
    let cookie = answer.set_cookie("visitor_key").expect("a key");
    assert!(cookie.attributes.contains("Domain=shop.example"), "{cookie:?}");
}
