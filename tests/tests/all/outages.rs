//! The stores are away, hang, are slow or full: no acknowledged fact is lost, page views are accepted, and the server
//! recovers by itself.

use serde_json::Value;
use std::time::{Duration, Instant};
use visitflow_testkit::disk::SmallDisk;
use visitflow_testkit::load::{Load, assert_all_were_answered, slowest, turn};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::proxy::{Mode, Proxy};
use visitflow_testkit::reading::count;
use visitflow_testkit::stand::{Stand, Watch};
use visitflow_testkit::{Answer, Postgres, Redis, Server};

/// How long a store is away.
const AWAY: Duration = Duration::from_secs(3);

/// What the writer waits for a batch, twice over for what came in between, and a look-up before it:
/// a browser may wait longer.
const SLOWEST: Duration = Duration::from_secs(20);

/// A hundred times the delay of a store in the same network.
const SLOW: Mode = Mode::Slow(Duration::from_millis(50));

/// Disturbs the stores under load, and restores them. No visitor notices.
async fn nobody_notices(trouble: impl AsyncFnOnce(&mut Stand)) {
    let _turn = turn().await;
    let mut stand = Stand::start(Server::with()).await;
    stand.uses_redis(1).await;
    let key = stand.server.add_key("judge").await;
    let (load, watch) = (Load::steady(&stand.server), Watch::readiness(&stand.server));
    load.reaches(300).await;
    trouble(&mut stand).await;
    load.goes_on(300).await;
    let shares = load.ends().await;
    println!("the slowest answer took {} ms", slowest(&shares).as_millis());
    assert_all_were_answered(&shares);
    assert!(slowest(&shares) < SLOWEST);
    stand.server.assert_exact(&shares, &key).await;
    assert_eq!(watch.ends().await, [] as [u16; 0], "the server was ready throughout");
    for share in &shares {
        share.visitors.last().expect("somebody").ping().await.expect(204);
    }
}

/// The same, and afterwards Redis is used again.
async fn nobody_notices_and_redis_comes_back(trouble: impl AsyncFnOnce(&mut Stand)) {
    nobody_notices(async |stand| {
        trouble(stand).await;
        stand.uses_redis(2).await;
    })
    .await;
}

