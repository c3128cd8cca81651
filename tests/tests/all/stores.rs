//! The reports are the same with any combination of stores.

use serde_json::Value;
use std::time::Instant;
use visitflow_testkit::load::turn;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::redis_cluster::RedisCluster;
use visitflow_testkit::setup::Setup;
use visitflow_testkit::{Postgres, Redis, Server};

/// What people do in a shop, and the overview afterwards.
async fn overview_of_the_journey(setup: Setup) -> Value {
    let server = setup.user("alice").start().await;
    let key = server.add_key("reports").await;
    let (ada, bob, eve) = (server.visitor(), server.visitor(), server.visitor());

    // Looks around, signs in, orders, signs out, ends.
    assert_eq!(ada.start().await.expect(200).json()["session"], "started");
    for path in ["/", "/mug", "/cart"] {
        ada.view(path).await.expect(204);
    }
    ada.ping().await.expect(204);
    let before = ada.snapshot();
    ada.log_in("alice").await.expect(200);
    before.ping().await.expect_problem(401, "session-expired");
    ada.order("A-1", "59.90", "EUR").await.expect(204);
    ada.order("A-1", "59.90", "EUR").await.expect(204);
    let signed_in = ada.snapshot();
    ada.log_out().await.expect(204);
    signed_in.ping().await.expect_problem(401, "session-expired");
    ada.view("/bye").await.expect(204);
    let last = ada.snapshot();
    ada.end().await.expect(204);
    last.ping().await.expect_problem(401, "session-expired");
    // Comes back: another visit of the same visitor.
    ada.view("/").await.expect(204);

    // Comes without a start, sends a page view twice, orders elsewhere.
    let view = bob.page_view("/mug");
    bob.send_view(&view).await.expect(204);
    bob.send_view(&view).await.expect(204);
    bob.event("add_to_cart").await.expect(204);
    bob.order("B-1", "10", "EUR").await.expect(204);
    bob.order("B-2", "7.5", "USD").await.expect(204);
    assert_eq!(bob.without_session().start().await.expect(200).json()["session"], "started");

    // Starts, and sees nothing.
    eve.start().await.expect(200);

    server.overview(&key, "").await
}

/// Without the figures that differ by milliseconds.
fn timeless(mut overview: Value) -> Value {
    for name in ["average_visit_seconds", "from", "to"] {
        overview[name] = Value::Null;
    }
    overview
}

async fn tells_the_same_as_sqlite(setup: Setup) {
    let expected = overview_of_the_journey(Server::with()).await;
    assert_eq!((&expected["total_visits"], &expected["page_views"]), (&4.into(), &6.into()), "{expected}");
    let found = overview_of_the_journey(setup).await;
    assert_eq!(timeless(found), timeless(expected));
}

#[tokio::test]
async fn postgres_alone_tells_the_same_as_sqlite() {
    let postgres = Postgres::shared_database().await;
    tells_the_same_as_sqlite(Server::with().postgres(&postgres)).await;
}

#[tokio::test]
async fn postgres_and_redis_tell_the_same_as_sqlite() {
    let (postgres, redis) = (Postgres::shared_database().await, Redis::start().await);
    tells_the_same_as_sqlite(Server::with().postgres(&postgres).redis_url(&redis.url())).await;
}

#[tokio::test]
async fn postgres_and_a_redis_cluster_tell_the_same_as_sqlite() {
    let _turn = turn().await;
    let (postgres, cluster) = (Postgres::shared_database().await, RedisCluster::start().await);
    tells_the_same_as_sqlite(Server::with().postgres(&postgres).redis_url(&cluster.urls())).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_is_signed_out_of_a_running_server_in_a_moment() {
    let (postgres, redis) = (Postgres::shared_database().await, Redis::start().await);
    let setup = Server::with().user("alice").postgres(&postgres).redis_url(&redis.url());
    let server = setup.start().await;
    server.says(1, "Redis is up to date and is used").await;
    let (ada, bob) = (server.visitor(), server.visitor());
    for visitor in [&ada, &bob] {
        visitor.log_in("alice").await.expect(200);
        visitor.ping().await.expect(204);
    }
    let bystander = server.visitor();
    bystander.view("/").await.expect(204);
    server.run(&["user", "disable", "alice"], "").await;
    let since = Instant::now();
    for visitor in [&ada, &bob] {
        while visitor.snapshot().ping().await.status != 401 {
            assert!(since.elapsed() < PATIENCE / 12, "the session lives on");
        }
    }
    println!("signed out after {} ms", since.elapsed().as_millis());
    ada.log_in("alice").await.expect_problem(401, "wrong-credentials");
    bystander.ping().await.expect(204);
}

#[tokio::test]
async fn reports_from_a_replica_are_those_of_the_primary() {
    let _turn = turn().await;
    let postgres = Postgres::start().await;
    let mut replica = postgres.replica().await;
    let apart = Server::with().postgres(&postgres).flag("--report-database-url", &replica.url());
    let (apart, direct) = (apart.start().await, Server::with().postgres(&postgres).start().await);
    let key = direct.add_key("reports").await;
    for n in 0..5 {
        let visitor = apart.visitor();
        for path in ["/", "/mug"] {
            visitor.view(path).await.expect(204);
        }
        visitor.order(&format!("order-{n}"), "10", "EUR").await.expect(204);
    }
    let caught_up = "SELECT COUNT(*) FROM orders";
    let deadline = Instant::now() + PATIENCE;
    while replica.number(caught_up).await < 5 {
        assert!(Instant::now() < deadline, "the replica does not follow");
    }
    let expected = direct.overview(&key, "").await;
    assert_eq!((&expected["total_visits"], &expected["orders"]), (&5.into(), &5.into()));
    assert_eq!(timeless(apart.overview(&key, "").await), timeless(expected));

    replica.kill();
    let visitor = apart.visitor();
    let question = apart.visitor().get("/api/metrics/overview").bearer(&key);
    let answer = question.send().await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    visitor.view("/").await.expect(204);
    apart.ask_admin("/readyz").await.expect(200);
    direct.assert_page_views(11);

    replica.restart().await;
    while replica.number("SELECT COUNT(*) FROM page_views").await < 11 {
        assert!(Instant::now() < deadline, "the replica does not follow");
    }
    assert_eq!(apart.overview(&key, "").await["page_views"], 11);
}
