//! The life of a session and of a visit.

use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};
use visitflow_testkit::{Server, fact_id};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

#[tokio::test]
async fn start_resumes_a_live_session() {
    let server = Server::start().await;
    let ada = server.visitor();
    let first = ada.start().await.expect(200).json();
    assert_eq!(first["session"], "started");
    assert_eq!(first["expires_in"], 1800);
    let now = first["now"].as_u64().expect("the server's clock");
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    assert!(u128::from(now).abs_diff(ours) < 60_000, "{now} is not now");
    let token = ada.token();
    assert_eq!(ada.start().await.expect(200).json()["session"], "resumed");
    assert_eq!(ada.token(), token);
    server.assert_visits(1);
}

#[tokio::test]
async fn a_second_tab_without_the_cookie_joins_the_visit_with_a_token_of_its_own() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let by_start = ada.without_session();
    by_start.start().await.expect(200);
    let by_view = ada.without_session();
    by_view.view("/shoes").await.expect(204);
    server.assert_visits(1);
    for tab in [&ada, &by_start, &by_view] {
        tab.ping().await.expect(204);
    }
    assert_ne!(ada.token(), by_start.token());
    assert_ne!(ada.token(), by_view.token());
    let visits = server.number("SELECT COUNT(DISTINCT visit_id) FROM session_tokens");
    assert_eq!(visits, 1, "all tokens belong to one visit");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_that_start_at_once_make_one_visit() {
    let server = Server::start().await;
    let ada = server.visitor();
    let tabs: Vec<_> = (0..20)
        .map(|_| {
            let tab = ada.without_session();
            tokio::spawn(async move { tab.start().await.expect(200) })
        })
        .collect();
    for tab in tabs {
        tab.await.expect("the tab starts");
    }
    server.assert_visits(1);
}

#[tokio::test]
async fn joining_a_visit_signs_nobody_in() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    ada.log_in("alice").await.expect(200);
    let stranger = ada.without_session();
    stranger.start().await.expect(200);
    server.assert_visits(1);
    let signed_in = "SELECT COUNT(*) FROM session_tokens WHERE user_id IS NOT NULL AND ended_at IS NULL";
    assert_eq!(server.number(signed_in), 1);
}

#[tokio::test]
async fn a_token_that_the_server_did_not_issue_is_never_adopted() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let genuine = ada.token();
    let (tag, _) = genuine.split_once('.').expect("a token");
    let secret = "A".repeat(43);
    let forged = [format!("s_{}.{secret}", "A".repeat(22)), format!("{tag}.{secret}")];
    for token in forged {
        for start in [true, false] {
            let eve = server.visitor();
            eve.set_cookie("session_id", &token);
            let answer = if start { eve.start().await } else { eve.view("/").await };
            assert!(answer.status < 300, "{}: {}", answer.to, answer.text());
            assert_ne!(eve.token(), token);
            assert_ne!(eve.token().split_once('.').expect("a token").0, tag);
            let replayed = server.visitor();
            replayed.set_cookie("session_id", &token);
            replayed.ping().await.expect_problem(401, "session-expired");
        }
    }
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn a_token_is_accepted_only_in_the_cookie() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let token = ada.token();
    let eve = server.visitor();
    let requests = [
        eve.post(&format!("/api/session/ping?session_id={token}"), &json!({})),
        eve.post("/api/session/ping", &json!({"session_id": token, "session": token})),
        eve.post("/api/session/ping", &json!({})).header("x-session-id", &token),
        eve.post("/api/session/ping", &json!({})).bearer(&token),
    ];
    for request in requests {
        let answer = request.send().await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(!answer.text().contains(&token));
    }
}

#[tokio::test]
async fn a_ping_starts_nothing() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.ping().await.expect_problem(401, "session-expired");
    server.assert_visits(0);
    assert_eq!(server.number("SELECT COUNT(*) FROM session_tokens"), 0);
    assert_eq!(ada.session(), None);
}

