//! Erasure: who may request it, what is erased, and that none of it comes back.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::patience::soon;
use visitflow_testkit::proxy::{Mode, Proxy};
use visitflow_testkit::{Answer, Postgres, Redis, Server, Visitor};

const PATH: &str = "/api/privacy/visitor";

/// A visit with everything in it.
async fn leaves_traces(visitor: &Visitor) {
    visitor.start().await.expect(200);
    visitor.view("/").await.expect(204);
    visitor.event("seen").await.expect(204);
    visitor.order(&format!("order of {}", &visitor.id[..10]), "9.90", "EUR").await.expect(204);
    visitor.log_in("alice").await.expect(200);
    visitor.view("/account").await.expect(204);
}

/// Everything that is stored of anybody's visits is this one's.
#[track_caller]
fn assert_only_theirs_is_left(server: &Server, visitor: &Visitor) {
    let count = |table: &str| server.number(&format!("SELECT COUNT(*) FROM {table}"));
    assert_eq!(server.texts("SELECT visitor_id FROM sessions"), [&*visitor.id]);
    assert_eq!(server.texts("SELECT visitor_id FROM visitors"), [&*visitor.id]);
    assert_eq!(server.texts("SELECT visitor_id FROM orders"), [&*visitor.id]);
    assert_eq!((count("page_views"), count("events")), (2, 1));
    assert_eq!(count("session_tokens WHERE visit_id IS NOT NULL OR user_id IS NOT NULL"), 1);
    assert_eq!(count("session_tokens WHERE ended_at IS NULL"), 1);
    assert_eq!(count("dead_letters"), 0);
}

/// What is still under way when the erasure is answered, or was kept for later.
async fn sends_stragglers(visitor: &Visitor, resent: &Value) {
    visitor.send_view(resent).await.expect(204).expect_no_cookie();
    visitor.view("/late").await.expect(204).expect_no_cookie();
    let mut late = visitor.page_view("/last-week");
    late["age_ms"] = json!(6 * 24 * 3_600_000);
    visitor.send_view(&json!([late, visitor.page_view("/beacon")])).await.expect(204).expect_no_cookie();
    visitor.event("late").await.expect(204).expect_no_cookie();
    visitor.order("late", "1", "EUR").await.expect(204).expect_no_cookie();
    visitor.start().await.expect(204).expect_no_cookie();
    visitor.ping().await.expect_problem(401, "session-expired");
}

async fn metrics(server: &Server) -> String {
    server.ask_admin("/metrics").await.expect(200).text()
}

#[tokio::test]
async fn a_visitor_who_is_erased_leaves_nothing_but_the_account_and_others_stay() {
    let mut server = Server::with().user("alice").start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    leaves_traces(&bob).await;
    leaves_traces(&ada).await;
    let resent = ada.page_view("/again");
    ada.send_view(&resent).await.expect(204);
    let before = ada.snapshot();

    let answer = ada.erase().await.expect(204);
    for name in ["session_id", "visitor_id", "visitor_key", "last_activity"] {
        let cookie = answer.set_cookie(name).expect(name);
        assert!(cookie.clears() && cookie.attributes.contains("Path=/"), "{cookie:?}");
    }
    assert_eq!(ada.session(), None);
    assert_only_theirs_is_left(&server, &bob);
    sends_stragglers(&before, &resent).await;
    sends_stragglers(&before.without_session(), &resent).await;
    assert_only_theirs_is_left(&server, &bob);
    bob.ping().await.expect(204);
    assert_eq!(server.texts("SELECT asked_by || ' ' || (row_count > 6) FROM erasures"), ["visitor 1"]);
    assert_eq!(server.number("SELECT COUNT(*) FROM erased_visitors WHERE LENGTH(visitor_hash) = 32"), 1);
    let told = metrics(&server).await;
    assert!(told.contains("visitflow_erasures_total{by=\"visitor\"} 1\n"), "{told}");
    assert!(told.contains("visitflow_dropped_total{reason=\"erased\"} 14\n"), "{told}");

    assert!(server.terminate().await.success());
    server.restart().await;
    sends_stragglers(&before, &resent).await;
    assert_only_theirs_is_left(&server, &bob);
    // The account is the shop's, not the visitor's.
    server.visitor().log_in("alice").await.expect(200);
}

