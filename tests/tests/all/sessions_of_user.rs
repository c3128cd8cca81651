//! The sessions of a user: listed and ended by the user and by the site's own backend.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use visitflow_testkit::patience::TRUE_WITHIN;
use visitflow_testkit::proxy::Mode;
use visitflow_testkit::stand::Stand;
use visitflow_testkit::visitor::{Request, SITE};
use visitflow_testkit::{Answer, Postgres, Redis, Server, Visitor};

/// How many times a session that has ended is asked about.
const TIMES: usize = 10_000;

/// How many requests are sent at once.
const AT_ONCE: usize = 10;

async fn session_key(server: &Server) -> String {
    server.run(&["key", "add", "backend", "--scope", "session"], "").await.trim().to_owned()
}

async fn list(visitor: &Visitor) -> Answer {
    visitor.get("/api/sessions").send().await
}

/// A request as a backend sends it.
fn by_key(server: &Server, key: &str, method: &str, path: &str) -> Request {
    server.visitor().request(method, path).bearer(key).cookie("")
}

/// A visitor who has seen a page and signed in, and the user's id.
async fn signed_in(server: &Server, name: &str) -> (Visitor, String) {
    let visitor = server.visitor();
    visitor.view("/").await.expect(204);
    let user_id = visitor.log_in(name).await.expect(200).json()["user_id"].clone();
    (visitor, user_id.as_str().expect("text").to_owned())
}

/// The tag in the visitor's cookie.
fn tag(visitor: &Visitor) -> String {
    let token = visitor.token();
    token.strip_prefix("s_").and_then(|rest| rest.split('.').next()).expect("a token").to_owned()
}

fn tags(answer: &Value) -> Vec<String> {
    let sessions = answer["sessions"].as_array().expect("an array");
    sessions.iter().map(|session| session["session"].as_str().expect("a tag").to_owned()).collect()
}

#[tokio::test]
async fn a_user_sees_their_sessions_and_nobody_elses() {
    let server = Server::with().user("alice").user("bob").start().await;
    let nobody = server.visitor();
    list(&nobody).await.expect_problem(401, "session-expired");
    nobody.view("/").await.expect(204);
    list(&nobody).await.expect_problem(401, "not-signed-in");
    let ((here, _), (there, _)) = (signed_in(&server, "alice").await, signed_in(&server, "alice").await);
    signed_in(&server, "bob").await;
    here.view("/again").await.expect(204);
    let answer = list(&here).await.expect(200).expect_no_cookie();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let told = answer.json();
    assert_eq!(tags(&told), [tag(&here), tag(&there)], "the latest activity first");
    let first = &told["sessions"][0];
    assert_eq!(
        (&first["current"], &first["device"], &first["remembered"]),
        (&json!(true), &json!("Firefox on Linux"), &json!(false))
    );
    assert_eq!(told["sessions"][1]["current"], false);
    for time in ["signed_in_at", "created_at", "last_activity"] {
        assert!(first[time].as_str().is_some_and(|time| time.ends_with('Z')), "{told}");
    }
    assert!((1_700..=1_800).contains(&first["expires_in"].as_i64().expect("seconds")), "{told}");
    assert_eq!(first.as_object().expect("an object").len(), 8, "no address, no version: {told}");
    for wrong in ["user_id=u_1", "others=true", "user=1"] {
        here.get(&format!("/api/sessions?{wrong}")).send().await.expect_problem(400, "invalid-query");
    }
}

#[tokio::test]
async fn a_user_ends_a_session_or_all_others() {
    let server = Server::with().user("alice").user("bob").start().await;
    let (here, _) = signed_in(&server, "alice").await;
    let (there, _) = signed_in(&server, "alice").await;
    let (bob, _) = signed_in(&server, "bob").await;
    let path = |tag: &str| format!("/api/sessions/{tag}");
    let unknown = here.delete(&path("AAAAAAAAAAAAAAAAAAAAAA")).send().await.expect_problem(404, "not-found");
    for none_of_hers in [tag(&bob), "nonsense".to_owned(), "%00".to_owned(), "x".repeat(1_000)] {
        let answer = here.delete(&path(&none_of_hers)).send().await.expect_problem(404, "not-found");
        assert_eq!(answer.text(), unknown.text(), "whether another user has it is not told");
    }
    here.delete(&path(&tag(&there))).send().await.expect(204).expect_no_cookie();
    there.ping().await.expect_problem(401, "session-expired");
    list(&there).await.expect_problem(401, "session-expired");
    here.delete(&path(&tag(&there))).send().await.expect_problem(404, "not-found");
    bob.ping().await.expect(204);

    let others = [signed_in(&server, "alice").await.0, signed_in(&server, "alice").await.0];
    here.delete("/api/sessions").send().await.expect_problem(400, "invalid-query");
    here.delete("/api/sessions?others=false").send().await.expect_problem(400, "invalid-query");
    here.delete("/api/sessions?others=true").send().await.expect(204).expect_no_cookie();
    for other in others {
        other.ping().await.expect_problem(401, "session-expired");
    }
    assert_eq!(tags(&list(&here).await.expect(200).json()), [tag(&here)]);
    let answer = here.delete(&path(&tag(&here))).send().await.expect(204);
    assert!(answer.set_cookie("session_id").is_some_and(|cookie| cookie.clears()));
    assert_eq!(here.session(), None);
    let nobody = server.visitor();
    nobody.delete("/api/sessions?others=true").send().await.expect_problem(401, "session-expired");
    nobody.view("/").await.expect(204);
    nobody.delete("/api/sessions?others=true").send().await.expect_problem(401, "not-signed-in");
}

