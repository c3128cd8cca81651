//! What holds on a single Redis and on a Redis Cluster alike.

use std::time::Duration;

use futures_util::future::join_all;
use redis::Value;
use uuid::Uuid;
use visitflow_server::session::record::{Record, SignedIn};
use visitflow_server::session::token::{SecretHash, SessionToken, Tag};
use visitflow_server::session::{Millis, Ttl};
use visitflow_server::session_cache::redis::Redis;

use super::machine::{Admin, patiently};

pub(crate) const NOW: Millis = 1_790_000_000_000;
pub(crate) const TTL: Ttl = Ttl::DEFAULT;
const SLACK_MS: Millis = 120_000;
const AHEAD_MS: Millis = 300_000;

/// The store under test, and another client of the same Redis.
pub(crate) struct Bench {
    pub(crate) redis: Redis,
    pub(crate) admin: Admin,
}

impl Bench {
    pub(crate) async fn put(&self, record: &Record, now: Millis) {
        patiently(async || self.redis.put(std::slice::from_ref(record), now).await).await;
    }

    pub(crate) async fn resolve(
        &self,
        tag: Tag,
        secret: &SecretHash,
        at: Option<Millis>,
        now: Millis,
    ) -> Option<Record> {
        patiently(async || self.redis.resolve(tag, secret, at, now).await).await
    }

    /// The record as it is; this does not count as activity.
    pub(crate) async fn held(&self, tag: Tag) -> Option<Record> {
        self.resolve(tag, &SecretHash::from_bytes([0; 32]), None, NOW).await
    }

    async fn expires_in(&self, key: &str) -> Millis {
        match self.admin.say(&["PTTL", key]).await {
            Value::Int(ms) => ms,
            other => panic!("{other:?}"),
        }
    }

    /// What it was put for.
    async fn expires(&self, tag: Tag, expected: Millis) {
        self.key_expires(&key(tag), expected + AHEAD_MS).await;
    }

    async fn activity_expires(&self, tag: Tag, expected: Millis) {
        self.key_expires(&activity_key(tag), expected).await;
    }

    /// Within what a slow machine takes to ask.
    async fn key_expires(&self, key: &str, expected: Millis) {
        let left = self.expires_in(key).await;
        assert!((expected - 20_000..=expected).contains(&left), "{left} of {expected}");
    }
}

pub(crate) fn key(tag: Tag) -> String {
    format!("visitflow:{{{tag}}}")
}

fn activity_key(tag: Tag) -> String {
    format!("visitflow:activity:{{{tag}}}")
}

pub(crate) fn opened() -> (Record, SessionToken) {
    let token = SessionToken::issue().unwrap();
    (Record::open(token.proof(), Some(Uuid::now_v7()), None, NOW), token)
}

/// All of them, side by side: each has records of its own.
pub(crate) async fn all(bench: &Bench) {
    tokio::join!(
        every_field_survives_the_trip(bench),
        activity_slides_and_extends(bench),
        the_activity_of_an_ended_session_is_forgotten(bench),
        the_absolute_limit_is_not_extended(bench),
        a_remembered_session_slides_by_the_long_limits_and_its_key_lives_for_the_short_one(bench),
        the_idle_limit_is_exclusive_at_its_end(bench),
        another_secret_slides_nothing(bench),
        a_lower_generation_is_refused_and_an_equal_one_taken(bench),
        generations_are_exact_to_the_last_digit(bench),
        an_ended_session_stays_ended(bench),
        many_travel_together(bench),
    );
}

async fn every_field_survives_the_trip(bench: &Bench) {
    let (mut record, _) = opened();
    assert_eq!(bench.held(record.tag).await, None);
    for user in [Some("anna"), Some(""), None] {
        record.rotate(SessionToken::rotate(record.tag).unwrap().proof(), user.map(Into::into), NOW + 5);
        bench.put(&record, NOW).await;
        assert_eq!(bench.held(record.tag).await.as_ref(), Some(&record));
    }
    assert_eq!(record.retired.len(), 3);
    record.set_visit(None);
    record.end(NOW + 9);
    record.retired.clear();
    bench.put(&record, NOW).await;
    assert_eq!(bench.held(record.tag).await, Some(record));
}

