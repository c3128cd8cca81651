//! The connections for commands.
//!
//! Each is multiplexed: it carries any number of commands at once, and the pool hands out clones.
//! So no call waits for a connection, and simultaneous calls travel in one write.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bb8_redis::RedisConnectionManager;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, ErrorKind, Value};
use tokio::time::{Instant, timeout_at};

use super::error::RedisError;
use super::url::Nodes;

/// From the call to its answer, including the wait for a connection. A visitor waits for it. Redis in the same network
/// answers in one or two milliseconds, and after the time-out the database answers instead.
pub const COMMAND_TIMEOUT: Duration = Duration::from_millis(250);

/// For a connection, including TLS. Longer than a call waits: the next call finds the connection made.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections to a single Redis. One could carry everything that Redis can execute; with several, a slow or lost one
/// does not stop all calls.
const SINGLE_CONNECTIONS: u32 = 4;

/// Connections to a Redis Cluster; each holds one to every node.
const CLUSTER_CONNECTIONS: u32 = 2;

/// How often a command follows the cluster when slots have moved.
const CLUSTER_RETRIES: u32 = 3;

/// Where commands are sent.
#[derive(Clone)]
pub(super) enum Link {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) async fn query(&mut self, command: &Cmd) -> redis::RedisResult<Value> {
        match self {
            Self::Single(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// A connection in the pool.
pub(super) struct Pooled {
    link: Link,
    era: u64,
    broken: Arc<AtomicBool>,
}

/// Makes the pool's connections, and checks which can be used.
pub(super) struct Manager {
    source: Source,
    /// Connections of an earlier era may lead to a Redis that has been replaced since.
    era: Arc<AtomicU64>,
}

enum Source {
    Single(Box<RedisConnectionManager>),
    Cluster(Box<ClusterClient>),
}

impl Source {
    fn new(nodes: &Nodes) -> Result<Self, RedisError> {
        Ok(match nodes {
            Nodes::Single(node) => {
                Self::Single(Box::new(RedisConnectionManager::new(node.as_ref().clone())?))
            }
            Nodes::Cluster(nodes) => Self::Cluster(Box::new(
                ClusterClient::builder(nodes.iter().cloned())
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(COMMAND_TIMEOUT)
                    .overall_response_timeout(Some(COMMAND_TIMEOUT))
                    .retries(CLUSTER_RETRIES)
                    .build()?,
            )),
        })
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = redis::RedisError;

    async fn connect(&self) -> Result<Pooled, Self::Error> {
        let era = self.era.load(Ordering::Acquire);
        let link = match &self.source {
            Source::Single(manager) => Link::Single(manager.connect().await?),
            Source::Cluster(client) => Link::Cluster(client.get_async_connection().await?),
        };
        Ok(Pooled { link, era, broken: Arc::default() })
    }

    /// Sends nothing: a PING before each command would double the round trips.
    async fn is_valid(&self, connection: &mut Pooled) -> Result<(), Self::Error> {
        if self.has_broken(connection) {
            return Err((ErrorKind::Io, "the connection has failed or is of an earlier era").into());
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Pooled) -> bool {
        connection.broken.load(Ordering::Acquire) || connection.era < self.era.load(Ordering::Acquire)
    }
}

/// The pool.
pub(super) struct Pool {
    pool: bb8::Pool<Manager>,
    era: Arc<AtomicU64>,
}

impl Pool {
    /// A pool that begins to connect in the background.
    pub(super) fn new(nodes: &Nodes) -> Result<Self, RedisError> {
        let era = Arc::<AtomicU64>::default();
        let size = match nodes {
            Nodes::Single(_) => SINGLE_CONNECTIONS,
            Nodes::Cluster(_) => CLUSTER_CONNECTIONS,
        };
        let pool = bb8::Pool::builder()
            .max_size(size)
            .min_idle(size)
            // In turn, so that commands spread, and a broken connection is noticed soon.
            .queue_strategy(bb8::QueueStrategy::Fifo)
            .connection_timeout(COMMAND_TIMEOUT)
            .retry_connection(false)
            .build_unchecked(Manager { source: Source::new(nodes)?, era: Arc::clone(&era) });
        Ok(Self { pool, era })
    }

    /// From now on only new connections are used.
    pub(super) fn renew(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }

    /// Does `work` on a connection, within [`COMMAND_TIMEOUT`].
    pub(super) async fn run<T, F>(&self, work: impl FnOnce(Link) -> F) -> Result<T, RedisError>
    where
        F: Future<Output = redis::RedisResult<T>>,
    {
        let deadline = Instant::now() + COMMAND_TIMEOUT;
        let (link, broken) = {
            let held = timeout_at(deadline, self.pool.get()).await;
            let held = held.map_err(|_| RedisError::Unreachable)?.map_err(|_| RedisError::Unreachable)?;
            (held.link.clone(), Arc::clone(&held.broken))
        };
        let outcome = match timeout_at(deadline, work(link)).await {
            Ok(outcome) => outcome.map_err(RedisError::from),
            Err(_) => Err(RedisError::Timeout),
        };
        if outcome.is_err() {
            broken.store(true, Ordering::Release);
        }
        outcome
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.pool.state();
        f.debug_struct("Pool").field("connections", &state.connections).finish_non_exhaustive()
    }
}
