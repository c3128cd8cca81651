//! Keeps the copies in this process in sync with Redis, and Redis in sync with the database.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::sessions::{NEVER, Sessions, Shared};
use crate::clock;
use crate::database::error::StoreError;
use crate::database::store::Lookup;
use crate::session::{Millis, Ttl};
use crate::session_cache::redis::{Notice, Redis, RedisError, RedisUrl};

/// How long to wait before another try.
const PAUSE: Duration = Duration::from_millis(500);

/// How long sessions that are due to be looked up are collected.
const GATHER: Duration = Duration::from_millis(100);

/// Changes are put again this much further back, in ms: clocks differ, and a change is stamped before its commit.
const SLACK_MS: Millis = 60_000;

/// Why Redis cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
enum Behind {
    /// The database cannot be asked what has changed.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// Redis cannot be written to.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl Sessions {
    /// Sessions that `database` owns, with a copy in Redis. Must be called within the runtime that
    /// serves requests.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn with_redis(ttl: Ttl, database: Lookup, url: &RedisUrl) -> Result<Arc<Self>, RedisError> {
        let (redis, notices) = Redis::new(url, ttl)?;
        let shared = Shared {
            redis: Arc::new(redis),
            runtime: Handle::current(),
            caught_up_until: AtomicI64::new(NEVER),
        };
        let sessions = Arc::new(Self::new(ttl, database).sharing(shared));
        tokio::spawn(keep(Arc::downgrade(&sessions), notices));
        tokio::spawn(look_up_due(Arc::downgrade(&sessions), sessions.local.dues()));
        Ok(sessions)
    }
}

/// Follows the notices of Redis, as long as the sessions exist.
async fn keep(sessions: Weak<Sessions>, mut notices: mpsc::UnboundedReceiver<Notice>) {
    let mut applying: Option<JoinHandle<()>> = None;
    while let Some(notice) = notices.recv().await {
        let Some(sessions) = sessions.upgrade() else { return };
        match notice {
            Notice::Changed(tag) => sessions.local.changed(tag),
            Notice::CaughtUp(at) => sessions.caught_up_with_redis(at),
            Notice::Lost => {
                sessions.caught_up_with_redis(NEVER);
                sessions.local.lost_touch();
                if let Some(applying) = applying.take() {
                    applying.abort();
                }
            }
            Notice::Connected { epoch } => {
                sessions.local.lost_touch();
                applying = Some(tokio::spawn(apply_until_done(sessions, epoch)));
            }
        }
    }
}

/// Looks sessions up when they are due, as long as they exist.
async fn look_up_due(sessions: Weak<Sessions>, dues: Arc<Notify>) {
    loop {
        dues.notified().await;
        // No request waits for these, so many can go to Redis together.
        tokio::time::sleep(GATHER).await;
        let Some(sessions) = sessions.upgrade() else { return };
        sessions.look_up_due(clock::now()).await;
    }
}

async fn apply_until_done(sessions: Arc<Sessions>, epoch: u64) {
    loop {
        match apply(&sessions, epoch, clock::now()).await {
            Ok(records) => {
                tracing::info!(records, "Redis is up to date and is used");
                return;
            }
            Err(error) => {
                tracing::debug!(%error, "Redis cannot be brought up to date yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Puts every session into Redis again that was rotated, given another visit or ended within the longest life of an
/// unused key. Redis may have been away, emptied, or replaced by an older replica; older keys have expired there.
async fn apply(sessions: &Sessions, epoch: u64, now: Millis) -> Result<usize, Behind> {
    let Some(redis) = sessions.redis() else { return Ok(0) };
    if sessions.database_is_away() {
        return Err(
            StoreError::Unavailable("the spool holds commands that the database does not have yet").into()
        );
    }
    let records = sessions.database.changed_since(now - redis.longest_life() - SLACK_MS).await?;
    redis.put(&records, now).await?;
    redis.trust(epoch);
    Ok(records.len())
}
