//! Sessions in a Redis of the test's own: what the scripts guarantee, which changes are reported, and what happens when
//! Redis goes away and comes back.

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod cases;
mod cluster;
mod machine;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use visitflow_server::session::token::SecretHash;
use visitflow_server::session_cache::redis::{
    BreakerState, COMMAND_TIMEOUT, Notice, Redis, RedisError, RedisUrl,
};

use cases::{Bench, NOW, TTL, key, opened};
use machine::{PATIENCE, Server, patiently, until};

pub(crate) struct Notices(mpsc::UnboundedReceiver<Notice>);

impl Notices {
    /// Waits for what is wanted, and passes over the rest.
    pub(crate) async fn wait<T>(&mut self, what: &str, wanted: impl Fn(Notice) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = wanted(self.0.recv().await.expect(what)) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no notice: {what}"))
    }

    pub(crate) async fn lost(&mut self) {
        self.wait("lost", |notice| (notice == Notice::Lost).then_some(())).await;
    }

    pub(crate) async fn connected(&mut self) -> u64 {
        let epoch = |notice| match notice {
            Notice::Connected { epoch } => Some(epoch),
            _ => None,
        };
        self.wait("connected", epoch).await
    }

    /// Trusts each epoch until one stays.
    pub(crate) async fn trusted(&mut self, redis: &Redis) -> u64 {
        loop {
            let epoch = self.connected().await;
            redis.trust(epoch);
            if redis.is_trusted() {
                return epoch;
            }
        }
    }
}

pub(crate) fn open(url: &str) -> (Redis, Notices) {
    let (redis, notices) = Redis::new(&url.parse().unwrap(), TTL).unwrap();
    (redis, Notices(notices))
}

async fn single() -> (Server, Bench, Notices) {
    let server = Server::start(&[]).await;
    let (redis, mut notices) = open(&server.url());
    assert!(!redis.is_trusted());
    notices.trusted(&redis).await;
    let admin = server.admin().await;
    (server, Bench { redis, admin }, notices)
}

#[tokio::test]
async fn a_single_redis_keeps_the_rules() {
    let (_server, bench, _) = single().await;
    cases::all(&bench).await;
}

#[tokio::test]
async fn a_thousand_rotations_at_once_leave_the_highest() {
    let (_server, bench, _) = single().await;
    cases::rotations_at_once_leave_the_highest(&bench).await;
}