#[tokio::test]
async fn the_old_token_is_dead_after_login_logout_and_end() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let mut dead = vec![ada.snapshot()];
    ada.log_in("alice").await.expect(200);
    dead.push(ada.snapshot());
    ada.log_in("alice").await.expect(200);
    dead.push(ada.snapshot());
    ada.log_out().await.expect(204);
    ada.ping().await.expect(204);
    dead.push(ada.snapshot());
    ada.end().await.expect(204);
    for old in &dead {
        let answer = old.ping().await.expect_problem(401, "session-expired");
        let cookie = answer.set_cookie("session_id");
        assert!(cookie.is_none_or(|cookie| cookie.clears()), "no new token comes with a 401");
    }
    let live = "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL";
    assert_eq!(server.number(live), 0);
}

#[tokio::test]
async fn a_page_view_in_flight_at_an_end_is_stored_and_sets_no_cookie() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let late = ada.snapshot();
    ada.end().await.expect(204);
    late.view("/late").await.expect(204).expect_no_cookie();
    server.assert_visits(1);
    let sql = "SELECT COUNT(*) FROM page_views JOIN sessions ON sessions.id = page_views.visit_id
               WHERE path = '/late' AND sessions.ended_at IS NOT NULL";
    assert_eq!(server.number(sql), 1);
    late.ping().await.expect_problem(401, "session-expired");
}

#[tokio::test]
async fn a_page_view_in_flight_at_a_login_is_stored_and_sets_no_cookie() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let late = ada.snapshot();
    ada.log_in("alice").await.expect(200);
    late.view("/late").await.expect(204).expect_no_cookie();
    server.assert_visits(1);
    server.assert_page_views(1);
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn a_hit_after_the_end_starts_a_new_visit() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.end().await.expect(204);
    ada.view("/").await.expect(204);
    server.assert_visits(2);
}

#[tokio::test]
async fn a_visit_ends_with_its_last_session() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let tab = ada.without_session();
    tab.start().await.expect(200);
    let ended = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL";
    tab.end().await.expect(204);
    assert_eq!(server.number(ended), 0);
    ada.end().await.expect(204);
    assert_eq!(server.number(ended), 1);
    let times = "SELECT COUNT(*) FROM sessions WHERE ended_at >= last_activity";
    assert_eq!(server.number(times), 1, "a visit ends after its last activity");
}

#[tokio::test]
async fn an_idle_session_is_dead_whatever_the_browser_says() {
    let mut server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let old = ada.token();
    server.terminate().await;
    server.age(31 * MINUTE_MS);
    server.restart().await;
    ada.snapshot().ping().await.expect_problem(401, "session-expired");
    ada.view("/").await.expect(204);
    assert_ne!(ada.token(), old);
    server.assert_visits(2);
}

#[tokio::test]
async fn a_session_that_was_active_29_minutes_ago_is_alive() {
    let mut server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    server.terminate().await;
    server.age(29 * MINUTE_MS);
    server.restart().await;
    ada.ping().await.expect(204);
    server.terminate().await;
    server.age(29 * MINUTE_MS);
    server.restart().await;
    ada.view("/").await.expect(204);
    server.assert_visits(1);
}

#[tokio::test]
async fn activity_does_not_extend_the_absolute_limit() {
    let mut server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    server.terminate().await;
    let sql = format!("UPDATE session_tokens SET created_at = created_at - {}", 24 * HOUR_MS + 1);
    server.database().execute_batch(&sql).expect("the rows can be changed");
    server.restart().await;
    ada.snapshot().ping().await.expect_problem(401, "session-expired");
    ada.start().await.expect(200);
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn a_late_fact_starts_no_visit_now() {
    let server = Server::start().await;
    let ada = server.visitor();
    let view = json!({
        "id": fact_id(), "visitor_id": ada.id, "url": "https://shop.example/", "age_ms": 2 * HOUR_MS,
    });
    ada.send_view(&view).await.expect(204).expect_no_cookie();
    server.assert_page_views(1);
    ada.view("/now").await.expect(204);
    server.assert_visits(2);
    let closed = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL";
    assert_eq!(server.number(closed), 1, "the late fact's visit is closed");
}
