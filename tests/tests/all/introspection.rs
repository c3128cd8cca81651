//! Whose session it is: asked by the page, by a backend, by a proxy.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use visitflow_testkit::patience::{TRUE_WITHIN, soon};
use visitflow_testkit::proxy::Mode;
use visitflow_testkit::stand::Stand;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Answer, Postgres, Redis, Server, Visitor};

async fn session_key(server: &Server) -> String {
    let arguments = ["key", "add", "backend", "--scope", "session"];
    server.run(&arguments, "").await.trim().to_owned()
}

/// Asks as a backend does, which got the token from a browser.
async fn introspect(server: &Server, key: &str, body: &Value) -> Answer {
    let backend = server.visitor();
    let request = backend.post("/api/session/introspect", body).as_json().bearer(key).cookie("");
    request.without("origin").without("sec-fetch-site").send().await
}

async fn is_active(server: &Server, key: &str, token: &str) -> bool {
    let answer = introspect(server, key, &json!({"token": token})).await.expect(200).json();
    answer["active"].as_bool().expect("a boolean")
}

async fn verify(visitor: &Visitor, query: &str) -> Answer {
    visitor.get(&format!("/api/session/verify{query}")).send().await
}

async fn own(visitor: &Visitor) -> Answer {
    visitor.get("/api/session").send().await
}

#[tokio::test]
async fn a_page_learns_who_is_signed_in() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    own(&ada).await.expect_problem(401, "session-expired");
    ada.view("/").await.expect(204);
    let answer = own(&ada).await.expect(200).expect_no_cookie();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let before = answer.json();
    assert_eq!((&before["user_id"], &before["signed_in_at"]), (&Value::Null, &Value::Null));
    assert_eq!((before["visitor_id"].as_str(), before["site"].as_str()), (Some(&*ada.id), Some(SITE)));
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    let after = own(&ada).await.expect(200).json();
    assert_eq!((&after["user_id"], &after["session"]), (&user_id, &before["session"]));
    assert!(ada.token().starts_with(&format!("s_{}.", after["session"].as_str().expect("a tag"))));
    for time in ["signed_in_at", "created_at", "last_activity"] {
        assert!(after[time].as_str().is_some_and(|time| time.ends_with('Z')), "{after}");
    }
    assert!((1_700..=1_800).contains(&after["expires_in"].as_i64().expect("seconds")), "{after}");
    ada.log_out().await.expect(204);
    assert_eq!(own(&ada).await.expect(200).json()["user_id"], Value::Null);
    ada.end().await.expect(204);
    own(&ada).await.expect_problem(401, "session-expired");
}

#[tokio::test]
async fn a_backend_learns_whose_a_token_is() {
    let server = Server::with().user("alice").start().await;
    let key = session_key(&server).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let anonymous = introspect(&server, &key, &json!({"token": ada.token()})).await.expect(200);
    let anonymous = anonymous.expect_no_cookie().json();
    assert_eq!((&anonymous["active"], &anonymous["sub"]), (&json!(true), &Value::Null), "{anonymous}");
    let old = ada.token();
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    let known = introspect(&server, &key, &json!({"token": ada.token()})).await.expect(200).json();
    assert_eq!((&known["active"], &known["sub"]), (&json!(true), &user_id));
    assert_eq!((known["visitor_id"].as_str(), known["site"].as_str()), (Some(&*ada.id), Some(SITE)));
    assert_eq!(known["sid"], own(&ada).await.expect(200).json()["session"]);
    let (iat, exp) = (known["iat"].as_i64().expect("seconds"), known["exp"].as_i64().expect("seconds"));
    assert!((1_795..=1_801).contains(&(exp - iat)), "{known}");
    assert_eq!(introspect(&server, &key, &json!({"token": old})).await.json(), json!({"active": false}));
    for wrong in ["", "nonsense", "s_a.b", &old[..old.len() - 1], &"x".repeat(10_000)] {
        let answer = introspect(&server, &key, &json!({"token": wrong})).await.expect(200);
        assert_eq!(answer.json(), json!({"active": false}), "{wrong}");
    }
    introspect(&server, &key, &json!({})).await.expect_problem(400, "invalid-field");
    introspect(&server, &key, &json!({"token": 7})).await.expect_problem(400, "malformed-body");
    let last = ada.token();
    ada.end().await.expect(204);
    assert!(!is_active(&server, &key, &last).await);
}

