//! The part of the session cache that all servers share: records in Redis. The database owns them.
//!
//! | module | holds |
//! |---|---|
//! | `url` | `--redis-url` |
//! | `codec` | a record as the fields of a hash |
//! | `scripts` | the scripts in `server/lua`: read and note activity; put, unless a later generation is there |
//! | `connection` | the pool of connections for commands |
//! | `breaker` | when calls are tried |
//! | `trust` | when answers may be trusted |
//! | `shared` | what calls and listener share |
//! | `subscriptions` | connections on which Redis reports changed keys |
//! | `notice` | what Redis reports |
//! | `listener` | the task that keeps them, and reconnects |
//!
//! A caller that keeps local copies of what [`Redis::resolve`] returned must drop them by the
//! [`Notice`]s. A notice may overtake an answer: a copy may be kept only if no notice about its tag, and
//! no [`Notice::Lost`], came between call and answer.
//!
//! Invariant: a late put never revives a session. The scripts refuse a generation lower than the
//! one held, and an ended record is held for the idle limit. So Redis must not evict: its
//! `maxmemory-policy` is to be `noeviction`.

mod breaker;
mod codec;
mod connection;
mod error;
mod listener;
mod notice;
mod scripts;
mod shared;
mod subscriptions;
mod trust;
mod url;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::cmd;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::session::record::Record;
use crate::session::token::{SecretHash, Tag};
use crate::session::{Millis, Ttl};
use connection::Pool;
use shared::Shared;
use subscriptions::Subscriptions;
use url::Nodes;

pub use breaker::BreakerState;
pub use connection::COMMAND_TIMEOUT;
pub use error::RedisError;
pub use notice::Notice;
pub use url::RedisUrl;

/// How many records travel together under one time-out. `redis-benchmark -P 256` on two shared cores, Redis
/// 7.0: 64,000 executions of put.lua a second, 110,000 of resolve.lua. So these take Redis 4 ms, and
/// other calls meanwhile wait no longer than that.
const TOGETHER: usize = 256;

/// The records in Redis.
pub struct Redis {
    shared: Arc<Shared>,
    ttl: Ttl,
    listener: JoinHandle<()>,
}

impl Redis {
    /// Returns at once and connects in the background. Must be called within a Tokio
    /// runtime. The notices end when this is dropped.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(url: &RedisUrl, ttl: Ttl) -> Result<(Self, mpsc::UnboundedReceiver<Notice>), RedisError> {
        let nodes = url.nodes()?;
        let (notices, notified) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(Pool::new(&nodes)?, notices));
        let listener = tokio::spawn(listener::run(nodes, Arc::clone(&shared)));
        Ok((Self { shared, ttl, listener }, notified))
    }

    /// The record of a tag, in one round trip. If `presented` is its current secret, it is not
    /// ended and neither limit has passed at `now`, activity `at` is noted in the same step, if it
    /// is later than what is known, and the key lives longer.
    ///
    /// # Errors
    /// When Redis does not answer, or holds something else under the key.
    pub async fn resolve(
        &self,
        tag: Tag,
        presented: &SecretHash,
        at: Option<Millis>,
        now: Millis,
    ) -> Result<Option<Record>, RedisError> {
        let (ttl, asked) = (self.ttl, (tag, *presented, at));
        let value = self.shared.call(|link| scripts::resolve(link, asked, now, ttl)).await?;
        codec::decode(tag, value)
    }

    /// Puts records, each in one atomic step that refuses a generation lower than the one held.
    /// Activity never goes back. They travel together, 256 at a time. Continues if the caller is
    /// dropped, so that a revocation is never sent in part.
    ///
    /// # Errors
    /// When Redis does not answer; some may have been put. Redis is not trusted from then on.
    pub async fn put(&self, records: &[Record], now: Millis) -> Result<(), RedisError> {
        let (shared, ttl, records) = (Arc::clone(&self.shared), self.ttl, records.to_vec());
        let task = tokio::spawn(async move {
            for records in records.chunks(TOGETHER) {
                let work = |link: connection::Link| {
                    try_join_all(
                        records.iter().map(move |record| scripts::put(link.clone(), record, now, ttl)),
                    )
                };
                shared.call(work).await?;
            }
            Ok(())
        });
        // The task ends early only with the runtime.
        task.await.unwrap_or(Err(RedisError::Unreachable))
    }

    /// How long a record stays in Redis at most if no request uses it.
    #[must_use]
    pub fn longest_life(&self) -> Millis {
        scripts::longest_life(self.ttl)
    }

    /// Whether the answers of Redis may be trusted: it is connected, reports changes, and has all recent ones.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.shared.is_trusted()
    }

    /// Notes that recent changes were put again in `epoch`. Does nothing if that epoch is over.
    pub fn trust(&self, epoch: u64) {
        self.shared.trust(epoch);
    }

    /// What happens to calls at the moment; for metrics.
    #[must_use]
    pub fn breaker_state(&self) -> BreakerState {
        self.shared.breaker_state()
    }
}

impl RedisUrl {
    /// Whether Redis can be used: it answers, reports changes, and runs scripts. For
    /// `visitflow check`; must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), RedisError> {
        let nodes = self.nodes()?;
        let (notices, _notified) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(Pool::new(&nodes)?, notices));
        Subscriptions::open(&nodes, &BTreeSet::new(), &shared).await?;
        if matches!(nodes, Nodes::Single(_)) {
            let slots =
                |mut link: connection::Link| async move { link.query(cmd("CLUSTER").arg("SLOTS")).await };
            if shared.pool.run(slots).await.is_ok() {
                return Err(RedisError::Cluster);
            }
        }
        let nobody = Tag::parse("AAAAAAAAAAAAAAAAAAAAAA").ok_or(RedisError::Malformed("tag"))?;
        let asked = (nobody, SecretHash::from_bytes([0; 32]), None);
        shared.pool.run(|link| scripts::resolve(link, asked, 0, Ttl::default())).await?;
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("shared", &self.shared).finish_non_exhaustive()
    }
}
