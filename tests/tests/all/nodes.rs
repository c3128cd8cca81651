//! Several servers on the same stores, and stores of several nodes.

use serde_json::Value;
use std::time::{Duration, Instant};
use visitflow_testkit::load::{Load, assert_all_were_answered, slowest, turn};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::redis_cluster::RedisCluster;
use visitflow_testkit::stand::Watch;
use visitflow_testkit::{Postgres, Redis, Server, Visitor};

/// How long a change may take from one server to another. Redis reports it at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Two servers on one Postgres and one Redis.
struct Pair {
    one: Server,
    other: Server,
    postgres: Postgres,
    _redis: Redis,
}

impl Pair {
    async fn start() -> Self {
        let (postgres, redis) = (Postgres::start().await, Redis::start().await);
        let setup = || Server::with().postgres(&postgres).redis_url(&redis.url());
        let one = setup().user("alice").start().await;
        let other = setup().start().await;
        for server in [&one, &other] {
            server.says(1, "Redis is up to date and is used").await;
        }
        Self { one, other, postgres, _redis: redis }
    }
}

async fn is_dead_at_once(token: &Visitor) {
    let deadline = Instant::now() + AT_ONCE;
    loop {
        let answer = token.snapshot().ping().await;
        if answer.status == 401 {
            return;
        }
        assert!(Instant::now() < deadline, "the token lives on: {}", answer.status);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_visit_begins_on_one_server_and_goes_on_on_another() {
    let Pair { one, other, .. } = &Pair::start().await;
    let ada = one.visitor();
    ada.start().await.expect(200);
    let token = ada.token();
    for server in [other, one, other] {
        ada.at(server).view("/").await.expect(204);
        ada.at(server).ping().await.expect(204);
        assert_eq!(ada.at(server).start().await.expect(200).json()["session"], "resumed");
    }
    assert_eq!(ada.token(), token);
    one.assert_visits(1);
    one.assert_page_views(3);
}

#[tokio::test]
async fn a_token_that_is_rotated_or_ended_on_one_server_is_dead_on_the_other() {
    let pair = Pair::start().await;
    let ada = pair.one.visitor();
    ada.start().await.expect(200);
    // Both servers have copies of their own by now.
    ada.at(&pair.other).ping().await.expect(204);
    let started = ada.snapshot();
    ada.log_in("alice").await.expect(200);
    is_dead_at_once(&started.at(&pair.other)).await;
    ada.at(&pair.other).ping().await.expect(204);
    let signed_in = ada.snapshot();
    ada.at(&pair.other).log_out().await.expect(204);
    is_dead_at_once(&signed_in).await;
    ada.ping().await.expect(204);
    let last = ada.snapshot();
    ada.end().await.expect(204);
    is_dead_at_once(&last.at(&pair.other)).await;
    pair.one.assert_visits(1);
}

#[tokio::test]
async fn what_a_server_remembers_of_a_visit_is_forgotten_when_another_writes() {
    let pair = Pair::start().await;
    let ada = pair.one.visitor();
    ada.start().await.expect(200);
    // It has been the only writer for a while, so it has cached the visit.
    for _ in 0..20 {
        ada.view("/").await.expect(204);
    }
    let elsewhere = ada.at(&pair.other);
    elsewhere.view("/").await.expect(204);
    elsewhere.event("seen").await.expect(204);
    ada.view("/").await.expect(204);
    assert_eq!(pair.one.texts("SELECT page_views || ' ' || events FROM sessions"), ["22 1"]);
    for _ in 0..20 {
        ada.view("/").await.expect(204);
    }
    elsewhere.view("/").await.expect(204);
    assert_eq!(pair.one.texts("SELECT page_views || ' ' || events FROM sessions"), ["43 1"]);
    pair.one.assert_page_views(43);
}

#[tokio::test]
async fn a_resend_to_another_server_is_a_duplicate_and_harms_no_neighbour() {
    let pair = Pair::start().await;
    let ada = pair.one.visitor();
    ada.start().await.expect(200);
    let mut sent = Vec::new();
    for _ in 0..20 {
        let view = ada.page_view("/");
        ada.send_view(&view).await.expect(204);
        sent.push(view);
    }
    let elsewhere = ada.at(&pair.other);
    for view in &sent {
        elsewhere.send_view(view).await.expect(204);
        elsewhere.view("/new").await.expect(204);
    }
    // One request with both: the new one is stored, although the resent one is refused.
    let both = Value::Array(vec![sent[0].clone(), ada.page_view("/both")]);
    ada.post("/api/telemetry/page_view", &both).send().await.expect(204);
    pair.one.assert_page_views(41);
    assert_eq!(pair.one.texts("SELECT page_views FROM sessions"), ["41"]);
}

#[tokio::test]
async fn twenty_starts_of_a_visitor_at_once_on_two_servers_are_one_visit() {
    let pair = Pair::start().await;
    are_one_visit(&pair.one, &pair.other).await;
    for server in [&pair.one, &pair.other] {
        assert!(!server.log().contains("the database is away"), "{}", server.log());
    }
}

#[tokio::test]
async fn twenty_starts_of_a_visitor_at_once_on_sqlite_are_one_visit() {
    let server = Server::start().await;
    are_one_visit(&server, &server).await;
}

async fn are_one_visit(one: &Server, other: &Server) {
    for _ in 0..5 {
        let ada = one.visitor();
        let starts: Vec<_> = (0..20)
            .map(|n| {
                let tab = ada.without_session().at(if n % 2 == 0 { one } else { other });
                tokio::spawn(async move {
                    tab.start().await.expect(200);
                    tab.view("/").await.expect(204);
                })
            })
            .collect();
        for start in starts {
            start.await.expect("a start succeeds");
        }
        let visits = format!("SELECT COUNT(*) FROM sessions WHERE visitor_id = '{}'", ada.id);
        assert_eq!(one.number(&visits), 1);
    }
    one.assert_visits(5);
    one.assert_page_views(100);
}

/// Stops the server in the middle of a batch: while it holds the lock that all writers share.
async fn stop_in_a_batch(server: &Server, postgres: &Postgres) {
    let holds = "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE application_name = 'visitflow writer' AND state = 'idle in transaction' \
                 AND now() - state_change > interval '100 ms'";
    let deadline = Instant::now() + PATIENCE;
    loop {
        server.stop();
        tokio::time::sleep(Duration::from_millis(150)).await;
        if postgres.number(holds).await == 1 {
            return;
        }
        server.resume();
        assert!(Instant::now() < deadline, "it was never caught in a batch");
        tokio::time::sleep(Duration::from_millis(23)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_in_the_middle_of_a_batch_does_not_stop_the_other() {
    let _turn = turn().await;
    let pair = Pair::start().await;
    let key = pair.one.add_key("judge").await;
    let (load, beside) = (Load::steady(&pair.one), Load::steady(&pair.other));
    load.reaches(200).await;
    let watch = Watch::readiness(&pair.one);
    stop_in_a_batch(&pair.other, &pair.postgres).await;
    let begun = Instant::now();
    load.goes_on(200).await;
    println!("the other goes on after {} ms", begun.elapsed().as_millis());
    assert!(begun.elapsed() < Duration::from_secs(10));
    pair.other.resume();
    beside.goes_on(200).await;
    let mut shares = load.ends().await;
    println!("its slowest answer took {} ms", slowest(&shares).as_millis());
    assert!(slowest(&shares) < Duration::from_secs(10));
    shares.extend(beside.ends().await);
    assert_all_were_answered(&shares);
    pair.one.assert_exact(&shares, &key).await;
    assert_eq!(watch.ends().await, [] as [u16; 0], "it was ready throughout");
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_keep_their_sessions_when_a_master_of_a_redis_cluster_dies() {
    let _turn = turn().await;
    let (postgres, mut cluster) = (Postgres::start().await, RedisCluster::start().await);
    let server = Server::with().postgres(&postgres).redis_url(&cluster.urls()).start().await;
    server.says(1, "Redis is up to date and is used").await;
    let key = server.add_key("judge").await;
    let (load, watch) = (Load::steady(&server), Watch::readiness(&server));
    load.reaches(300).await;
    cluster.kill_master(0).await;
    cluster.becomes_whole().await;
    server.says(2, "Redis is up to date and is used").await;
    load.goes_on(300).await;
    let shares = load.ends().await;
    let changed: usize = shares.iter().map(|share| share.tokens_changed).sum();
    let visitors: usize = shares.iter().map(|share| share.visitors.len()).sum();
    let slowest = slowest(&shares).as_millis();
    println!("{changed} of {visitors} visitors got another token; the slowest answer took {slowest} ms");
    assert_eq!(changed, 0);
    assert_all_were_answered(&shares);
    server.assert_exact(&shares, &key).await;
    assert_eq!(watch.ends().await, [] as [u16; 0], "it was ready throughout");
    for share in &shares {
        let visitor = share.visitors.last().expect("somebody");
        let token = visitor.token();
        visitor.ping().await.expect(204);
        assert_eq!(visitor.token(), token);
    }
    cluster.restart_killed().await;
    cluster.becomes_whole().await;
}