#[tokio::test]
async fn a_page_of_another_origin_ends_nothing() {
    let server = Server::with().user("alice").start().await;
    let (here, _) = signed_in(&server, "alice").await;
    let (there, _) = signed_in(&server, "alice").await;
    for path in [format!("/api/sessions/{}", tag(&there)), "/api/sessions?others=true".to_owned()] {
        let request = here.request("DELETE", &path).header("origin", "https://evil.example");
        request.header("sec-fetch-site", "cross-site").send().await.expect_problem(403, "foreign-origin");
    }
    there.ping().await.expect(204);
}

#[tokio::test]
async fn a_backend_sees_and_ends_the_sessions_of_a_user() {
    let server = Server::with().user("alice").start().await;
    let key = session_key(&server).await;
    let (one, user_id) = signed_in(&server, "alice").await;
    let (other, _) = signed_in(&server, "alice").await;
    let path = format!("/api/sessions?user_id={user_id}");
    let told = by_key(&server, &key, "GET", &path).send().await.expect(200).json();
    assert_eq!(tags(&told), [tag(&other), tag(&one)]);
    assert!(told["sessions"].as_array().expect("an array").iter().all(|session| session["current"] == false));
    let named = format!("/api/sessions/{}", tag(&other));
    for (method, wrong) in [
        ("GET", "/api/sessions"),
        ("GET", "/api/sessions?user_id="),
        ("DELETE", "/api/sessions"),
        ("DELETE", "/api/sessions?others=true"),
        ("DELETE", &format!("{path}&others=true")),
        ("DELETE", &named),
    ] {
        by_key(&server, &key, method, wrong).send().await.expect_problem(400, "invalid-query");
    }
    let nobody = by_key(&server, &key, "GET", "/api/sessions?user_id=nobody").send().await;
    assert_eq!(nobody.expect(200).json(), json!({"sessions": []}));
    by_key(&server, &key, "DELETE", &format!("{named}?user_id=bob"))
        .send()
        .await
        .expect_problem(404, "not-found");
    let ended = by_key(&server, &key, "DELETE", &format!("{named}?user_id={user_id}")).send().await;
    ended.expect(204).expect_no_cookie();
    other.ping().await.expect_problem(401, "session-expired");
    one.ping().await.expect(204);
    by_key(&server, &key, "DELETE", &path).send().await.expect(204);
    one.ping().await.expect_problem(401, "session-expired");
}

#[tokio::test]
async fn a_key_of_another_site_sees_and_ends_none_of_them() {
    let server = Server::with().user("alice").start().await;
    let key = async |name: &str, site: &str| {
        let arguments = ["key", "add", name, "--scope", "session", "--site", site];
        server.run(&arguments, "").await.trim().to_owned()
    };
    let (own, other) = (key("own", SITE).await, key("other", "other.test").await);
    let (ada, user_id) = signed_in(&server, "alice").await;
    let path = format!("/api/sessions?user_id={user_id}");
    assert_eq!(by_key(&server, &other, "GET", &path).send().await.json(), json!({"sessions": []}));
    assert_eq!(tags(&by_key(&server, &own, "GET", &path).send().await.json()), [tag(&ada)]);
    let named = format!("/api/sessions/{}?user_id={user_id}", tag(&ada));
    by_key(&server, &other, "DELETE", &named).send().await.expect_problem(404, "not-found");
    by_key(&server, &other, "DELETE", &path).send().await.expect(204);
    ada.ping().await.expect(204);
    by_key(&server, &own, "DELETE", &named).send().await.expect(204);
    ada.ping().await.expect_problem(401, "session-expired");
}

