//! The limit of visits that begin, by address: 5,000 at once, then 2,000 a minute.

use serde_json::{Value, json};
use std::time::Instant;
use tokio::task::JoinSet;
use visitflow_testkit::visitor::Request;
use visitflow_testkit::{Answer, Server, Visitor, fact_id};

use crate::assertion::{self, claims, signed};

const FLOOD: &str = "203.0.113.9";

/// A hundred facts, each as the function says for its number.
fn hundred(fact: impl Fn(usize) -> Value) -> Value {
    (0..100).map(fact).collect()
}

fn stranger() -> String {
    format!("v_{}", uuid::Uuid::new_v4())
}

fn views_of_strangers() -> Value {
    hundred(|_| json!({"id": fact_id(), "visitor_id": stranger(), "url": "https://shop.example/"}))
}

fn events_of_strangers() -> Value {
    hundred(
        |_| json!({"id": fact_id(), "visitor_id": stranger(), "name": "play", "url": "https://shop.example/"}),
    )
}

/// Of one visitor, each on a host of its own, older than the idle limit.
fn late_views() -> Value {
    let visitor = stranger();
    hundred(
        |n| json!({"id": fact_id(), "visitor_id": visitor, "url": format!("https://s{n}.test/"), "age_ms": 1_900_000}),
    )
}

/// Of one visitor, who has one visit.
fn views_of(visitor: &str) -> Value {
    hundred(|n| json!({"id": fact_id(), "visitor_id": visitor, "url": format!("https://shop.example/{n}")}))
}

/// Comes over a proxy from the address, without a cookie.
fn from(address: &str, visitor: &Visitor, path: &str, body: &Value) -> Request {
    visitor.post(path, body).cookie("").header("x-forwarded-for", address)
}

/// A start from the flooding address.
fn start(visitor: &Visitor) -> Request {
    let body = json!({"visitor_id": visitor.id, "url": "https://shop.example/"});
    from(FLOOD, visitor, "/api/session/start", &body)
}

/// A sign-in from the flooding address, with the visitor's session.
fn sign_in(visitor: &Visitor, name: &str) -> Request {
    let body = json!({"assertion": signed(&claims(name))});
    visitor.post("/api/auth/login", &body).as_json().header("x-forwarded-for", FLOOD)
}

/// Sends the requests at once.
async fn at_once(requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let mut sent = JoinSet::new();
    for request in requests {
        sent.spawn(request.send());
    }
    sent.join_all().await
}

/// Sends requests, a round at once, until one of them is refused.
async fn until_refused(mut round: impl FnMut(usize) -> Vec<Request>) {
    for number in 0..10 {
        let answers = at_once(round(number)).await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        for answer in answers {
            match answer.status {
                429 => _ = answer.expect_problem(429, "too-many-requests"),
                _ => _ = answer.expect(200),
            }
        }
        if refused > 0 {
            return;
        }
    }
    panic!("no limit");
}

#[tokio::test]
async fn visits_that_begin_are_limited_through_every_endpoint() {
    let server = Server::with().flag("--allowed-origin", "https://shop.example").start().await;
    let key = server.add_key("shop").await;
    let (ada, live) = (server.visitor(), server.visitor());
    let (views, events) = ("/api/telemetry/page_view", "/api/telemetry/event");
    let flooding = |path: &str, body: &Value| from(FLOOD, &ada, path, body);
    let elsewhere = |body: &Value| {
        flooding(views, body).header("origin", "https://shop.example").header("sec-fetch-site", "cross-site")
    };
    live.post(views, &live.page_view("/")).header("x-forwarded-for", FLOOD).send().await.expect(204);

    // A visitor who has a visit begins none, however many facts arrive.
    for _ in 0..60 {
        flooding(views, &views_of(&ada.id)).send().await.expect(204);
    }
    server.assert_visits(2);

    // Arrays of strangers, of late facts, from another site's page: each visit counts.
    let begun = Instant::now();
    let mut sent = 0;
    let refused = loop {
        let answer = match sent % 4 {
            0 => flooding(views, &views_of_strangers()).send().await,
            1 => flooding(events, &events_of_strangers()).send().await,
            2 => flooding(views, &late_views()).send().await,
            _ => elsewhere(&views_of_strangers()).send().await,
        };
        if answer.status == 429 {
            break answer;
        }
        answer.expect(204);
        sent += 1;
        assert!(sent < 200, "no limit");
    };
    refused.expect_problem(429, "too-many-requests");
    let came_back = begun.elapsed().as_secs() / 3 + 1; // 2,000 a minute are 100 in three seconds
    assert!((48..=50 + came_back).contains(&sent), "{sent} in {:?}", begun.elapsed());
    let stored = server.number("SELECT COUNT(*) FROM sessions");
    for (path, body) in
        [(views, views_of_strangers()), (events, events_of_strangers()), (views, late_views())]
    {
        let answer = flooding(path, &body).send().await.expect_problem(429, "too-many-requests");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions"), stored, "nothing of them was stored");

    // Others are not limited: a visitor with a visit, another address, an API key.
    live.post(views, &live.page_view("/b")).header("x-forwarded-for", FLOOD).send().await.expect(204);
    from("198.51.100.7", &ada, views, &views_of_strangers()).send().await.expect(204);
    flooding(views, &views_of_strangers()).bearer(&key).send().await.expect(204);
    ada.post(views, &views_of_strangers()).cookie("").send().await.expect(204); // not forwarded: this machine
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_count_and_so_do_sign_ins_that_begin_a_visit() {
    let server = assertion::start(Server::with()).await;
    let browsers: Vec<Visitor> = (0..100).map(|_| server.visitor()).collect();
    let sign_ins = |name| browsers.iter().map(|browser| sign_in(browser, name)).collect::<Vec<Request>>();
    let begun = Instant::now();
    let succeed = async |requests: Vec<Request>, visits| {
        for answer in at_once(requests).await {
            answer.expect(200);
        }
        server.assert_visits(visits);
    };
    succeed(browsers.iter().map(start).collect(), 100).await;
    succeed(sign_ins("ann"), 100).await;
    // Another user on the same browser begins a visit, and only the first time.
    succeed(sign_ins("bob"), 200).await;
    succeed(sign_ins("bob"), 200).await;

    // Arrays use up the limit but for less than a hundred visits.
    let ada = server.visitor();
    let mut sent = 0;
    while from(FLOOD, &ada, "/api/telemetry/page_view", &views_of_strangers()).send().await.status == 204 {
        sent += 1;
        assert!(sent < 200, "no limit");
    }
    until_refused(|_| (0..100).map(|_| start(&server.visitor())).collect()).await;
    until_refused(|number| sign_ins(["ann", "bob"][number % 2])).await;
    let came_back = i64::try_from(begun.elapsed().as_millis() * 2_000 / 60_000).expect("a number") + 1;
    let stored = server.number("SELECT COUNT(*) FROM sessions");
    assert!((5_000..=5_000 + came_back).contains(&stored), "{stored} in {:?}", begun.elapsed());

    // A refused sign-in leaves the session as it is.
    for browser in &browsers {
        browser.ping().await.expect(204);
    }
    // Requests that begin no visit are not limited, and neither is another address.
    sign_in(&server.visitor(), "ann").send().await.expect(200);
    let elsewhere = start(&server.visitor()).header("x-forwarded-for", "198.51.100.7");
    elsewhere.send().await.expect(200);
}