async fn activity_slides_and_extends(bench: &Bench) {
    let (mut record, token) = opened();
    let (tag, secret) = (record.tag, token.hash());
    bench.put(&record, NOW).await;
    bench.expires(tag, TTL.idle_ms + SLACK_MS).await;
    bench.admin.say(&["PEXPIRE", &key(tag), "60000"]).await;
    bench.resolve(tag, &secret, None, NOW + 1_000).await;
    bench.resolve(tag, &secret, Some(NOW), NOW + 1_000).await;
    assert!(bench.expires_in(&key(tag)).await <= 60_000, "no news extends nothing");

    record.slide(NOW + 2_000);
    assert_eq!(bench.resolve(tag, &secret, Some(NOW + 2_000), NOW + 2_000).await.as_ref(), Some(&record));
    bench.expires(tag, TTL.idle_ms + SLACK_MS).await;
    bench.activity_expires(tag, TTL.idle_ms + SLACK_MS).await;
    bench.resolve(tag, &secret, Some(NOW + 1_000), NOW + 3_000).await;
    assert_eq!(bench.held(tag).await.as_ref(), Some(&record));

    let mut put_late = record.clone();
    put_late.last_activity = NOW;
    bench.put(&put_late, NOW + 2_000).await;
    bench.expires(tag, TTL.idle_ms + SLACK_MS).await;
    assert_eq!(bench.held(tag).await, Some(record), "activity never goes back");
}

async fn the_activity_of_an_ended_session_is_forgotten(bench: &Bench) {
    let (mut record, token) = opened();
    bench.put(&record, NOW).await;
    bench.resolve(record.tag, &token.hash(), Some(NOW + 1), NOW + 1).await;
    bench.activity_expires(record.tag, TTL.idle_ms + SLACK_MS).await;
    record.end(NOW + 2);
    bench.put(&record, NOW + 2).await;
    assert_eq!(bench.expires_in(&activity_key(record.tag)).await, -2, "there is no such key");
}

async fn a_remembered_session_slides_by_the_long_limits_and_its_key_lives_for_the_short_one(bench: &Bench) {
    let token = SessionToken::issue().unwrap();
    let user = SignedIn { remember: true, device: Some("Firefox".into()), ..SignedIn::from("anna") };
    let mut record = Record::open(token.proof(), None, Some(user), NOW);
    let (tag, secret) = (record.tag, token.hash());
    bench.put(&record, NOW).await;
    bench.expires(tag, TTL.idle_ms + SLACK_MS).await;
    let later = NOW + TTL.remember_idle_ms - 60_000;
    record.slide(later);
    assert_eq!(bench.resolve(tag, &secret, Some(later), later).await.as_ref(), Some(&record));
    bench.expires(tag, TTL.idle_ms + SLACK_MS).await;
    bench.put(&record, later + TTL.remember_idle_ms - 60_000).await;
    bench.expires(tag, 60_000 + SLACK_MS).await;
    let over = later + TTL.remember_idle_ms;
    assert_eq!(
        bench.resolve(tag, &secret, Some(over), over).await,
        Some(record.clone()),
        "it has slid no more"
    );
    record.rotate(SessionToken::rotate(tag).unwrap().proof(), None, NOW + 5);
    bench.put(&record, NOW + 5).await;
    assert_eq!(bench.held(tag).await, Some(record), "neither field is left");
}

async fn the_absolute_limit_is_not_extended(bench: &Bench) {
    let (mut record, token) = opened();
    record.slide(NOW + TTL.max_ms - 60_000);
    bench.put(&record, NOW + TTL.max_ms - 60_000).await;
    bench.expires(record.tag, 60_000 + SLACK_MS).await;
    let last = NOW + TTL.max_ms - 30_000;
    bench.resolve(record.tag, &token.hash(), Some(last), last).await;
    bench.activity_expires(record.tag, 30_000 + SLACK_MS).await;
    let over = NOW + TTL.max_ms;
    let found = bench.resolve(record.tag, &token.hash(), Some(over), over).await.unwrap();
    assert_eq!(found.last_activity, last);
    bench.activity_expires(record.tag, 30_000 + SLACK_MS).await;
}