#[tokio::test]
async fn a_form_of_rfc_7662_is_taken_as_json_is() {
    let server = Server::start().await;
    let key = session_key(&server).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let backend = server.visitor();
    let ask = |media_type: &str, body: String| {
        let request = backend.post_bytes("/api/session/introspect", body.into_bytes());
        request.header("content-type", media_type).bearer(&key).cookie("").without("origin")
    };
    let form = format!("token={}&token_type_hint=access_token&touch=false", ada.token());
    let answer = ask("Application/x-www-form-urlencoded; charset=utf-8", form.clone()).send().await;
    assert_eq!(answer.expect(200).json()["active"], true);
    ask("text/plain", form).send().await.expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn a_proxy_lets_pass_who_has_a_session_and_its_headers_cannot_be_forged() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    verify(&ada, "").await.expect_problem(401, "session-expired");
    ada.view("/").await.expect(204);
    let header = |answer: &Answer, name: &str| answer.header(name).expect("always there").to_owned();
    let anonymous = verify(&ada, "").await.expect(204).expect_no_cookie();
    assert_eq!(header(&anonymous, "x-visitflow-user"), "");
    assert_eq!(header(&anonymous, "x-visitflow-visitor"), ada.id);
    verify(&ada, "?require=user").await.expect_problem(401, "not-signed-in");
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    let signed_in = verify(&ada, "?require=user").await.expect(204);
    assert_eq!(header(&signed_in, "x-visitflow-user"), user_id.as_str().expect("text"));
    assert_eq!(header(&signed_in, "x-visitflow-session"), header(&anonymous, "x-visitflow-session"));
    assert_eq!(signed_in.header("cache-control"), Some("no-store"));
    for wrong in ["?require=users", "?require", "?user=1", "?require=user&x"] {
        verify(&ada, wrong).await.expect_problem(400, "invalid-query");
    }
    // A sign-in without a visit has no visitor, and says so.
    let admin = server.visitor();
    admin.log_in_to_dashboard("alice").await.expect(200);
    let answer = verify(&admin, "?require=user").await.expect(204);
    assert_eq!(header(&answer, "x-visitflow-visitor"), "");
}

#[tokio::test]
async fn asking_measures_nothing() {
    let server = Server::with().user("alice").start().await;
    let key = session_key(&server).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.log_in("alice").await.expect(200);
    for _ in 0..3 {
        own(&ada).await.expect(200);
        verify(&ada, "").await.expect(204);
        assert!(is_active(&server, &key, &ada.token()).await);
    }
    server.assert_visits(1);
    server.assert_page_views(1);
}

#[tokio::test]
async fn a_key_of_one_site_sees_no_session_of_another() {
    let server = Server::with().user("alice").start().await;
    let key = async |name: &str, site: &str| {
        let arguments = ["key", "add", name, "--scope", "session", "--site", site];
        server.run(&arguments, "").await.trim().to_owned()
    };
    let (own, other) = (key("own", &format!("WWW.{SITE}")).await, key("other", "other.test").await);
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    assert!(is_active(&server, &own, &ada.token()).await);
    assert!(!is_active(&server, &other, &ada.token()).await);
    let last_activity = async || {
        let session = ada.get("/api/session").send().await.expect(200).json();
        session["last_activity"].clone()
    };
    ada.log_in("alice").await.expect(200);
    let before = last_activity().await;
    assert!(!is_active(&server, &other, &ada.token()).await);
    assert_eq!(last_activity().await, before, "a key that does not see a session keeps it not alive");
    let admin = server.visitor();
    admin.log_in_to_dashboard("alice").await.expect(200);
    assert!(!is_active(&server, &own, &admin.token()).await, "it is of no site");
    let said = server.fails(&["key", "add", "wide", "--site", SITE]).await;
    assert!(said.contains("--scope session"), "{said}");
    let said = server.fails(&["key", "add", "x", "--scope", "session", "--site", "a b"]).await;
    assert!(said.contains("host name"), "{said}");
}

#[tokio::test]
async fn keys_are_listed_and_a_revoked_one_is_dead_within_a_second() {
    let server = Server::start().await;
    let key = session_key(&server).await;
    assert!(!is_active(&server, &key, "s_a.b").await);
    let listed: Value =
        serde_json::from_str(&server.run(&["key", "list", "--json"], "").await).expect("JSON");
    let row = &listed[0];
    assert_eq!(
        (&row["name"], &row["scopes"], &row["site"]),
        (&json!("backend"), &json!(["session"]), &Value::Null)
    );
    let text = server.run(&["key", "list"], "").await;
    assert!(text.contains("backend") && text.contains("never"), "{text}");
    assert!(!text.contains(key.split('.').nth(1).expect("a secret")), "no secret is shown");
    let revoked = server.run(&["key", "revoke", "backend"], "").await;
    assert_eq!(revoked.trim(), "revoked backend");
    let asks = async || introspect(&server, &key, &json!({"token": "s_a.b"})).await.status;
    soon("a revoked key", 401, asks).await;
    assert!(server.fails(&["key", "revoke", "backend"]).await.contains("visitflow key list"));
}

