//! Signing in and out.

use std::collections::BTreeMap;
use visitflow_testkit::Server;

#[tokio::test]
async fn a_login_gives_the_visitor_s_earlier_visits_to_the_user() {
    let server = Server::with().user("alice").start().await;
    let (ada, other) = (server.visitor(), server.visitor());
    for visitor in [&ada, &other] {
        visitor.view("/").await.expect(204);
        visitor.end().await.expect(204);
        visitor.view("/").await.expect(204);
    }
    let answer = ada.log_in("alice").await.expect(200);
    let user = answer.json()["user_id"].as_str().expect("a user id").to_owned();
    server.assert_visits(4);
    let of =
        |visitor: &str| server.texts(&format!("SELECT user_id FROM sessions WHERE visitor_id = '{visitor}'"));
    assert_eq!(of(&ada.id), [user.clone(), user]);
    assert_eq!(of(&other.id), ["", ""]);
}

#[tokio::test]
async fn another_user_on_the_same_browser_begins_a_new_visit() {
    let server = Server::with().user("alice").user("bob").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let alice = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    server.assert_visits(1);
    ada.log_out().await.expect(204);
    let bob = ada.log_in("bob").await.expect(200).json()["user_id"].clone();
    server.assert_visits(2);
    ada.view("/bob").await.expect(204);
    let owner = "SELECT user_id FROM sessions JOIN page_views ON visit_id = sessions.id WHERE path = '/bob'";
    assert_eq!(server.texts(owner), [bob.as_str().expect("a user id")]);
    let users = server.texts("SELECT user_id FROM sessions ORDER BY started_at, user_id = ''");
    assert!(users.contains(&alice.as_str().expect("a user id").to_owned()), "{users:?}");
}

#[tokio::test]
async fn the_same_user_who_signs_in_again_stays_in_the_visit() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for _ in 0..2 {
        ada.log_in("alice").await.expect(200);
        ada.log_out().await.expect(204);
    }
    server.assert_visits(1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let token = ada.token();
    let wrong = ada.log_in_with("alice", "wrong").await.expect_problem(401, "wrong-credentials");
    let unknown = ada.log_in_with("nobody", "wrong").await.expect_problem(401, "wrong-credentials");
    assert_eq!(wrong.text(), unknown.text());
    assert_eq!(ada.token(), token, "a failure rotates nothing");
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn the_dashboard_s_sign_in_makes_no_visit() {
    let server = Server::with().admin("root").start().await;
    let dashboard = server.visitor();
    dashboard.log_in_to_dashboard("root").await.expect(200);
    dashboard.get("/api/metrics/overview").send().await.expect(200);
    server.assert_visits(0);
    dashboard.log_out().await.expect(204);
    dashboard.get("/api/metrics/overview").send().await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_logins_at_once_on_one_cookie_leave_one_live_session() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let tab = ada.snapshot();
            tokio::spawn(async move { (tab.log_in("alice").await, tab) })
        })
        .collect();
    let mut statuses = BTreeMap::new();
    let mut winners = Vec::new();
    for attempt in tries {
        let (answer, tab) = attempt.await.expect("an answer");
        *statuses.entry(answer.status).or_insert(0) += 1;
        match answer.status {
            200 => winners.push(tab),
            _ => assert!(answer.set_cookie("session_id").is_none_or(|cookie| cookie.clears())),
        }
    }
    assert_eq!(statuses.get(&200), Some(&1), "{statuses:?}");
    assert!(statuses.keys().all(|status| matches!(status, 200 | 401 | 409 | 429)), "{statuses:?}");
    let live = "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL";
    assert_eq!(server.number(live), 1);
    winners.pop().expect("one winner").ping().await.expect(204);
    ada.ping().await.expect_problem(401, "session-expired");
    server.assert_visits(1);
}

#[tokio::test]
async fn a_user_who_is_no_admin_reads_no_report() {
    let server = Server::with().user("alice").start().await;
    let alice = server.visitor();
    alice.log_in_to_dashboard("alice").await.expect(200);
    for report in ["overview", "timeseries", "pages", "referrers", "live"] {
        let path = format!("/api/metrics/{report}");
        alice.get(&path).send().await.expect_problem(403, "forbidden");
        server.visitor().get(&path).send().await.expect_problem(401, "not-authorized");
        let wrong_key = server.visitor().get(&path).bearer("vf_wrong").send().await;
        wrong_key.expect_problem(401, "not-authorized");
    }
}