async fn the_idle_limit_is_exclusive_at_its_end(bench: &Bench) {
    let (record, token) = opened();
    bench.put(&record, NOW).await;
    let over = NOW + TTL.idle_ms;
    let found = bench.resolve(record.tag, &token.hash(), Some(over), over).await.unwrap();
    assert_eq!(found.last_activity, NOW);
    let found = bench.resolve(record.tag, &token.hash(), Some(over - 1), over - 1).await.unwrap();
    assert_eq!(found.last_activity, over - 1);
}

async fn another_secret_slides_nothing(bench: &Bench) {
    let (mut record, old) = opened();
    let forged = SessionToken::rotate(record.tag).unwrap();
    record.rotate(SessionToken::rotate(record.tag).unwrap().proof(), None, NOW);
    bench.put(&record, NOW).await;
    for token in [old, forged] {
        let found = bench.resolve(record.tag, &token.hash(), Some(NOW + 1_000), NOW + 1_000).await;
        assert_eq!(found.as_ref(), Some(&record));
    }
}

async fn a_lower_generation_is_refused_and_an_equal_one_taken(bench: &Bench) {
    let (older, _) = opened();
    let mut newer = older.clone();
    newer.set_visit(None);
    newer.slide(NOW + 1_000);
    bench.put(&newer, NOW).await;
    bench.put(&older, NOW).await;
    assert_eq!(bench.held(older.tag).await.as_ref(), Some(&newer));

    let mut equal = newer.clone();
    equal.visit_id = Some(Uuid::now_v7());
    equal.last_activity = NOW;
    bench.put(&equal, NOW).await;
    let held = bench.held(older.tag).await.unwrap();
    assert_eq!((held.visit_id, held.last_activity), (equal.visit_id, NOW + 1_000));
}

async fn generations_are_exact_to_the_last_digit(bench: &Bench) {
    let (mut record, _) = opened();
    record.generation = 9;
    bench.put(&record, NOW).await;
    for generation in [10, u64::MAX - 1, u64::MAX, u64::MAX - 1, 11] {
        record.generation = generation;
        bench.put(&record, NOW).await;
    }
    assert_eq!(bench.held(record.tag).await.unwrap().generation, u64::MAX);
}

async fn an_ended_session_stays_ended(bench: &Bench) {
    let (live, token) = opened();
    let mut ended = live.clone();
    ended.end(NOW + 1_000);
    bench.put(&ended, NOW + 1_000).await;
    bench.put(&live, NOW + 1_000).await;
    let found = bench.resolve(live.tag, &token.hash(), Some(NOW + 2_000), NOW + 2_000).await;
    assert_eq!(found.as_ref(), Some(&ended));
    bench.expires(live.tag, TTL.idle_ms + SLACK_MS).await;
}

async fn many_travel_together(bench: &Bench) {
    let (records, tokens): (Vec<_>, Vec<_>) = (0..600).map(|_| opened()).unzip();
    patiently(async || bench.redis.put(&records, NOW).await).await;
    let ask = async |token: &SessionToken| {
        patiently(async || bench.redis.resolve(token.tag(), &token.hash(), Some(NOW + 7), NOW + 7).await)
            .await
    };
    let found = join_all(tokens.iter().map(ask)).await;
    for (mut record, found) in records.into_iter().zip(found) {
        record.slide(NOW + 7);
        assert_eq!(found, Some(record));
    }
}

/// A thousand sign-ins at once: whatever the order of arrival, the last one stands.
pub(crate) async fn rotations_at_once_leave_the_highest(bench: &Bench) {
    let (mut record, _) = opened();
    let mut generations = vec![record.clone()];
    for _ in 1..1_000 {
        record.rotate(SessionToken::rotate(record.tag).unwrap().proof(), None, NOW);
        generations.push(record.clone());
    }
    // By a stride that shares no factor with a thousand, so that they come in no order.
    let puts = (0..1_000).map(|n| &generations[n * 389 % 1_000]);
    let all = join_all(puts.map(|record| bench.put(record, NOW)));
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert_eq!(bench.held(record.tag).await, Some(record));
}