/// Ends the session on one server while another is asked. From one second after the answer it must not be live there.
async fn dies_on_the_other_server(one: &Server, other: &Server) {
    let key = session_key(one).await;
    for _ in 0..3 {
        let ada = one.visitor();
        ada.view("/").await.expect(204);
        ada.log_in("alice").await.expect(200);
        let token = ada.token();
        assert!(is_active(other, &key, &token).await);
        ada.end().await.expect(204);
        let at = Instant::now();
        while at.elapsed() < TRUE_WITHIN * 2 {
            let asked = at.elapsed();
            let active = is_active(other, &key, &token).await;
            assert!(!(active && asked >= TRUE_WITHIN), "still active after {asked:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_on_one_server_is_inactive_on_the_other_within_a_second() {
    let (postgres, redis) = (Postgres::start().await, Redis::start().await);
    let setup = || Server::with().postgres(&postgres).redis_url(&redis.url());
    let (one, other) = (setup().user("alice").start().await, setup().start().await);
    for server in [&one, &other] {
        server.says(1, "Redis is up to date and is used").await;
    }
    dies_on_the_other_server(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_session_that_ends_is_inactive_on_the_other_server_within_a_second() {
    let postgres = Postgres::start().await;
    let one = Server::with().postgres(&postgres).user("alice").start().await;
    let other = Server::with().postgres(&postgres).start().await;
    dies_on_the_other_server(&one, &other).await;
}

/// A change that a server made without Redis is found by another server in the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_redis_has_not_heard_of_is_live_on_the_other_server() {
    let stand = Stand::start(Server::with().user("alice")).await;
    let other = Server::with().postgres(&stand.postgres).redis_url(&stand.redis.url()).start().await;
    stand.uses_redis(1).await;
    other.says(1, "Redis is up to date and is used").await;
    let key = session_key(&other).await;
    let (ada, eve) = (stand.server.visitor(), stand.server.visitor());
    for visitor in [&ada, &eve] {
        visitor.view("/").await.expect(204);
        visitor.at(&other).view("/there").await.expect(204);
    }
    stand.to_redis.set(Mode::Refuse);
    stand.server.says(1, "Redis is not used for now").await;

    ada.log_in("alice").await.expect(200);
    assert!(is_active(&other, &key, &ada.token()).await);
    verify(&ada.at(&other), "?require=user").await.expect(204);
    eve.log_in("alice").await.expect(200);
    let token = eve.token();
    eve.at(&other).view("/account").await.expect(204);
    assert_eq!(eve.token(), token, "no other session begins");
    eve.log_out().await.expect(204);
    let token = eve.token();
    eve.at(&other).end().await.expect(204);
    assert!(!is_active(&other, &key, &token).await);
    other.assert_visits(2);
}

/// Asks for a while. Returns the statuses of all answers, and whether any said that the session is not live.
async fn asked_for(server: &Server, key: &str, visitor: &Visitor, length: Duration) -> (Vec<u16>, bool) {
    let (mut statuses, mut dead) = (Vec::new(), false);
    let begun = Instant::now();
    while begun.elapsed() < length {
        let answer = introspect(server, key, &json!({"token": visitor.token()})).await;
        dead |= answer.status == 200 && answer.json()["active"] != true;
        statuses.extend([answer.status, verify(visitor, "").await.status, own(visitor).await.status]);
    }
    statuses.sort_unstable();
    statuses.dedup();
    (statuses, dead)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_out_because_a_store_is_away() {
    let stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let key = session_key(&stand.server).await;
    let ada = stand.server.visitor();
    ada.view("/").await.expect(204);
    ada.log_in("alice").await.expect(200);
    let away = Duration::from_secs(4);
    let all_is_well = (vec![200, 204], false);
    assert_eq!(asked_for(&stand.server, &key, &ada, Duration::from_secs(1)).await, all_is_well);

    // Postgres alone: Redis tells, once it is noticed.
    stand.to_postgres.set(Mode::Refuse);
    stand.server.says(1, "the database is away; facts go to the spool").await;
    assert_eq!(asked_for(&stand.server, &key, &ada, away).await, all_is_well);

    // Both stores are away: no server can know.
    stand.to_redis.set(Mode::Refuse);
    stand.server.says(1, "Redis is not used for now").await;
    tokio::time::sleep(TRUE_WITHIN).await;
    assert_eq!(asked_for(&stand.server, &key, &ada, away).await, (vec![503], false));
    let answer = verify(&ada, "").await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    ada.view("/still").await.expect(204);

    stand.to_postgres.set(Mode::Pass);
    stand.to_redis.set(Mode::Pass);
    stand.uses_redis(2).await;
    assert_eq!(asked_for(&stand.server, &key, &ada, Duration::from_secs(1)).await, all_is_well);
}

/// Asks as a backend does that has signed a user in or out.
async fn tell(server: &Server, key: &str, path: &str, body: &Value) -> Answer {
    let backend = server.visitor();
    backend.post(path, body).as_json().bearer(key).cookie("").without("origin").send().await
}

/// The token in a `set_cookie`.
fn token_of(answer: &Value) -> String {
    let cookie = answer["set_cookie"].as_str().expect("a cookie");
    assert!(cookie.contains("; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=1800"), "{cookie}");
    let value = cookie.strip_prefix("session_id=").and_then(|rest| rest.split(';').next());
    value.expect("our cookie").to_owned()
}

#[tokio::test]
async fn a_cookie_for_a_backend_is_secure_unless_the_browser_s_address_is_plain_http_on_loopback() {
    for (public_url, secure) in [
        (None, true),
        (Some("https://stats.example"), true),
        (Some("http://stats.example"), true),
        (Some("http://127.0.0.1:8080"), false),
        (Some("http://localhost"), false),
    ] {
        let mut server = Server::with().flag("--cookie-secure", "auto");
        if let Some(url) = public_url {
            server = server.flag("--public-url", url);
        }
        let server = server.start().await;
        let key = session_key(&server).await;
        let bound =
            tell(&server, &key, "/api/session/bind", &json!({"user_id": "ada"})).await.expect(200).json();
        let cookie = bound["set_cookie"].as_str().expect("a cookie");
        assert_eq!(cookie.contains("; Secure"), secure, "{public_url:?}: {cookie}");
    }
}

#[tokio::test]
async fn a_backend_that_checks_passwords_itself_signs_in_and_out() {
    let server = Server::start().await;
    let key = session_key(&server).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.end().await.expect(204);
    ada.view("/again").await.expect(204);
    let before = ada.token();
    let bound = tell(&server, &key, "/api/session/bind", &json!({"token": before, "user_id": "ada"})).await;
    let bound = bound.expect(200).expect_no_cookie().json();
    assert_eq!(bound["user_id"], "ada");
    let token = token_of(&bound);
    assert!(!is_active(&server, &key, &before).await, "the old token is dead");
    let known = introspect(&server, &key, &json!({"token": token})).await.expect(200).json();
    assert_eq!((&known["sub"], known["visitor_id"].as_str()), (&json!("ada"), Some(&*ada.id)));
    assert_eq!(server.texts("SELECT DISTINCT user_id FROM sessions"), ["ada"], "earlier visits too");
    server.assert_visits(2);

    let unbound =
        tell(&server, &key, "/api/session/unbind", &json!({"token": token})).await.expect(200).json();
    let anonymous = token_of(&unbound);
    assert!(!is_active(&server, &key, &token).await);
    let known = introspect(&server, &key, &json!({"token": anonymous})).await.expect(200).json();
    assert_eq!((&known["active"], known.get("sub")), (&json!(true), None));
    server.assert_visits(2);
}

#[tokio::test]
async fn a_backend_signs_in_a_browser_that_has_no_session_and_gives_nobody_a_role() {
    let server = Server::with().admin("root").start().await;
    let key = session_key(&server).await;
    for token in [json!(null), json!("nonsense"), json!("s_a.b")] {
        let body = json!({"token": token, "user_id": "root"});
        let bound = tell(&server, &key, "/api/session/bind", &body).await.expect(200).json();
        let browser = server.visitor();
        browser.set_cookie("session_id", &token_of(&bound));
        assert_eq!(own(&browser).await.expect(200).json()["user_id"], "root");
        browser.get("/api/metrics/overview").send().await.expect_problem(403, "forbidden");
    }
    server.assert_visits(0);
    let admin = server.visitor();
    let user_id = admin.log_in_to_dashboard("root").await.expect(200).json()["user_id"].clone();
    for wrong in [json!(null), json!(""), user_id, json!("u_x"), json!("a\u{0}b"), json!("x".repeat(129))] {
        let body = json!({"user_id": wrong});
        tell(&server, &key, "/api/session/bind", &body).await.expect_problem(400, "invalid-field");
    }
    let nothing = tell(&server, &key, "/api/session/unbind", &json!({})).await.expect(200).json();
    assert_eq!(nothing, json!({ "set_cookie": null }), "a browser that has sent no cookie keeps what it has");
}