#[tokio::test]
async fn a_script_that_redis_has_forgotten_is_sent_again() {
    let (_server, bench, _) = single().await;
    let (record, _) = opened();
    bench.put(&record, NOW).await;
    bench.admin.say(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(bench.held(record.tag).await.as_ref(), Some(&record));
    bench.admin.say(&["SCRIPT", "FLUSH"]).await;
    bench.put(&record, NOW).await;
}

#[tokio::test]
async fn changes_by_another_server_are_reported() {
    let (server, bench, mut notices) = single().await;
    let (other, mut others) = open(&server.url());
    others.trusted(&other).await;
    let (record, token) = opened();
    let changed = |notice| (notice == Notice::Changed(record.tag)).then_some(());
    patiently(async || other.put(std::slice::from_ref(&record), NOW).await).await;
    notices.wait("put by another", changed).await;
    patiently(async || other.resolve(record.tag, &token.hash(), Some(NOW + 1), NOW + 1).await).await;
    let later = opened().0;
    patiently(async || other.put(std::slice::from_ref(&later), NOW).await).await;
    let next = |notice| match notice {
        Notice::Changed(tag) => Some(tag),
        _ => None,
    };
    assert_eq!(notices.wait("put later", next).await, later.tag, "activity changes no record");
    bench.admin.say(&["DEL", &key(record.tag)]).await;
    notices.wait("deleted by somebody", changed).await;
}

#[tokio::test]
async fn a_flushed_redis_is_lost_until_it_was_filled_again() {
    let (_server, bench, mut notices) = single().await;
    bench.admin.say(&["FLUSHALL"]).await;
    notices.lost().await;
    assert!(!bench.redis.is_trusted());
    notices.trusted(&bench.redis).await;
}

#[tokio::test]
async fn a_redis_that_dies_is_noticed_and_found_again() {
    let (mut server, bench, mut notices) = single().await;
    while let Ok(notice) = notices.0.try_recv() {
        assert!(matches!(notice, Notice::CaughtUp(_)), "{notice:?}");
    }
    server.kill();
    notices.lost().await;
    assert!(!bench.redis.is_trusted());

    let nobody = SecretHash::from_bytes([0; 32]);
    let (record, _) = opened();
    let ask = async || bench.redis.resolve(record.tag, &nobody, None, NOW).await;
    let deadline = Instant::now() + PATIENCE;
    while ask().await != Err(RedisError::Open) {
        assert!(Instant::now() < deadline, "the breaker opens");
    }
    let asked = Instant::now();
    let _ = ask().await;
    assert!(asked.elapsed() < COMMAND_TIMEOUT * 2);

    server.restart().await;
    let epoch = notices.connected().await;
    assert!(!bench.redis.is_trusted(), "not before it was filled");
    bench.redis.trust(epoch - 1);
    assert!(!bench.redis.is_trusted(), "not for what was done in an earlier epoch");
    bench.redis.trust(epoch);
    bench.put(&record, NOW).await;
    assert_eq!(bench.held(record.tag).await, Some(record));
    until("closed again", || bench.redis.breaker_state() == BreakerState::Closed).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_noticed_without_a_call() {
    let (server, bench, mut notices) = single().await;
    server.signal("-STOP");
    notices.lost().await;
    server.signal("-CONT");
    notices.trusted(&bench.redis).await;
}

#[tokio::test]
async fn a_call_to_a_redis_that_hangs_ends_in_time() {
    let (server, bench, mut notices) = single().await;
    let (record, _) = opened();
    bench.put(&record, NOW).await;
    server.signal("-STOP");
    let asked = Instant::now();
    let answer = bench.redis.put(&[record], NOW).await;
    // The rest is what a busy machine needs to say so.
    assert!(asked.elapsed() < COMMAND_TIMEOUT + Duration::from_secs(1), "{:?}", asked.elapsed());
    assert!(answer.is_err(), "{answer:?}");
    assert!(!bench.redis.is_trusted(), "the put may be missing");
    notices.lost().await;
    server.signal("-CONT");
    notices.trusted(&bench.redis).await;
}

#[tokio::test]
async fn a_refused_put_ends_the_trust() {
    let (_server, bench, mut notices) = single().await;
    let (record, _) = opened();
    let mut ended = record.clone();
    ended.end(NOW);
    bench.put(&record, NOW).await;
    bench.admin.say(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let deadline = Instant::now() + PATIENCE;
    while bench.redis.put(std::slice::from_ref(&ended), NOW).await != Err(RedisError::Refused("OOM".into())) {
        assert!(Instant::now() < deadline, "the put is refused");
    }
    notices.lost().await;
    assert_eq!(bench.held(record.tag).await, Some(record), "what was held is whole");
    bench.admin.say(&["CONFIG", "SET", "maxmemory", "0"]).await;
    notices.trusted(&bench.redis).await;
    bench.put(&ended, NOW).await;
}

#[tokio::test]
async fn a_put_arrives_although_its_caller_has_gone() {
    let (_server, bench, mut notices) = single().await;
    let (record, _) = opened();
    {
        let records = [record.clone()];
        let put = bench.redis.put(&records, NOW);
        tokio::pin!(put);
        let gone = timeout(Duration::ZERO, &mut put).await;
        assert!(gone.is_err() || gone.is_ok_and(|put| put.is_ok()));
    }
    notices.wait("the put", |notice| (notice == Notice::Changed(record.tag)).then_some(())).await;
    assert_eq!(bench.held(record.tag).await, Some(record));
}

#[tokio::test]
async fn check_says_what_is_wrong_without_the_password() {
    let mut server = Server::start(&["--requirepass", "open-sesame"]).await;
    let with = |password: &str| -> RedisUrl {
        format!("redis://:{password}@127.0.0.1:{}", server.port).parse().unwrap()
    };
    let (right, wrong) = (with("open-sesame"), with("hunter2"));
    patiently(async || right.check().await).await;
    let refused = wrong.check().await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    assert!(matches!(refused, RedisError::Refused(_)), "{refused:?}");
    server.kill();
    assert_eq!(right.check().await, Err(RedisError::Unreachable));
}