#[tokio::test]
async fn only_the_visitor_an_admin_or_a_key_of_that_scope_erases() {
    let server = Server::with().admin("root").user("alice").start().await;
    let (ada, bob, nobody) = (server.visitor(), server.visitor(), server.visitor());
    let (root, alice) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    bob.view("/").await.expect(204);
    alice.log_in_to_dashboard("alice").await.expect(200);
    let foreign = async |visitor: &Visitor| {
        visitor.erase_request(&ada.id).send().await.expect_problem(403, "forbidden").expect_no_cookie();
    };
    foreign(&bob).await;
    foreign(&alice).await;
    foreign(&nobody).await;
    // Knowing the id gives no access, even with a session of the visit.
    let eve = ada.without_session();
    eve.erase().await.expect_problem(403, "forbidden");
    eve.start().await.expect(200);
    let refused = eve.erase().await.expect_problem(403, "forbidden").expect_no_cookie();
    assert!(refused.text().contains("Ask the site's owner"), "{}", refused.text());
    eve.set_cookie("visitor_key", &bob.cookie("visitor_key").expect("a key"));
    eve.erase().await.expect_problem(403, "forbidden");
    let facts = server.add_key("facts").await;
    let eraser = server.run(&["key", "add", "eraser", "--scope", "erase"], "").await.trim().to_owned();
    let by_key = async |key: &str, visitor_id: &str| {
        nobody.erase_request(visitor_id).without("origin").bearer(key).send().await.expect_no_cookie()
    };
    by_key(&facts, &ada.id).await.expect_problem(403, "forbidden");
    server.assert_page_views(2);
    assert_eq!(server.number("SELECT COUNT(*) FROM erasures"), 0);

    // With Global Privacy Control on, and without a session, the key alone is enough.
    let gone = server.visitor();
    gone.view("/").await.expect(204);
    gone.set_cookie("session_id", "");
    let refused = gone.erase_request(&bob.id).header("sec-gpc", "1").send().await;
    refused.expect_problem(403, "forbidden");
    // Another host of the domain may have added a key in front.
    let key = gone.cookie("visitor_key").expect("a key");
    let cookies = format!("visitor_key={}; visitor_key={key}", "A".repeat(43));
    let request = gone.erase_request(&gone.id).header("sec-gpc", "1").cookie(cookies);
    let erased = request.send().await.expect(204);
    assert!(erased.set_cookie("visitor_key").is_some_and(|cookie| cookie.clears()), "{erased:?}");
    // A browser that repeats the erasure of another visitor keeps its cookies.
    bob.erase_request(&gone.id).send().await.expect(204).expect_no_cookie();

    for _ in 0..2 {
        by_key(&eraser, &ada.id).await.expect(204);
    }
    server.assert_page_views(1);
    // That is all that such a key may.
    let view = bob.post("/api/telemetry/page_view", &bob.page_view("/")).bearer(&eraser);
    view.send().await.expect_problem(403, "forbidden");
    root.log_in_to_dashboard("root").await.expect(200);
    root.erase_request(&bob.id).send().await.expect(204).expect_no_cookie();
    root.erase_request(&nobody.id).send().await.expect(204).expect_no_cookie();
    root.get("/api/metrics/overview").send().await.expect(200);
    bob.ping().await.expect_problem(401, "session-expired");
    server.assert_page_views(0);
    // An admin who is a visitor too.
    root.view("/").await.expect(204);
    root.erase().await.expect(204);
    assert_eq!(root.session(), None);
    assert_eq!(
        server.texts("SELECT asked_by FROM erasures ORDER BY id"),
        ["visitor", "key", "key", "admin", "admin", "admin"]
    );
}

