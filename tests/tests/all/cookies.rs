//! What the server says about cookies.

use std::collections::BTreeSet;
use visitflow_testkit::answer::is_token;
use visitflow_testkit::{Answer, Server, SetCookie};

fn attributes(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_session_cookie(answer: &Answer) -> SetCookie {
    let cookie = answer.set_cookie("session_id").expect("a session cookie is set");
    assert!(is_token(&cookie.value), "{}: {:?} is no token", answer.to, cookie.value);
    let expected = attributes(&["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=1800"]);
    assert_eq!(cookie.attributes, expected, "{}", answer.to);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.to);
    cookie
}

#[tokio::test]
async fn the_session_cookie_is_as_specified_wherever_it_is_set() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    let started = assert_session_cookie(&ada.start().await.expect(200));
    let resumed = assert_session_cookie(&ada.start().await.expect(200));
    let viewed = assert_session_cookie(&ada.view("/").await.expect(204));
    let pinged = assert_session_cookie(&ada.ping().await.expect(204));
    for same in [&resumed, &viewed, &pinged] {
        assert_eq!(same.value, started.value, "activity keeps the token");
    }
    let signed_in = assert_session_cookie(&ada.log_in("alice").await.expect(200));
    let signed_out = assert_session_cookie(&ada.log_out().await.expect(204));
    let tokens = BTreeSet::from([started.value, signed_in.value, signed_out.value]);
    assert_eq!(tokens.len(), 3, "login and logout change the token");
}

#[tokio::test]
async fn a_page_view_that_starts_a_session_sets_its_cookie() {
    let server = Server::start().await;
    assert_session_cookie(&server.visitor().view("/").await.expect(204));
    server.assert_visits(1);
}

#[tokio::test]
async fn end_clears_the_session_cookie_and_repeats_its_attributes() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let answer = ada.end().await.expect(204);
    let cookie = answer.set_cookie("session_id").expect("the cookie is cleared");
    assert_eq!(cookie.value, "");
    let repeated = attributes(&["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=0"]);
    assert!(cookie.attributes.is_superset(&repeated), "{cookie:?}");
    assert!(!cookie.attributes.iter().any(|text| text.starts_with("Domain")), "{cookie:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(ada.session(), None);
}

#[tokio::test]
async fn only_start_issues_the_visitor_id_again() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    for answer in [ada.start().await.expect(200), ada.start().await.expect(200)] {
        let cookie = answer.set_cookie("visitor_id").expect("start sets visitor_id");
        assert_eq!(cookie.value, ada.id);
        let expected = attributes(&["Secure", "SameSite=Lax", "Path=/", "Max-Age=31536000"]);
        assert_eq!(cookie.attributes, expected);
    }
    let others = [
        ada.view("/").await.expect(204),
        ada.event("play").await.expect(204),
        ada.ping().await.expect(204),
        ada.log_in("alice").await.expect(200),
        ada.log_out().await.expect(204),
        ada.end().await.expect(204),
    ];
    for answer in others {
        assert_eq!(answer.set_cookie("visitor_id"), None, "{}", answer.to);
    }
}

#[tokio::test]
async fn start_without_a_visitor_id_sets_none() {
    let server = Server::start().await;
    let ada = server.visitor();
    let body = serde_json::json!({"url": "https://shop.example/"});
    let answer = ada.post("/api/session/start", &body).cookie("").send().await.expect(200);
    assert_eq!(answer.set_cookie("visitor_id"), None);
    assert_session_cookie(&answer);
}

#[tokio::test]
async fn secure_is_left_out_on_loopback_only_when_asked() {
    let server = Server::with().flag("--cookie-secure", "auto").start().await;
    let ada = server.visitor();
    for cookie in ada.start().await.expect(200).set_cookies() {
        assert!(!cookie.attributes.contains("Secure"), "{cookie:?}");
    }
    // The page came over TLS as far as the browser knows.
    let behind_a_proxy = server
        .visitor()
        .post("/api/session/start", &serde_json::json!({}))
        .header("origin", &format!("https://{}", server.address()))
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .expect(200);
    let cookie = behind_a_proxy.set_cookie("session_id").expect("a session cookie");
    assert!(cookie.attributes.contains("Secure"), "{cookie:?}");
}

#[tokio::test]
async fn the_idle_limit_is_the_cookie_s_lifetime() {
    let server = Server::with().flag("--session-idle", "10m").start().await;
    let answer = server.visitor().start().await.expect(200);
    assert_eq!(answer.json()["expires_in"], 600);
    let cookie = answer.set_cookie("session_id").expect("a session cookie");
    assert!(cookie.attributes.contains("Max-Age=600"), "{cookie:?}");
}

#[tokio::test]
async fn with_the_host_prefix_the_bare_cookie_is_ignored() {
    let server = Server::with().flag("--cookie-prefix", "host").start().await;
    let ada = server.visitor();
    let answer = ada.start().await.expect(200);
    assert_eq!(answer.set_cookie("session_id"), None);
    let cookie = answer.set_cookie("__Host-session_id").expect("a session cookie");
    let expected = attributes(&["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=1800"]);
    assert_eq!(cookie.attributes, expected);
    ada.ping().await.expect(204);
    let tossed = server.visitor();
    tossed.set_cookie("session_id", &cookie.value);
    tossed.ping().await.expect_problem(401, "session-expired");
}
