//! The stores, connections and disks that other tests disturb behave as those tests expect.

use std::fs;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use visitflow_testkit::disk::SmallDisk;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::process::{cpu_seconds, resident_kib};
use visitflow_testkit::proxy::{Mode, Proxy};
use visitflow_testkit::redis_cluster::RedisCluster;
use visitflow_testkit::{Postgres, Redis, Server};

/// How long nothing must arrive before it counts as silence.
const SILENCE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_postgres_keeps_what_it_has_acknowledged_over_kill_9() {
    let mut postgres = Postgres::start().await;
    assert_eq!(postgres.texts("SHOW synchronous_commit").await, ["on"]);
    assert_eq!(postgres.texts("SHOW fsync").await, ["on"]);
    postgres.execute("CREATE TABLE facts (name text); INSERT INTO facts VALUES ('a'), (NULL)").await;
    assert!(postgres.pids().len() > 1);
    postgres.kill();
    assert!(postgres.pids().is_empty());
    assert!(TcpStream::connect(postgres.address()).await.is_err());
    postgres.restart().await;
    assert_eq!(postgres.number("SELECT COUNT(*) FROM facts").await, 2);
    assert_eq!(postgres.texts("SELECT name FROM facts ORDER BY name").await, ["a", ""]);
}

#[tokio::test]
async fn a_stopped_postgres_answers_when_it_goes_on() {
    let postgres = Postgres::start().await;
    postgres.stop();
    let question = postgres.number("SELECT 7");
    tokio::pin!(question);
    assert!(tokio::time::timeout(SILENCE, &mut question).await.is_err());
    postgres.resume();
    assert_eq!(question.await, 7);
}

#[tokio::test]
async fn the_processor_time_of_a_postgres_is_that_of_all_its_processes() {
    let postgres = Postgres::start().await;
    let postmaster = *postgres.pids().first().expect("it runs");
    let before = cpu_seconds(postmaster);
    // A process that used a quarter of a second or more, and has ended before the time is read.
    postgres.number("SELECT COUNT(*) FROM generate_series(1, 2000000)").await;
    assert!(cpu_seconds(postmaster) - before > 0.05);
    assert!(resident_kib(postmaster).is_some_and(|size| size > 1_000));
}

#[tokio::test]
async fn each_test_has_an_empty_database_in_the_shared_postgres() {
    let (one, other) = (Postgres::shared_database().await, Postgres::shared_database().await);
    one.execute("CREATE TABLE facts ()").await;
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'facts'";
    assert_eq!((one.number(tables).await, other.number(tables).await), (1, 0));
}

#[tokio::test]
async fn a_replica_follows_and_refuses_to_write() {
    let postgres = Postgres::start().await;
    postgres.execute("CREATE TABLE facts AS SELECT 1 AS n").await;
    let replica = postgres.replica().await;
    assert_eq!(replica.texts("SELECT pg_is_in_recovery()").await, ["t"]);
    postgres.execute("INSERT INTO facts VALUES (2)").await;
    let deadline = Instant::now() + PATIENCE;
    while replica.number("SELECT SUM(n) FROM facts").await != 3 {
        assert!(Instant::now() < deadline, "the replica does not follow");
    }
}

#[tokio::test]
async fn a_redis_forgets_with_its_process_unless_it_is_persistent() {
    let mut forgetful = Redis::start().await;
    let mut persistent = Redis::persistent().await;
    for redis in [&mut forgetful, &mut persistent] {
        assert_eq!(redis.command(&["SET", "name", "Ada Lovelace"]).await, "OK");
        redis.restart().await;
    }
    assert!(forgetful.command(&["GET", "name"]).await.is_null());
    assert_eq!(persistent.command(&["GET", "name"]).await, "Ada Lovelace");
    persistent.kill();
    assert!(TcpStream::connect(persistent.address()).await.is_err());
}

#[tokio::test]
async fn a_stopped_redis_answers_when_it_goes_on() {
    let redis = Redis::start().await;
    redis.stop();
    let question = redis.command(&["RPUSH", "list", "a", "b"]);
    tokio::pin!(question);
    assert!(tokio::time::timeout(SILENCE, &mut question).await.is_err());
    redis.resume();
    assert_eq!(question.await, 2);
    assert_eq!(redis.command(&["LRANGE", "list", "0", "-1"]).await, serde_json::json!(["a", "b"]));
}

#[tokio::test]
async fn a_redis_cluster_survives_a_master() {
    let mut cluster = RedisCluster::start().await;
    assert_eq!(cluster.urls().matches("redis://127.0.0.1:").count(), 6);
    cluster.kill_master(0).await;
    cluster.becomes_whole().await;
    cluster.restart_killed().await;
    cluster.becomes_whole().await;
}

/// A server that answers every byte with the same byte.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<u8> {
    stream.write_all(b"a").await?;
    stream.read_u8().await
}

#[tokio::test]
async fn a_proxy_slows_stalls_resets_and_refuses() {
    let proxy = Proxy::to(echo().await).await;
    let connect = || TcpStream::connect(proxy.address());
    let mut stream = connect().await.expect("a good line");
    assert_eq!(ask(&mut stream).await.expect("an echo"), b'a');

    proxy.set(Mode::Slow(SILENCE));
    let start = Instant::now();
    assert_eq!(ask(&mut stream).await.expect("an echo"), b'a');
    assert!(start.elapsed() >= 2 * SILENCE, "there and back");

    proxy.set(Mode::Stall);
    let mut late = connect().await.expect("a stalled line is taken");
    assert!(tokio::time::timeout(SILENCE, ask(&mut stream)).await.is_err());
    assert!(tokio::time::timeout(SILENCE, ask(&mut late)).await.is_err());
    proxy.set(Mode::Pass);
    assert_eq!(stream.read_u8().await.expect("the echo of before"), b'a');
    assert_eq!(late.read_u8().await.expect("the echo of before"), b'a');

    proxy.reset();
    assert!(ask(&mut stream).await.is_err());
    let mut stream = connect().await.expect("a good line again");
    assert_eq!(ask(&mut stream).await.expect("an echo"), b'a');

    proxy.set(Mode::Refuse);
    assert!(ask(&mut stream).await.is_err());
    let deadline = Instant::now() + PATIENCE;
    while connect().await.is_ok() {
        assert!(Instant::now() < deadline, "the line stays open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    proxy.set(Mode::Pass);
    while connect().await.is_err() {
        assert!(Instant::now() < deadline, "the line does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_postgres_is_reached_through_a_proxy() {
    let postgres = Postgres::shared_database().await;
    let proxy = Proxy::to(postgres.address()).await;
    let url = postgres.url_over(proxy.address());
    assert_eq!(visitflow_testkit::sql::number(&url, "SELECT 7").await, 7);
}

#[test]
fn a_small_disk_is_full_and_has_room_again() {
    let disk = SmallDisk::of_bytes(64 * 1024);
    let file = disk.path().join("file");
    fs::write(&file, vec![0; 16 * 1024]).expect("there is room");
    disk.fill();
    assert!(fs::write(disk.path().join("other"), "x").is_err());
    disk.free();
    fs::write(disk.path().join("other"), "x").expect("there is room again");
    assert_eq!(fs::metadata(&file).expect("it stays").len(), 16 * 1024);
}

#[tokio::test]
async fn a_server_s_sqlite_database_is_read_as_before() {
    let server = Server::start().await;
    server.visitor().view("/").await.expect(204);
    server.assert_visits(1);
    assert_eq!(server.texts("SELECT path FROM page_views"), ["/"]);
}
