//! Keeps the copies in this process in step with Redis, and Redis in step with the durable store.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::Sessions;
use super::redis::Notice;
use crate::clock;
use crate::session::Millis;
use crate::store::{Result, StoreError};

/// How long to wait before the durable store is asked again what it has changed.
const PAUSE: Duration = Duration::from_millis(500);

/// For how long sessions that are due to be looked up are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// Clocks differ, and a change is stamped before its commit: changes are re-applied this much
/// further back, in ms.
const SLACK_MS: Millis = 60_000;

/// Follows what Redis tells, for as long as the sessions are there.
pub(super) async fn keep(sessions: Weak<Sessions>, mut notices: mpsc::UnboundedReceiver<Notice>) {
    let mut applying: Option<JoinHandle<()>> = None;
    while let Some(notice) = notices.recv().await {
        let Some(sessions) = sessions.upgrade() else { return };
        match notice {
            Notice::Changed(tag) => sessions.local.changed(tag),
            Notice::HeardUntil(at) => sessions.heard_from_redis(at),
            Notice::Lost => {
                sessions.heard_from_redis(super::NEVER);
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

/// Looks sessions up when they are due, for as long as they are there.
pub(super) async fn look_up_due(sessions: Weak<Sessions>, dues: Arc<Notify>) {
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

/// Re-applies everything that was rotated, bound or ended within the longest life of an unused key. Redis may
/// have been away, emptied, or replaced by an older replica; older keys have expired there by themselves.
async fn apply(sessions: &Sessions, epoch: u64, now: Millis) -> Result<usize> {
    let Some(redis) = sessions.redis() else { return Ok(0) };
    if sessions.durable_is_away() {
        return Err(StoreError::Unavailable("the durable store does not know all yet"));
    }
    let records = sessions.durable.changed_since(now - redis.longest_life() - SLACK_MS).await?;
    redis.put(&records, now).await.map_err(StoreError::from)?;
    redis.trust(epoch);
    Ok(records.len())
}