async fn over_bad_line(line: &Proxy, mode: Mode) {
    line.set(mode);
    tokio::time::sleep(AWAY).await;
    line.set(Mode::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_postgres_is_killed_and_comes_back() {
    nobody_notices(async |stand| {
        stand.postgres.kill();
        tokio::time::sleep(AWAY).await;
        stand.postgres.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_postgres_hangs() {
    nobody_notices(async |stand| {
        stand.postgres.stop();
        tokio::time::sleep(AWAY).await;
        stand.postgres.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_connections_to_postgres_are_reset() {
    nobody_notices(async |stand| {
        for _ in 0..10 {
            stand.to_postgres.reset();
            tokio::time::sleep(AWAY / 10).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_postgres_refuses_connections() {
    nobody_notices(async |stand| over_bad_line(&stand.to_postgres, Mode::Refuse).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_the_line_to_postgres_is_slow() {
    nobody_notices(async |stand| over_bad_line(&stand.to_postgres, SLOW).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_redis_is_killed_and_comes_back_empty() {
    nobody_notices_and_redis_comes_back(async |stand| {
        stand.redis.kill();
        tokio::time::sleep(AWAY).await;
        stand.redis.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_redis_hangs() {
    nobody_notices_and_redis_comes_back(async |stand| {
        stand.redis.stop();
        tokio::time::sleep(AWAY).await;
        stand.redis.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_connections_to_redis_are_reset() {
    nobody_notices_and_redis_comes_back(async |stand| {
        for _ in 0..10 {
            stand.to_redis.reset();
            tokio::time::sleep(AWAY / 10).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_redis_refuses_connections() {
    nobody_notices_and_redis_comes_back(async |stand| over_bad_line(&stand.to_redis, Mode::Refuse).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_the_line_to_redis_is_slow() {
    nobody_notices(async |stand| over_bad_line(&stand.to_redis, SLOW).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_both_stores_are_killed_and_come_back() {
    nobody_notices_and_redis_comes_back(async |stand| {
        stand.redis.kill();
        stand.postgres.kill();
        tokio::time::sleep(AWAY).await;
        stand.postgres.restart().await;
        stand.redis.restart().await;
    })
    .await;
}

/// Longer than the writer waits for a batch: page views go to the spool, though nothing has failed.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_postgres_hangs_for_long_while_redis_is_away() {
    nobody_notices_and_redis_comes_back(async |stand| {
        stand.redis.kill();
        stand.to_postgres.set(Mode::Stall);
        tokio::time::sleep(3 * AWAY).await;
        stand.to_postgres.set(Mode::Pass);
        stand.redis.restart().await;
    })
    .await;
}

// ---- the server dies

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_three_times_under_load_loses_nothing_on_postgres_and_redis() {
    let _turn = turn().await;
    let mut stand = Stand::start(Server::with()).await;
    let key = stand.server.add_key("judge").await;
    let mut all = Vec::new();
    for _ in 0..3 {
        let load = Load::steady(&stand.server);
        load.reaches(400).await;
        stand.server.kill().await;
        let mut shares = load.ends().await;
        stand.server.restart().await;
        stand.server.assert_acknowledged_are_stored_once(&shares).await;
        stand.server.send_again(&mut shares).await;
        all.extend(shares);
    }
    stand.server.assert_exact(&all, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spool_outlives_kill_9_and_is_drained_when_postgres_comes() {
    let _turn = turn().await;
    let mut stand = Stand::start(Server::with()).await;
    let key = stand.server.add_key("judge").await;
    let load = Load::steady(&stand.server);
    load.reaches(200).await;
    stand.postgres.kill();
    load.goes_on(300).await;
    stand.server.kill().await;
    let mut shares = load.ends().await;
    // Ready without Postgres: the spool takes what comes.
    stand.server.restart().await;
    stand.server.send_again(&mut shares).await;
    stand.postgres.restart().await;
    stand.server.assert_exact(&shares, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_drains_into_postgres() {
    let _turn = turn().await;
    let mut stand = Stand::start(Server::with()).await;
    let key = stand.server.add_key("judge").await;
    let load = Load::steady(&stand.server);
    load.reaches(500).await;
    let status = stand.server.terminate().await;
    let mut shares = load.ends().await;
    assert!(status.success(), "{status}: {}", stand.server.log());
    stand.server.assert_acknowledged_are_stored_once(&shares).await;
    stand.server.restart().await;
    stand.server.send_again(&mut shares).await;
    stand.server.assert_exact(&shares, &key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_without_postgres_ends_in_time_and_the_spool_keeps() {
    let _turn = turn().await;
    for hangs in [false, true] {
        let mut stand = Stand::start(Server::with()).await;
        let key = stand.server.add_key("judge").await;
        let load = Load::steady(&stand.server);
        load.reaches(100).await;
        stand.to_postgres.set(if hangs { Mode::Stall } else { Mode::Refuse });
        if !hangs {
            load.goes_on(200).await;
        }
        let begun = Instant::now();
        let status = stand.server.terminate().await;
        println!("hangs: {hangs}; ended after {} ms", begun.elapsed().as_millis());
        let mut shares = load.ends().await;
        assert!(status.success(), "{status}: {}", stand.server.log());
        // The drain limit, and some time more on a busy machine.
        assert!(begun.elapsed() < Duration::from_secs(13));
        stand.server.restart().await;
        stand.server.send_again(&mut shares).await;
        stand.to_postgres.set(Mode::Pass);
        stand.server.assert_exact(&shares, &key).await;
    }
}

// ---- boot

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_its_stores_and_keeps_what_comes_until_they_do() {
    let _turn = turn().await;
    let (mut postgres, mut redis) = (Postgres::start().await, Redis::start().await);
    postgres.kill();
    redis.kill();
    let server = Server::with().postgres(&postgres).redis_url(&redis.url()).start().await;
    server.says(1, "Redis is not used for now").await;
    server.says(1, "the database is away").await;
    let visitors: Vec<_> = (0..10).map(|_| server.visitor()).collect();
    for visitor in &visitors {
        visitor.start().await.expect(200);
        visitor.view("/").await.expect(204);
        visitor.view("/mug").await.expect(204);
        visitor.ping().await.expect(204);
    }
    redis.restart().await;
    postgres.restart().await;
    server.says(1, "the database is back").await;
    server.says(1, "Redis is up to date and is used").await;
    server.assert_page_views(20);
    server.assert_visits(10);
    for visitor in &visitors {
        let token = visitor.token();
        visitor.view("/cart").await.expect(204);
        assert_eq!(visitor.token(), token);
    }
    server.assert_visits(10);
    let key = server.add_key("judge").await;
    assert_eq!(server.overview(&key, "").await["page_views"], 30);
}

// ---- no room

#[track_caller]
fn assert_told_to_come_back(answer: Answer) {
    let answer = answer.expect_problem(503, "unavailable");
    let seconds: u32 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&seconds));
}

pub(crate) async fn becomes_ready(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    while server.ask_admin("/readyz").await.status != 200 {
        assert!(Instant::now() < deadline, "the server is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_and_room_for_the_spool_page_views_are_told_to_come_back() {
    let _turn = turn().await;
    let disk = SmallDisk::of_bytes(1 << 20);
    let mut postgres = Postgres::start().await;
    let server = Server::with().postgres(&postgres).spool(&disk.path().join("spool.db")).start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    postgres.kill();
    ada.view("/kept").await.expect(204);
    disk.fill();
    let deadline = Instant::now() + PATIENCE;
    let mut refused: Vec<Value> = Vec::new();
    let mut kept = 2;
    // A page that the spool had already may take a few more.
    while refused.len() < 3 {
        assert!(Instant::now() < deadline, "the disk is full");
        let view = ada.page_view("/full");
        let answer = ada.send_view(&view).await;
        if answer.status == 204 {
            kept += 1;
        } else {
            assert_told_to_come_back(answer);
            refused.push(view);
        }
    }
    server.ask_admin("/readyz").await.expect(503);
    server.ask_admin("/healthz").await.expect(200);
    disk.free();
    for view in &refused {
        ada.send_view(view).await.expect(204);
    }
    postgres.restart().await;
    becomes_ready(&server).await;
    server.says(1, "the database is back").await;
    for view in &refused {
        ada.send_view(view).await.expect(204);
    }
    server.assert_page_views(kept + count(refused.len()));
    server.assert_visits(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_at_its_cap_takes_no_more_until_postgres_is_back() {
    let _turn = turn().await;
    let mut postgres = Postgres::start().await;
    let server = Server::with().postgres(&postgres).flag("--spool-max", "1M").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    postgres.kill();
    let batch = || -> Vec<Value> { (0..100).map(|_| ada.page_view("/cap")).collect() };
    let mut kept = 1;
    let refused = loop {
        assert!(kept < 20_000, "there is no cap");
        let views = batch();
        let answer = ada.send_view(&Value::from(views.clone())).await;
        if answer.status != 204 {
            assert_told_to_come_back(answer);
            break views;
        }
        kept += 100;
    };
    assert!(kept > 1_000, "{kept} took the room of a thousand");
    println!("{kept} page views fit into 1M");
    assert_told_to_come_back(ada.send_view(&Value::from(refused.clone())).await);
    server.ask_admin("/readyz").await.expect(503);
    // One alone may still fit.
    ada.view("/small").await.expect(204);
    kept += 1;
    postgres.restart().await;
    server.says(1, "the database is back").await;
    ada.send_view(&Value::from(refused)).await.expect(204);
    becomes_ready(&server).await;
    server.assert_page_views(kept + 100);
    server.assert_visits(1);
}
