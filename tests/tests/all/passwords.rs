//! Users change their passwords.

use serde_json::json;
use tokio::task::JoinSet;
use visitflow_testkit::{Answer, Server, Visitor, password_of};

const NEW: &str = "a new and long one";

async fn change(visitor: &Visitor, old: &str, new: &str) -> Answer {
    let body = json!({"old_password": old, "new_password": new});
    visitor.post("/api/auth/password", &body).as_json().send().await
}

async fn signed_in(server: &Server, name: &str) -> Visitor {
    let visitor = server.visitor();
    visitor.view("/").await.expect(204);
    visitor.log_in(name).await.expect(200);
    visitor
}

#[tokio::test]
async fn a_user_changes_the_password_and_stays_signed_in_here_alone() {
    let server = Server::with().user("alice").user("bob").start().await;
    let (here, there) = (signed_in(&server, "alice").await, signed_in(&server, "alice").await);
    let bob = signed_in(&server, "bob").await;
    let before = here.snapshot();
    let answer = change(&here, &password_of("alice"), NEW).await.expect(204);
    assert!(answer.set_cookie("session_id").is_some_and(|cookie| cookie.value != before.token()));
    here.ping().await.expect(204);
    for dead in [&before, &there] {
        dead.ping().await.expect_problem(401, "session-expired");
    }
    bob.ping().await.expect(204);
    let anew = server.visitor();
    anew.log_in("alice").await.expect_problem(401, "wrong-credentials");
    anew.log_in_with("alice", NEW).await.expect(200);
    server.assert_visits(3);
}

#[tokio::test]
async fn a_wrong_old_password_changes_nothing() {
    let server = Server::with().user("alice").start().await;
    let (here, there) = (signed_in(&server, "alice").await, signed_in(&server, "alice").await);
    change(&here, "not hers", NEW).await.expect_problem(401, "wrong-credentials").expect_no_cookie();
    for (old, new) in [("", NEW), ("x", ""), ("x", "short"), ("x", "a\0bcdefghijk"), ("x", "aaaaaaaaaaaa")] {
        change(&here, old, new).await.expect_problem(400, "invalid-field");
    }
    let text =
        here.post("/api/auth/password", &json!({"old_password": "a", "new_password": NEW})).send().await;
    text.expect_problem(415, "unsupported-media-type");
    here.ping().await.expect(204);
    there.ping().await.expect(204);
    server.visitor().log_in("alice").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_the_old_password_wait_for_each_other_as_those_of_a_sign_in() {
    let server = Server::with().user("alice").start().await;
    let here = signed_in(&server, "alice").await;
    let mut flood = JoinSet::new();
    for n in 0..100 {
        let body = json!({"old_password": format!("wrong-guess-{n}"), "new_password": NEW});
        let request = here.post("/api/auth/password", &body).as_json();
        flood.spawn(request.header("x-forwarded-for", "203.0.113.7").send());
    }
    let mut told = 0;
    while told < 80 {
        let answer = flood.join_next().await.expect("an answer").expect("an answer");
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
            told += 1;
        } else {
            answer.expect(401);
        }
    }
    flood.abort_all();
}

#[tokio::test]
async fn a_user_without_a_password_here_is_told_where_to_change_it() {
    let server = Server::with().user("alice").start().await;
    let nobody = server.visitor();
    change(&nobody, "x", NEW).await.expect_problem(401, "session-expired");
    nobody.view("/").await.expect(204);
    change(&nobody, "x", NEW).await.expect_problem(401, "not-signed-in");
    let key = server.run(&["key", "add", "backend", "--scope", "session"], "").await.trim().to_owned();
    let body = json!({"token": nobody.token(), "user_id": "ada"});
    let bind = server.visitor().post("/api/session/bind", &body).as_json().bearer(&key).cookie("");
    let bound = bind.without("origin").send().await.expect(200).json();
    let cookie = bound["set_cookie"].as_str().and_then(|cookie| cookie.strip_prefix("session_id="));
    nobody.set_cookie("session_id", cookie.and_then(|rest| rest.split(';').next()).expect("a token"));
    let answer = change(&nobody, "x", NEW).await.expect_problem(403, "forbidden");
    assert!(answer.text().contains("identity provider"), "{}", answer.text());
}

#[tokio::test]
async fn a_page_of_another_origin_changes_no_password() {
    let server = Server::with().user("alice").start().await;
    let here = signed_in(&server, "alice").await;
    let body = json!({"old_password": password_of("alice"), "new_password": NEW});
    let request = here.post("/api/auth/password", &body).as_json().header("origin", "https://evil.example");
    let request = request.header("sec-fetch-site", "cross-site");
    request.send().await.expect_problem(403, "foreign-origin");
    server.visitor().log_in("alice").await.expect(200);
}