/// Whether a token is taken for live, by an introspection; in every tenth case by a page view, too.
async fn is_taken_for_live(backend: &Visitor, key: &str, token: &str, n: usize) -> bool {
    let request = backend.request("POST", "/api/session/introspect").as_json().bearer(key).cookie("");
    let answer = request.body(&json!({"token": token}).to_string()).send().await;
    let active = answer.expect(200).json()["active"] == true;
    if !n.is_multiple_of(10) {
        return active;
    }
    let ada = backend.stranger();
    ada.set_cookie("session_id", token);
    let view = ada.view("/after").await.expect(204);
    active || view.set_cookie("session_id").is_some_and(|cookie| cookie.value == token)
}

/// How many of these requests, sent by several clients at once, find a token live.
async fn times_taken_for_live(server: &Server, key: &str, token: &str, times: usize) -> usize {
    let mut asking = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (backend, key, token) = (server.visitor(), key.to_owned(), token.to_owned());
        asking.spawn(async move {
            let mut live = 0;
            for n in 0..times / AT_ONCE {
                live += usize::from(is_taken_for_live(&backend, &key, &token, n).await);
            }
            live
        });
    }
    asking.join_all().await.into_iter().sum()
}

/// Ends sessions on one server: from one second after the answer nobody on the other finds them live.
async fn are_dead_on_the_other(one: &Server, other: &Server) {
    let key = session_key(one).await;
    let (here, _) = signed_in(one, "alice").await;
    let (by_name, _) = signed_in(one, "alice").await;
    let (with_others, _) = signed_in(one, "alice").await;
    for (dying, path) in [
        (by_name.token(), format!("/api/sessions/{}", tag(&by_name))),
        (with_others.token(), "/api/sessions?others=true".to_owned()),
    ] {
        assert!(is_taken_for_live(&other.visitor(), &key, &dying, 0).await, "the other has a copy of it");
        here.delete(&path).send().await.expect(204);
        tokio::time::sleep_until((Instant::now() + TRUE_WITHIN).into()).await;
        assert_eq!(times_taken_for_live(other, &key, &dying, TIMES / 2).await, 0);
        assert!(is_taken_for_live(&other.visitor(), &key, &here.token(), 0).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ended_on_one_server_is_dead_on_the_other_within_a_second() {
    let (postgres, redis) = (Postgres::start().await, Redis::start().await);
    let setup = || Server::with().postgres(&postgres).redis_url(&redis.url());
    let (one, other) = (setup().user("alice").start().await, setup().start().await);
    for server in [&one, &other] {
        server.says(1, "Redis is up to date and is used").await;
    }
    are_dead_on_the_other(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_session_that_its_user_ends_is_dead_on_the_other_server_within_a_second() {
    let postgres = Postgres::start().await;
    let one = Server::with().postgres(&postgres).user("alice").start().await;
    let other = Server::with().postgres(&postgres).start().await;
    are_dead_on_the_other(&one, &other).await;
}

/// A server that reaches neither store does not know of the end, and answers that it does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_stores_does_not_report_an_ended_session_as_live() {
    let (postgres, redis) = (Postgres::start().await, Redis::start().await);
    let setup = || Server::with().postgres(&postgres).redis_url(&redis.url());
    let one = setup().user("alice").start().await;
    let cut_off = Stand::on(postgres, redis, Server::with()).await;
    let here_too = &cut_off.server;
    one.says(1, "Redis is up to date and is used").await;
    cut_off.uses_redis(1).await;
    let key = session_key(&one).await;
    let (here, user_id) = signed_in(&one, "alice").await;
    let (there, _) = signed_in(&one, "alice").await;
    assert!(is_taken_for_live(&here_too.visitor(), &key, &there.token(), 0).await);
    cut_off.to_postgres.set(Mode::Stall);
    cut_off.to_redis.set(Mode::Stall);
    here.delete(&format!("/api/sessions/{}", tag(&there))).send().await.expect(204);
    tokio::time::sleep_until((Instant::now() + TRUE_WITHIN).into()).await;
    let mut unknown = 0;
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        let request = by_key(here_too, &key, "POST", "/api/session/introspect").as_json();
        let answer = request.body(&json!({"token": there.token()}).to_string()).send().await;
        assert!(answer.status == 503 || answer.json()["active"] == false, "{}", answer.text());
        unknown += usize::from(answer.status == 503);
    }
    assert!(unknown > 0);
    let path = format!("/api/sessions?user_id={user_id}");
    let answer = by_key(here_too, &key, "GET", &path).send().await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some() && answer.text().contains("may still be live"));
    by_key(here_too, &key, "DELETE", &path).send().await.expect_problem(503, "unavailable");
    here.ping().await.expect(204);
}