#[tokio::test]
async fn an_erasure_that_is_not_asked_for_properly_erases_nothing() {
    let server = Server::with().flag("--allowed-origin", "https://shop.example").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let simple = ada.erase_request(&ada.id).header("content-type", "text/plain");
    simple.send().await.expect_problem(415, "unsupported-media-type");
    ada.erase_request("v_nonsense").send().await.expect_problem(400, "invalid-field");
    let with = async |body: &str| -> Answer {
        let request = ada.request("DELETE", PATH).as_json().header("origin", &server.origin());
        request.body(body).send().await
    };
    with("{}").await.expect_problem(400, "invalid-field");
    with(r#"{"visitor_id": 7}"#).await.expect_problem(400, "malformed-body");
    with("[]").await.expect_problem(400, "malformed-body");
    with("").await.expect_problem(400, "malformed-body");
    for origin in ["https://evil.example", "null"] {
        let foreign = ada.erase_request(&ada.id).header("origin", origin);
        let foreign = foreign.header("sec-fetch-site", "cross-site");
        foreign.send().await.expect_problem(403, "foreign-origin");
    }
    for method in ["POST", "PUT", "PATCH"] {
        let answer = ada.request(method, PATH).send().await.expect_problem(405, "method-not-allowed");
        assert!(answer.lists("allow", "DELETE"));
    }
    let preflight = ada.request("OPTIONS", PATH).header("origin", "https://shop.example");
    let preflight = preflight.header("access-control-request-method", "DELETE").send().await.expect(204);
    assert!(preflight.lists("access-control-allow-methods", "DELETE"));
    server.assert_page_views(1);
    let listed = ada.erase_request(&ada.id).header("origin", "https://shop.example");
    listed.header("sec-fetch-site", "same-site").send().await.expect(204);
    server.assert_page_views(0);
}

#[tokio::test]
async fn an_erasure_on_one_server_is_one_on_the_other_and_in_redis() {
    let (postgres, redis) = (Postgres::start().await, Redis::start().await);
    let setup = || Server::with().postgres(&postgres).redis_url(&redis.url()).user("alice");
    let (one, other) = (setup().start().await, setup().start().await);
    for server in [&one, &other] {
        server.says(1, "Redis is up to date and is used").await;
    }
    let (ada, bob) = (one.visitor(), one.visitor());
    leaves_traces(&bob).await;
    leaves_traces(&ada).await;
    let visit = one.texts(&format!("SELECT id FROM sessions WHERE visitor_id = '{}'", ada.id)).remove(0);
    let resent = ada.page_view("/again");
    for _ in 0..20 {
        ada.at(&other).send_view(&resent).await.expect(204);
        ada.at(&other).ping().await.expect(204);
    }
    let before = ada.snapshot();
    ada.erase().await.expect(204);
    let token = before.token();
    let tag = token.trim_start_matches("s_").split('.').next().unwrap_or_default().to_owned();
    let kept = format!("{:?}", redis.command(&["HGETALL", &format!("visitflow:{{{tag}}}")]).await);
    assert!(!kept.contains(&visit), "{kept}");
    let activity = redis.command(&["EXISTS", &format!("visitflow:activity:{{{tag}}}")]).await;
    assert_eq!(activity, json!(0));
    let ping = async || before.snapshot().at(&other).ping().await.status;
    soon("a token that was erased", 401, ping).await;
    for server in [&one, &other] {
        sends_stragglers(&before.at(server), &resent).await;
        sends_stragglers(&before.without_session().at(server), &resent).await;
    }
    assert_only_theirs_is_left(&one, &bob);
}

/// Asks until it is done. Until then nothing is erased.
async fn erases_in_the_end(visitor: &Visitor) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = visitor.erase().await;
        if answer.status == 204 {
            return;
        }
        let answer = answer.expect_problem(503, "unavailable").expect_no_cookie();
        assert!(answer.header("retry-after").is_some());
        assert!(Instant::now() < deadline, "never erased");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_was_in_the_spool_is_erased_and_does_not_come_back() {
    let mut postgres = Postgres::start().await;
    let mut server = Server::with().postgres(&postgres).user("alice").start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    leaves_traces(&bob).await;
    ada.start().await.expect(200);
    ada.view("/").await.expect(204);
    postgres.kill();
    let resent = ada.page_view("/spooled");
    ada.send_view(&resent).await.expect(204);
    ada.event("spooled").await.expect(204);
    ada.order("spooled", "1", "EUR").await.expect(204);
    ada.erase().await.expect_problem(503, "unavailable").expect_no_cookie();
    server.kill().await;
    server.restart().await;
    ada.view("/spooled-too").await.expect(204);
    postgres.restart().await;
    let before = ada.snapshot();
    erases_in_the_end(&ada).await;
    assert_only_theirs_is_left(&server, &bob);
    sends_stragglers(&before, &resent).await;
    assert_only_theirs_is_left(&server, &bob);
    assert_eq!(server.number("SELECT COUNT(*) FROM erasures"), 1);
}

#[tokio::test]
async fn what_waits_in_the_spool_of_another_server_does_not_come_back() {
    let postgres = Postgres::start().await;
    let line = Proxy::to(postgres.address()).await;
    let far = Server::with().database_url(&postgres.url_over(line.address())).postgres(&postgres);
    let far = far.start().await;
    let near = Server::with().postgres(&postgres).user("alice").start().await;
    let (ada, bob) = (near.visitor(), near.visitor());
    leaves_traces(&bob).await;
    ada.start().await.expect(200);
    ada.at(&far).ping().await.expect(204);
    line.set(Mode::Refuse);
    let (elsewhere, tab) = (ada.at(&far), ada.without_session().at(&far));
    elsewhere.view("/spooled").await.expect(204);
    far.says(1, "facts go to the spool").await;
    elsewhere.order("spooled", "1", "EUR").await.expect(204);
    tab.start().await.expect(200);
    tab.view("/spooled").await.expect(204);
    ada.erase().await.expect(204);
    assert_only_theirs_is_left(&near, &bob);
    line.set(Mode::Pass);
    far.says(1, "the database is back").await;
    assert_only_theirs_is_left(&near, &bob);
    tab.ping().await.expect_problem(401, "session-expired");
}

// ---- what is kept of addresses

#[tokio::test]
async fn a_visit_stores_the_name_of_a_click_id_and_an_anonymous_view_stores_none() {
    let server = Server::start().await;
    let (ada, eve) = (server.visitor(), server.visitor());
    let address = "https://shop.example/?utm_source=news&gclid=SECRET&x=1";
    let start = json!({"visitor_id": ada.id, "url": address, "cookies": 1});
    ada.post("/api/session/start", &start).send().await.expect(200);
    ada.view("/").await.expect(204);
    assert_eq!(server.texts("SELECT utm_source || ' ' || click_id FROM sessions"), ["news gclid"]);
    let anonymous = |mut body: Value| {
        body["anonymous"] = json!(true);
        body["url"] = json!(address);
        body
    };
    let mut view = anonymous(eve.page_view("/"));
    view["referrer"] = json!(address);
    view["sequence"] = json!(9);
    eve.send_view(&view).await.expect(204);
    let mut by_signal = eve.page_view("/");
    by_signal["url"] = json!(address);
    let by_signal = eve.post("/api/telemetry/page_view", &by_signal).header("sec-gpc", "1");
    by_signal.send().await.expect(204);
    let event = anonymous(json!({"name": "seen"}));
    eve.post("/api/telemetry/event", &event).send().await.expect(204);
    let kept = "https://shop.example/?utm_source=news&x=1";
    assert_eq!(server.texts("SELECT DISTINCT url FROM page_views WHERE visit_id IS NULL"), [kept]);
    assert_eq!(server.texts("SELECT referrer FROM page_views WHERE referrer IS NOT NULL"), [kept]);
    assert_eq!(server.texts("SELECT url FROM events"), [kept]);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE sequence IS NOT NULL"), 0);
}

#[tokio::test]
async fn a_start_of_a_browser_without_cookies_is_only_counted() {
    let server = Server::start().await;
    for cookies in [json!(0), json!(2), json!(null), json!("no")] {
        let ada = server.visitor();
        let start = json!({"visitor_id": ada.id, "cookies": cookies});
        ada.post("/api/session/start", &start).send().await.expect(200);
    }
    let told = metrics(&server).await;
    assert!(told.contains("visitflow_starts_without_cookies_total 1\n"), "{told}");
}

#[tokio::test]
async fn a_view_s_number_and_what_the_browser_says_of_itself_are_stored() {
    let server = Server::start().await;
    let ada = server.visitor();
    let mut view = ada.page_view("/");
    view["sequence"] = json!(2);
    view["device"] = json!({"platform": "Linux", "mobile": false, "brands": "Chromium 130,Other 1"});
    ada.send_view(&view).await.expect(204);
    let stored = server.texts("SELECT sequence || ' ' || device FROM page_views");
    assert_eq!(stored, [r#"2 {"platform":"Linux","mobile":false,"brands":"Chromium 130,Other 1"}"#]);
    for (field, bad) in [("sequence", json!(0)), ("sequence", json!(-1)), ("device", json!({"mobile": 1}))] {
        let mut view = ada.page_view("/");
        view[field] = bad;
        ada.send_view(&view).await.expect(204);
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE sequence IS NULL"), 3);
    let mut long = ada.page_view("/");
    long["device"] = json!({"brands": "x".repeat(129)});
    ada.send_view(&long).await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE device LIKE '%\"x%x\"}'"), 1);
    server.assert_page_views(5);
}
