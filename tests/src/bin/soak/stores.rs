//! The databases that a trial runs on.

use tempfile::TempDir;
use visitflow_testkit::{Postgres, Redis, Server};

/// Which they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// PostgreSQL and Redis.
    Postgres,
    /// SQLite alone.
    Embedded,
}

/// A server, and the stores that it runs on.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) server: Server,
    pub(crate) stores: Option<Stores>,
}

/// Dropping them kills them.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
    /// Where the spool is: it outlives the server's process.
    _directory: TempDir,
}

impl Stand {
    /// Starts all of it.
    pub(crate) async fn start(kind: Kind) -> Self {
        let setup = Server::with().user("alice");
        if kind == Kind::Embedded {
            return Self { server: setup.start().await, stores: None };
        }
        let (postgres, redis) = (Postgres::start().await, Redis::start().await);
        let directory = tempfile::tempdir().expect("a directory for the spool");
        let setup =
            setup.postgres(&postgres).redis_url(&redis.url()).spool(&directory.path().join("spool.db"));
        let server = setup.start().await;
        Self { server, stores: Some(Stores { postgres, redis, _directory: directory }) }
    }
}
