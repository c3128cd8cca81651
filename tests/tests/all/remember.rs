//! Sessions whose user has asked to be remembered.

use serde_json::{Value, json};
use visitflow_testkit::{Answer, Server, Visitor, password_of};

const DAY_S: i64 = 86_400;

async fn log_in(visitor: &Visitor, remember: Value) -> Answer {
    let body = json!({"username": "alice", "password": password_of("alice"), "remember": remember});
    visitor.post("/api/auth/login", &body).as_json().send().await
}

/// How long the session's cookie of an answer lives, in seconds.
fn max_age(answer: &Answer) -> i64 {
    let cookie = answer.set_cookie("session_id").expect("a cookie");
    let age = cookie.attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
    age.and_then(|age| age.parse().ok()).expect("Max-Age")
}

async fn own(visitor: &Visitor) -> Value {
    visitor.get("/api/session").send().await.expect(200).json()
}

#[tokio::test]
async fn a_remembered_session_and_its_cookie_have_the_long_limits_until_the_sign_out() {
    let server = Server::with().user("alice").start().await;
    let key = server.run(&["key", "add", "backend", "--scope", "session"], "").await.trim().to_owned();
    let ada = server.visitor();
    assert_eq!(max_age(&ada.view("/").await.expect(204)), 1_800);
    assert_eq!(max_age(&log_in(&ada, json!(true)).await.expect(200)), 30 * DAY_S);
    assert_eq!(max_age(&ada.view("/again").await.expect(204)), 30 * DAY_S);
    assert_eq!(ada.start().await.expect(200).json()["expires_in"], 30 * DAY_S);
    let expires_in = own(&ada).await["expires_in"].as_i64().expect("seconds");
    assert!((30 * DAY_S - 60..=30 * DAY_S).contains(&expires_in), "{expires_in}");
    let ask = ada.post("/api/session/introspect", &json!({"token": ada.token()})).as_json().bearer(&key);
    let known = ask.cookie("").without("origin").send().await.expect(200).json();
    let (iat, exp) = (known["iat"].as_i64().expect("seconds"), known["exp"].as_i64().expect("seconds"));
    assert!((30 * DAY_S..=30 * DAY_S + 60).contains(&(exp - iat)), "{known}");
    let listed = ada.get("/api/sessions").send().await.expect(200).json();
    assert_eq!(listed["sessions"][0]["remembered"], true);
    let answer = ada.get("/api/session/verify").send().await.expect(204);
    assert!(answer.set_cookies().is_empty() || max_age(&answer) == 30 * DAY_S);
    assert_eq!(max_age(&ada.log_out().await.expect(204)), 1_800);
    let expires_in = own(&ada).await["expires_in"].as_i64().expect("seconds");
    assert!(expires_in <= 1_800, "{expires_in}");
}

#[tokio::test]
async fn each_sign_in_says_anew_whether_it_is_remembered() {
    let server = Server::with().user("alice").flag("--session-remember", "7d").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for (remember, days) in [(json!(true), 7), (json!(false), 0), (json!(true), 7), (json!(null), 0)] {
        let expected = if days == 0 { 1_800 } else { days * DAY_S };
        assert_eq!(max_age(&log_in(&ada, remember).await.expect(200)), expected);
    }
    log_in(&ada, json!("yes")).await.expect_problem(400, "malformed-body");
    server.assert_visits(1);
}

#[tokio::test]
async fn a_backend_has_a_user_remembered() {
    let server = Server::start().await;
    let key = server.run(&["key", "add", "backend", "--scope", "session"], "").await.trim().to_owned();
    let agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
    let body = json!({"user_id": "ada", "remember": true, "user_agent": agent});
    let backend = server.visitor();
    let request =
        backend.post("/api/session/bind", &body).as_json().bearer(&key).cookie("").without("origin");
    let bound = request.send().await.expect(200).json();
    assert!(bound["set_cookie"].as_str().expect("a cookie").contains("; Max-Age=2592000"), "{bound}");
    let path = "/api/sessions?user_id=ada";
    let listed = backend.get(path).bearer(&key).cookie("").send().await.expect(200).json();
    let session = &listed["sessions"][0];
    assert_eq!((&session["remembered"], &session["device"]), (&json!(true), &json!("Safari on macOS")));
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    for (flags, told) in [
        (["--session-remember", "5m"], "--session-remember is shorter than --session-idle"),
        (["--session-remember-max", "2d"], "--session-remember-max is shorter than --session-remember"),
    ] {
        let said = server.fails_plain(&["check", flags[0], flags[1]]).await;
        assert!(said.contains("configuration"), "{said}");
        let said = server.fails_plain(&["serve", flags[0], flags[1]]).await;
        assert!(said.contains(told), "{said}");
    }
}
